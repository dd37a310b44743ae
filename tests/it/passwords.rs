//! Passwords: changed by their users, reset by admins and by whoever runs the program, and never seen anywhere.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Caller, Database, Reply, Server, TestApp, on_both};

const OLD: &str = "a good password";
const NEW: &str = "correct horse battery staple";
const CHANGE: &str =
    "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { user { username updatedAt } } }";
const RESET: &str = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { user { username } } }";

on_both!(
    a_changed_password_logs_in_and_ends_the_other_logins,
    a_right_current_password_is_no_failed_login_whatever_the_new_one_is,
    a_wrong_current_password_counts_as_a_failed_login,
    a_weak_or_unchanged_password_is_refused_with_the_reason,
    a_password_is_the_same_however_it_is_typed,
    a_reset_ends_all_logins_and_asks_for_another_password,
    a_reset_is_for_others_and_for_good_passwords,
    passwords_and_tokens_are_in_no_entry_no_log_and_no_error,
    an_operator_lets_users_in_again
);

async fn a_changed_password_logs_in_and_ends_the_other_logins(app: &TestApp) {
    let (here, there) = (log_in(app, "vera", OLD).await, log_in(app, "vera", OLD).await);
    let reply = here.gql(CHANGE, input(OLD, NEW)).await;
    assert_eq!(reply.data()["changePassword"]["user"]["updatedAt"], "2026-03-01T12:00:00.000001Z");
    here.gql("{ me { id } }", json!({})).await.data();
    for other in [there, app.viewer()] {
        assert_eq!(other.gql("{ me { id } }", json!({})).await.code(), "UNAUTHENTICATED");
    }
    assert_eq!(login(app, "vera", OLD).await.code(), "UNAUTHENTICATED");
    assert_eq!(login(app, "vera", NEW).await.data()["login"]["passwordChangeRequired"], false);
    let entry = newest(app).await;
    assert_eq!(
        (&entry["description"], &entry["success"], &entry["details"]["authSessions"]),
        (&json!("Changed own password"), &json!(true), &json!(2))
    );
    assert_eq!((&entry["username"], &entry["details"]["user"]["username"]), (&json!("vera"), &json!("vera")));
}

async fn a_right_current_password_is_no_failed_login_whatever_the_new_one_is(app: &TestApp) {
    for _ in 0..8 {
        let reply = app.viewer().gql(CHANGE, input(OLD, "password1234")).await;
        assert_eq!((reply.code(), field(&reply)), ("BAD_USER_INPUT", "newPassword"));
    }
    login(app, "vera", OLD).await.data();
}

async fn a_wrong_current_password_counts_as_a_failed_login(app: &TestApp) {
    for _ in 0..5 {
        let reply = app.viewer().gql(CHANGE, input("wrong", NEW)).await;
        assert_eq!((reply.code(), field(&reply)), ("BAD_USER_INPUT", "currentPassword"));
    }
    let entry = newest(app).await;
    assert_eq!((&entry["success"], &entry["details"]["user"]["username"]), (&json!(false), &json!("vera")));
    // From here on each try has to wait, also a right one, and also to log in.
    let reply = app.viewer().gql(CHANGE, input(OLD, NEW)).await;
    assert_eq!((reply.code(), &reply.body["errors"][0]["extensions"]["retryAfter"]), ("RATE_LIMITED", &json!(2)));
    assert_eq!(login(app, "vera", OLD).await.code(), "RATE_LIMITED");
    let two = "mutation($input: ChangePasswordInput!) { a: changePassword(input: $input) { user { id } } b: changePassword(input: $input) { user { id } } }";
    assert_eq!(app.analyst().gql(two, input(OLD, NEW)).await.code(), "QUERY_TOO_COMPLEX");
    // An admin lets the user in again.
    let unlock = "mutation($id: ID!) { unlockUser(id: $id) { user { username } } }";
    app.admin().gql(unlock, json!({ "id": app.viewer().id().to_string() })).await.data();
    login(app, "vera", OLD).await.data();
    let query = "{ auditLogs(first: 1, filter: {action: {eq: USER_UPDATED}}) { nodes { description } } }";
    assert_eq!(
        app.admin().gql(query, json!({})).await.data()["auditLogs"]["nodes"][0]["description"],
        "Unlocked the user vera"
    );
}

