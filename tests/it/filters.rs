//! Filters, orders, counts and walks against a naive evaluation in memory, over random trees and rows.

use serde_json::{Map, Value, json};

use crate::support::{TestApp, naive, on_both};

/// Cases per list and database: more than a thousand in all.
const CASES: u64 = 150;

/// A list: where it lies, its fields, and what can be asked of them.
struct List {
    name: &'static str,
    of: &'static str,
    fields: &'static str,
    kinds: &'static [(&'static str, Kind)],
    orders: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Address,
    Id,
    Enum(&'static [&'static str]),
    Time,
    Bool,
    Json,
    Search,
}

use Kind::{Address, Bool, Enum, Id, Json, Search, Text, Time};

const LISTS: [List; 3] = [
    List {
        name: "users",
        of: "User",
        fields: "id username email fullName role isActive createdAt updatedAt lastLogin",
        kinds: &[
            ("id", Id),
            ("username", Text),
            ("email", Text),
            ("fullName", Text),
            ("role", Enum(&["VIEWER", "ANALYST", "ADMIN"])),
            ("isActive", Bool),
            ("createdAt", Time),
            ("updatedAt", Time),
            ("lastLogin", Time),
            ("search", Search),
        ],
        orders: &[
            ("CREATED_AT", "createdAt"),
            ("USERNAME", "username"),
            ("EMAIL", "email"),
            ("LAST_LOGIN", "lastLogin"),
        ],
    },
    List {
        name: "sessions",
        of: "Session",
        fields: "id user { id } threadId title context isActive createdAt updatedAt endedAt",
        kinds: &[
            ("id", Id),
            ("user", Id),
            ("threadId", Text),
            ("title", Text),
            ("context", Json),
            ("isActive", Bool),
            ("createdAt", Time),
            ("updatedAt", Time),
            ("endedAt", Time),
        ],
        orders: &[("CREATED_AT", "createdAt"), ("UPDATED_AT", "updatedAt")],
    },
    List {
        name: "auditLogs",
        of: "AuditLog",
        fields: "id user { id } action success timestamp ipAddress userAgent description details",
        kinds: &[
            ("id", Id),
            ("user", Id),
            ("action", Enum(&["LOGIN", "FAILED_LOGIN", "QUERY_AGENT", "LOGOUT"])),
            ("success", Bool),
            ("timestamp", Time),
            ("ipAddress", Address),
            ("userAgent", Text),
            ("description", Text),
            ("details", Json),
        ],
        orders: &[("TIMESTAMP", "timestamp")],
    },
];

on_both!(
    random_filters_and_orders_agree_with_a_naive_evaluation,
    nested_lists_filter_order_and_count_like_root_lists_in_one_statement_each,
    a_network_holds_the_addresses_that_ipnet_says,
    a_count_is_made_only_when_asked_for,
    filters_have_a_size,
    a_cursor_is_bound_to_its_order
);

async fn random_filters_and_orders_agree_with_a_naive_evaluation(app: &TestApp) {
    naive::fill(app).await;
    for list in &LISTS {
        let rows = all_rows(app, list).await;
        for seed in 0..CASES {
            let mut random = fastrand::Rng::with_seed(seed);
            let filter = random_filter(&mut random, list, &rows, 1);
            let (order, field) = list.orders[random.usize(..list.orders.len())];
            let descending = random.bool();
            let expected = expected_ids(&rows, &filter, field, descending);
            let order = json!({ "field": order, "direction": if descending { "DESC" } else { "ASC" } });
            let size = random.i32(1..=7);
            let walked = walk(app, list, &filter, &order, size, random.bool()).await;
            assert_eq!(walked, expected, "{} seed {seed}: {filter} {order} by {size}", list.name);
        }
    }
}

async fn nested_lists_filter_order_and_count_like_root_lists_in_one_statement_each(app: &TestApp) {
    naive::fill(app).await;
    for (list, nested) in [(&LISTS[1], "sessions"), (&LISTS[2], "auditLogs")] {
        let rows = all_rows(app, list).await;
        for seed in 0..40 {
            let mut random = fastrand::Rng::with_seed(seed);
            let filter = random_filter(&mut random, list, &rows, 1);
            let (order, field) = list.orders[random.usize(..list.orders.len())];
            let descending = random.bool();
            let query = format!(
                "query($filter: {0}Filter, $order: {0}Order) {{ users(first: 50) {{ nodes {{ id
                        {nested}(first: 3, filter: $filter, orderBy: $order) {{ totalCount nodes {{ id }} }} }} }} }}",
                list.of
            );
            let order = json!({ "field": order, "direction": if descending { "DESC" } else { "ASC" } });
            let reply = app.admin().gql(&query, json!({ "filter": filter, "order": order })).await;
            for user in reply.data()["users"]["nodes"].as_array().expect("users") {
                let own: Vec<Value> = rows.iter().filter(|row| row["user"]["id"] == user["id"]).cloned().collect();
                let expected = expected_ids(&own, &filter, field, descending);
                let page = &user[nested];
                assert_eq!(page["totalCount"], expected.len(), "seed {seed}: {filter}");
                let found: Vec<_> =
                    page["nodes"].as_array().expect("nodes").iter().map(|node| node["id"].clone()).collect();
                assert_eq!(found, expected[..expected.len().min(3)], "seed {seed}: {filter} {order}");
            }
            // Who asks, the users, their rows, their counts.
            assert_eq!(reply.sql(), 4);
        }
    }
}

