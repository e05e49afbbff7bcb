//! Killed at every step of a renewal: no grant is lost that can be kept, and one that cannot is never called healthy.

use std::{fs, net::TcpListener};

use sandbox::Rotation;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{GONE, database, rewrite, signed_in, stored};
use crate::harness::{
    browser::{Answer, Browser},
    clock::until,
    network,
    process::{Process, Site},
};

const ANA: &str = "local:ana";
const TOKEN: &str = "/api/token";
const STATUS: &str = "/api/spotify/status";
const POLL: &str = "/api/spotify/status?token=false";

const EXPIRES_AT: &str = "$.integrations.spotify.expiresAt";
const LEASE_UNTIL: &str = "$.integrations.spotify.lease.until";
const STATUS_SINCE: &str = "$.integrations.spotify.statusSince";

/// How far the renewal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The claim waits to be written.
    Begun,
    /// The claim is written, and the provider has not heard.
    Claimed,
    /// The provider has the request, and has not looked at it.
    Asked,
    /// The provider has renewed, and not answered.
    Served,
    /// The answer is there, and waits to be written.
    Answered,
    /// It is written, and nobody has been told.
    Written,
    /// The caller has the new token.
    Told,
}

impl Step {
    /// Token requests that the provider has seen by then.
    const fn asked(self) -> usize {
        match self {
            Self::Begun | Self::Claimed => 0,
            Self::Asked | Self::Served | Self::Answered | Self::Written | Self::Told => 1,
        }
    }

    /// The database has the outcome.
    const fn is_done(self) -> bool {
        matches!(self, Self::Written | Self::Told)
    }

    /// What the provider gave died with the process: all that is left of the grant, if it takes its token only once.
    const fn loses_the_answer(self) -> bool {
        matches!(self, Self::Served | Self::Answered)
    }
}

/// The table: a test for each step, against a provider that keeps the refresh token and one that replaces it.
macro_rules! killed_when {
    ($($name:ident: $step:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            for rotation in [Rotation::None, Rotation::RotateSingleUse] {
                killed_when(Step::$step, rotation).await;
            }
        }
    )+};
}

killed_when!(
    killed_before_the_claim_is_written: Begun,
    killed_after_the_claim_before_the_call_is_received: Claimed,
    killed_while_the_provider_works: Asked,
    killed_after_the_provider_has_renewed_before_it_says_so: Served,
    killed_with_the_answer_in_hand_before_it_is_written: Answered,
    killed_after_the_write_before_anybody_is_told: Written,
    killed_after_everything: Told,
);

async fn killed_when(step: Step, rotation: Rotation) {
    let what = format!("{step:?}, {rotation:?}");
    let mut site = Site::new().await;
    let service = site.serve();
    let mut ana = signed_in(&site, "ana").await;
    ana.connect("/api/spotify/auth-url").await;
    rewrite(&site, ANA, EXPIRES_AT, 0);
    site.sandbox.world().set_rotation(rotation);
    site.sandbox.world().clear_requests();
    come_to(step, &mut site, service, &ana).await;
    assert_eq!(renewals(&site), step.asked(), "{what}");

    let _service = site.serve();
    let poll = ana.get(POLL).await.expect(200);
    let expected = if step.is_done() {
        ("healthy", Value::Null)
    } else {
        ("degraded", json!("renewal_due"))
    };
    assert_eq!(
        (&poll["tokenHealth"], &poll["errorReason"], &poll["needsReauth"]),
        (&json!(expected.0), &expected.1, &json!(false)),
        "{what}"
    );
    // The dead process may still have its claim. Nobody waits here until that is over.
    let is_claimed = stored::<Option<i64>>(&site, ANA, LEASE_UNTIL).is_some();
    assert_eq!(is_claimed, !step.is_done() && step != Step::Begun, "{what}");
    if is_claimed {
        rewrite(&site, ANA, LEASE_UNTIL, 0);
    }

    let asked = step.asked() + usize::from(!step.is_done());
    if step.loses_the_answer() && rotation == Rotation::RotateSingleUse {
        is_marked_once(&site, &mut ana, asked, &what).await;
        let again = ana.connect("/api/spotify/auth-url").await.location();
        assert!(again.contains("auth=success"), "{what}: {again}");
    } else {
        is_well(&site, &mut ana, asked, &what).await;
        // The refresh token that is kept is a live one: it gets another token.
        rewrite(&site, ANA, EXPIRES_AT, 0);
        is_well(&site, &mut ana, asked + 1, &what).await;
    }
}

/// The status is good, and the token that comes with it is; so many token requests were made for all that.
async fn is_well(site: &Site, ana: &mut Browser, asked: usize, what: &str) {
    let status = ana.get(STATUS).await.expect(200);
    assert_eq!(
        (&status["tokenHealth"], &status["needsReauth"]),
        (&json!("healthy"), &json!(false)),
        "{what}"
    );
    let me = network::client()
        .get(format!("{}/me", site.sandbox.api_url()))
        .bearer_auth(status["accessToken"].as_str().expect("a token"));
    assert_eq!(me.send().await.expect("an answer").status(), 200, "{what}");
    assert_eq!(stored::<Option<i64>>(site, ANA, LEASE_UNTIL), None, "{what}");
    assert_eq!(renewals(site), asked, "{what}");
    assert_eq!(ends_told(site), 0, "{what}");
}

