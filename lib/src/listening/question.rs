//! What may be asked: windows of time, and songs that are to be played so often.

use std::time::Duration;

use crate::system::Timestamp;

/// Up to this a window is read play by play; a longer one is answered from Last.fm's own chart of it. A quarter of a year
/// and a bit: what a quest or a season lasts.
pub const WINDOW_READ_MAX: Duration = Duration::from_hours(100 * 24);

/// Songs that one question is about, at most.
pub const TARGETS_MAX: usize = 100;

/// As much as anybody writes of a title; it is compared with thousands of songs.
const NAME_CHARS_MAX: usize = 300;

/// Nobody is asked to play a song more often.
const COUNT_MAX: u32 = 10_000;

/// From when on one looks, if the question does not say.
const SINCE_DEFAULT: Duration = Duration::from_hours(7 * 24);

/// A stretch of time: from the first moment to before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub since: Timestamp,
    /// Its end; may lie in the future.
    pub until: Timestamp,
}

/// A song that is to be played so often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is called.
    pub title: String,
    /// Whose it is.
    pub artist: String,
    /// From which album, if that matters to tell it from others.
    pub album: Option<String>,
    /// How often.
    pub count: u32,
}

/// What is wrong with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuestion {
    /// It ends before it begins.
    #[error("since has to be before until")]
    Reversed,
    /// It has not begun yet.
    #[error("since is in the future, so nothing can have been played yet")]
    Future,
    /// A moment that cannot be one.
    #[error("since and until are milliseconds since 1970")]
    NoMoment,
    /// Nothing is asked about.
    #[error("targets has to name at least one song")]
    NoTargets,
    /// Too much is asked about.
    #[error("targets may name 100 songs at most")]
    TooManyTargets,
    /// A song without a name, or with one that is none.
    #[error("a song needs a title and an artist, of 300 characters at most")]
    Song {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// No number to reach.
    #[error("count has to be a whole number from 1 to 10,000")]
    Count {
        /// Its place in the list, from 0.
        index: usize,
    },
}

impl Window {
    /// The window that is asked about at `now`; the last seven days where nothing is said.
    ///
    /// # Errors
    /// [`InvalidQuestion`].
    pub fn new(
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, InvalidQuestion> {
        let until = until.unwrap_or(now);
        let since = since.unwrap_or_else(|| until.min(now) - SINCE_DEFAULT);
        if since.as_ms() < 0 || until.as_ms() < 0 {
            return Err(InvalidQuestion::NoMoment);
        }
        if since >= until {
            return Err(InvalidQuestion::Reversed);
        }
        if since > now {
            return Err(InvalidQuestion::Future);
        }
        Ok(Self { since, until })
    }

    /// Whether it is short enough to be read play by play.
    pub(super) fn is_read(self, now: Timestamp) -> bool {
        self.until.min(now).since(self.since) <= WINDOW_READ_MAX
    }

    /// Its seconds, as Last.fm counts: from the first to before the second. A play belongs to it that began within it.
    pub(super) fn seconds(self) -> (i64, i64) {
        (self.since.as_s_up(), self.until.as_s_up())
    }
}

/// Looks whether these can be asked about.
pub(super) fn check(targets: &[Target]) -> Result<(), InvalidQuestion> {
    if targets.is_empty() {
        return Err(InvalidQuestion::NoTargets);
    }
    if targets.len() > TARGETS_MAX {
        return Err(InvalidQuestion::TooManyTargets);
    }
    let is_name = |text: &str| !text.trim().is_empty() && text.chars().count() <= NAME_CHARS_MAX;
    for (index, target) in targets.iter().enumerate() {
        let album = target
            .album
            .as_deref()
            .is_none_or(|album| album.chars().count() <= NAME_CHARS_MAX);
        if !is_name(&target.title) || !is_name(&target.artist) || !album {
            return Err(InvalidQuestion::Song { index });
        }
        if !(1..=COUNT_MAX).contains(&target.count) {
            return Err(InvalidQuestion::Count { index });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_262_400_000);

    #[test]
    fn a_window_is_a_stretch_of_time_that_has_begun() {
        let at = |ms| Some(Timestamp::from_ms(ms));
        let now = NOW.as_ms();
        let window = |since, until| Window::new(since, until, NOW);
        assert_eq!(window(at(5), at(5)), Err(InvalidQuestion::Reversed));
        assert_eq!(window(at(7), at(5)), Err(InvalidQuestion::Reversed));
        assert_eq!(window(at(-7), at(5)), Err(InvalidQuestion::NoMoment));
        assert_eq!(window(at(now + 1), at(now + 2)), Err(InvalidQuestion::Future));
        assert_eq!(window(at(now + 1), None), Err(InvalidQuestion::Reversed));
        let week = Window {
            since: NOW - SINCE_DEFAULT,
            until: NOW,
        };
        assert_eq!(window(None, None), Ok(week));
        assert_eq!(window(None, at(now + 99)).expect("a window").since, week.since);
        let decade = window(at(now - 10 * 365 * 86_400_000), None).expect("a window");
        assert!(!decade.is_read(NOW));
        let season = window(at(now - 90 * 86_400_000), at(now + 99 * 86_400_000)).expect("a window");
        assert!(season.is_read(NOW), "the future needs no reading");
    }

    #[test]
    fn whole_seconds_within_are_in_it() {
        let window = |since, until| Window {
            since: Timestamp::from_ms(since),
            until: Timestamp::from_ms(until),
        };
        assert_eq!(window(1_000, 2_000).seconds(), (1, 2));
        assert_eq!(window(1_001, 2_001).seconds(), (2, 3));
    }

    #[test]
    fn every_target_is_looked_at() {
        let target = Target {
            title: "Jóga".to_owned(),
            artist: "Björk".to_owned(),
            album: None,
            count: 1,
        };
        let with = |change: fn(&mut Target)| {
            let mut targets = [target.clone(), target.clone()];
            change(&mut targets[1]);
            check(&targets)
        };
        assert_eq!(with(|_| {}), Ok(()));
        let song = Err(InvalidQuestion::Song { index: 1 });
        assert_eq!(with(|target| target.title = " ".to_owned()), song);
        assert_eq!(with(|target| target.artist = String::new()), song);
        assert_eq!(with(|target| target.title = "ö".repeat(NAME_CHARS_MAX)), Ok(()));
        assert_eq!(with(|target| target.title = "ö".repeat(NAME_CHARS_MAX + 1)), song);
        assert_eq!(with(|target| target.album = Some("x".repeat(9_999))), song);
        let count = Err(InvalidQuestion::Count { index: 1 });
        assert_eq!(with(|target| target.count = 0), count);
        assert_eq!(with(|target| target.count = COUNT_MAX + 1), count);
        assert_eq!(check(&[]), Err(InvalidQuestion::NoTargets));
        assert_eq!(
            check(&vec![target; TARGETS_MAX + 1]),
            Err(InvalidQuestion::TooManyTargets)
        );
    }
}
