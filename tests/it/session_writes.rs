//! Opening, changing, ending and deleting conversations, and recording what agents did.

use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, on_both};

const CREATE: &str = "mutation($input: CreateSessionInput!) { createSession(input: $input) { session {
    id title threadId context isActive createdAt updatedAt endedAt user { username } } } }";
const UPDATE: &str = "mutation($input: UpdateSessionInput!) { updateSession(input: $input) { session {
    id title threadId context isActive updatedAt } } }";
const RECORD: &str = "mutation($input: RecordAuditLogInput!) { recordAuditLog(input: $input) { auditLog {
    id action description details success username user { username } ipAddress timestamp } } }";

on_both!(
    an_analyst_opens_changes_and_ends_a_conversation,
    only_an_admin_writes_for_others,
    a_lost_update_is_a_conflict,
    of_changes_at_the_same_time_none_is_lost_unseen,
    a_change_that_changes_nothing_leaves_no_trace,
    input_that_breaks_a_rule_is_refused_with_its_field,
    an_agents_run_is_recorded_as_the_caller
);

async fn an_analyst_opens_changes_and_ends_a_conversation(app: &TestApp) {
    let anna = app.analyst();
    let input = json!({ "title": "Phishing", "threadId": "thread-1", "context": { "b": 1.50, "a": [null] } });
    let reply = anna.gql(CREATE, json!({ "input": input })).await;
    let session = reply.data()["createSession"]["session"].clone();
    assert_eq!(session["user"], json!({ "username": "anna" }));
    assert_eq!((&session["isActive"], &session["endedAt"]), (&json!(true), &Value::Null));
    assert_eq!(session["context"], json!({ "b": 1.50, "a": [null] }));
    let id = &session["id"];

    let input = json!({ "id": id, "title": null, "contextPatch": { "a": null, "c": { "d": true, "e": null } } });
    let reply = anna.gql(UPDATE, json!({ "input": input })).await;
    let changed = &reply.data()["updateSession"]["session"];
    assert_eq!((&changed["title"], &changed["threadId"]), (&Value::Null, &json!("thread-1")), "what is absent stays");
    assert_eq!(changed["context"], json!({ "b": 1.5, "c": { "d": true } }));
    assert!(changed["updatedAt"].as_str() > session["updatedAt"].as_str(), "time goes on though the clock stands");

    let end = "mutation($id: ID!) { endSession(id: $id) { session { isActive endedAt } } }";
    let reply = anna.gql(end, json!({ "id": id })).await;
    assert_eq!(reply.data()["endSession"]["session"]["isActive"], false);
    assert_eq!(anna.gql(end, json!({ "id": id })).await.code(), "CONFLICT");
    assert_eq!(anna.gql(UPDATE, json!({ "input": { "id": id, "title": "x" } })).await.code(), "CONFLICT");
    let delete = "mutation($id: ID!) { deleteSession(id: $id) { deletedSessionId } }";
    assert_eq!(anna.gql(delete, json!({ "id": id })).await.data()["deleteSession"]["deletedSessionId"], *id);
    assert_eq!(anna.gql(delete, json!({ "id": id })).await.code(), "NOT_FOUND");

    let log = anna
        .gql(
            "{ me { auditLogs(orderBy: {field: TIMESTAMP, direction: ASC}) { nodes { action details } } } }",
            json!({}),
        )
        .await;
    let mut entries = log.data()["me"]["auditLogs"]["nodes"].as_array().expect("entries").clone();
    entries.sort_by_key(|entry| entry["action"].to_string());
    let actions: Vec<_> = entries.iter().map(|entry| entry["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["SESSION_CREATED", "SESSION_DELETED", "SESSION_ENDED", "SESSION_UPDATED"]);
    assert_eq!(
        entries[3]["details"]["changes"],
        json!({
            "title": { "before": "Phishing", "after": null },
            "context": { "before": { "b": 1.5, "a": [null] }, "after": { "b": 1.5, "c": { "d": true } } },
        })
    );
}

async fn only_an_admin_writes_for_others(app: &TestApp) {
    let anna = app.session(app.analyst().id(), "theirs", app.now()).await;
    let adam = app.session(app.admin().id(), "mine", app.now()).await;
    let input = json!({ "id": adam.id.to_string(), "title": "x" });
    assert_eq!(app.analyst().gql(UPDATE, json!({ "input": input })).await.code(), "FORBIDDEN");
    let input = json!({ "userId": app.admin().id().to_string() });
    assert_eq!(app.analyst().gql(CREATE, json!({ "input": input })).await.code(), "FORBIDDEN");
    let input = json!({ "id": anna.id.to_string(), "title": "x" });
    assert_eq!(
        app.admin().gql(UPDATE, json!({ "input": input })).await.data()["updateSession"]["session"]["title"],
        "x"
    );
    let input = json!({ "userId": app.viewer().id().to_string(), "title": "for vera" });
    let reply = app.admin().gql(CREATE, json!({ "input": input })).await;
    assert_eq!(reply.data()["createSession"]["session"]["user"]["username"], "vera");
    let nobody = uuid::Uuid::nil().to_string();
    assert_eq!(app.admin().gql(CREATE, json!({ "input": { "userId": nobody } })).await.code(), "NOT_FOUND");
    assert_eq!(app.admin().gql(UPDATE, json!({ "input": { "id": nobody } })).await.code(), "NOT_FOUND");
    assert_eq!(app.viewer().gql(CREATE, json!({ "input": {} })).await.code(), "FORBIDDEN");
}

async fn a_lost_update_is_a_conflict(app: &TestApp) {
    let session = app.session(app.analyst().id(), "one", app.now()).await;
    let update = |title: &'static str, expected: Value| async move {
        let input = json!({ "id": session.id.to_string(), "title": title, "expectedUpdatedAt": expected });
        app.analyst().gql(UPDATE, json!({ "input": input })).await
    };
    let read = json!(session.updated_at.to_string());
    let first = update("two", read.clone()).await.data()["updateSession"]["session"]["updatedAt"].clone();
    assert_eq!(update("three", read).await.code(), "CONFLICT");
    assert_eq!(update("three", first).await.data()["updateSession"]["session"]["title"], "three");
}

async fn of_changes_at_the_same_time_none_is_lost_unseen(app: &TestApp) {
    let session = app.session(app.analyst().id(), "one", app.now()).await;
    let changes = (0..12).map(|n| {
        let input = json!({ "id": session.id.to_string(), "contextPatch": { format!("k{n}"): n } });
        async move { app.analyst().gql(UPDATE, json!({ "input": input })).await }
    });
    let replies: Vec<Reply> = futures_util::future::join_all(changes).await;
    let done: Vec<_> =
        replies.iter().enumerate().filter(|(_, reply)| reply.codes().is_empty()).map(|(n, _)| n).collect();
    assert!(!done.is_empty());
    assert!(replies.iter().all(|reply| reply.codes().iter().all(|code| *code == "CONFLICT")));
    let reply = app
        .analyst()
        .gql("query($id: ID!) { session(id: $id) { context } }", json!({ "id": session.id.to_string() }))
        .await;
    let kept: Vec<_> = (0..12).filter(|n| reply.data()["session"]["context"][format!("k{n}")] == *n).collect();
    assert_eq!(kept, done, "what was answered is there");
}

async fn a_change_that_changes_nothing_leaves_no_trace(app: &TestApp) {
    let session = app.session(app.analyst().id(), "same", app.now()).await;
    let input = json!({ "id": session.id.to_string(), "title": "same", "contextPatch": {} });
    let reply = app.analyst().gql(UPDATE, json!({ "input": input })).await;
    assert_eq!(reply.data()["updateSession"]["session"]["updatedAt"], session.updated_at.to_string());
    assert_eq!(count(app, "SESSION_UPDATED").await, 0);
}

async fn input_that_breaks_a_rule_is_refused_with_its_field(app: &TestApp) {
    let session = app.session(app.analyst().id(), "one", app.now()).await;
    let id = session.id.to_string();
    for (query, input, field) in [
        (CREATE, json!({ "title": "x".repeat(256) }), "title"),
        (CREATE, json!({ "title": "a\u{7}b" }), "title"),
        (CREATE, json!({ "threadId": "a\nb" }), "threadId"),
        (CREATE, json!({ "context": "x".repeat(65_536) }), "context"),
        (CREATE, json!({ "userId": "nonsense" }), "userId"),
        (UPDATE, json!({ "id": id, "context": {}, "contextPatch": {} }), "contextPatch"),
        (UPDATE, json!({ "id": id, "contextPatch": null }), "contextPatch"),
        (UPDATE, json!({ "id": id, "contextPatch": { "x": "y".repeat(65_530) } }), "contextPatch"),
        (RECORD, json!({ "action": "LOGIN" }), "action"),
        (RECORD, json!({ "action": "USER_DELETED" }), "action"),
        (RECORD, json!({ "action": "QUERY_AGENT", "details": [1] }), "details"),
        (RECORD, json!({ "action": "QUERY_AGENT", "description": "x".repeat(4_001) }), "description"),
        (RECORD, json!({ "action": "QUERY_AGENT", "description": "\u{202e}" }), "description"),
    ] {
        let reply = app.analyst().gql(query, json!({ "input": input })).await;
        let error = &reply.body["errors"][0]["extensions"];
        assert_eq!((reply.code(), &error["field"]), ("BAD_USER_INPUT", &json!(field)), "{:#}", reply.body);
    }
}

async fn an_agents_run_is_recorded_as_the_caller(app: &TestApp) {
    let input = json!({ "action": "AGENT_EXECUTION", "description": "Examined srv-1\nno findings", "details": { "agent": "triage" }, "success": false });
    let reply = app.analyst().gql(RECORD, json!({ "input": input })).await;
    let entry = &reply.data()["recordAuditLog"]["auditLog"];
    assert_eq!(
        (&entry["action"], &entry["success"], &entry["username"]),
        (&json!("AGENT_EXECUTION"), &json!(false), &json!("anna"))
    );
    assert_eq!(entry["timestamp"], "2026-03-01T12:00:00.000000Z");
    let user = app.viewer().id().to_string();
    let input = json!({ "action": "QUERY_AGENT", "userId": user, "details": { "recordedBy": "forged" } });
    assert_eq!(app.analyst().gql(RECORD, json!({ "input": input })).await.code(), "FORBIDDEN");
    let reply = app.admin().gql(RECORD, json!({ "input": input })).await;
    let entry = &reply.data()["recordAuditLog"]["auditLog"];
    assert_eq!(entry["user"], json!({ "username": "vera" }));
    assert_eq!(
        entry["details"]["guardianeye"]["recordedBy"],
        app.admin().id().to_string(),
        "who wrote it is not forged"
    );
}

async fn count(app: &TestApp, action: &str) -> i64 {
    let query = "query($action: AuditAction!) { auditLogs(filter: {action: {eq: $action}}) { totalCount } }";
    let caller: Caller<'_> = app.admin();
    caller.gql(query, json!({ "action": action })).await.data()["auditLogs"]["totalCount"].as_i64().expect("a count")
}