async fn a_weak_or_unchanged_password_is_refused_with_the_reason(app: &TestApp) {
    for (new, reason) in [
        (OLD, "the new password is the current one"),
        ("elevenchars", "at least 12 characters"),
        ("vera.vera.vera", "too easy to guess"),
        ("qwertyuiop123", "too easy to guess"),
        (&"x".repeat(1025), "at most 1024 bytes"),
    ] {
        let reply = app.viewer().gql(CHANGE, input(OLD, new)).await;
        assert_eq!((reply.code(), field(&reply)), ("BAD_USER_INPUT", "newPassword"), "{new}");
        assert!(reply.message().contains(reason), "{new}: {}", reply.message());
    }
    let reply = app.viewer().gql(CHANGE, input(&"x".repeat(1025), NEW)).await;
    assert_eq!((reply.code(), field(&reply)), ("BAD_USER_INPUT", "currentPassword"));
    login(app, "vera", OLD).await.data();
}

async fn a_password_is_the_same_however_it_is_typed(app: &TestApp) {
    app.viewer().gql(CHANGE, input(OLD, "Z\u{fc}rcher Stra\u{df}enbahn \u{fb01}ndet Nebel")).await.data();
    for typed in ["Z\u{fc}rcher Stra\u{df}enbahn findet Nebel", "Zu\u{308}rcher Stra\u{df}enbahn \u{fb01}ndet Nebel"] {
        login(app, "vera", typed).await.data();
    }
    let reply = app.viewer().gql("{ me { id } }", json!({})).await;
    reply.data();
    let same = input("Zu\u{308}rcher Stra\u{df}enbahn findet Nebel", "Z\u{fc}rcher Stra\u{df}enbahn findet Nebel");
    assert_eq!(field(&app.viewer().gql(CHANGE, same).await), "newPassword");
}

async fn a_reset_ends_all_logins_and_asks_for_another_password(app: &TestApp) {
    let (vera, before) = (app.viewer(), log_in(app, "vera", OLD).await);
    for _ in 0..6 {
        login(app, "vera", "wrong").await;
    }
    let variables = json!({ "input": { "userId": vera.id().to_string(), "newPassword": NEW } });
    assert_eq!(app.admin().gql(RESET, variables).await.data()["resetPassword"]["user"]["username"], "vera");
    let entry = newest(app).await;
    assert_eq!(
        (&entry["username"], &entry["description"], &entry["details"]["authSessions"]),
        (&json!("adam"), &json!("Reset the password of vera"), &json!(2))
    );
    for old in [&vera, &before] {
        assert_eq!(old.gql("{ me { id } }", json!({})).await.code(), "UNAUTHENTICATED");
    }
    assert_eq!(login(app, "vera", OLD).await.code(), "UNAUTHENTICATED");
    // The failures are forgotten, and it stays asked until it is done.
    for _ in 0..2 {
        assert_eq!(login(app, "vera", NEW).await.data()["login"]["passwordChangeRequired"], true);
    }
    let refresh =
        "mutation($token: String!) { refreshToken(input: {refreshToken: $token}) { passwordChangeRequired } }";
    let token = login(app, "vera", NEW).await.data()["login"]["refreshToken"].clone();
    assert_eq!(
        app.anonymous().gql(refresh, json!({ "token": token })).await.data()["refreshToken"]["passwordChangeRequired"],
        true
    );
    log_in(app, "vera", NEW).await.gql(CHANGE, input(NEW, "another staple of batteries")).await.data();
    assert_eq!(
        login(app, "vera", "another staple of batteries").await.data()["login"]["passwordChangeRequired"],
        false
    );
}

async fn a_reset_is_for_others_and_for_good_passwords(app: &TestApp) {
    let reset = async |caller: Caller<'_>, id: String, new: &str| {
        caller.gql(RESET, json!({ "input": { "userId": id, "newPassword": new } })).await
    };
    let (vera, adam, nobody) =
        (app.viewer().id().to_string(), app.admin().id().to_string(), uuid::Uuid::nil().to_string());
    let own = reset(app.admin(), adam.clone(), NEW).await;
    assert_eq!((own.code(), field(&own)), ("BAD_USER_INPUT", "userId"));
    let weak = reset(app.admin(), vera.clone(), "vera@example.com").await;
    assert_eq!((weak.code(), field(&weak)), ("BAD_USER_INPUT", "newPassword"));
    assert_eq!(reset(app.admin(), nobody.clone(), NEW).await.code(), "NOT_FOUND");
    for id in [vera, adam, nobody] {
        assert_eq!(reset(app.analyst(), id, NEW).await.code(), "FORBIDDEN");
    }
    login(app, "vera", OLD).await.data();
}

