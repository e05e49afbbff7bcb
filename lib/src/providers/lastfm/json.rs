//! A reader for JSON that a machine made of XML (reference: JSON conventions).
//!
//! A number may be a text and a text an object, an attribute may stand in `@attr` or beside the rest, and a list of one
//! may be the one itself. Nothing here fails: what cannot be read is missing.

use std::str::FromStr;

use serde_json::Value;

/// A place in a document, with something at it or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a>(Option<&'a Value>);

impl<'a> Node<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        Self(Some(value))
    }

    /// What stands under this name.
    pub(super) fn get(self, name: &str) -> Self {
        Self(self.0.and_then(|value| value.get(name)))
    }

    /// What stands under this name in `@attr`, else beside it.
    pub(super) fn attribute(self, name: &str) -> Self {
        let own = self.get("@attr").get(name);
        if own.is_missing() { self.get(name) } else { own }
    }

    pub(super) fn is_object(self) -> bool {
        self.0.is_some_and(Value::is_object)
    }

    /// Whether nothing is here, or null.
    pub(super) fn is_missing(self) -> bool {
        self.0.is_none_or(Value::is_null)
    }

    /// Whether nothing is here that could say anything: the ways to write an element that is not there.
    pub(super) fn is_empty(self) -> bool {
        match self.0 {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(members)) => members.is_empty(),
            Some(_) => false,
        }
    }

    /// The text here, or in the element's `#text` or `name`; trimmed, and never empty.
    pub(super) fn text(self) -> Option<String> {
        if self.is_object() {
            return ["#text", "name"].iter().find_map(|name| self.get(name).scalar());
        }
        self.scalar()
    }

    /// A whole number, written as a number or as a text.
    pub(super) fn number<N: FromStr>(self) -> Option<N> {
        self.text()?.parse().ok()
    }

    /// A yes, in whichever way it is said; anything else is a no.
    pub(super) fn flag(self) -> bool {
        match self.0 {
            Some(Value::Bool(flag)) => *flag,
            _ => self
                .text()
                .is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true")),
        }
    }

    /// The members of a list: all of them, the one that stands for itself, or none.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        let (many, one) = match self.0 {
            Some(Value::Array(items)) => (items.as_slice(), None),
            Some(value @ Value::Object(_)) if !self.is_empty() => (&[][..], Some(value)),
            _ => (&[][..], None),
        };
        many.iter().chain(one).map(Node::of)
    }

    /// A title may be a number to whom has only seen its letters: "1979".
    fn scalar(self) -> Option<String> {
        let text = match self.0? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }
}
