//! The keys that sign access tokens, as an operator changes them and as others read them.

use std::process::{Command, Output};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guardianeye::{
    clock::Clock,
    model::Timestamp,
    ops::key_rotation::{self, EarlierKeys},
    services::Services,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};

use crate::support::{Reply, Server, TestApp, on_both, subject_of};

on_both!(
    a_running_instance_signs_with_the_new_key_within_seconds,
    logins_and_refreshes_take_up_the_new_key,
    a_rotation_deletes_keys_that_no_longer_count,
    a_token_that_was_checked_is_refused_when_it_no_longer_holds,
    a_token_that_was_used_is_refused_after_the_logout,
    of_two_rotations_at_once_one_key_is_active,
    a_rotation_is_recorded,
    others_can_check_our_tokens_by_the_key_set,
    the_command_rotates_and_lists
);

async fn a_running_instance_signs_with_the_new_key_within_seconds(app: &TestApp) {
    let subject = subject_of(app.viewer().id());
    let tokens = &app.services.access_tokens;
    let old = tokens.issue(subject, Timestamp::MAX, app.now()).expect("a token").token;
    let rotated = key_rotation::rotate(app.db(), app.services.clock, EarlierKeys::Retire, None).await.expect("rotates");
    assert_eq!(rotated.retired.map(|kid| kid.to_string()), Some(kid_of(&old)));

    tokens.refresh_keys(app.now().plus_seconds(4)).await.expect("asks");
    assert_eq!(kid_of(&tokens.issue(subject, Timestamp::MAX, app.now()).expect("a token").token), kid_of(&old));
    tokens.refresh_keys(app.now().plus_seconds(5)).await.expect("asks");
    let new = tokens.issue(subject, Timestamp::MAX, app.now()).expect("a token").token;
    assert_eq!(kid_of(&new), rotated.active.to_string());
    for (token, seconds) in [(&old, 5), (&new, 5), (&old, 14 * 60), (&new, 14 * 60)] {
        let found = tokens.verify(token, app.now().plus_seconds(seconds)).await.expect("asks");
        assert_eq!(found, Some(subject), "after {seconds} s");
    }
}

async fn logins_and_refreshes_take_up_the_new_key(app: &TestApp) {
    let rotated = key_rotation::rotate(app.db(), app.services.clock, EarlierKeys::Retire, None).await.expect("rotates");
    // An instance that was started a minute ago, by its own clock.
    let later = Services { clock: Clock::Fixed(app.now().plus_seconds(60)), ..app.services.clone() };
    let client = guardianeye::services::Client::default();
    let issued =
        guardianeye::services::login::login(&later, app.db(), &client, "anna", "a good password".to_owned().into())
            .await
            .expect("logs in");
    assert_eq!(kid_of(&issued.access_token.token), rotated.active.to_string());
    let again = key_rotation::rotate(app.db(), later.clock, EarlierKeys::Retire, None).await.expect("rotates");
    let later = Services { clock: Clock::Fixed(app.now().plus_seconds(120)), ..later };
    let issued = guardianeye::services::auth_sessions::refresh(&later, app.db(), &client, issued.refresh_token)
        .await
        .expect("refreshes");
    assert_eq!(kid_of(&issued.access_token.token), again.active.to_string());
}

async fn a_rotation_deletes_keys_that_no_longer_count(app: &TestApp) {
    let subject = subject_of(app.viewer().id());
    key_rotation::rotate(app.db(), app.services.clock, EarlierKeys::Retire, None).await.expect("rotates");
    let retired = app.now().plus_seconds(15 * 60 + 5);
    // Whoever has the old private key signs what it likes.
    let forged = app.services.access_tokens.issue(subject, Timestamp::MAX, retired).expect("a token").token;
    for (at, accepted) in [(retired.plus_seconds(-1), true), (retired, false)] {
        assert_eq!(app.services.access_tokens.verify(&forged, at).await.expect("asks").is_some(), accepted);
    }
    let later = Clock::Fixed(retired.plus_seconds(1));
    assert_eq!(key_rotation::rotate(app.db(), later, EarlierKeys::Retire, None).await.expect("rotates").deleted, 1);
    assert_eq!(guardianeye::db::signing_keys::list(app.db()).await.expect("asks").len(), 2);
}

