//! Coming back from a provider's page: the rungs of refusals that are the same whatever was started, and the record of
//! the start, which is taken before anything that came along is used and has to be there still at the end.

use url::Url;

use super::{Connector, Flow, Refusal, matches, state::State};
use crate::{
    ids::{Slot, UserId},
    secret::{BrowserBinding, Secret as _},
    store::{StoreError, StoredPending, StoredPendingLink, UserDocument},
    system::Timestamp,
};

/// Who comes back, and what proves it.
#[derive(Debug, Default)]
pub struct Arrival {
    /// `state`.
    pub state: Option<String>,
    /// The binding cookies, by flow: which one counts, the state tells.
    pub bindings: Vec<(Flow, BrowserBinding)>,
    /// Who is signed in with this browser, where that is known.
    pub signed_in: Option<UserId>,
}

/// A connection that stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Finished {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub flow: Flow,
    /// Where the person goes on.
    pub return_to: Url,
}

/// Why nothing was connected.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
pub struct FinishError {
    /// Why.
    pub refusal: Refusal,
    /// What for, where that is known.
    pub flow: Option<Flow>,
    /// Where the person goes on; nowhere when the state is not ours.
    pub return_to: Option<Url>,
    /// Whether the pending record was used up. Otherwise who it belongs to can still finish it, whatever came here.
    pub used_up: bool,
}

/// What a start leaves behind, wherever in the document it lies.
pub(super) trait Waiting: Clone + Send + Sync {
    /// Which of several such records of one person.
    type At: Copy + Send + Sync;

    /// Where the record of this flow lies; nowhere when it is of another kind.
    fn at(flow: Flow) -> Option<Self::At>;

    /// The record that lies there.
    fn find(document: &mut UserDocument, at: Self::At) -> Option<&mut Self>;

    /// Drops what lies there.
    fn remove(document: &mut UserDocument, at: Self::At);

    /// What every such record has.
    fn terms(&self) -> Terms<'_>;

    /// Makes it match no callback any more.
    fn close(&mut self);

    /// Whether both are of the same start, closed or not.
    fn is_same(&self, other: &Self) -> bool;
}

/// On which terms a record is given out.
pub(super) struct Terms<'r> {
    state_hash: &'r str,
    binding_hash: &'r str,
    expires_at: Timestamp,
    return_to: &'r str,
}

/// Somebody who has climbed the ladder.
pub(super) struct Entered<W: Waiting> {
    pub(super) user: UserId,
    pub(super) at: W::At,
    /// The record as it was; what is stored of it is closed.
    pub(super) pending: W,
    flow: Flow,
    return_to: Url,
}

impl Connector {
    /// Climbs the ladder: of two callbacks with one state, one comes through.
    pub(super) async fn enter<W: Waiting>(&self, arrival: &Arrival) -> Result<Entered<W>, FinishError> {
        let now = self.system.now();
        let state_text = arrival.state.as_deref().filter(|state| !state.is_empty());
        let read = |text| -> Result<(State, W::At), Refusal> {
            let state = State::verify(text, &self.vault, now)?;
            // Signed by us, and for another way back: here it is as good as forged.
            let at = W::at(state.flow).ok_or(Refusal::InvalidState)?;
            Ok((state, at))
        };
        let (state, at) = state_text
            .ok_or(Refusal::MissingState)
            .and_then(read)
            .map_err(|refusal| FinishError {
                // Ours, only late: its person is at the end of the provider's page and wants to be told on ours.
                return_to: matches!(refusal, Refusal::StateExpired).then(|| self.settings.app_url.clone()),
                refusal,
                flow: None,
                used_up: false,
            })?;
        let (user, flow) = (state.user, state.flow);
        let taken = self
            .take_pending::<W>(&user, flow, at, state_text.unwrap_or_default(), arrival, now)
            .await;
        let pending = taken.map_err(|refusal| FinishError {
            refusal,
            flow: Some(flow),
            return_to: Some(self.settings.app_url.clone()),
            used_up: false,
        })?;
        let return_to = self.settings.app_url.join(pending.terms().return_to);
        let return_to = return_to.unwrap_or_else(|_| self.settings.app_url.clone());
        Ok(Entered {
            user,
            at,
            pending,
            flow,
            return_to,
        })
    }

