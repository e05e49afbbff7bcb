//! `patchbay keys`: a fresh key ring.

use patchbay::{secret::Secret as _, system::RealEntropy, vault::KeyRing};

/// Prints the line for the environment. This is the one place where a key is shown.
pub(crate) fn run() {
    let (_, text) = KeyRing::generate(&RealEntropy);
    println!("SPOTIFY_USER_SECRET_KEY={}", text.expose());
}
