//! Takes a title apart: the name itself, names in other scripts, subtitles, version words, featured artists.

use super::normal::{SAME_NAME_AT, Script, Text, fold};
use super::versions::{Marks, find_credit, read_aside, read_tail};

/// Words in front that one side leaves out: "(I Can't Get No) Satisfaction" / "Satisfaction".
const WORTH_WITHOUT_OPENING: f64 = 0.88;
/// The names agree in one script only.
const WORTH_ONE_SCRIPT: f64 = 0.97;
/// Both give a name in their own script, and these differ: a shared translation proves nothing.
const WORTH_OTHER_ORIGINAL: f64 = 0.6;

const OPENING: &[char] = &['(', '[', '{', '（', '［', '｛', '【', '〔'];
const CLOSING: &[char] = &[')', ']', '}', '）', '］', '｝', '】', '〕'];
const DASHES: &[char] = &['-', '‐', '‑', '‒', '–', '—', '―', '−', '~', '〜', '～', '－'];

/// A title in parts.
#[derive(Debug, Clone)]
pub(super) struct Title {
    /// The name as written, without asides, for queries.
    pub(super) written: String,
    /// The version words as written, for queries.
    pub(super) written_version: String,
    /// Names in other scripts as written, for queries.
    pub(super) written_alternatives: Vec<String>,
    pub(super) marks: Marks,
    /// Artists named in the title: "(feat. B)".
    pub(super) featured: Vec<String>,
    /// The name with its subtitles.
    pub(super) full: Text,
    main: Text,
    subtitles: Vec<Text>,
    ends_with_subtitle: bool,
    alternatives: Vec<Text>,
    flat: String,
}

impl Title {
    pub(super) fn new(title: &str) -> Self {
        let mut parts = Parts::default();
        for segment in segments(title) {
            match segment {
                Segment::Main(text) => parts.main(&text),
                Segment::Aside(text) => parts.aside(text.trim()),
            }
        }
        parts.title(title)
    }

    /// How alike the names are, whatever version they are of: 0 to 1.
    pub(super) fn alike(&self, other: &Self) -> f64 {
        if self.flat == other.flat {
            return if self.flat.is_empty() { 0.0 } else { 1.0 };
        }
        let mut best = self.full.alike(&other.full);
        if self.may_lack_subtitle(other) || other.may_lack_subtitle(self) {
            best = best.max(WORTH_WITHOUT_OPENING * self.main.alike(&other.main));
        }
        if self.alternatives.is_empty() && other.alternatives.is_empty() {
            return best;
        }
        let pairs = self
            .names()
            .flat_map(|name| other.names().map(move |other| name.alike(other)));
        best = pairs.map(|alike| WORTH_ONE_SCRIPT * alike).fold(best, f64::max);
        if self.other_original(other) {
            best.min(WORTH_OTHER_ORIGINAL)
        } else {
            best
        }
    }

    /// The names of the song in its scripts.
    pub(super) fn names(&self) -> impl Iterator<Item = &Text> {
        std::iter::once(&self.main).chain(&self.alternatives)
    }

    /// Whether one side ends with an aside that the other lacks: "Don't You (Forget About Me)" is the same song,
    /// "Faded (Restrung)" is not, and the words do not tell which.
    pub(super) fn has_unshared_ending(&self, other: &Self) -> bool {
        let shared = self.full.alike(&other.full) >= SAME_NAME_AT;
        !shared && self.ends_with_subtitle != other.ends_with_subtitle
    }

    /// A subtitle with a number ("Part 2") is never left out.
    fn may_lack_subtitle(&self, longer: &Self) -> bool {
        let numbered = |text: &Text| text.words().iter().any(|word| is_number(word));
        self.subtitles.is_empty() && !longer.subtitles.is_empty() && !longer.subtitles.iter().any(numbered)
    }

    fn other_original(&self, other: &Self) -> bool {
        let original = |title: &Self| title.names().find(|name| name.script() == Script::Other).cloned();
        original(self)
            .zip(original(other))
            .is_some_and(|(a, b)| a.alike(&b) < SAME_NAME_AT)
    }
}

/// "I" alone is a word more often than a number.
fn is_number(word: &str) -> bool {
    let roman = word.len() > 1 && word.chars().all(|c| matches!(c, 'i' | 'v' | 'x'));
    roman || ["part", "vol", "volume", "chapter"].contains(&word) || word.chars().any(char::is_numeric)
}

enum Segment {
    Main(String),
    Aside(String),
}

/// Cuts at brackets; inner brackets stay in the outer one's text, one that never closes ends with the title.
fn segments(title: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut text = String::new();
    let mut depth = 0_usize;
    for c in title.chars() {
        if OPENING.contains(&c) {
            depth += 1;
            if depth == 1 {
                segments.push(Segment::Main(std::mem::take(&mut text)));
                continue;
            }
        } else if CLOSING.contains(&c) && depth > 0 {
            depth -= 1;
            if depth == 0 {
                segments.push(Segment::Aside(std::mem::take(&mut text)));
                continue;
            }
        }
        text.push(c);
    }
    segments.push(if depth == 0 {
        Segment::Main(text)
    } else {
        Segment::Aside(text)
    });
    segments
}

