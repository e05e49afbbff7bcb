//! What an export would cost, before it begins: calls, time, and whether the app's budget may do.
//!
//! A calculation over what is stored. It asks no provider, begins nothing and writes nothing.

mod needs;
mod sentence;

use std::time::Duration;

use self::needs::Needs;
use super::{
    Account, Blocked, Caller, ExportError, Exporter, Mode, Request, Through, progress::WRITE,
    session::budget_of,
};
use crate::{
    ids::{AppName, UserId},
    limits::{self, Kind},
    store::StoreError,
    system::Timestamp,
};

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
    /// How long the likely ones take with nothing in the way.
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

impl Exporter {
    /// What the export of `request` would cost; the account is the one that [`Exporter::start`] would take, unopened.
    ///
    /// # Errors
    /// [`ExportError`], where starting would fail for a reason that needs no provider to know.
    pub async fn forecast(&self, request: &Request, caller: &Caller) -> Result<Forecast, ExportError> {
        let (mode, app) = self.foreseen_account(request, caller).await?;
        let now = self.system.now();
        let needs = match caller {
            Caller::User(user) => {
                let own = self.memory.corrections.of(user).await?;
                Needs::of(&request.songs, &self.memory, &own, now).await
            }
            // Whose token it is, only Spotify can say.
            Caller::Bearer(_) => Needs::of_strangers(&request.songs),
        };
        let budget = self.budget(app.as_ref()).await?;
        Ok(Forecast::new(request.songs.len(), &needs, mode, budget, now))
    }

    async fn budget(&self, app: Option<&AppName>) -> Result<Budget, StoreError> {
        let Some(app) = app else {
            return Ok(Budget::default());
        };
        let known = self.ledger.look(&budget_of(app)).await?;
        let count = |calls: u32| usize::try_from(calls).unwrap_or(usize::MAX);
        let quota = |kind| Quota {
            spent: known.spent.get(&kind).copied().map_or(0, count),
            refused_after: known.refused_after.get(&kind).copied().map(count),
        };
        Ok(Budget {
            search: Some(quota(Kind::Search)),
            playlist: Some(quota(Kind::Playlist)),
            closed_until: known.closed_until,
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

impl Forecast {
    fn new(total: usize, needs: &Needs, mode: Mode, budget: Budget, now: Timestamp) -> Self {
        let (search, playlist) = (needs.search(), needs.playlist());
        // One is that of `/me`, which proves the account.
        let other = 1 + needs.reads;
        let mut forecast = Self {
            total,
            remembered: needs.remembered,
            search,
            playlist,
            other: Calls {
                least: other,
                likely: other,
                most: other,
            },
            takes: takes(search.likely + other, playlist.likely),
            mode,
            budget,
            fits: budget.fits(search, playlist, now),
            sentence: String::new(),
        };
        forecast.sentence = sentence::of(&forecast, now);
        forecast
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
