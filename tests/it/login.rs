//! Logging in, and the tokens that come of it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guardianeye::{
    auth::{Tokens, new_signing_key},
    db::signing_keys,
    model::{Role, Timestamp, User},
};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, on_both, subject_of};

on_both! {
    async fn a_login_gives_a_token_that_reads_and_leaves_an_entry(app) {
        let reply = login(app, "anna", "a good password").await;
        let payload = &reply.data()["login"];
        assert_eq!(payload["expiresAt"], "2026-03-01T12:15:00.000000Z");
        assert_eq!(payload["passwordChangeRequired"], false);
        assert_eq!(payload["user"], json!({ "username": "anna", "email": "anna@example.com", "lastLogin": "2026-03-01T12:00:00.000000Z" }));
        let caller = Caller::with_token(app, payload["accessToken"].as_str().expect("a token").to_owned());
        let reply = caller.gql("{ me { username lastLogin auditLogs { nodes { action success user { username } } } } }", json!({})).await;
        assert_eq!(reply.data()["me"], json!({
            "username": "anna",
            "lastLogin": "2026-03-01T12:00:00.000000Z",
            "auditLogs": { "nodes": [{ "action": "LOGIN", "success": true, "user": { "username": "anna" } }] },
        }));
    }

    async fn the_email_address_logs_in_too(app) {
        assert_eq!(login(app, "anna@example.com", "a good password").await.data()["login"]["user"]["username"], "anna");
    }

    async fn every_refused_login_looks_the_same_and_is_recorded(app) {
        let asleep = User { is_active: false, ..app.user("ida", Role::Viewer, app.now()).await };
        app.execute(&format!("update users set is_active = false where id = '{}'", asleep.id)).await;
        let mut answers = Vec::new();
        for (username, password) in [("anna", "wrong"), ("nobody", "a good password"), ("ida", "a good password"), ("", ""), ("anna", "")] {
            let reply = login(app, username, password).await;
            assert_eq!(reply.code(), "UNAUTHENTICATED", "{username}");
            answers.push(reply.body["errors"].clone());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:#?}");
        let log = app.analyst().gql("{ auditLogs { nodes { action success } } }", json!({})).await;
        assert_eq!(log.data()["auditLogs"]["nodes"], json!(vec![json!({ "action": "FAILED_LOGIN", "success": false }); 5]));
    }

    async fn over_long_input_is_refused_before_any_work(app) {
        let reply = login(app, &"a".repeat(256), "x").await;
        assert_eq!((reply.code(), &reply.body["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!("username")));
        let reply = login(app, "anna", &"x".repeat(1025)).await;
        assert_eq!((reply.code(), &reply.body["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!("password")));
        assert_eq!(reply.sql(), 0);
    }

    async fn the_default_password_asks_to_be_changed(app) {
        let admin = User { username: "admin".into(), email: "admin@guardianeye.local".into(), id: guardianeye::model::UserId::new(app.now()), ..app.user("temp", Role::Admin, app.now()).await };
        app.insert_user(admin, "admin").await;
        assert_eq!(login(app, "admin", "admin").await.data()["login"]["passwordChangeRequired"], true);
    }

    async fn a_token_that_was_tampered_with_does_not_hold(app) {
        let token = app.admin().token().to_owned();
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!("three parts") };
        let other_claims = altered(claims, |claims| claims["sub"] = json!(app.viewer().id().to_string()));
        let none = altered(header, |header| header["alg"] = json!("none"));
        let hmac = altered(header, |header| header["alg"] = json!("HS256"));
        let untyped = altered(header, |header| header["typ"] = json!("JWT"));
        let unknown_kid = altered(header, |header| header["kid"] = json!("00000000-0000-0000-0000-000000000000"));
        for forged in [
            String::new(), "x".into(), "..".into(), token[1..].to_owned(), token[..token.len() - 2].to_owned(),
            format!("{header}.{other_claims}.{signature}"), format!("{none}.{claims}."), format!("{none}.{claims}.{signature}"),
            format!("{hmac}.{claims}.{signature}"), format!("{untyped}.{claims}.{signature}"),
            format!("{unknown_kid}.{claims}.{signature}"), format!("{header}.{claims}"), format!("{token}.x"),
        ] {
            let reply = Caller::with_token(app, forged.clone()).gql("{ me { id } }", json!({})).await;
            assert_eq!((reply.status.as_u16(), reply.code()), (401, "UNAUTHENTICATED"), "{forged}");
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
        }
        Caller::with_token(app, token).gql("{ me { id } }", json!({})).await.data();
    }

    async fn a_token_holds_for_fifteen_minutes_and_not_before_it_was_issued(app) {
        let (tokens, subject) = (&app.services.tokens, subject_of(app.viewer().id()));
        let token = tokens.issue(subject, Timestamp::MAX, app.now()).expect("a token").token;
        for (seconds, holds) in [(-6, false), (-5, true), (0, true), (899, true), (900, false), (90_000, false)] {
            let found = tokens.verify(app.db(), &token, app.now().plus_seconds(seconds)).await.expect("asks");
            assert_eq!(found, holds.then_some(subject), "after {seconds} s");
        }
    }

    async fn the_claims_are_those_of_rfc_9068(app) {
        let token = app.viewer().token().to_owned();
        let part = |at: usize| json_of(token.split('.').nth(at).expect("a part"));
        let (header, claims) = (part(0), part(1));
        assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
        assert!(header["kid"].is_string() && claims["jti"].is_string());
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("guardianeye"), &json!("guardianeye")));
        assert_eq!(claims["sub"], app.viewer().id().to_string());
        assert_eq!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"), 900);
    }

    async fn instances_share_the_key_and_learn_of_a_new_one(app) {
        let other = Tokens::load(app.db(), app.now()).await.expect("keys");
        let token = app.services.tokens.issue(subject_of(app.viewer().id()), Timestamp::MAX, app.now()).expect("a token").token;
        assert_eq!(other.verify(app.db(), &token, app.now()).await.expect("asks"), Some(subject_of(app.viewer().id())));

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
        let rotated = Tokens::load(app.db(), app.now()).await.expect("keys");
        let token = rotated.issue(subject_of(app.viewer().id()), Timestamp::MAX, app.now()).expect("a token").token;
        let later = app.now().plus_seconds(6);
        assert_eq!(other.verify(app.db(), &token, later).await.expect("asks"), Some(subject_of(app.viewer().id())));
        let old = app.services.tokens.issue(subject_of(app.viewer().id()), Timestamp::MAX, app.now()).expect("a token").token;
        assert_eq!(other.verify(app.db(), &old, later).await.expect("asks"), Some(subject_of(app.viewer().id())), "a retired key still verifies");
    }
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
