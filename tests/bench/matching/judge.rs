//! Searches for one song as an export does, and holds the answer against the label.

use patchbay::songs::{How, Hunt, QUERY_CHARS_MAX, Query, Song};
use sandbox::{Catalog, Track};

use crate::{Failure, set::Labelled};

/// As many rows as Spotify gives an app in development mode (reference: Spotify, `GET /v1/search`).
const ROWS_MAX: usize = 10;
const SEARCHES_MAX: usize = 3;

/// What came of one song.
pub struct Verdict<'a> {
    pub song: &'a Labelled,
    pub searches: usize,
    pub outcome: Outcome,
    /// Whether any search showed a right track: what was missed otherwise is the search's, not the comparing's.
    pub shown: bool,
    /// The track that was taken, or else the likest: its id, and what is said of it.
    pub nearest: Option<(String, f64, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The right track was taken.
    Right,
    /// A track was taken that is not the song.
    Wrong,
    /// The song is there, and nothing was taken.
    Missed,
    /// The song is not there, and nothing was taken.
    RightlyNothing,
}

/// Fails only if a search breaks a rule: too many, too long, or with an operator that came out of a name.
pub fn judge<'a>(song: &'a Labelled, catalog: &Catalog) -> Result<Verdict<'a>, Failure> {
    let mut hunt: Hunt<String> = song.with_song(Hunt::new);
    let mut searches = 0;
    while let Some(query) = hunt.next_query() {
        searches += 1;
        check(&query, searches).map_err(|what| format!("{:?}: {what}: {:?}", song.title, query.q))?;
        for track in catalog.search(&query.q).into_iter().take(ROWS_MAX) {
            offer(&mut hunt, track, query.how);
        }
    }
    let taken = hunt.found().and_then(|seen| catalog.get(&seen.track));
    let outcome = match (taken, &song.expected) {
        (Some(track), _) if song.accepts(track, catalog) => Outcome::Right,
        (Some(_), _) => Outcome::Wrong,
        (None, Some(_)) => Outcome::Missed,
        (None, None) => Outcome::RightlyNothing,
    };
    let ranked = hunt.ranked();
    let shown = ranked.iter().any(|seen| {
        catalog
            .get(&seen.track)
            .is_some_and(|track| song.accepts(track, catalog))
    });
    let nearest = ranked.into_iter().next();
    Ok(Verdict {
        song,
        searches,
        outcome,
        shown,
        nearest: nearest.map(|seen| (seen.track, seen.likeness.score, seen.likeness.to_string())),
    })
}

fn offer(hunt: &mut Hunt<String>, track: &Track, how: How) {
    let artists: Vec<&str> = track.artists.iter().map(String::as_str).collect();
    let candidate = Song {
        title: &track.title,
        artists: &artists,
        album: Some(&track.album),
        isrc: track.isrc.as_deref(),
        duration_ms: Some(track.duration_ms.into()),
    };
    hunt.offer(track.id.clone(), &candidate, how);
}

fn check(query: &Query, searches: usize) -> Result<(), &'static str> {
    let fields = match query.how {
        How::Isrc => 1,
        How::Fields => 2,
        How::Plain => 0,
    };
    if searches > SEARCHES_MAX {
        Err("one search too many")
    } else if query.q.chars().count() > QUERY_CHARS_MAX {
        Err("a search too long")
    } else if query.q.contains('"') || query.q.matches(':').count() > fields {
        Err("a search with an operator of its own")
    } else {
        Ok(())
    }
}
