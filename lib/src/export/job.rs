//! An export in hand: one small head that every checkpoint writes, and the songs in parts of a hundred, so that a
//! checkpoint of a long list writes some kilobytes and not the list.

use serde::{Deserialize, Serialize};

use super::{
    ExportId,
    blocked::Blocked,
    fate::{Entry, Fate},
    head::{CurrentSong, Head},
    plan::Plan,
    progress::{Progress, Start},
    request::SongSpec,
    running::Audience,
};
use crate::{ids::UserId, store::Version, system::Timestamp};

/// Songs in one part: with their outcomes about 30 kB, and a hundred parts for the longest list.
pub(super) const PART_SONGS: usize = 100;
/// A hundred songs, as stored.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PartBody {
    pub(super) entries: Vec<Entry>,
}

/// A hundred songs in hand.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) version: Version,
    pub(super) body: PartBody,
}

/// A job in hand.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: ExportId,
    pub(super) owner: UserId,
    pub(super) version: Version,
    pub(super) head: Head,
    pub(super) parts: Vec<Part>,
    /// Who watches this run.
    pub(super) audience: Audience,
    /// Where this run began.
    pub(super) start: Option<Start>,
}

impl Job {
    /// A job without its songs.
    pub(super) fn new(id: ExportId, owner: UserId, version: Version, head: Head) -> Self {
        Self {
            id,
            owner,
            version,
            head,
            parts: Vec::new(),
            audience: Audience::default(),
            start: None,
        }
    }

    /// Begins a run that `audience` watches.
    pub(super) fn begin(&mut self, audience: &Audience, now: Timestamp) {
        self.audience = audience.clone();
        self.start = Some(Start::of(&self.head, now));
        self.show(now);
    }

    /// Notes what has to be mended before it can go on.
    pub(super) fn block(&mut self, blocked: Blocked, now: Timestamp) {
        let came_further = self
            .start
            .is_some_and(|start| start.is_left_behind_by(&self.head));
        let times_before = if came_further { 0 } else { self.head.times_blocked };
        self.head.blocked = Some(blocked);
        self.head.blocked_at = Some(now);
        self.head.times_blocked = times_before.saturating_add(1);
    }

    /// Shows how far it is.
    pub(super) fn show(&self, now: Timestamp) {
        self.audience.show(Progress::of(&self.id, &self.head, now));
    }

    /// Shows which song was looked up just now.
    pub(super) fn show_song(&mut self, index: usize, now: Timestamp) {
        let song = self
            .parts
            .get(index / PART_SONGS)
            .and_then(|part| part.body.entries.get(index % PART_SONGS))
            .map(|entry| &entry.song);
        self.head.song = song.map(|song| CurrentSong {
            index,
            title: song.title.clone(),
            artist: song.artist.clone(),
        });
        let measured = self.start.and_then(|start| start.song_ms(&self.head, now));
        self.head.song_ms = measured.or(self.head.song_ms);
        self.show(now);
    }

    /// The songs in the order of the request.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.parts.iter().flat_map(|part| &part.body.entries)
    }

    pub(super) fn plan(&self) -> Plan {
        Plan::of(self.entries())
    }

    /// Gives the song at `index` of the request its fate; answers the part to write.
    pub(super) fn decide(&mut self, index: usize, fate: Fate) -> usize {
        let (part, place) = (index / PART_SONGS, index % PART_SONGS);
        if let Some(entry) = self
            .parts
            .get_mut(part)
            .and_then(|part| part.body.entries.get_mut(place))
        {
            self.head.resolved += usize::from(entry.fate.is_none());
            entry.fate = Some(fate);
        }
        part
    }

    /// The songs of `part` that were not looked up yet, with their places in the request.
    pub(super) fn open(&self, part: usize) -> Vec<(usize, SongSpec)> {
        let Some(body) = self.parts.get(part).map(|part| &part.body) else {
            return Vec::new();
        };
        let open = body
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.fate.is_none());
        open.map(|(place, entry)| (part * PART_SONGS + place, entry.song.clone()))
            .collect()
    }
}

#[cfg(test)]
impl Job {
    pub(super) fn for_tests(entries: &[Entry]) -> Self {
        let draft = super::request::Draft {
            name: "n".into(),
            songs: entries
                .iter()
                .map(|_| super::request::SongDraft {
                    title: "t".into(),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        };
        let request = super::Request::new(draft, None).expect("valid");
        let parts = entries.chunks(PART_SONGS).map(|entries| Part {
            version: Version::ABSENT,
            body: PartBody {
                entries: entries.to_vec(),
            },
        });
        let head = Head::new(&request, super::Mode::Standard, Timestamp::default());
        let id = ExportId("AAAAAAAAAAAAAAAAAAAAAA".into());
        let owner = "user".parse().expect("an id");
        Self {
            parts: parts.collect(),
            ..Self::new(id, owner, Version::ABSENT, head)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fate::Candidate;

    fn entry(fate: Option<Fate>) -> Entry {
        Entry {
            fate,
            ..Entry::default()
        }
    }

    #[test]
    fn songs_keep_their_places_across_parts() {
        let mut job = Job::for_tests(&vec![entry(None); 250]);
        let fate = Fate::Unmatched {
            reason: "nothing".into(),
            candidates: Vec::new(),
        };
        assert_eq!(job.decide(201, fate.clone()), 2);
        assert_eq!(job.decide(201, fate), 2);
        assert_eq!(job.head.resolved, 1, "a song is counted once");
        let open: Vec<usize> = job.open(2).into_iter().map(|(index, _)| index).collect();
        assert_eq!(open.len(), 49);
        assert_eq!(open[..3], [200, 202, 203]);
    }

    #[test]
    fn a_part_stays_small() {
        let long = "ü".repeat(200);
        let candidate = Candidate {
            uri: format!("spotify:track:{}", "x".repeat(22)),
            title: "A title of forty characters, more or so.".into(),
            artists: vec!["An artist".into()],
            score: 0.123_456_789,
            reason: "x".repeat(crate::songs::REASONS_CHARS_MAX),
        };
        let fate = Fate::Unmatched {
            reason: "the nearest track is not alike enough: a live version".into(),
            candidates: vec![candidate; 3],
        };
        let mut song = entry(Some(fate));
        song.song.title = long;
        let bytes = serde_json::to_vec(&PartBody {
            entries: vec![song; PART_SONGS],
        });
        assert!(bytes.expect("JSON").len() < 150_000);
    }
}
