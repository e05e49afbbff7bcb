//! Who made a song: one line of credit, or a list of names, as a set of artists that can be compared.

mod aliases;
mod joints;
mod names;
#[cfg(test)]
mod tests;

use std::{ops::Range, sync::OnceLock};

use self::joints::{in_brackets, split_name, two_scripts};
use self::names::{is_part, is_part_of_name, is_word, name_alike};
use super::normal::{Script, Text};
use super::spelling::SAME_NAME_AT;
use super::titles::{is_featuring, part_featuring};

/// Names are joined again up to this many pieces ("Earth, Wind & Fire" has three).
const JOINED_PIECES_MAX: usize = 5;
/// Longer credits are cut: comparing is the product of both lengths.
const PIECES_MAX: usize = 32;

/// What lists write when they know no artist.
const NOBODY: &[&str] = &[
    "unknown artist",
    "unknown",
    "various artists",
    "various",
    "va",
    "n a",
    "undefined",
    "null",
];

/// What an artist's own channel adds to the name.
const CHANNEL_ENDINGS: &[&str] = &[
    "- Topic",
    "VEVO",
    "Vevo",
    " Official",
    " Official Channel",
    " OFFICIAL",
];

/// All artists of a song.
#[derive(Debug, Clone, Default)]
pub(super) struct Credit {
    names: Vec<Name>,
    /// Every piece of every name, in order.
    pieces: Vec<Piece>,
    /// All of them as one.
    all: Text,
    /// The pieces that stand together, joined: one for each of [`windows`](Self::windows). Many songs never need them.
    joined: OnceLock<Vec<Text>>,
}

/// One name as the list gives it; it may hold several artists ("A & B") or one ("Earth, Wind & Fire").
#[derive(Debug, Clone)]
struct Name {
    pieces: Range<usize>,
    written: String,
    text: Text,
    /// The pieces joined, once they were needed.
    joined: OnceLock<Text>,
}

#[derive(Debug, Clone)]
struct Piece {
    /// The name, then the same in other scripts: "IU (아이유)".
    aliases: Vec<Text>,
    written: Vec<String>,
    guest: bool,
}

/// How the artists of two songs compare.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Artists {
    /// One side names nobody.
    Unknown,
    Different,
    /// Nothing agrees, but the names are in two scripts and cannot be compared.
    OtherScript,
    /// One is a part of the other, of two words at least: "Lisa Loeb" / "Lisa Loeb & Nine Stories".
    PartOfName,
    /// One is the first or last word of the other: "Khaled" / "Cheb Khaled".
    WordOfName,
    /// The candidate lacks some that are wanted; `first` tells whether the first is there.
    Some {
        first: bool,
    },
    /// All are there; the worth tells how surely.
    All(f64),
}

