//! A provider as small as it can be while a renewal can still go wrong with it: consents, refresh tokens that may burn
//! on use, access tokens that live for an hour, and bad days.

use std::collections::HashMap;

use http::{Request, Response, StatusCode, header};
use serde_json::json;

use super::outside::Life;

/// How long an access token lives.
const ACCESS_TOKEN_LIFE_MS: i64 = 3600 * 1000;

/// What is wrong with the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A proxy in front of it fails, and it never hears of the request.
    BadGateway,
    /// It is overrun.
    TooMany,
    /// It refuses a grant that is fine.
    FalseRefusal,
    /// It refuses an app that is fine.
    FalseAppError,
    /// It does what it is asked, and what it answers is not its documented JSON.
    Garbage,
}

/// Which token of which consent, read from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub consent: usize,
    pub number: usize,
}

impl Name {
    pub fn of(text: &str) -> Option<Self> {
        let mut parts = text.split('-').skip(1).map(str::parse);
        Some(Self {
            consent: parts.next()?.ok()?,
            number: parts.next()?.ok()?,
        })
    }
}

/// One time that the person agreed.
#[derive(Debug, Default)]
pub struct Consent {
    code_used: bool,
    pub revoked: bool,
    /// To whom each refresh token was handed, by number; the last one is the one that works.
    pub handed_to: Vec<Option<Life>>,
    /// When each access token dies, by number, in true milliseconds.
    pub access_until_ms: Vec<i64>,
    /// When the consent was refused, though it lives.
    pub falsely_refused_ms: Vec<i64>,
    /// How often it was refused, truly or falsely.
    pub refusals: usize,
    /// Whether it was ever renewed with a refresh token of its that was burnt.
    pub burnt_was_used: bool,
}

#[derive(Debug, Default)]
pub struct Provider {
    pub consents: Vec<Consent>,
    pub rotates: bool,
    /// What is wrong, and for how many renewals yet.
    pub fault: Option<(Fault, u8)>,
    /// Of ten consents, so many are refused though they live.
    pub refused_in_ten: usize,
}

/// What the provider answers.
#[derive(Debug)]
pub struct Reply {
    pub response: Response<Vec<u8>>,
    /// Whether there are tokens in it.
    pub has_tokens: bool,
    /// The refresh token that is new in it.
    pub fresh: Option<Name>,
}

impl Provider {
    /// The person agrees: the number of the consent, and the code that the browser carries back.
    pub fn consent(&mut self) -> String {
        self.consents.push(Consent::default());
        format!("code-{}-0", self.consents.len() - 1)
    }

    /// The first tokens of a consent that a person has just given.
    pub fn grant(&mut self, now_ms: i64) -> (String, String) {
        let code = self.consent();
        let consent = self.consents.len() - 1;
        self.exchange(&code, now_ms);
        (format!("access-{consent}-0"), format!("refresh-{consent}-0"))
    }

    /// How many renewals were refused.
    pub fn refusals(&self) -> usize {
        self.consents.iter().map(|consent| consent.refusals).sum()
    }

    /// The person takes back all that they agreed to.
    pub fn revoke(&mut self) {
        self.consents
            .iter_mut()
            .for_each(|consent| consent.revoked = true);
    }

    /// Whether the Web API takes this access token now.
    pub fn honours(&self, access_token: &str, now_ms: i64) -> bool {
        let Some(name) = Name::of(access_token) else {
            return false;
        };
        let consent = &self.consents[name.consent];
        !consent.revoked && now_ms < consent.access_until_ms[name.number]
    }

    /// The one refresh token of a consent that works.
    pub fn live_refresh_token(&self, consent: usize) -> Option<Name> {
        let of_it = &self.consents[consent];
        (!of_it.revoked).then(|| Name {
            consent,
            number: of_it.handed_to.len() - 1,
        })
    }

