//! How Last.fm says no: a code, a sentence, and an HTTP status (reference: Last.fm §7).

use crate::world::FaultKind;

/// A refused call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u8,
    pub(super) status: u16,
    pub(super) message: &'static str,
}

/// Code, HTTP status, sentence. The statuses of 2, 3, 4, 5, 9, 10, 11, 13, 14, 15, 16 and 29 are unconfirmed there.
const TABLE: [(u8, u16, &str); 17] = [
    (2, 400, "Invalid service - This service does not exist"),
    (
        3,
        400,
        "Invalid Method - No method with that name in this package",
    ),
    (
        4,
        403,
        "Authentication Failed - You do not have permissions to access the service",
    ),
    (
        5,
        400,
        "Invalid format - This service doesn't exist in that format",
    ),
    (
        6,
        400,
        "Invalid parameters - Your request is missing a required parameter",
    ),
    (7, 400, "Invalid resource specified"),
    (
        8,
        500,
        "Operation failed - Most likely the backend service failed. Please try again.",
    ),
    (9, 403, "Invalid session key - Please re-authenticate"),
    (
        10,
        403,
        "Invalid API key - You must be granted a valid key by last.fm",
    ),
    (
        11,
        503,
        "Service Offline - This service is temporarily offline. Try again later.",
    ),
    (13, 403, "Invalid method signature supplied"),
    (14, 403, "Unauthorized Token - This token has not been authorized"),
    (15, 403, "This token has expired"),
    (
        16,
        503,
        "The service is temporarily unavailable, please try again.",
    ),
    (17, 403, "Login: User required to be logged in"),
    (
        26,
        403,
        "API Key Suspended - This application is not allowed to make requests to the web services",
    ),
    (
        29,
        429,
        "Rate Limit Exceeded - This application has made too many requests in a short period. If this is your API \
         key, see https://www.last.fm/api/tos#4.4 for information about raising the limit.",
    ),
];

impl Refusal {
    /// The refusal with this code; one that does not exist here is error 8.
    pub(super) fn of(code: u8) -> Self {
        let row = TABLE.iter().find(|(known, ..)| *known == code);
        let &(code, status, message) = row.unwrap_or(&TABLE[6]);
        Self {
            code,
            status,
            message,
        }
    }

    /// Error 6 has another sentence, and another status, for somebody who does not exist.
    pub(super) fn unknown_user() -> Self {
        Self {
            code: 6,
            status: 404,
            message: "User not found",
        }
    }
}

impl FaultKind {
    /// An error of Last.fm's by its code, as JSON with its HTTP status: 8, 11, 16 and 29 pass by themselves in the
    /// real service. A code that the sandbox does not know is 8.
    #[must_use]
    pub fn lastfm_error(code: u8) -> Self {
        let Refusal {
            code,
            status,
            message,
        } = Refusal::of(code);
        let message = message.replace('/', "\\/");
        Self::json(status, &format!(r#"{{"message":"{message}","error":{code}}}"#))
    }
}
