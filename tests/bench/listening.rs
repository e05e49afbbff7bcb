//! Whether two thousand people played five songs each: the calls that it takes beside the least that are possible, the time
//! beside what Last.fm's limit leaves, and the memory. Then once more, when everybody has played a little since.

use std::{sync::Arc, time::Duration};

use patchbay::{
    ids::UserId,
    limits::LASTFM,
    providers::lastfm::PLAYS_PER_PAGE_MAX,
    store::{DatabaseUrl, Edit, Store, StoredLastfm, UserChange, Version, Written},
    system::Timestamp,
};
use reqwest::{StatusCode, header};
use sandbox::{DEMO_LASTFM, Song};
use serde_json::{Value, json};
use tokio::task::{LocalSet, spawn_local};

use crate::{
    Effort, Failure,
    machine::{self, now},
    megabytes, network,
    process::Site,
};

/// Questions under way at a time, as of a site's own job.
const AT_ONCE: usize = 32;

/// Songs that each person is asked about.
const TARGETS: usize = 5;

/// How far back the window reaches.
const WINDOW_S: i64 = 7 * 24 * 60 * 60;

struct Extent {
    people: usize,
}

const FULL: Extent = Extent { people: 2_000 };

const SMOKE: Extent = Extent { people: 12 };

/// One person in ten listens all day.
const fn plays_of(person: usize) -> u32 {
    if person.is_multiple_of(10) { 450 } else { 60 }
}

/// Prints the table.
pub async fn run(effort: Effort) -> Result<(), Failure> {
    let extent = match effort {
        Effort::Full => &FULL,
        Effort::Smoke => &SMOKE,
    };
    LocalSet::new().run_until(rounds(extent)).await
}

