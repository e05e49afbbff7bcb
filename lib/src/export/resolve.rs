//! First stage: every song is looked up, before anything is made in anybody's account.

use futures_util::{StreamExt as _, stream};

use super::{
    fate::{Candidate, Fate, How},
    halt::{Halt, Stop},
    job::{Job, Stage},
    jobs::Jobs,
    request::SongSpec,
    session::Session,
};
use crate::{
    providers::spotify::{ApiError, Track},
    songs::{self, Hunt},
    system::BoxFuture,
};

/// Songs looked up at the same time. Bursts alone have cost apps hours of refusals (reference: rate limit).
const CONCURRENCY: usize = 2;

/// Songs after which the part they are in is written: what a killed runner loses at most.
const CHECKPOINT_SONGS: usize = 20;

/// Tracks shown for a song that none of them is.
const CANDIDATES_MAX: usize = 3;

/// Looks up all songs that have no fate yet.
pub(super) async fn resolve(session: &Session<'_>, jobs: &Jobs, job: &mut Job) -> Result<(), Halt> {
    for part in 0..job.parts.len() {
        resolve_part(session, jobs, job, part).await?;
    }
    let plan = job.plan();
    job.head.planned = plan.tracks.len();
    job.head.stage = match job.head.planned {
        0 => Stage::Done,
        _ => Stage::Create,
    };
    Ok(())
}

async fn resolve_part(session: &Session<'_>, jobs: &Jobs, job: &mut Job, part: usize) -> Result<(), Halt> {
    let open = stream::iter(job.open(part)).map(|(index, song)| look_up(session, index, song));
    let mut found = std::pin::pin!(open.buffered(CONCURRENCY));
    let mut unsaved = 0;
    let mut end = Ok(());
    while let Some((index, fate)) = found.next().await {
        match fate {
            Ok(fate) => job.decide(index, fate),
            Err(halt) => {
                end = Err(halt);
                break;
            }
        };
        unsaved += 1;
        if unsaved == CHECKPOINT_SONGS || jobs.lease_is_short(job) {
            save(jobs, job, part).await?;
            unsaved = 0;
        }
    }
    if unsaved > 0 {
        save(jobs, job, part).await?;
    }
    end
}

async fn save(jobs: &Jobs, job: &mut Job, part: usize) -> Result<(), Halt> {
    jobs.save_part(job, part).await?;
    jobs.save_head(job).await
}

/// Boxed, because the compiler cannot see that a stream of these futures by name may move between threads.
fn look_up<'a>(
    session: &'a Session<'_>,
    index: usize,
    song: SongSpec,
) -> BoxFuture<'a, (usize, Result<Fate, Halt>)> {
    Box::pin(async move {
        let found = find(session, &song).await;
        (index, found.map_err(|stop| session.ended(stop)))
    })
}

async fn find(session: &Session<'_>, song: &SongSpec) -> Result<Fate, Stop> {
    if let Some(fate) = by_given_id(session, song).await? {
        return Ok(fate);
    }
    let mut hunt: Hunt<Track> = song.with_song(Hunt::new);
    while let Some(query) = hunt.next_query() {
        for track in search(session, &query.q).await? {
            offer(&mut hunt, track, query.how);
        }
    }
    Ok(match hunt.found() {
        Some(best) => Fate::Matched {
            uri: best.track.uri.clone(),
            score: best.likeness.score,
            how: best.how.into(),
        },
        None => unmatched(hunt),
    })
}

/// The track that the request names, if it is one. One that does not exist must not come into a batch, which it would
/// spoil as a whole; the song is then searched for like any other.
async fn by_given_id(session: &Session<'_>, song: &SongSpec) -> Result<Option<Fate>, Stop> {
    let Some(id) = song.given_id() else {
        return Ok(None);
    };
    let api = session.web_api();
    match session
        .read(|token| async move { api.track(&token, id).await })
        .await
    {
        Ok(track) => Ok(Some(Fate::Matched {
            uri: track.uri,
            score: 1.0,
            how: How::Given,
        })),
        Err(Stop::Api(ApiError::NotFound | ApiError::Rejected { .. })) => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// A search that Spotify refuses (some long queries are) has found nothing.
async fn search(session: &Session<'_>, query: &str) -> Result<Vec<Track>, Stop> {
    let api = session.web_api();
    match session
        .read(|token| async move { api.search(&token, query).await })
        .await
    {
        Err(Stop::Api(ApiError::NotFound | ApiError::Rejected { .. })) => Ok(Vec::new()),
        answer => answer,
    }
}

fn offer(hunt: &mut Hunt<Track>, track: Track, how: songs::How) {
    let shown = track.clone();
    let artists: Vec<&str> = shown.artists.iter().map(String::as_str).collect();
    let candidate = songs::Song {
        title: &shown.title,
        artists: &artists,
        album: shown.album.as_deref(),
        isrc: shown.isrc.as_deref(),
        duration_ms: shown.duration_ms,
    };
    hunt.offer(track, &candidate, how);
}

fn unmatched(hunt: Hunt<Track>) -> Fate {
    let ranked = hunt.ranked();
    let reason = match ranked.first() {
        None => "Spotify's search finds nothing".to_owned(),
        Some(best) => format!("nothing found is alike enough; the nearest: {}", best.likeness),
    };
    let candidates = ranked.into_iter().take(CANDIDATES_MAX).map(|seen| Candidate {
        uri: seen.track.uri,
        title: seen.track.title,
        artists: seen.track.artists,
        score: seen.likeness.score,
        reason: seen.likeness.to_string(),
    });
    Fate::Unmatched {
        reason,
        candidates: candidates.collect(),
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

    fn hunt(tracks: &[(&str, &str)]) -> Hunt<Track> {
        let wanted = SongSpec {
            title: "Dynamite".into(),
            artist: "BTS".into(),
            ..SongSpec::default()
        };
        let mut hunt = wanted.with_song(Hunt::new);
        for (number, (title, artist)) in tracks.iter().enumerate() {
            let track = Track {
                uri: format!("spotify:track:{number}"),
                title: (*title).into(),
                artists: vec![(*artist).into()],
                album: None,
                isrc: None,
                duration_ms: None,
            };
            offer(&mut hunt, track, songs::How::Plain);
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
        let Fate::Unmatched { reason, candidates } = unmatched(list) else {
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
        let Fate::Unmatched { reason, .. } = unmatched(hunt(&[])) else {
            panic!("nothing to accept");
        };
        assert_eq!(reason, "Spotify's search finds nothing");
    }
}
