//! Version words: what "(Live at Wembley)" or "- 2011 Remaster" says about a recording.

mod cues;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::LazyLock;

use self::cues::{CUES, FOLLOWS, Means, OR, Place, STOP_WORDS, VIDEO_FILLERS, VIDEO_WORDS};
use super::normal::{Text, is_dense};
use Means::{Edit, EditBy, Filler, Is, MixBy, Nothing, Part};
use Place::Anywhere;
use Version::{Cover, Karaoke, Remix};

/// What sets a recording apart from the one the bare title means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Played by others, "originally performed by".
    Cover,
    /// For singing along.
    Karaoke,
    /// Without the voice.
    Instrumental,
    /// Only the voice.
    ACappella,
    /// Before an audience.
    Live,
    /// Mixed anew by somebody.
    Remix,
    /// Without electricity.
    Acoustic,
    /// "Sped up", "nightcore".
    SpedUp,
    /// "Slowed", "slowed + reverb".
    Slowed,
    /// A first try.
    Demo,
    /// "Taylor's Version", "re-recorded".
    Rerecorded,
    /// Longer on purpose.
    Extended,
    /// Shorter on purpose: "TV size".
    Short,
    /// Sung in the named language, as an English adjective.
    Language(&'static str),
    /// Some other "… version".
    Other,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cover => "cover",
            Self::Karaoke => "karaoke version",
            Self::Instrumental => "instrumental",
            Self::ACappella => "a cappella version",
            Self::Live => "live version",
            Self::Remix => "remix",
            Self::Acoustic => "acoustic version",
            Self::SpedUp => "sped-up version",
            Self::Slowed => "slowed version",
            Self::Demo => "demo",
            Self::Rerecorded => "new recording",
            Self::Extended => "extended version",
            Self::Short => "short version",
            Self::Language(name) => return write!(f, "{name} version"),
            Self::Other => "special version",
        })
    }
}

/// Everything a title says about its version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) versions: BTreeSet<Version>,
    /// Whose remix, which concert: the words beside the version words.
    pub(super) detail: BTreeSet<String>,
    /// A radio or single edit: nearly the same recording.
    pub(super) edit: bool,
}

impl Marks {
    pub(super) fn add(&mut self, other: Self) {
        self.versions.extend(other.versions);
        self.detail.extend(other.detail);
        self.edit |= other.edit;
    }
}

/// Reads a bracket or the part after a dash; `None` if no version word is in it.
pub(super) fn read_aside(text: &Text) -> Option<Marks> {
    let reading = Reading::of(text.bare_words(), false);
    reading.found.then(|| reading.marks())
}

/// Whether a text is about the recording, and not a name that has such a word in it ("Valerie (Official Video) feat. B").
pub(super) fn is_aside(text: &Text) -> bool {
    let reading = Reading::of(text.bare_words(), false);
    let says_something = |(means, _): &(Means, String)| *means != Nothing;
    reading.found && (reading.beside.is_empty() || reading.means.iter().any(says_something))
}

/// Whether a text is about a video and nothing else: "Official 4K Video", "M/V", "가사/Lyrics".
pub(super) fn is_about_video(text: &Text) -> bool {
    let words = text.bare_words();
    let mut says = words
        .windows(2)
        .any(|pair| pair == ["m", "v"] || pair == ["full", "song"]);
    words.iter().all(|word| {
        let video = listed(VIDEO_WORDS, word);
        says |= video;
        video || listed(VIDEO_FILLERS, word)
    }) && says
}

/// Whether a text that ends with this word, in lower case, may be about a video.
pub(super) fn may_end_video(word: &str) -> bool {
    // Accents are not dropped here; no word of either list is written with one but these.
    ["vidéo", "vídeo"].contains(&word) || listed(VIDEO_WORDS, word) || listed(VIDEO_FILLERS, word)
}

/// How many words at the end of a title without brackets are version words, and what they say.
pub(super) fn read_tail(text: &Text) -> Option<(usize, Marks)> {
    const WORDS_MAX: usize = 4;
    let words = text.bare_words();
    let from = words.len().saturating_sub(WORDS_MAX).max(1);
    (from..words.len()).find_map(|at| {
        let tail = &words[at..];
        let reading = Reading::of(tail, true);
        let labelled = tail.len() > 1
            && tail
                .last()
                .is_some_and(|word| ["version", "ver"].contains(&word.as_str()));
        let certain = reading.anywhere || (labelled && reading.names_a_version());
        (certain && reading.beside.is_empty()).then(|| (words.len() - at, reading.marks()))
    })
}

