//! That a caller is kept for a moment, and that no change of an account goes unnoticed for it: on the same server it counts
//! on the very next request, on another within a second.

use std::time::{Duration, Instant};

use guardianeye::{
    clock::Clock,
    db::{auth_sessions, users},
    model::{Role, Scope, User},
    services::Services,
};
use serde_json::{Value, json};

use crate::support::{Caller, TestApp, on_both, subject_of};

const ME: &str = "{ me { username fullName role } }";
const LOGIN: &str = "mutation($name: String!, $password: String!) {
    login(input: {username: $name, password: $password}) { accessToken } }";

/// What ends the access of `$user`, by an admin. `$login` is the user's login, `$token` a token of the user's for scripts.
const ENDS_OF_LOGIN: &[&str] = &[
    "mutation($login: ID!) { revokeAuthSession(id: $login) { authSession { id } } }",
    "mutation($user: ID!) { revokeAllAuthSessions(userId: $user) { count } }",
    "mutation($user: ID!) { resetPassword(input: {userId: $user, newPassword: \"correct horse battery staple\"}) { user { id } } }",
    "mutation($user: ID!) { deactivateUser(id: $user) { user { id } } }",
    "mutation($user: ID!) { deleteUser(id: $user) { deletedUserId } }",
];
const ENDS_OF_TOKEN: &[&str] = &[
    "mutation($token: ID!) { revokeApiToken(id: $token) { apiToken { id } } }",
    "mutation($user: ID!) { deactivateUser(id: $user) { user { id } } }",
    "mutation($user: ID!) { deleteUser(id: $user) { deletedUserId } }",
];

on_both!(
    the_second_request_of_a_caller_costs_a_statement_less,
    whatever_ends_a_login_counts_on_the_next_request,
    whatever_ends_a_token_for_scripts_counts_on_the_next_request,
    a_changed_password_ends_the_other_logins_on_the_next_request,
    another_role_or_name_counts_on_the_next_request,
    what_changes_no_account_forgets_nobody,
    a_change_on_another_server_counts_within_a_second,
    what_was_read_before_a_change_is_not_used_after_it,
    auth_generation_increases_when_a_transaction_on_accounts_ends,
    the_end_of_a_kept_login_or_token_is_exact,
    nobody_is_not_kept,
    no_reader_keeps_what_a_writer_has_changed
);

async fn the_second_request_of_a_caller_costs_a_statement_less(app: &TestApp) {
    let query = "query($id: ID!) { user(id: $id) { id username role } }";
    let (viewer, id) = (app.viewer(), app.admin().id());
    let (_, script) = app.api_token(viewer.id(), &[Scope::Read]).await;
    let analyst = app.analyst();
    for caller in [&analyst, &app.admin()] {
        let costs = [ask(caller, query, id).await, ask(caller, query, id).await];
        assert_eq!(costs, [2, 1]);
    }
    for caller in [&viewer, &script] {
        let costs = [caller.gql(ME, json!({})).await.sql(), caller.gql(ME, json!({})).await.sql()];
        assert_eq!(costs, [1, 0]);
    }
}

async fn whatever_ends_a_login_counts_on_the_next_request(app: &TestApp) {
    for (number, end) in ENDS_OF_LOGIN.iter().enumerate() {
        let user = app.user(&format!("user-{number}"), Role::Viewer, app.now()).await;
        let caller = app.logged_in(&user);
        be_kept(&caller).await;
        let login = subject_of(user.id).auth_session.to_string();
        app.admin().gql(end, json!({ "user": user.id.to_string(), "login": login })).await.data();
        assert_eq!(caller.gql(ME, json!({})).await.status, 401, "{end}");
    }
    let caller = log_in(app, "vera", "a good password").await;
    be_kept(&caller).await;
    caller.gql("mutation { logout { success } }", json!({})).await.data();
    assert_eq!(caller.gql(ME, json!({})).await.status, 401);
}

async fn whatever_ends_a_token_for_scripts_counts_on_the_next_request(app: &TestApp) {
    for (number, end) in ENDS_OF_TOKEN.iter().enumerate() {
        let user = app.user(&format!("user-{number}"), Role::Viewer, app.now()).await;
        let (token, script) = app.api_token(user.id, &[Scope::Read]).await;
        be_kept(&script).await;
        app.admin().gql(end, json!({ "user": user.id.to_string(), "token": token.id.to_string() })).await.data();
        assert_eq!(script.gql(ME, json!({})).await.status, 401, "{end}");
    }
}