/// Splits at dashes that follow a space: "Title - Live", "Title -Japanese Version-", but not "Anti-Hero".
fn dash_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut after_space) = (0, false);
    for (at, c) in text.char_indices() {
        if after_space && DASHES.contains(&c) {
            parts.push(&text[start..at]);
            start = at;
        }
        after_space = c.is_whitespace();
    }
    parts.push(&text[start..]);
    parts
}

/// The text after "feat." and the like, if the aside starts with one.
pub(super) fn after_featuring(text: &str) -> Option<&str> {
    let (first, rest) = text.trim_start().split_once(char::is_whitespace)?;
    let first = first.trim_start_matches(OPENING);
    is_featuring(first).then(|| rest.trim())
}

pub(super) fn is_featuring(word: &str) -> bool {
    let word = word.trim_end_matches('.').to_lowercase();
    [
        "feat",
        "ft",
        "featuring",
        "w/",
        "피처링",
        "(feat",
        "(ft",
        "(featuring",
    ]
    .contains(&word.as_str())
}

#[derive(Default)]
struct Parts {
    main: String,
    full: String,
    subtitles: Vec<Text>,
    /// An aside came after the name had begun.
    ends_with_subtitle: bool,
    alternatives: Vec<String>,
    marks: Marks,
    featured: Vec<String>,
    version: String,
}

impl Parts {
    fn main(&mut self, text: &str) {
        for (at, part) in dash_parts(text).into_iter().enumerate() {
            let trimmed = part.trim().trim_matches(DASHES).trim();
            let named = at > 0 && !self.full.trim().is_empty();
            if named && self.qualifier(trimmed) {
                continue;
            }
            let (name, featured) = cut_featuring(part);
            self.main.push_str(&name);
            self.full.push_str(&name);
            self.featured.extend(featured);
        }
    }

    fn aside(&mut self, text: &str) {
        if self.qualifier(text) {
            return;
        }
        // "(with B)" may be a guest or words of the title: both readings are kept.
        if let Some(guest) = text.strip_prefix("with ") {
            self.featured.push(guest.to_owned());
        }
        let aside = Text::new(text);
        let scripts = (Text::new(&self.main).script(), aside.script());
        if matches!(
            scripts,
            (Script::Latin, Script::Other) | (Script::Other, Script::Latin)
        ) {
            self.alternatives.push(text.to_owned());
        } else if !aside.is_empty() {
            self.ends_with_subtitle |= !self.main.trim().is_empty();
            self.full.push(' ');
            self.full.push_str(text);
            self.full.push(' ');
            self.subtitles.push(aside);
        }
    }

    /// Takes an aside that is about the recording, not part of its name.
    fn qualifier(&mut self, text: &str) -> bool {
        if let Some(guests) = after_featuring(text) {
            self.featured.push(guests.to_owned());
            return true;
        }
        let aside = Text::new(text);
        if is_about_source(text, &aside) {
            return true;
        }
        let Some(marks) = read_aside(&aside) else {
            return false;
        };
        if !marks.versions.is_empty() {
            self.version.push(' ');
            self.version.push_str(text);
        }
        self.marks.add(marks);
        true
    }

    fn title(mut self, whole: &str) -> Title {
        self.strip_tail();
        // Nothing but asides ("[Intro]", "(Live)"): then they are the name.
        if Text::new(&self.main).is_empty() {
            let name = if Text::new(&self.full).is_empty() {
                whole
            } else {
                &self.full
            }
            .to_owned();
            if !self.subtitles.is_empty() || Text::new(&self.full).is_empty() {
                self.subtitles.clear();
                self.marks = Marks::default();
                self.version.clear();
            }
            (self.main, self.full) = (name.clone(), name);
        }
        self.split_slash();
        Title {
            full: Text::new(&self.full),
            main: Text::new(&self.main),
            alternatives: self.alternatives.iter().map(|name| Text::new(name)).collect(),
            flat: fold(whole),
            written: self.full,
            written_version: self.version,
            written_alternatives: self.alternatives,
            ends_with_subtitle: self.ends_with_subtitle && !self.subtitles.is_empty(),
            subtitles: self.subtitles,
            marks: self.marks,
            featured: self.featured,
        }
    }

    /// Version words at the end of a title without brackets: "Hello Karaoke Version".
    fn strip_tail(&mut self) {
        if !self.subtitles.is_empty() {
            return;
        }
        let name = Text::new(&self.main);
        let words = name.words();
        let tail = find_credit(&name)
            .or_else(|| read_tail(&name).map(|(count, marks)| (words.len() - count, marks)));
        // Positions are of words without accents; where dropping accents changed their number nothing is cut.
        if let Some((keep, marks)) = tail.filter(|&(keep, _)| keep < words.len()) {
            self.version.push(' ');
            self.version.push_str(&words[keep..].join(" "));
            self.main = words[..keep].join(" ");
            self.full.clone_from(&self.main);
            self.marks.add(marks);
        }
    }

