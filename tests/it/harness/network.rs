//! The one HTTP client of the tests: plain HTTP to this machine, redirects left to the test.

use std::sync::OnceLock;

use reqwest::{Client, redirect::Policy};

/// A client that keeps no connection: the next request may be for the next process, or from the next test's runtime.
#[expect(
    clippy::disallowed_methods,
    reason = "the limits of the service's own client are not the tests'"
)]
pub fn client() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        // reqwest wants a choice even where nobody speaks TLS; whoever chose before, the service itself perhaps, was right.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .redirect(Policy::none())
            .pool_max_idle_per_host(0);
        client.build().expect("constant settings make a client")
    });
    client.clone()
}
