//! Configuration: the only folder that reads arguments and environment. It validates all settings at the start.

mod accounts;
mod cli;
mod commands;
mod document;
mod environment;
mod http;
mod limits;
mod secrets;
mod serve;
mod writes;

pub use self::accounts::{AccountArgs, AccountLimits, AttemptedNames, NEW_PASSWORD, PasswordArgs, UsersCommand};
pub use self::cli::{Cli, Command, Common, LogFormat, SecretUrl};
pub use self::commands::{BackupArgs, DbCommand, DbInitArgs, InitArgs, KeysCommand, SearchIndexArgs, SeedArgs};
pub use self::document::{DocumentArgs, DocumentLimits, Introspection, IntrospectionArg};
pub use self::environment::variables;
pub use self::http::{HttpArgs, HttpSettings, ProxyHeader};
pub use self::limits::{LimitArgs, Limits};
pub use self::secrets::new_password;
pub use self::serve::{Config, ServeArgs};
pub use self::writes::{WriteArgs, WriteLimits};
