//! Connecting: what patchbay insists on, what the address may decide, and the indexes.

use std::time::Duration;

use mongodb::{
    Client, Database, IndexModel,
    bson::{Document, doc},
    error::ErrorKind,
    options::{Acknowledgment, ClientOptions, IndexOptions, WriteConcern},
};

use super::{failure, users::USERS};
use crate::{
    secret::{DatabaseAddress, Secret},
    store::{
        Collection, StoreError,
        fields::{DEAD, NEXT_DUE_AT},
    },
};

/// The database where the address names none.
const DATABASE: &str = "patchbay";

/// Who we are in the server's log.
const APP_NAME: &str = "patchbay";

/// How long to look for a primary. The driver's 30 s would outlive a renewal's lease; this still outlives an election
/// between servers that are tuned for it.
const SERVER_SELECTION_TIMEOUT_MS: u64 = 5_000;

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT_MS: u64 = 3_000;

/// How long a write waits for its majority before it is reported as not certain.
const WRITE_CONCERN_TIMEOUT_MS: u64 = 10_000;

/// A client for the address. The driver connects behind it, when asked.
pub(super) async fn connect(address: &DatabaseAddress) -> Result<Database, StoreError> {
    let mut options = ClientOptions::parse(address.expose())
        .await
        .map_err(refused_address)?;
    options.app_name.get_or_insert_with(|| APP_NAME.to_owned());
    options
        .server_selection_timeout
        .get_or_insert(Duration::from_millis(SERVER_SELECTION_TIMEOUT_MS));
    options
        .connect_timeout
        .get_or_insert(Duration::from_millis(CONNECT_TIMEOUT_MS));
    options.retry_writes.get_or_insert(true);
    options.retry_reads.get_or_insert(true);

    // Not the address's to decide. A refresh token that one server took and lost in a failover is a lost grant, and
    // a secondary would show versions that are over.
    let wait = options
        .write_concern
        .as_ref()
        .and_then(|concern| concern.w_timeout);
    let mut concern = WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .build();
    concern.w_timeout = wait.or(Some(Duration::from_millis(WRITE_CONCERN_TIMEOUT_MS)));
    options.write_concern = Some(concern);
    options.selection_criteria = None;

    let name = options
        .default_database
        .clone()
        .unwrap_or_else(|| DATABASE.to_owned());
    let client = Client::with_options(options).map_err(refused_address)?;
    Ok(client.database(&name))
}

/// What the driver says of an address it cannot use may quote it.
fn refused_address(error: mongodb::error::Error) -> StoreError {
    match *error.kind {
        ErrorKind::InvalidArgument { .. } => {
            StoreError::unavailable("the driver refuses the database address")
        }
        _ => failure::of(error),
    }
}

/// Makes the indexes that are not there yet. A server that refuses (the account may not, or the host application has an
/// index of that kind under other options) is only slower without: the log says so, and nothing stops. A server that
/// cannot be reached is asked again next time.
pub(super) async fn create_indexes(database: &Database) -> Result<(), StoreError> {
    create_index(database, USERS, index(doc! { NEXT_DUE_AT: 1, "_id": 1 })).await?;
    // Only of who has something to be counted: most have nothing.
    let waiting = IndexOptions::builder()
        .partial_filter_expression(doc! { DEAD: { "$gt": 0 } })
        .build();
    let dead = IndexModel::builder()
        .keys(doc! { DEAD: 1 })
        .options(waiting)
        .build();
    create_index(database, USERS, dead).await?;
    for collection in Collection::ALL {
        let name = collection.as_str();
        create_index(database, name, index(doc! { "dueAt": 1, "_id": 1 })).await?;
        create_index(database, name, index(doc! { "owner": 1, "written": 1 })).await?;
    }
    Ok(())
}

fn index(keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).build()
}

async fn create_index(database: &Database, collection: &str, index: IndexModel) -> Result<(), StoreError> {
    let Err(error) = database
        .collection::<Document>(collection)
        .create_index(index)
        .await
    else {
        return Ok(());
    };
    let refused = matches!(*error.kind, ErrorKind::Command(_));
    let error = failure::of(error);
    if !refused {
        return Err(error);
    }
    tracing::warn!(collection, error = ?error, "an index could not be made; searching without it is slow");
    Ok(())
}
