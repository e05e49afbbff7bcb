//! One song searched for: what was found, or the nearest tracks and why none of them is it.

use crate::{
    export::{
        fate::{Candidate, Fate, How},
        halt::Stop,
        request::SongSpec,
        session::Session,
    },
    limits::Kind,
    providers::spotify::{ApiError, Track},
    songs::{self, Hunt, Song},
};

/// Tracks shown for a song that none of them is.
const CANDIDATES_MAX: usize = 3;

/// Why a track that was turned down is not taken, however alike it is.
const TURNED_DOWN: &str = "you said never";

/// What the searches for one song came to.
pub(super) struct Searched {
    pub(super) fate: Fate,
    /// One of them may have failed rather than found nothing: it was refused, or it was an empty one by ISRC.
    pub(super) doubtful: bool,
}

/// Searches for `song`; the tracks of `never` are not taken for it.
pub(super) async fn search_for(
    session: &Session<'_>,
    song: &SongSpec,
    never: &[String],
) -> Result<Searched, Stop> {
    let mut hunt: Hunt<Track> = song.with_song(Hunt::new);
    let mut turned_down = Vec::new();
    let mut doubtful = false;
    while let Some(query) = hunt.next_query() {
        let tracks = ask(session, &query.q).await?;
        doubtful |= match &tracks {
            None => true,
            Some(tracks) => tracks.is_empty() && query.how == songs::How::Isrc,
        };
        for track in tracks.into_iter().flatten() {
            if !never.contains(&track.uri) {
                offer(&mut hunt, track, query.how);
            } else if !turned_down.contains(&track) {
                turned_down.push(track);
            }
        }
    }
    let fate = match hunt.found() {
        Some(best) => Fate::Matched {
            uri: best.track.uri.clone(),
            score: best.likeness.score,
            how: best.how.into(),
        },
        None => unmatched(song, hunt, turned_down),
    };
    Ok(Searched { fate, doubtful })
}

/// `None` for a search that Spotify refuses, as it does some long queries.
async fn ask(session: &Session<'_>, query: &str) -> Result<Option<Vec<Track>>, Stop> {
    let api = session.web_api();
    match session
        .read(
            Kind::Search,
            |token| async move { api.search(&token, query).await },
        )
        .await
    {
        Ok(tracks) => Ok(Some(tracks)),
        Err(Stop::Api(ApiError::NotFound | ApiError::Rejected { .. })) => Ok(None),
        Err(stop) => Err(stop),
    }
}

fn offer(hunt: &mut Hunt<Track>, track: Track, how: songs::How) {
    let shown = track.clone();
    as_song(&shown, |candidate| hunt.offer(track, candidate, how));
}

/// Shows a track as the room `songs` wants to see it.
fn as_song<T>(track: &Track, look: impl FnOnce(&Song<'_>) -> T) -> T {
    let artists: Vec<&str> = track.artists.iter().map(String::as_str).collect();
    look(&Song {
        title: &track.title,
        artists: &artists,
        album: track.album.as_deref(),
        isrc: track.isrc.as_deref(),
        duration_ms: track.duration_ms,
    })
}

fn unmatched(song: &SongSpec, hunt: Hunt<Track>, turned_down: Vec<Track>) -> Fate {
    let ranked = hunt.ranked();
    let reason = match ranked.first() {
        None if turned_down.is_empty() => "Spotify's search finds nothing".to_owned(),
        None => "Spotify's search finds only what you said never to".to_owned(),
        Some(best) => format!("nothing found is alike enough; the nearest: {}", best.likeness),
    };
    let seen = ranked
        .into_iter()
        .map(|seen| candidate(seen.track, seen.likeness.score, seen.likeness.to_string()));
    let turned_down = turned_down.into_iter().map(|track| {
        let likeness = song.with_song(|wanted| as_song(&track, |found| songs::likeness(wanted, found)));
        candidate(track, likeness.score, TURNED_DOWN.to_owned())
    });
    let mut candidates: Vec<Candidate> = seen.chain(turned_down).collect();
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(CANDIDATES_MAX);
    Fate::Unmatched { reason, candidates }
}

fn candidate(track: Track, score: f64, reason: String) -> Candidate {
    Candidate {
        uri: track.uri,
        title: track.title,
        artists: track.artists,
        score,
        reason,
    }
}

impl From<songs::How> for How {
    fn from(how: songs::How) -> Self {
        match how {
            songs::How::Isrc => Self::Isrc,
            songs::How::Fields => Self::Fielded,
            songs::How::Plain => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> SongSpec {
        SongSpec {
            title: "Dynamite".into(),
            artist: "BTS".into(),
            ..SongSpec::default()
        }
    }

    fn track(number: usize, title: &str, artist: &str) -> Track {
        Track {
            uri: format!("spotify:track:{number}"),
            title: title.into(),
            artists: vec![artist.into()],
            album: None,
            isrc: None,
            duration_ms: None,
        }
    }

    fn hunt(tracks: &[(&str, &str)]) -> Hunt<Track> {
        let mut hunt = wanted().with_song(Hunt::new);
        for (number, (title, artist)) in tracks.iter().enumerate() {
            offer(&mut hunt, track(number, title, artist), songs::How::Plain);
        }
        hunt
    }

    #[test]
    fn the_likest_wins_and_of_equals_the_first() {
        let hunt = hunt(&[
            ("Dynamite - Instrumental", "BTS"),
            ("Dynamite", "BTS"),
            ("Dynamite", "BTS"),
        ]);
        assert_eq!(hunt.found().expect("one").track.uri, "spotify:track:1");
    }

    #[test]
    fn a_song_that_is_not_there_gets_three_candidates_in_order_and_a_reason() {
        let list = hunt(&[
            ("Something else", "Nobody"),
            ("Dynamite", "Taio Cruz"),
            ("Dynamite (Live)", "BTS"),
            ("Dynamite - Instrumental", "BTS"),
        ]);
        let Fate::Unmatched { reason, candidates } = unmatched(&wanted(), list, Vec::new()) else {
            panic!("not accepted");
        };
        assert!(
            reason.starts_with("nothing found is alike enough; the nearest: "),
            "{reason}"
        );
        assert_eq!(candidates.len(), 3);
        assert!(
            candidates.is_sorted_by(|a, b| a.score >= b.score),
            "{candidates:?}"
        );
        let reasons: Vec<&str> = candidates.iter().map(|each| each.reason.as_str()).collect();
        assert_eq!(reasons, ["a live version", "an instrumental", "different artist"]);
        let Fate::Unmatched { reason, .. } = unmatched(&wanted(), hunt(&[]), Vec::new()) else {
            panic!("nothing to accept");
        };
        assert_eq!(reason, "Spotify's search finds nothing");
    }

    #[test]
    fn a_track_that_was_turned_down_is_shown_and_says_so() {
        let turned_down = || vec![track(9, "Dynamite", "BTS")];
        let list = hunt(&[("Dynamite (Live)", "BTS")]);
        let Fate::Unmatched { candidates, .. } = unmatched(&wanted(), list, turned_down()) else {
            panic!("not accepted");
        };
        let shown = (&*candidates[0].uri, &*candidates[0].reason);
        assert_eq!(shown, ("spotify:track:9", "you said never"));
        assert_eq!(candidates.len(), 2);
        let Fate::Unmatched { reason, .. } = unmatched(&wanted(), hunt(&[]), turned_down()) else {
            panic!("not accepted");
        };
        assert_eq!(reason, "Spotify's search finds only what you said never to");
    }
}
