//! The fast path writes the same bytes as the ordinary path, for every principal and every selection. A directive anywhere
//! in a document sends all of it to the ordinary path.

use std::collections::BTreeMap;

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use axum::{body::Body, http::Request};
use guardianeye::{
    db::audit_logs,
    graphql::GraphqlApi,
    model::{AuditAction, AuditLog, AuditLogId, RawJson, Role, Scope, User},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Caller, TestApp, naive, on_both};

/// What JSON, JavaScript and terminals have their own minds about.
const NASTY: &str = "\u{1}\u{1f}\u{7f}\u{85}\u{2028}\u{2029}\u{feff}\"\\/\r\n\t</script>é🛡\u{10ffff}";

/// Where a document has a `%`, it gets a directive that changes nothing.
const DOCUMENTS: &[&str] = &[
    "{ users(first: 30) { nodes { id username sessions(first: 4) { nodes { id title context threadId } } } } me { id % } }",
    "{ users(first: 30) { nodes { __typename email lastLogin role fullName
        auditLogs(first: 5) { nodes { __typename id action details description ipAddress userAgent success timestamp } } } } me { id % } }",
    "{ users(first: 30) { __typename edges { __typename cursor node { id a: auditLogs(first: 3) { edges { cursor node { action user { username email } } } }
        s: sessions(last: 3) { edges { c: cursor node { title user { __typename id lastLogin } } cursor } __typename } } } } me { id % } }",
    "{ users(first: 30) { n: nodes { id } nodes { sessions(first: 2) { nodes { title } } } edges { node { sessions(first: 2) { nodes { threadId } } } }
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } me { id % } }",
    "query($first: Int, $is: Boolean, $order: SessionOrder) { users(first: 30) { nodes { id
        sessions(first: $first, filter: { isActive: $is, title: { isNull: false } }, orderBy: $order) { nodes { isActive updatedAt id title } }
        b: sessions(first: $first, orderBy: { field: CREATED_AT, direction: ASC }) { edges { cursor } }
        c: sessions(first: $first, orderBy: { field: CREATED_AT, direction: ASC }) { edges { cursor node { context } } } } } me { id % } }",
    "query($is: Boolean, $title: String) { users(first: 30, orderBy: { field: USERNAME, direction: ASC }) { nodes { username
        sessions(filter: { or: [{ title: { eq: $title } }, { isActive: $is }] }) { nodes { title } nodes2: nodes { id } }
        auditLogs(filter: { success: $is, details: { isNull: false } }) { nodes { details } } } } me { id % } }",
    "{ users(first: 30) { ...Page } me { id % } }
     fragment Page on UserConnection { nodes { ...Row ... on User { auditLogs(first: 2) { ...Logs } } ... { role } } }
     fragment Row on User { id sessions(first: 2) { nodes { ...Session } } } fragment Session on Session { title user { ...Owner } }
     fragment Owner on User { username __typename } fragment Logs on AuditLogConnection { edges { ...Edge } }
     fragment Edge on AuditLogEdge { cursor node { action t: timestamp } }",
    "{ users(first: 30) { nodes { ...N sessions(first: 1) { nodes { ...N ... on Node { __typename } title } } } } me { id % } } fragment N on Node { id }",
    "{ sessions(first: 100) { nodes { title user { id fullName isActive createdAt updatedAt email } } edges { node { threadId } } } me { id % } }",
    "{ auditLogs(first: 100) { nodes { username user { username lastLogin } details } edges { cursor node { userAgent user { id } } } } me { id % } }",
    "{ auditLogs(first: 100) { nodes { description } edges { node { username ipAddress } } } me { id % } }",
    "{ users(first: 30) { nodes { sessions(first: 2) { nodes { user { sessions(first: 1) { nodes { title user { username } } } } } } } } me { id % } }",
    "{ users(first: 30) { nodes { id sessions(first: 0) { nodes { id } } } } me { id % } }",
    "{ users(first: 30) { nodes { id sessions(after: \"bad\") { nodes { title context } } auditLogs(first: 1) { nodes { details } } } } me { id % } }",
    "{ users(first: 30) { nodes { id authSessions { nodes { id isCurrent createdAt user { id } } } apiTokens { nodes { name scopes user { email } } } } } me { id % } }",
    "{ me { id username email sessions { __typename nodes { id title context user { email lastLogin username } } } auditLogs { edges { cursor node { action details user { role } } } } id % } }",
    "{ me { sessions(last: 2) { nodes { title } pageInfo { hasNextPage hasPreviousPage } } id % a: sessions(first: 1) { nodes { threadId createdAt endedAt } }
        authSessions { nodes { id expiresAt ipAddress revokedAt } } apiTokens { edges { node { name scopes lastUsedAt } } } } }",
    "{ sessions { nodes { context title } } users { nodes { id % } } broken: sessions(first: 1000) { nodes { id } } me { sessions { nodes { context title } } } }",
];