async fn a_changed_password_ends_the_other_logins_on_the_next_request(app: &TestApp) {
    let (here, there) = (app.viewer(), log_in(app, "vera", "a good password").await);
    be_kept(&here).await;
    be_kept(&there).await;
    let change = "mutation { changePassword(input: {currentPassword: \"a good password\",
            newPassword: \"correct horse battery staple\"}) { user { id } } }";
    here.gql(change, json!({})).await.data();
    assert_eq!(there.gql(ME, json!({})).await.status, 401);
    here.gql(ME, json!({})).await.data();
}

async fn another_role_or_name_counts_on_the_next_request(app: &TestApp) {
    let user = app.user("ada", Role::Admin, app.now()).await;
    let (login, (_, script)) = (app.logged_in(&user), app.api_token(user.id, Scope::ALL).await);
    for caller in [&login, &script] {
        caller.gql("{ users { nodes { id } } }", json!({})).await.data();
    }
    let demote = "mutation($user: ID!) { setUserRole(input: {id: $user, role: VIEWER}) { user { id } } }";
    app.admin().gql(demote, json!({ "user": user.id.to_string() })).await.data();
    for caller in [&login, &script] {
        assert_eq!(caller.gql("{ users { nodes { id } } }", json!({})).await.code(), "FORBIDDEN");
    }
    let rename = "mutation($user: ID!) { updateUser(input: {id: $user, fullName: \"Ada L.\"}) { user { id } } }";
    app.admin().gql(rename, json!({ "user": user.id.to_string() })).await.data();
    for caller in [&login, &script] {
        assert_eq!(caller.gql(ME, json!({})).await.data()["me"]["fullName"], "Ada L.");
    }
    log_in(app, "ada", "a good password").await;
    assert_eq!(login.gql("{ me { lastLogin } }", json!({})).await.data()["me"]["lastLogin"], app.now().to_string());
}

async fn what_changes_no_account_forgets_nobody(app: &TestApp) {
    let (viewer, analyst) = (app.viewer(), app.analyst());
    let before = app.db().auth_generation();
    analyst.gql("mutation { createSession(input: {title: \"x\"}) { session { id } } }", json!({})).await.data();
    analyst
        .gql("mutation { recordAuditLog(input: {action: QUERY_AGENT}) { auditLog { id } } }", json!({}))
        .await
        .data();
    viewer.gql("{ users { nodes { id } } }", json!({})).await;
    app.anonymous().gql(LOGIN, json!({ "name": "vera", "password": "wrong" })).await;
    assert_eq!(app.db().auth_generation(), before);
}

async fn a_change_on_another_server_counts_within_a_second(app: &TestApp) {
    let other = app.on(app.database.connect().await, |_| {}).await;
    let (_, script) = app.api_token(app.viewer().id(), &[Scope::Read]).await;
    let callers = [app.viewer(), script];
    for caller in &callers {
        be_kept(caller).await;
    }
    let began = Instant::now();
    let end = "mutation($user: ID!) { deactivateUser(id: $user) { user { id } } }";
    app.admin().at(&other).gql(end, json!({ "user": app.viewer().id().to_string() })).await.data();
    for caller in &callers {
        while caller.gql(ME, json!({})).await.status != 401 {
            assert!(began.elapsed() < Duration::from_secs(3), "it should take a second at most");
        }
    }
}

/// Somebody asks, and before the answer is kept the access ends.
async fn what_was_read_before_a_change_is_not_used_after_it(app: &TestApp) {
    for by_commit in [true, false] {
        let user = app.user(&format!("user-{by_commit}"), Role::Viewer, app.now()).await;
        let caller = app.logged_in(&user);
        let mut tx = app.db().begin().await.expect("a transaction");
        auth_sessions::revoke(tx.accounts(), subject_of(user.id).auth_session, app.now()).await.expect("revokes");
        // It sees what was before the transaction, which has not ended.
        be_kept(&caller).await;
        if by_commit {
            tx.commit().await.expect("commits");
            assert_eq!(caller.gql(ME, json!({})).await.status, 401);
        } else {
            drop(tx);
            assert_eq!(caller.gql(ME, json!({})).await.sql(), 1, "whoever does not know how it ended asks");
        }
    }
}

