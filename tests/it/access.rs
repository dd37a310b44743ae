//! Every field as every role. Introspection makes the table fail when a field is not in it.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use guardianeye::{
    graphql::GraphqlApi,
    model::{Scope, User},
};
use serde_json::{Value, json};

use crate::{
    access_table::{
        Gets::{self, It, No, NoLogin, Null},
        Row, TABLE, WRITES,
    },
    support::{Reply, TestApp, on_both, subject_of},
};

on_both!(
    every_field_answers_every_role_as_the_table_says,
    every_write_answers_every_role_as_the_table_says,
    every_field_answers_a_token_with_its_scope_and_no_other,
    a_refused_field_does_not_take_its_siblings_away,
    another_users_id_and_no_id_answer_alike,
    the_access_matrix_is_the_directives_as_data,
    an_inactive_user_is_out_at_once,
    the_role_is_the_rows_not_the_tokens
);

async fn every_field_answers_every_role_as_the_table_says(app: &TestApp) {
    let owner = app.user("olga", guardianeye::model::Role::Viewer, app.now()).await;
    // Values that are null in the table's queries are told from refusals by their parent.
    let ids = ids_of(app, &owner).await;
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

async fn every_write_answers_every_role_as_the_table_says(app: &TestApp) {
    use guardianeye::model::Role::{Admin, Analyst, Viewer};
    for (row, Row(field, query, path, expected)) in WRITES.iter().enumerate() {
        for (role, expected) in [None, Some(Viewer), None, Some(Analyst), Some(Admin)]
            .iter()
            .zip(expected)
            .enumerate()
            .map(|(at, (role, expected))| ((at, *role), *expected))
        {
            let owner = app.user(&format!("owner-{row}-{}", role.0), Viewer, app.now()).await;
            let caller = match role {
                (0, _) => app.anonymous(),
                (at, Some(role)) => app.logged_in(&app.user(&format!("caller-{row}-{at}"), role, app.now()).await),
                _ => app.logged_in(&owner),
            };
            let ids = ids_of(app, &owner).await;
            let reply = caller.gql(query, ids).await;
            assert_eq!(outcome(&reply, path), expected, "{role:?} asks {field}: {:#}", reply.body);
        }
    }
}

async fn every_field_answers_a_token_with_its_scope_and_no_other(app: &TestApp) {
    let rules = fields();
    let scope_of = |field: &str| {
        rules[field].rule.as_deref().map(|rule| rule.split_once("scope: ").map(|(_, scope)| scope.to_owned()))
    };
    let olga = app.user("olga", guardianeye::model::Role::Viewer, app.now()).await;
    let mut answered = BTreeSet::new();
    for (row, Row(field, query, path, [.., admins])) in TABLE.iter().chain(WRITES).enumerate() {
        let root = path.split('/').nth(1).expect("a root field");
        let operation = if field.starts_with("Mutation.") { "Mutation" } else { "Query" };
        // What leads to the field, and the field. Without a rule anybody may, without a scope no token.
        let asked: BTreeSet<_> =
            [scope_of(&format!("{operation}.{root}")), scope_of(field)].into_iter().flatten().collect();
        for scope in Scope::ALL {
            // What is written to is fresh each time.
            let owner = match operation {
                "Query" => olga.clone(),
                _ => {
                    app.user(&format!("owner-{row}-{}", scope.as_str()), guardianeye::model::Role::Viewer, app.now())
                        .await
                }
            };
            let (_, caller) = app.api_token(app.admin().id(), &[*scope]).await;
            let ids = ids_of(app, &owner).await;
            let (query, variables) =
                if operation == "Query" { with_variables(query, &ids) } else { ((*query).to_owned(), ids) };
            let reply = caller.gql(&query, variables).await;
            let word = scope.as_str().to_uppercase();
            let may = asked.iter().all(|asked| asked.as_ref() == Some(&word));
            let expected = if may { *admins } else { No };
            assert_eq!(
                outcome(&reply, path),
                expected,
                "a token with {word} asks {field} by {query}: {:#}",
                reply.body
            );
            if expected == It {
                answered.insert((field.split('.').next() == Some("Mutation"), word));
            }
        }
    }
    assert!(
        answered.contains(&(false, "READ".to_owned())) && answered.contains(&(true, "MANAGE_USERS".to_owned())),
        "{answered:?}"
    );
}

async fn a_refused_field_does_not_take_its_siblings_away(app: &TestApp) {
    let reply = app.viewer().gql("{ me { username } users { nodes { id } } }", json!({})).await;
    assert_eq!(reply.code(), "FORBIDDEN");
    assert_eq!(reply.body["data"], json!({ "me": { "username": "vera" }, "users": null }));
    assert_eq!(reply.body["errors"][0]["path"], json!(["users"]));
}

async fn another_users_id_and_no_id_answer_alike(app: &TestApp) {
    let user = app.admin().id();
    let session = app.session(user, "theirs", app.now()).await.id.to_string();
    let log = app.audit_log(Some(user), app.now()).await.id.to_string();
    let user = user.to_string();
    let nobodys = uuid::Uuid::nil().to_string();
    for (field, theirs) in [
        ("node", &user),
        ("node", &session),
        ("node", &log),
        ("user", &user),
        ("session", &session),
        ("auditLog", &log),
    ] {
        let query = format!("query($id: ID!) {{ {field}(id: $id) {{ id }} nodes(ids: [$id]) {{ id }} }}");
        assert_eq!(app.admin().gql(&query, json!({ "id": theirs })).await.data()[field]["id"], **theirs);
        let alone = format!("query($id: ID!) {{ {field}(id: $id) {{ id }} }}");
        let mut statements = Vec::new();
        for id in [theirs, &nobodys] {
            let reply = app.viewer().gql(&query, json!({ "id": id })).await;
            assert_eq!(*reply.data(), json!({ field: null, "nodes": [null] }), "{field} {id}");
            statements.push(app.viewer().gql(&alone, json!({ "id": id })).await.sql());
        }
        assert_eq!(statements[0], statements[1], "{field}");
    }
}

async fn the_access_matrix_is_the_directives_as_data(app: &TestApp) {
    let reply = app.viewer().gql("{ accessMatrix { coordinate roles owner scope } }", json!({})).await;
    let rules = reply.data()["accessMatrix"].as_array().expect("rules");
    assert_eq!(rules.len(), fields().values().filter(|field| field.rule.is_some()).count());
    for rule in [
        json!({ "coordinate": "User.email", "roles": ["ANALYST", "ADMIN"], "owner": true, "scope": "READ" }),
        json!({ "coordinate": "Query.me", "roles": ["VIEWER", "ANALYST", "ADMIN"], "owner": false, "scope": "READ" }),
    ] {
        assert!(rules.contains(&rule), "{rule}");
    }
}

async fn an_inactive_user_is_out_at_once(app: &TestApp) {
    let user = guardianeye::model::User {
        is_active: false,
        ..app.user("ina", guardianeye::model::Role::Admin, app.now()).await
    };
    let caller = app.logged_in(&user);
    assert_eq!(caller.gql("{ me { id } }", json!({})).await.data()["me"]["id"], user.id.to_string());
    let end = "mutation($user: ID!) { deactivateUser(id: $user) { user { id } } }";
    app.admin().gql(end, json!({ "user": user.id.to_string() })).await.data();
    let reply = caller.gql("{ me { id } }", json!({})).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (401, "UNAUTHENTICATED"));
}

