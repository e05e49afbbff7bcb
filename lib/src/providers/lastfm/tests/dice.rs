//! Writes a page as Last.fm may write it: in one of many shapes, which rolls decide.

use serde_json::Value;

use super::*;

/// Whom every page is about.
pub(super) const USER: &str = "Sömebody";

/// How many items and pages there are, as the page says.
pub(super) type Counts = (Option<u64>, Option<u64>);

/// What decides between shapes; a roll of 0 is the plainest.
pub(super) struct Dice<'a> {
    rolls: &'a [u8],
    at: usize,
}

impl<'r> Dice<'r> {
    pub(super) fn new(rolls: &'r [u8]) -> Self {
        Self { rolls, at: 0 }
    }

    fn roll(&mut self, sides: usize) -> usize {
        let roll = self.rolls.get(self.at % self.rolls.len().max(1));
        self.at += 1;
        roll.map_or(0, |&roll| usize::from(roll) % sides)
    }

    fn heads(&mut self) -> bool {
        self.roll(2) == 1
    }

    pub(super) fn text(&mut self, text: &str) -> String {
        let mut json = Value::from(text).to_string();
        if self.heads() {
            json = json.replace('/', "\\/");
        }
        if self.heads() {
            let escaped = |c: char| -> String {
                let units = |c: char| c.encode_utf16(&mut [0; 2]).to_vec();
                let escape = |unit: u16| format!("\\u{unit:04x}");
                if c.is_ascii() {
                    c.into()
                } else {
                    units(c).into_iter().map(escape).collect()
                }
            };
            json = json.chars().map(escaped).collect();
        }
        json
    }

    /// A name with what XML leaves around it.
    pub(super) fn name(&mut self, text: &str) -> String {
        if self.heads() {
            return self.text(&format!(" {text}\n"));
        }
        self.text(text)
    }

    pub(super) fn number(&mut self, number: &impl ToString) -> String {
        let number = number.to_string();
        if self.heads() {
            number
        } else {
            format!("{number:?}")
        }
    }

    /// A text of its own, or an element with attributes.
    fn element(&mut self, text: &str) -> String {
        let name = self.name(text);
        match self.roll(3) {
            0 => self.object(vec![("#text", name), ("mbid", r#""""#.into())]),
            1 => {
                let url = self.text("https://www.last.fm/music/x");
                self.object(vec![("name", name), ("mbid", r#""9a58""#.into()), ("url", url)])
            }
            _ => name,
        }
    }

    pub(super) fn object(&mut self, mut members: Vec<(&str, String)>) -> String {
        if self.heads() {
            members.push((
                "unknown",
                r##"{"track":[{"name":"x","artist":"y"}],"#text":[1,null]}"##.into(),
            ));
        }
        for last in (1..members.len()).rev() {
            let other = self.roll(last + 1);
            members.swap(last, last - other);
        }
        let members = members
            .iter()
            .map(|(name, value)| format!("{}:{value}", Value::from(*name)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    /// Members with attributes, which stand in `@attr`, or beside them.
    pub(super) fn with_attributes<'n>(
        &mut self,
        mut members: Vec<(&'n str, String)>,
        attributes: Vec<(&'n str, String)>,
    ) -> String {
        if self.heads() {
            members.extend(attributes);
        } else {
            let attributes = self.object(attributes);
            members.push(("@attr", attributes));
        }
        self.object(members)
    }

    fn list<'n>(&mut self, name: &'n str, mut items: Vec<String>) -> Vec<(&'n str, String)> {
        match items.len() {
            0 => match self.roll(4) {
                0 => Vec::new(),
                1 => vec![(name, "[]".into())],
                2 => vec![(name, "null".into())],
                _ => vec![(name, r#""""#.into())],
            },
            1 if self.heads() => vec![(name, items.remove(0))],
            _ => vec![(name, format!("[{}]", items.join(",")))],
        }
    }

    pub(super) fn images(&mut self, image_url: Option<&str>) -> Option<(&'static str, String)> {
        const STAR: &str = "https://lastfm.example/34s/2a96cbd8b46e442fc41c2b86b821562f.png";
        let other = if self.heads() { STAR } else { "" };
        let mut image = |size: &str, url: &str| {
            let url = self.text(url);
            self.object(vec![("size", Value::from(size).to_string()), ("#text", url)])
        };
        let Some(url) = image_url else {
            let images = vec![image("small", other), image("extralarge", other)];
            let list = self.list("image", images);
            return list.into_iter().next().filter(|_| self.heads());
        };
        let images = vec![image("small", &format!("{url}-small")), image("extralarge", url)];
        self.list("image", images).into_iter().next()
    }

    pub(super) fn track(&mut self, track: &Track) -> Vec<(&'static str, String)> {
        let mut members = vec![
            ("name", self.name(&track.title)),
            ("artist", self.element(&track.artist)),
        ];
        match &track.album {
            Some(album) => members.push(("album", self.element(album))),
            None if self.heads() => members.push(("album", r##"{"mbid":"","#text":""}"##.into())),
            None => {}
        }
        if let Some(url) = &track.url {
            members.push(("url", self.text(url)));
        }
        members.extend(self.images(track.image_url.as_deref()));
        members.push(("streamable", self.number(&0)));
        members
    }

    pub(super) fn play(&mut self, play: &Play) -> String {
        let uts = self.number(&play.at.as_s());
        let date = self.object(vec![("uts", uts), ("#text", r#""03 Jul 2026, 05:31""#.into())]);
        let mut members = self.track(&play.track);
        members.push(("date", date));
        if self.heads() {
            return self.with_attributes(members, vec![("nowplaying", r#""false""#.into())]);
        }
        self.object(members)
    }

    pub(super) fn now_playing(&mut self, track: &Track) -> String {
        let members = self.track(track);
        match self.roll(4) {
            0 => self.with_attributes(members, vec![("nowplaying", r#""true""#.into())]),
            1 => self.with_attributes(members, vec![("nowplaying", "true".into())]),
            2 => self.with_attributes(members, vec![("nowplaying", "1".into())]),
            _ => self.object(members),
        }
    }

    pub(super) fn page(
        &mut self,
        root: &'static str,
        name: &'static str,
        items: Vec<String>,
        counts: Counts,
    ) -> String {
        let user = if self.heads() {
            USER.to_lowercase()
        } else {
            USER.to_owned()
        };
        let user = self.text(&user);
        let mut attributes = vec![("user", user), ("perPage", self.number(&200))];
        for (name, number) in [("total", counts.0), ("totalPages", counts.1)] {
            if let Some(number) = number {
                attributes.push((name, self.number(&number)));
            }
        }
        let list = self.list(name, items);
        let page = self.with_attributes(list, attributes);
        self.object(vec![(root, page)])
    }
}
