//! How alike two songs are: evidence for, evidence against, and which of it decides.

use super::artists::{Artists, Credit};
use super::normal::{Script, Text};
use super::readings::{Reading, Readings, likeliest, readings};
use super::spelling::SAME_NAME_AT;
use super::titles::Title;
use super::versions::{Marks, Version};
use super::{ACCEPT_AT, Likeness, Reason, Song};

/// Whatever contradicts keeps the score this far below [`ACCEPT_AT`].
const CONTRADICTED_MAX: f64 = ACCEPT_AT - 0.1;
/// Two masterings of a recording differ by less than this.
const LENGTH_STRONG_MS: u64 = 2_000;
/// Fades and silence at the ends explain this much.
const LENGTH_WEAK_MS: u64 = 10_000;
/// More than this is another recording, whatever its name.
const LENGTH_MAX_MS: u64 = 15_000;
/// What a video shows beside the song takes no longer.
const VIDEO_LONGER_MAX_MS: u64 = 60_000;
/// Agreement on the length or the album closes this share of what the names leave open.
const CLOSED_BY_STRONG_LENGTH: f64 = 0.4;
const CLOSED_BY_WEAK_LENGTH: f64 = 0.15;
const CLOSED_BY_ALBUM: f64 = 0.2;
/// So that of two candidates the one nearer in length wins.
const WORTH_WEAK_LENGTH: f64 = 0.99;
/// What a doubtful length leaves of the score: enough only if everything else agrees.
const WORTH_DOUBTFUL_LENGTH: f64 = 0.8;
/// Artists missing: not enough alone, enough together with a strong length.
const WORTH_SOME_ARTISTS: f64 = 0.6;
const WORTH_LATER_ARTIST: f64 = 0.55;
/// An aside that is no known version word: the length or the album must agree.
const WORTH_UNSHARED_ENDING: f64 = 0.68;
const WORTH_NO_ARTIST: f64 = 0.6;
const WORTH_OTHER_ARTIST: f64 = 0.3;
const WORTH_OTHER_VERSION: f64 = 0.4;
/// So that of a song and its remaster the one wins that the list names.
const WORTH_WRITTEN_OTHERWISE: f64 = 0.998;
/// "Silence" against "Silence - Electric Version": perhaps only a label; a strong length must agree.
const WORTH_SPECIAL_VERSION: f64 = 0.55;
/// A guest is wanted whom the candidate names nowhere: the length or the album must agree.
const WORTH_NO_GUEST: f64 = 0.66;
/// Part of a band's name ("Bob Marley" / "Bob Marley & The Wailers"): enough if the rest agrees.
const WORTH_PART_OF_NAME: f64 = 0.72;
/// One word of it, or names in two scripts: a strong length must agree...
const WORTH_OTHER_SCRIPT: f64 = 0.6;
/// ...and the album too, where the title is one that many songs have.
const WORTH_OTHER_SCRIPT_COMMON_TITLE: f64 = 0.45;
/// A radio edit is the same recording, cut.
const WORTH_EDIT: f64 = 0.93;
/// "Remix" against "Tiësto Remix": perhaps the same.
const WORTH_UNNAMED_VERSION: f64 = 0.9;
/// An ISRC names one recording (ISO 3901); what is left is for lists that carry a wrong one.
const SAME_ISRC_MIN: f64 = 0.95;

/// A wanted song taken apart once, to be compared with many.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Every way to read its line, at least one.
    ways: Vec<Parts>,
}

impl Wanted {
    /// Takes a song apart. Costs some microseconds, and memory in proportion to the names.
    #[must_use]
    pub fn new(song: &Song<'_>) -> Self {
        let Readings { ways, is_video } = readings(song);
        let ways = ways
            .into_iter()
            .map(|reading| Parts::new(song, reading, is_video));
        Self { ways: ways.collect() }
    }

    /// How alike the candidate is. To compare one with many songs, keep an [`Offered`].
    #[must_use]
    pub fn likeness(&self, candidate: &Song<'_>) -> Likeness {
        self.likeness_to(&Offered::new(candidate))
    }

