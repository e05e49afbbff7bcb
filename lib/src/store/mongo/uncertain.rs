//! Whose last write may or may not stand: it was sent, and nobody said that a majority of the servers has it.
//!
//! The primary shows such a write to whoever looks, and may still lose it to the next primary. Who sent it and looks
//! whether it is there must not take that for a yes: so the next look asks for what no failover can take back.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::ids::UserId;

/// Users, with the number of their latest uncertain write.
#[derive(Default)]
pub(super) struct Uncertain(Mutex<Doubts>);

#[derive(Default)]
struct Doubts {
    /// Doubts so far.
    count: u64,
    of: HashMap<UserId, u64>,
}

impl Uncertain {
    /// The latest write about `id` is uncertain.
    pub(super) fn note(&self, id: &UserId) {
        let mut doubts = self.lock();
        doubts.count += 1;
        let number = doubts.count;
        doubts.of.insert(id.clone(), number);
    }

    /// The number of the doubt about `id`, if there is one.
    pub(super) fn about(&self, id: &UserId) -> Option<u64> {
        self.lock().of.get(id).copied()
    }

    /// What `id` stands at was found out, for certain, after this doubt; later ones stay.
    pub(super) fn forget(&self, id: &UserId, doubt: u64) {
        let mut doubts = self.lock();
        if doubts.of.get(id) == Some(&doubt) {
            doubts.of.remove(id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Doubts> {
        // Nothing inside the lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_settles_only_what_was_in_doubt_before_it() {
        let (uncertain, ana) = (Uncertain::default(), "ana".parse().expect("an id"));
        assert_eq!(uncertain.about(&ana), None);
        uncertain.note(&ana);
        let first = uncertain.about(&ana).expect("a doubt");
        uncertain.note(&ana);
        uncertain.forget(&ana, first);
        let second = uncertain.about(&ana).expect("the later doubt");
        uncertain.forget(&ana, second);
        assert_eq!(uncertain.about(&ana), None);
    }
}
