//! Managing users: who is created, changed, kept out and deleted, and what of it is recorded.

use guardianeye::model::{Role, User};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, on_both};

const GOOD: &str = "correct horse battery staple";
const CREATE: &str = "mutation($input: CreateUserInput!) { createUser(input: $input) {
    user { id username email fullName role isActive createdAt updatedAt lastLogin } } }";
const UPDATE: &str =
    "mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { username email fullName updatedAt } } }";
const ROLE: &str = "mutation($input: SetUserRoleInput!) { setUserRole(input: $input) { user { role updatedAt } } }";
const DELETE: &str = "mutation($id: ID!) { deleteUser(id: $id) { deletedUserId } }";

on_both!(
    an_admin_creates_a_user_who_can_log_in_and_is_asked_for_another_password,
    a_user_is_a_viewer_unless_it_is_said_otherwise,
    what_breaks_a_rule_is_refused_by_name_and_leaves_nothing,
    names_and_addresses_are_unique_without_regard_to_case,
    an_address_taken_behind_the_servers_back_is_a_conflict_too,
    everybody_changes_their_own_profile_and_admins_anybodys,
    an_unknown_user_is_not_found_and_the_forbidden_are_told_nothing,
    a_change_meant_for_another_state_is_a_conflict_and_time_moves_on,
    a_change_that_changes_nothing_writes_nothing,
    a_role_counts_from_the_next_request_on_and_nobody_raises_their_own,
    a_deactivated_user_is_out_at_once_and_old_logins_do_not_come_back,
    a_deleted_user_leaves_the_log_and_nothing_else,
    an_admin_may_go_when_another_is_left,
    the_last_active_admin_stays
);

async fn an_admin_creates_a_user_who_can_log_in_and_is_asked_for_another_password(app: &TestApp) {
    let input = json!({ "username": "Nora.N", "email": "nora@example.com", "password": GOOD, "role": "ANALYST", "fullName": "Nora N\u{f6}rgaard" });
    let reply = app.admin().gql(CREATE, json!({ "input": input })).await;
    let user = &reply.data()["createUser"]["user"];
    for (field, value) in [
        ("username", json!("Nora.N")),
        ("email", json!("nora@example.com")),
        ("fullName", json!("Nora N\u{f6}rgaard")),
        ("role", json!("ANALYST")),
        ("isActive", json!(true)),
        ("lastLogin", json!(null)),
        ("createdAt", json!("2026-03-01T12:00:00.000000Z")),
    ] {
        assert_eq!(user[field], value, "{field}");
    }
    let login = log_in(app, "nora.n", GOOD).await;
    assert_eq!(login.data()["login"]["passwordChangeRequired"], true);
    let entry = newest(app, "USER_CREATED").await;
    assert_eq!((&entry["username"], &entry["description"]), (&json!("adam"), &json!("Created the user Nora.N")));
    assert_eq!(entry["details"]["user"], json!({ "id": user["id"], "username": "Nora.N" }));
    assert_eq!(entry["details"]["changes"]["role"], json!({ "before": null, "after": "ANALYST" }));
}

async fn a_user_is_a_viewer_unless_it_is_said_otherwise(app: &TestApp) {
    let reply = app.admin().gql(CREATE, json!({ "input": someone("nora") })).await;
    let user = &reply.data()["createUser"]["user"];
    assert_eq!((&user["role"], &user["fullName"]), (&json!("VIEWER"), &json!(null)));
}