    /// How alike the candidate is; the same as [`likeness`](Self::likeness) says of its song.
    #[must_use]
    pub fn likeness_to(&self, candidate: &Offered) -> Likeness {
        let likenesses = self.ways.iter().map(|way| way.compare(&candidate.0));
        let best = likenesses.reduce(|best, other| if other.score > best.score { other } else { best });
        best.unwrap_or(Likeness {
            score: 0.0,
            reason: Reason::AnotherTitle,
            beside: [Reason::Same; 4],
        })
    }
}

/// A candidate taken apart once, to be compared with many wanted songs.
#[derive(Debug, Clone)]
pub struct Offered(Parts);

impl Offered {
    /// Takes a song apart, as its line most likely means it. Costs as much as [`Wanted::new`].
    #[must_use]
    pub fn new(song: &Song<'_>) -> Self {
        Self(Parts::new(song, likeliest(song), false))
    }
}

/// A song as one [`Reading`] has it.
#[derive(Debug, Clone)]
struct Parts {
    title: Title,
    artists: Credit,
    album: Option<Text>,
    isrc: Option<String>,
    duration_ms: Option<u64>,
    is_video: bool,
    marks: Marks,
    /// What the reading is worth.
    worth: f64,
}

impl Parts {
    fn new(song: &Song<'_>, reading: Reading<'_>, is_video: bool) -> Self {
        let title = Title::new(reading.title);
        let as_given = reading.credit == song.artists;
        let artists = Credit::new(reading.credit, &title.featured);
        let album = song.album.map(Title::new);
        let mut marks = title.marks.clone();
        let named = |words: &[&str]| {
            let given = || Credit::new(song.artists.iter().copied(), &[]);
            artists.has_word(words) || (!as_given && given().has_word(words))
        };
        if named(&["karaoke", "カラオケ", "노래방"]) {
            marks.versions.insert(Version::Karaoke);
        } else if named(&["tribute"]) {
            marks.versions.insert(Version::Cover);
        }
        if let Some(album) = song.album {
            marks.versions.extend(album_versions(album));
        }
        Self {
            artists,
            album: album.map(|album| album.full).filter(|album| !album.is_empty()),
            isrc: song.isrc.and_then(super::isrc),
            // Last.fm and others write 0 for "not known".
            duration_ms: song.duration_ms.filter(|&ms| ms > 0),
            is_video,
            title,
            marks,
            worth: reading.worth,
        }
    }

    fn compare(&self, candidate: &Self) -> Likeness {
        let length = self.length(candidate);
        let findings = [
            self.name(candidate),
            version(&self.marks, &candidate.marks),
            self.credit(candidate),
            Finding::for_it(self.worth, Reason::ArtistOnlyInTitle),
            length,
        ];
        let same_isrc = self.isrc.is_some() && self.isrc == candidate.isrc;
        if same_isrc && self.isrc_is_believed(candidate, &findings) {
            let score = product(&findings);
            return if score > SAME_ISRC_MIN {
                said(score, &findings)
            } else {
                Likeness {
                    score: SAME_ISRC_MIN,
                    reason: Reason::SameIsrc,
                    beside: [Reason::Same; 4],
                }
            };
        }
        let mut score = product(&findings);
        if findings.iter().any(|finding| finding.against) {
            return said(score.min(CONTRADICTED_MAX), &findings);
        }
        let same_album = self.same_album(candidate);
        for share in [length.closes, if same_album { CLOSED_BY_ALBUM } else { 0.0 }] {
            score += (1.0 - score) * share;
        }
        if !self.title.is_written_like(&candidate.title) {
            score *= WORTH_WRITTEN_OTHERWISE;
        }
        // A title alone is not a song: thousands are called "Hello".
        let nameless = findings.iter().any(|finding| finding.reason == Reason::NoArtist);
        if nameless && !(same_album && length.closes >= CLOSED_BY_STRONG_LENGTH) {
            score = score.min(CONTRADICTED_MAX);
        }
        said(score.clamp(0.0, 1.0), &findings)
    }

    fn name(&self, candidate: &Self) -> Finding {
        let worth = self.title.alike(&candidate.title);
        if worth < SAME_NAME_AT {
            Finding::against(worth, Reason::AnotherTitle)
        } else if self.is_doubtful_ending(candidate) {
            Finding::for_it(WORTH_UNSHARED_ENDING, Reason::TitleDiffersSlightly)
        } else {
            Finding::for_it(worth, Reason::TitleDiffersSlightly)
        }
    }

