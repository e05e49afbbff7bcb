//! What an export would cost, before it begins: calls, time, and whether the app's budget may do.
//!
//! A calculation over what is stored. It asks no provider, begins nothing and writes nothing.

mod sentence;

use std::{collections::HashSet, time::Duration};

use super::{
    Account, Blocked, Caller, ExportError, Exporter, Mode, Request, Through,
    fate::Fate,
    memory::{Own, Subject},
    progress::WRITE,
    request::SongSpec,
    resolve::{Case, cases},
    session::budget_of,
};
use crate::{
    ids::{AppName, UserId},
    limits,
    providers::spotify::{ITEMS_PER_CALL_MAX, PLAYLIST_ITEMS_MAX},
    store::StoreError,
    system::Timestamp,
};

/// Searches for a song of which nothing is known, in tenths: what the labelled songs of `tests/bench/matching` take.
const SEARCHES_TENTHS: usize = 13;

/// Songs of which memory is asked at once.
const SONGS_AT_ONCE: usize = 100;

/// What an export would cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// Songs in the request.
    pub total: usize,
    /// Songs whose fate is known without a call.
    pub remembered: usize,
    /// `GET /v1/search`.
    pub search: Calls,
    /// Making the playlist and adding to it.
    pub playlist: Calls,
    /// `GET /v1/me`, and tracks that are looked at because the request or the person names them.
    pub other: Calls,
    /// How long that takes with nothing in the way.
    pub takes: Duration,
    /// Through whose account.
    pub mode: Mode,
    /// What is known of the app's budget.
    pub budget: Budget,
    /// Whether it does.
    pub fits: Fits,
    /// All this for the person.
    pub sentence: String,
}

/// How many calls, if all goes well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// If every song is found at once.
    pub least: usize,
    /// Most likely.
    pub likely: usize,
    /// If every song takes all searches there are.
    pub most: usize,
}

/// What is known of an app's budget. Spotify publishes none (reference: quota); this is what was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// For searches; `None` where it is not known which app it is.
    pub search: Option<Quota>,
    /// For calls about playlists, which have a quota of their own.
    pub playlist: Option<Quota>,
    /// Until when everything is refused now.
    pub closed_until: Option<Timestamp>,
}

/// What was seen of one quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Calls within the last 24 hours.
    pub spent: usize,
    /// After how many calls within a day the app was refused, if it was.
    pub refused_after: Option<usize>,
}

/// Whether a budget does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fits {
    /// It should.
    Yes,
    /// The export would have to wait in the middle, or before it begins.
    No,
    /// Too little is known.
    Unknown,
}

/// What the songs of a request take.
#[derive(Debug, Default)]
struct Needs {
    remembered: usize,
    /// Tracks that will be in the playlist as far as is known.
    tracks: HashSet<String>,
    /// Tracks to be looked at: named by the request, or wanted by the person and not seen yet.
    reads: usize,
    /// What is searched for; a song that the list has twice is once.
    searched: HashSet<Subject>,
    /// What has to be searched for if the tracks to be looked at are not there.
    perhaps: HashSet<Subject>,
}

impl Exporter {
    /// What the export of `request` would cost; the account is the one that [`Exporter::start`] would take, unopened.
    ///
    /// # Errors
    /// [`ExportError`], where starting would fail for a reason that needs no provider to know.
    pub async fn forecast(&self, request: &Request, caller: &Caller) -> Result<Forecast, ExportError> {
        let (mode, app) = self.foreseen_account(request, caller).await?;
        let own = match caller {
            Caller::User(user) => self.memory.corrections.of(user).await?,
            // Whose token it is, only Spotify can say; exports of theirs are nobody's who can correct.
            Caller::Bearer(_) => Own::default(),
        };
        let needs = self.needs(&request.songs, &own).await;
        let budget = self.budget(app.as_ref()).await?;
        Ok(needs.forecast(request.songs.len(), mode, budget, self.system.now()))
    }

    async fn needs(&self, songs: &[SongSpec], own: &Own) -> Needs {
        let now = self.system.now();
        let mut needs = Needs::default();
        for (number, songs) in songs.chunks(SONGS_AT_ONCE).enumerate() {
            let first = number * SONGS_AT_ONCE;
            let songs = songs.iter().cloned().enumerate();
            let songs = songs.map(|(place, song)| (first + place, song)).collect();
            for case in cases(&self.memory, own, songs).await {
                needs.count(case, now);
            }
        }
        needs
    }

    async fn budget(&self, app: Option<&AppName>) -> Result<Budget, StoreError> {
        let Some(app) = app else {
            return Ok(Budget::default());
        };
        let closing = self.pacer.closing(&budget_of(app)).await?;
        Ok(Budget {
            closed_until: closing.map(|closing| closing.until),
            ..Budget::default()
        })
    }

