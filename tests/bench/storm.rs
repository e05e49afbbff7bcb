//! A thousand callers of ten processes want one token that has run out: how often the provider is asked, and how long
//! after its answer the last of them has the new token.
//!
//! The wait is counted from the first caller's request to the last caller's answer, so it holds what the machine needs to
//! take and to answer so many requests at all.

use std::{net::SocketAddr, time::Duration};

use sandbox::{Fault, FaultKind};

use crate::{
    Effort, Failure,
    crowd::Crowd,
    machine::now,
    median, mongod, person,
    process::{Member, Site},
};

/// The address at which tokens are renewed.
const TOKEN: &str = "/api/token";

/// The life of a token that is not worth handing out, and of one that is.
const TTLS_S: (i64, i64) = (1, 3_600);

struct Extent {
    processes: usize,
    callers_at_each: usize,
    latencies_ms: &'static [u64],
    rounds: usize,
}

const FULL: Extent = Extent {
    processes: 10,
    callers_at_each: 100,
    latencies_ms: &[50, 4_000],
    rounds: 9,
};

const SMOKE: Extent = Extent {
    processes: 2,
    callers_at_each: 5,
    latencies_ms: &[50],
    rounds: 1,
};

/// Prints the table.
pub async fn run(effort: Effort) -> Result<(), Failure> {
    let extent = match effort {
        Effort::Full => &FULL,
        Effort::Smoke => &SMOKE,
    };
    println!(
        "| {} callers over {} processes on | the provider takes | it is asked | slowest waiter beyond that, median of {} (worst) | goal |",
        extent.processes * extent.callers_at_each,
        extent.processes,
        extent.rounds
    );
    println!("|---|---:|---:|---:|---|");
    storms("one SQLite file", Site::new().await, extent).await?;
    if let Some(url) = mongod::fresh_database_url() {
        let mut site = Site::new().await;
        site.variables.insert("DATABASE_URL", url);
        storms("`mongod`", site, extent).await?;
    }
    Ok(())
}

async fn storms(database: &str, site: Site, extent: &Extent) -> Result<(), Failure> {
    let members: Vec<Member> = (0..extent.processes).map(|_| site.join()).collect();
    let addresses: Vec<SocketAddr> = members.iter().map(Member::address).collect();
    let first = members.first().ok_or("a process")?.url();
    for &latency_ms in extent.latencies_ms {
        let mut asked = 0;
        let mut waits_ms = Vec::new();
        for round in 0..extent.rounds {
            site.sandbox.world().set_token_ttl_s(TTLS_S.0);
            let name = format!("ana-{latency_ms}-{round}");
            let session = person::session(&first, &name).await?;
            site.sandbox.world().set_token_ttl_s(TTLS_S.1);
            let request = format!(
                "GET /api/spotify/status HTTP/1.1\r\nhost: patchbay\r\nconnection: close\r\ncookie: {session}\r\n\r\n"
            );
            let crowd = Crowd::gather(&addresses, extent.callers_at_each).await?;
            site.sandbox.world().clear_requests();
            let slow = Fault::on("POST", TOKEN, FaultKind::DelayMs(latency_ms));
            let slow = site.sandbox.world().fault(slow);

            let began = now();
            crowd.ask(&request).await?;
            let waited = began.elapsed().saturating_sub(Duration::from_millis(latency_ms));
            waits_ms.push(waited.as_secs_f64() * 1_000.0);
            let mut world = site.sandbox.world();
            world.remove_fault(slow);
            asked += world.count_grant_type("refresh_token");
        }
        let worst = waits_ms.iter().copied().fold(0.0, f64::max);
        println!(
            "| {database} | {latency_ms} ms | {asked} × in {} rounds | {:.0} ms ({worst:.0} ms) | ≤ 250 ms |",
            extent.rounds,
            median(waits_ms.into_iter())
        );
    }
    Ok(())
}