/// Where a phrase that names the original artist starts: "Hello originally performed by Adele".
pub(super) fn find_credit(text: &Text) -> Option<(usize, Marks)> {
    let words = text.bare_words();
    (1..words.len()).find_map(|at| {
        let (means, _, len) = cue_at(words, at)?;
        let credits = matches!(means, Is(Cover | Karaoke)) && len > 1 && words.len() > at + len;
        credits.then(|| {
            let mut reading = Reading::default();
            reading.means.push((means, String::new()));
            (at, reading.marks())
        })
    })
}

#[derive(Default)]
struct Reading {
    found: bool,
    anywhere: bool,
    means: Vec<(Means, String)>,
    beside: Vec<String>,
}

impl Reading {
    /// `tail`: the words stand at the end of a title, where every one must be a version word.
    fn of(words: &[String], tail: bool) -> Self {
        let mut reading = Self::default();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            if let Some((means, place, len)) = cue_at(words, at) {
                reading.found = true;
                reading.anywhere |= place == Anywhere;
                reading.means.push((means, word.clone()));
                at += len;
            } else {
                let number = word.chars().all(|c| c.is_ascii_digit());
                // "Remastered 2011" ends a title without brackets; "1999 Remix" may be a song called "1999".
                let silent = if tail {
                    number && reading.found
                } else {
                    number || listed(STOP_WORDS, word)
                };
                if !silent {
                    reading.beside.push(word.clone());
                }
                at += 1;
            }
        }
        reading
    }

    fn names_a_version(&self) -> bool {
        self.means
            .iter()
            .any(|(means, _)| !matches!(means, Filler | EditBy | MixBy))
    }

    fn marks(self) -> Marks {
        let mut marks = Marks::default();
        let named = !self.beside.is_empty();
        for (means, word) in &self.means {
            match means {
                Is(version) => _ = marks.versions.insert(*version),
                Edit => marks.edit = true,
                EditBy if !named => marks.edit = true,
                EditBy | MixBy if named => _ = marks.versions.insert(Remix),
                Part => {
                    marks.versions.insert(Version::Other);
                    marks.detail.insert(word.clone());
                }
                EditBy | MixBy | Filler | Nothing => {}
            }
        }
        let is_filler = |(means, _): &(Means, String)| *means == Filler;
        let only_filler = self.means.iter().any(is_filler)
            && self.means.iter().all(|cue| is_filler(cue) || cue.0 == Nothing);
        if only_filler && named {
            marks.versions.insert(Version::Other);
        }
        if !marks.versions.is_empty() {
            marks.detail.extend(self.beside);
        }
        marks
    }
}

/// The longest phrase that starts at this word and may stand there, and its length in words.
fn cue_at(words: &[String], at: usize) -> Option<(Means, Place, usize)> {
    if is_dense(&words[at])
        && let Some((means, place)) = dense_cue(&words[at])
    {
        return Some((means, place, 1));
    }
    let starting = BY_FIRST_WORD
        .get(words[at].as_str())
        .map_or(&[][..], Vec::as_slice);
    let fitting = starting.iter().filter_map(|&(means, place, phrase)| {
        let mut len = 0;
        for cue in phrase.split(' ') {
            if words.get(at + len)? != cue {
                return None;
            }
            len += 1;
        }
        let edge = words
            .get(at + len)
            .is_none_or(|next| listed(FOLLOWS, next) || next.starts_with(|c: char| c.is_ascii_digit()));
        (place != Place::AsideEdge || edge).then_some((means, place, len))
    });
    fitting.max_by_key(|&(_, _, len)| len)
}

/// Scripts without spaces run the words together ("日本語バージョン"): such a word counts only if cues make up the
/// whole of it, for "ドライブ" (drive) ends like "ライブ" (live). The first that is no filler gives the meaning.
fn dense_cue(word: &str) -> Option<(Means, Place)> {
    let mut rest = word;
    let mut meaning = None;
    while !rest.is_empty() {
        let starting = phrases().filter(|(_, _, cue)| rest.starts_with(cue));
        let (means, place, cue) = starting.max_by_key(|(_, _, cue)| cue.len())?;
        if meaning.is_none_or(|(known, _)| known == Means::Filler) {
            meaning = Some((means, place));
        }
        rest = &rest[cue.len()..];
    }
    meaning
}

