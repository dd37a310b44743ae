//! guardianeye: a GraphQL API server over users, their agent sessions and the audit log.
//!
//! # The path of a nested query
//!
//! `{ users { nodes { sessions { nodes { title } } } } }` takes these steps. Each one is a trace event with the target
//! `request_path` (`GUARDIANEYE_LOG=info,request_path=trace` shows them), and a test compares the list with those of a request.
//!
//! 1. `http/graphql.rs`: receive the request, and negotiate the media type
//! 2. `graphql/pipeline.rs`: handle the request
//! 3. `graphql/document/checked.rs`: parse the document, or take it from the cache, and check its limits
//! 4. `graphql/pipeline.rs`: authenticate the principal by [`auth`]
//! 5. `graphql/admission.rs`: admit the operation by the rate limits and the access to introspection
//! 6. `graphql/execution/execute.rs`: validate the document, unless it comes from the cache
//! 7. `graphql/execution/execute.rs`: coerce the variables
//! 8. `graphql/execution/execute.rs`: execute the operation
//! 9. `graphql/connection.rs`: load the connection `users`, a field that `graphql/query.rs` defines
//! 10. `db/list.rs`: list a page of users
//! 11. `graphql/fast_path/mod.rs`: fork: write the list directly as JSON if it selects only plain fields and lists of them;
//!     otherwise resolve the fields of each row, which `graphql/types/user.rs` defines
//! 12. `graphql/loaders/by_user.rs`: batch the sessions of all users on the page
//! 13. `db/list.rs`: read pages of sessions, for all users in one statement
//! 14. `graphql/pipeline.rs`: respond with the receipt, as JSON
//!
//! # The path of a mutation
//!
//! `mutation { endSession(id: "..") { session { isActive } } }` takes the steps 1 to 8, in a task that a disconnect of the client
//! does not cancel; then one function in [`services`], which applies the rules and makes the change and its audit log entry in
//! one transaction:
//!
//! 9. `services/sessions.rs`: end the session, in one transaction
//! 10. `db/sessions.rs`: update the session
//! 11. `services/audit_entry.rs`: record the audit log entry
//! 12. `db/audit_logs.rs`: insert the audit log entry
//! 13. `graphql/pipeline.rs`: respond with the receipt, as JSON
//!
//! # Dependencies
//!
//! `cli` → `http` → `graphql` → `services` → `db` → `model`; `graphql` also reads from `db`; `auth` depends on `db`; `error`,
//! `clock` and `json` are available to all. A test enforces this.
//!
//! # JSON
//!
//! Only [`json`] parses JSON of clients and stored JSON: parsing into `serde_json` values is not safe. JSON that is only passed on
//! stays text. A test and Clippy enforce this.

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
