//! What has to be true, and whether it was: the whole history as somebody sees it who sees everything.
//!
//! Times here are true ones. The clocks of the processes are ahead of them, each by its own skew.

mod ending;
mod written;

use std::{
    collections::{HashMap, HashSet},
    fmt::Display,
    ops::AddAssign,
    time::Duration,
};

use http::Request;
use patchbay::{
    grants::{GrantError, Health, LEASE, LiveToken, Standing},
    providers::TOKEN_CALL_TIMEOUT,
    secret::{AccessToken, Secret},
    store::{GrantStatus, StoredGrant},
    system::CLOCK_SKEW_MAX,
    vault::{Place, Purpose, Vault},
};

use super::{
    outside::{Life, State, Waiting},
    process::master_vault,
    provider::Name,
    world::{SLOT, ana},
};

/// A call of the store that takes longer than a renewal keeps for it is trouble.
pub const SLOW_MS: i64 = 5000;

/// The right to renew, as it was written.
#[derive(Debug)]
struct Claim {
    who: Life,
    generation: u64,
    /// When its holder looked at the clock.
    taken_ms: i64,
    until_ms: i64,
    /// Whether its holder gave it back, or settled it.
    released: bool,
}

/// A renewal that a process asked the provider for.
#[derive(Debug)]
struct Asked {
    holder: String,
    consent: usize,
    generation: u64,
    end: Option<End>,
}

/// What the process that asked knows of the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Renewed,
    Failed,
}

/// What a history was rich in. A search that comes upon none of these finds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Riches {
    /// Renewals that the provider was asked for.
    pub asked: usize,
    /// Claims that were taken over.
    pub overtaken: usize,
    /// Grants that were called dead and came back.
    pub recovered: usize,
    /// Grants whose only refresh token died with a process or on its way.
    pub lost: usize,
}

impl AddAssign for Riches {
    fn add_assign(&mut self, other: Self) {
        self.asked += other.asked;
        self.overtaken += other.overtaken;
        self.recovered += other.recovered;
        self.lost += other.lost;
    }
}

pub struct Truth {
    pub riches: Riches,
    vault: Vault,
    /// Sealed texts that were opened, because that is most of the work.
    opened: HashMap<String, Option<Name>>,
    wrong: Option<String>,
    claims: HashMap<String, Claim>,
    last_claim: HashMap<Life, String>,
    asked: Vec<Asked>,
    /// When something last went wrong for a process.
    troubled_ms: HashMap<Life, i64>,
    dead: HashSet<Life>,
    /// Consents below this number have been disconnected or replaced.
    over_below: usize,
    highest_generation: u64,
    /// How far each process is ahead.
    pub skews_ms: Vec<i64>,
    /// How often the status of a grant turned: as many events there are to be.
    turns: usize,
    /// Whether there are processes that cannot open everything.
    pub keys_differ: bool,
    /// How many asked and were answered in the end.
    pub last_answers: usize,
    /// How many have nothing under way in the end.
    pub idle: usize,
}

impl Truth {
    pub fn new(skews_ms: Vec<i64>) -> Self {
        Self {
            riches: Riches::default(),
            vault: master_vault(),
            opened: HashMap::new(),
            wrong: None,
            claims: HashMap::new(),
            last_claim: HashMap::new(),
            asked: Vec::new(),
            troubled_ms: HashMap::new(),
            dead: HashSet::new(),
            over_below: 0,
            highest_generation: 0,
            skews_ms,
            turns: 0,
            keys_differ: false,
            last_answers: 0,
            idle: 0,
        }
    }

    /// Notes what must not be. The first counts: the rest often follows from it.
    pub fn wrong(&mut self, what: impl Display) {
        self.wrong.get_or_insert_with(|| what.to_string());
    }

    pub fn verdict(&self) -> Result<(), String> {
        self.wrong.clone().map_or(Ok(()), Err)
    }

