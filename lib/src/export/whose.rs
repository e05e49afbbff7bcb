//! Whose an export is, and whose account it goes through.

use super::{
    Blocked, Caller, ExportError, Exporter, Mode, Request, Through,
    account::Account,
    halt::Halt,
    head::Head,
    id::digest_of,
    session::{Opened, Session},
};
use crate::{ids::UserId, secret::Secret as _, system::Timestamp};

/// A caller, and their account where finding out who they are opened it.
pub(super) struct Recognized<'a> {
    pub(super) owner: UserId,
    pub(super) opened: Option<Result<Opened<'a>, Halt>>,
}

impl Exporter {
    /// Whose exports `caller` may see. Asks Spotify for those who bring a token; one that is not accepted any more
    /// still has the exports that it began itself (through the operator's account).
    pub(super) async fn recognize(
        &self,
        caller: &Caller,
        deadline: Timestamp,
    ) -> Result<Recognized<'_>, ExportError> {
        let token = match caller {
            Caller::User(user) => {
                return Ok(Recognized {
                    owner: user.clone(),
                    opened: None,
                });
            }
            Caller::Bearer(token) => token,
        };
        let opened = Session::open(self, Account::Bearer(token.clone()), deadline).await;
        let name = match &opened {
            Ok((_, profile)) => format!("spotify:{}", profile.account_id),
            Err(Halt::Blocked(_)) => format!("token:{}", digest_of(&[token.expose()])),
            Err(Halt::Parked { until, why }) => {
                return Err(ExportError::Unavailable {
                    why: *why,
                    retry_after: until.since(self.system.now()),
                });
            }
            Err(Halt::Lost | Halt::Store(_)) => String::new(),
        };
        match (name.parse(), opened) {
            (_, Err(Halt::Store(error))) => Err(error.into()),
            (Ok(owner), opened) => Ok(Recognized {
                owner,
                opened: Some(opened),
            }),
            // An account id that is no user id has never been seen; nobody can own an export under it.
            (Err(_), _) => Err(ExportError::NotFound),
        }
    }

    /// The account that a new export goes through, opened.
    pub(super) async fn choose_account<'a>(
        &'a self,
        request: &Request,
        caller: &Caller,
        who: Recognized<'a>,
        deadline: Timestamp,
    ) -> Result<(Head, Result<Opened<'a>, Halt>), ExportError> {
        let own_mode = |through: Option<Through>| through.map_or(Mode::Byo, Mode::from);
        let (mut mode, mut opened) = match (request.through, caller) {
            (Some(Through::Owner), _) => {
                self.check_owner(caller)?;
                (Mode::Owner, Session::open(self, Account::Owner, deadline).await)
            }
            (_, Caller::Bearer(_)) => {
                let opened = who.opened.unwrap_or(Err(Halt::Blocked(Blocked::TokenExpired)));
                (Mode::Bearer, opened)
            }
            (through, Caller::User(_)) => {
                let mode = own_mode(through);
                (mode, self.open(mode, &who.owner, deadline).await)
            }
        };
        let unsaid = request.through.is_none() && mode == Mode::Byo;
        if unsaid && matches!(opened, Err(Halt::Blocked(Blocked::NotConnected))) {
            mode = Mode::Standard;
            opened = self.open(mode, &who.owner, deadline).await;
        }
        let mut head = Head::new(request, mode, self.system.now());
        if let Err(Halt::Blocked(blocked)) = opened {
            if !self.falls_back(&head, blocked) {
                return Err(self.not_begun(blocked, mode));
            }
            head.fall_back();
            opened = Session::open(self, Account::Owner, deadline).await;
        }
        match opened {
            Err(Halt::Blocked(blocked)) => Err(self.not_begun(blocked, head.mode)),
            Err(Halt::Store(error)) => Err(error.into()),
            opened => Ok((head, opened)),
        }
    }

    pub(super) fn check_owner(&self, caller: &Caller) -> Result<(), ExportError> {
        let owner = self.accounts.owner().ok_or(ExportError::OwnerNotConfigured)?;
        if matches!(caller, Caller::Bearer(_)) && !owner.open_to_bearers {
            return Err(ExportError::OwnerNeedsSignIn);
        }
        Ok(())
    }
}
