//! Counts over the audit log, against the rows they count.

use guardianeye::{
    db::audit_logs,
    model::{AuditAction, AuditLog, AuditLogId, Role, Timestamp},
};
use serde_json::{Value, json};

use crate::support::{Reply, TestApp, naive, on_both};

on_both!(
    every_part_agrees_with_the_rows,
    what_is_counted_by_walking_an_index_is_what_is_counted_row_by_row,
    intervals_follow_each_other_without_a_gap,
    a_part_costs_a_statement_only_when_it_is_selected,
    rankings_and_intervals_are_bounded
);

async fn every_part_agrees_with_the_rows(app: &TestApp) {
    naive::fill(app).await;
    let rows = rows(app).await;
    for filter in [
        json!({}),
        json!({ "success": false }),
        json!({ "action": { "in": ["LOGIN", "LOGOUT"] } }),
        json!({ "user": { "isNull": true } }),
        json!({ "description": { "contains": "a" }, "not": { "ipAddress": { "isNull": true } } }),
        json!({ "id": { "in": [] } }),
    ] {
        let stats = stats(app, &filter, "DAY").await;
        let rows: Vec<_> = rows.iter().filter(|row| naive::passes(row, &filter)).collect();
        assert_eq!((&stats["total"], &stats["failures"]), (&json!(rows.len()), &json!(failures(&rows))), "{filter}");
        for (part, key, of) in [
            ("byAction", "/action", "/action"),
            ("byUser", "/user/id", "/user/id"),
            ("byIpAddress", "/ipAddress", "/ipAddress"),
        ] {
            let groups = stats[part].as_array().expect("groups");
            let mut counted = 0;
            for group in groups {
                let value = group.pointer(key).unwrap_or(&Value::Null);
                let own: Vec<_> =
                    rows.iter().filter(|row| row.pointer(of).unwrap_or(&Value::Null) == value).copied().collect();
                assert_eq!(
                    (&group["count"], &group["failures"]),
                    (&json!(own.len()), &json!(failures(&own))),
                    "{part} {group}"
                );
                counted += own.len();
            }
            assert_eq!(counted, rows.len(), "{part} {filter}");
            // The most first; among equals the absent value, then by the letters, on both databases.
            let place = |group: &Value| {
                let value = group.pointer(key).and_then(Value::as_str).map(str::to_lowercase);
                (std::cmp::Reverse(group["count"].as_u64()), value)
            };
            assert!(groups.is_sorted_by_key(place), "{part}: {groups:#?}");
        }
    }
}

async fn what_is_counted_by_walking_an_index_is_what_is_counted_row_by_row(app: &TestApp) {
    let moments = busy_days(app).await;
    let (early, late) = (moments[40].to_string(), moments[300].to_string());
    for span in [
        json!({}),
        json!({ "timestamp": { "gte": early } }),
        json!({ "timestamp": { "gt": early, "lt": late } }),
        json!({ "timestamp": { "gte": early, "lte": late } }),
        json!({ "timestamp": { "lt": early } }),
        json!({ "timestamp": { "gt": moments[399].to_string() } }),
        json!({ "timestamp": { "gte": late, "lt": early } }),
        json!({ "timestamp": { "lte": "9999-12-31T23:59:59.999999Z" } }),
        json!({ "timestamp": { "gt": "9999-12-31T23:59:59.999999Z" } }),
        json!({ "and": [{ "timestamp": { "gte": early } }, { "timestamp": { "lt": late } }] }),
    ] {
        // A condition that always holds, but keeps the filter from being a span of time alone.
        let mut by_rows = span.clone();
        by_rows["not"] = json!({ "id": { "in": [] } });
        for interval in ["HOUR", "DAY", "WEEK", "MONTH"] {
            let (walked, read) = (ask(app, &span, interval).await.body, ask(app, &by_rows, interval).await.body);
            assert_eq!((&walked["data"], &walked["errors"]), (&read["data"], &read["errors"]), "{span} {interval}");
        }
    }
    let stats = stats(app, &json!({ "timestamp": { "gte": early, "lt": late } }), "DAY").await;
    assert_eq!(stats["total"], moments[40..300].len());
}

