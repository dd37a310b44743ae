//! Logging in, and the tokens that come of it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guardianeye::{
    auth::{AccessTokens, HashCost, new_signing_key},
    config::Limits,
    db::signing_keys,
    graphql::GraphqlApi,
    http::App,
    model::{Role, Timestamp, User},
    services::Services,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, on_both, subject_of};

on_both!(
    a_login_gives_a_token_that_reads_and_leaves_an_entry,
    the_email_address_logs_in_too,
    every_refused_login_looks_the_same_and_is_recorded,
    every_refused_login_takes_the_same_work,
    over_long_input_is_refused_before_any_work,
    the_default_password_asks_to_be_changed,
    a_token_that_was_tampered_with_does_not_hold,
    what_our_own_key_signed_needs_the_right_claims_too,
    a_token_holds_for_fifteen_minutes_and_not_before_it_was_issued,
    the_claims_are_those_of_rfc_9068,
    instances_share_the_key_and_learn_of_a_new_one
);

async fn a_login_gives_a_token_that_reads_and_leaves_an_entry(app: &TestApp) {
    let reply = login(app, "anna", "a good password").await;
    let payload = &reply.data()["login"];
    assert_eq!(payload["expiresAt"], "2026-03-01T12:15:00.000000Z");
    assert_eq!(payload["passwordChangeRequired"], false);
    assert_eq!(
        payload["user"],
        json!({ "username": "anna", "email": "anna@example.com", "lastLogin": "2026-03-01T12:00:00.000000Z" })
    );
    let caller = Caller::with_token(app, payload["accessToken"].as_str().expect("a token").to_owned());
    let reply = caller
        .gql("{ me { username lastLogin auditLogs { nodes { action success user { username } } } } }", json!({}))
        .await;
    assert_eq!(
        reply.data()["me"],
        json!({
            "username": "anna",
            "lastLogin": "2026-03-01T12:00:00.000000Z",
            "auditLogs": { "nodes": [{ "action": "LOGIN", "success": true, "user": { "username": "anna" } }] },
        })
    );
}

async fn the_email_address_logs_in_too(app: &TestApp) {
    assert_eq!(login(app, "anna@example.com", "a good password").await.data()["login"]["user"]["username"], "anna");
}

