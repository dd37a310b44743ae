//! What commands leave in the audit log: the operating-system user who ran them. And the password of the first admin, which
//! follows the same rules as others.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{Database, Server, TestApp, log_in_from, on_both};

on_both!(
    entries_of_commands_name_the_operating_system_user,
    the_first_admin_is_created_by_an_operating_system_user,
    a_weak_password_of_the_first_admin_is_refused_with_the_rule
);

async fn entries_of_commands_name_the_operating_system_user(app: &TestApp) {
    let url = &app.database.url;
    assert_eq!(log_in_from(&app.router, "192.0.2.1", "vera", "wrong").await.code(), "UNAUTHENTICATED");
    for args in [&["users", "unlock", "vera"][..], &["users", "reset-password", "vera"], &["keys", "rotate"]] {
        let output = run(url, args, &[("GUARDIANEYE_NEW_PASSWORD", "correct horse battery staple")]);
        assert!(output.status.success(), "{args:?}: {}", text(&output));
    }
    let entries = entries(app).await;
    assert_eq!(entries.len(), 3, "{entries:#?}");
    for (entry, beginning) in entries.iter().rev().zip([
        "Unlocked the user vera",
        "Reset the password of vera",
        "Rotated the key that signs access tokens",
    ]) {
        assert_names_operator(entry);
        assert!(entry["description"].as_str().expect("a sentence").starts_with(beginning), "{entry:#}");
        assert_eq!((&entry["user"], &entry["ipAddress"]), (&Value::Null, &Value::Null));
    }
}

async fn the_first_admin_is_created_by_an_operating_system_user(app: &TestApp) {
    let database = Database::empty(app.backend).await;
    assert!(run(&database.url, &["db", "init"], &[]).status.success());
    let chosen = [("GUARDIANEYE_ADMIN_PASSWORD", "a better password")];
    assert!(run(&database.url, &["db", "init"], &chosen).status.success());
    let server = Server::start(&database.url, &[], &[]);
    let login = server.post(r#"{"query":"mutation { login(input: {username: \"admin\", password: \"a better password\"}) { accessToken } }"}"#);
    let token = login.split("accessToken\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    let answer = server.post_as(token, r#"{"query":"{ auditLogs(filter: {action: {in: [USER_CREATED, PASSWORD_CHANGED]}}) { nodes { description details } } }"}"#);
    let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    let entries = body["data"]["auditLogs"]["nodes"].as_array().expect("entries").clone();
    assert_eq!(entries.len(), 2);
    entries.iter().for_each(assert_names_operator);
    server.stop();
    database.remove().await;
}

async fn a_weak_password_of_the_first_admin_is_refused_with_the_rule(app: &TestApp) {
    for (password, rule) in [
        ("short", "at least 12 characters"),
        ("password1234", "too easy to guess"),
        ("guardianeye2026", "too easy to guess"),
    ] {
        let database = Database::empty(app.backend).await;
        let weak = [("GUARDIANEYE_ADMIN_PASSWORD", password)];
        for args in [&["serve", "--migrate", "--port", "0"][..], &["db", "init"]] {
            refused(&run_to_its_end(&database.url, args, &weak), rule);
        }
        // Nor does it replace the default one.
        assert!(run(&database.url, &["db", "init"], &[]).status.success());
        for args in [&["serve", "--port", "0"][..], &["db", "init"]] {
            refused(&run_to_its_end(&database.url, args, &weak), rule);
        }
        // Where it is not used it does not keep the server from starting.
        let chosen = [("GUARDIANEYE_ADMIN_PASSWORD", "a better password")];
        assert!(run(&database.url, &["db", "init"], &chosen).status.success());
        assert!(run(&database.url, &["db", "init"], &weak).status.success());
        database.remove().await;
    }
    let database = Database::empty(app.backend).await;
    let variables = [("GUARDIANEYE_ADMIN_PASSWORD", "a better password"), ("GUARDIANEYE_PASSWORD_MIN_LENGTH", "20")];
    for args in [&["serve", "--migrate", "--port", "0"][..], &["db", "init"]] {
        refused(&run_to_its_end(&database.url, args, &variables), "at least 20 characters");
    }
    database.remove().await;
}

fn refused(output: &Output, rule: &str) {
    let text = text(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("GUARDIANEYE_ADMIN_PASSWORD") && text.contains(rule), "{text}");
}

/// The user of this process, as the file system and `id` name it.
fn assert_names_operator(entry: &Value) {
    let id = |option| text(&Command::new("id").arg(option).output().expect("runs")).trim().to_owned();
    let (name, uid) = (id("-un"), id("-u").parse::<u32>().expect("a number"));
    assert_eq!(entry["details"]["operatingSystemUser"], json!({ "name": name, "uid": uid }), "{entry:#}");
    let description = entry["description"].as_str().expect("a sentence");
    assert!(description.ends_with(&format!(" (by {name} on the command line)")), "{description}");
}

async fn entries(app: &TestApp) -> Vec<Value> {
    // All access tokens of the test are of the key that was rotated; it still counts.
    let query = "{ auditLogs(filter: {action: {notIn: [FAILED_LOGIN]}}) { nodes { description details ipAddress user { id } } } }";
    app.admin().gql(query, json!({})).await.data()["auditLogs"]["nodes"].as_array().expect("entries").clone()
}

fn run(url: &str, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
    command.args(args).env("DATABASE_URL", url).envs(variables.iter().copied()).output().expect("runs")
}

/// The same for a command that may wrongly go on: it is stopped after ten seconds.
fn run_to_its_end(url: &str, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new("timeout");
    command.args(["10", env!("CARGO_BIN_EXE_guardianeye")]).args(args);
    command.env("DATABASE_URL", url).envs(variables.iter().copied()).output().expect("runs")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
