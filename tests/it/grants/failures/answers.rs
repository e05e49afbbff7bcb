//! The table: what the provider can answer to a renewal, and what each answer is taken for.

use std::time::Duration;

use patchbay::store::GrantStatus;
use sandbox::FaultKind;

use crate::grants::MIN;

/// What becomes of a renewal. What is kept of the refresh token and of the generation is the same in all: everything.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    /// `tokenHealth` and `errorReason` of the status answer, which is a 200 without a token.
    pub health: (&'static str, &'static str),
    /// Status and code of an export's answer.
    pub export: (u16, &'static str),
    /// What is stored: the status, and its reason in the same words as `health`'s.
    pub status: GrantStatus,
    /// Renewals that failed in a row.
    pub failures: u32,
    /// Whether the access token stays: for the life that it has left, or for nothing.
    pub keeps_access: bool,
    /// When the provider is asked again.
    pub next: Next,
    /// Where it is counted.
    pub bucket: &'static str,
}

/// When the provider is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// After half a second to one, by whoever comes; the first step of the back-off.
    BackOff,
    /// After just this long, by whoever comes.
    After(Duration),
    /// After just this long, by the sweep; whoever comes hears that it is over, and nobody is asked for them.
    Checked(Duration),
}

/// The person has to consent again.
pub const OVER: Verdict = Verdict {
    health: ("needs_reauth", "grant_revoked"),
    export: (409, "needs_reauth"),
    status: GrantStatus::NeedsReauth,
    failures: 0,
    keeps_access: false,
    next: Next::Checked(Duration::from_mins(10)),
    bucket: "revoked",
};

/// The app's owner has to mend the app.
pub const APP: Verdict = Verdict {
    health: ("app_error", "client_refused"),
    export: (409, "app_error"),
    status: GrantStatus::AppError,
    failures: 1,
    keeps_access: true,
    // Who mends it looks soon; the sweep asks only every hour.
    next: Next::After(MIN),
    bucket: "app_error",
};

/// Nothing is known: it may pass.
pub const PASSING: Verdict = Verdict {
    health: ("degraded", "renewal_failing"),
    export: (202, "provider_unavailable"),
    status: GrantStatus::Connected,
    failures: 1,
    keeps_access: true,
    next: Next::BackOff,
    bucket: "transient",
};

const fn passing_after(pause: Duration) -> Verdict {
    Verdict {
        next: Next::After(pause),
        ..PASSING
    }
}

/// One answer.
#[derive(Debug)]
pub struct Row {
    pub answer: FaultKind,
    pub verdict: Verdict,
}

/// A refusal in the words of RFC 6749 §5.2.
fn refusal(status: u16, code: &str, description: &str) -> FaultKind {
    let body = serde_json::json!({"error": code, "error_description": description});
    FaultKind::json(status, &body.to_string())
}

fn retry_after(status: u16, value: &str) -> FaultKind {
    FaultKind::RetryAfter {
        status,
        value: value.to_owned(),
    }
}

/// More than any token answer, and more than is read.
fn endless(status: u16, start: &str) -> FaultKind {
    FaultKind::json(status, &format!("{start}\"{}\"}}", "x".repeat(100_000)))
}

/// Every row. It is 13:00 when the provider is asked, on the day on which the tests' clock starts.
pub fn answers() -> Vec<Row> {
    let sections = [
        over(),
        app(),
        refused_for_other_reasons(),
        not_the_documented_json(),
        not_able_to_answer(),
        no_answer(),
        successes_without_a_token(),
    ];
    sections.into_iter().flatten().collect()
}

fn rows<const N: usize>(verdict: Verdict, answers: [FaultKind; N]) -> Vec<Row> {
    answers
        .into_iter()
        .map(|answer| Row { answer, verdict })
        .collect()
}