    /// Something went wrong for a process that excuses it for being late: it stood still, or the store or the provider
    /// failed it.
    pub fn disturbed(&mut self, who: Life, now_ms: i64) {
        self.troubled_ms.insert(who, now_ms);
    }

    pub fn died(&mut self, who: Life) {
        self.dead.insert(who);
    }

    /// These consents are disconnected.
    pub fn ended_before(&mut self, consent: usize) {
        self.over_below = self.over_below.max(consent);
    }

    /// The name of the token sealed in `sealed`.
    fn open<P: Purpose>(&mut self, sealed: &str) -> Option<Name> {
        if let Some(name) = self.opened.get(sealed) {
            return *name;
        }
        let user = ana();
        let secret: Option<P> = self.vault.open(sealed, Place::grant(&user, SLOT)).ok();
        let name = secret.and_then(|secret| Name::of(secret.expose()));
        self.opened.insert(sealed.to_owned(), name);
        name
    }

    /// A process sends a request. When it is a renewal, its number.
    ///
    /// Never two for one generation of one consent, unless the earlier one failed as far as its process knows and it
    /// has said so by giving the claim back; or the claim ran out while something excused its holder.
    pub fn asks(
        &mut self,
        who: Life,
        request: &Request<Vec<u8>>,
        now_ms: i64,
        gate: &[Waiting],
    ) -> Option<usize> {
        let form = url::form_urlencoded::parse(request.body());
        let token = form.filter(|(name, _)| name == "refresh_token").last()?.1;
        let consent = Name::of(&token)?.consent;
        let Some(holder) = self.last_claim.get(&who).cloned() else {
            self.wrong(format!("{who:?} asks without a claim"));
            return None;
        };
        let claim = &self.claims[&holder];
        let local_ms = now_ms + self.skews_ms[who.process];
        if local_ms + ms(TOKEN_CALL_TIMEOUT) > claim.until_ms {
            self.wrong(format!("{who:?} asks although its claim may run out meanwhile"));
        }
        let generation = self.claims[&holder].generation;
        let unexplained = self
            .asked
            .iter()
            .enumerate()
            .filter(|(_, earlier)| (earlier.consent, earlier.generation) == (consent, generation))
            .find(|(number, earlier)| !self.explains(*number, earlier, &holder, now_ms, gate));
        if let Some((_, earlier)) = unexplained {
            let told =
                format!("{who:?} asks for generation {generation}, for which {earlier:?} asked before");
            self.wrong(told);
        }
        self.riches.asked += 1;
        self.asked.push(Asked {
            holder,
            consent,
            generation,
            end: None,
        });
        Some(self.asked.len() - 1)
    }

    /// Whether a renewal may be asked for once more after `earlier`.
    fn explains(&self, number: usize, earlier: &Asked, holder: &str, now_ms: i64, gate: &[Waiting]) -> bool {
        let claim = &self.claims[&earlier.holder];
        let is_awaited = gate
            .iter()
            .any(|waiting| waiting.renewal == Some(number) && waiting.is_wanted());
        let has_failed = earlier.end.map_or(!is_awaited, |end| end == End::Failed);
        let has_said_so = claim.released && has_failed && earlier.holder != holder;
        let has_run_out = now_ms >= claim.taken_ms + ms(LEASE);
        has_said_so || (has_run_out && self.is_excused(claim.who, claim.taken_ms, now_ms, gate))
    }

    /// Whether something went wrong for this process since then.
    fn is_excused(&self, who: Life, since_ms: i64, now_ms: i64, gate: &[Waiting]) -> bool {
        let troubled = self.troubled_ms.get(&who).is_some_and(|at| *at >= since_ms);
        let waits = gate
            .iter()
            .any(|waiting| waiting.who == who && now_ms - waiting.since_ms >= SLOW_MS);
        self.dead.contains(&who) || troubled || waits
    }

    /// The outcome of a renewal reaches the process that asked.
    pub fn answered(&mut self, renewal: Option<usize>, end: End) {
        if let Some(number) = renewal {
            self.asked[number].end = Some(end);
        }
    }
}