on_both!(
    both_paths_write_the_same_text_for_every_role,
    every_list_is_the_same_text_on_both_paths,
    pruned_columns_change_no_selected_field,
    lists_after_a_login_are_those_of_its_user
);

async fn both_paths_write_the_same_text_for_every_role(app: &TestApp) {
    naive::fill(app).await;
    for (user, name) in [(app.viewer().id(), "vera"), (app.admin().id(), "adam")] {
        let session = app.session(user, &format!("{name} {NASTY}"), app.now()).await;
        app.session(user, "plain", session.created_at.plus_seconds(1)).await;
        app.audit_log(Some(user), app.now()).await;
    }
    app.api_token(app.viewer().id(), &[Scope::Read]).await;
    what_the_deleted_left(app).await;
    for (who, caller) in [("admin", app.admin()), ("analyst", app.analyst()), ("viewer", app.viewer())] {
        for document in DOCUMENTS {
            for variables in [
                json!({}),
                json!({ "first": 3, "is": true, "title": "a", "order": { "field": "UPDATED_AT", "direction": "ASC" } }),
            ] {
                let ask =
                    async |directive: &str| text(app, &caller, &document.replace('%', directive), &variables).await;
                let fast = ask("").await;
                assert_eq!(
                    without_places(&fast),
                    without_places(&ask("@include(if: true)").await),
                    "{who}: {document} {variables}"
                );
                let answer: Value = serde_json::from_str(&fast).expect("JSON");
                assert!(!fast.contains("RawValue") && answer["data"].is_object(), "{fast}");
            }
        }
    }
    let fast = text(app, &app.viewer(), "{ me { sessions { nodes { title } } } }", &json!({})).await;
    let answer: Value = serde_json::from_str(&fast).expect("JSON");
    assert_eq!(answer["data"]["me"]["sessions"]["nodes"][1]["title"], format!("vera {NASTY}"));
}

/// Columns that are not selected are not read: each field is the same in a list as on the single row.
async fn pruned_columns_change_no_selected_field(app: &TestApp) {
    naive::fill(app).await;
    for (list, of, fields) in [
        ("sessions", "Session", &["threadId", "context", "title", "endedAt"][..]),
        ("auditLogs", "AuditLog", &["username", "details", "description", "ipAddress", "userAgent"]),
    ] {
        for field in fields {
            let ask = async |query: String| {
                let answer = text(app, &app.admin(), &query, &json!({})).await;
                serde_json::from_str::<Value>(&answer).expect("JSON")["data"].take()
            };
            let nodes = ask(format!("{{ {list}(first: 50) {{ nodes {{ id {field} }} }} }}")).await;
            let nodes = nodes[list]["nodes"].as_array().expect("nodes");
            let edges = ask(format!("{{ {list}(first: 50) {{ edges {{ node {{ id {field} }} }} }} }}")).await;
            let edges = edges[list]["edges"].as_array().expect("edges");
            let ids = json!(nodes.iter().map(|node| &node["id"]).collect::<Vec<_>>());
            let alone = ask(format!("{{ nodes(ids: {ids}) {{ id ... on {of} {{ {field} }} }} }}")).await;
            assert!(nodes.iter().any(|node| !node[field].is_null()), "{list} {field}");
            assert_eq!(&json!(nodes), &alone["nodes"], "{list} {field}");
            assert_eq!(
                json!(nodes),
                json!(edges.iter().map(|edge| &edge["node"]).collect::<Vec<_>>()),
                "{list} {field}"
            );
        }
    }
}

