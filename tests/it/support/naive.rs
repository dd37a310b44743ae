//! Rows full of traps, and the meaning of filters written down a second time, slowly and in memory.

use std::net::IpAddr;

use guardianeye::{
    db::{audit_logs, sessions, users},
    model::{
        AuditAction, AuditLog, AuditLogId, Credentials, RawJson, Role, Session, SessionId, Timestamp, User, UserId,
    },
};
use ipnet::IpNet;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::TestApp;

/// LIKE's and SQL's own signs, letters with and without case, and nothing at all.
const TEXTS: [&str; 14] = [
    "",
    "a",
    "A",
    "ab",
    "100%",
    "100 per cent",
    "a_b",
    "a\\b",
    "it's \"quoted\"",
    "Ünïcode 🛡",
    "ünïcode",
    "%",
    "_",
    "Mallory",
];

/// Addresses that share beginnings as numbers and not as texts, or the other way round; `::` at every place.
const ADDRESSES: [&str; 22] = [
    "10.0.0.1",
    "10.1.2.3",
    "10.1.20.3",
    "10.10.2.3",
    "10.100.2.3",
    "101.0.2.3",
    "1.0.0.1",
    "192.0.2.1",
    "192.0.2.10",
    "192.0.2.127",
    "192.0.2.128",
    "192.0.20.1",
    "::",
    "::1",
    "1::",
    "2001:db8::1",
    "2001:db8::1:0:0:1",
    "2001:db8:0:1::1",
    "2001:db8:1:2:3:4:5:6",
    "2001:db80::1",
    "2001:0:0:1::",
    "fe80::1:2",
];

/// Stored values: no lone null or string, which the API shows like an absent value or a text.
const JSON: [&str; 10] = [
    "{}",
    "[]",
    "1",
    r#"{"a": 1}"#,
    r#"{"a": 1.0, "b": [1, 2, {"c": null}]}"#,
    r#"[1, "a", [2], {"a": true}]"#,
    r#"{"a": {"b": {"c": "deep"}}, "n": -5}"#,
    r#"{"b": [2, 1, 1]}"#,
    r#"["a", "b"]"#,
    r#"{"": "", "a.b": "$", "q\"": 0}"#,
];

/// Values to look for beyond the stored ones.
const FURTHER_JSON: [&str; 4] = ["[null]", "\"a\"", "2", "[[]]"];

/// Users, sessions and entries in which many values are equal and many are absent.
pub async fn fill(app: &TestApp) {
    let mut random = fastrand::Rng::with_seed(42);
    let mut ids = Vec::new();
    let mut tx = app.db().begin().await.expect("a transaction");
    for n in 0..14 {
        let user = User {
            id: UserId::new(app.now()),
            username: format!("{}{n}", TEXTS[n % TEXTS.len()]),
            email: format!("User{n}@{}.example", if n % 2 == 0 { "Mallory_100%" } else { "alice" }),
            role: Role::ALL[random.usize(..3)],
            is_active: random.u8(..4) > 0,
            full_name: random.bool().then(|| text(&mut random)),
            created_at: time(app, &mut random),
            updated_at: time(app, &mut random),
            last_login: random.bool().then(|| time(app, &mut random)),
        };
        ids.push(user.id);
        let credentials =
            Credentials { user, hashed_password: SecretString::from("!"), password_change_required: false };
        assert!(users::insert(&mut tx, &credentials).await.expect("inserts"));
    }
    for _ in 0..45 {
        let session = Session {
            id: SessionId::new(app.now()),
            user_id: ids[random.usize(..4)],
            thread_id: random.bool().then(|| text(&mut random)),
            context: random.bool().then(|| raw_json(&mut random)),
            title: random.bool().then(|| text(&mut random)),
            is_active: random.bool(),
            created_at: time(app, &mut random),
            updated_at: time(app, &mut random),
            ended_at: random.bool().then(|| time(app, &mut random)),
        };
        assert!(sessions::insert(&mut tx, &session).await.expect("inserts"));
    }
    for _ in 0..60 {
        let actions = [AuditAction::Login, AuditAction::FailedLogin, AuditAction::QueryAgent, AuditAction::Logout];
        let entry = AuditLog {
            id: AuditLogId::new(app.now()),
            user_id: random.bool().then(|| ids[random.usize(..4)]),
            username: None,
            action: actions[random.usize(..4)],
            details: random.bool().then(|| raw_json(&mut random)),
            description: random.bool().then(|| text(&mut random)),
            ip_address: (random.u8(..4) > 0).then(|| ADDRESSES[random.usize(..ADDRESSES.len())].to_owned()),
            user_agent: random.bool().then(|| text(&mut random)),
            success: random.bool(),
            timestamp: time(app, &mut random),
        };
        assert!(audit_logs::insert(&mut tx, &entry).await.expect("inserts"));
    }
    tx.commit().await.expect("commits");
}

fn text(random: &mut fastrand::Rng) -> String {
    TEXTS[random.usize(..TEXTS.len())].to_owned()
}