impl Credit {
    pub(super) fn new<'a>(artists: impl IntoIterator<Item = &'a str>, guests: &[String]) -> Self {
        let mut credit = Self::default();
        for artist in artists {
            credit.add(artist, false);
        }
        for guest in guests {
            credit.add(guest, true);
        }
        credit.all = join(&credit.pieces);
        credit
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.iter().all(|piece| piece.guest)
    }

    /// The first name as written, whole; then its first piece in every script.
    pub(super) fn written(&self) -> Option<(&str, &[String])> {
        let name = self.names.first()?;
        let piece = self.pieces.get(name.pieces.start)?;
        Some((&name.written, &piece.written))
    }

    /// Whether a word stands in any name: "Karaoke All Stars".
    pub(super) fn has_word(&self, words: &[&str]) -> bool {
        let texts = self.pieces.iter().flat_map(|piece| &piece.aliases);
        texts
            .flat_map(Text::bare_words)
            .any(|word| words.contains(&word.as_str()))
    }

    /// The names in an order and form that do not depend on how the credit was written.
    pub(super) fn key(&self) -> String {
        let mut names: Vec<String> = self
            .pieces
            .iter()
            .map(|piece| piece.aliases[0].words().join(" "))
            .collect();
        names.sort_unstable();
        names.dedup();
        names.join("\u{1f}")
    }

    pub(super) fn compare(&self, candidate: &Self) -> Artists {
        if self.is_empty() || candidate.is_empty() {
            return Artists::Unknown;
        }
        if let ([own], [other]) = (self.names.as_slice(), candidate.names.as_slice()) {
            // "Guns and Roses" / "Guns N' Roses": whole, before "and" parts it.
            let whole = own.text.alike(&other.text);
            if whole >= SAME_NAME_AT {
                return Artists::All(whole);
            }
        }
        if self.all.alike(&candidate.all) >= 1.0 || self.all.same_words(&candidate.all) {
            return Artists::All(1.0);
        }
        let mut found = vec![0.0_f64; self.pieces.len()];
        let (mut strangers, mut stranger_first) = (0, false);
        for (at, name) in candidate.names.iter().enumerate() {
            let Some((window, worth)) = self.find(name, &candidate.pieces[name.pieces.clone()]) else {
                strangers += 1;
                stranger_first |= at == 0;
                continue;
            };
            found[window]
                .iter_mut()
                .for_each(|piece| *piece = piece.max(worth));
        }
        match self.judge(&found, strangers, stranger_first) {
            Artists::Different if self.any_two(candidate, is_part_of_name) => Artists::PartOfName,
            Artists::Different if self.any_two(candidate, is_word) => Artists::WordOfName,
            Artists::Different if self.scripts_differ(candidate) => Artists::OtherScript,
            artists => artists,
        }
    }

    /// Whether every word is of a name in the credit: "(with SZA)", "(Ed Sheeran & Beyoncé)".
    pub(super) fn names_all(&self, text: &Text) -> bool {
        let words = text.bare_words().iter().map(String::as_str);
        let mut names = words
            .filter(|word| !["with", "and", "x"].contains(word))
            .peekable();
        names.peek().is_some() && names.all(|word| self.has_word(&[word]))
    }

    /// Whether a guest is named neither in the candidate's credit nor in its title. One in another script may be there.
    pub(super) fn lacks_guest(&self, candidate: &Self, title: &Text) -> bool {
        let guests = self.pieces.iter().filter(|piece| piece.guest);
        let mut guests = guests.filter_map(|guest| guest.aliases.first());
        guests.any(|guest| {
            let may_be = |piece: &Piece| {
                let elsewise = piece.aliases.iter().all(|name| name.script() != guest.script());
                let alike = |name: &Text| {
                    name_alike(name, guest) >= SAME_NAME_AT || is_part(guest, name) || is_word(name, guest)
                };
                elsewise || piece.aliases.iter().any(alike)
            };
            !candidate.pieces.iter().any(may_be) && !candidate.names_all(guest) && !is_part(guest, title)
        })
    }

    /// All names without the spaces between their words.
    pub(super) fn run_together(&self) -> String {
        self.all.bare_words().concat()
    }

    /// Whether a name of one and a name of the other are to each other as `related` says, either way round.
    fn any_two(&self, candidate: &Self, related: fn(&Text, &Text) -> bool) -> bool {
        let either = |a: &Text| candidate.texts().any(|b| related(a, b) || related(b, a));
        self.texts().any(either)
    }

    /// Every name, whole and in pieces.
    fn texts(&self) -> impl Iterator<Item = &Text> {
        let names = self.names.iter().map(|name| &name.text);
        names.chain(self.pieces.iter().filter_map(|piece| piece.aliases.first()))
    }

    fn scripts_differ(&self, candidate: &Self) -> bool {
        let all = |credit: &Self, script| {
            let mut names = credit.pieces.iter().flat_map(|piece| &piece.aliases);
            names.all(|name| name.script() == script)
        };
        (all(self, Script::Latin) && all(candidate, Script::Other))
            || (all(self, Script::Other) && all(candidate, Script::Latin))
    }

    fn judge(&self, found: &[f64], strangers: usize, stranger_first: bool) -> Artists {
        let main = || {
            found
                .iter()
                .zip(&self.pieces)
                .filter(|(_, piece)| !piece.guest)
                .map(|(worth, _)| *worth)
        };
        let lacks_guest = found
            .iter()
            .zip(&self.pieces)
            .any(|(worth, piece)| piece.guest && *worth == 0.0);
        if main().all(|worth| worth == 0.0) {
            return Artists::Different;
        }
        if main().any(|worth| worth == 0.0) {
            return Artists::Some {
                first: main().next().is_some_and(|worth| worth > 0.0),
            };
        }
        let surely = main().fold(1.0, f64::min);
        // A guest may be named in the title only, or nowhere; a stranger in front may be whose remix it is.
        let guest = if lacks_guest { 0.95 } else { 1.0 };
        let stranger = match (strangers, stranger_first) {
            (0, _) => 1.0,
            (_, false) => 0.97,
            (_, true) => 0.88,
        };
        Artists::All(surely * guest * stranger)
    }

    /// Where all pieces of a name stand together in this credit: "Fire" is not in "Earth, Wind & Fire", unless
    /// the credit lists them apart.
    fn find(&self, name: &Name, pieces: &[Piece]) -> Option<(Range<usize>, f64)> {
        let scored = self.windows().enumerate().map(|(at, window)| {
            let worth = if let ([wanted], [piece]) = (&self.pieces[window.clone()], pieces) {
                wanted.alike(piece)
            } else {
                let joined = self
                    .joined
                    .get_or_init(|| self.windows().map(|window| join(&self.pieces[window])).collect());
                name_alike(&joined[at], name.joined.get_or_init(|| join(pieces)))
            };
            (window, worth)
        });
        scored
            .filter(|(_, worth)| *worth >= SAME_NAME_AT)
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    /// Pieces that stand together, the shortest windows first.
    fn windows(&self) -> impl Iterator<Item = Range<usize>> {
        let all = self.pieces.len();
        (1..=JOINED_PIECES_MAX.min(all)).flat_map(move |len| (0..=all - len).map(move |at| at..at + len))
    }

    /// Adds what one string credits; "feat." always parts artists, commas and "&" may be part of a name.
    fn add(&mut self, credit: &str, mut guest: bool) {
        let credit = credit.trim();
        let credit = CHANNEL_ENDINGS
            .iter()
            .find_map(|ending| credit.strip_suffix(ending))
            .filter(|credit| !credit.trim().is_empty())
            .unwrap_or(credit);
        for name in credit.split([';', '|', '；', '｜']) {
            let mut words: Vec<&str> = Vec::new();
            let name = part_featuring(name);
            for word in name.split_whitespace() {
                if is_featuring(word) {
                    self.add_name(&words.join(" "), guest);
                    words.clear();
                    guest = true;
                } else {
                    words.push(word);
                }
            }
            self.add_name(&words.join(" "), guest);
        }
    }

    fn add_name(&mut self, name: &str, guest: bool) {
        let whole = Text::new(name);
        if whole.is_empty() || NOBODY.contains(&whole.words().join(" ").as_str()) {
            return;
        }
        let start = self.pieces.len();
        // "TOMORROW X TOGETHER" is known to be one.
        let known = aliases::others(&whole).next().is_some();
        let parts = if known || is_one_in_two_scripts(name) {
            vec![name.to_owned()]
        } else {
            split_name(name)
        };
        for piece in parts {
            let piece = Piece::new(&piece, guest);
            let known = piece.aliases.first().is_none_or(Text::is_empty);
            if !known && self.pieces.len() < PIECES_MAX {
                self.pieces.push(piece);
            }
        }
        if start == self.pieces.len() && start < PIECES_MAX {
            self.pieces.push(Piece {
                aliases: vec![whole.clone()],
                written: vec![name.to_owned()],
                guest,
            });
        }
        if start < self.pieces.len() {
            self.names.push(Name {
                pieces: start..self.pieces.len(),
                written: name.to_owned(),
                text: whole,
                joined: OnceLock::new(),
            });
        }
    }
}

