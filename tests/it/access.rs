//! Every field as every role. Introspection makes the table fail when a field is not in it.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use guardianeye::graphql::Api;
use serde_json::{Value, json};

use crate::support::{Reply, on_both};

/// What a caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gets {
    /// The field.
    It,
    /// Null, as for a missing id.
    Null,
    /// UNAUTHENTICATED.
    NoLogin,
    /// FORBIDDEN.
    No,
}

use Gets::{It, No, NoLogin, Null};

/// A field, a query in which the answer to it stands at a path, and what anonymous, another viewer, the owner (also a
/// viewer), an analyst and an admin get. `$user`, `$session` and `$log` are the owner's.
struct Row(&'static str, &'static str, &'static str, [Gets; 5]);

const EVERYBODY_SIGNED_IN: [Gets; 5] = [NoLogin, It, It, It, It];
const ANALYSTS: [Gets; 5] = [NoLogin, No, No, It, It];
const OWNER_AND_ANALYSTS: [Gets; 5] = [NoLogin, Null, It, It, It];

const TABLE: &[Row] = &[
    Row("Query.me", "{ me { id } }", "/me/id", EVERYBODY_SIGNED_IN),
    Row("Query.rateLimit", "{ rateLimit { limit } }", "/rateLimit/limit", EVERYBODY_SIGNED_IN),
    Row("Query.node", "($user) { node(id: $user) { id } }", "/node/id", OWNER_AND_ANALYSTS),
    Row("Query.node", "($session) { node(id: $session) { id } }", "/node/id", OWNER_AND_ANALYSTS),
    Row("Query.node", "($log) { node(id: $log) { id } }", "/node/id", OWNER_AND_ANALYSTS),
    Row("Query.user", "($user) { user(id: $user) { id } }", "/user/id", OWNER_AND_ANALYSTS),
    Row("Query.session", "($session) { session(id: $session) { id } }", "/session/id", OWNER_AND_ANALYSTS),
    Row("Query.auditLog", "($log) { auditLog(id: $log) { id } }", "/auditLog/id", OWNER_AND_ANALYSTS),
    Row("Query.users", "{ users { nodes { id } } }", "/users/nodes/0/id", ANALYSTS),
    Row("Query.sessions", "{ sessions { nodes { id } } }", "/sessions/nodes/0/id", ANALYSTS),
    Row("Query.auditLogs", "{ auditLogs { nodes { id } } }", "/auditLogs/nodes/0/id", ANALYSTS),
    Row("Query.auditLogStats", "{ auditLogStats { total } }", "/auditLogStats/total", ANALYSTS),
    Row(
        "Query.userByUsername",
        "{ userByUsername(username: \"olga\") { id } }",
        "/userByUsername/id",
        OWNER_AND_ANALYSTS,
    ),
    Row("Query.nodes", "($user) { nodes(ids: [$user]) { id } }", "/nodes/0/id", OWNER_AND_ANALYSTS),
    Row(
        "Query.accessMatrix",
        "{ accessMatrix { coordinate roles owner } }",
        "/accessMatrix/0/coordinate",
        EVERYBODY_SIGNED_IN,
    ),
    Row("AuditLogStats.total", "{ auditLogStats { total } }", "/auditLogStats/total", ANALYSTS),
    Row("AuditLogStats.failures", "{ auditLogStats { failures } }", "/auditLogStats/failures", ANALYSTS),
    Row(
        "AuditLogStats.byAction",
        "{ auditLogStats { byAction { count } } }",
        "/auditLogStats/byAction/0/count",
        ANALYSTS,
    ),
    Row(
        "AuditLogStats.byUser",
        "{ auditLogStats { byUser { count failures user { id } } } }",
        "/auditLogStats/byUser/0/count",
        ANALYSTS,
    ),
    Row(
        "AuditLogStats.byIpAddress",
        "{ auditLogStats { byIpAddress { count } } }",
        "/auditLogStats/byIpAddress/0/count",
        ANALYSTS,
    ),
    Row(
        "AuditLogStats.overTime",
        "{ auditLogStats { overTime(interval: DAY) { count } } }",
        "/auditLogStats/overTime/0/count",
        ANALYSTS,
    ),
    Row("User.id", "($user) { user(id: $user) { id } }", "/user/id", OWNER_AND_ANALYSTS),
    Row("User.username", "($user) { user(id: $user) { username } }", "/user/username", OWNER_AND_ANALYSTS),
    Row("User.fullName", "($user) { user(id: $user) { fullName } }", "/user/fullName", OWNER_AND_ANALYSTS),
    Row("User.role", "($user) { user(id: $user) { role } }", "/user/role", OWNER_AND_ANALYSTS),
    Row("User.isActive", "($user) { user(id: $user) { isActive } }", "/user/isActive", OWNER_AND_ANALYSTS),
    Row("User.createdAt", "($user) { user(id: $user) { createdAt } }", "/user/createdAt", OWNER_AND_ANALYSTS),
    Row("User.updatedAt", "($user) { user(id: $user) { updatedAt } }", "/user/updatedAt", OWNER_AND_ANALYSTS),
    Row("User.email", "($user) { user(id: $user) { email } }", "/user/email", OWNER_AND_ANALYSTS),
    Row("User.lastLogin", "($user) { user(id: $user) { lastLogin } }", "/user/lastLogin", OWNER_AND_ANALYSTS),
    Row(
        "User.sessions",
        "($user) { user(id: $user) { sessions { nodes { id } } } }",
        "/user/sessions/nodes/0/id",
        OWNER_AND_ANALYSTS,
    ),
    Row(
        "User.auditLogs",
        "($user) { user(id: $user) { auditLogs { nodes { id } } } }",
        "/user/auditLogs/nodes/0/id",
        OWNER_AND_ANALYSTS,
    ),
    Row("Session.id", "($session) { session(id: $session) { id } }", "/session/id", OWNER_AND_ANALYSTS),
    Row("Session.user", "($session) { session(id: $session) { user { id } } }", "/session/user/id", OWNER_AND_ANALYSTS),
    Row(
        "Session.threadId",
        "($session) { session(id: $session) { threadId } }",
        "/session/threadId",
        OWNER_AND_ANALYSTS,
    ),
    Row("Session.context", "($session) { session(id: $session) { context } }", "/session/context", OWNER_AND_ANALYSTS),
    Row("Session.title", "($session) { session(id: $session) { title } }", "/session/title", OWNER_AND_ANALYSTS),
    Row(
        "Session.isActive",
        "($session) { session(id: $session) { isActive } }",
        "/session/isActive",
        OWNER_AND_ANALYSTS,
    ),
    Row(
        "Session.createdAt",
        "($session) { session(id: $session) { createdAt } }",
        "/session/createdAt",
        OWNER_AND_ANALYSTS,
    ),
    Row(
        "Session.updatedAt",
        "($session) { session(id: $session) { updatedAt } }",
        "/session/updatedAt",
        OWNER_AND_ANALYSTS,
    ),
    Row("Session.endedAt", "($session) { session(id: $session) { endedAt } }", "/session/endedAt", OWNER_AND_ANALYSTS),
    Row("AuditLog.id", "($log) { auditLog(id: $log) { id } }", "/auditLog/id", OWNER_AND_ANALYSTS),
    Row("AuditLog.user", "($log) { auditLog(id: $log) { user { id } } }", "/auditLog/user/id", OWNER_AND_ANALYSTS),
    Row("AuditLog.username", "($log) { auditLog(id: $log) { username } }", "/auditLog/username", OWNER_AND_ANALYSTS),
    Row("AuditLog.action", "($log) { auditLog(id: $log) { action } }", "/auditLog/action", OWNER_AND_ANALYSTS),
    Row("AuditLog.details", "($log) { auditLog(id: $log) { details } }", "/auditLog/details", OWNER_AND_ANALYSTS),
    Row(
        "AuditLog.description",
        "($log) { auditLog(id: $log) { description } }",
        "/auditLog/description",
        OWNER_AND_ANALYSTS,
    ),
    Row("AuditLog.ipAddress", "($log) { auditLog(id: $log) { ipAddress } }", "/auditLog/ipAddress", OWNER_AND_ANALYSTS),
    Row("AuditLog.userAgent", "($log) { auditLog(id: $log) { userAgent } }", "/auditLog/userAgent", OWNER_AND_ANALYSTS),
    Row("AuditLog.success", "($log) { auditLog(id: $log) { success } }", "/auditLog/success", OWNER_AND_ANALYSTS),
    Row("AuditLog.timestamp", "($log) { auditLog(id: $log) { timestamp } }", "/auditLog/timestamp", OWNER_AND_ANALYSTS),
    Row(
        "Mutation.login",
        r#"mutation { login(input: {username: "olga", password: "a good password"}) { expiresAt } }"#,
        "/login/expiresAt",
        [It; 5],
    ),
];

/// Types that only hold what their object's rule has let through.
const CARRIERS: &[&str] = &[
    "AccessRule",
    "ActionCount",
    "UserCount",
    "IpAddressCount",
    "IntervalCount",
    "UserConnection",
    "UserEdge",
    "SessionConnection",
    "SessionEdge",
    "AuditLogConnection",
    "AuditLogEdge",
    "PageInfo",
    "RateLimit",
    "LoginPayload",
];

on_both! {
    async fn every_field_answers_every_role_as_the_table_says(app) {
        let owner = app.user("olga", guardianeye::model::Role::Viewer, app.now()).await;
        let session = app.session(owner.id, "mine", app.now()).await;
        let log = app.audit_log(Some(owner.id), app.now()).await;
        // An entry and values that are null in the table's queries are told from refusals by their parent.
        let ids = json!({
            "user": owner.id.to_string(), "session": session.id.to_string(), "log": log.id.to_string()
        });
        for Row(field, query, path, expected) in TABLE {
            let callers = [app.anonymous(), app.viewer(), app.logged_in(&owner), app.analyst(), app.admin()];
            for ((caller, name), expected) in
                callers.iter().zip(["anonymous", "viewer", "owner", "analyst", "admin"]).zip(expected)
            {
                let (query, variables) = with_variables(query, &ids);
                let reply = caller.gql(&query, variables).await;
                assert_eq!(outcome(&reply, path), *expected, "{name} asks {field} by {query}: {:#}", reply.body);
            }
        }
    }

    async fn a_refused_field_does_not_take_its_siblings_away(app) {
        let reply = app.viewer().gql("{ me { username } users { nodes { id } } }", json!({})).await;
        assert_eq!(reply.code(), "FORBIDDEN");
        assert_eq!(reply.body["data"], json!({ "me": { "username": "vera" }, "users": null }));
        assert_eq!(reply.body["errors"][0]["path"], json!(["users"]));
    }

    async fn another_users_id_and_no_id_answer_alike(app) {
        let user = app.admin().id();
        let session = app.session(user, "theirs", app.now()).await.id.to_string();
        let log = app.audit_log(Some(user), app.now()).await.id.to_string();
        let user = user.to_string();
        let nobodys = uuid::Uuid::nil().to_string();
        for (field, theirs) in [("node", &user), ("node", &session), ("node", &log), ("user", &user), ("session", &session), ("auditLog", &log)] {
            let query = format!("query($id: ID!) {{ {field}(id: $id) {{ id }} nodes(ids: [$id]) {{ id }} }}");
            assert_eq!(app.admin().gql(&query, json!({ "id": theirs })).await.data()[field]["id"], **theirs);
            for id in [theirs, &nobodys] {
                let reply = app.viewer().gql(&query, json!({ "id": id })).await;
                assert_eq!(*reply.data(), json!({ field: null, "nodes": [null] }), "{field} {id}");
            }
        }
    }

    async fn the_access_matrix_is_the_directives_as_data(app) {
        let reply = app.viewer().gql("{ accessMatrix { coordinate roles owner } }", json!({})).await;
        let rules = reply.data()["accessMatrix"].as_array().expect("rules");
        assert_eq!(rules.len(), fields().values().flatten().count());
        for rule in [
            json!({ "coordinate": "User.email", "roles": ["ANALYST", "ADMIN"], "owner": true }),
            json!({ "coordinate": "Query.me", "roles": ["VIEWER", "ANALYST", "ADMIN"], "owner": false }),
        ] {
            assert!(rules.contains(&rule), "{rule}");
        }
    }

    async fn an_inactive_user_is_out_at_once(app) {
        let user = guardianeye::model::User { is_active: false, ..app.user("ina", guardianeye::model::Role::Admin, app.now()).await };
        let caller = app.logged_in(&user);
        assert_eq!(caller.gql("{ me { id } }", json!({})).await.data()["me"]["id"], user.id.to_string());
        app.execute(&format!("update users set is_active = false where id = '{}'", user.id)).await;
        let reply = caller.gql("{ me { id } }", json!({})).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (401, "UNAUTHENTICATED"));
    }

    async fn the_role_is_the_rows_not_the_tokens(app) {
        let caller = app.analyst();
        caller.gql("{ users { nodes { id } } }", json!({})).await.data();
        app.execute(&format!("update users set role = 'viewer' where id = '{}'", caller.id())).await;
        assert_eq!(caller.gql("{ users { nodes { id } } }", json!({})).await.code(), "FORBIDDEN");
    }
}