async fn every_refused_login_looks_the_same_and_is_recorded(app: &TestApp) {
    let asleep = User { is_active: false, ..app.user("ida", Role::Viewer, app.now()).await };
    app.execute(&format!("update users set is_active = false where id = '{}'", asleep.id)).await;
    let mut answers = Vec::new();
    for (username, password) in
        [("anna", "wrong"), ("nobody", "a good password"), ("ida", "a good password"), ("", ""), ("anna", "")]
    {
        let reply = login(app, username, password).await;
        assert_eq!(reply.code(), "UNAUTHENTICATED", "{username}");
        answers.push(reply.body["errors"].clone());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    let log = app.analyst().gql("{ auditLogs { nodes { action success } } }", json!({})).await;
    assert_eq!(log.data()["auditLogs"]["nodes"], json!(vec![json!({ "action": "FAILED_LOGIN", "success": false }); 5]));
}

/// Also in a database that an older program's hashes are in, of more costs than one.
async fn every_refused_login_takes_the_same_work(app: &TestApp) {
    for (name, active) in [("ida", false), ("old4", true), ("old6", true), ("old4ida", false)] {
        let id = app.user(name, Role::Viewer, app.now()).await.id;
        app.execute(&format!("update users set is_active = {active} where id = '{id}'")).await;
    }
    for (older, tries) in [
        (false, &[("nobody", "wrong"), ("anna", "wrong"), ("ida", "wrong"), ("ida", "a good password")][..]),
        (
            true,
            &[
                ("nobody", "wrong"),
                ("anna", "wrong"),
                ("ida", "a good password"),
                ("old4", "wrong"),
                ("old6", "wrong"),
                ("old4ida", "wrong"),
                ("old4ida", "an old password \u{e4}"),
            ],
        ),
    ] {
        if older {
            for (name, cost) in [("old4", "04"), ("old6", "06"), ("old4ida", "04")] {
                app.execute(&format!("update users set hashed_password = '$2b${cost}$abcdefghijklmnopqrstuu8R87KJSCD6zabKTR/xKQXRQyq8S6o4W' where username = '{name}'")).await;
            }
        }
        let services = Services::new(app.db().clone(), app.services.clock, Limits::default(), HashCost::Minimal)
            .await
            .expect("starts");
        let hasher = services.password_hasher.clone();
        let router =
            App { api: GraphqlApi::default(), services: services.into(), http: std::sync::Arc::default() }.router();
        for (username, password) in tries {
            let before = hasher.counts();
            let input = json!({ "input": { "username": username, "password": password } });
            let reply = app
                .anonymous()
                .at(&router)
                .gql("mutation($input: LoginInput!) { login(input: $input) { expiresAt } }", input)
                .await;
            assert_eq!(reply.code(), "UNAUTHENTICATED", "{username}");
            let after = hasher.counts();
            let work = (after.argon2 - before.argon2, after.bcrypt - before.bcrypt, reply.sql());
            assert_eq!(work, (1, if older { 64 } else { 0 }, 10), "{username} {password}");
        }
    }
}

async fn over_long_input_is_refused_before_any_work(app: &TestApp) {
    let reply = login(app, &"a".repeat(256), "x").await;
    assert_eq!((reply.code(), &reply.body["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!("username")));
    let reply = login(app, "anna", &"x".repeat(1025)).await;
    assert_eq!((reply.code(), &reply.body["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!("password")));
    assert_eq!(reply.sql(), 0);
}

async fn the_default_password_asks_to_be_changed(app: &TestApp) {
    let admin = User {
        username: "admin".into(),
        email: "admin@guardianeye.local".into(),
        id: guardianeye::model::UserId::new(app.now()),
        ..app.user("temp", Role::Admin, app.now()).await
    };
    app.insert_user(admin, "admin").await;
    assert_eq!(login(app, "admin", "admin").await.data()["login"]["passwordChangeRequired"], true);
}

async fn a_token_that_was_tampered_with_does_not_hold(app: &TestApp) {
    let token = app.admin().token().to_owned();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    let other_claims = altered(claims, |claims| claims["sub"] = json!(app.viewer().id().to_string()));
    let none = altered(header, |header| header["alg"] = json!("none"));
    let hmac = altered(header, |header| header["alg"] = json!("HS256"));
    let untyped = altered(header, |header| header["typ"] = json!("JWT"));
    let unknown_kid = altered(header, |header| header["kid"] = json!("00000000-0000-0000-0000-000000000000"));
    for forged in [
        String::new(),
        "x".into(),
        "..".into(),
        token[1..].to_owned(),
        token[..token.len() - 2].to_owned(),
        format!("{header}.{other_claims}.{signature}"),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{hmac}.{claims}.{signature}"),
        format!("{untyped}.{claims}.{signature}"),
        format!("{unknown_kid}.{claims}.{signature}"),
        format!("{header}.{claims}"),
        format!("{token}.x"),
    ] {
        let reply = Caller::with_token(app, forged.clone()).gql("{ me { id } }", json!({})).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (401, "UNAUTHENTICATED"), "{forged}");
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
    }
    Caller::with_token(app, token).gql("{ me { id } }", json!({})).await.data();
}

async fn what_our_own_key_signed_needs_the_right_claims_too(app: &TestApp) {
    let key = signing_keys::list(app.db()).await.expect("asks").remove(0);
    let signer = EncodingKey::from_ed_der(&key.private_key);
    let (subject, now) = (subject_of(app.viewer().id()), app.now().datetime().timestamp());
    let holds = async |name: &str, value: Option<Value>| {
        let mut claims = json!({
            "iss": "guardianeye", "aud": "guardianeye", "sub": uuid::Uuid::from(subject.user), "sid": uuid::Uuid::from(subject.auth_session),
            "exp": now + 900, "nbf": now, "iat": now, "jti": uuid::Uuid::nil(),
        });
        let fields = claims.as_object_mut().expect("an object");
        match value {
            Some(value) => fields.insert(name.to_owned(), value),
            None => fields.remove(name),
        };
        let header =
            Header { typ: Some("at+jwt".to_owned()), kid: Some(key.kid.to_string()), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &claims, &signer).expect("signs");
        Caller::with_token(app, token).gql("{ me { id } }", json!({})).await.status == 200
    };
    assert!(holds("x", Some(json!("more claims than we know"))).await);
    for name in ["iss", "aud", "sub", "sid", "exp", "nbf", "iat", "jti"] {
        assert!(!holds(name, None).await, "without {name}");
        assert!(!holds(name, Some(json!(["x"]))).await, "{name} is nonsense");
    }
    let other = app.admin().id().to_string();
    for (name, value) in [
        ("iss", json!("somebody")),
        ("aud", json!("somebody")),
        ("aud", json!("")),
        ("sub", json!(other)),
        ("sid", json!(other)),
        ("exp", json!(now)),
        ("exp", json!(now + 901)),
        ("exp", json!(-1)),
        ("nbf", json!(now + 6)),
        ("iat", json!(now + 6)),
        ("iat", json!(now - 1)),
    ] {
        assert!(!holds(name, Some(value.clone())).await, "{name} {value}");
    }
}

async fn a_token_holds_for_fifteen_minutes_and_not_before_it_was_issued(app: &TestApp) {
    let (tokens, subject) = (&app.services.access_tokens, subject_of(app.viewer().id()));
    let token = tokens.issue(subject, Timestamp::MAX, app.now()).expect("a token").token;
    for (seconds, holds) in [(-6, false), (-5, true), (0, true), (899, true), (900, false), (90_000, false)] {
        let found = tokens.verify(&token, app.now().plus_seconds(seconds)).await.expect("asks");
        assert_eq!(found, holds.then_some(subject), "after {seconds} s");
    }
}

async fn the_claims_are_those_of_rfc_9068(app: &TestApp) {
    let token = app.viewer().token().to_owned();
    let part = |at: usize| json_of(token.split('.').nth(at).expect("a part"));
    let (header, claims) = (part(0), part(1));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert!(header["kid"].is_string() && claims["jti"].is_string());
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("guardianeye"), &json!("guardianeye")));
    assert_eq!(claims["sub"], app.viewer().id().to_string());
    assert_eq!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"), 900);
}

async fn instances_share_the_key_and_learn_of_a_new_one(app: &TestApp) {
    let other = AccessTokens::load(app.db(), app.now()).await.expect("keys");
    let token = app
        .services
        .access_tokens
        .issue(subject_of(app.viewer().id()), Timestamp::MAX, app.now())
        .expect("a token")
        .token;
    assert_eq!(other.verify(&token, app.now()).await.expect("asks"), Some(subject_of(app.viewer().id())));

    // A second active key cannot be, whoever tries.
    let key = new_signing_key(app.now()).expect("a key");
    let mut tx = app.db().begin().await.expect("a transaction");
    assert!(!signing_keys::insert(&mut tx, &key, app.now()).await.expect("asks"));
    tx.commit().await.expect("commits");

    // After a rotation elsewhere, an instance that does not know the new key yet reads the keys again.
    app.execute("update signing_keys set retired_at = created_at").await;
    let mut tx = app.db().begin().await.expect("a transaction");
    assert!(signing_keys::insert(&mut tx, &key, app.now()).await.expect("asks"));
    tx.commit().await.expect("commits");
    let rotated = AccessTokens::load(app.db(), app.now()).await.expect("keys");
    let token = rotated.issue(subject_of(app.viewer().id()), Timestamp::MAX, app.now()).expect("a token").token;
    let later = app.now().plus_seconds(6);
    assert_eq!(other.verify(&token, later).await.expect("asks"), Some(subject_of(app.viewer().id())));
    let old = app
        .services
        .access_tokens
        .issue(subject_of(app.viewer().id()), Timestamp::MAX, app.now())
        .expect("a token")
        .token;
    assert_eq!(
        other.verify(&old, later).await.expect("asks"),
        Some(subject_of(app.viewer().id())),
        "a retired key still verifies"
    );
}

async fn login(app: &TestApp, username: &str, password: &str) -> Reply {
    let query = "mutation($input: LoginInput!) { login(input: $input) {
        accessToken expiresAt passwordChangeRequired user { username email lastLogin } } }";
    app.anonymous().gql(query, json!({ "input": { "username": username, "password": password } })).await
}

fn json_of(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

fn altered(part: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut json = json_of(part);
    change(&mut json);
    BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
}
