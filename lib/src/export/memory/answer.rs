//! What is remembered of one song, under which name and for how long: pure decisions.

use std::{collections::HashSet, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    export::{
        fate::{Candidate, Fate, How},
        id::digest_of,
        request::SongSpec,
    },
    songs,
    store::{Record, Version},
    system::Timestamp,
};

/// How long an answer is kept. Spotify's terms want its data fresh and no database made of it (reference: Spotify,
/// terms); a month is as long as jobs are kept, too.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// When a song that was not found is searched for again, after the first, the second … time. New releases appear within
/// days; what was not there five times in a month is asked for every other week.
const RETRIES: [Duration; 4] = [
    Duration::from_hours(24),
    Duration::from_hours(3 * 24),
    Duration::from_hours(7 * 24),
    Duration::from_hours(14 * 24),
];

/// The same after a search that may have failed rather than found nothing: one by ISRC was empty, which happens for
/// hours to codes that are there (reference: Spotify, `GET /v1/search`, quirks), or one was refused.
const RETRY_DOUBTFUL: Duration = Duration::from_hours(1);

/// How long a track is kept that was found by name after such a search: the code might name a better one.
const DOUBTFUL_KEPT: Duration = Duration::from_hours(24);

/// A song as memory knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::export) struct Subject {
    /// The name of its record.
    pub(in crate::export) key: String,
    /// How many searches it has at most.
    pub(in crate::export) searches: usize,
    /// Which ones.
    asked: String,
}

impl Subject {
    /// `never` are the tracks that the person does not want for it.
    ///
    /// Two songs share a key when they have the same normal form and the same facts that decide a match: code, length,
    /// album, what is excluded, and the rules of matching. So a wrong ISRC or a made-up title has a key of its own, and
    /// other rules start with nothing.
    pub(in crate::export) fn of(song: &SongSpec, never: &[String]) -> Self {
        let isrc = song.isrc.as_deref().and_then(songs::isrc).unwrap_or_default();
        let seconds = song.duration_ms.filter(|ms| *ms > 0).map(|ms| (ms + 500) / 1000);
        let album = song.album.as_deref().map(|album| songs::key(album, ""));
        let mut never: Vec<&str> = never.iter().map(String::as_str).collect();
        never.sort_unstable();
        let key = digest_of(&[
            songs::RULES,
            &songs::key(&song.title, &song.artist),
            &isrc,
            &seconds.map(|seconds| seconds.to_string()).unwrap_or_default(),
            &album.unwrap_or_default(),
            &never.join(" "),
        ]);
        let queries = song.with_song(songs::queries);
        let queries: Vec<String> = queries.iter().map(|query| query.q.to_lowercase()).collect();
        let asked = digest_of(&queries.iter().map(String::as_str).collect::<Vec<_>>());
        Self {
            key,
            searches: queries.len(),
            asked,
        }
    }
}

/// What a search said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Answer {
    Found {
        uri: String,
        score: f64,
        how: How,
        at: Timestamp,
    },
    NotFound {
        /// In these words only: a spelling that is searched for in others may find it.
        asked: String,
        tries: usize,
        retry_at: Timestamp,
        reason: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        candidates: Vec<Candidate>,
    },
}

/// An answer as it was found in the store.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::export) struct Recalled {
    version: Version,
    forget_at: Timestamp,
    answer: Answer,
}

/// An answer to be stored.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::export) struct Learnt {
    pub(in crate::export) key: String,
    pub(in crate::export) record: Record,
}

impl Recalled {
    /// `None` for what this version cannot read, and for what belongs to a person.
    pub(in crate::export) fn read(record: &Record) -> Option<Self> {
        if record.owner.is_some() {
            return None;
        }
        Some(Self {
            version: record.version,
            forget_at: record.due_at?,
            answer: Answer::deserialize(&record.body).ok()?,
        })
    }