async fn rounds(extent: &Extent) -> Result<(), Failure> {
    let mut site = Site::new().await;
    site.variables.insert("RUST_LOG", "error".to_owned());
    let began_s = site.sandbox.world().now_ms() / 1000;
    for person in 0..extent.people {
        listen(
            &site,
            person,
            began_s - WINDOW_S + 60,
            began_s - 60,
            plays_of(person),
        )?;
    }
    let member = site.join();
    link(&site, extent.people).await?;
    let mut sessions = Vec::new();
    for person in 0..extent.people {
        sessions.push(session(&member.url(), &name_of(person)).await?);
    }
    let sessions = Arc::new(sessions);

    println!(
        "| {} people, {TARGETS} songs each | calls | least possible | refused | it takes | calls ÷ rate | ratio | goal | memory before, after (most ever) | processor time a question |",
        extent.people
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---|---:|---:|");
    let pages = |plays: u32| plays.div_ceil(PLAYS_PER_PAGE_MAX);
    let least: u32 = (0..extent.people).map(|person| pages(plays_of(person))).sum();
    let since_ms = (began_s - WINDOW_S) * 1000;
    round(
        "asked for the first time",
        &site,
        &member,
        &sessions,
        since_ms,
        least,
    )
    .await?;
    let again_s = site.sandbox.world().now_ms() / 1000;
    for person in 0..extent.people {
        listen(&site, person, began_s + 1, again_s, 2)?;
    }
    let least = u32::try_from(extent.people)?;
    round(
        "asked again, two plays later",
        &site,
        &member,
        &sessions,
        since_ms,
        least,
    )
    .await
}

async fn round(
    what: &str,
    site: &Site,
    member: &crate::process::Member,
    sessions: &Arc<Vec<String>>,
    since_ms: i64,
    least: u32,
) -> Result<(), Failure> {
    site.sandbox.world().lastfm.reset_meter();
    let process = member.process.id();
    let (memory_before, _) = machine::memory(process)?;
    let cpu_before = machine::cpu_time(process)?;
    let began = now();
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|worker| {
            let (url, origin) = (member.url(), site.url().to_owned());
            let sessions = Arc::clone(sessions);
            spawn_local(async move {
                for person in (worker..sessions.len()).step_by(AT_ONCE) {
                    ask(&url, &origin, &sessions[person], person, since_ms).await?;
                }
                Ok::<_, Failure>(())
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    let took = began.elapsed();
    let cpu = machine::cpu_time(process)?.saturating_sub(cpu_before);
    let (memory_after, memory_most) = machine::memory(process)?;
    let meter = site.sandbox.world().lastfm.meter(DEMO_LASTFM.api_key);
    let calls = u32::try_from(meter.calls)?;
    let at_rate = Duration::from_millis(LASTFM.spacing_ms.into()) * calls.saturating_sub(LASTFM.capacity);
    println!(
        "| {what} | {calls} | {least} | {} | {:.1} s | {:.1} s | {:.3} | ≤ 1.05 | {:.1} MB, {:.1} MB ({:.1}) | {:.1} ms |",
        meter.refused,
        took.as_secs_f64(),
        at_rate.as_secs_f64(),
        took.as_secs_f64() / at_rate.as_secs_f64(),
        megabytes(memory_before),
        megabytes(memory_after),
        megabytes(memory_most),
        cpu.as_secs_f64() * 1000.0 / f64::from(u32::try_from(sessions.len())?),
    );
    Ok(())
}

/// Asks until there is a whole answer, and looks whether it is right.
#[expect(clippy::disallowed_methods, reason = "a real process is waited for")]
async fn ask(url: &str, origin: &str, session: &str, person: usize, since_ms: i64) -> Result<(), Failure> {
    let targets: Vec<Value> = (0..TARGETS)
        .map(|number| {
            let song = song(person, number);
            json!({"title": song.title, "artist": song.artist, "count": 3})
        })
        .collect();
    let body = json!({"since": since_ms, "targets": targets, "background": true});
    loop {
        let answer = network::client()
            .post(format!("{url}/api/lastfm/verify"))
            .header(header::COOKIE, session)
            .header(header::ORIGIN, origin)
            .json(&body)
            .send()
            .await?;
        let (status, told) = (answer.status(), answer.json::<Value>().await?);
        match status {
            StatusCode::OK if told["stale"] == false && told["partial"] == false => {
                if told["complete"] == true {
                    return Ok(());
                }
                return Err(format!("somebody did not play enough: {told}").into());
            }
            StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE => {
                let wait_ms = told["retryAfterMs"].as_u64().unwrap_or(1_000);
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            _ => return Err(format!("{status}: {told}").into()),
        }
    }
}

fn name_of(person: usize) -> String {
    format!("listener-{person}")
}

/// Songs by whoever is in the catalogue of a quest; everybody hears twenty of a hundred.
fn song(person: usize, number: usize) -> Song {
    let song = (person * 7 + number * 13) % 100;
    Song::new(
        &format!("The Number {} Quartet", song / 4),
        &format!("Ballad of Room {song}"),
    )
}

/// Lets a person play their songs in turn, so often in all, evenly over the time.
fn listen(site: &Site, person: usize, from_s: i64, to_s: i64, plays: u32) -> Result<(), Failure> {
    const SONGS: u32 = 20;
    let mut world = site.sandbox.world();
    let name = name_of(person);
    if world.lastfm.user(&name).is_none() {
        world.lastfm.add_user(&name)?;
    }
    for number in 0..SONGS.min(plays) {
        let times = plays / SONGS + u32::from(number < plays % SONGS);
        let song = song(person, usize::try_from(number)?);
        let offset = i64::from(number);
        world
            .lastfm
            .play_many(&name, &song, times, from_s + offset, to_s)?;
    }
    Ok(())
}

/// Links everybody's account, where linking them through Last.fm would be a call for each.
async fn link(site: &Site, people: usize) -> Result<(), Failure> {
    let url: DatabaseUrl = site.variables["DATABASE_URL"].parse()?;
    let store: Arc<dyn Store> = url.open()?;
    for person in 0..people {
        let user: UserId = format!("local:{}", name_of(person)).parse()?;
        let change = UserChange {
            lastfm: Edit::Put(StoredLastfm {
                username: name_of(person),
                connected_at: Timestamp::from_ms(site.sandbox.world().now_ms()),
                ..StoredLastfm::default()
            }),
            ..UserChange::default()
        };
        if store.write_user(&user, Version::ABSENT, &change).await? == Written::Conflict {
            return Err("somebody was there already".into());
        }
    }
    Ok(())
}

/// Signs in: the session's cookie.
async fn session(url: &str, name: &str) -> Result<String, Failure> {
    let signed_in = network::client()
        .post(format!("{url}/api/session"))
        .json(&json!({"name": name}))
        .send()
        .await?;
    let cookie = signed_in.headers().get(header::SET_COOKIE).ok_or("no cookie")?;
    Ok(cookie.to_str()?.split(';').next().unwrap_or_default().to_owned())
}
