//! What a person plays most: songs, artists and albums, as Last.fm lists them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Answer, CallError, Listening, ListeningError,
    account::{Account, Part},
    calls::Patience,
    lookup::Subject,
};
use crate::{
    ids::UserId,
    limits::Class,
    metrics::LastfmCall,
    providers::lastfm::{Period, TopItem, TopOf, TopPage},
    system::BoxFuture,
};

/// Rows that are told at most, and that are always asked for: one answer does for everybody.
pub const TOP_MAX: usize = 100;

/// The last known answer is kept for so long, for when there is no newer one.
const LIFE: Duration = Duration::from_hours(30 * 24);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopQuestion {
    /// Songs, artists or albums.
    pub of: TopOf,
    /// Over which time.
    pub period: Period,
}

/// What a person plays most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Top {
    /// Most first, as Last.fm has them; [`TOP_MAX`] at most.
    pub items: Vec<TopItem>,
    /// How many there are in all, where that is said.
    pub total: Option<u64>,
}

/// The same as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct StoredTop {
    items: Vec<StoredItem>,
    total: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredItem {
    rank: Option<u64>,
    name: String,
    artist: Option<String>,
    play_count: u64,
    url: Option<String>,
    image_url: Option<String>,
}

impl TopQuestion {
    /// How long the answer is good (reference: Last.fm §9: 1 h for seven days, to 24 h for all time).
    const fn fresh(self) -> Duration {
        match self.period {
            Period::Week => Duration::from_hours(1),
            Period::Month => Duration::from_hours(6),
            Period::Quarter | Period::HalfYear | Period::Year | Period::Overall => Duration::from_hours(24),
        }
    }

    fn name(self) -> String {
        format!("top/{}/{}", self.of.name(), self.period.name())
    }
}

impl Listening {
    /// What the account that `user` has linked plays most.
    ///
    /// # Errors
    /// [`ListeningError`], when nothing is known.
    pub async fn top(
        &self,
        user: &UserId,
        question: TopQuestion,
        class: Class,
    ) -> Result<Answer<Top>, ListeningError> {
        self.calls()?;
        let account = self.account(user).await?;
        let patience = self.patience(class);
        let subject = Subject {
            name: question.name(),
            part: Part::Lists,
            fresh: question.fresh(),
            life: LIFE,
        };
        let known = self.look_up(
            &account,
            subject,
            move |listening, account| -> BoxFuture<'static, _> {
                Box::pin(async move { ask(&listening, &account, question, patience).await })
            },
        );
        let (stored, as_of, problem) = known.await?;
        Ok(self.answer(account, stored.into(), as_of, problem))
    }
}

async fn ask(
    listening: &Listening,
    account: &Account,
    TopQuestion { of, period }: TopQuestion,
    patience: Patience,
) -> Result<StoredTop, CallError> {
    let calls = listening.calls()?;
    let limit = u32::try_from(TOP_MAX).unwrap_or(u32::MAX);
    let page = calls
        .make(LastfmCall::Top, patience, || {
            calls.lastfm.top(&account.username, of, period, limit, 1)
        })
        .await?;
    Ok(page.into())
}

impl From<TopPage> for StoredTop {
    fn from(page: TopPage) -> Self {
        let item = |item: TopItem| StoredItem {
            rank: item.rank,
            name: item.name,
            artist: item.artist,
            play_count: item.play_count,
            url: item.url,
            image_url: item.image_url,
        };
        Self {
            items: page.items.into_iter().take(TOP_MAX).map(item).collect(),
            total: page.total,
        }
    }
}

impl From<StoredTop> for Top {
    fn from(stored: StoredTop) -> Self {
        let item = |item: StoredItem| TopItem {
            rank: item.rank,
            name: item.name,
            artist: item.artist,
            play_count: item.play_count,
            url: item.url,
            image_url: item.image_url,
        };
        Self {
            items: stored.items.into_iter().map(item).collect(),
            total: stored.total,
        }
    }
}