async fn the_role_is_the_rows_not_the_tokens(app: &TestApp) {
    let caller = app.analyst();
    caller.gql("{ users { nodes { id } } }", json!({})).await.data();
    let demote = "mutation($user: ID!) { setUserRole(input: {id: $user, role: VIEWER}) { user { id } } }";
    app.admin().gql(demote, json!({ "user": caller.id().to_string() })).await.data();
    assert_eq!(caller.gql("{ users { nodes { id } } }", json!({})).await.code(), "FORBIDDEN");
}

/// The ids of what the owner has, by the names that the table's queries use.
async fn ids_of(app: &TestApp, owner: &User) -> Value {
    let session = app.session(owner.id, "mine", app.now()).await;
    let log = app.audit_log(Some(owner.id), app.now()).await;
    let (token, _) = app.api_token(owner.id, &[Scope::Read]).await;
    json!({
        "user": owner.id.to_string(), "session": session.id.to_string(), "log": log.id.to_string(),
        "login": subject_of(owner.id).auth_session.to_string(), "token": token.id.to_string(),
    })
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
        ["NOT_FOUND"] => Null,
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
    let fields = fields();
    let listed: BTreeSet<&str> = TABLE.iter().chain(WRITES).map(|Row(field, ..)| *field).collect();
    let unknown: Vec<_> = listed.iter().filter(|field| !fields.contains_key(**field)).collect();
    assert!(unknown.is_empty(), "not in the schema: {unknown:?}");
    let carriers = carriers(&fields, &listed);
    let missing: Vec<_> = fields
        .iter()
        .filter(|(coordinate, field)| !listed.contains(coordinate.as_str()) && !carriers.contains(&*field.parent))
        .map(|(coordinate, _)| coordinate)
        .collect();
    assert!(missing.is_empty(), "add to access_table.rs: {missing:?}");
}