    /// The pending record, taken. What stays of it until the end matches no callback; if it is gone by then, the person
    /// has disconnected, been erased or started anew meanwhile.
    async fn take_pending<W: Waiting>(
        &self,
        user: &UserId,
        flow: Flow,
        at: W::At,
        state: &str,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<W, Refusal> {
        if arrival
            .signed_in
            .as_ref()
            .is_some_and(|signed_in| signed_in != user)
        {
            return Err(Refusal::OtherPerson);
        }
        let binding = arrival
            .bindings
            .iter()
            .find(|(bound, _)| *bound == flow)
            .map(|(_, binding)| binding);
        let binding = binding.ok_or(Refusal::WrongBrowser)?;
        self.grants
            .change(user, |document| {
                let pending = W::find(document, at).ok_or(Refusal::StateUsed)?;
                let terms = pending.terms();
                if !matches(terms.state_hash, state) {
                    return Err(Refusal::StateUsed);
                }
                if !matches(terms.binding_hash, binding.expose()) {
                    return Err(Refusal::WrongBrowser);
                }
                if terms.expires_at <= now {
                    return Err(Refusal::StateExpired);
                }
                let taken = pending.clone();
                pending.close();
                Ok(taken)
            })
            .await
    }

    /// What became of who entered. What led to nothing leaves nothing behind.
    pub(super) async fn leave<W: Waiting>(
        &self,
        entered: Entered<W>,
        outcome: Result<(), Refusal>,
    ) -> Result<Finished, FinishError> {
        let Err(refusal) = outcome else {
            return Ok(Finished {
                user: entered.user,
                flow: entered.flow,
                return_to: entered.return_to,
            });
        };
        self.drop_taken(&entered).await;
        Err(FinishError {
            // Overtaken by a newer start of the same browser, the cookie is that one's.
            used_up: !matches!(refusal, Refusal::StateUsed),
            refusal,
            flow: Some(entered.flow),
            return_to: Some(entered.return_to),
        })
    }

    /// Drops what stayed of a pending record that led to nothing. If that fails, the sweep drops it.
    async fn drop_taken<W: Waiting>(&self, entered: &Entered<W>) {
        let dropped = self.grants.change(&entered.user, |document| {
            if W::find(document, entered.at).is_some_and(|found| found.is_same(&entered.pending)) {
                W::remove(document, entered.at);
            }
            Ok::<_, StoreError>(())
        });
        if let Err(error) = dropped.await {
            let flow = entered.flow;
            tracing::warn!(%flow, ?error, "a pending record that led to nothing stays until it is swept");
        }
    }
}

impl<W: Waiting> Entered<W> {
    /// Takes what stayed of the record out of `document`, in the write that makes the connection: if it is not there,
    /// somebody has decided otherwise meanwhile.
    pub(super) fn redeem(&self, document: &mut UserDocument) -> Result<(), Refusal> {
        let found = W::find(document, self.at).filter(|found| found.is_same(&self.pending));
        found.ok_or(Refusal::StateUsed)?;
        W::remove(document, self.at);
        Ok(())
    }
}

impl Waiting for StoredPending {
    type At = Slot;

    fn at(flow: Flow) -> Option<Slot> {
        match flow {
            Flow::Grant(slot) => Some(slot),
            Flow::Lastfm => None,
        }
    }

    fn find(document: &mut UserDocument, at: Slot) -> Option<&mut Self> {
        document.pending.get_mut(&at)
    }

    fn remove(document: &mut UserDocument, at: Slot) {
        document.pending.remove(&at);
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            state_hash: &self.state_hash,
            binding_hash: &self.binding_hash,
            expires_at: self.expires_at,
            return_to: &self.return_to,
        }
    }

    fn close(&mut self) {
        self.state_hash.clear();
        self.binding_hash.clear();
    }

    /// Every verifier is sealed with a nonce of its own.
    fn is_same(&self, other: &Self) -> bool {
        self.code_verifier_enc == other.code_verifier_enc
    }
}

impl Waiting for StoredPendingLink {
    type At = ();

    fn at(flow: Flow) -> Option<()> {
        match flow {
            Flow::Grant(_) => None,
            Flow::Lastfm => Some(()),
        }
    }

    fn find(document: &mut UserDocument, (): ()) -> Option<&mut Self> {
        document.pending_link.as_mut()
    }

    fn remove(document: &mut UserDocument, (): ()) {
        document.pending_link = None;
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            state_hash: &self.state_hash,
            binding_hash: &self.binding_hash,
            expires_at: self.expires_at,
            return_to: &self.return_to,
        }
    }

    fn close(&mut self) {
        self.state_hash.clear();
    }

    /// Every start has a binding of its own.
    fn is_same(&self, other: &Self) -> bool {
        self.binding_hash == other.binding_hash
    }
}
