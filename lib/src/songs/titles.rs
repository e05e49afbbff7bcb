//! Takes a title apart: the name itself, names in other scripts, subtitles, version words, featured artists.

mod featuring;

use self::featuring::{after_featuring, cut_featuring};
pub(super) use self::featuring::{is_featuring, part_featuring};
use super::han;
use super::normal::{Script, Text, fold, is_latin_letter};
use super::spelling::SAME_NAME_AT;
use super::versions::{Marks, find_credit, is_about_video, read_aside, read_tail};

/// Words in front that one side leaves out: "(I Can't Get No) Satisfaction" / "Satisfaction".
const WORTH_WITHOUT_OPENING: f64 = 0.88;
/// The names agree in one script only.
const WORTH_ONE_SCRIPT: f64 = 0.97;
/// The same in other letters: "Pachka sigaret" / "Пачка сигарет".
const WORTH_ROMANISED: f64 = 0.9;
/// Both give a name in their own script, and these differ: a shared translation proves nothing.
const WORTH_OTHER_ORIGINAL: f64 = 0.6;

/// An aside of so many words that names no version is part of the title: "(A Deal With God)".
const SUBTITLE_WORDS_MIN: usize = 3;

/// "夜曲 Nocturne"; "아주 NICE" is one name.
const TRANSLATION_LETTERS_MIN: usize = 6;

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
        let title = &part_featuring(title);
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
        if best < WORTH_ROMANISED
            && self
                .names()
                .any(|name| other.names().any(|other| name.sounds_like(other)))
        {
            best = WORTH_ROMANISED;
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

    /// The aside that one side ends with and the other lacks, and whether it is a subtitle: "Running Up That Hill (A Deal
    /// With God)" is the same song, "Faded (Restrung)" is not. Long ones, and those that repeat the title, are subtitles.
    pub(super) fn unshared_ending<'a>(&'a self, other: &'a Self) -> Option<(&'a Text, bool)> {
        let longer = if self.ends_with_subtitle { self } else { other };
        if self.ends_with_subtitle == other.ends_with_subtitle || self.full.alike(&other.full) >= SAME_NAME_AT
        {
            return None;
        }
        let ending = longer.subtitles.last()?;
        let words = ending.words();
        let repeats = words.iter().all(|word| longer.main.words().contains(word));
        Some((ending, repeats || words.len() >= SUBTITLE_WORDS_MIN))
    }

    /// Whether both are written alike, up to case and signs: of "Song" and "Song - Remastered" the one that the list names.
    pub(super) fn is_written_like(&self, other: &Self) -> bool {
        self.flat == other.flat
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

/// What stands in brackets.
pub(super) fn asides(title: &str) -> impl Iterator<Item = String> {
    segments(title).into_iter().filter_map(|segment| match segment {
        Segment::Main(_) => None,
        Segment::Aside(text) => Some(text),
    })
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
            let guests = !self.full.trim().is_empty() && after_featuring(trimmed).is_some();
            if (named || guests) && self.qualifier(trimmed) {
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
        // "무제(無題)": the same word in Han.
        let in_han = self.main.contains(han::is_hangul) && text.chars().all(han::is_han);
        let in_other_letters = matches!(
            scripts,
            (Script::Latin, Script::Other) | (Script::Other, Script::Latin)
        );
        if in_other_letters || (in_han && !aside.is_empty()) {
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
        if is_about_source(text, &aside) || is_about_video(&aside) {
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
        self.split_halves();
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

    /// "봄날 / Spring Day", "小幸運 A Little Happiness": two names, if they are in two scripts; a medley otherwise.
    fn split_halves(&mut self) {
        let halves = self.main.split_once(['/', '|', '／', '｜']);
        let halves = halves.or_else(|| translated(&self.main));
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

/// A name followed by its translation, in Latin letters and of two words or one long one: a short one may belong to the
/// name ("아주 NICE"), and version words or numbers are no translation.
fn translated(name: &str) -> Option<(&str, &str)> {
    // The space after which all letters are Latin ones.
    let last_other = name.rfind(|c: char| c.is_alphabetic() && !is_latin_letter(c))?;
    let space = last_other + name[last_other..].find(char::is_whitespace)?;
    let (first, second) = name.split_at(space);
    if !second.contains(char::is_alphabetic) {
        return None;
    }
    let aside = Text::new(second);
    let long = aside.words().len() >= 2 || second.trim().len() >= TRANSLATION_LETTERS_MIN;
    let is_name = long && !aside.words().iter().any(|word| is_number(word));
    let native = first.chars().filter(|c| c.is_alphabetic()).all(|c| !c.is_ascii());
    (is_name && native && Text::new(first).script() == Script::Other && read_aside(&aside).is_none())
        .then_some((first, second))
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
mod tests;
