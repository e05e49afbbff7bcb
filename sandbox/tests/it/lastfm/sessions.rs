//! `auth.getToken`, `auth.getSession`, and what a session key opens.

use sandbox::DEMO_LASTFM;
use serde_json::{Value, json};

use super::{HOUR_S, NOON_S, ask, ask_signed, error, names, plays, signature, with_dora};
use crate::http::{client, read};

const RECENT: &str = "user.getRecentTracks";

/// A token that Dora agreed to, as the browser brings it back.
async fn token(sandbox: &sandbox::Sandbox) -> String {
    let query = [
        ("api_key", DEMO_LASTFM.api_key),
        ("cb", "http://127.0.0.1:3000/cb"),
    ];
    let request = client()
        .post(format!("{}/api/auth/", sandbox.lastfm_site_url()))
        .query(&query)
        .form(&[("user", "Dora"), ("decision", "agree")]);
    let response = request.send().await.expect("an answer");
    crate::http::returned(&response, "token").expect("a token")
}

fn session_key(sandbox: &sandbox::Sandbox) -> String {
    sandbox
        .world()
        .lastfm
        .issue_session(DEMO_LASTFM.api_key, "Dora")
        .expect("Dora exists")
}

#[test]
fn a_signature_is_what_the_documents_say() {
    // md5("api_keyxxxxxxxxmethodauth.getSessiontokenxxxxxxx" and the secret), made with coreutils' md5sum.
    let parameters = [
        ("token", "xxxxxxx"),
        ("method", "auth.getSession"),
        ("api_key", "xxxxxxxx"),
    ];
    assert_eq!(signature(&parameters), "9472161f32f787c598cad72b1eb67a8c");
}

#[tokio::test]
async fn a_token_becomes_a_session_once() {
    let sandbox = with_dora().await;
    let token = token(&sandbox).await;
    assert_eq!(token.len(), 32);
    let (status, body) = ask_signed(&sandbox, "auth.getSession", &[("token", &token)]).await;
    let session = &body["session"];
    assert_eq!(
        (status, &session["name"], &session["subscriber"]),
        (200, &json!("Dora"), &json!(0))
    );
    assert_eq!(session["key"].as_str().map(str::len), Some(32));
    let again = ask_signed(&sandbox, "auth.getSession", &[("token", &token)]).await;
    assert_eq!(error(&again), (403, 4));
}

#[tokio::test]
async fn a_subscriber_may_be_one_in_a_string() {
    let sandbox = with_dora().await;
    let token = token(&sandbox).await;
    {
        let mut world = sandbox.world();
        world.settings.lastfm.subscriber_text = true;
        world.lastfm.user_mut("Dora").expect("Dora exists").subscriber = true;
    }
    let (_, body) = ask_signed(&sandbox, "auth.getSession", &[("token", &token)]).await;
    assert_eq!(body["session"]["subscriber"], "1");
}

#[tokio::test]
async fn a_token_is_refused_for_what_is_wrong_with_it() {
    let sandbox = with_dora().await;
    let unknown = "x".repeat(32);
    let answer = ask_signed(&sandbox, "auth.getSession", &[("token", &unknown)]).await;
    assert_eq!(error(&answer), (403, 4), "never was one");
    let (_, body) = ask_signed(&sandbox, "auth.getToken", &[]).await;
    let unagreed = body["token"].as_str().expect("a token").to_owned();
    let answer = ask_signed(&sandbox, "auth.getSession", &[("token", &unagreed)]).await;
    assert_eq!(error(&answer), (403, 14), "nobody agreed");
    let old = token(&sandbox).await;
    sandbox.world().advance_ms(HOUR_S * 1000 - 1000);
    let nearly_old = token(&sandbox).await;
    sandbox.world().advance_ms(1000);
    let answer = ask_signed(&sandbox, "auth.getSession", &[("token", &old)]).await;
    assert_eq!(error(&answer), (403, 15), "an hour old");
    let answer = ask_signed(&sandbox, "auth.getSession", &[("token", &nearly_old)]).await;
    assert_eq!(answer.0, 200);
    let missing = ask_signed(&sandbox, "auth.getSession", &[]).await;
    assert_eq!(error(&missing), (400, 6));
}