async fn intervals_follow_each_other_without_a_gap(app: &TestApp) {
    for at in [
        "2026-01-31T23:59:59.999999Z",
        "2026-02-01T00:00:00Z",
        "2026-02-01T00:30:00Z",
        "2026-02-04T10:00:00Z",
        "2026-04-01T00:00:00Z",
    ] {
        app.audit_log(None, at.parse().expect("a time")).await;
    }
    let counts = async |filter: Value, interval: &str| {
        let stats = stats(app, &filter, interval).await;
        let intervals = stats["overTime"].as_array().expect("intervals").clone();
        intervals
            .iter()
            .map(|at| format!("{} {}", &at["start"].as_str().expect("a time")[..13], at["count"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        counts(json!({}), "MONTH").await,
        ["2026-01-01T00 1", "2026-02-01T00 3", "2026-03-01T00 0", "2026-04-01T00 1"]
    );
    // Mondays: the 31st of January and the 1st of February 2026 are a Saturday and a Sunday.
    let weeks =
        counts(json!({ "timestamp": { "lt": "2026-02-15T00:00:00Z", "gte": "2026-01-26T00:00:00Z" } }), "WEEK").await;
    assert_eq!(weeks, ["2026-01-26T00 3", "2026-02-02T00 1", "2026-02-09T00 0"]);
    let hours =
        counts(json!({ "timestamp": { "gt": "2026-01-31T22:30:00Z", "lte": "2026-02-01T01:00:00Z" } }), "HOUR").await;
    assert_eq!(hours, ["2026-01-31T22 0", "2026-01-31T23 1", "2026-02-01T00 2", "2026-02-01T01 0"]);
    assert_eq!(
        counts(json!({ "timestamp": { "gte": "2026-03-02T00:00:00Z", "lt": "2026-03-04T00:00:00Z" } }), "DAY").await,
        ["2026-03-02T00 0", "2026-03-03T00 0"]
    );
    assert_eq!(counts(json!({ "id": { "in": [] } }), "DAY").await, [""; 0]);
}

async fn a_part_costs_a_statement_only_when_it_is_selected(app: &TestApp) {
    // Whether an index is walked for each user or address is asked first; so are the open ends of a span.
    let parts_and_statements = [
        ("total", 2),
        ("total failures", 2),
        ("byAction { count }", 2),
        ("byIpAddress { count }", 3),
        ("total byUser { count } overTime(interval: DAY) { count }", 6),
    ];
    for (parts, statements) in parts_and_statements {
        let reply = app.analyst().gql(&format!("{{ auditLogStats {{ {parts} }} }}"), json!({})).await;
        reply.data();
        assert_eq!(reply.sql(), statements, "{parts}");
    }
}

async fn rankings_and_intervals_are_bounded(app: &TestApp) {
    for (parts, field) in [
        ("byUser(first: 0) { count }", "first"),
        ("byIpAddress(first: 101) { count }", "first"),
        ("overTime(interval: HOUR) { count }", "interval"),
    ] {
        let query = format!(
            "{{ auditLogStats(filter: {{timestamp: {{gte: \"2020-01-01T00:00:00Z\", lt: \"2026-01-01T00:00:00Z\"}}}}) {{ {parts} }} }}"
        );
        let reply = app.analyst().gql(&query, json!({})).await;
        assert_eq!(
            (reply.code(), &reply.body["errors"][0]["extensions"]["field"]),
            ("BAD_USER_INPUT", &json!(field)),
            "{parts}"
        );
        assert_eq!(reply.sql(), 1, "{parts}");
    }
}

/// 400 entries of few users, addresses and actions within ten days, some users and addresses absent; when they were.
async fn busy_days(app: &TestApp) -> Vec<Timestamp> {
    let mut random = fastrand::Rng::with_seed(8);
    let start: Timestamp = "2026-01-28T21:00:00Z".parse().expect("a time");
    let mut users = vec![None];
    for name in ["first", "second"] {
        users.push(Some(app.user(name, Role::Viewer, start).await.id));
    }
    let mut moments: Vec<_> = (0..400).map(|_| start.plus_micros(random.i64(0..10 * 86_400_000_000))).collect();
    moments.sort_unstable();
    let mut tx = app.db().begin().await.expect("a transaction");
    for at in &moments {
        let entry = AuditLog {
            id: AuditLogId::new(*at),
            user_id: users[random.usize(0..3)],
            username: None,
            action: AuditAction::ALL[random.usize(0..5)],
            details: None,
            description: None,
            ip_address: [None, Some("192.0.2.1"), Some("192.0.2.20"), Some("2001:db8::1")][random.usize(0..4)]
                .map(str::to_owned),
            user_agent: None,
            success: random.u8(0..5) > 0,
            timestamp: *at,
        };
        assert!(audit_logs::insert(&mut tx, &entry).await.expect("inserts"));
    }
    tx.commit().await.expect("commits");
    moments
}

async fn rows(app: &TestApp) -> Vec<Value> {
    let fields = "id user { id } action success timestamp ipAddress userAgent description details";
    let reply = app.admin().gql(&format!("{{ auditLogs(first: 100) {{ nodes {{ {fields} }} }} }}"), json!({})).await;
    reply.data()["auditLogs"]["nodes"].as_array().expect("nodes").clone()
}

fn failures(rows: &[&Value]) -> usize {
    rows.iter().filter(|row| row["success"] == false).count()
}

async fn stats(app: &TestApp, filter: &Value, interval: &str) -> Value {
    ask(app, filter, interval).await.data()["auditLogStats"].clone()
}

async fn ask(app: &TestApp, filter: &Value, interval: &str) -> Reply {
    let query = "query($filter: AuditLogFilter, $interval: StatsInterval!) { auditLogStats(filter: $filter) {
        total failures byAction { action count failures } byUser(first: 100) { user { id } count failures }
        byIpAddress(first: 100) { ipAddress count failures } overTime(interval: $interval) { start count failures } } }";
    app.admin().gql(query, json!({ "filter": filter, "interval": interval })).await
}