/// Another name of the artist in the wanted script, to search by.
pub(super) fn other_name(artist: &str, script: Script) -> Option<&'static str> {
    aliases::others(&Text::new(artist)).find(|name| Text::new(name).script() == script)
}

impl Piece {
    /// A bracket in another script is the same name again; in the same script it belongs to it ("(G)I-DLE").
    fn new(name: &str, guest: bool) -> Self {
        if is_one_in_two_scripts(name)
            && let Some((a, b)) = two_scripts(name)
        {
            let known = [a, b].map(Text::new);
            let also = known.iter().flat_map(aliases::others).map(Text::new);
            return Self {
                written: vec![a.to_owned(), b.to_owned()],
                aliases: known.iter().cloned().chain(also).collect(),
                guest,
            };
        }
        let own = Text::new(name);
        let written = two_scripts(name).map_or_else(|| vec![name.trim()], |(a, b)| vec![a, b]);
        // "Lisa (BLACKPINK)": whom the bracket tells apart from others of the name.
        let alone = in_brackets(name)
            .map(|(outer, _)| Text::new(outer))
            .filter(|outer| !outer.is_empty());
        let also: Vec<Text> = aliases::others(&own).map(Text::new).chain(alone).collect();
        Self {
            written: written.into_iter().map(str::to_owned).collect(),
            aliases: std::iter::once(own).chain(also).collect(),
            guest,
        }
    }

    fn alike(&self, other: &Self) -> f64 {
        let pairs = self
            .aliases
            .iter()
            .flat_map(|a| other.aliases.iter().map(move |b| name_alike(a, b)));
        pairs.fold(0.0, f64::max)
    }
}

/// Two known artists are two, and a name that is known as a whole is one.
fn is_one_in_two_scripts(name: &str) -> bool {
    let names = |name: &str| aliases::others(&Text::new(name)).collect::<Vec<_>>();
    two_scripts(name).is_some_and(|(a, b)| {
        let (first, second) = (names(a), names(b));
        let related = first
            .iter()
            .any(|name| Text::new(name).alike(&Text::new(b)) >= 1.0);
        names(name).is_empty() && (first.is_empty() || second.is_empty() || related)
    })
}

fn join(pieces: &[Piece]) -> Text {
    let words: Vec<String> = pieces
        .iter()
        .filter_map(|piece| Some(piece.aliases.first()?.words().join(" ")))
        .collect();
    Text::new(&words.join(" "))
}
