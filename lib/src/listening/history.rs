//! What was read of a person's plays: one stretch of time without a gap.
//!
//! Stored as small as it can be while it stays text, because the terms allow 100 MB for everybody together: each song
//! once, and of each play its second and its song.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{providers::lastfm::Play, system::Timestamp};

/// The plays that are kept of one person, some 150 kB; of who has more the oldest are let go. Nobody listens to more in
/// half a year.
const PLAYS_MAX: usize = 20_000;

/// A song, as plays name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Heard {
    pub(super) artist: String,
    pub(super) title: String,
    pub(super) album: Option<String>,
}

/// A song and when it was played, in whole seconds since the epoch, the earliest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plays {
    pub(super) song: Heard,
    pub(super) at_s: Vec<i64>,
}

/// All plays from one second to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct History {
    /// The first second that was read.
    from_s: i64,
    /// The second behind the last one.
    to_s: i64,
    /// By how much Last.fm counts more in it than are known, where that was compared: it counts a play that two devices
    /// sent as two.
    surplus: Option<i64>,
    songs: Vec<Heard>,
    places: HashMap<Heard, usize>,
    /// When, and which of the songs; in order, none twice.
    plays: Vec<(i64, usize)>,
}

impl History {
    /// Nothing was read yet: the stretch that ends before the second `at_s` and has no length.
    pub(super) fn empty(at_s: i64) -> Self {
        Self {
            from_s: at_s,
            to_s: at_s,
            surplus: Some(0),
            songs: Vec::new(),
            places: HashMap::new(),
            plays: Vec::new(),
        }
    }

    pub(super) fn since_s(&self) -> i64 {
        self.from_s
    }

    pub(super) fn until_s(&self) -> i64 {
        self.to_s
    }

    /// What is known of the seconds from `from_s` to before `to_s` is this and no more; the stretch grows by them. They have
    /// to touch it, or there would be a gap.
    pub(super) fn put(&mut self, from_s: i64, to_s: i64, plays: &[Play]) {
        debug_assert!(from_s <= self.to_s && to_s >= self.from_s, "no gaps");
        let within = |at_s: i64| from_s <= at_s && at_s < to_s;
        self.plays.retain(|(at_s, _)| !within(*at_s));
        for play in plays {
            let at_s = play.at.as_s();
            if within(at_s) {
                let song = self.place_of(play);
                self.plays.push((at_s, song));
            }
        }
        self.plays.sort_unstable();
        self.plays.dedup();
        if from_s < self.from_s {
            // How often Last.fm counts in the longer stretch is not known until somebody compares.
            self.surplus = None;
        }
        self.from_s = self.from_s.min(from_s);
        self.to_s = self.to_s.max(to_s);
        self.let_go_of_the_oldest();
    }

    /// Notes that Last.fm counts `total` plays in the whole stretch, all of which were looked at.
    pub(super) fn compared(&mut self, total: u64) {
        self.surplus = Some(self.beyond(total));
    }

    /// How many more plays there seem to be in the stretch than are known, if Last.fm counts `total`; less than zero when some
    /// were taken back. Zero as long as the two were never compared.
    pub(super) fn missing(&self, total: u64) -> i64 {
        self.surplus.map_or(0, |surplus| self.beyond(total) - surplus)
    }

    /// Whether it was ever compared how many there should be.
    pub(super) fn was_compared(&self) -> bool {
        self.surplus.is_some()
    }

    /// The plays from `since_s` to before `until_s`, by song.
    pub(super) fn between(&self, since_s: i64, until_s: i64) -> Vec<Plays> {
        let mut by_song: Vec<Vec<i64>> = vec![Vec::new(); self.songs.len()];
        for (at_s, song) in &self.plays {
            if since_s <= *at_s && *at_s < until_s {
                by_song[*song].push(*at_s);
            }
        }
        let heard = self.songs.iter().cloned().zip(by_song);
        heard
            .filter(|(_, at_s)| !at_s.is_empty())
            .map(|(song, at_s)| Plays { song, at_s })
            .collect()
    }