/// The types that need no rows of their own: no field of theirs has a rule, they have no id to be fetched by, and each
/// field that leads to them is in the table or belongs to such a type.
fn carriers<'a>(fields: &'a BTreeMap<String, Field>, listed: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    let of_table = |coordinate: &str| listed.contains(coordinate);
    let has_own_rows = |name: &str| {
        matches!(name, "Query" | "Mutation")
            || fields.iter().any(|(coordinate, field)| {
                field.parent == name && (field.rule.is_some() || field.is_node || of_table(coordinate))
            })
    };
    let mut carriers: BTreeSet<&str> =
        fields.values().map(|field| &*field.parent).filter(|name| !has_own_rows(name)).collect();
    loop {
        let reached_otherwise = carriers.iter().copied().find(|name| {
            fields.iter().any(|(coordinate, field)| {
                field.ty == *name && !of_table(coordinate) && !carriers.contains(&*field.parent)
            })
        });
        match reached_otherwise {
            Some(name) => carriers.remove(name),
            None => return carriers,
        };
    }
}

/// What the schema says a field requires is what the table says its callers get.
#[test]
fn the_directives_say_what_the_table_says() {
    let fields = fields();
    for Row(field, _, _, [anonymous, viewer, owner, analyst, _]) in TABLE.iter().chain(WRITES) {
        match fields[*field].rule.as_deref() {
            Some("role: VIEWER, owner: false, scope: READ" | "role: VIEWER, owner: false") => {
                assert!(matches!(viewer, It | Null), "{field}");
            }
            Some("role: ANALYST, owner: false, scope: READ") => assert_eq!((*viewer, *owner), (No, No), "{field}"),
            Some("role: ANALYST, owner: true, scope: READ") => assert_eq!(*owner, It, "{field}"),
            Some("role: ADMIN, owner: false, scope: MANAGE_USERS" | "role: ADMIN, owner: false") => {
                assert_eq!((*viewer, *owner, *analyst), (No, No, No), "{field}");
            }
            Some(
                "role: ANALYST, owner: false, scope: WRITE_SESSIONS"
                | "role: ANALYST, owner: false, scope: WRITE_AUDIT",
            ) => {
                assert_eq!((*viewer, *owner), (No, No), "{field}");
            }
            Some("role: ADMIN, owner: true, scope: READ" | "role: ADMIN, owner: true, scope: MANAGE_USERS") => {
                assert!(matches!(viewer, Null | No), "{field}");
                assert_eq!(*owner, It, "{field}");
                assert_ne!(*analyst, It, "{field}");
            }
            // What is deeper asks for nothing more than the root it is reached by.
            None if !field.starts_with("Query.") && !field.starts_with("Mutation.") => {}
            // With a right password, or a right token.
            None => assert_eq!(*anonymous, NoLogin, "{field} is public"),
            Some(other) => panic!("{field}: a rule the table does not know: {other}"),
        }
    }
}