/// That its signature was found right is remembered; whether it holds is asked each time.
async fn a_token_that_was_checked_is_refused_when_it_no_longer_holds(app: &TestApp) {
    let subject = subject_of(app.viewer().id());
    let tokens = &app.services.access_tokens;
    let holds = async |token: &str, seconds: i64| {
        tokens.verify(token, app.now().plus_seconds(seconds)).await.expect("asks").is_some()
    };
    let token = tokens.issue(subject, Timestamp::MAX, app.now()).expect("a token").token;
    for _ in 0..2 {
        for (seconds, expected) in
            [(0, true), (-5, true), (-6, false), (15 * 60 - 1, true), (15 * 60, false), (0, true)]
        {
            assert_eq!(holds(&token, seconds).await, expected, "after {seconds} s");
        }
    }
    // The same words under another signature.
    let (rest, signature) = token.rsplit_once('.').expect("a JWT");
    let forged = format!("{rest}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
    assert!(!holds(&forged, 0).await && holds(&token, 0).await && !holds(&forged, 0).await);
    // Its key is gone: a thief may have it.
    key_rotation::rotate(app.db(), app.services.clock, EarlierKeys::Retire, None).await.expect("rotates");
    tokens.refresh_keys(app.now().plus_seconds(5)).await.expect("asks");
    assert!(holds(&token, 5).await, "a retired key's tokens hold for their time");
    app.execute("delete from signing_keys where retired_at is not null").await;
    assert!(!holds(&token, 10).await && !holds(&token, 11).await);
}

async fn a_token_that_was_used_is_refused_after_the_logout(app: &TestApp) {
    let viewer = app.viewer();
    for _ in 0..3 {
        viewer.gql("{ me { id } }", json!({})).await.data();
    }
    viewer.gql("mutation { logout { __typename } }", json!({})).await.data();
    for _ in 0..2 {
        let reply = viewer.gql("{ me { id } }", json!({})).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (401, "UNAUTHENTICATED"));
    }
    let later = app.later(15 * 60).await;
    assert_eq!(app.admin().at(&later).gql("{ me { id } }", json!({})).await.code(), "UNAUTHENTICATED", "expired");
}

async fn of_two_rotations_at_once_one_key_is_active(app: &TestApp) {
    let both = tokio::join!(
        key_rotation::rotate(app.db(), app.services.clock, EarlierKeys::Retire, None),
        key_rotation::rotate(app.db(), app.services.clock, EarlierKeys::Retire, None)
    );
    assert!(both.0.is_ok() || both.1.is_ok(), "{both:?}");
    let active = guardianeye::db::signing_keys::list(app.db())
        .await
        .expect("asks")
        .into_iter()
        .filter(|key| key.retired_at.is_none());
    assert_eq!(active.count(), 1);
}

async fn a_rotation_is_recorded(app: &TestApp) {
    let rotated = key_rotation::rotate(app.db(), app.services.clock, EarlierKeys::Retire, None).await.expect("rotates");
    let reply =
        app.admin().gql("{ auditLogs { nodes { action username user { id } success details } } }", json!({})).await;
    assert_eq!(
        reply.data()["auditLogs"]["nodes"],
        json!([{
            "action": "CONFIG_CHANGED", "username": null, "user": null, "success": true,
            "details": { "activeKey": rotated.active.to_string(), "retiredKey": rotated.retired.expect("one").to_string(), "deletedKeys": 0 },
        }])
    );
}

async fn others_can_check_our_tokens_by_the_key_set(app: &TestApp) {
    let token = app.viewer().token().to_owned();
    let reply = jwks(app).await;
    assert_eq!(reply.headers["content-type"], "application/jwk-set+json");
    assert_eq!(reply.headers["cache-control"], "public, max-age=60");
    let keys = reply.body["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 1);
    let mut names: Vec<_> = keys[0].as_object().expect("a key").keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"], "nothing private");
    assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(keys[0]["x"].as_str().expect("x")).expect("base64url").len(), 32);
    let set: JwkSet = serde_json::from_value(reply.body.clone()).expect("a key set");
    let key = DecodingKey::from_jwk(set.find(&kid_of(&token)).expect("our key")).expect("a key");
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["guardianeye"]);
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &validation).expect("holds").claims;
    assert_eq!(claims["sub"], app.viewer().id().to_string());
}

async fn the_command_rotates_and_lists(app: &TestApp) {
    let url = &app.database.url;
    let server = Server::start(url, &[], &[("GUARDIANEYE_LOG", "info")]);
    let before = json_of(&run(url, &["keys", "list", "--json"]));
    let rotated = json_of(&run(url, &["keys", "rotate", "--json"]));
    let after = json_of(&run(url, &["keys", "list", "--json"]));
    assert_eq!((before.as_array().expect("keys").len(), after.as_array().expect("keys").len()), (1, 2));
    assert_eq!((&after[0]["kid"], &after[0]["state"]), (&rotated["active"], &json!("active")));
    assert_eq!((&after[1]["kid"], &after[1]["state"]), (&before[0]["kid"], &json!("retired")));
    assert!(after[1]["retiredAt"].is_string() && after[0]["retiredAt"].is_null());
    let text = String::from_utf8_lossy(&run(url, &["keys", "rotate"]).stdout).into_owned();
    assert!(text.contains("signs access tokens from now on"), "{text}");
    assert!(String::from_utf8_lossy(&run(url, &["keys", "list"]).stdout).contains("  active "));
    server.stop();
}

async fn jwks(app: &TestApp) -> Reply {
    let request = axum::http::Request::get("/.well-known/jwks.json").body(axum::body::Body::empty());
    app.anonymous().send(request.expect("a request")).await
}

fn kid_of(token: &str) -> String {
    jsonwebtoken::decode_header(token).expect("a token").kid.expect("a kid")
}

fn run(url: &str, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_guardianeye")).args(args).env("DATABASE_URL", url).output();
    let output = output.expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}
