//! What every answer about listening has in common, and what is said when there is none.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    http::{Services, problem::Problem},
    listening::{Answer, Class, Counted, InvalidQuestion, ListeningError},
    providers::lastfm::Track,
};

/// Whose listening it is and how good the answer is, before the answer itself. `stale` says that Last.fm could not be
/// asked: this is the last known answer, `problem` why.
pub(super) fn head<T>(services: &Services, answer: &Answer<T>) -> Value {
    let age = services.system.now().since(answer.as_of);
    let mut head = json!({
        "username": answer.username,
        "verified": answer.verified,
        "profileUrl": answer.profile_url,
        "asOf": answer.as_of,
        "ageMs": u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
        "stale": answer.problem.is_some(),
    });
    if let Some(problem) = &answer.problem {
        head["problem"] = Problem::from(problem).told();
    }
    head
}

pub(super) fn track(track: &Track) -> Value {
    json!({
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "url": track.url,
        "imageUrl": track.image_url,
    })
}

/// A song that was played, with the page that the terms ask to link to.
pub(super) fn counted(services: &Services, song: &Counted) -> Value {
    json!({
        "title": song.title,
        "artist": song.artist,
        "album": song.album,
        "url": services.listening.song_url(&song.artist, &song.title),
        "plays": song.plays,
        "firstPlayedAt": song.played_at.map(|(first, _)| first),
        "lastPlayedAt": song.played_at.map(|(_, last)| last),
    })
}

/// How urgent a question is: who asks for many people at once says so, and lets those go first who wait at a screen.
pub(super) const fn class(background: bool) -> Class {
    if background {
        Class::Background
    } else {
        Class::Interactive
    }
}

impl From<InvalidQuestion> for Problem {
    fn from(invalid: InvalidQuestion) -> Self {
        let mut sentence = invalid.to_string();
        sentence[..1].make_ascii_uppercase();
        sentence.push('.');
        let problem = |code| Self::bad_request(code, sentence);
        match invalid {
            InvalidQuestion::Reversed => problem("window_reversed"),
            InvalidQuestion::Future => problem("window_in_the_future"),
            InvalidQuestion::NoMoment => problem("invalid_moment"),
            InvalidQuestion::NoTargets => problem("no_targets"),
            InvalidQuestion::TooManyTargets => {
                problem("too_many_targets").remedy("Ask several times; the plays are read once all the same.")
            }
            InvalidQuestion::Song { index } => problem("invalid_song").detail("index", index),
            InvalidQuestion::Count { index } => problem("invalid_count").detail("index", index),
        }
    }
}

impl From<ListeningError> for Problem {
    fn from(error: ListeningError) -> Self {
        match error {
            ListeningError::NotLinked => Self::new(
                StatusCode::CONFLICT,
                "lastfm_not_linked",
                "No Last.fm account is linked.",
            )
            .remedy("Link one first."),
            ListeningError::Invalid(invalid) => invalid.into(),
            ListeningError::Call(error) => error.into(),
        }
    }
}