/// After a login in the same operation, lists are those that the user may read.
async fn lists_after_a_login_are_those_of_its_user(app: &TestApp) {
    for user in [app.viewer().id(), app.admin().id()] {
        app.session(user, "mine", app.now()).await;
    }
    for name in ["vera", "adam"] {
        let document = format!(
            r#"mutation {{ login(input: {{username: "{name}", password: "a good password"}}) {{ user {{
                sessions {{ nodes {{ title user {{ email }} }} edges {{ node {{ id }} }} }} auditLogs {{ nodes {{ action user {{ lastLogin }} }} }} % }} }} }}"#
        );
        let mut texts = Vec::new();
        for directive in ["", "a: id @include(if: true)"] {
            let answer = text(app, &app.anonymous(), &document.replace('%', directive), &json!({})).await;
            let mut answer: Value = serde_json::from_str(&answer).expect("JSON");
            assert!(answer.get("errors").is_none(), "{answer}");
            let user = answer["data"]["login"]["user"].as_object_mut().expect("a user");
            user.remove("a");
            assert_eq!(user["sessions"]["nodes"].as_array().map(Vec::len), Some(1));
            let logs = user.remove("auditLogs").expect("entries");
            assert_eq!(logs["nodes"][0]["action"], "LOGIN");
            texts.push(answer.to_string());
        }
        assert_eq!(texts[0], texts[1]);
    }
}

/// Each list field of the schema, with each field of its rows alone and with all of them, at the root and below users.
async fn every_list_is_the_same_text_on_both_paths(app: &TestApp) {
    naive::fill(app).await;
    let owner = app.user("olga", Role::Viewer, app.now()).await;
    for user in [owner.id, app.viewer().id(), app.admin().id()] {
        let session = app.session(user, NASTY, app.now()).await;
        app.session(user, "second", session.created_at.plus_seconds(1)).await;
        app.audit_log(Some(user), app.now()).await;
        app.api_token(user, &[Scope::Read]).await;
    }
    what_the_deleted_left(app).await;
    let schema = Schema::parse();
    let mut lists = 0;
    for (parent, list, row) in schema.lists() {
        lists += 1;
        for selection in schema.selections(row) {
            let list = list_of(list, 30, &format!("nodes {{ {selection} }} edges {{ cursor node {{ {selection} }} }}"));
            let list = match parent {
                "Query" => list,
                "User" => {
                    format!("users(first: 30) {{ nodes {{ id {list} }} }} user(id: \"{}\") {{ {list} }}", owner.id)
                }
                other => panic!("{other} has lists: name a field that leads to it"),
            };
            // The directive stands last, so that it moves nothing else.
            let document = |directive: &str| format!("{{ {list} me {{ id {directive} }} }}");
            for (who, caller) in [
                ("anonymous", app.anonymous()),
                ("viewer", app.viewer()),
                ("owner", app.logged_in(&owner)),
                ("analyst", app.analyst()),
                ("admin", app.admin()),
            ] {
                let fast = text(app, &caller, &document(""), &json!({})).await;
                let ordinary = text(app, &caller, &document("@include(if: true)"), &json!({})).await;
                assert_eq!(data_and_errors(&fast), data_and_errors(&ordinary), "{who}: {}", document(""));
            }
        }
    }
    assert_eq!(lists, 7, "the lists of the schema");
}

/// The selection of a list, without the entries that refused requests of this test add.
fn list_of(name: &str, first: u8, selection: &str) -> String {
    let filter = if name == "auditLogs" { ", filter: { action: { notIn: [ACCESS_DENIED] } }" } else { "" };
    format!("{name}(first: {first}{filter}) {{ {selection} }}")
}