    /// "봄날 / Spring Day": two names, if they are in two scripts; a medley otherwise.
    fn split_slash(&mut self) {
        let halves = self.main.split_once(['/', '|', '／', '｜']);
        let Some((first, second)) = halves.map(|(a, b)| (a.trim().to_owned(), b.trim().to_owned())) else {
            return;
        };
        let scripts = (Text::new(&first).script(), Text::new(&second).script());
        if matches!(
            scripts,
            (Script::Latin, Script::Other) | (Script::Other, Script::Latin)
        ) {
            self.alternatives.push(second);
            if self.subtitles.is_empty() {
                self.full.clone_from(&first);
            }
            self.main = first;
        }
    }
}

fn cut_featuring(text: &str) -> (String, Option<String>) {
    let guest = text
        .split_whitespace()
        .enumerate()
        .skip(1)
        .find(|(_, word)| is_featuring(word));
    match guest {
        Some((at, _)) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            let guests = words[at + 1..].join(" ");
            (
                format!(" {} ", words[..at].join(" ")),
                (!guests.is_empty()).then_some(guests),
            )
        }
        None => (text.to_owned(), None),
    }
}

/// "(Prod. SUGA)", "- From \"Titanic\"": where a song comes from, not which recording it is.
fn is_about_source(written: &str, aside: &Text) -> bool {
    let words: Vec<&str> = aside.words().iter().map(String::as_str).collect();
    let about_film =
        |word: &&str| ["movie", "film", "soundtrack", "ost", "series", "motion", "vault"].contains(word);
    match words.as_slice() {
        ["prod" | "produced", ..] => true,
        ["from", rest @ ..] => written.contains(['"', '“', '”', '„', '«']) || rest.iter().any(about_film),
        words => words.windows(2).any(|pair| pair == ["theme", "from"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::songs::Version;

    #[test]
    fn names_alike_part_by_part() {
        for (a, b, same) in [
            ("봄날 (Spring Day)", "봄날", true),
            ("봄날 (Spring Day)", "Spring Day", true),
            ("Spring Day (봄날)", "봄날 (Spring Day)", true),
            ("봄날 / Spring Day", "봄날", true),
            ("夜に駆ける", "夜に駆ける (Racing into the Night)", true),
            ("Группа крови", "Группа крови (Blood Type)", true),
            ("Love (사랑)", "Love (이별)", false),
            ("(I Can't Get No) Satisfaction", "Satisfaction", true),
            (
                "(I Can’t Get No) Satisfaction",
                "I Can't Get No Satisfaction",
                true,
            ),
            (
                "Another Brick in the Wall (Part 2)",
                "Another Brick in the Wall (Part 1)",
                false,
            ),
            (
                "Another Brick in the Wall, Pt. 2",
                "Another Brick in the Wall (Part 2)",
                true,
            ),
            (
                "Another Brick in the Wall (Part 2)",
                "Another Brick in the Wall",
                false,
            ),
            ("Hurt / Closer", "Hurt", false),
            ("Hello - Remastered 2011", "Hello", true),
            ("Hello (feat. B) [Official Video]", "Hello", true),
            ("Hello feat. B & C", "Hello", true),
            ("Shallow - From \"A Star Is Born\"", "Shallow", true),
            (
                "My Heart Will Go On - Love Theme from \"Titanic\"",
                "My Heart Will Go On",
                true,
            ),
            ("Dynamite -Japanese Version-", "Dynamite", true),
            ("Anti-Hero", "Anti‐Hero", true),
            ("Anti-Hero", "Anti", false),
            ("Intro", "(Intro)", true),
            ("÷", "+", false),
            ("", "", false),
        ] {
            let alike = Title::new(a).alike(&Title::new(b));
            assert_eq!(alike >= SAME_NAME_AT, same, "{a:?} / {b:?}: {alike}");
            let turned = Title::new(b).alike(&Title::new(a));
            assert!(
                (alike - turned).abs() < 1e-9,
                "{a:?} / {b:?}: {alike} but turned {turned}"
            );
        }
    }

    #[test]
    fn asides_are_sorted_by_what_they_say() {
        let title = Title::new("Song (feat. B & C) [Live at Wembley] - Remastered 2011");
        assert_eq!(title.featured, ["B & C"]);
        assert_eq!(title.marks.versions.iter().collect::<Vec<_>>(), [&Version::Live]);
        assert_eq!(title.written.trim(), "Song");
        assert_eq!(title.written_version.trim(), "Live at Wembley");
    }

    #[test]
    fn a_title_of_asides_only_keeps_them() {
        for title in ["(Live)", "[Intro]", "(Remix", "feat. B"] {
            let parts = Title::new(title);
            assert!(
                !parts.full.is_empty() && !parts.names().any(Text::is_empty),
                "{title:?}: {parts:?}"
            );
            assert!(parts.marks.versions.is_empty(), "{title:?}: {parts:?}");
        }
    }
}
