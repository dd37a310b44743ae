//! Retired and revoked signing keys, and key ids that an instance has not read yet, over several instances.

use std::{process::Command, sync::Arc};

use axum::Router;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use guardianeye::{
    auth::{AccessTokens, HashCost},
    clock::Clock,
    config::{HttpSettings, Limits},
    graphql::GraphqlApi,
    http::App,
    model::{KeyId, Timestamp},
    ops::key_rotation::{self, EarlierKeys},
    services::Services,
};
use serde_json::{Value, json};

use crate::support::{Caller, TestApp, on_both, subject_of};

on_both!(
    a_retired_key_counts_for_one_token_lifetime_and_the_skew,
    a_revoked_key_is_refused_by_every_instance_within_five_seconds,
    revoking_ends_keys_that_were_retired_before_too,
    an_unknown_key_id_makes_an_instance_read_its_keys_again,
    unknown_key_ids_cost_one_statement_a_second,
    requests_at_the_same_time_share_one_reading_of_the_keys,
    a_request_that_is_given_up_does_not_stop_the_reading_of_the_keys,
    without_any_key_in_the_database_no_token_holds_and_none_is_issued,
    the_key_set_shows_only_keys_that_count,
    the_command_revokes_the_earlier_keys
);

/// Whoever has the private key chooses `iat`, so only the server's clock counts.
async fn a_retired_key_counts_for_one_token_lifetime_and_the_skew(app: &TestApp) {
    let subject = subject_of(app.viewer().id());
    let thief = AccessTokens::load(app.db(), app.now()).await.expect("keys");
    rotate(app, EarlierKeys::Retire).await;
    for (seconds, status) in [(0, 200), (60, 200), (904, 200), (905, 401), (3_599, 401)] {
        let forged = thief.issue(subject, Timestamp::MAX, app.now().plus_seconds(seconds)).expect("a token").token;
        for services in [&app.services, &other_instance(app).await] {
            assert_eq!(me(app, services, seconds, &forged).await, status, "after {seconds} s");
        }
    }
}

async fn a_revoked_key_is_refused_by_every_instance_within_five_seconds(app: &TestApp) {
    let login =
        "mutation { login(input: {username: \"vera\", password: \"a good password\"}) { accessToken refreshToken } }";
    let login = app.anonymous().gql(login, json!({})).await.data()["login"].clone();
    let token = login["accessToken"].as_str().expect("a token");
    let other = other_instance(app).await;
    for services in [&app.services, &other] {
        assert_eq!(me(app, services, 0, token).await, 200);
    }
    let rotated = rotate(app, EarlierKeys::Revoke).await;
    assert_eq!((rotated.retired, rotated.revoked.len()), (None, 1));
    assert_eq!(me(app, &other_instance(app).await, 0, token).await, 401, "an instance that starts now");
    for services in [&app.services, &other] {
        assert_eq!(me(app, services, 5, token).await, 401);
    }
    // The user stays signed in: the refresh token gives an access token of the new key.
    let refresh = "mutation($token: String!) { refreshToken(input: {refreshToken: $token}) { accessToken } }";
    let reply =
        app.anonymous().at(&router(&app.services, 5)).gql(refresh, json!({ "token": login["refreshToken"] })).await;
    let renewed = reply.data()["refreshToken"]["accessToken"].as_str().expect("a token").to_owned();
    for services in [&app.services, &other] {
        assert_eq!(me(app, services, 5, &renewed).await, 200);
    }
}

async fn revoking_ends_keys_that_were_retired_before_too(app: &TestApp) {
    let subject = subject_of(app.viewer().id());
    let thief = AccessTokens::load(app.db(), app.now()).await.expect("keys");
    let first = rotate(app, EarlierKeys::Retire).await;
    let revoked = rotate(app, EarlierKeys::Revoke).await.revoked;
    assert!(revoked.len() == 2 && revoked.contains(&first.active), "{revoked:?}");
    let forged = thief.issue(subject, Timestamp::MAX, app.now().plus_seconds(5)).expect("a token").token;
    assert_eq!(me(app, &app.services, 5, &forged).await, 401);
    let query = "{ auditLogs { nodes { description details } } }";
    let reply = app.admin().at(&router(&app.services, 5)).gql(query, json!({})).await;
    let entries = reply.data()["auditLogs"]["nodes"].as_array().expect("entries");
    let sentence = "Rotated the key that signs access tokens and revoked the earlier keys";
    let entry = entries.iter().find(|entry| entry["description"] == sentence).expect(sentence);
    let mut named: Vec<_> = entry["details"]["revokedKeys"].as_array().expect("keys").clone();
    let mut expected: Vec<_> = revoked.iter().map(|kid| json!(kid.to_string())).collect();
    named.sort_by_key(Value::to_string);
    expected.sort_by_key(Value::to_string);
    assert_eq!(named, expected);
}

async fn an_unknown_key_id_makes_an_instance_read_its_keys_again(app: &TestApp) {
    rotate(app, EarlierKeys::Retire).await;
    let token = other_instance(app).await.access_tokens.issue(subject_of(app.viewer().id()), Timestamp::MAX, app.now());
    let token = token.expect("a token").token;
    assert_eq!(me(app, &app.services, 0, &token).await, 401, "they were read less than a second ago");
    assert_eq!(me(app, &app.services, 1, &token).await, 200);
}

