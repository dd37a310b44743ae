//! Whoever has a password that somebody else chose has to change it first.

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use guardianeye::{graphql::GraphqlApi, model::Scope};
use serde_json::{Value, json};

use crate::{
    access_table::{Row, TABLE, WRITES},
    support::{Caller, LOGIN, Reply, TestApp, on_both},
};

const GOOD: &str = "a good password";
const NEW: &str = "correct horse battery staple";
const CHANGE: &str = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { user { username } } }";

on_both!(
    only_the_fields_that_end_the_state_answer,
    changing_the_password_ends_the_state_on_all_instances,
    refreshing_and_logging_out_stay_possible,
    what_follows_a_login_in_the_same_operation_is_held_to_it,
    default_passwords_have_to_be_changed_too,
    api_tokens_are_not_held_to_it,
    the_setting_turns_it_off
);

async fn only_the_fields_that_end_the_state_answer(app: &TestApp) {
    let caller = flagged(app, "adam").await;
    for field in ["me { id username role email }", "__typename", "__schema { queryType { name } }"] {
        caller.gql(&format!("{{ {field} }}"), json!({})).await.data();
    }
    let mut asked = 0;
    for Row(field, query, path, _) in TABLE.iter().chain(WRITES) {
        let root = path.split('/').nth(1).expect("a root field");
        if ["me", "login", "refreshToken", "logout", "changePassword"].contains(&root) {
            continue;
        }
        let (query, variables) = with_variables(query, app);
        let reply = caller.gql(&query, variables).await;
        assert_eq!(
            (reply.code(), reason(&reply)),
            ("FORBIDDEN", &json!("PASSWORD_CHANGE_REQUIRED")),
            "{field} by {query}: {:#}",
            reply.body
        );
        asked += 1;
    }
    assert!(asked > roots().len(), "{asked}");
    let reply = caller.gql("{ me { username } users { nodes { id } } }", json!({})).await;
    assert_eq!(reply.body["data"], json!({ "me": { "username": "adam" }, "users": null }));
}

async fn changing_the_password_ends_the_state_on_all_instances(app: &TestApp) {
    let caller = flagged(app, "adam").await;
    let other = app.on(app.database.connect().await, |_| {}).await;
    let users = "{ users { nodes { id } } }";
    assert_eq!(reason(&caller.gql(users, json!({})).await), "PASSWORD_CHANGE_REQUIRED");
    caller.gql(CHANGE, json!({ "input": { "currentPassword": GOOD, "newPassword": NEW } })).await.data();
    caller.gql(users, json!({})).await.data();
    Caller::with_token(app, caller.token().to_owned()).at(&other).gql(users, json!({})).await.data();
}

async fn refreshing_and_logging_out_stay_possible(app: &TestApp) {
    app.execute("update users set password_change_required = true where username = 'adam'").await;
    let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken } }";
    let input = json!({ "input": { "username": "adam", "password": GOOD } });
    let reply = app.anonymous().gql(login, input).await;
    let refresh = "mutation($token: String!) { refreshToken(input: {refreshToken: $token}) { accessToken passwordChangeRequired } }";
    let reply = app.anonymous().gql(refresh, json!({ "token": reply.data()["login"]["refreshToken"] })).await;
    assert_eq!(reply.data()["refreshToken"]["passwordChangeRequired"], true);
    let caller =
        Caller::with_token(app, reply.data()["refreshToken"]["accessToken"].as_str().expect("a token").to_owned());
    assert_eq!(reason(&caller.gql("{ users { nodes { id } } }", json!({})).await), "PASSWORD_CHANGE_REQUIRED");
    caller.gql("mutation { logout { success } }", json!({})).await.data();
}

async fn what_follows_a_login_in_the_same_operation_is_held_to_it(app: &TestApp) {
    app.execute("update users set password_change_required = true where username = 'adam'").await;
    let both = "mutation($input: LoginInput!) { login(input: $input) { user { username } } createSession(input: {}) { session { id } } }";
    let reply = app.anonymous().gql(both, json!({ "input": { "username": "adam", "password": GOOD } })).await;
    assert_eq!((reply.code(), reason(&reply)), ("FORBIDDEN", &json!("PASSWORD_CHANGE_REQUIRED")));
}

async fn default_passwords_have_to_be_changed_too(app: &TestApp) {
    let admin = guardianeye::model::User {
        username: "admin".into(),
        email: "admin@guardianeye.local".into(),
        id: guardianeye::model::UserId::new(app.now()),
        ..app.user("temp", guardianeye::model::Role::Admin, app.now()).await
    };
    app.insert_user(admin.clone(), "admin").await;
    let input = json!({ "input": { "username": "admin", "password": "admin" } });
    let reply = app.anonymous().gql(LOGIN, input.clone()).await;
    let token = reply.data()["login"]["accessToken"].as_str().expect("a token").to_owned();
    let caller = Caller::with_token(app, token);
    assert_eq!(reason(&caller.gql("{ users { nodes { id } } }", json!({})).await), "PASSWORD_CHANGE_REQUIRED");
    caller.gql(CHANGE, json!({ "input": { "currentPassword": "admin", "newPassword": NEW } })).await.data();
    caller.gql("{ users { nodes { id } } }", json!({})).await.data();
}

async fn api_tokens_are_not_held_to_it(app: &TestApp) {
    app.execute("update users set password_change_required = true where username = 'adam'").await;
    let (_, script) = app.api_token(app.admin().id(), &[Scope::Read]).await;
    script.gql("{ users { nodes { id } } }", json!({})).await.data();
}

async fn the_setting_turns_it_off(app: &TestApp) {
    let caller = flagged(app, "adam").await;
    let router = app.within(|limits| limits.accounts.force_password_change = false).await;
    let here = Caller::with_token(app, caller.token().to_owned());
    here.at(&router).gql("{ users { nodes { id } } }", json!({})).await.data();
}

/// A user who has just logged in with a password that somebody else chose.
async fn flagged<'a>(app: &'a TestApp, name: &str) -> Caller<'a> {
    app.execute(&format!("update users set password_change_required = true where username = '{name}'")).await;
    let input = json!({ "input": { "username": name, "password": GOOD } });
    let reply = app.anonymous().gql(LOGIN, input).await;
    assert_eq!(reply.data()["login"]["passwordChangeRequired"], true);
    Caller::with_token(app, reply.data()["login"]["accessToken"].as_str().expect("a token").to_owned())
}

fn reason(reply: &Reply) -> &Value {
    &reply.body["errors"][0]["extensions"]["reason"]
}

/// The table's query with ids that nothing has.
fn with_variables(query: &str, app: &TestApp) -> (String, Value) {
    let id = json!(app.viewer().id().to_string());
    match query.strip_prefix("($").and_then(|query| query.split_once(')')) {
        Some((name, rest)) => (format!("query(${name}: ID!){rest}"), json!({ name: id })),
        None => (query.to_owned(), json!({ "user": id, "session": id, "log": id, "login": id, "token": id })),
    }
}

/// The fields of both roots.
fn roots() -> Vec<String> {
    let document = parse_schema(GraphqlApi::default().sdl()).expect("the SDL is GraphQL");
    let mut names = Vec::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        if let TypeKind::Object(object) = ty.node.kind
            && ["Query", "Mutation"].contains(&ty.node.name.node.as_str())
        {
            names.extend(object.fields.iter().map(|field| field.node.name.node.to_string()));
        }
    }
    names
}
