//! The token endpoint of an OAuth provider (RFC 6749 §3.2): three calls, and errors sorted by whose fault they are.
//!
//! The wire is the `oauth2` crate's. Beside it stands what it does not do: a status that speaks of the server's
//! health is taken as that, whatever the body says, and nothing but a parsed error code from a 4xx answer is believed
//! about a grant or an app.

use std::time::Duration;

use http::StatusCode;
use oauth2::{
    AsyncHttpClient, AuthType, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, RequestTokenError,
    StandardRevocableToken, TokenResponse as _,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};
use url::Url;

use super::{
    HttpClient, Limits, TransportError,
    rules::{Fault, GrantRules},
    token_answer::TokenAnswer,
};
use crate::{
    secret::{
        AccessToken, AuthorizationCode, ClientId, ClientSecret, CodeVerifier, RefreshToken, Secret as _,
    },
    system::BoxFuture,
};

/// One token call, all of it. Spotify answers in well under a second; a hanging one must end before the lease of the
/// renewal that waits for it does (`grants::LEASE`).
pub const TOKEN_CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// A token answer is about a kilobyte.
const TOKEN_ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What an answer without `expires_in` is taken to mean (RFC 6749 §5.1 only recommends the field): short enough to
/// be renewed before anything can be wrong with it.
const EXPIRES_IN_UNSAID: Duration = Duration::from_mins(10);

/// The longest `description` kept of a refusal, in characters: enough to tell the wordings apart in a log.
const DESCRIPTION_CHARS_MAX: usize = 120;

/// Who asks: an app, with its secret where it has one. Without, PKCE alone speaks for it.
#[derive(Clone, Debug)]
pub struct AppCredentials {
    /// The app's public name.
    pub client_id: ClientId,
    /// The app's password.
    pub client_secret: Option<ClientSecret>,
}

/// What a successful token call gives.
#[derive(Debug)]
pub struct Tokens {
    /// The new access token.
    pub access_token: AccessToken,
    /// A new refresh token. Absent, `null` and empty all mean: keep the old one.
    pub refresh_token: Option<RefreshToken>,
    /// The access token's life from now.
    pub expires_in: Duration,
    /// The scopes granted, when the answer says.
    pub scopes: Option<Vec<String>>,
    /// The refresh token's life from now, where it is given for a time.
    pub refresh_token_expires_in: Option<Duration>,
}

