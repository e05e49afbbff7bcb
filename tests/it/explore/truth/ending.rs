//! What has to be true in the end, when everything is mended and time enough has passed.

use patchbay::{
    grants::{GrantError, LiveToken},
    secret::Secret as _,
    store::{Collection, GrantStatus},
};

use crate::explore::{
    outside::{Life, State},
    provider::Name,
    world::ana,
};

impl State {
    /// Nothing is under way any more, and what happened has been told, once.
    pub fn must_be_settled(&mut self) {
        if !self.gate.is_empty() {
            self.truth.wrong("something still waits at the gate");
        }
        let untold = self.shelves.user(&ana()).outbox;
        let told = self
            .shelves
            .records_of(Collection::Events, &ana(), usize::MAX)
            .len();
        if !untold.is_empty() || told != self.truth.turns {
            let turns = self.truth.turns;
            self.truth.wrong(format!(
                "{turns} turns, of which {told} were told and are left {untold:?}"
            ));
        }
    }

    /// All who asked were answered, and nothing goes on behind their backs.
    pub fn must_be_quiet(&mut self, processes: usize) {
        let (answered, idle) = (self.truth.last_answers, self.truth.idle);
        if (answered, idle) != (processes, processes) {
            let told =
                format!("of {processes} who asked in the end {answered} were answered, {idle} came to rest");
            self.truth.wrong(told);
        }
    }

    /// Somebody asked in the end: they get a token that works, or hear why they cannot, and it is true.
    pub fn handed_out_in_the_end(&mut self, who: Life, outcome: &Result<LiveToken, GrantError>) {
        self.truth.last_answers += 1;
        match outcome {
            Ok(token) if self.provider.honours(token.token.expose(), self.now_ms) => {}
            Err(GrantError::NotConnected) if self.grant().is_none() => {}
            Err(GrantError::NeedsReauth(_))
                if self
                    .grant()
                    .is_some_and(|grant| grant.status == GrantStatus::NeedsReauth) => {}
            outcome => self.truth.wrong(format!(
                "in the end {who:?} hears {outcome:?} of {:?}",
                self.grant()
            )),
        }
    }

    /// A grant that lives is kept and works, and one that does not is called dead: none is silently stale. The only way
    /// to lose one is that the refresh token that replaced the stored one never reached a process, or died with it.
    pub fn must_have_kept_what_lives(&mut self) {
        let Some(grant) = self.grant() else { return };
        let stored = self.refresh_token_of(&grant);
        let live = stored.and_then(|stored| self.provider.live_refresh_token(stored.consent));
        let expected = if stored.is_some() && stored == live {
            GrantStatus::Connected
        } else {
            GrantStatus::NeedsReauth
        };
        if grant.status != expected {
            let told = format!("in the end the grant with {stored:?} is {:?}", grant.status);
            self.truth.wrong(told);
        }
        let (Some(stored), Some(live)) = (stored, live) else {
            return; // Erased, which was judged then, or revoked.
        };
        self.may_be_lost(stored, live);
    }

    /// What is stored is not what works: that may be only where the one that works reached nobody, or died with whom it
    /// reached.
    pub fn may_be_lost(&mut self, stored: Name, live: Name) {
        if stored == live {
            return;
        }
        self.truth.riches.lost += 1;
        let handed_to = self.provider.consents[live.consent].handed_to[live.number];
        if handed_to.is_some_and(|who| !self.truth.dead.contains(&who)) {
            let told = format!("{handed_to:?} got {live:?}, and {stored:?} is what is stored");
            self.truth.wrong(told);
        }
    }
}