    fn beyond(&self, total: u64) -> i64 {
        let known = i64::try_from(self.plays.len()).unwrap_or(i64::MAX);
        i64::try_from(total).unwrap_or(i64::MAX).saturating_sub(known)
    }

    fn place_of(&mut self, play: &Play) -> usize {
        let song = Heard {
            artist: play.track.artist.clone(),
            title: play.track.title.clone(),
            album: play.track.album.clone(),
        };
        *self.places.entry(song).or_insert_with_key(|song| {
            self.songs.push(song.clone());
            self.songs.len() - 1
        })
    }

    fn let_go_of_the_oldest(&mut self) {
        let Some(too_many) = self.plays.len().checked_sub(PLAYS_MAX).filter(|many| *many > 0) else {
            return;
        };
        let (first_s, _) = self.plays[too_many];
        self.plays.retain(|(at_s, _)| *at_s >= first_s);
        self.from_s = first_s;
        self.surplus = None;
    }
}

/// A history as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredHistory {
    /// Whose account was read.
    pub(super) username: String,
    /// When the stretch last reached the present.
    pub(super) as_of: Timestamp,
    from_s: i64,
    to_s: i64,
    surplus: Option<i64>,
    /// Artist, title and album; an empty album is none.
    songs: Vec<[String; 3]>,
    /// `<seconds since the play before>.<place of the song>` for each play, between blanks.
    plays: String,
}

impl StoredHistory {
    pub(super) fn of(history: &History, username: &str, as_of: Timestamp) -> Self {
        // Songs that no play names any more are not stored.
        let mut places: Vec<Option<usize>> = vec![None; history.songs.len()];
        let (mut songs, mut plays, mut before_s) = (Vec::new(), Vec::new(), 0);
        for (at_s, song) in &history.plays {
            let place = *places[*song].get_or_insert_with(|| {
                let Heard { artist, title, album } = history.songs[*song].clone();
                songs.push([artist, title, album.unwrap_or_default()]);
                songs.len() - 1
            });
            plays.push(format!("{}.{place}", at_s - before_s));
            before_s = *at_s;
        }
        Self {
            username: username.to_owned(),
            as_of,
            from_s: history.from_s,
            to_s: history.to_s,
            surplus: history.surplus,
            songs,
            plays: plays.join(" "),
        }
    }