/// Why there are no tokens, sorted by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// `invalid_grant`, or the provider's own words for it: this code or refresh token is worthless, it says.
    #[error("the provider refused the grant ({description})")]
    InvalidGrant {
        /// The provider's words, shortened, for the log.
        description: String,
    },
    /// `invalid_client`, `unauthorized_client` or the provider's own codes: the app is at fault, whichever grant asks.
    #[error("the provider refused the app ({description})")]
    InvalidClient {
        /// The provider's words, shortened, for the log.
        description: String,
    },
    /// Any other parsed refusal: our request was wrong. Nothing is known about the grant.
    #[error("the provider refused the request ({code})")]
    Refused {
        /// The error code of RFC 6749 §5.2.
        code: String,
    },
    /// 408, 425, 429 or 5xx: the provider is not able to answer now.
    #[error("the provider answers {status}")]
    Unavailable {
        /// The status it answered.
        status: StatusCode,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// An answer that is not the documented JSON.
    #[error("the provider's answer cannot be read")]
    Unreadable,
    /// No answer. Whether the request was acted upon is not known.
    #[error("the provider cannot be reached")]
    Unreachable(#[source] TransportError),
}

/// A provider's token endpoint.
#[derive(Clone, Debug)]
pub struct TokenEndpoint {
    http: HttpClient,
    url: Url,
    rules: &'static GrantRules,
}

/// `oauth2`'s client, with an answer of our own and a token endpoint.
type Client = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;
type Refused = RequestTokenError<NoAnswer, BasicErrorResponse>;

impl TokenEndpoint {
    /// The endpoint at `url`, whose provider keeps to `rules`.
    #[must_use]
    pub fn new(http: HttpClient, url: Url, rules: &'static GrantRules) -> Self {
        Self { http, url, rules }
    }

    /// What the provider's answers mean, and what it does to its grants.
    #[must_use]
    pub fn rules(&self) -> &'static GrantRules {
        self.rules
    }

    /// Trades an authorization code for tokens (RFC 6749 §4.1.3, with RFC 7636 §4.5).
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn exchange(
        &self,
        app: &AppCredentials,
        code: &AuthorizationCode,
        redirect_uri: &Url,
        verifier: &CodeVerifier,
    ) -> Result<Tokens, TokenError> {
        let redirect_uri = oauth2::RedirectUrl::from_url(redirect_uri.clone());
        let outcome = self
            .client(app)
            .set_redirect_uri(redirect_uri)
            .exchange_code(oauth2::AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(oauth2::PkceCodeVerifier::new(verifier.expose().to_owned()))
            .request_async(&Wire(self))
            .await;
        self.tokens(outcome)
    }

    /// Buys a new access token (RFC 6749 §6).
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn refresh(&self, app: &AppCredentials, token: &RefreshToken) -> Result<Tokens, TokenError> {
        let outcome = self
            .client(app)
            .exchange_refresh_token(&oauth2::RefreshToken::new(token.expose().to_owned()))
            .request_async(&Wire(self))
            .await;
        self.tokens(outcome)
    }

    /// Gets a token for the app itself (RFC 6749 §4.4); also the one way to learn whether a secret is right.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn client_credentials(&self, app: &AppCredentials) -> Result<Tokens, TokenError> {
        let outcome = self
            .client(app)
            .exchange_client_credentials()
            .request_async(&Wire(self))
            .await;
        self.tokens(outcome)
    }

    fn client(&self, app: &AppCredentials) -> Client {
        let client = oauth2::Client::new(oauth2::ClientId::new(app.client_id.expose().to_owned()))
            .set_token_uri(oauth2::TokenUrl::from_url(self.url.clone()))
            .set_auth_type(AuthType::BasicAuth);
        match &app.client_secret {
            Some(secret) => client.set_client_secret(oauth2::ClientSecret::new(secret.expose().to_owned())),
            None => client,
        }
    }

    fn tokens(&self, outcome: Result<TokenAnswer, Refused>) -> Result<Tokens, TokenError> {
        let answer = outcome.map_err(|refused| self.error(refused))?;
        let access_token = answer.access_token().secret();
        if access_token.is_empty() {
            return Err(TokenError::Unreadable);
        }
        let scopes = answer
            .scopes()
            .map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
        Ok(Tokens {
            access_token: AccessToken::from_plain(access_token.clone()),
            refresh_token: answer
                .refresh_token()
                .map(|token| RefreshToken::from_plain(token.secret().clone())),
            expires_in: answer.expires_in().unwrap_or(EXPIRES_IN_UNSAID),
            scopes,
            refresh_token_expires_in: answer.refresh_token_expires_in(),
        })
    }

    fn error(&self, refused: Refused) -> TokenError {
        match refused {
            RequestTokenError::ServerResponse(answer) => {
                let short = |text: &str| text.chars().take(DESCRIPTION_CHARS_MAX).collect();
                let code = answer.error().as_ref();
                let description = answer.error_description().map_or("", String::as_str);
                match self.rules.fault(code, description) {
                    Fault::Grant => TokenError::InvalidGrant {
                        description: short(description),
                    },
                    Fault::App => TokenError::InvalidClient {
                        description: short(description),
                    },
                    Fault::Request => TokenError::Refused { code: short(code) },
                }
            }
            RequestTokenError::Request(NoAnswer::Status { status, retry_after }) => {
                TokenError::Unavailable { status, retry_after }
            }
            RequestTokenError::Request(NoAnswer::Transport(cause)) => TokenError::Unreachable(cause),
            // The raw answer in `Parse` may hold tokens: it goes no further than here.
            RequestTokenError::Request(NoAnswer::NoObject)
            | RequestTokenError::Parse(..)
            | RequestTokenError::Other(_) => TokenError::Unreadable,
        }
    }

    /// Only 200 and 4xx answers are shown to `oauth2`; the others say nothing about the grant.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let limits = Limits {
            timeout: TOKEN_CALL_TIMEOUT,
            body_bytes_max: TOKEN_ANSWER_BYTES_MAX,
        };
        let answer = self.http.send(request, limits).await?;
        let busy = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ]
        .contains(&answer.status);
        if busy || !(answer.status == StatusCode::OK || answer.status.is_client_error()) {
            return Err(NoAnswer::Status {
                status: answer.status,
                retry_after: answer.retry_after(),
            });
        }
        // `oauth2` reads as far as the first value ends and takes a list for an object: it would believe a page that
        // merely begins with a refusal, and `["invalid_grant"]`.
        if serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&answer.body).is_err() {
            return Err(NoAnswer::NoObject);
        }
        let mut response = HttpResponse::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

/// What `oauth2` sends its requests through.
struct Wire<'e>(&'e TokenEndpoint);

impl<'c> AsyncHttpClient<'c> for Wire<'_> {
    type Error = NoAnswer;
    type Future = BoxFuture<'c, Result<HttpResponse, NoAnswer>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.send(request))
    }
}

/// Why `oauth2` was shown no answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("a body that is no JSON object")]
    NoObject,
    #[error("status {status}")]
    Status {
        status: StatusCode,
        retry_after: Option<Duration>,
    },
}

#[cfg(test)]
mod tests;