async fn what_breaks_a_rule_is_refused_by_name_and_leaves_nothing(app: &TestApp) {
    let before = entries(app).await;
    for (field, value) in [
        ("username", json!("")),
        ("username", json!("no space")),
        ("username", json!("x".repeat(51))),
        ("username", json!("adam@example.com")),
        ("email", json!("nora")),
        ("email", json!("nora@ex ample.com")),
        ("email", json!("n\u{f6}ra@example.com")),
        ("email", json!("nora@example.com\r\nBcc: x@example.com")),
        ("fullName", json!("\u{202e}aroN")),
        ("fullName", json!("x".repeat(256))),
        ("fullName", json!(" ")),
        ("password", json!("short")),
        ("password", json!("password1234")),
        ("password", json!("nora@example.com")),
        ("password", json!("x7".repeat(513))),
    ] {
        let mut input = someone("nora");
        input[field] = value.clone();
        let reply = app.admin().gql(CREATE, json!({ "input": input })).await;
        assert_eq!(
            (reply.code(), &reply.body["errors"][0]["extensions"]["field"]),
            ("BAD_USER_INPUT", &json!(field)),
            "{value}"
        );
    }
    assert_eq!(entries(app).await, before);
    assert_eq!(app.admin().gql("{ users { totalCount } }", json!({})).await.data()["users"]["totalCount"], 3);
}

async fn names_and_addresses_are_unique_without_regard_to_case(app: &TestApp) {
    for (field, value) in
        [("username", "Anna"), ("username", "anna"), ("email", "ANNA@example.com"), ("email", "anna@example.com")]
    {
        let mut input = someone("nora");
        input[field] = json!(value);
        let reply = app.admin().gql(CREATE, json!({ "input": input })).await;
        assert_eq!(
            (reply.code(), &reply.body["errors"][0]["extensions"]["field"]),
            ("CONFLICT", &json!(field)),
            "{value}"
        );
        let reply =
            app.viewer().gql(UPDATE, json!({ "input": { "id": app.viewer().id().to_string(), field: value } })).await;
        assert_eq!(
            (reply.code(), &reply.body["errors"][0]["extensions"]["field"]),
            ("CONFLICT", &json!(field)),
            "{value}"
        );
    }
    // One's own in another case is no other user's.
    let input = json!({ "id": app.viewer().id().to_string(), "username": "Vera", "email": "Vera@Example.com" });
    assert_eq!(
        app.viewer().gql(UPDATE, json!({ "input": input })).await.data()["updateUser"]["user"]["username"],
        "Vera"
    );
}

async fn an_address_taken_behind_the_servers_back_is_a_conflict_too(app: &TestApp) {
    // The unique indexes of the table itself, below the rule about case.
    let (anna, vera) = (app.analyst().id(), app.viewer().id());
    let mut tx = app.db().begin().await.expect("a transaction");
    for (field, change) in [
        ("username", User { username: "vera".into(), ..user(app, anna).await }),
        ("email", User { email: "vera@example.com".into(), ..user(app, anna).await }),
    ] {
        let error = guardianeye::db::users::update(tx.accounts(), &change).await.expect_err("taken");
        assert_eq!((error.code().as_str(), error.field()), ("CONFLICT", Some(field)));
        drop(tx);
        tx = app.db().begin().await.expect("a transaction");
    }
    drop(tx);
    assert_eq!(user(app, vera).await.username, "vera");
}