async fn auth_generation_increases_when_a_transaction_on_accounts_ends(app: &TestApp) {
    let login = subject_of(app.viewer().id()).auth_session;
    for commits in [true, false] {
        let before = app.db().auth_generation();
        let mut tx = app.db().begin().await.expect("a transaction");
        auth_sessions::revoke(tx.accounts(), login, app.now()).await.expect("revokes");
        assert_eq!(app.db().auth_generation(), before, "the change is not visible to others yet");
        if commits {
            tx.commit().await.expect("commits");
        } else {
            drop(tx);
        }
        assert_eq!(app.db().auth_generation(), before + 1, "commits: {commits}");
    }
}

async fn the_end_of_a_kept_login_or_token_is_exact(app: &TestApp) {
    let user = app.user("ida", Role::Viewer, app.now()).await;
    let (token, script) = app.api_token(user.id, &[Scope::Read]).await;
    let ends = token.expires_at;
    app.execute(&format!("update auth_sessions set expires_at = '{ends}' where user_id = '{}'", user.id)).await;
    let login = app.logged_in(&user);
    for (at, holds) in [(app.now(), true), (ends.minus_micros(1), true), (ends, false)] {
        let services = Services { clock: Clock::Fixed(at), ..app.services.clone() };
        for caller in [&login, &script] {
            let header = format!("Bearer {}", caller.token());
            let db = app.db().metered();
            assert_eq!(services.authenticator.authenticate(&db, Some(&header), at).await.is_ok(), holds, "{at}");
            let kept = at > app.now() && holds;
            assert_eq!(db.meter().statements() == 0, kept, "{at}");
        }
    }
}

async fn nobody_is_not_kept(app: &TestApp) {
    let user = app.user("ida", Role::Viewer, app.now()).await;
    let caller = app.logged_in(&user);
    let set_active = async |is_active: bool| {
        app.execute(&format!("update users set is_active = {is_active} where id = '{}'", user.id)).await;
    };
    set_active(false).await;
    assert_eq!(caller.gql(ME, json!({})).await.status, 401);
    set_active(true).await;
    caller.gql(ME, json!({})).await.data();
}

/// Readers and a writer at once, over and over: whoever asks after the answer to the change sees it.
async fn no_reader_keeps_what_a_writer_has_changed(app: &TestApp) {
    let user = app.user("ida", Role::Viewer, app.now()).await;
    let caller = app.logged_in(&user);
    for round in 0..50 {
        let after = User { full_name: Some(round.to_string()), ..user.clone() };
        let write = async {
            let mut tx = app.db().begin().await.expect("a transaction");
            users::update(tx.accounts(), &after).await.expect("updates");
            tx.commit().await.expect("commits");
        };
        let read = async || {
            for _ in 0..4 {
                caller.gql(ME, json!({})).await.data();
            }
        };
        futures_util::join!(read(), write, read(), read());
        assert_eq!(caller.gql(ME, json!({})).await.data()["me"]["fullName"], round.to_string());
    }
}

/// Asks until the caller is known without a statement; twice, but for a second that ends in between.
async fn be_kept(caller: &Caller<'_>) {
    for _ in 0..10 {
        let reply = caller.gql(ME, json!({})).await;
        reply.data();
        if reply.sql() == 0 {
            return;
        }
    }
    panic!("the caller is not kept");
}

async fn ask(caller: &Caller<'_>, query: &str, id: guardianeye::model::UserId) -> u64 {
    let reply = caller.gql(query, json!({ "id": id.to_string() })).await;
    assert_ne!(reply.data()["user"], Value::Null);
    reply.sql()
}

async fn log_in<'a>(app: &'a TestApp, name: &str, password: &str) -> Caller<'a> {
    let reply = app.anonymous().gql(LOGIN, json!({ "name": name, "password": password })).await;
    let token = reply.data()["login"]["accessToken"].as_str().expect("a token").to_owned();
    Caller::with_token(app, token)
}