    /// Acts upon a request.
    pub fn act(&mut self, request: &Request<Vec<u8>>, now_ms: i64) -> Reply {
        if request.uri().path() == "/v1/me" {
            return self.me(request, now_ms);
        }
        let form: HashMap<String, String> =
            url::form_urlencoded::parse(request.body()).into_owned().collect();
        match form.get("grant_type").map(String::as_str) {
            Some("authorization_code") => self.exchange(&form["code"], now_ms),
            Some("refresh_token") => self.refresh(&form["refresh_token"], now_ms),
            _ => refused(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        }
    }

    fn me(&self, request: &Request<Vec<u8>>, now_ms: i64) -> Reply {
        let value = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = value.unwrap_or_default().trim_start_matches("Bearer ");
        if self.honours(token, now_ms) {
            json_reply(StatusCode::OK, &json!({"id": "ana", "account_id": "ana"}))
        } else {
            refused(StatusCode::UNAUTHORIZED, "invalid_token")
        }
    }

    fn exchange(&mut self, code: &str, now_ms: i64) -> Reply {
        let Some(name) = Name::of(code) else {
            return refused(StatusCode::BAD_REQUEST, "invalid_grant");
        };
        let consent = &mut self.consents[name.consent];
        if consent.revoked || std::mem::replace(&mut consent.code_used, true) {
            return refused(StatusCode::BAD_REQUEST, "invalid_grant");
        }
        self.issue(name.consent, true, now_ms)
    }

    fn refresh(&mut self, token: &str, now_ms: i64) -> Reply {
        let fault = self.take_fault();
        match fault {
            Some(Fault::BadGateway) => return text_reply(StatusCode::BAD_GATEWAY, "<html>oops</html>"),
            Some(Fault::TooMany) => {
                let mut reply = text_reply(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
                let seconds = header::HeaderValue::from_static("30");
                reply.response.headers_mut().insert(header::RETRY_AFTER, seconds);
                return reply;
            }
            Some(Fault::FalseAppError) => return refused(StatusCode::UNAUTHORIZED, "invalid_client"),
            Some(Fault::FalseRefusal | Fault::Garbage) | None => {}
        }
        let Some(name) = Name::of(token) else {
            return refused(StatusCode::BAD_REQUEST, "invalid_grant");
        };
        let live = self.live_refresh_token(name.consent) == Some(name);
        let consent = &mut self.consents[name.consent];
        let is_in_wave = name.consent % 10 < self.refused_in_ten;
        if !live || is_in_wave || fault == Some(Fault::FalseRefusal) {
            consent.refusals += 1;
            if live {
                consent.falsely_refused_ms.push(now_ms);
            } else if !consent.revoked {
                consent.burnt_was_used = true;
            }
            return refused(StatusCode::BAD_REQUEST, "invalid_grant");
        }
        consent.falsely_refused_ms.clear();
        let rotates = self.rotates;
        let reply = self.issue(name.consent, rotates, now_ms);
        if fault == Some(Fault::Garbage) {
            return text_reply(StatusCode::OK, "<html>ok</html>");
        }
        reply
    }

    fn take_fault(&mut self) -> Option<Fault> {
        let (fault, left) = self.fault.take()?;
        self.fault = (left > 1).then(|| (fault, left - 1));
        Some(fault)
    }

    fn issue(&mut self, number: usize, with_refresh_token: bool, now_ms: i64) -> Reply {
        let consent = &mut self.consents[number];
        consent.access_until_ms.push(now_ms + ACCESS_TOKEN_LIFE_MS);
        let access_token = format!("access-{number}-{}", consent.access_until_ms.len() - 1);
        let mut body = json!({"access_token": access_token, "token_type": "Bearer", "expires_in": ACCESS_TOKEN_LIFE_MS / 1000});
        let mut fresh = None;
        if with_refresh_token {
            consent.handed_to.push(None);
            let name = Name {
                consent: number,
                number: consent.handed_to.len() - 1,
            };
            body["refresh_token"] = format!("refresh-{number}-{}", name.number).into();
            fresh = Some(name);
        }
        Reply {
            has_tokens: true,
            fresh,
            ..json_reply(StatusCode::OK, &body)
        }
    }
}

fn refused(status: StatusCode, code: &str) -> Reply {
    json_reply(status, &json!({"error": code}))
}

fn json_reply(status: StatusCode, body: &serde_json::Value) -> Reply {
    let mut reply = text_reply(status, &body.to_string());
    let json = header::HeaderValue::from_static("application/json");
    reply.response.headers_mut().insert(header::CONTENT_TYPE, json);
    reply
}

fn text_reply(status: StatusCode, body: &str) -> Reply {
    let mut response = Response::new(body.as_bytes().to_vec());
    *response.status_mut() = status;
    Reply {
        response,
        has_tokens: false,
        fresh: None,
    }
}
