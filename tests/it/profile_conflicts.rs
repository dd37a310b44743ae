//! Names and addresses that are taken: whoever probes for them leaves a trace and has to stop.

use guardianeye::model::Role;
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, on_both};

const UPDATE: &str = "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { username } } }";
const CREATE: &str = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }";

on_both!(
    conflicts_are_recorded_without_their_owner,
    after_ten_conflicts_an_hour_a_non_admin_has_to_wait,
    an_admin_is_not_limited,
    conflicts_at_the_same_time_are_counted_each
);

async fn conflicts_are_recorded_without_their_owner(app: &TestApp) {
    assert_eq!(rename(&app.viewer(), "username", "Adam").await.code(), "CONFLICT");
    assert_eq!(rename(&app.viewer(), "email", "adam@example.com").await.code(), "CONFLICT");
    let entries = entries(app, "USER_UPDATED").await;
    for field in ["username", "email"] {
        assert!(entries.iter().any(|entry| entry["details"]["field"] == field), "{entries:#?}");
    }
    for entry in &entries {
        assert_eq!((&entry["username"], &entry["success"]), (&json!("vera"), &json!(false)));
        assert_eq!(entry["details"]["user"]["username"], "vera");
        assert!(!entry.to_string().to_lowercase().contains("adam"), "{entry}");
    }
    assert_eq!(entries.len(), 2);
    let input = json!({ "username": "vera", "email": "new@example.com", "password": "correct horse battery staple" });
    assert_eq!(app.admin().gql(CREATE, json!({ "input": input })).await.code(), "CONFLICT");
    let created = &self::entries(app, "USER_CREATED").await[0];
    assert_eq!(
        (&created["username"], &created["success"], &created["details"]["field"]),
        (&json!("adam"), &json!(false), &json!("username"))
    );
}

async fn after_ten_conflicts_an_hour_a_non_admin_has_to_wait(app: &TestApp) {
    for n in 0..10 {
        let (field, value) = if n % 2 == 0 { ("username", "adam") } else { ("email", "adam@example.com") };
        assert_eq!(rename(&app.viewer(), field, value).await.code(), "CONFLICT", "{n}");
    }
    // Whether it is taken or not, on any instance.
    let other = app.later(0).await;
    for value in ["adam", "free", "anna"] {
        for reply in
            [rename(&app.viewer(), "username", value).await, rename(&app.viewer().at(&other), "username", value).await]
        {
            assert_eq!(
                (reply.code(), &reply.body["errors"][0]["extensions"]["retryAfter"]),
                ("RATE_LIMITED", &json!(3600)),
                "{value}"
            );
        }
    }
    rename(&app.viewer(), "fullName", "Vera V.").await.data();
    assert_eq!(rename(&app.analyst(), "username", "adam").await.code(), "CONFLICT", "others have their own count");
    assert_eq!(entries(app, "USER_UPDATED").await.iter().filter(|entry| entry["success"] == false).count(), 11);
    for (age, retry_after) in [(3_599, Some(1)), (3_600, None)] {
        app.execute(&format!(
            "update audit_logs set timestamp = '{}' where action = 'user_updated'",
            app.now().plus_seconds(-age)
        ))
        .await;
        let reply = rename(&app.viewer(), "username", "free").await;
        assert_eq!(reply.body["errors"][0]["extensions"]["retryAfter"].as_u64(), retry_after, "{:#}", reply.body);
    }
}

async fn an_admin_is_not_limited(app: &TestApp) {
    for _ in 0..12 {
        assert_eq!(rename(&app.admin(), "username", "anna").await.code(), "CONFLICT");
    }
}

async fn conflicts_at_the_same_time_are_counted_each(app: &TestApp) {
    let olga = app.user("olga", Role::Viewer, app.now()).await;
    let callers: Vec<_> = (0..20).map(|_| app.logged_in(&olga)).collect();
    let replies = futures_util::future::join_all(callers.iter().map(|caller| rename(caller, "username", "adam"))).await;
    assert_eq!(replies.iter().filter(|reply| reply.code() == "CONFLICT").count(), 10);
}

async fn rename(caller: &Caller<'_>, field: &str, value: &str) -> Reply {
    let mut input = json!({ "id": caller.id().to_string() });
    input[field] = json!(value);
    caller.gql(UPDATE, json!({ "input": input })).await
}

async fn entries(app: &TestApp, action: &str) -> Vec<Value> {
    let query = "query($action: AuditAction!) { auditLogs(first: 100, filter: {action: {eq: $action}}) {
        nodes { username success description details } } }";
    let reply = app.analyst().gql(query, json!({ "action": action })).await;
    reply.data()["auditLogs"]["nodes"].as_array().expect("entries").clone()
}