async fn unknown_key_ids_cost_one_statement_a_second(app: &TestApp) {
    let (tokens, now) = (&app.services.access_tokens, app.now());
    let before = tokens.meter().statements();
    for tenths in 0..=40 {
        let at = now.plus_micros(tenths * 100_000);
        for _ in 0..5 {
            assert_eq!(tokens.verify(&of_unknown_key(at), at).await.expect("asks"), None);
        }
    }
    assert_eq!(tokens.meter().statements() - before, 4, "in four seconds");
}

async fn requests_at_the_same_time_share_one_reading_of_the_keys(app: &TestApp) {
    rotate(app, EarlierKeys::Retire).await;
    let subject = subject_of(app.viewer().id());
    let token =
        other_instance(app).await.access_tokens.issue(subject, Timestamp::MAX, app.now()).expect("a token").token;
    let (tokens, at) = (&app.services.access_tokens, app.now().plus_seconds(1));
    let before = tokens.meter().statements();
    for found in join_all((0..20).map(|_| tokens.verify(&token, at))).await {
        assert_eq!(found.expect("asks"), Some(subject));
    }
    assert_eq!(tokens.meter().statements() - before, 1);
}

/// A client that hangs up must not keep an instance from learning of a revoked key.
async fn a_request_that_is_given_up_does_not_stop_the_reading_of_the_keys(app: &TestApp) {
    let token = app.viewer().token().to_owned();
    rotate(app, EarlierKeys::Revoke).await;
    let (tokens, at) = (&app.services.access_tokens, app.now().plus_seconds(5));
    let before = tokens.meter().statements();
    let mut given_up = Box::pin(tokens.verify(&token, at));
    assert!(futures_util::poll!(&mut given_up).is_pending());
    drop(given_up);
    while tokens.meter().statements() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(tokens.verify(&token, at).await.expect("asks"), None);
}

async fn without_any_key_in_the_database_no_token_holds_and_none_is_issued(app: &TestApp) {
    let (token, subject) = (app.viewer().token().to_owned(), subject_of(app.viewer().id()));
    app.execute("delete from signing_keys").await;
    let (tokens, at) = (&app.services.access_tokens, app.now().plus_seconds(5));
    assert_eq!(tokens.verify(&token, at).await.expect("asks"), None);
    assert!(tokens.issue(subject, Timestamp::MAX, at).is_err());
}

async fn the_key_set_shows_only_keys_that_count(app: &TestApp) {
    let first = rotate(app, EarlierKeys::Retire).await;
    for (seconds, expected) in [(5, 2), (904, 2), (905, 1)] {
        assert_eq!(key_set(app, seconds).await.len(), expected, "after {seconds} s");
    }
    rotate(app, EarlierKeys::Revoke).await;
    let left = key_set(app, 910).await;
    assert!(left.len() == 1 && left[0] != first.active.to_string(), "{left:?}");
}

async fn the_command_revokes_the_earlier_keys(app: &TestApp) {
    let run = |args: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_guardianeye")).args(args).env("DATABASE_URL", &app.database.url).output();
        let output = output.expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let first = app.services.access_tokens.public_keys(app.now())[0].kid.to_string();
    let rotated: Value = serde_json::from_str(&run(&["keys", "rotate", "--revoke-now", "--json"])).expect("JSON");
    assert_eq!((&rotated["retired"], &rotated["revoked"]), (&Value::Null, &json!([first])));
    let listed: Value = serde_json::from_str(&run(&["keys", "list", "--json"])).expect("JSON");
    assert_eq!(listed.as_array().expect("keys").len(), 1);
    let text = run(&["keys", "rotate", "--revoke-now"]);
    assert!(text.contains("is revoked: servers reject its tokens within 5 seconds"), "{text}");
    assert!(text.contains("Login sessions continue with their refresh tokens"), "{text}");
}

async fn rotate(app: &TestApp, earlier: EarlierKeys) -> key_rotation::Rotation {
    key_rotation::rotate(app.db(), app.services.clock, earlier, None).await.expect("rotates")
}

/// Another instance on the same database, which has just read the keys.
async fn other_instance(app: &TestApp) -> Services {
    let services = Services::new(app.db().clone(), app.services.clock, Limits::default(), HashCost::Minimal);
    services.await.expect("starts")
}

/// An instance as it is some seconds later.
fn router(services: &Services, seconds: i64) -> Router {
    let clock = Clock::Fixed(services.clock.now().plus_seconds(seconds));
    let services = Arc::new(Services { clock, ..services.clone() });
    let http = Arc::new(HttpSettings { allow_plain_http: true, ..HttpSettings::default() });
    App { api: GraphqlApi::default(), services, http }.router()
}

async fn me(app: &TestApp, services: &Services, seconds: i64, token: &str) -> u16 {
    let server = router(services, seconds);
    Caller::with_token(app, token.to_owned()).at(&server).gql("{ me { id } }", json!({})).await.status.as_u16()
}

async fn key_set(app: &TestApp, seconds: i64) -> Vec<Value> {
    let request = axum::http::Request::get("/.well-known/jwks.json").body(axum::body::Body::empty());
    let server = router(&app.services, seconds);
    let reply = app.anonymous().at(&server).send(request.expect("a request")).await;
    reply.body["keys"].as_array().expect("keys").iter().map(|key| key["kid"].clone()).collect()
}

/// A token that looks like one of ours and names a key that does not exist.
fn of_unknown_key(now: Timestamp) -> String {
    let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let header = json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": KeyId::new(now).to_string() }).to_string();
    format!("{}.{}.{}", part(header.as_bytes()), part(b"{}"), part(&[0; 64]))
}
