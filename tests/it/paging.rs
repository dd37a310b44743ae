//! The laws of paging: every walk meets every row once, in one order, and the flags tell the truth.

use guardianeye::model::{Role, UserId};
use serde_json::{Value, json};

use crate::support::{TestApp, on_both};

/// The lists and how deep they lie: root, root, nested.
const LISTS: [(&str, &str); 3] =
    [("sessions", "/sessions"), ("auditLogs", "/auditLogs"), ("me { sessions", "/me/sessions")];

on_both!(
    both_walks_of_every_list_meet_every_row_once_in_the_same_order,
    the_flags_tell_the_truth_in_both_directions,
    lists_run_from_the_newest_to_the_oldest,
    a_page_has_twenty_rows_unless_asked_otherwise_and_an_empty_one_no_cursors,
    a_page_of_one_user_never_holds_rows_of_another
);

async fn both_walks_of_every_list_meet_every_row_once_in_the_same_order(app: &TestApp) {
    fill(app, app.analyst().id()).await;
    for (list, path) in LISTS {
        let all = ids(&page(app, list, path, json!({ "first": 100 })).await);
        assert_eq!(all.len(), 23, "{list}");
        for size in [1, 4, 7, 23, 50] {
            assert_eq!(walk(app, list, path, size, Direction::Forward).await, all, "{list} by {size}");
            let mut back = walk(app, list, path, size, Direction::Backward).await;
            back.reverse();
            assert_eq!(back, all, "{list} by {size} from the end");
        }
    }
}

async fn the_flags_tell_the_truth_in_both_directions(app: &TestApp) {
    fill(app, app.analyst().id()).await;
    for (list, path) in LISTS {
        let all = page(app, list, path, json!({ "first": 100 })).await;
        let edges = all["edges"].as_array().expect("edges");
        for at in 0..edges.len() {
            let cursor = &edges[at]["cursor"];
            let after = page(app, list, path, json!({ "first": 3, "after": cursor })).await;
            assert_eq!(after["pageInfo"]["hasPreviousPage"], true, "{list} after {at}");
            assert_eq!(after["pageInfo"]["hasNextPage"], at + 4 < edges.len(), "{list} after {at}");
            let before = page(app, list, path, json!({ "last": 3, "before": cursor })).await;
            assert_eq!(before["pageInfo"]["hasNextPage"], true, "{list} before {at}");
            assert_eq!(before["pageInfo"]["hasPreviousPage"], at > 3, "{list} before {at}");
        }
        let first = page(app, list, path, json!({ "first": 5 })).await;
        assert_eq!(
            (&first["pageInfo"]["hasPreviousPage"], &first["pageInfo"]["hasNextPage"]),
            (&json!(false), &json!(true))
        );
        let last = page(app, list, path, json!({ "last": 5 })).await;
        assert_eq!(
            (&last["pageInfo"]["hasPreviousPage"], &last["pageInfo"]["hasNextPage"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(ids(&last), ids(&all)[18..]);
    }
}

async fn lists_run_from_the_newest_to_the_oldest(app: &TestApp) {
    fill(app, app.analyst().id()).await;
    for (list, path) in LISTS {
        let rows = page(app, list, path, json!({ "first": 100 })).await;
        let times: Vec<_> =
            rows["nodes"].as_array().expect("nodes").iter().map(|row| row["at"].as_str().expect("time")).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "{list}: {times:?}");
    }
}

async fn a_page_has_twenty_rows_unless_asked_otherwise_and_an_empty_one_no_cursors(app: &TestApp) {
    fill(app, app.analyst().id()).await;
    assert_eq!(ids(&page(app, "sessions", "/sessions", json!({})).await).len(), 20);
    let reply = app
        .viewer()
        .gql(
            "{ me { sessions { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        reply.data()["me"]["sessions"],
        json!({
            "nodes": [],
            "pageInfo": { "hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null }
        })
    );
}

async fn a_page_of_one_user_never_holds_rows_of_another(app: &TestApp) {
    let other = app.user("otto", Role::Viewer, app.now()).await;
    fill(app, app.analyst().id()).await;
    fill_sessions(app, other.id, 30).await;
    let reply = app
        .analyst()
        .gql("{ users { nodes { username sessions(first: 50) { nodes { id user { username } } } } } }", json!({}))
        .await;
    for user in reply.data()["users"]["nodes"].as_array().expect("users") {
        let sessions = user["sessions"]["nodes"].as_array().expect("sessions");
        let expected = match user["username"].as_str() {
            Some("otto") => 30,
            Some("anna") => 23,
            _ => 0,
        };
        assert_eq!(sessions.len(), expected, "{user}");
        assert!(sessions.iter().all(|session| session["user"]["username"] == user["username"]));
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Backward,
}

/// 23 sessions and entries, of which several share the same moment.
async fn fill(app: &TestApp, user: UserId) {
    fill_sessions(app, user, 23).await;
    for n in 0..23 {
        app.audit_log(Some(user), app.now().plus_seconds(n / 4)).await;
    }
}

async fn fill_sessions(app: &TestApp, user: UserId, count: i64) {
    for n in 0..count {
        app.session(user, &format!("s{n}"), app.now().plus_seconds(n / 3)).await;
    }
}

async fn page(app: &TestApp, list: &str, path: &str, args: Value) -> Value {
    let time = if list == "auditLogs" { "timestamp" } else { "createdAt" };
    let close = if list.contains('{') { "}" } else { "" };
    let query = format!(
        "query($first: Int, $after: String, $last: Int, $before: String) {{
            {list}(first: $first, after: $after, last: $last, before: $before) {{
                edges {{ cursor node {{ id }} }} nodes {{ id at: {time} }}
                pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
            }} {close} }}"
    );
    let reply = app.analyst().gql(&query, args).await;
    reply.data().pointer(path).expect("the list").clone()
}

fn ids(page: &Value) -> Vec<String> {
    let nodes: Vec<_> = page["nodes"].as_array().expect("nodes").iter().map(|node| node["id"].to_string()).collect();
    let edges: Vec<_> =
        page["edges"].as_array().expect("edges").iter().map(|edge| edge["node"]["id"].to_string()).collect();
    assert_eq!(nodes, edges);
    nodes
}

/// All ids in the order in which a walk meets them.
async fn walk(app: &TestApp, list: &str, path: &str, size: i32, direction: Direction) -> Vec<String> {
    let (count, from, flag, next) = match direction {
        Direction::Forward => ("first", "after", "hasNextPage", "endCursor"),
        Direction::Backward => ("last", "before", "hasPreviousPage", "startCursor"),
    };
    let mut met = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = page(app, list, path, json!({ count: size, from: cursor })).await;
        let mut rows = ids(&page);
        if matches!(direction, Direction::Backward) {
            rows.reverse();
        }
        met.extend(rows);
        assert!(met.len() <= 100, "the walk does not end");
        cursor = page["pageInfo"][next].clone();
        if page["pageInfo"][flag] == false {
            return met;
        }
    }
}
