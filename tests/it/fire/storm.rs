//! A thousand callers of ten processes want the same token, which has run out: the provider is asked once.

use std::{collections::BTreeSet, net::SocketAddr};

use sandbox::{Fault, FaultKind};
use serde_json::Value;

use super::{TOKEN, is_accepted, on_mongodb, on_sqlite, renewals, with_a_token_that_has_run_out};
use crate::harness::{
    browser::Browser,
    crowd::Crowd,
    process::{Member, Site},
};

const PROCESSES: usize = 10;
const CALLERS_EACH: usize = 100;

/// What a provider takes on a good day and on a bad one.
const LATENCIES_MS: [u64; 2] = [50, 4_000];

#[tokio::test]
async fn one_of_a_thousand_callers_renews_over_one_file() {
    one_of_a_thousand_callers_renews(&on_sqlite().await).await;
}

#[tokio::test]
async fn one_of_a_thousand_callers_renews_over_mongodb() {
    if let Some(site) = on_mongodb().await {
        one_of_a_thousand_callers_renews(&site).await;
    }
}

async fn one_of_a_thousand_callers_renews(site: &Site) {
    let members: Vec<Member> = (0..PROCESSES).map(|_| site.join()).collect();
    let addresses: Vec<SocketAddr> = members.iter().map(Member::address).collect();
    for latency_ms in LATENCIES_MS {
        let person = with_a_token_that_has_run_out(site, &members[0], &format!("ana-{latency_ms}")).await;
        let crowd = Crowd::gather(&addresses, CALLERS_EACH)
            .await
            .expect("connections");
        site.sandbox.world().clear_requests();
        let slow = Fault::on("POST", TOKEN, FaultKind::DelayMs(latency_ms));
        let slow = site.sandbox.world().fault(slow);

        let answers = crowd
            .ask(&request(&person))
            .await
            .expect("an answer for everybody");
        site.sandbox.world().remove_fault(slow);
        assert_eq!(renewals(site), 1, "at {latency_ms} ms");
        assert_eq!(answers.len(), PROCESSES * CALLERS_EACH);
        let tokens: BTreeSet<_> = answers.iter().map(|answer| token(answer)).collect();
        assert_eq!(tokens.len(), 1, "everybody has the same one, at {latency_ms} ms");
        for token in tokens {
            assert!(is_accepted(site, &token).await, "at {latency_ms} ms");
        }
    }
}

fn request(person: &Browser) -> String {
    let cookies: Vec<_> = person
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!(
        "GET /api/spotify/status HTTP/1.1\r\nhost: patchbay\r\nconnection: close\r\ncookie: {}\r\n\r\n",
        cookies.join("; ")
    )
}

fn token(status: &str) -> String {
    let status: Value = serde_json::from_str(status).expect("JSON");
    assert_eq!(status["tokenHealth"], "healthy", "{status}");
    status["accessToken"].as_str().expect("a token").to_owned()
}