    /// An aside that names artists is about them: nothing, if both credit them, another recording if only one does.
    fn is_doubtful_ending(&self, candidate: &Self) -> bool {
        let Some((ending, is_subtitle)) = self.title.unshared_ending(&candidate.title) else {
            return false;
        };
        match (
            self.artists.names_all(ending),
            candidate.artists.names_all(ending),
        ) {
            (true, true) => false,
            (false, false) => !is_subtitle,
            _ => true,
        }
    }

    fn credit(&self, candidate: &Self) -> Finding {
        match self.artists.compare(&candidate.artists) {
            Artists::Unknown => Finding::for_it(WORTH_NO_ARTIST, Reason::NoArtist),
            Artists::Different => Finding::against(WORTH_OTHER_ARTIST, Reason::DifferentArtist),
            Artists::Some { first: true } => Finding::for_it(WORTH_SOME_ARTISTS, Reason::SomeArtistsMissing),
            Artists::Some { first: false } => Finding::for_it(WORTH_LATER_ARTIST, Reason::SomeArtistsMissing),
            Artists::PartOfName => Finding::for_it(WORTH_PART_OF_NAME, Reason::ArtistsDifferSlightly),
            Artists::OtherScript | Artists::WordOfName if self.title.full.is_telling() => {
                Finding::for_it(WORTH_OTHER_SCRIPT, Reason::DifferentArtist)
            }
            Artists::OtherScript | Artists::WordOfName => {
                Finding::for_it(WORTH_OTHER_SCRIPT_COMMON_TITLE, Reason::DifferentArtist)
            }
            Artists::All(_)
                if self
                    .artists
                    .lacks_guest(&candidate.artists, &candidate.title.full) =>
            {
                Finding::for_it(WORTH_NO_GUEST, Reason::SomeArtistsMissing)
            }
            Artists::All(worth) => Finding::for_it(worth, Reason::ArtistsDifferSlightly),
        }
    }

    fn length(&self, candidate: &Self) -> Finding {
        let Some((wanted_ms, candidate_ms)) = self.duration_ms.zip(candidate.duration_ms) else {
            return Finding::for_it(1.0, Reason::Same);
        };
        let apart_ms = wanted_ms.abs_diff(candidate_ms);
        let reason = Reason::Length {
            apart_s: apart_ms / 1_000,
            longer: candidate_ms > wanted_ms,
        };
        if apart_ms <= LENGTH_STRONG_MS {
            Finding::for_it(1.0, Reason::Same).closing(CLOSED_BY_STRONG_LENGTH)
        } else if apart_ms <= LENGTH_WEAK_MS {
            Finding::for_it(WORTH_WEAK_LENGTH, reason).closing(CLOSED_BY_WEAK_LENGTH)
        } else if apart_ms <= LENGTH_MAX_MS || self.video_explains(apart_ms, candidate_ms) {
            Finding::for_it(WORTH_DOUBTFUL_LENGTH, reason)
        } else {
            Finding::against(WORTH_OTHER_VERSION, reason)
        }
    }

    /// A video may begin before the song does, and end after it.
    fn video_explains(&self, apart_ms: u64, candidate_ms: u64) -> bool {
        let longer = self.duration_ms.is_some_and(|wanted_ms| wanted_ms > candidate_ms);
        self.is_video && longer && apart_ms <= VIDEO_LONGER_MAX_MS
    }

    fn same_album(&self, candidate: &Self) -> bool {
        let both = self.album.as_ref().zip(candidate.album.as_ref());
        both.is_some_and(|(a, b)| a.alike(b) >= SAME_NAME_AT)
    }

