//! What a failure of the driver means for patchbay, without what it quotes.

use mongodb::error::{Error, ErrorKind, WriteFailure};

use crate::store::StoreError;

/// `DuplicateKey`: somebody else inserted first.
const DUPLICATE_KEY: i32 = 11_000;

/// `PathNotViable`: a path leads through something that is not an object.
const PATH_NOT_VIABLE: i32 = 28;

/// What the server said, by code only: its messages quote commands, and with them user ids and stored values.
#[derive(Debug, thiserror::Error)]
#[error("MongoDB answered with error {code} {name}")]
struct Refused {
    code: i32,
    name: String,
}

/// Whether an insert lost against another one.
pub(super) fn is_duplicate_key(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(write)) => write.code == DUPLICATE_KEY,
        // What an update that answers the document says.
        ErrorKind::Command(command) => command.code == DUPLICATE_KEY,
        _ => false,
    }
}

/// The failure in the store's words.
pub(super) fn of(error: Error) -> StoreError {
    match *error.kind {
        ErrorKind::Write(WriteFailure::WriteError(write)) if write.code == PATH_NOT_VIABLE => {
            StoreError::unreadable("the host application keeps something else in patchbay's fields")
        }
        ErrorKind::Write(WriteFailure::WriteError(write)) => {
            refused(write.code, write.code_name.unwrap_or_default())
        }
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => {
            refused(concern.code, concern.code_name)
        }
        ErrorKind::Command(command) => refused(command.code, command.code_name),
        ErrorKind::BsonDeserialization(_) | ErrorKind::BsonSerialization(_) | ErrorKind::Bson(_) => {
            StoreError::unreadable("the document does not have patchbay's shape")
        }
        _ => StoreError::unavailable(error),
    }
}

fn refused(code: i32, name: String) -> StoreError {
    StoreError::unavailable(Refused { code, name })
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        of(error)
    }
}
