//! Second stage: the playlist is made.
//!
//! Making one is not idempotent, names need not be unique, and an answer can be lost. So the attempt is written down
//! first, and who finds one without a result looks for a playlist of that name that is this account's and empty,
//! before making another. What that guarantees: the songs never go into two playlists. What it does not: where
//! Spotify's list does not show the lost one (it lags, or private ones need the scope `playlist-read-private`), an
//! empty playlist of the same name stays behind; and an empty one of just that name which the person made before, or
//! which another export of that name is about to fill, may be taken for it.

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
    providers::spotify::{ApiError, ListedPlaylist, NewPlaylist, Profile},
};

/// Makes the playlist, or finds the one that an attempt before this one made.
pub(super) async fn create(
    session: &Session<'_>,
    jobs: &Jobs,
    job: &mut Job,
    profile: &Profile,
) -> Result<(), Halt> {
    if job.head.create_attempted
        && let Some(made) = look_for(session, job, profile).await?
    {
        return adopt(jobs, job, made).await;
    }
    job.head.create_attempted = true;
    jobs.save_head(job).await?;
    match make(session, jobs, job).await {
        Ok(made) => adopt(jobs, job, made).await,
        Err(Stop::Api(error)) if error.is_ambiguous() => {
            tracing::warn!(%error, "whether a playlist was made is not known");
            match look_for(session, job, profile).await? {
                Some(made) => adopt(jobs, job, made).await,
                // The list may lag: the next run looks once more before it makes another.
                None => Err(Halt::unavailable(session.now())),
            }
        }
        Err(refused) => {
            job.head.create_attempted = false;
            Err(match refused {
                Stop::Api(error) => {
                    tracing::warn!(%error, "a playlist was refused");
                    Blocked::PlaylistRefused.into()
                }
                Stop::Halt(halt) => halt,
            })
        }
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

async fn adopt(jobs: &Jobs, job: &mut Job, made: Made) -> Result<(), Halt> {
    job.head.playlist = Some(made);
    job.head.create_attempted = false;
    job.head.stage = Stage::Fill;
    jobs.save_head(job).await
}

async fn look_for(session: &Session<'_>, job: &Job, profile: &Profile) -> Result<Option<Made>, Halt> {
    let api = session.web_api();
    let listed = session
        .read(
            Kind::Playlist,
            |token| async move { api.my_playlists(&token).await },
        )
        .await;
    match listed {
        Ok(listed) => Ok(lost_one(listed, &job.head.spec.name, profile)),
        // A grant that may write and not list: then there is no way to know.
        Err(
            Stop::Halt(Halt::Blocked(Blocked::MissingScope | Blocked::Forbidden))
            | Stop::Api(ApiError::NotFound | ApiError::Rejected { .. }),
        ) => Ok(None),
        Err(stop) => Err(session.ended(stop)),
    }
}

fn lost_one(listed: Vec<ListedPlaylist>, name: &str, profile: &Profile) -> Option<Made> {
    listed
        .into_iter()
        .find(|listed| {
            listed.name.trim() == name
                && listed.total == Some(0)
                && listed.owner_id.as_ref() == Some(&profile.user_id)
        })
        .map(|listed| listed.playlist.into())
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
        let listed = |id: &str, name: &str, owner: &str, total| ListedPlaylist {
            playlist: Playlist {
                id: id.into(),
                url: String::new(),
            },
            name: name.into(),
            owner_id: Some(owner.into()),
            total,
        };
        let list = vec![
            listed("1", "Mix", "me", Some(3)),
            listed("2", "Mix 2", "me", Some(0)),
            listed("3", "Mix", "friend", Some(0)),
            listed("4", "Mix", "me", None),
            listed("5", "Mix", "me", Some(0)),
        ];
        assert_eq!(
            lost_one(list.clone(), "Mix", &profile).expect("the fifth").id,
            "5"
        );
        assert_eq!(lost_one(list, "Other", &profile), None);
    }
}
