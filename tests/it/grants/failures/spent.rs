//! A refresh token that rotation has spent: dead in Discord's words to who knows them, and in nobody else's.

use std::sync::Arc;

use patchbay::{
    providers::{
        AppCredentials, HttpClient, Internet, TokenEndpoint, TokenError,
        rules::{DISCORD, GrantRules, SPOTIFY},
    },
    secret::{ClientId, ClientSecret, RefreshToken, Secret as _},
    system::System,
};
use sandbox::{DEMO_APP, Options, Rotation, Sandbox, SpentToken};

/// What the second use of a refresh token is taken for, where the first has spent it.
async fn second_use(sandbox: &Sandbox, rules: &'static GrantRules) -> TokenError {
    let http = HttpClient::new(Arc::new(Internet::default()), System::real());
    let url = format!("{}/api/token", sandbox.accounts_url());
    let endpoint = TokenEndpoint::new(http, url.parse().expect("an address"), rules);
    let app = AppCredentials {
        client_id: ClientId::from_plain(DEMO_APP.client_id.to_owned()),
        client_secret: Some(ClientSecret::from_plain(DEMO_APP.client_secret.to_owned())),
    };
    let pair = sandbox
        .world()
        .issue_grant(DEMO_APP.client_id, "ana", "user-read-private");
    let old = RefreshToken::from_plain(pair.expect("ana is there").refresh_token);
    let first = endpoint.refresh(&app, &old).await.expect("tokens");
    assert!(first.refresh_token.is_some(), "it rotates");
    endpoint.refresh(&app, &old).await.expect_err("it is spent")
}

#[tokio::test]
async fn a_burnt_token_is_dead_in_the_words_of_its_provider() {
    let sandbox = Sandbox::start(Options::default()).await.expect("a free port");
    sandbox.world().set_rotation(Rotation::RotateSingleUse);
    for spent in [
        SpentToken::AsRevoked,
        SpentToken::Discord,
        SpentToken::DiscordBare,
        SpentToken::Discord2020,
    ] {
        sandbox.world().settings.spent_token = spent;
        let to_discord = second_use(&sandbox, &DISCORD).await;
        assert!(
            matches!(to_discord, TokenError::InvalidGrant { .. }),
            "{spent:?}: {to_discord:?}"
        );
    }
    let to_spotify = second_use(&sandbox, &SPOTIFY).await;
    assert!(
        matches!(&to_spotify, TokenError::Refused { code } if code == "invalid_request"),
        "{to_spotify:?}"
    );
}