/// The bytes of `data`, and the errors, which have no order: resolvers run concurrently.
fn data_and_errors(text: &str) -> (&str, Vec<String>) {
    let Some((data, _)) = text.split_once(",\"errors\":[") else { return (text, Vec::new()) };
    let response: Value = serde_json::from_str(text).expect("JSON");
    let mut errors: Vec<String> = response["errors"].as_array().expect("errors").iter().map(Value::to_string).collect();
    errors.sort();
    (data, errors)
}

/// The object types of the schema, each with its fields and their types.
struct Schema(BTreeMap<String, Vec<(String, String)>>);

impl Schema {
    fn parse() -> Self {
        let document = parse_schema(GraphqlApi::default().sdl()).expect("the SDL is GraphQL");
        let types = document.definitions.into_iter().filter_map(|definition| {
            let TypeSystemDefinition::Type(ty) = definition else { return None };
            let TypeKind::Object(object) = ty.node.kind else { return None };
            let fields = object.fields.iter().map(|field| {
                let ty = field.node.ty.node.to_string();
                (field.node.name.node.to_string(), ty.trim_matches(['[', ']', '!']).to_owned())
            });
            Some((ty.node.name.node.to_string(), fields.collect()))
        });
        Self(types.collect())
    }

    /// Each list field: its parent, its name, the type of its rows.
    fn lists(&self) -> Vec<(&str, &str, &str)> {
        let fields = self.0.iter().flat_map(|(parent, fields)| fields.iter().map(move |field| (parent, field)));
        fields.filter_map(|(parent, (name, ty))| Some((&**parent, &**name, ty.strip_suffix("Connection")?))).collect()
    }

    /// Each field of a row alone, and all together; of users their leaf fields, of lists the leaf fields of their rows.
    fn selections(&self, row: &str) -> Vec<String> {
        let fields = self.0[row].iter().map(|(name, ty)| match ty.strip_suffix("Connection") {
            Some(of) => list_of(name, 2, &format!("nodes {{ {} }}", self.leaves(of))),
            None if self.0.contains_key(ty) => format!("{name} {{ {} }}", self.leaves(ty)),
            None => name.clone(),
        });
        let mut selections: Vec<_> = fields.collect();
        selections.push(format!("__typename {}", selections.join(" ")));
        selections
    }

    fn leaves(&self, row: &str) -> String {
        let leaves = self.0[row].iter().filter(|(_, ty)| !self.0.contains_key(ty));
        leaves.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// Entries of a user who is gone, with the name and without.
async fn what_the_deleted_left(app: &TestApp) {
    let gone: User = app.user("gone", Role::Viewer, app.now()).await;
    app.session(gone.id, "gone too", app.now()).await;
    let mut tx = app.db().begin().await.expect("a transaction");
    for username in [Some("gone".to_owned()), None] {
        let entry = AuditLog {
            id: AuditLogId::new(app.now()),
            user_id: Some(gone.id),
            username,
            action: AuditAction::Login,
            details: Some(RawJson(" { \"a\" :  [1.0, \"\\u2028\"] } ".to_owned())),
            description: Some(NASTY.to_owned()),
            ip_address: None,
            user_agent: Some(NASTY.to_owned()),
            success: true,
            timestamp: app.now().plus_seconds(100),
        };
        assert!(audit_logs::insert(&mut tx, &entry).await.expect("inserts"));
    }
    tx.commit().await.expect("commits");
    app.execute(&format!("delete from users where id = '{}'", gone.id)).await;
}

/// The answer as it goes over the wire.
async fn text(app: &TestApp, caller: &Caller<'_>, document: &str, variables: &Value) -> String {
    let body = json!({ "query": document, "variables": variables }).to_string();
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    if let Some(token) = caller.maybe_token() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::from(body)).expect("a request");
    let response = app.router.clone().oneshot(request).await.expect("the router answers");
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// A directive moves what stands after it on its line, and an error says where it stands.
fn without_places(text: &str) -> String {
    let mut parts = text.split("\"locations\":[");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once(']').map_or(part, |(_, rest)| rest));
    }
    kept
}