    /// One contradiction may be the names' fault; two say that the list carries a wrong ISRC. A title in another
    /// script contradicts nothing.
    fn isrc_is_believed(&self, candidate: &Self, findings: &[Finding]) -> bool {
        let (a, b) = (self.title.full.script(), candidate.title.full.script());
        let comparable = a == b || a == Script::Neither || b == Script::Neither;
        let against = findings.iter().filter(|finding| finding.against);
        against
            .filter(|finding| comparable || finding.reason != Reason::AnotherTitle)
            .count()
            < 2
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Finding {
    worth: f64,
    /// What is said when this finding weighs most.
    reason: Reason,
    /// Says by itself that it is not the song.
    against: bool,
    /// The share of doubt it removes.
    closes: f64,
}

impl Finding {
    fn for_it(worth: f64, reason: Reason) -> Self {
        let reason = if worth >= 1.0 { Reason::Same } else { reason };
        Self {
            worth,
            reason,
            against: false,
            closes: 0.0,
        }
    }

    fn against(worth: f64, reason: Reason) -> Self {
        Self {
            worth,
            reason,
            against: true,
            closes: 0.0,
        }
    }

    fn closing(self, closes: f64) -> Self {
        Self { closes, ..self }
    }
}

fn product(findings: &[Finding]) -> f64 {
    findings.iter().map(|finding| finding.worth).product()
}

/// A score and what speaks against it: whatever contradicts comes first, in the order of the findings; of the rest what
/// costs most.
fn said(score: f64, findings: &[Finding; 5]) -> Likeness {
    let mut findings = *findings;
    let weight = |finding: &Finding| if finding.against { 0.0 } else { finding.worth };
    findings.sort_by(|a, b| weight(a).total_cmp(&weight(b)));
    let [decisive, beside @ ..] = findings.map(|finding| finding.reason);
    Likeness {
        score,
        reason: decisive,
        beside,
    }
}

fn version(wanted: &Marks, candidate: &Marks) -> Finding {
    let sung_along =
        wanted.versions.contains(&Version::Karaoke) && candidate.versions.contains(&Version::Karaoke);
    if sung_along {
        // Every karaoke track is a cover without a voice, said or not.
        let (mut wanted, mut candidate) = (wanted.clone(), candidate.clone());
        for marks in [&mut wanted, &mut candidate] {
            marks
                .versions
                .retain(|version| !matches!(version, Version::Cover | Version::Instrumental));
        }
        return version_of(&wanted, &candidate);
    }
    version_of(wanted, candidate)
}

fn version_of(wanted: &Marks, candidate: &Marks) -> Finding {
    if wanted.versions.is_empty() && candidate.versions.iter().eq([&Version::Other]) {
        return Finding::for_it(WORTH_SPECIAL_VERSION, Reason::Version(Version::Other));
    }
    if let Some(&version) = candidate.versions.difference(&wanted.versions).next() {
        return Finding::against(WORTH_OTHER_VERSION, Reason::Version(version));
    }
    if let Some(&version) = wanted.versions.difference(&candidate.versions).next() {
        return Finding::against(WORTH_OTHER_VERSION, Reason::NotTheVersion(version));
    }
    if wanted.detail != candidate.detail
        && let Some(&version) = wanted.versions.first()
    {
        let unnamed =
            wanted.detail.is_subset(&candidate.detail) || candidate.detail.is_subset(&wanted.detail);
        return if unnamed && version != Version::Other {
            Finding::for_it(WORTH_UNNAMED_VERSION, Reason::AnotherOf(version))
        } else {
            Finding::against(WORTH_OTHER_VERSION, Reason::AnotherOf(version))
        };
    }
    let same_cut = wanted.edit == candidate.edit;
    Finding::for_it(if same_cut { 1.0 } else { WORTH_EDIT }, Reason::Edit)
}

/// What an album's name says about every song on it: "Karaoke Hits", "Live at Wembley" ("Live Through This" says
/// nothing).
fn album_versions(album: &str) -> Vec<Version> {
    let mut versions: Vec<Version> = Title::new(album).marks.versions.into_iter().collect();
    let text = Text::new(album);
    let words: Vec<&str> = text.bare_words().iter().map(String::as_str).collect();
    if words
        .windows(2)
        .any(|pair| matches!(pair, ["live", "at" | "from"] | ["mtv", "unplugged"]))
    {
        versions.push(Version::Live);
    }
    if words.contains(&"karaoke") {
        versions.push(Version::Karaoke);
    }
    if words.windows(2).any(|pair| pair == ["tribute", "to"]) {
        versions.push(Version::Cover);
    }
    // An album of remixes or demos holds plain songs too; only these say it of every song.
    versions.retain(|version| {
        matches!(
            version,
            Version::Live | Version::Karaoke | Version::Cover | Version::Instrumental
        )
    });
    versions
}