async fn passwords_and_tokens_are_in_no_entry_no_log_and_no_error(app: &TestApp) {
    let database = Database::empty(app.backend).await;
    let server = Server::start(&database.url, &["--migrate", "--log", "trace"], &[]);
    let canaries = ["canary-Xk1-first-of-four", "canary-Xk2-second-of-four", "canary-Xk3-third-of-four", "canary-Xk4"];
    let [first, second, third, short] = canaries;
    let (mut answers, mut tokens) = (Vec::new(), Vec::new());
    let mut ask = |token: &str, query: String| {
        let body = json!({ "query": query }).to_string();
        let answer = server.post_as(token, &body);
        answers.push(answer.clone());
        answer
    };
    let token_of = |answer: &str| {
        let (_, rest) = answer.split_once(r#""accessToken":""#).unwrap_or_else(|| panic!("no login: {answer}"));
        rest.split('"').next().expect("a token").to_owned()
    };
    let login = |name: &str, password: &str| {
        format!(r#"mutation {{ login(input: {{username: "{name}", password: "{password}"}}) {{ accessToken }} }}"#)
    };
    let admin = token_of(&ask("", login("admin", "admin")));
    let create = |password: &str| {
        format!(
            r#"mutation {{ createUser(input: {{username: "nora", email: "nora@example.com", password: "{password}"}}) {{ user {{ id }} }} }}"#
        )
    };
    ask(&admin, create(short));
    let created = ask(&admin, create(first));
    let id = created.split(r#""id":""#).nth(1).and_then(|rest| rest.split('"').next()).expect("an id").to_owned();
    let change = |current: &str, new: &str| {
        format!(
            r#"mutation {{ changePassword(input: {{currentPassword: "{current}", newPassword: "{new}"}}) {{ user {{ id }} }} }}"#
        )
    };
    let nora = token_of(&ask("", login("nora", first)));
    ask(&nora, change(second, third));
    ask(&nora, change(first, short));
    assert!(ask(&nora, change(first, second)).contains(&id), "changed");
    ask(
        &admin,
        format!(
            r#"mutation {{ resetPassword(input: {{userId: "{id}", newPassword: "{third}"}}) {{ user {{ id }} }} }}"#
        ),
    );
    ask("", login("nora", second));
    // Documents that do not fit are the ones that errors like to quote.
    ask(
        &admin,
        format!(
            r#"mutation {{ resetPassword(input: {{userId: "{id}", newPassword: "{third}", x: 1}}) {{ user {{ id }} }} }}"#
        ),
    );
    ask(
        &admin,
        format!(
            r#"mutation {{ resetPassword(input: {{userId: ["{third}"], newPassword: "{third}"}}) {{ user {{ id }} }} }}"#
        ),
    );
    // As variables, as a token that is none, and tokens that are.
    let query = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken } }";
    for password in [second, third] {
        let body = json!({ "query": query, "variables": { "input": { "username": "nora", "password": password } } });
        tokens.push(server.post_as("", &body.to_string()));
    }
    ask(&format!("{short}.{short}.{short}"), "{ me { id } }".to_owned());
    tokens.push(server.post_as(
        &admin,
        &json!({ "query": "mutation { createApiToken(input: {name: \"x\", scopes: [READ]}) { token } }" }).to_string(),
    ));
    let refresh = tokens[1]
        .split(r#""refreshToken":""#)
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a token")
        .to_owned();
    tokens.push(server.post_as("", &json!({ "query": format!("mutation {{ refreshToken(input: {{refreshToken: \"{refresh}\"}}) {{ accessToken refreshToken }} }}") }).to_string()));
    let log =
        ask(&admin, "{ auditLogs(first: 100) { nodes { action description details username userAgent } } }".to_owned());
    assert!(log.contains("PASSWORD_CHANGED") && log.contains("USER_CREATED"), "{log}");
    let logged = server.stop_and_read();
    assert!(logged.trim_end().ends_with("stopped"), "the log is read to its end");
    let secret = regex::Regex::new("(eyJ|gey_|ger_)[A-Za-z0-9_.-]{40,}").expect("a pattern");
    let tokens: Vec<_> = tokens
        .iter()
        .flat_map(|answer| secret.find_iter(answer))
        .map(|found| found.as_str())
        .chain([&*admin, &*nora])
        .collect();
    assert_eq!(tokens.len(), 7, "two of a login, one for scripts, two of a refresh, and those of the others");
    for token in tokens {
        assert!(!logged.contains(token) && !log.contains(token), "{token}");
    }
    for canary in canaries.map(|canary| &canary[..10]) {
        assert!(!logged.contains(canary), "{canary} is in the log");
        for answer in &answers {
            assert!(!answer.contains(canary), "{canary}: {answer}");
        }
    }
    database.remove().await;
}

async fn an_operator_lets_users_in_again(app: &TestApp) {
    for _ in 0..6 {
        login(app, "adam", "wrong").await;
    }
    assert_eq!(login(app, "adam", OLD).await.code(), "RATE_LIMITED");
    let unlocked = run(app, &["users", "unlock", "Adam"], None, None);
    assert!(unlocked.contains("Unlocked adam"), "{unlocked}");
    assert!(run(app, &["users", "unlock", "adam@example.com"], None, None).contains("adam was not locked"));
    login(app, "adam", OLD).await.data();

    assert!(
        run(app, &["users", "reset-password", "adam"], Some("short"), None)
            .contains("the password is rejected: a password has at least 12 characters")
    );
    assert!(
        run(app, &["users", "reset-password", "adam"], None, Some("adam@example.com\n")).contains("too easy to guess")
    );
    assert!(run(app, &["users", "reset-password", "nobody"], Some(NEW), None).contains("there is no such user"));
    login(app, "adam", OLD).await.data();
    for (variable, input) in [(Some(NEW), None), (None, Some(format!("{NEW} two\nand more\n")))] {
        let done = run(app, &["users", "reset-password", "adam"], variable, input.as_deref());
        assert!(done.contains("Reset the password of adam") && !done.contains(NEW), "{done}");
        assert_eq!(login(app, "adam", OLD).await.code(), "UNAUTHENTICATED");
        let new = variable.map_or_else(|| format!("{NEW} two"), str::to_owned);
        assert_eq!(login(app, "adam", &new).await.data()["login"]["passwordChangeRequired"], true);
    }
    // As by the system, and the logins before it are ended.
    assert_eq!(app.admin().gql("{ me { id } }", json!({})).await.code(), "UNAUTHENTICATED");
    let entry = newest(app).await;
    assert_eq!((&entry["username"], &entry["user"], &entry["ipAddress"]), (&json!(null), &json!(null), &json!(null)));
    assert_eq!(entry["details"]["user"]["username"], "adam");
}

fn input(current: &str, new: &str) -> Value {
    json!({ "input": { "currentPassword": current, "newPassword": new } })
}

fn field(reply: &Reply) -> &str {
    reply.body["errors"][0]["extensions"]["field"].as_str().unwrap_or_else(|| panic!("no field: {:#}", reply.body))
}

async fn login(app: &TestApp, username: &str, password: &str) -> Reply {
    let query =
        "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken passwordChangeRequired } }";
    app.anonymous().gql(query, json!({ "input": { "username": username, "password": password } })).await
}

async fn log_in<'a>(app: &'a TestApp, username: &str, password: &str) -> Caller<'a> {
    let reply = login(app, username, password).await;
    Caller::with_token(app, reply.data()["login"]["accessToken"].as_str().expect("a token").to_owned())
}

/// The newest entry about a password.
async fn newest(app: &TestApp) -> Value {
    let query = "{ auditLogs(first: 1, filter: {action: {eq: PASSWORD_CHANGED}}) {
        nodes { username user { id } description details success ipAddress } } }";
    app.analyst().gql(query, json!({})).await.data()["auditLogs"]["nodes"][0].clone()
}

/// What the program says, with a password in the environment or on its input.
fn run(app: &TestApp, args: &[&str], variable: Option<&str>, input: Option<&str>) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
    command
        .args(args)
        .env("DATABASE_URL", &app.database.url)
        .envs(variable.map(|value| ("GUARDIANEYE_NEW_PASSWORD", value)));
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    let _ = stdin.write_all(input.unwrap_or_default().as_bytes());
    drop(stdin);
    let Output { stdout, stderr, .. } = child.wait_with_output().expect("ends");
    format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr))
}