/// Whoever may have a list may have what it is filtered and ordered by: else a count would tell what no field does.
#[test]
fn no_filter_or_order_tells_more_than_the_fields_of_its_list() {
    // What a rule asks for, the least first; whether it lets owners pass.
    let rank = |rule: Option<&str>| match rule {
        None => (0, true),
        Some(rule) => {
            let roles = ["role: VIEWER", "role: ANALYST", "role: ADMIN"];
            let at = roles.iter().position(|beginning| rule.starts_with(beginning)).expect("a role");
            (1 + at, rule.contains("owner: true"))
        }
    };
    let rules = fields();
    let document = parse_schema(GraphqlApi::default().sdl()).expect("the SDL is GraphQL");
    let types = || {
        document.definitions.iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.as_str(), &ty.node.kind)),
            _ => None,
        })
    };
    let names_of = |wanted: &str| -> Vec<String> {
        match types().find(|(name, _)| *name == wanted).expect(wanted).1 {
            TypeKind::InputObject(input) => input.fields.iter().map(|field| field.node.name.node.to_string()).collect(),
            TypeKind::Enum(words) => words.values.iter().map(|word| in_camels(word.node.value.node.as_str())).collect(),
            _ => panic!("{wanted} is neither an input nor an enum"),
        }
    };
    let mut seen = 0;
    for (of, kind) in types() {
        let TypeKind::Object(object) = kind else { continue };
        for field in &object.fields {
            let list = format!("{of}.{}", field.node.name.node);
            for argument in &field.node.arguments {
                let ty = argument.node.ty.node.to_string();
                let (row, names) = match (argument.node.name.node.as_str(), ty.trim_end_matches('!')) {
                    ("filter", ty) => (ty.trim_end_matches("Filter").to_owned(), names_of(ty)),
                    ("orderBy", ty) => (ty.trim_end_matches("Order").to_owned(), names_of(&format!("{ty}Field"))),
                    _ => continue,
                };
                let (list_role, list_owner) = rank(rules[&list].rule.as_deref());
                // The one searches texts that everybody with the list may read.
                for name in names.iter().filter(|name| !["and", "or", "not", "search"].contains(&name.as_str())) {
                    let (role, owner) = rank(rules[&format!("{row}.{name}")].rule.as_deref());
                    assert!(role <= list_role && (owner || !list_owner), "{list} by {row}.{name}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

/// `createdAt` for `CREATED_AT`.
fn in_camels(word: &str) -> String {
    let mut parts = word.split('_').map(str::to_lowercase);
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |name, part| name + &part[..1].to_uppercase() + &part[1..])
}

/// A field of an object type.
struct Field {
    parent: String,
    /// Whether the parent is a `Node`.
    is_node: bool,
    /// The type of its value, without list and non-null marks.
    ty: String,
    /// The arguments of its `@requires`.
    rule: Option<String>,
}

/// All fields of object types, by coordinate.
fn fields() -> BTreeMap<String, Field> {
    let document = parse_schema(GraphqlApi::default().sdl()).expect("the SDL is GraphQL");
    let mut fields = BTreeMap::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let (name, TypeKind::Object(object)) = (&ty.node.name.node, &ty.node.kind) else { continue };
        for field in &object.fields {
            let mut directives = field.node.directives.iter().map(|directive| &directive.node);
            let rule = directives.find(|directive| directive.name.node == "requires").map(|directive| {
                let arguments =
                    directive.arguments.iter().map(|(name, value)| format!("{}: {}", name.node, value.node));
                arguments.collect::<Vec<_>>().join(", ")
            });
            let field_of_type = Field {
                parent: name.to_string(),
                is_node: object.implements.iter().any(|interface| interface.node == "Node"),
                ty: field.node.ty.node.to_string().trim_matches(['[', ']', '!']).to_owned(),
                rule,
            };
            fields.insert(format!("{name}.{}", field.node.name.node), field_of_type);
        }
    }
    fields
}
