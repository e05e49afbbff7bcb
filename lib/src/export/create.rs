//! Second stage: the playlist is made.
//!
//! Making one is not idempotent, names need not be unique, and an answer can be lost. So the attempt is written down
//! first, and who finds one without a result looks for the lost playlist before making another: one of that name that
//! is this account's, empty, and no other export's. Which export a playlist belongs to is written down, too, by
//! compare-and-swap, before anything else is done with it; so two exports of one name never get the same one.
//!
//! What that guarantees: the songs never go into two playlists, no other export's playlist is taken, and no second one
//! is made while Spotify's list shows the first within [`LIST_LAG_MAX`]. What it does not:
//!
//! - Where the list shows the lost one later than that, not among the first fifty, or not at all (private ones need the
//!   scope `playlist-read-private`), an empty playlist of the same name stays behind.
//! - An empty one of that name which the person made before, with no description where ours has one at most, looks like
//!   the lost one. It is taken only after an answer was lost, and only if no newer one is there: the person then has one
//!   playlist of that name instead of two. To rule that out would take a call before every export, of a quota that
//!   knows only some dozens a day.

use std::time::Duration;

use super::{
    blocked::Blocked,
    halt::{Halt, Stop},
    head::{Made, Stage},
    job::Job,
    jobs::Jobs,
    session::Session,
};
use crate::{
    limits::Kind,
    providers::spotify::{ListedPlaylist, NewPlaylist, Profile},
};

/// For so long a playlist may be missing from its owner's list before it is believed that it was not made. The list
/// trails by seconds; a minute more costs a call, a second playlist costs trust.
const LIST_LAG_MAX: Duration = Duration::from_mins(2);

/// Makes the playlist, or finds the one that an attempt before this one made.
pub(super) async fn create(
    session: &Session<'_>,
    jobs: &Jobs,
    job: &mut Job,
    profile: &Profile,
) -> Result<(), Halt> {
    if let Some(attempted_at) = job.head.create_attempted_at {
        if let Some(made) = look_for(session, jobs, job, profile).await? {
            return adopt(jobs, job, made).await;
        }
        if session.now() < attempted_at + LIST_LAG_MAX {
            return Err(Halt::unavailable(session.now()));
        }
    }
    let attempted_before = job.head.create_attempted_at;
    job.head.create_attempted_at = Some(session.now());
    jobs.save_head(job).await?;
    match make(session, jobs, job).await {
        // One that looked for a lost one of its own may have been quicker; then its lost one is ours.
        Ok(made) if jobs.claim_playlist(job, &made.id).await? => return adopt(jobs, job, made).await,
        Ok(_) => tracing::warn!("a new playlist was taken for another export's"),
        Err(Stop::Api(error)) if error.is_ambiguous() => {
            tracing::warn!(%error, "whether a playlist was made is not known");
        }
        Err(refused) => {
            job.head.create_attempted_at = attempted_before;
            return Err(match refused {
                Stop::Api(error) => {
                    tracing::warn!(%error, "a playlist was refused");
                    Blocked::PlaylistRefused.into()
                }
                Stop::Halt(halt) => halt,
            });
        }
    }
    match look_for(session, jobs, job, profile).await? {
        Some(made) => adopt(jobs, job, made).await,
        // The list may lag: the next run looks once more before it makes another.
        None => Err(Halt::unavailable(session.now())),
    }
}

async fn make(session: &Session<'_>, jobs: &Jobs, job: &mut Job) -> Result<Made, Stop> {
    let (api, spec) = (session.web_api(), job.head.spec.clone());
    let playlist = &NewPlaylist {
        name: &spec.name,
        public: spec.public,
        description: spec.description.as_deref(),
    };
    let made = session
        .write(jobs, job, |token| async move {
            api.create_playlist(&token, playlist).await
        })
        .await?;
    Ok(made.into())
}

/// From here on nothing is looked for any more: the id is known.
async fn adopt(jobs: &Jobs, job: &mut Job, made: Made) -> Result<(), Halt> {
    let playlist_id = made.id.clone();
    job.head.playlist = Some(made);
    job.head.create_attempted_at = None;
    job.head.stage = Stage::Fill;
    let saved = jobs.save_head(job).await;
    let is_cancelled = matches!(saved, Err(Halt::Lost)) && jobs.find(&job.id, &job.owner).await?.is_none();
    if is_cancelled {
        // Nothing is kept of an export that was cancelled while its playlist was made.
        jobs.release_playlist(&playlist_id).await?;
    }
    saved
}

/// A grant that may write and not list blocks the export: whether there is a playlist already cannot be known then.
async fn look_for(
    session: &Session<'_>,
    jobs: &Jobs,
    job: &Job,
    profile: &Profile,
) -> Result<Option<Made>, Halt> {
    let api = session.web_api();
    let listed = session
        .read(
            Kind::Playlist,
            |token| async move { api.my_playlists(&token).await },
        )
        .await
        .map_err(|stop| session.ended(stop))?;
    let spec = &job.head.spec;
    for made in perhaps_ours(listed, &spec.name, spec.description.as_deref(), profile) {
        if jobs.claim_playlist(job, &made.id).await? {
            return Ok(Some(made));
        }
    }
    Ok(None)
}

/// The playlists that may be the lost one, the likeliest first: those with our description, as the list has them.
/// Descriptions come back in other letters than they were sent in, so only a missing one says something for sure.
fn perhaps_ours(
    listed: Vec<ListedPlaylist>,
    name: &str,
    description: Option<&str>,
    profile: &Profile,
) -> Vec<Made> {
    let mut likely: Vec<_> = listed
        .into_iter()
        .filter(|listed| {
            listed.name.trim() == name
                && listed.total == Some(0)
                && listed.owner_id.as_ref() == Some(&profile.user_id)
                && (description.is_some() || listed.description.is_none())
        })
        .collect();
    likely.sort_by_key(|listed| listed.description.as_deref() != description);
    likely.into_iter().map(|listed| listed.playlist.into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::spotify::Playlist;

    #[test]
    fn only_an_empty_one_of_that_name_and_account_is_taken_for_the_lost_one() {
        let profile = Profile {
            account_id: "a".into(),
            user_id: "me".into(),
            display_name: None,
            avatar_url: None,
        };
        let listed = |id: &str, name: &str, owner: &str, total, description: Option<&str>| ListedPlaylist {
            playlist: Playlist {
                id: id.into(),
                url: String::new(),
            },
            name: name.into(),
            owner_id: Some(owner.into()),
            total,
            description: description.map(str::to_owned),
        };
        let list = vec![
            listed("1", "Mix", "me", Some(3), None),
            listed("2", "Mix 2", "me", Some(0), None),
            listed("3", "Mix", "friend", Some(0), None),
            listed("4", "Mix", "me", None, None),
            listed("5", "Mix", "me", Some(0), None),
            listed("6", "Mix", "me", Some(0), Some("ours")),
            listed("7", "Mix", "me", Some(0), None),
        ];
        let ids = |name, description| -> Vec<String> {
            let ours = perhaps_ours(list.clone(), name, description, &profile);
            ours.into_iter().map(|made| made.id).collect()
        };
        assert_eq!(ids("Mix", None), ["5", "7"], "somebody described the sixth");
        assert_eq!(ids("Mix", Some("ours")), ["6", "5", "7"]);
        assert_eq!(ids("Other", None), Vec::<String>::new());
    }
}