    /// `None` when it is not as it was stored: then it is read anew.
    pub(super) fn history(&self) -> Option<History> {
        let mut history = History::empty(self.from_s);
        history.to_s = self.to_s;
        history.surplus = self.surplus;
        for [artist, title, album] in &self.songs {
            let song = Heard {
                artist: artist.clone(),
                title: title.clone(),
                album: Some(album.clone()).filter(|album| !album.is_empty()),
            };
            history.places.insert(song.clone(), history.songs.len());
            history.songs.push(song);
        }
        let mut at_s = 0_i64;
        for play in self.plays.split_ascii_whitespace() {
            let (since_s, song) = play.split_once('.')?;
            let since_s: u64 = since_s.parse().ok()?;
            at_s = at_s.checked_add_unsigned(since_s)?;
            let song = song.parse().ok().filter(|song| *song < history.songs.len())?;
            history.plays.push((at_s, song));
        }
        // Songs got other places when they were stored, so those of one second are in another order.
        history.plays.sort_unstable();
        Some(history)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::providers::lastfm::Track;

    fn play(at_s: i64, title: &str) -> Play {
        Play {
            track: Track {
                artist: "Björk".to_owned(),
                title: title.to_owned(),
                album: Some("Homogenic".to_owned()).filter(|_| title != "Jóga"),
                ..Track::default()
            },
            at: Timestamp::from_ms(at_s * 1000),
        }
    }

    fn times(history: &History, since_s: i64, until_s: i64) -> Vec<(String, Vec<i64>)> {
        let plays = history.between(since_s, until_s).into_iter();
        plays.map(|plays| (plays.song.title, plays.at_s)).collect()
    }

    #[test]
    fn a_stretch_grows_at_both_ends_and_what_is_read_again_replaces_what_was_known() {
        let mut history = History::empty(1_000);
        history.put(
            900,
            1_000,
            &[
                play(950, "Jóga"),
                play(901, "Bachelorette"),
                play(899, "too early"),
            ],
        );
        history.put(
            1_000,
            1_100,
            &[play(1_050, "Jóga"), play(1_050, "Jóga"), play(1_100, "too late")],
        );
        assert_eq!((history.since_s(), history.until_s()), (900, 1_100));
        let jogas = ("Jóga".to_owned(), vec![950, 1_050]);
        assert_eq!(
            times(&history, 0, 9_999),
            [jogas.clone(), ("Bachelorette".to_owned(), vec![901])]
        );
        assert_eq!(times(&history, 902, 1_050), [("Jóga".to_owned(), vec![950])]);
        history.put(900, 940, &[play(930, "All Is Full of Love")]);
        assert_eq!(
            times(&history, 0, 9_999),
            [jogas, ("All Is Full of Love".to_owned(), vec![930])]
        );
    }

    #[test]
    fn what_came_late_shows_in_the_count() {
        let mut history = History::empty(1_000);
        history.put(900, 1_000, &[play(950, "Jóga"), play(951, "Jóga")]);
        assert!(!history.was_compared());
        assert_eq!(history.missing(7), 0);
        // One play that two devices sent.
        history.compared(3);
        assert_eq!([2, 3, 5].map(|total| history.missing(total)), [-1, 0, 2]);
        history.put(1_000, 1_010, &[play(1_005, "Jóga")]);
        assert_eq!(history.missing(4), 0, "one more of both");
        history.put(800, 900, &[]);
        assert!(!history.was_compared(), "another stretch has another count");
    }

    #[test]
    fn of_who_plays_without_end_the_oldest_are_let_go() {
        let mut history = History::empty(0);
        let many = i64::try_from(PLAYS_MAX).expect("some") + 10;
        let plays: Vec<_> = (0..many).map(|at_s| play(at_s, "Jóga")).collect();
        history.put(0, many, &plays);
        assert_eq!((history.since_s(), history.until_s()), (10, many));
        assert_eq!(history.between(0, many)[0].at_s.len(), PLAYS_MAX);
    }

    #[test]
    fn what_is_stored_and_makes_no_sense_is_no_history() {
        let mut history = History::empty(10);
        history.put(0, 10, &[play(5, "Jóga"), play(7, "Jóga")]);
        let stored = StoredHistory::of(&history, "ada", Timestamp::from_ms(10_000));
        assert_eq!(stored.plays, "5.0 2.0");
        for plays in ["5", "5.1", "x.0", "5.0 -3.0", "9223372036854775807.0 1.0"] {
            let plays = plays.to_owned();
            assert_eq!(
                StoredHistory {
                    plays,
                    ..stored.clone()
                }
                .history(),
                None
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_stored_of_it_is_read_back(
            plays in proptest::collection::vec((0_i64..400, 0_usize..5), 0..60),
            surplus in proptest::option::of(0_u64..200),
        ) {
            let titles = ["Jóga", "a \"b\"\n", "東京", "", "5.0 7.1"];
            let plays: Vec<_> = plays.into_iter().map(|(at_s, title)| play(at_s, titles[title])).collect();
            let mut history = History::empty(400);
            history.put(0, 400, &plays);
            if let Some(total) = surplus {
                history.compared(total);
            }
            let stored = StoredHistory::of(&history, "ada", Timestamp::from_ms(7));
            let text = serde_json::to_string(&stored).expect("JSON");
            let read: StoredHistory = serde_json::from_str(&text).expect("the same");
            let read = read.history().expect("a history");
            prop_assert_eq!(times(&read, 0, 400).len(), times(&history, 0, 400).len());
            for (title, at_s) in times(&history, 0, 400) {
                prop_assert!(times(&read, 0, 400).contains(&(title, at_s)));
            }
            prop_assert_eq!((read.from_s, read.to_s, read.surplus), (history.from_s, history.to_s, history.surplus));
        }
    }
}