/// The person is told to reconnect. The provider said so once, and is not asked again by who asks for the token.
async fn is_marked_once(site: &Site, ana: &mut Browser, asked: usize, what: &str) {
    let mut marked_at = None;
    for path in [STATUS, POLL, STATUS] {
        let status = ana.get(path).await.expect(200);
        assert_eq!(
            (
                &status["tokenHealth"],
                &status["needsReauth"],
                &status["errorReason"]
            ),
            (&json!("needs_reauth"), &json!(true), &json!("grant_revoked")),
            "{what}"
        );
        assert_eq!(status["accessToken"], Value::Null, "{what}");
        let since = stored::<i64>(site, ANA, STATUS_SINCE);
        assert_eq!(*marked_at.get_or_insert(since), since, "{what}");
        assert_eq!(renewals(site), asked, "{what}");
        assert_eq!(ends_told(site), 1, "{what}");
    }
}

/// How often it was told that the grant ended.
fn ends_told(site: &Site) -> u32 {
    let sql = "SELECT count(*) FROM events WHERE owner = ?1 AND body ->> '$.kind' = 'ended'";
    let count = database(site).query_row(sql, [ANA], |row| row.get(0));
    count.expect("a count")
}

/// Lets a renewal come so far, kills its process, and takes away what held it up.
async fn come_to(step: Step, site: &mut Site, service: Process, ana: &Browser) {
    match step {
        Step::Begun => {
            let file = database(site);
            file.execute_batch("BEGIN IMMEDIATE")
                .expect("the file to ourselves");
            let waits = waits(&service);
            let caller = ask(ana);
            waits_for_the_file(&service, waits).await;
            killed(service, caller).await;
        }
        Step::Claimed => {
            service.kill();
            // Connections to it are made, and nobody takes them.
            let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = format!("http://{}", deaf.local_addr().expect("bound"));
            let real = site.variables.insert("SPOTIFY_ACCOUNTS_URL", address);
            let service = site.serve();
            let caller = ask(ana);
            is_claimed(site).await;
            killed(service, caller).await;
            site.variables
                .insert("SPOTIFY_ACCOUNTS_URL", real.expect("it was set"));
        }
        Step::Asked => {
            // Never released: what the provider does with it is not to depend on chance.
            site.sandbox.world().hold_next(TOKEN);
            let caller = ask(ana);
            site.sandbox.arrived(TOKEN).await;
            killed(service, caller).await;
        }
        Step::Served => {
            let caller = ask_until_served(site, ana).await;
            killed(service, caller).await;
            site.sandbox.world().release(TOKEN);
        }
        Step::Answered => {
            let caller = ask_until_served(site, ana).await;
            let file = database(site);
            file.execute_batch("BEGIN IMMEDIATE")
                .expect("the file to ourselves");
            let waits = waits(&service);
            site.sandbox.world().release(TOKEN);
            waits_for_the_file(&service, waits).await;
            killed(service, caller).await;
        }
        Step::Written => {
            let caller = ask_until_served(site, ana).await;
            // Nobody is told, because nobody listens any more; the renewal goes on.
            caller.abort();
            site.sandbox.world().release(TOKEN);
            until("the outcome is written", async || {
                stored::<i64>(site, ANA, EXPIRES_AT) > 0
            })
            .await;
            service.kill();
        }
        Step::Told => {
            let status = ask(ana).await.expect("no panic").expect(200);
            assert_eq!(status["tokenHealth"], "healthy");
            service.kill();
        }
    }
}

fn ask(ana: &Browser) -> JoinHandle<Answer> {
    let mut ana = ana.clone();
    tokio::spawn(async move { ana.get(STATUS).await })
}

async fn ask_until_served(site: &Site, ana: &Browser) -> JoinHandle<Answer> {
    site.sandbox.world().hold_next_answer(TOKEN);
    let caller = ask(ana);
    site.sandbox.arrived(TOKEN).await;
    caller
}

async fn is_claimed(site: &Site) {
    until("the claim is written", async || {
        stored::<Option<i64>>(site, ANA, LEASE_UNTIL).is_some()
    })
    .await;
}

async fn killed(service: Process, caller: JoinHandle<Answer>) {
    service.kill();
    assert_eq!(caller.await.expect("an answer").status, GONE);
}

/// Waits until the process has come to a write that it cannot do: SQLite then sleeps and looks, again and again.
async fn waits_for_the_file(service: &Process, before: u64) {
    const ENOUGH_TO_BE_SURE: u64 = 5;
    until("the process waits for the file", async || {
        waits(service) >= before + ENOUGH_TO_BE_SURE
    })
    .await;
}

/// How often the thread that writes has gone to sleep so far (Linux: `proc_pid_status(5)`). One that has nothing to
/// write sleeps once, until it has.
fn waits(service: &Process) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", service.id())).expect("a process");
    let mut counts = tasks.filter_map(|task| {
        let status = fs::read_to_string(task.ok()?.path().join("status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::trim)
        };
        if field("Name:") != Some("patchbay-sqlite") {
            return None;
        }
        field("voluntary_ctxt_switches:")?.parse::<u64>().ok()
    });
    counts.next().expect("a thread that writes")
}

fn renewals(site: &Site) -> usize {
    site.sandbox.world().count_grant_type("refresh_token")
}