    /// The fate of `subject`, if the answer is still good for it.
    pub(in crate::export) fn fate(&self, subject: &Subject, now: Timestamp) -> Option<Fate> {
        if now >= self.forget_at {
            return None;
        }
        match &self.answer {
            Answer::Found { uri, score, .. } => Some(Fate::Matched {
                uri: uri.clone(),
                score: *score,
                how: How::Remembered,
            }),
            Answer::NotFound {
                asked,
                retry_at,
                reason,
                candidates,
                ..
            } => (*asked == subject.asked && now < *retry_at).then(|| Fate::Unmatched {
                reason: reason.clone(),
                candidates: candidates.clone(),
            }),
        }
    }

    /// Whether it is one of these tracks.
    pub(in crate::export) fn is_one_of(&self, uris: &HashSet<&str>) -> bool {
        matches!(&self.answer, Answer::Found { uri, .. } if uris.contains(uri.as_str()))
    }
}

impl Learnt {
    /// What to remember of `subject`, whose searches ended in `fate`; `doubtful` says that one of them may have failed.
    pub(in crate::export) fn new(
        subject: &Subject,
        known: Option<&Recalled>,
        fate: &Fate,
        doubtful: bool,
        now: Timestamp,
    ) -> Option<Self> {
        let (answer, forget_at) = match fate {
            Fate::Matched { uri, score, how } => {
                let answer = Answer::Found {
                    uri: uri.clone(),
                    score: *score,
                    how: *how,
                    at: now,
                };
                (answer, now + if doubtful { DOUBTFUL_KEPT } else { KEPT })
            }
            Fate::Unmatched { reason, candidates } => {
                let before = known.map_or(0, |known| known.tries(subject));
                let pause = RETRIES[before.min(RETRIES.len() - 1)];
                let answer = Answer::NotFound {
                    asked: subject.asked.clone(),
                    tries: before + 1,
                    retry_at: now + if doubtful { RETRY_DOUBTFUL } else { pause },
                    reason: reason.clone(),
                    candidates: candidates.clone(),
                };
                (answer, now + KEPT)
            }
            Fate::Rejected { .. } => return None,
        };
        let record = Record {
            version: known.map_or(Version::ABSENT, |known| known.version),
            owner: None,
            due_at: Some(forget_at),
            // Text and numbers always become JSON.
            body: serde_json::to_value(answer).ok()?,
        };
        Some(Self {
            key: subject.key.clone(),
            record,
        })
    }
}