    async fn foreseen_account(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<(Mode, Option<AppName>), ExportError> {
        let user = match (request.through, caller) {
            (Some(Through::Owner), _) => {
                self.check_owner(caller)?;
                return Ok(self.owners());
            }
            (_, Caller::Bearer(_)) => return Ok((Mode::Bearer, None)),
            (_, Caller::User(user)) => user,
        };
        let modes = match request.through {
            None => vec![Mode::Byo, Mode::Standard],
            Some(through) => vec![through.into()],
        };
        if let Some(found) = self.connected(user, &modes).await? {
            return Ok(found);
        }
        let (blocked, mode) = (
            Blocked::NotConnected,
            modes.last().copied().unwrap_or(Mode::Standard),
        );
        if request.fallback_to_owner && self.could_fall_back(mode, blocked) {
            return Ok(self.owners());
        }
        Err(self.not_begun(blocked, mode))
    }

    /// The first of `modes` for which `user` has connected an account, and its app.
    async fn connected(
        &self,
        user: &UserId,
        modes: &[Mode],
    ) -> Result<Option<(Mode, Option<AppName>)>, StoreError> {
        let grants = self.accounts.grants();
        let document = grants.look(user).await?;
        Ok(modes.iter().find_map(|&mode| {
            let Some(Account::Grant { slot, .. }) = Account::of(mode, user) else {
                return None;
            };
            let grant = document.integrations.get(&slot)?;
            Some((mode, grants.app_of(user, slot, grant)))
        }))
    }

    fn owners(&self) -> (Mode, Option<AppName>) {
        let owner = self.accounts.owner();
        (Mode::Owner, owner.map(|owner| AppName::of(&owner.app.client_id)))
    }
}

impl Needs {
    fn count(&mut self, case: Case<'_>, now: Timestamp) {
        match case.known(now) {
            Some(fate) => {
                self.remembered += 1;
                if let Fate::Matched { uri, .. } = fate {
                    self.tracks.insert(uri);
                }
            }
            None => match case.named_track() {
                Some(uri) => {
                    // Looked at for each song that names it.
                    self.reads += 1;
                    self.tracks.insert(uri);
                    self.perhaps.insert(case.into_subject());
                }
                None => {
                    self.searched.insert(case.into_subject());
                }
            },
        }
    }

    fn forecast(self, total: usize, mode: Mode, budget: Budget, now: Timestamp) -> Forecast {
        let (search, playlist) = (self.search(), self.playlist());
        // One is that of `/me`, which proves the account.
        let other = 1 + self.reads;
        let takes = takes(search.likely + other, playlist.likely);
        let fits = budget.fits(search, playlist, now);
        let mut forecast = Forecast {
            total,
            remembered: self.remembered,
            search,
            playlist,
            other: Calls {
                least: other,
                likely: other,
                most: other,
            },
            takes,
            mode,
            budget,
            fits,
            sentence: String::new(),
        };
        forecast.sentence = sentence::of(&forecast, now);
        forecast
    }

    fn search(&self) -> Calls {
        let most_of =
            |subjects: &HashSet<Subject>| subjects.iter().map(|subject| subject.searches).sum::<usize>();
        let least = self
            .searched
            .iter()
            .filter(|subject| subject.searches > 0)
            .count();
        let most = most_of(&self.searched);
        Calls {
            least,
            likely: (least * SEARCHES_TENTHS).div_ceil(10).min(most),
            most: most + most_of(&self.perhaps),
        }
    }

    fn playlist(&self) -> Calls {
        let certain = if self.reads == 0 { self.tracks.len() } else { 0 };
        let all = self.tracks.len() + self.searched.len();
        Calls {
            least: writes(certain),
            likely: writes(all),
            most: writes(all),
        }
    }
}

/// One to make the playlist and one for each hundred tracks; none where there is nothing to put into one.
fn writes(tracks: usize) -> usize {
    match tracks.min(PLAYLIST_ITEMS_MAX) {
        0 => 0,
        tracks => 1 + tracks.div_ceil(ITEMS_PER_CALL_MAX),
    }
}

fn takes(reads: usize, writes: usize) -> Duration {
    let times = |calls: usize| u32::try_from(calls).unwrap_or(u32::MAX);
    let turn = Duration::from_millis(limits::SPOTIFY.spacing_ms.into());
    turn.saturating_mul(times(reads)) + WRITE.saturating_mul(times(writes))
}

impl Budget {
    fn fits(&self, search: Calls, playlist: Calls, now: Timestamp) -> Fits {
        if self.closed_until.is_some_and(|until| until > now) {
            return Fits::No;
        }
        let verdicts = [enough(self.search, search), enough(self.playlist, playlist)];
        // A quota that was never met is no reason to doubt what is known of the other.
        if verdicts.contains(&Fits::No) {
            Fits::No
        } else if verdicts.contains(&Fits::Yes) {
            Fits::Yes
        } else {
            Fits::Unknown
        }
    }
}

/// Whether one quota holds `calls` more. What needs none says nothing.
fn enough(seen: Option<Quota>, calls: Calls) -> Fits {
    let Some(Quota {
        spent,
        refused_after: Some(refused_after),
    }) = seen.filter(|_| calls.most > 0)
    else {
        return Fits::Unknown;
    };
    if spent + calls.likely <= refused_after {
        Fits::Yes
    } else {
        Fits::No
    }
}