/// `($user) {..}` becomes `query($user: ID!) {..}` with just that variable.
fn with_variables(query: &str, ids: &Value) -> (String, Value) {
    let Some((name, rest)) = query.strip_prefix("($").and_then(|query| query.split_once(')')) else {
        return (query.to_owned(), json!({}));
    };
    (format!("query(${name}: ID!){rest}"), json!({ name: ids[name] }))
}

fn outcome(reply: &Reply, path: &str) -> Gets {
    match reply.codes()[..] {
        ["UNAUTHENTICATED"] => NoLogin,
        ["FORBIDDEN"] => No,
        [] => {
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            // A value may be null in its own right; a parent that is null was withheld.
            if reply.body["data"].pointer(parent).is_some_and(|parent| !parent.is_null()) { It } else { Null }
        }
        _ => panic!("unexpected: {:#}", reply.body),
    }
}

#[test]
fn every_field_of_the_schema_is_in_the_table() {
    let listed: BTreeSet<&str> = TABLE.iter().map(|Row(field, ..)| *field).collect();
    let missing: Vec<_> = fields().into_keys().filter(|field| !listed.contains(field.as_str())).collect();
    assert!(missing.is_empty(), "add to the table in access.rs: {missing:?}");
}

/// What the schema says a field requires is what the table says its callers get.
#[test]
fn the_directives_say_what_the_table_says() {
    let fields = fields();
    for Row(field, _, _, [anonymous, viewer, owner, ..]) in TABLE {
        let directive = &fields[*field];
        match directive.as_deref() {
            Some("role: VIEWER, owner: false") => {
                assert!(matches!(viewer, It | Null), "{field}");
            }
            Some("role: ANALYST, owner: false") => assert_eq!((*viewer, *owner), (No, No), "{field}"),
            Some("role: ANALYST, owner: true") => assert_eq!(*owner, It, "{field}"),
            // What is deeper asks for nothing more than the root it is reached by.
            None if !field.starts_with("Query.") && !field.starts_with("Mutation.") => {}
            None => assert_eq!(*anonymous, It, "{field} is public"),
            Some(other) => panic!("{field}: a rule the table does not know: {other}"),
        }
    }
}

/// All fields of object types with their `@requires`, out of the SDL.
fn fields() -> BTreeMap<String, Option<String>> {
    let document = parse_schema(Api::default().sdl()).expect("the SDL is GraphQL");
    let mut fields = BTreeMap::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let (name, TypeKind::Object(object)) = (&ty.node.name.node, &ty.node.kind) else { continue };
        if CARRIERS.contains(&name.as_str()) {
            continue;
        }
        for field in &object.fields {
            let mut directives = field.node.directives.iter().map(|directive| &directive.node);
            let requires = directives.find(|directive| directive.name.node == "requires").map(|directive| {
                let arguments =
                    directive.arguments.iter().map(|(name, value)| format!("{}: {}", name.node, value.node));
                arguments.collect::<Vec<_>>().join(", ")
            });
            fields.insert(format!("{name}.{}", field.node.name.node), requires);
        }
    }
    fields
}