type Phrase = (Means, Place, &'static str);

/// Every word of every title is looked up: by its first word, not through the whole table.
static BY_FIRST_WORD: LazyLock<HashMap<&'static str, Vec<Phrase>>> = LazyLock::new(|| {
    let mut index: HashMap<_, Vec<Phrase>> = HashMap::new();
    for (means, place, phrase) in phrases() {
        let first = phrase.split(' ').next().unwrap_or(phrase);
        index.entry(first).or_default().push((means, place, phrase));
    }
    index
});

fn phrases() -> impl Iterator<Item = Phrase> {
    CUES.iter()
        .flat_map(|&(means, place, phrases)| phrases.split(OR).map(move |phrase| (means, place, phrase)))
}

fn listed(words: &str, word: &str) -> bool {
    words.split(' ').any(|listed| listed == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Version::{Acoustic, Demo, Instrumental, Language, Live, Rerecorded, Slowed, SpedUp};

    fn read(aside: &str) -> Option<Vec<Version>> {
        read_aside(&Text::new(aside)).map(|marks| marks.versions.into_iter().collect())
    }

    #[test]
    fn asides_in_several_languages() {
        for (aside, versions) in [
            ("Live at Wembley '86", vec![Live]),
            ("Ao Vivo", vec![Live]),
            ("라이브", vec![Live]),
            ("ライブ版", vec![Live]),
            ("Acoustic Live Version", vec![Live, Acoustic]),
            ("Acústico", vec![Acoustic]),
            ("Karaoke Version", vec![Karaoke]),
            ("Originally Performed by Adele", vec![Cover]),
            ("Instrumental", vec![Instrumental]),
            ("Inst.", vec![Instrumental]),
            ("Japanese ver.", vec![Language("Japanese")]),
            ("日本語バージョン", vec![Language("Japanese")]),
            ("日本語ver.", vec![Language("Japanese")]),
            ("일본어 버전", vec![Language("Japanese")]),
            ("Sped Up", vec![SpedUp]),
            ("slowed + reverb", vec![Slowed]),
            ("Taylor’s Version", vec![Rerecorded]),
            ("Demo", vec![Demo]),
            ("Nightcore", vec![SpedUp]),
            ("Chopped & Screwed", vec![Slowed]),
            ("DJ版", vec![Remix]),
            ("12 Inch", vec![Version::Extended]),
            ("Hindi Version", vec![Language("Hindi")]),
            ("8D Audio", vec![Version::Other]),
            ("钢琴版", vec![Version::Other]),
            ("卡拉OK", vec![Karaoke]),
            ("Clean", vec![]),
            ("Explicit", vec![]),
            ("Tiësto Remix", vec![Remix]),
            ("Todd Terje Edit", vec![Remix]),
            ("10 Minute Version", vec![Version::Other]),
            ("Naked Version / Remastered 2013", vec![Version::Other]),
            ("Recorded at Spotify Studios NYC", vec![Live]),
            ("From THE FIRST TAKE", vec![Live]),
            ("MR", vec![Instrumental]),
            ("Remastered 2011", vec![]),
            ("2019 Mix", vec![]),
            ("Official Video", vec![]),
            ("Radio Edit", vec![]),
        ] {
            assert_eq!(read(aside), Some(versions), "{aside:?}");
        }
    }

    #[test]
    fn words_that_only_look_like_versions() {
        for aside in [
            "Live Your Life",
            "Mr. Blue Sky",
            "Forget About Me",
            "ドライブ",
            "Spanish Guitar",
            "Spring Day",
        ] {
            assert_eq!(read(aside), None, "{aside:?}");
        }
    }

    #[test]
    fn tails_without_brackets() {
        for (title, tail) in [
            ("Ignition Remix", Some(1)),
            ("Hello Karaoke Version", Some(2)),
            ("Gee Japanese Ver", Some(2)),
            ("Long Live", None),
            ("Remix", None),
            ("Acoustic", None),
            ("Video Killed the Radio Star", None),
        ] {
            assert_eq!(
                read_tail(&Text::new(title)).map(|(words, _)| words),
                tail,
                "{title:?}"
            );
        }
    }

    #[test]
    fn details_tell_remixes_apart() {
        let detail = |aside| read_aside(&Text::new(aside)).unwrap_or_default().detail;
        assert_ne!(detail("Tiësto Remix"), detail("Avicii Remix"));
        assert_eq!(detail("Live at the Wembley"), detail("Wembley Live"));
    }
}