async fn a_network_holds_the_addresses_that_ipnet_says(app: &TestApp) {
    naive::fill(app).await;
    let list = &LISTS[2];
    let rows = all_rows(app, list).await;
    let addresses: Vec<&str> = rows.iter().filter_map(|row| row["ipAddress"].as_str()).collect();
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..200 {
        let address = addresses[random.usize(..addresses.len())];
        let network = naive::network(&mut random, address);
        let filter = json!({ "ipAddress": { "cidr": network } });
        let expected = rows.iter().filter(|row| naive::passes(row, &filter)).count();
        let query = "query($filter: AuditLogFilter) { auditLogs(filter: $filter) { totalCount } }";
        let reply = app.admin().gql(query, json!({ "filter": filter })).await;
        assert_eq!(reply.data()["auditLogs"]["totalCount"], expected, "{filter}");
    }
    for (text, told) in [("10.1.2.3/16", "the network is 10.1.0.0/16"), ("10.1", "such as 10.1.0.0/16")] {
        let query = "query($cidr: String) { auditLogs(filter: { ipAddress: { cidr: $cidr } }) { totalCount } }";
        let reply = app.admin().gql(query, json!({ "cidr": text })).await;
        assert_eq!((reply.code(), &reply.body["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!("cidr")));
        assert!(reply.message().contains(told), "{text}: {}", reply.message());
    }
}

async fn a_count_is_made_only_when_asked_for(app: &TestApp) {
    assert_eq!(app.admin().gql("{ users { nodes { id } } }", json!({})).await.sql(), 2);
    let reply = app.admin().gql("{ users(first: 1) { totalCount } }", json!({})).await;
    assert_eq!((reply.sql(), &reply.data()["users"]["totalCount"]), (3, &json!(3)));
}

async fn filters_have_a_size(app: &TestApp) {
    let nest = |levels: usize| (1..levels).fold(json!({ "isActive": true }), |inner, _| json!({ "not": inner }));
    let cases = [
        (nest(5), None),
        (nest(6), Some("filter")),
        (json!({ "id": { "in": vec![uuid::Uuid::nil().to_string(); 500] } }), None),
        (json!({ "id": { "in": vec![uuid::Uuid::nil().to_string(); 501] } }), Some("filter")),
        (json!({ "or": vec![json!({ "isActive": true }); 25] }), None),
        (json!({ "or": vec![json!({ "isActive": true }); 26] }), Some("filter")),
        (json!({ "or": vec![json!({}); 51] }), Some("filter")),
        (json!({ "search": "x".repeat(1000) }), None),
        (json!({ "search": "x".repeat(1001) }), Some("filter")),
        (json!({ "username": { "eq": null } }), Some("eq")),
        (json!({ "id": { "eq": "x" } }), Some("eq")),
        (json!({ "username": null, "and": null, "or": null, "not": null }), None),
    ];
    for (filter, refused) in cases {
        let query = "query($filter: UserFilter) { users(filter: $filter) { totalCount } }";
        let reply = app.admin().gql(query, json!({ "filter": filter })).await;
        match refused {
            None => assert!(reply.data()["users"]["totalCount"].is_u64(), "{filter}"),
            Some(field) => {
                assert_eq!(
                    (reply.code(), &reply.body["errors"][0]["extensions"]["field"]),
                    ("BAD_USER_INPUT", &json!(field)),
                    "{filter}"
                );
                assert_eq!(reply.sql(), 1, "refused before any SQL but the login");
            }
        }
    }
}

async fn a_cursor_is_bound_to_its_order(app: &TestApp) {
    let query = "query($order: UserOrder, $after: String) { users(first: 1, orderBy: $order, after: $after) { pageInfo { endCursor } } }";
    let by = |field: &str, direction: &str| json!({ "field": field, "direction": direction });
    let reply = app.admin().gql(query, json!({ "order": by("USERNAME", "ASC") })).await;
    let cursor = &reply.data()["users"]["pageInfo"]["endCursor"];
    for (order, fits) in [
        (by("USERNAME", "ASC"), true),
        (by("USERNAME", "DESC"), false),
        (by("EMAIL", "ASC"), false),
        (by("CREATED_AT", "ASC"), false),
    ] {
        let reply = app.admin().gql(query, json!({ "order": order, "after": cursor })).await;
        assert_eq!(reply.codes(), if fits { vec![] } else { vec!["BAD_USER_INPUT"] }, "{order}");
    }
}

async fn all_rows(app: &TestApp, list: &List) -> Vec<Value> {
    let query = format!("{{ {}(first: 100) {{ nodes {{ {} }} }} }}", list.name, list.fields);
    let reply = app.admin().gql(&query, json!({})).await;
    reply.data()[list.name]["nodes"].as_array().expect("nodes").clone()
}

fn expected_ids(rows: &[Value], filter: &Value, order: &str, descending: bool) -> Vec<Value> {
    let mut passing: Vec<_> = rows.iter().filter(|row| naive::passes(row, filter)).collect();
    // Never is before all times; times and ids of fixed length sort as text.
    passing.sort_by_key(|row| (row[order].as_str().unwrap_or_default(), row["id"].as_str()));
    if descending {
        passing.reverse();
    }
    passing.into_iter().map(|row| row["id"].clone()).collect()
}

/// All ids in the order of the list, met page by page from either end; `totalCount` has to agree.
async fn walk(app: &TestApp, list: &List, filter: &Value, order: &Value, size: i32, backward: bool) -> Vec<Value> {
    let query = format!(
        "query($filter: {0}Filter, $order: {0}Order, $first: Int, $after: String, $last: Int, $before: String) {{
            list: {1}(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last, before: $before) {{
                totalCount nodes {{ id }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}",
        list.of, list.name
    );
    let (count, from, more, next) = if backward {
        ("last", "before", "hasPreviousPage", "startCursor")
    } else {
        ("first", "after", "hasNextPage", "endCursor")
    };
    let mut met = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let variables = json!({ "filter": filter, "order": order, count: size, from: cursor });
        let reply = app.admin().gql(&query, variables).await;
        let page = &reply.data()["list"];
        let mut ids: Vec<_> = page["nodes"].as_array().expect("nodes").iter().map(|node| node["id"].clone()).collect();
        if backward {
            ids.reverse();
        }
        met.extend(ids);
        cursor = page["pageInfo"][next].clone();
        if page["pageInfo"][more] == false {
            assert_eq!(page["totalCount"], met.len());
            if backward {
                met.reverse();
            }
            return met;
        }
        assert!(met.len() <= 200, "the walk does not end");
    }
}

fn random_filter(random: &mut fastrand::Rng, list: &List, rows: &[Value], level: u32) -> Value {
    let mut filter = Map::new();
    for _ in 0..random.usize(0..=2) {
        let (field, kind) = list.kinds[random.usize(..list.kinds.len())];
        filter.insert(field.to_owned(), random_test(random, field, kind, rows));
    }
    if level < 4 {
        for combinator in ["and", "or"] {
            if random.u8(..4) == 0 {
                let parts: Vec<_> =
                    (0..random.usize(0..=2)).map(|_| random_filter(random, list, rows, level + 1)).collect();
                filter.insert(combinator.to_owned(), parts.into());
            }
        }
        if random.u8(..4) == 0 {
            filter.insert("not".to_owned(), random_filter(random, list, rows, level + 1));
        }
    }
    filter.into()
}

fn random_test(random: &mut fastrand::Rng, field: &str, kind: Kind, rows: &[Value]) -> Value {
    // Mostly values that occur, so that tests pass now and then.
    let values: Vec<Value> = rows
        .iter()
        .map(|row| if field == "user" { row["user"]["id"].clone() } else { row[field].clone() })
        .filter(|value| !value.is_null())
        .collect();
    if values.is_empty() {
        return if matches!(kind, Search) { naive::piece(random, "Mallory_100% user@") } else { json!({}) };
    }
    let value = |random: &mut fastrand::Rng| values[random.usize(..values.len())].clone();
    let some = |random: &mut fastrand::Rng| (0..random.usize(0..=3)).map(|_| value(random)).collect::<Vec<_>>();
    let one = value(random);
    match kind {
        Bool => json!(random.bool()),
        Search => unreachable!("no row has a field of this name"),
        Text => match random.u8(..5) {
            0 => json!({ "eq": value(random) }),
            1 => json!({ "in": some(random) }),
            2 => json!({ "isNull": random.bool() }),
            3 => json!({ "startsWith": naive::start(random, one.as_str().expect("a text")) }),
            _ => json!({ "contains": naive::piece(random, one.as_str().expect("a text")) }),
        },
        Address if random.bool() => json!({ "cidr": naive::network(random, one.as_str().expect("a text")) }),
        Address => random_test(random, field, Text, rows),
        Id => match random.u8(..4) {
            0 => json!({ "eq": value(random) }),
            1 => json!({ "in": some(random) }),
            2 => json!({ "notIn": some(random) }),
            _ => json!({ "isNull": random.bool() }),
        },
        Enum(words) => match random.u8(..3) {
            0 => json!({ "eq": words[random.usize(..words.len())] }),
            1 => json!({ "in": words[..random.usize(..words.len())] }),
            _ => json!({ "notIn": words[..random.usize(..words.len())] }),
        },
        Time => match random.u8(..6) {
            0 => json!({ "gt": value(random) }),
            1 => json!({ "gte": value(random) }),
            2 => json!({ "lt": value(random) }),
            3 => json!({ "lte": value(random) }),
            4 => json!({ "gte": value(random), "lt": value(random) }),
            _ => json!({ "isNull": random.bool() }),
        },
        Json => match random.u8(..5) {
            0 => json!({ "isNull": random.bool() }),
            1 => json!({ "contains": value(random) }),
            _ => json!({ "contains": naive::json_like(random, &one) }),
        },
    }
}
