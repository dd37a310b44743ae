//! What is measured: the requests, what they are asked with, and what a right answer has.

use serde_json::{Value, json};

use crate::Result;

/// The newest moment in the data set, so that every machine has the same one. What is younger was left by a measurement.
pub const UNTIL: &str = "2026-01-01T00:00:00Z";

/// The password of the first admin, as whom everything is asked.
pub const PASSWORD: &str = "three unrelated teapots";

/// Something to measure.
#[derive(Debug)]
pub struct Job {
    pub name: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    document: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Without variables.
    Plain,
    /// One user by id.
    User,
    /// A window of a week.
    Window,
    Write,
    Login,
}

macro_rules! nested {
    ($log_fields:literal, $session_fields:literal) => {
        concat!(
            "id username email role sessions(first: 5) { nodes { id title threadId isActive createdAt",
            $session_fields,
            " } } auditLogs(first: 10) { nodes { id action success ipAddress description timestamp",
            $log_fields,
            " } }"
        )
    };
}

pub const JOBS: &[Job] = &[
    Job {
        name: "Q1",
        what: "20 users, each with 5 sessions and 10 audit logs",
        document: concat!("query Q1 { users(first: 20) { nodes { ", nested!("", ""), " } } }"),
        kind: Kind::Plain,
    },
    Job {
        name: "Q2",
        what: "one user by id with the same",
        document: concat!("query Q2($id: ID!) { user(id: $id) { ", nested!("", ""), " } }"),
        kind: Kind::User,
    },
    Job {
        name: "Q3",
        what: "the 100 newest logins of a week, each with its user",
        document: "query Q3($from: DateTime!, $to: DateTime!) { \
                   auditLogs(first: 100, filter: {action: {eq: LOGIN}, timestamp: {gte: $from, lt: $to}}) { \
                   nodes { id action success ipAddress description timestamp user { id username role } } } }",
        kind: Kind::Window,
    },
    Job {
        name: "Q4",
        what: "one user by id, three fields",
        document: "query Q4($id: ID!) { user(id: $id) { id username role } }",
        kind: Kind::User,
    },
    Job {
        name: "Q5",
        what: "Q1 with the sessions' context and the audit logs' details",
        document: concat!("query Q5 { users(first: 20) { nodes { ", nested!(" details", " context"), " } } }"),
        kind: Kind::Plain,
    },
    Job {
        name: "M1",
        what: "createSession with its audit entry, durable",
        document: "mutation M1($input: CreateSessionInput!) { \
                   createSession(input: $input) { session { id title threadId isActive createdAt } } }",
        kind: Kind::Write,
    },
    Job {
        name: "login",
        what: "login with a password",
        document: "mutation Login($input: LoginInput!) { \
                   login(input: $input) { accessToken refreshToken user { id username role } } }",
        kind: Kind::Login,
    },
];

/// Q1 for another number of users.
pub const PARENTS: &str = concat!("query Parents($n: Int!) { users(first: $n) { nodes { ", nested!("", ""), " } } }");

/// A request's body.
pub fn body(document: &str, variables: &Value) -> String {
    json!({ "query": document, "variables": variables }).to_string()
}

impl Job {
    /// The bodies to send, in turn.
    pub fn bodies(&self, users: &[String]) -> Vec<String> {
        let variables = match self.kind {
            Kind::Plain => vec![json!({})],
            Kind::User => users.iter().map(|id| json!({ "id": id })).collect(),
            // December's first weeks, so that all lie in the data.
            Kind::Window => (1..=12)
                .map(|day| {
                    let at = |day: u32| format!("2025-12-{day:02}T00:00:00Z");
                    json!({ "from": at(day), "to": at(day + 7) })
                })
                .collect(),
            Kind::Write => vec![json!({ "input": {
                "title": "Triage of suspicious PowerShell on ws-0412",
                "threadId": "thread-0f2d6e0a54d14b6ba7c1b0c3c7ad4c10",
                "context": { "agent": "incident_triage", "severity": "high", "messages": 1 },
            } })],
            Kind::Login => vec![json!({ "input": { "username": "admin", "password": PASSWORD } })],
        };
        variables.iter().map(|variables| body(self.document, variables)).collect()
    }

    /// Whether it is asked with a token.
    pub fn signed_in(&self) -> bool {
        self.kind != Kind::Login
    }

    /// Whether it changes something, so that pgbench must not run it with the same ids again.
    pub fn writes(&self) -> bool {
        self.kind == Kind::Write
    }

    /// Whether its statements alone are worth a comparison: a login is the hash of a password and little else.
    pub fn has_peer(&self) -> bool {
        self.kind != Kind::Login
    }

    /// Looks at an answer's `data` and counts its rows.
    pub fn check(&self, data: &Value) -> Result<usize> {
        let of_user = |user: &Value| -> Result<usize> {
            let (sessions, audit_logs) = (nodes(user, "sessions")?, nodes(user, "auditLogs")?);
            if sessions.is_empty() || sessions.len() > 5 || audit_logs.is_empty() || audit_logs.len() > 10 {
                return Err(format!("{} sessions, {} audit logs", sessions.len(), audit_logs.len()).into());
            }
            Ok(1 + sessions.len() + audit_logs.len())
        };
        match self.name {
            "Q1" | "Q5" => {
                let users = nodes(data, "users")?;
                let rows = users.iter().map(of_user).sum::<Result<usize>>()?;
                expect(users.len(), 20)?;
                Ok(rows)
            }
            "Q2" => of_user(&data["user"]),
            "Q3" => {
                let logs = nodes(data, "auditLogs")?;
                expect(logs.len(), 100)?;
                let whole = |log: &&Value| log["action"] == "LOGIN" && log["user"]["username"].is_string();
                expect(logs.iter().filter(whole).count(), 100)?;
                Ok(200)
            }
            "Q4" => has_text(&data["user"]["username"]),
            "M1" => has_text(&data["createSession"]["session"]["id"]),
            _ => has_text(&data["login"]["accessToken"]),
        }
    }
}

/// The nodes of a list.
pub fn nodes<'a>(parent: &'a Value, list: &str) -> Result<&'a Vec<Value>> {
    parent[list]["nodes"].as_array().ok_or_else(|| format!("{list} has no nodes").into())
}

fn expect(found: usize, expected: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(format!("{found} rows instead of {expected}").into()) }
}

fn has_text(value: &Value) -> Result<usize> {
    if value.is_string() { Ok(1) } else { Err("a value is missing".into()) }
}
