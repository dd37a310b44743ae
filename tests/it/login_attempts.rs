//! Attempts to log in: each is counted and recorded, also when its client does not wait for the answer.

use guardianeye::config::{AttemptedNames, Limits};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Backend, TestApp, log_in_from, login_request, on_both};

const GOOD: &str = "a good password";
const HOME: &str = "192.0.2.1";

on_both!(
    a_login_whose_client_goes_away_is_counted_and_recorded,
    a_login_is_counted_before_its_password_is_looked_at,
    the_entry_of_a_failed_login_names_its_target,
    a_throttled_login_is_recorded_with_its_target_and_does_not_fill_the_log,
    what_can_be_no_name_is_recorded_as_a_hash,
    a_long_name_is_cut,
    attempted_names_are_recorded_as_the_setting_says
);

async fn a_login_whose_client_goes_away_is_counted_and_recorded(app: &TestApp) {
    for sent in 1..=5 {
        // Polled until it waits, then dropped as for a closed connection.
        tokio::select! {
            biased;
            _ = app.router.clone().oneshot(login_request(HOME, "vera", "wrong")) => panic!("it does not wait"),
            () = std::future::ready(()) => {}
        }
        app.services.detached.close();
        app.services.detached.wait().await;
        assert_eq!(entries(app, "FAILED_LOGIN").await.len(), sent, "attempts are recorded");
    }
    assert_eq!(log_in_from(&app.router, HOME, "vera", GOOD).await.code(), "RATE_LIMITED");
}

async fn a_login_is_counted_before_its_password_is_looked_at(app: &TestApp) {
    set_fault(app, true).await;
    for _ in 0..5 {
        assert_eq!(log_in_from(&app.router, HOME, "vera", "wrong").await.code(), "INTERNAL");
    }
    set_fault(app, false).await;
    assert_eq!(log_in_from(&app.router, HOME, "vera", GOOD).await.code(), "RATE_LIMITED");
}

async fn the_entry_of_a_failed_login_names_its_target(app: &TestApp) {
    log_in_from(&app.router, HOME, "nobody@example.com", "wrong").await;
    log_in_from(&app.router, HOME, "Vera@example.com", "wrong").await;
    let entries = entries(app, "FAILED_LOGIN").await;
    let vera = app.viewer().id().to_string();
    for (username, user, details) in
        [("nobody@example.com", json!(null), json!(null)), ("vera", json!({ "id": vera }), json!({ "account": vera }))]
    {
        let entry = json!({ "username": username, "user": user, "success": false, "details": details });
        assert!(entries.contains(&entry), "{username}: {entries:#?}");
    }
}

async fn a_throttled_login_is_recorded_with_its_target_and_does_not_fill_the_log(app: &TestApp) {
    for (name, address) in [("nobody", "192.0.2.1"), ("vera", "198.51.100.1")] {
        for _ in 0..40 {
            log_in_from(&app.router, address, name, "wrong").await;
        }
    }
    let throttled = entries(app, "LIMIT_EXCEEDED").await;
    let of = |name: &str| throttled.iter().filter(|entry| entry["username"] == name).collect::<Vec<_>>();
    assert_eq!((of("nobody").len(), of("vera").len(), throttled.len()), (10, 10, 20));
    assert_eq!(of("vera")[0]["details"]["account"], app.viewer().id().to_string());
    assert_eq!(
        (&of("nobody")[0]["user"], &of("nobody")[0]["success"], &of("nobody")[0]["details"]["code"]),
        (&json!(null), &json!(false), &json!("RATE_LIMITED"))
    );
}

async fn what_can_be_no_name_is_recorded_as_a_hash(app: &TestApp) {
    for typed in ["Tr0ub4dor&3", "correct horse battery", "x\u{202e}y", "M\u{fc}ller"] {
        log_in_from(&app.router, HOME, typed, "wrong").await;
    }
    log_in_from(&app.router, HOME, "m\u{dc}ller", "wrong").await;
    let entries = entries(app, "FAILED_LOGIN").await;
    let names: Vec<_> = entries.iter().map(|entry| entry["username"].as_str().expect("a name")).collect();
    assert!(names.iter().all(|name| name.starts_with("hash:") && name.len() == 5 + 32), "{names:?}");
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!((names.len(), distinct.len()), (5, 4), "without regard to case");
}

async fn a_long_name_is_cut(app: &TestApp) {
    let long = format!("{}@example.com", "x".repeat(60));
    log_in_from(&app.router, HOME, &long, "wrong").await;
    assert_eq!(entries(app, "FAILED_LOGIN").await[0]["username"], format!("{}\u{2026}", "x".repeat(49)));
}

async fn attempted_names_are_recorded_as_the_setting_says(app: &TestApp) {
    for setting in [AttemptedNames::None, AttemptedNames::Hash] {
        let router = app.within(|limits: &mut Limits| limits.accounts.attempted_names = setting).await;
        log_in_from(&router, HOME, "nobody", "wrong").await;
        log_in_from(&router, HOME, "vera", "wrong").await;
        let entries = entries(app, "FAILED_LOGIN").await;
        let hashes =
            entries.iter().filter(|entry| entry["username"].as_str().is_some_and(|name| name.starts_with("hash:")));
        let (nulls, veras) = (
            entries.iter().filter(|entry| entry["username"].is_null()),
            entries.iter().filter(|entry| entry["username"] == "vera"),
        );
        let rounds = entries.len() / 2;
        assert_eq!((nulls.count(), veras.count(), hashes.count()), (1, rounds, rounds - 1), "{setting:?}");
    }
}

async fn entries(app: &TestApp, action: &str) -> Vec<Value> {
    let query = "query($action: AuditAction!) { auditLogs(first: 100, filter: {action: {eq: $action}}) {
        nodes { username user { id } success details } } }";
    let reply = app.analyst().gql(query, json!({ "action": action })).await;
    reply.data()["auditLogs"]["nodes"].as_array().expect("entries").clone()
}

/// Makes the audit log refuse entries, or take them again.
async fn set_fault(app: &TestApp, on: bool) {
    let statement = match (app.backend, on) {
        (Backend::Sqlite, true) => {
            "create trigger fault before insert on audit_logs begin select raise(abort, 'fault'); end"
        }
        (Backend::Sqlite, false) => "drop trigger fault",
        (Backend::Postgres, true) => {
            "create function fault() returns trigger language plpgsql as 'begin raise ''fault''; end';
             create trigger fault before insert on audit_logs for each row execute function fault()"
        }
        (Backend::Postgres, false) => "drop trigger fault on audit_logs",
    };
    app.execute_all(statement).await;
}
