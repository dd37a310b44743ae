//! Audit log entries that clients record: what they may claim, and what only the server says.

use guardianeye::model::Scope;
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, on_both};

on_both!(
    only_actions_of_agents_can_be_recorded_by_a_client,
    the_servers_facts_stand_under_a_key_that_no_client_sets,
    details_with_the_servers_key_are_refused_by_name
);

async fn only_actions_of_agents_can_be_recorded_by_a_client(app: &TestApp) {
    let actions = app.admin().gql("{ __type(name: \"AuditAction\") { enumValues { name } } }", json!({})).await;
    let actions = actions.data()["__type"]["enumValues"].as_array().expect("actions").clone();
    assert!(actions.len() > 11, "{actions:?}");
    for action in actions {
        let action = action["name"].as_str().expect("a name");
        for caller in [app.analyst(), app.admin(), app.api_token(app.admin().id(), Scope::ALL).await.1] {
            let reply = record(&caller, json!({ "action": action })).await;
            if ["QUERY_AGENT", "AGENT_EXECUTION"].contains(&action) {
                assert!(reply.codes().is_empty(), "{action}: {:#}", reply.body);
            } else {
                assert_eq!(
                    (reply.code(), &reply.body["errors"][0]["extensions"]["field"]),
                    ("BAD_USER_INPUT", &json!("action")),
                    "{action}"
                );
            }
        }
    }
}

async fn the_servers_facts_stand_under_a_key_that_no_client_sets(app: &TestApp) {
    let (token, script) = app.api_token(app.admin().id(), &[Scope::WriteAudit]).await;
    let viewer = app.viewer().id().to_string();
    let claims = json!({ "recordedBy": "forged", "apiToken": "forged", "agent": { "guardianeye": "nested" } });
    let reply = record(&script, json!({ "action": "QUERY_AGENT", "userId": viewer, "details": claims })).await;
    let mut expected = claims.clone();
    expected["guardianeye"] = json!({ "recordedBy": app.admin().id().to_string(), "apiToken": token.id.to_string() });
    assert_eq!(reply.data()["recordAuditLog"]["auditLog"]["details"], expected);
    // Without any such fact the details are the client's alone.
    for details in [claims, Value::Null] {
        let reply = record(&app.analyst(), json!({ "action": "QUERY_AGENT", "details": details })).await;
        assert_eq!(reply.data()["recordAuditLog"]["auditLog"]["details"], details);
    }
}

async fn details_with_the_servers_key_are_refused_by_name(app: &TestApp) {
    for key in ["guardianeye", "GuardianEye", "guardianeye ", "guardian\u{200b}eye", "\u{ff47}uardianeye"] {
        for value in [json!(null), json!("x"), json!({ "recordedBy": "forged" })] {
            let reply =
                record(&app.analyst(), json!({ "action": "QUERY_AGENT", "details": { "a": 1, key: value } })).await;
            assert_eq!(
                (reply.code(), &reply.body["errors"][0]["extensions"]["field"]),
                ("BAD_USER_INPUT", &json!("details"))
            );
            assert!(reply.message().contains("guardianeye"), "{}", reply.message());
        }
    }
}

async fn record(caller: &Caller<'_>, input: Value) -> Reply {
    let query = "mutation($input: RecordAuditLogInput!) { recordAuditLog(input: $input) { auditLog { details } } }";
    caller.gql(query, json!({ "input": input })).await
}