/// Somebody who wants a token.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub min_life: Duration,
    /// The token that there was when they came; none when it is the very one that they do not want.
    generation: Option<u64>,
}

impl State {
    /// Somebody wants a token that lives for so long.
    pub fn wish(&self, min_life: Duration) -> Wish {
        Wish {
            min_life,
            generation: self.grant().map(|grant| grant.generation),
        }
    }

    /// Somebody wants another token.
    pub fn wish_for_another(&self) -> Wish {
        Wish {
            generation: None,
            ..self.wish(Duration::ZERO)
        }
    }

    pub fn grant(&self) -> Option<StoredGrant> {
        self.shelves.user(&ana()).integrations.remove(&SLOT)
    }

    /// Somebody got this for an answer. A token has to be one that the provider takes at this moment.
    pub fn handed_out(&mut self, who: Life, wish: Wish, outcome: &Result<LiveToken, GrantError>) {
        match outcome {
            Ok(token) => {
                let text = token.token.expose();
                let revoked = Name::of(text).is_some_and(|name| self.provider.consents[name.consent].revoked);
                if !revoked && !self.provider.honours(text, self.now_ms) {
                    self.truth
                        .wrong(format!("{who:?} hands out {text}, which is dead"));
                }
            }
            Err(GrantError::NeedsReauth(reason)) => {
                let refused = self.provider.consents.iter().any(|consent| consent.refusals > 0);
                if !refused {
                    let told =
                        format!("{who:?} sends Ana to the consent page ({reason}), and nobody was refused");
                    self.truth.wrong(told);
                }
            }
            Err(GrantError::Sealed(_)) if self.truth.keys_differ => {}
            Err(error @ (GrantError::Sealed(_) | GrantError::BrokeOff | GrantError::NoOperatorApp)) => {
                self.truth.wrong(format!("{who:?} answers {error:?}"));
            }
            Err(GrantError::AppError(_) | GrantError::ProviderUnavailable { .. }) => {
                self.had_nothing_left(who, wish);
            }
            Err(GrantError::NotConnected | GrantError::Store(_)) => {}
        }
    }

    /// A renewal that failed costs nobody the life that is left of the token.
    fn had_nothing_left(&mut self, who: Life, wish: Wish) {
        let Some(grant) = self
            .grant()
            .filter(|grant| Some(grant.generation) == wish.generation)
        else {
            return; // It came while they were told, or there is nothing to begin with.
        };
        let sealed = grant.access_token_enc.as_deref().unwrap_or_default();
        let name = self.truth.open::<AccessToken>(sealed);
        let left = name.is_some_and(|name| {
            let until_ms = self.provider.consents[name.consent].access_until_ms[name.number];
            until_ms - self.now_ms > ms(wish.min_life + 2 * CLOCK_SKEW_MAX)
        });
        if left && grant.status != GrantStatus::NeedsReauth {
            self.truth
                .wrong(format!("{who:?} has {name:?} and does not hand it out"));
        }
    }

    /// What a process says of the grant. Healthy means that there is a token which works, except that nobody can know of
    /// a grant that was ended at the provider.
    pub fn seen(&mut self, who: Life, grant: &StoredGrant, standing: Standing) {
        if standing.health != Health::Healthy {
            return;
        }
        let sealed = grant.access_token_enc.as_deref().unwrap_or_default();
        let Some(name) = self.truth.open::<AccessToken>(sealed) else {
            return self.truth.wrong(format!("{who:?} says healthy without a token"));
        };
        let text = format!("access-{}-{}", name.consent, name.number);
        let revoked = self.provider.consents[name.consent].revoked;
        if !revoked && !self.provider.honours(&text, self.now_ms) {
            self.truth
                .wrong(format!("{who:?} says healthy of {text}, which is dead"));
        }
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).expect("a test's span fits")
}