async fn everybody_changes_their_own_profile_and_admins_anybodys(app: &TestApp) {
    let vera = app.viewer();
    let id = vera.id().to_string();
    let reply =
        vera.gql(UPDATE, json!({ "input": { "id": id, "fullName": "Vera V", "email": "v@example.com" } })).await;
    let user = reply.data()["updateUser"]["user"].clone();
    assert_eq!(
        (&user["username"], &user["fullName"], &user["email"]),
        (&json!("vera"), &json!("Vera V"), &json!("v@example.com"))
    );
    let entry = newest(app, "USER_UPDATED").await;
    assert_eq!(
        entry["details"]["changes"],
        json!({
            "email": { "before": "vera@example.com", "after": "v@example.com" }, "fullName": { "before": null, "after": "Vera V" },
        })
    );
    // Null clears; for what cannot be cleared it is refused. What is absent stays.
    let reply = app.admin().gql(UPDATE, json!({ "input": { "id": id, "fullName": null } })).await;
    assert_eq!(reply.data()["updateUser"]["user"]["fullName"], json!(null));
    assert_eq!(reply.data()["updateUser"]["user"]["email"], "v@example.com");
    for field in ["username", "email"] {
        let reply = vera.gql(UPDATE, json!({ "input": { "id": id, field: null } })).await;
        assert_eq!((reply.code(), &reply.body["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!(field)));
    }
    let query = "mutation($id: ID!, $name: String, $mail: String) { updateUser(input: {id: $id, username: $name, email: $mail}) { user { username } } }";
    assert_eq!(
        vera.gql(query, json!({ "id": id, "name": "vera2" })).await.data()["updateUser"]["user"]["username"],
        "vera2"
    );
    // Others' is forbidden, whether they exist or not.
    for other in [app.admin().id().to_string(), uuid::Uuid::nil().to_string()] {
        for caller in [app.viewer(), app.analyst()] {
            assert_eq!(
                caller.gql(UPDATE, json!({ "input": { "id": other, "fullName": "x" } })).await.code(),
                "FORBIDDEN"
            );
        }
    }
}

async fn an_unknown_user_is_not_found_and_the_forbidden_are_told_nothing(app: &TestApp) {
    let nobody = uuid::Uuid::nil().to_string();
    for field in ["deactivateUser", "reactivateUser", "unlockUser", "deleteUser"] {
        let of = if field == "deleteUser" { "deletedUserId" } else { "user { id }" };
        let query = format!("mutation($id: ID!) {{ {field}(id: $id) {{ {of} }} }}");
        assert_eq!(app.admin().gql(&query, json!({ "id": nobody })).await.code(), "NOT_FOUND", "{field}");
        assert_eq!(app.admin().gql(&query, json!({ "id": "x" })).await.code(), "BAD_USER_INPUT", "{field}");
        for id in [&nobody, &app.admin().id().to_string(), &"x".to_owned()] {
            let reply = app.analyst().gql(&query, json!({ "id": id })).await;
            // The one statement finds who asks.
            assert_eq!((reply.code(), reply.sql()), ("FORBIDDEN", 1), "{field} {id}");
        }
    }
    assert_eq!(app.admin().gql(UPDATE, json!({ "input": { "id": nobody } })).await.code(), "NOT_FOUND");
    assert_eq!(app.admin().gql(ROLE, json!({ "input": { "id": nobody, "role": "ADMIN" } })).await.code(), "NOT_FOUND");
}

async fn a_change_meant_for_another_state_is_a_conflict_and_time_moves_on(app: &TestApp) {
    let id = app.viewer().id().to_string();
    let at = |reply: &Reply, field: &str| reply.data()[field]["user"]["updatedAt"].as_str().expect("a time").to_owned();
    let change = async |name: &str, expected: &str| {
        app.admin().gql(UPDATE, json!({ "input": { "id": id, "fullName": name, "expectedUpdatedAt": expected } })).await
    };
    // The clock stands still; two changes in its one moment are told apart all the same.
    let first = at(&change("One", "2026-03-01T12:00:00Z").await, "updateUser");
    assert_eq!(first, "2026-03-01T12:00:00.000001Z");
    let late = change("Two", "2026-03-01T12:00:00Z").await;
    assert_eq!(
        (late.code(), &late.body["errors"][0]["extensions"]["field"]),
        ("CONFLICT", &json!("expectedUpdatedAt"))
    );
    let second = at(&change("Two", &first).await, "updateUser");
    assert_eq!(second, "2026-03-01T12:00:00.000002Z");
    let reply =
        app.admin().gql(ROLE, json!({ "input": { "id": id, "role": "ANALYST", "expectedUpdatedAt": first } })).await;
    assert_eq!(reply.code(), "CONFLICT");
    let reply =
        app.admin().gql(ROLE, json!({ "input": { "id": id, "role": "ANALYST", "expectedUpdatedAt": second } })).await;
    assert_eq!(at(&reply, "setUserRole"), "2026-03-01T12:00:00.000003Z");
}

async fn a_change_that_changes_nothing_writes_nothing(app: &TestApp) {
    let id = app.viewer().id().to_string();
    let before = entries(app).await;
    let same = json!({ "id": id, "username": "vera", "email": "vera@example.com", "fullName": null });
    for reply in [
        app.admin().gql(UPDATE, json!({ "input": same })).await,
        app.admin().gql(UPDATE, json!({ "input": { "id": id } })).await,
        app.admin().gql(ROLE, json!({ "input": { "id": id, "role": "VIEWER" } })).await,
        app.admin()
            .gql("mutation($id: ID!) { reactivateUser(id: $id) { user { updatedAt } } }", json!({ "id": id }))
            .await,
        app.admin().gql("mutation($id: ID!) { unlockUser(id: $id) { user { updatedAt } } }", json!({ "id": id })).await,
    ] {
        reply.data();
    }
    assert_eq!(entries(app).await, before);
    assert_eq!(user(app, app.viewer().id()).await.updated_at, app.now());
}

async fn a_role_counts_from_the_next_request_on_and_nobody_raises_their_own(app: &TestApp) {
    for caller in [app.viewer(), app.analyst()] {
        let reply = caller.gql(ROLE, json!({ "input": { "id": caller.id().to_string(), "role": "ADMIN" } })).await;
        assert_eq!(reply.code(), "FORBIDDEN");
    }
    let second = app.user("ada", Role::Admin, app.now()).await;
    let ada = app.logged_in(&second);
    ada.gql("{ users { totalCount } }", json!({})).await.data();
    let reply = app.admin().gql(ROLE, json!({ "input": { "id": second.id.to_string(), "role": "VIEWER" } })).await;
    assert_eq!(reply.data()["setUserRole"]["user"]["role"], "VIEWER");
    assert_eq!(ada.gql("{ users { totalCount } }", json!({})).await.code(), "FORBIDDEN");
    let entry = newest(app, "USER_UPDATED").await;
    assert_eq!(entry["description"], "Changed the role of ada from ADMIN to VIEWER");
    assert_eq!(entry["details"]["changes"], json!({ "role": { "before": "ADMIN", "after": "VIEWER" } }));
}

async fn a_deactivated_user_is_out_at_once_and_old_logins_do_not_come_back(app: &TestApp) {
    let (vera, id) = (app.viewer(), app.viewer().id().to_string());
    let login = log_in(app, "vera", "a good password").await;
    let fresh = Caller::with_token(app, login.data()["login"]["accessToken"].as_str().expect("a token").to_owned());
    let refresh = login.data()["login"]["refreshToken"].clone();
    let out = app
        .admin()
        .gql("mutation($id: ID!) { deactivateUser(id: $id) { user { isActive } } }", json!({ "id": id }))
        .await;
    assert_eq!(out.data()["deactivateUser"]["user"]["isActive"], false);
    let entry = newest(app, "USER_UPDATED").await;
    assert_eq!(
        (&entry["details"]["authSessions"], &entry["details"]["changes"]["isActive"]["after"]),
        (&json!(2), &json!(false))
    );
    let all_refused = async || {
        for caller in [&vera, &fresh] {
            assert_eq!(caller.gql("{ me { id } }", json!({})).await.code(), "UNAUTHENTICATED");
        }
        let query = "mutation($token: String!) { refreshToken(input: {refreshToken: $token}) { expiresAt } }";
        assert_eq!(app.anonymous().gql(query, json!({ "token": refresh })).await.code(), "UNAUTHENTICATED");
    };
    all_refused().await;
    assert_eq!(log_in(app, "vera", "a good password").await.code(), "UNAUTHENTICATED");
    app.admin()
        .gql("mutation($id: ID!) { reactivateUser(id: $id) { user { isActive } } }", json!({ "id": id }))
        .await
        .data();
    all_refused().await;
    log_in(app, "vera", "a good password").await.data();
}

async fn a_deleted_user_leaves_the_log_and_nothing_else(app: &TestApp) {
    let (vera, id) = (app.viewer(), app.viewer().id());
    let session = app.session(id, "gone", app.now()).await;
    let old = app.audit_log(Some(id), app.now()).await;
    log_in(app, "vera", "a good password").await.data();
    log_in(app, "vera", "wrong").await;
    let before = entries(app).await;
    let reply = app.admin().gql(DELETE, json!({ "id": id.to_string() })).await;
    assert_eq!(reply.data()["deleteUser"]["deletedUserId"], id.to_string());
    assert_eq!(vera.gql("{ me { id } }", json!({})).await.code(), "UNAUTHENTICATED");
    assert_eq!(entries(app).await, before + 1);
    let query =
        "query($log: ID!, $session: ID!) { auditLog(id: $log) { username user { id } } session(id: $session) { id } }";
    let reply = app.admin().gql(query, json!({ "log": old.id.to_string(), "session": session.id.to_string() })).await;
    assert_eq!(*reply.data(), json!({ "auditLog": { "username": "vera", "user": null }, "session": null }));
    assert_eq!(newest(app, "LOGIN").await["username"], "vera");
    let entry = newest(app, "USER_DELETED").await;
    assert_eq!((&entry["username"], &entry["details"]["user"]["username"]), (&json!("adam"), &json!("vera")));
    // Name and address are free again.
    app.admin()
        .gql(CREATE, json!({ "input": { "username": "vera", "email": "vera@example.com", "password": GOOD } }))
        .await
        .data();
}

async fn an_admin_may_go_when_another_is_left(app: &TestApp) {
    let ada = app.user("ada", Role::Admin, app.now()).await;
    let reply = app.logged_in(&ada).gql(DELETE, json!({ "id": ada.id.to_string() })).await;
    reply.data();
    let entry = newest(app, "USER_DELETED").await;
    assert_eq!((&entry["username"], &entry["user"]), (&json!("ada"), &json!(null)));
}

async fn the_last_active_admin_stays(app: &TestApp) {
    // An admin who cannot log in is none to rely on.
    let ada = app.user("ada", Role::Admin, app.now()).await;
    app.admin()
        .gql("mutation($id: ID!) { deactivateUser(id: $id) { user { id } } }", json!({ "id": ada.id.to_string() }))
        .await
        .data();
    let id = app.admin().id().to_string();
    let before = entries(app).await;
    for (query, variables) in [
        (ROLE, json!({ "input": { "id": id, "role": "ANALYST" } })),
        ("mutation($id: ID!) { deactivateUser(id: $id) { user { id } } }", json!({ "id": id })),
        (DELETE, json!({ "id": id })),
    ] {
        let reply = app.admin().gql(query, variables).await;
        assert_eq!(reply.code(), "CONFLICT", "{query}");
        assert_eq!(reply.message(), "this is the last active admin: create another one first");
    }
    assert_eq!(entries(app).await, before);
    // The other one may be demoted or deleted, as nothing is lost by it.
    app.admin().gql(ROLE, json!({ "input": { "id": ada.id.to_string(), "role": "VIEWER" } })).await.data();
    app.admin().gql(DELETE, json!({ "id": ada.id.to_string() })).await.data();
}

fn someone(name: &str) -> Value {
    json!({ "username": name, "email": format!("{name}@example.com"), "password": GOOD })
}

async fn user(app: &TestApp, id: guardianeye::model::UserId) -> User {
    guardianeye::db::users::find(app.db(), id).await.expect("asks").expect("is there")
}

async fn entries(app: &TestApp) -> u64 {
    let reply = app.admin().gql("{ auditLogs { totalCount } }", json!({})).await;
    reply.data()["auditLogs"]["totalCount"].as_u64().expect("a number")
}

/// The newest entry of this kind.
async fn newest(app: &TestApp, action: &str) -> Value {
    let query = "query($action: AuditAction!) { auditLogs(first: 1, filter: {action: {eq: $action}}) {
        nodes { username user { id } description details success } } }";
    app.admin().gql(query, json!({ "action": action })).await.data()["auditLogs"]["nodes"][0].clone()
}

async fn log_in(app: &TestApp, username: &str, password: &str) -> Reply {
    let query =
        "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken passwordChangeRequired } }";
    app.anonymous().gql(query, json!({ "input": { "username": username, "password": password } })).await
}