/// `invalid_grant`, in every wording of the three providers and in none.
fn over() -> Vec<Row> {
    let with = |description| refusal(400, "invalid_grant", description);
    rows(
        OVER,
        [
            with("Refresh token revoked"),
            with("Invalid refresh token"),
            with("User does not exist"),
            with("Invalid \"refresh_token\" in request"),
            with("Invalid \"refresh_token\" in request."),
            with("Token has been expired or revoked."),
            with("Bad Request"),
            FaultKind::json(
                400,
                r#"{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_subtype":"invalid_rapt"}"#,
            ),
            with(""),
            FaultKind::json(400, r#"{"error":"invalid_grant"}"#),
            FaultKind::json(
                400,
                r#"{"error":"invalid_grant","error_description":null,"more":[1]}"#,
            ),
            refusal(401, "invalid_grant", "Refresh token revoked"),
            refusal(403, "invalid_grant", "Refresh token revoked"),
        ],
    )
}

/// The app is named, by 400 (Spotify) or 401 (RFC 6749, Discord, Google).
fn app() -> Vec<Row> {
    rows(
        APP,
        [
            refusal(400, "invalid_client", "Invalid client secret"),
            refusal(400, "invalid_client", "Invalid client"),
            FaultKind::json(400, r#"{"error":"invalid_client"}"#),
            refusal(401, "invalid_client", "Unauthorized"),
            FaultKind::json(401, r#"{"error":"invalid_client"}"#),
            refusal(400, "unauthorized_client", ""),
            refusal(401, "unauthorized_client", "Unauthorized"),
        ],
    )
}

/// Refusals that speak of the request, or of nothing that is known: nothing is said about the grant.
fn refused_for_other_reasons() -> Vec<Row> {
    rows(
        PASSING,
        [
            refusal(400, "invalid_request", "refresh_token must be supplied"),
            // Discord's word for a burnt token means nothing from Spotify.
            refusal(400, "invalid_request", "Invalid \"refresh_token\" in request."),
            refusal(400, "unsupported_grant_type", "grant_type parameter is missing"),
            refusal(400, "invalid_scope", ""),
            refusal(400, "server_error", ""),
            refusal(400, "temporarily_unavailable", "invalid_grant"),
            refusal(415, "server_error", "Unexpected status: 415"),
            refusal(400, "INVALID_GRANT", ""),
        ],
    )
}

/// Answers of a 4xx that are no refusal that could be parsed.
fn not_the_documented_json() -> Vec<Row> {
    rows(
        PASSING,
        [
            FaultKind::text(400, "invalid_grant"),
            FaultKind::json(400, r#""invalid_grant""#),
            FaultKind::json(400, r#"["invalid_grant"]"#),
            FaultKind::json(400, r#"{"error":{"status":400,"message":"invalid_grant"}}"#),
            FaultKind::json(400, r#"{"error_description":"invalid_grant"}"#),
            FaultKind::json(400, r#"{"error":"invalid_grant""#),
            FaultKind::json(400, r#"{"error":"invalid_grant"}<html>"#),
            FaultKind::json(400, ""),
            endless(400, r#"{"error":"invalid_grant","error_description":"#),
            FaultKind::html(400),
            FaultKind::html(401),
            FaultKind::html(403),
            FaultKind::text(403, "Forbidden"),
            FaultKind::text(404, ""),
        ],
    )
}

/// Statuses that speak of the server: a gateway's words about a grant are not the provider's.
fn not_able_to_answer() -> Vec<Row> {
    let passing = [
        FaultKind::text(408, ""),
        FaultKind::text(425, ""),
        FaultKind::text(429, "Too many requests"),
        FaultKind::html(429),
        refusal(408, "invalid_grant", ""),
        refusal(429, "invalid_grant", ""),
        retry_after(429, "0"),
        retry_after(429, "soon"),
        retry_after(429, "-5"),
        retry_after(429, "99999999999999999999999"),
        retry_after(429, "Sat, 21 Nov 2026 12:59:00 GMT"),
        FaultKind::html(500),
        refusal(500, "invalid_grant", "Refresh token revoked"),
        FaultKind::json(500, r#"{"error":"internal_failure"}"#),
        FaultKind::html(502),
        FaultKind::text(503, ""),
        refusal(503, "invalid_client", ""),
        FaultKind::text(503, "upstream connect error or disconnect/reset before headers"),
        FaultKind::text(504, ""),
        FaultKind::text(301, ""),
        FaultKind::text(302, ""),
        refusal(302, "invalid_grant", ""),
        FaultKind::text(204, ""),
    ];
    let told = [
        (retry_after(429, "120"), 2 * MIN),
        (retry_after(429, "Sat, 21 Nov 2026 13:02:00 GMT"), 2 * MIN),
        (retry_after(503, "7"), Duration::from_secs(7)),
        // Nobody is parked for years by a number.
        (retry_after(429, "34560000"), Duration::from_hours(24)),
        (
            retry_after(503, "Fri, 31 Dec 9999 23:59:59 GMT"),
            Duration::from_hours(24),
        ),
    ];
    let told = told.into_iter().map(|(answer, pause)| Row {
        answer,
        verdict: passing_after(pause),
    });
    rows(PASSING, passing).into_iter().chain(told).collect()
}

/// Nothing came back, or not all of it.
fn no_answer() -> Vec<Row> {
    rows(
        PASSING,
        [
            FaultKind::Hang,
            FaultKind::DropConnection,
            FaultKind::CommitThenDrop,
            FaultKind::CommitThenStatus(502),
        ],
    )
}

/// A 200 is believed only with a token in it.
fn successes_without_a_token() -> Vec<Row> {
    rows(
        PASSING,
        [
            FaultKind::Garbage200,
            FaultKind::html(200),
            FaultKind::text(200, "OK"),
            FaultKind::json(200, ""),
            FaultKind::json(200, "null"),
            FaultKind::json(200, "{}"),
            FaultKind::json(200, r#"{"token_type":"Bearer","expires_in":3600}"#),
            FaultKind::json(200, r#"{"access_token":null,"token_type":"Bearer"}"#),
            FaultKind::json(200, r#"{"access_token":"","token_type":"Bearer"}"#),
            FaultKind::json(200, r#"{"error":"invalid_grant"}"#),
            endless(200, r#"{"access_token":"new","token_type":"Bearer","padding":"#),
        ],
    )
}
