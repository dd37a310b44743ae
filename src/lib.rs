//! guardianeye: a GraphQL API server over users, their conversation sessions and the audit log.
//!
//! # The way of a query
//!
//! [`http`] reads the request and asks [`auth`] who sends it; [`graphql`] parses, checks and executes the document;
//! a nested field asks a loader, which gathers the keys of all its siblings and asks [`db`] for them in one statement.
//! To follow one: `http/graphql.rs` → `graphql/query.rs` → `graphql/types/user.rs` → `graphql/loaders` →
//! `db/sessions.rs`.
//!
//! # The way of a write
//!
//! A mutation in [`graphql`] calls one function in [`services`]: the rules, one transaction, its audit entry. The
//! service calls [`db`], table by table. To follow one: `graphql/mutation/login.rs` → `services/login.rs` →
//! `db/users.rs`.
//!
//! # Who may import whom
//!
//! `cli` → `http` → `graphql` → `services` → `db` → `model`; `graphql` also reads from `db`; `auth` stands on `db`; `error`,
//! `clock` and `json` are for all. A test holds these arrows.
//!
//! # JSON
//!
//! Whatever JSON a client sends, and whatever is stored, is read by [`json`] and nothing else: `serde_json`'s own values are
//! not safe to read it into. JSON that is only handed out again stays text. A test and Clippy hold this.

pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod graphql;
pub mod http;
pub mod json;
pub mod model;
pub mod ops;
pub mod services;
