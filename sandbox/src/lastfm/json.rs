//! An answer as JSON, by the rules of the machine that makes it out of the XML: numbers are strings, attributes of an
//! element with children go into `@attr`, those of a text stand beside its `#text` (reference: Last.fm §2).

use std::fmt::Write as _;

use super::element::{Child, Content, Element};
use crate::world::{Escaping, KeyOrder, LastfmSettings, ListShape, Random};

/// What one answer looks like.
pub(super) struct Json {
    out: String,
    /// Absent: keys stay in order.
    shuffle: Option<Random>,
    escaping: Escaping,
    list_shape: ListShape,
}

/// What stands behind a key.
#[derive(Clone, Copy)]
enum Value<'a> {
    Text(&'a str),
    Number(i64),
    Element(&'a Element),
    List(&'a [Element]),
    Attributes(&'a [(&'static str, String)]),
}

impl Json {
    pub(super) fn new(settings: &LastfmSettings, order: Random) -> Self {
        Self {
            out: String::new(),
            shuffle: (settings.key_order == KeyOrder::Shuffled).then_some(order),
            escaping: settings.escaping,
            list_shape: settings.list_shape,
        }
    }

    /// A whole answer.
    pub(super) fn answer(mut self, element: &Element) -> String {
        self.object(vec![(element.name, Value::Element(element))]);
        self.out
    }

    /// A whole error.
    pub(super) fn error(mut self, code: u8, message: &str) -> String {
        let members = vec![
            ("message", Value::Text(message)),
            ("error", Value::Number(code.into())),
        ];
        self.object(members);
        self.out
    }

    fn element(&mut self, element: &Element) {
        match &element.content {
            Content::Children(children) => self.parent(&element.attributes, children),
            Content::Text(text) => self.leaf(&element.attributes, Value::Text(text)),
            Content::Number(json) | Content::Moment { json, .. } => {
                self.leaf(&element.attributes, Value::Number(*json));
            }
        }
    }

    fn parent(&mut self, attributes: &[(&'static str, String)], children: &[Child]) {
        let mut members = Vec::new();
        if !attributes.is_empty() {
            members.push(("@attr", Value::Attributes(attributes)));
        }
        for child in children {
            match child {
                Child::One(child) => members.push((child.name, Value::Element(child))),
                Child::List(name, items) => {
                    members.extend(self.list_value(items).map(|value| (*name, value)));
                }
            }
        }
        self.object(members);
    }

    fn list_value<'a>(&self, items: &'a [Element]) -> Option<Value<'a>> {
        let bare = matches!(self.list_shape, ListShape::BareObject | ListShape::BareOrAbsent);
        let absent = matches!(
            self.list_shape,
            ListShape::AbsentWhenEmpty | ListShape::BareOrAbsent
        );
        match items {
            [] if absent => None,
            [one] if bare => Some(Value::Element(one)),
            _ => Some(Value::List(items)),
        }
    }

    /// A text alone is a string; with attributes it is an object that has them and the text.
    fn leaf(&mut self, attributes: &[(&'static str, String)], text: Value<'_>) {
        if attributes.is_empty() {
            self.value(text);
            return;
        }
        let attributes = attributes.iter().map(|(name, value)| (*name, Value::Text(value)));
        let mut members: Vec<_> = attributes.collect();
        members.push(("#text", text));
        self.object(members);
    }

    fn value(&mut self, value: Value<'_>) {
        match value {
            Value::Text(text) => self.string(text),
            Value::Number(number) => {
                // Writing to a string cannot fail.
                let _ = write!(self.out, "{number}");
            }
            Value::Element(element) => self.element(element),
            Value::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.element(item);
                }
                self.out.push(']');
            }
            Value::Attributes(attributes) => {
                let members = attributes.iter().map(|(name, value)| (*name, Value::Text(value)));
                self.object(members.collect());
            }
        }
    }

    fn object(&mut self, mut members: Vec<(&'static str, Value<'_>)>) {
        if let Some(random) = &mut self.shuffle {
            for left in (1..members.len()).rev() {
                members.swap(left, random.index(left + 1));
            }
        }
        self.out.push('{');
        for (index, (name, value)) in members.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.string(name);
            self.out.push(':');
            self.value(value);
        }
        self.out.push('}');
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.out.extend(['\\', c]),
                '/' if self.escaping != Escaping::Plain => self.out.push_str("\\/"),
                _ if c < ' ' || (!c.is_ascii() && self.escaping == Escaping::Unicode) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        // Writing to a string cannot fail.
                        let _ = write!(self.out, "\\u{unit:04x}");
                    }
                }
                _ => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}
