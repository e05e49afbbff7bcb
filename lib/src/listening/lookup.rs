//! A question that is asked as a whole: answered from the shelf while that is new enough, else by Last.fm, else from the
//! shelf all the same.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    CallError, Listening, ListeningError,
    account::{Account, Part},
    shelf::{Kept, version_of},
};
use crate::{
    store::{Version, Written},
    system::{BoxFuture, Timestamp},
};

/// What is asked, and for how long the answer is good.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// Names the record.
    pub(super) name: String,
    /// What is read for it.
    pub(super) part: Part,
    /// Nobody is asked again for so long.
    pub(super) fresh: Duration,
    /// It is kept for so long, for when there is no newer answer.
    pub(super) life: Duration,
}

/// An answer of Last.fm's about an account, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored<T> {
    username: String,
    as_of: Timestamp,
    content: T,
}

/// An answer, when it was given, and why it is not newer.
pub(super) type Known<T> = (T, Timestamp, Option<CallError>);

impl Listening {
    /// What Last.fm says of `subject`; `ask` is how to ask it.
    pub(super) async fn look_up<T>(
        &self,
        account: &Account,
        subject: Subject,
        ask: impl FnOnce(Self, Account) -> BoxFuture<'static, Result<T, CallError>> + Send + 'static,
    ) -> Result<Known<T>, ListeningError>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let known = self.last_known::<T>(account, &subject.name).await?;
        let now = self.0.system.now();
        if let Some(Stored { content, as_of, .. }) =
            known.filter(|known| now.since(known.as_of) < subject.fresh)
        {
            return Ok((content, as_of, None));
        }
        let name = subject.name.clone();
        let (asked, _) = self
            .together(&account.user, &name, |listening| {
                let account = account.clone();
                let work: BoxFuture<'static, _> = Box::pin(async move {
                    let asking = ask(listening.clone(), account.clone());
                    let content = listening.reading(&account, subject.part, asking).await?;
                    listening.keep_answer(&account, &subject, content).await
                });
                work
            })
            .await;
        let Some(Stored { content, as_of, .. }) = self.last_known(account, &name).await? else {
            // If it was asked, it is gone already: who unlinks the account has the last word.
            return Err(asked
                .err()
                .unwrap_or(CallError::Unavailable { retry_after: None })
                .into());
        };
        Ok((content, as_of, asked.err()))
    }

    async fn last_known<T: DeserializeOwned>(
        &self,
        account: &Account,
        name: &str,
    ) -> Result<Option<Stored<T>>, CallError> {
        let kept = self.0.shelf.find::<Stored<T>>(&account.user, name).await?;
        let stored = kept.map(|kept| kept.content);
        Ok(stored.filter(|stored| stored.username == account.username))
    }

    async fn keep_answer<T>(&self, account: &Account, subject: &Subject, content: T) -> Result<(), CallError>
    where
        T: Serialize + DeserializeOwned + Send + Sync,
    {
        let before: Option<Kept<Stored<T>>> = self.0.shelf.find(&account.user, &subject.name).await?;
        let stored = Stored {
            username: account.username.clone(),
            as_of: self.0.system.now(),
            content,
        };
        let read = version_of(before.as_ref());
        self.keep(account, &subject.name, read, &stored, subject.life)
            .await
    }

    /// Keeps what was read of `account`, if it is still linked: who unlinks it has the last word, whatever is under way.
    pub(super) async fn keep(
        &self,
        account: &Account,
        name: &str,
        read: Version,
        content: &(impl Serialize + Sync),
        life: Duration,
    ) -> Result<(), CallError> {
        let written = self.0.shelf.put(&account.user, name, read, content, life).await?;
        if let Written::As(version) = written
            && !self.is_linked(account).await?
        {
            self.0.shelf.drop_read(&account.user, name, version).await?;
        }
        Ok(())
    }
}
