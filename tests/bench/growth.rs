//! A pass over as many due grants in ever larger databases: its cost is to follow what is due, not who is there.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use patchbay::{app::App, system::System};

use crate::{
    Effort, Failure,
    grants::{Filled, config},
    machine::now,
    median,
    provider::Provider,
};

/// A time limit that nothing here comes near.
const NO_LIMIT: Duration = Duration::from_hours(1);

struct Extent {
    /// Documents, due ones included.
    sizes: &'static [usize],
    due: usize,
    rounds: usize,
}

const FULL: Extent = Extent {
    sizes: &[1_000, 100_000, 1_000_000],
    due: 200,
    rounds: 5,
};

const SMOKE: Extent = Extent {
    sizes: &[40, 80],
    due: 10,
    rounds: 1,
};

/// Prints the table.
pub async fn run(effort: Effort) -> Result<(), Failure> {
    let extent = match effort {
        Effort::Full => &FULL,
        Effort::Smoke => &SMOKE,
    };
    let provider = Provider::start(Duration::ZERO).await?;
    println!(
        "| a pass over {} due on | documents | it takes, median of {} | beside the smallest | keys and documents that `mongod` looked at to list them |",
        extent.due, extent.rounds
    );
    println!("|---|---:|---:|---:|---:|");
    for filled in Filled::on_each(provider.url()).await? {
        passes(extent, &filled).await?;
    }
    Ok(())
}

async fn passes(extent: &Extent, filled: &Filled) -> Result<(), Failure> {
    let app = App::new(config(&filled.site)?, System::real(), None)?;
    // The first pass also pays for connections and certificates.
    filled.add_due("first", 1).await?;
    app.pass(NO_LIMIT).await?;
    let (mut there, mut quiet, mut smallest) = (1, 0, None);
    for &size in extent.sizes {
        let more = size.saturating_sub(there + extent.due * extent.rounds.min(1));
        filled.add_quiet("first-0", quiet, quiet + more).await?;
        quiet += more;
        there += more;
        let mut times_ms = Vec::new();
        // What SQLite reads is a test of its plan: `store/sqlite/users.rs`.
        let mut looks = String::from("–");
        for round in 0..extent.rounds {
            filled.add_due(&format!("due-{size}-{round}"), extent.due).await?;
            there += extent.due;
            let log = Log::begin(filled).await?;
            let began = now();
            let pass = app.pass(NO_LIMIT).await?;
            times_ms.push(began.elapsed().as_secs_f64() * 1_000.0);
            if pass.grants.renewed != extent.due {
                return Err(format!("of {} that were due: {pass:?}", extent.due).into());
            }
            if let Some(log) = log {
                looks = log.end().await?;
            }
        }
        let middle_ms = median(times_ms.into_iter());
        let first = *smallest.get_or_insert(middle_ms);
        println!(
            "| {} | {size} | {middle_ms:.0} ms | {:.2} | {looks} |",
            filled.name,
            middle_ms / first
        );
    }
    Ok(())
}

/// MongoDB's own log of what it looked at.
struct Log(mongodb::Database);

impl Log {
    async fn begin(filled: &Filled) -> Result<Option<Self>, Failure> {
        let Some(url) = &filled.mongodb else {
            return Ok(None);
        };
        let client = mongodb::Client::with_uri_str(url).await?;
        let database = client.default_database().ok_or("a database in the URL")?;
        database.collection::<Document>("system.profile").drop().await?;
        // Only the questions for due documents: the log is small and forgets.
        let listings = doc! { "command.find": "users", "command.sort": { "$exists": true } };
        database
            .run_command(doc! { "profile": 1, "filter": listings })
            .await?;
        Ok(Some(Self(database)))
    }

    /// What the questions made it look at, together.
    async fn end(self) -> Result<String, Failure> {
        self.0
            .run_command(doc! { "profile": 0, "filter": "unset" })
            .await?;
        let log = self.0.collection::<Document>("system.profile");
        let mut entries = log.find(doc! {}).await?;
        let (mut keys, mut documents) = (0, 0);
        while entries.advance().await? {
            let entry = entries.deserialize_current()?;
            keys += entry.get_i32("keysExamined")?;
            documents += entry.get_i32("docsExamined")?;
        }
        Ok(format!("{keys}, {documents}"))
    }
}
