//! What a timer calls.

pub(super) mod refresh;
