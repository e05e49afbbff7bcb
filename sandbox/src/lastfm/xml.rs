//! An answer as XML, which is what callers get who ask for nothing else.

use std::fmt::Write as _;

use super::element::{Child, Content, Element};
use crate::pages::escape;

const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A whole answer.
pub(super) fn answer(element: &Element) -> String {
    let mut xml = format!("{PROLOGUE}<lfm status=\"ok\">");
    write(&mut xml, element);
    xml + "</lfm>\n"
}

/// A whole error.
pub(super) fn error(code: u8, message: &str) -> String {
    format!(
        "{PROLOGUE}<lfm status=\"failed\">\n<error code=\"{code}\">{}</error></lfm>\n",
        safe(message)
    )
}

fn write(xml: &mut String, element: &Element) {
    // Writing to a string cannot fail.
    let _ = write!(xml, "<{}", element.name);
    for (name, value) in &element.attributes {
        let _ = write!(xml, " {name}=\"{}\"", safe(value));
    }
    xml.push('>');
    match &element.content {
        Content::Text(text) | Content::Moment { xml: text, .. } => xml.push_str(&safe(text)),
        Content::Number(number) => {
            let _ = write!(xml, "{number}");
        }
        Content::Children(children) => {
            for child in children {
                match child {
                    Child::One(child) => write(xml, child),
                    Child::List(_, items) => items.iter().for_each(|item| write(xml, item)),
                }
            }
        }
    }
    let _ = write!(xml, "</{}>", element.name);
}

/// Text without the characters that XML 1.0 cannot carry at all (its section 2.2), and with the others escaped.
fn safe(text: &str) -> String {
    let carried = |c: &char| {
        matches!(c, '\t' | '\n' | '\r') || (!c.is_control() && !('\u{fffe}'..='\u{ffff}').contains(c))
    };
    escape(&text.chars().filter(carried).collect::<String>())
}
