//! `db check` finds rows whose JSON breaks the rules, and names them.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{TestApp, on_both};

on_both!(db_check_names_rows_with_json_that_breaks_the_rules);

async fn db_check_names_rows_with_json_that_breaks_the_rules(app: &TestApp) {
    assert_eq!(report(&app.database.url)["findings"], json!([]));
    let user = app.viewer().id();
    let mut expected = Vec::new();
    for (text, reason) in [
        (r#"{"a": "b\u0000c"}"#, Some("context.a: a string must not contain the character U+0000 at line 1 column 16")),
        (
            r#"{"a": {"$serde_json::private::RawValue": "1"}}"#,
            Some("context.a: a key must not begin with $serde_json::private:: at line 1 column 39"),
        ),
        (r#"{"a": "\uD800"}"#, Some("context is not JSON: unexpected end of hex escape at line 1 column 14")),
        (r#"{"a": "\\u0000 \uD83D\uDE80 \ud83d\ude80"}"#, None),
        (r#"{"a": 1}"#, None),
    ] {
        let session = app.session(user, "old", app.now()).await;
        app.execute(&format!("update sessions set context = '{text}' where id = '{}'", session.id)).await;
        let entry = app.audit_log(Some(user), app.now()).await;
        app.execute(&format!("update audit_logs set details = '{text}' where id = '{}'", entry.id)).await;
        if let Some(reason) = reason {
            expected.push(json!({ "table": "sessions", "id": session.id.to_string(), "reason": reason }));
            expected.push(json!({ "table": "audit_logs", "id": entry.id.to_string(), "reason": reason.replace("context", "details") }));
        }
    }
    let sorted = |findings: &[Value]| {
        let mut findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
        findings.sort();
        findings
    };
    let report = report(&app.database.url);
    // Nobody can put them right in an audit log: they are told, and no failure.
    assert_eq!(report["ok"], true, "{report:#}");
    assert_eq!(sorted(report["findings"].as_array().expect("a list")), sorted(&expected));
    let text = String::from_utf8(run(&app.database.url, &[]).stdout).expect("text");
    for finding in expected {
        let line = format!(
            "! {} {}: {}",
            finding["table"].as_str().expect("a table"),
            finding["id"].as_str().expect("an id"),
            finding["reason"].as_str().expect("a reason")
        );
        assert!(text.contains(&line), "{line}\n{text}");
    }
}

fn report(url: &str) -> Value {
    serde_json::from_slice(&run(url, &["--json"]).stdout).expect("JSON")
}

fn run(url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
    command.args(["db", "check"]).args(arguments).env("DATABASE_URL", url).output().expect("runs")
}
