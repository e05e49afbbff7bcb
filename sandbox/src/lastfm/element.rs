//! An answer, before it is written: a tree as XML has it, from which Last.fm makes its JSON (reference: Last.fm §2).

/// One element.
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) attributes: Vec<(&'static str, String)>,
    pub(super) content: Content,
}

/// What an element holds.
pub(super) enum Content {
    Text(String),
    /// Of the few numbers that are none in XML alone: JSON has them as numbers, too.
    Number(i64),
    /// A date that is a text in XML and a number in JSON.
    Moment {
        xml: String,
        json: i64,
    },
    Children(Vec<Child>),
}

/// A child, or several of one name that JSON makes a list of.
pub(super) enum Child {
    One(Element),
    List(&'static str, Vec<Element>),
}

impl Element {
    /// An element that is a text.
    pub(super) fn text(name: &'static str, text: &(impl ToString + ?Sized)) -> Self {
        Self::with(name, Content::Text(text.to_string()))
    }

    pub(super) fn with(name: &'static str, content: Content) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            content,
        }
    }

    /// An element that is to get children.
    pub(super) fn parent(name: &'static str) -> Self {
        Self::with(name, Content::Children(Vec::new()))
    }

    pub(super) fn attribute(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    pub(super) fn child(self, child: Self) -> Self {
        self.push(Child::One(child))
    }

    pub(super) fn list(self, name: &'static str, items: Vec<Self>) -> Self {
        self.push(Child::List(name, items))
    }

    /// A child that is a text.
    pub(super) fn field(self, name: &'static str, text: &(impl ToString + ?Sized)) -> Self {
        self.child(Self::text(name, text))
    }

    fn push(mut self, child: Child) -> Self {
        match &mut self.content {
            Content::Children(children) => children.push(child),
            // A text becomes the first of the children it gets: nobody here writes that.
            _ => self.content = Content::Children(vec![child]),
        }
        self
    }
}