fn raw_json(random: &mut fastrand::Rng) -> RawJson {
    RawJson(JSON[random.usize(..JSON.len())].to_owned())
}

/// One of ten moments, so that many are equal.
fn time(app: &TestApp, random: &mut fastrand::Rng) -> Timestamp {
    app.now().plus_seconds(random.i64(0..10))
}

/// A piece of the text, in any case.
pub fn piece(random: &mut fastrand::Rng, text: &str) -> Value {
    let letters: Vec<char> = text.chars().collect();
    let from = random.usize(..=letters.len());
    let to = random.usize(from..=letters.len());
    let piece: String = letters[from..to].iter().collect();
    json!(if random.bool() { piece.to_ascii_uppercase() } else { piece })
}

/// The beginning of the text, in any case.
pub fn start(random: &mut fastrand::Rng, text: &str) -> Value {
    let start: String = text.chars().take(random.usize(..4)).collect();
    json!(if random.bool() { start.to_ascii_lowercase() } else { start })
}

/// A network that holds the address.
pub fn network(random: &mut fastrand::Rng, address: &str) -> Value {
    let address: IpAddr = address.parse().expect("an address");
    let prefix = random.u8(..=if address.is_ipv4() { 32 } else { 128 });
    json!(IpNet::new(address, prefix).expect("a network").trunc().to_string())
}

/// Something that the value may or may not hold: a part of it, now and then altered.
pub fn json_like(random: &mut fastrand::Rng, value: &Value) -> Value {
    if random.u8(..8) == 0 {
        let all = [&JSON[..], &FURTHER_JSON[..]].concat();
        return serde_json::from_str(all[random.usize(..all.len())]).expect("JSON");
    }
    match value {
        Value::Array(elements) => {
            let kept = elements.iter().filter(|_| random.bool()).cloned().collect::<Vec<_>>();
            kept.iter().map(|element| json_like(random, element)).collect()
        }
        Value::Object(fields) => {
            let kept = fields.iter().filter(|_| random.bool()).map(|(k, v)| (k.clone(), v.clone())).collect::<Vec<_>>();
            kept.into_iter()
                .map(|(name, value)| (name, json_like(random, &value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        scalar => scalar.clone(),
    }
}

/// Whether a row, as the API shows it, passes a filter, as the API takes it.
pub fn passes(row: &Value, filter: &Value) -> bool {
    filter.as_object().expect("an object").iter().all(|(field, test)| match field.as_str() {
        "and" => test.as_array().expect("a list").iter().all(|filter| passes(row, filter)),
        "or" => test.as_array().expect("a list").iter().any(|filter| passes(row, filter)),
        "not" => !passes(row, test),
        "search" => ["username", "email", "fullName"]
            .iter()
            .any(|field| row[field].as_str().is_some_and(|text| holds(text, test))),
        "user" => operators_hold(&row["user"]["id"], test),
        field if test.is_boolean() => row[field] == *test,
        field => operators_hold(&row[field], test),
    })
}

fn operators_hold(value: &Value, operators: &Value) -> bool {
    operators.as_object().expect("operators").iter().all(|(operator, operand)| match operator.as_str() {
        "isNull" => value.is_null() == operand.as_bool().expect("a truth value"),
        "notIn" => !operand.as_array().expect("a list").contains(value),
        _ if value.is_null() && operator != "contains" => false,
        "eq" => value == operand,
        "in" => operand.as_array().expect("a list").contains(value),
        "gt" => value.as_str() > operand.as_str(),
        "gte" => value.as_str() >= operand.as_str(),
        "lt" => value.as_str() < operand.as_str(),
        "lte" => value.as_str() <= operand.as_str(),
        "cidr" => {
            let network: IpNet = operand.as_str().expect("a text").parse().expect("a network");
            network.contains(&value.as_str().expect("a text").parse::<IpAddr>().expect("an address"))
        }
        "startsWith" => lower(value).starts_with(&lower(operand)),
        "contains" if value.is_string() && operand.is_string() => holds(value.as_str().expect("a text"), operand),
        "contains" => json_holds(value, operand, true),
        other => panic!("an operator the model does not know: {other}"),
    })
}

fn lower(value: &Value) -> String {
    value.as_str().expect("a text").to_ascii_lowercase()
}

fn holds(text: &str, part: &Value) -> bool {
    text.to_ascii_lowercase().contains(&lower(part))
}

/// `jsonb @>`.
fn json_holds(value: &Value, part: &Value, top: bool) -> bool {
    match (value, part) {
        (Value::Object(fields), Value::Object(wanted)) => {
            wanted.iter().all(|(name, part)| fields.get(name).is_some_and(|value| json_holds(value, part, false)))
        }
        (Value::Array(elements), Value::Array(wanted)) => {
            wanted.iter().all(|part| elements.iter().any(|element| json_holds(element, part, false)))
        }
        (Value::Array(elements), scalar) if top && !scalar.is_object() => elements.contains(scalar),
        (Value::Number(number), Value::Number(wanted)) => number.as_f64() == wanted.as_f64(),
        (value, part) => value == part,
    }
}
