//! The use cases that write: one function per intent, with its rules, one transaction and its audit log entry. Transactions
//! begin and end here and in `ops`, nowhere else. No HTTP and no GraphQL.

pub mod access_denials;
mod actor;
pub mod api_tokens;
mod attempted_names;
pub mod audit_entry;
pub mod audit_logs;
pub mod auth_sessions;
mod client;
pub mod default_accounts;
pub mod idempotency;
pub mod login;
mod login_throttle;
mod merge_patch;
pub mod passwords;
mod patch;
mod profile_conflicts;
mod server_secrets;
pub mod sessions;
pub mod signing_keys;
mod state;
mod token_use;
pub mod users;
pub mod validation;

pub use self::{actor::Actor, client::Client, patch::Patch, state::Services};