impl Recalled {
    fn tries(&self, subject: &Subject) -> usize {
        match &self.answer {
            Answer::NotFound { asked, tries, .. } if *asked == subject.asked => *tries,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn song(title: &str, artist: &str) -> SongSpec {
        SongSpec {
            title: title.into(),
            artist: artist.into(),
            ..SongSpec::default()
        }
    }

    fn subject(title: &str, artist: &str) -> Subject {
        Subject::of(&song(title, artist), &[])
    }

    fn found() -> Fate {
        Fate::Matched {
            uri: "spotify:track:1".into(),
            score: 0.9,
            how: How::Plain,
        }
    }

    fn not_found() -> Fate {
        Fate::Unmatched {
            reason: "nothing".into(),
            candidates: Vec::new(),
        }
    }

    /// What is read back after `learnt` was written.
    fn again(learnt: &Learnt) -> Recalled {
        Recalled::read(&learnt.record).expect("what was written can be read")
    }

    const START: Timestamp = Timestamp::from_ms(1_790_000_000_000);
    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn spellings_of_one_song_share_a_key_and_facts_that_decide_a_match_do_not() {
        let plain = song("Dynamite", "BTS");
        assert_eq!(subject("DYNAMITE", "bts").key, subject("Dynamite", "BTS").key);
        assert_eq!(subject("One (feat. B)", "A").key, subject("One", "A feat. B").key);
        let others = [
            song("Dynamite (Live)", "BTS"),
            song("Dynamite", "Taio Cruz"),
            SongSpec {
                isrc: Some("QM7282022872".into()),
                ..plain.clone()
            },
            SongSpec {
                duration_ms: Some(199_000),
                ..plain.clone()
            },
            SongSpec {
                album: Some("BE".into()),
                ..plain.clone()
            },
        ];
        let key = |song: &SongSpec| Subject::of(song, &[]).key;
        let mut keys: HashSet<String> = others.iter().map(key).collect();
        keys.insert(key(&plain));
        keys.insert(Subject::of(&plain, &["spotify:track:1".into()]).key);
        assert_eq!(keys.len(), 7);
    }

    #[test]
    fn codes_lengths_and_exclusions_are_compared_as_the_matcher_sees_them() {
        let with = |isrc: &str, ms| SongSpec {
            isrc: Some(isrc.into()),
            duration_ms: Some(ms),
            ..song("Dynamite", "BTS")
        };
        let never = |uris: [&str; 2]| uris.map(str::to_owned);
        assert_eq!(
            Subject::of(&with("QM-728-20-22872", 199_054), &never(["a", "b"])),
            Subject::of(&with("qm7282022872", 198_900), &never(["b", "a"])),
        );
        assert_eq!(
            Subject::of(&with("no code", 0), &[]),
            subject("Dynamite", "BTS"),
            "what is no code and no length is nothing"
        );
    }

    #[test]
    fn a_found_track_is_good_for_a_month_and_a_doubtful_one_for_a_day() {
        let subject = subject("Dynamite", "BTS");
        for (doubtful, kept) in [(false, 30 * DAY), (true, DAY)] {
            let learnt = Learnt::new(&subject, None, &found(), doubtful, START).expect("an answer");
            let known = again(&learnt);
            let Some(Fate::Matched { uri, score, how }) =
                known.fate(&subject, START + kept.saturating_sub(HOUR))
            else {
                panic!("forgotten too early");
            };
            assert_eq!(
                (uri.as_str(), score, how),
                ("spotify:track:1", 0.9, How::Remembered)
            );
            assert_eq!(known.fate(&subject, START + kept), None);
            assert_eq!(learnt.record.due_at, Some(START + kept));
        }
    }

    #[test]
    fn what_is_not_found_is_asked_for_ever_more_rarely() {
        let subject = subject("Dynamite", "BTS");
        let mut known: Option<Recalled> = None;
        let mut now = START;
        for days in [1, 3, 7, 14, 14] {
            let learnt = Learnt::new(&subject, known.as_ref(), &not_found(), false, now).expect("an answer");
            let next = again(&learnt);
            assert!(
                next.fate(&subject, now + (days * DAY).saturating_sub(HOUR))
                    .is_some()
            );
            assert_eq!(next.fate(&subject, now + days * DAY), None, "after {days} days");
            assert!(
                learnt.record.due_at > Some(now + days * DAY),
                "its tries are still counted"
            );
            now = now + days * DAY;
            known = Some(next);
        }
    }

    #[test]
    fn after_a_doubtful_search_it_is_asked_for_again_within_the_hour() {
        let subject = subject("Dynamite", "BTS");
        let learnt = Learnt::new(&subject, None, &not_found(), true, START).expect("an answer");
        assert!(again(&learnt).fate(&subject, START + HOUR / 2).is_some());
        assert_eq!(again(&learnt).fate(&subject, START + HOUR), None);
    }

    #[test]
    fn not_found_in_odd_words_says_nothing_about_others() {
        let odd = subject("Dynamite ////", "BTS");
        let plain = subject("Dynamite", "BTS");
        assert_eq!(odd.key, plain.key);
        let missed = again(&Learnt::new(&odd, None, &not_found(), false, START).expect("an answer"));
        assert_eq!(missed.fate(&plain, START), None);
        let seen = again(&Learnt::new(&odd, None, &found(), false, START).expect("an answer"));
        assert!(
            seen.fate(&plain, START).is_some(),
            "what is found is the song however it was asked for"
        );
    }

    #[test]
    fn a_persons_record_is_no_answer() {
        let learnt = Learnt::new(&subject("a", "b"), None, &found(), false, START).expect("an answer");
        let theirs = Record {
            owner: Some("ana".parse().expect("an id")),
            ..learnt.record
        };
        assert_eq!(Recalled::read(&theirs), None);
    }
}