#[tokio::test]
async fn a_token_of_one_application_is_nothing_to_another() {
    let sandbox = with_dora().await;
    sandbox
        .world()
        .lastfm
        .add_key("other", DEMO_LASTFM.shared_secret, "other")
        .expect("a free key");
    let token = token(&sandbox).await;
    let key = session_key(&sandbox);
    for (method, name, value, expected) in [
        ("auth.getSession", "token", &token, (403, 4)),
        (RECENT, "sk", &key, (403, 9)),
    ] {
        let parameters = [("method", method), ("api_key", "other"), (name, value.as_str())];
        let signature = signature(&parameters);
        let more = [
            ("api_key", "other"),
            (name, value.as_str()),
            ("api_sig", signature.as_str()),
        ];
        assert_eq!(error(&ask(&sandbox, method, &more).await), expected);
    }
}

#[tokio::test]
async fn a_signature_must_be_there_and_right() {
    let sandbox = with_dora().await;
    let token = token(&sandbox).await;
    let unsigned = ask(&sandbox, "auth.getSession", &[("token", &token)]).await;
    assert_eq!(error(&unsigned), (403, 13));
    let wrong = "0".repeat(32);
    let more = [("token", token.as_str()), ("api_sig", wrong.as_str())];
    assert_eq!(error(&ask(&sandbox, "auth.getSession", &more).await), (403, 13));
    let small = ask_signed(&sandbox, "auth.getsession", &[("token", &token)]).await;
    assert_eq!(
        error(&small),
        (403, 13),
        "a signature is over the method's own spelling"
    );
    let (status, _) = ask_signed(&sandbox, "auth.getSession", &[("token", &token)]).await;
    assert_eq!(status, 200, "no refusal used the token up");
}

#[tokio::test]
async fn a_form_does_as_well_as_a_query() {
    let sandbox = with_dora().await;
    let token = token(&sandbox).await;
    let mut form = vec![
        ("method", "auth.getSession"),
        ("api_key", DEMO_LASTFM.api_key),
        ("token", &token),
    ];
    let signature = signature(&form);
    // Neither is signed.
    form.extend([
        ("api_sig", signature.as_str()),
        ("format", "json"),
        ("callback", "f"),
    ]);
    let (status, body) = read(client().post(sandbox.lastfm_api_url()).form(&form)).await;
    assert_eq!((status, &body["session"]["name"]), (200, &json!("Dora")));
}

#[tokio::test]
async fn who_hides_is_read_by_nobody_else() {
    let sandbox = with_dora().await;
    plays(&sandbox, "Ana Log", "secret", NOON_S);
    sandbox
        .world()
        .lastfm
        .set_hidden("Dora", true)
        .expect("Dora exists");
    let key = session_key(&sandbox);
    for more in [
        vec![("sk", key.as_str()), ("user", "dora")],
        vec![("sk", key.as_str())],
    ] {
        let (status, body) = ask_signed(&sandbox, RECENT, &more).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(names(&body["recenttracks"]["track"]), ["secret"]);
    }
    let others = ask_signed(&sandbox, RECENT, &[("sk", &key), ("user", "ben_listens")]).await;
    assert_eq!(error(&others), (403, 17));
    let unsigned = ask(&sandbox, RECENT, &[("sk", &key), ("user", "Dora")]).await;
    assert_eq!(error(&unsigned), (403, 13), "a session key alone opens nothing");
    let signed_without = ask_signed(&sandbox, RECENT, &[("user", "Dora")]).await;
    assert_eq!(error(&signed_without), (403, 17));
}

#[tokio::test]
async fn a_session_lasts_until_it_is_revoked() {
    let sandbox = with_dora().await;
    let key = session_key(&sandbox);
    sandbox.world().advance_ms(20 * 365 * 24 * HOUR_S * 1000);
    let own = [("sk", key.as_str())];
    let info = || ask_signed(&sandbox, "user.getInfo", &own);
    assert_eq!(info().await.1["user"]["name"], "Dora");
    sandbox
        .world()
        .lastfm
        .revoke_sessions("dora")
        .expect("Dora exists");
    let refused: (u16, Value) = info().await;
    assert_eq!(error(&refused), (403, 9));
    assert_eq!(
        refused.1["message"],
        "Invalid session key - Please re-authenticate"
    );
    sandbox.world().lastfm.remove_user("Dora").expect("Dora exists");
    assert!(
        sandbox
            .world()
            .lastfm
            .issue_session(DEMO_LASTFM.api_key, "Dora")
            .is_err()
    );
}
