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

pub use self::{
    accounts::{AccountArgs, AccountLimits, AttemptedNames, NEW_PASSWORD, PasswordArgs, UsersCommand},
    cli::{Cli, Command, Common, LogFormat, SecretUrl},
    commands::{BackupArgs, DbCommand, DbInitArgs, InitArgs, KeysCommand, SearchIndexArgs, SeedArgs},
    document::{DocumentArgs, DocumentLimits, Introspection, IntrospectionArg},
    environment::variables,
    http::{HttpArgs, HttpSettings, ProxyHeader},
    limits::{LimitArgs, Limits},
    secrets::new_password,
    serve::{Config, ServeArgs},
    writes::{WriteArgs, WriteLimits},
};
