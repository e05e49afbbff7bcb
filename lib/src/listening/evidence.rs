//! Which plays are plays of a song: what counts, and what comes near and does not, with the reason.

use super::{history::Plays, question::Target};
use crate::{
    songs::{Likeness, Offered, Song, Wanted},
    system::Timestamp,
};

/// Spellings shown of what counted; the numbers are of all of them.
const COUNTED_SHOWN_MAX: usize = 20;

/// Songs shown that did not count.
const NEAR_SHOWN_MAX: usize = 5;

/// What is less alike than this is another song, and no news to anybody. The same title by somebody else is above it.
const NEAR_AT: f64 = 0.25;

/// A song that was played, as Last.fm spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What it is called there.
    pub title: String,
    /// Whose it is there.
    pub artist: String,
    /// From which album, where that is known.
    pub album: Option<String>,
    /// How often it was played.
    pub plays: u32,
    /// When first and last; `None` when only the number is known.
    pub played_at: Option<(Timestamp, Timestamp)>,
}

/// A song that was played and does not count, though it comes near.
#[derive(Clone, Debug, PartialEq)]
pub struct NearMiss {
    /// The song.
    pub song: Counted,
    /// How alike it is, from 0 to 1.
    pub score: f64,
    /// What speaks against it.
    pub reason: String,
}

/// What was played of one song.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Evidence {
    pub(super) played: u32,
    pub(super) last_played_at: Option<Timestamp>,
    /// The moments that counted, where they are known, the latest first.
    pub(super) moments: Vec<Timestamp>,
    pub(super) counted: Vec<Counted>,
    pub(super) near: Vec<NearMiss>,
}

/// What was played of each of `targets`. Takes milliseconds for hundreds of songs: not for the threads that answer.
pub(super) fn judge(played: &[Played], targets: &[Target]) -> Vec<Evidence> {
    let offered: Vec<Offered> = played.iter().map(Played::offered).collect();
    targets
        .iter()
        .map(|target| {
            let wanted = Wanted::new(&Song {
                title: &target.title,
                artists: &[&target.artist],
                album: target.album.as_deref(),
                ..Song::default()
            });
            let likenesses = offered.iter().map(|song| wanted.likeness_to(song));
            evidence(played.iter().zip(likenesses))
        })
        .collect()
}

/// What was played, by song.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Played {
    pub(super) song: Counted,
    /// When, where that is known, the earliest first.
    pub(super) moments: Vec<Timestamp>,
}

impl Played {
    /// Taken apart once, to be compared with every song that is asked about.
    fn offered(&self) -> Offered {
        Offered::new(&Song {
            title: &self.song.title,
            artists: &[&self.song.artist],
            album: self.song.album.as_deref(),
            ..Song::default()
        })
    }
}

impl From<Plays> for Played {
    fn from(plays: Plays) -> Self {
        let moments: Vec<Timestamp> = plays.at_s.into_iter().map(Timestamp::from_s).collect();
        Self {
            song: Counted {
                title: plays.song.title,
                artist: plays.song.artist,
                album: plays.song.album,
                plays: u32::try_from(moments.len()).unwrap_or(u32::MAX),
                played_at: moments.first().copied().zip(moments.last().copied()),
            },
            moments,
        }
    }
}

fn evidence<'a>(compared: impl Iterator<Item = (&'a Played, Likeness)>) -> Evidence {
    let mut evidence = Evidence::default();
    for (song, likeness) in compared {
        if likeness.is_accepted() {
            evidence.played = evidence.played.saturating_add(song.song.plays);
            evidence.moments.extend_from_slice(&song.moments);
            evidence.counted.push(song.song.clone());
        } else if likeness.score >= NEAR_AT {
            evidence.near.push(NearMiss {
                song: song.song.clone(),
                score: likeness.score,
                reason: likeness.to_string(),
            });
        }
    }
    evidence.moments.sort_unstable_by(|one, other| other.cmp(one));
    evidence.last_played_at = evidence.moments.first().copied();
    evidence.counted.sort_by_key(|song| std::cmp::Reverse(song.plays));
    evidence.counted.truncate(COUNTED_SHOWN_MAX);
    evidence.near.sort_by(|one, other| {
        let score = other.score.total_cmp(&one.score);
        score.then_with(|| other.song.plays.cmp(&one.song.plays))
    });
    evidence.near.truncate(NEAR_SHOWN_MAX);
    evidence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(artist: &str, title: &str, plays: i64) -> Played {
        let song = super::super::history::Heard {
            artist: artist.to_owned(),
            title: title.to_owned(),
            album: None,
        };
        let at_s = (1..=plays).collect();
        Played::from(Plays { song, at_s })
    }

    fn target(artist: &str, title: &str) -> Target {
        Target {
            title: title.to_owned(),
            artist: artist.to_owned(),
            album: None,
            count: 1,
        }
    }

    /// How often each song counts, and the titles of what comes near.
    fn judged(target: &Target, played: &[Played]) -> (u32, Vec<String>) {
        let [evidence] = &judge(played, std::slice::from_ref(target))[..] else {
            panic!("one target, one verdict");
        };
        let near = evidence.near.iter().map(|near| near.song.title.clone());
        (evidence.played, near.collect())
    }

    #[test]
    fn spellings_of_a_song_count_together_and_its_versions_do_not() {
        let list = [
            played("Massive Attack", "Teardrop", 5),
            played("massive attack", "Teardrop (Remastered 2019)", 3),
            played("Massive Attack", "Teardrop (feat. Elizabeth Fraser)", 2),
            played("Massive Attack", "Teardrop (Live)", 7),
            played("José González", "Teardrop", 1),
            played("Massive Attack", "Angel", 9),
        ];
        let [evidence] = &judge(&list, &[target("Massive Attack", "Teardrop")])[..] else {
            panic!("one target, one verdict");
        };
        assert_eq!(evidence.played, 10);
        assert_eq!(evidence.last_played_at, Some(Timestamp::from_ms(5_000)));
        assert_eq!(evidence.moments.len(), 10);
        assert!(evidence.moments.is_sorted_by(|one, other| one >= other));
        let counted: Vec<u32> = evidence.counted.iter().map(|song| song.plays).collect();
        assert_eq!(counted, [5, 3, 2]);
        let near: Vec<_> = evidence
            .near
            .iter()
            .map(|near| (near.song.title.as_str(), near.song.plays, near.reason.as_str()))
            .collect();
        assert_eq!(
            near,
            [
                ("Teardrop (Live)", 7, "a live version"),
                ("Teardrop", 1, "different artist")
            ]
        );
    }

    #[test]
    fn names_in_two_scripts_are_one_song() {
        let list = [
            played("방탄소년단", "봄날 (Spring Day)", 4),
            played("BTS", "Spring Day", 2),
            played("BTS", "봄날", 1),
        ];
        assert_eq!(judged(&target("BTS", "봄날 (Spring Day)"), &list), (7, vec![]));
    }

    #[test]
    fn only_the_nearest_of_what_does_not_count_are_shown() {
        let list: Vec<_> = (1..=9)
            .map(|number| played(&format!("Band {number}"), "Hello", number))
            .collect();
        let (count, near) = judged(&target("Adele", "Hello"), &list);
        assert_eq!((count, near.len()), (0, NEAR_SHOWN_MAX));
        assert_eq!(judged(&target("Adele", "Hello"), &[]), (0, vec![]));
    }
}
