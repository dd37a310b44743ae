//! The settings of accounts: the lifetime of login sessions, the password policy, the login throttle; and the arguments of
//! `guardianeye users`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

/// The password for `users reset-password`. It is never an argument, as all programs of the machine can read arguments.
pub const NEW_PASSWORD: &str = "GUARDIANEYE_NEW_PASSWORD";

#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Delete the failed login attempts that throttle or lock a user
    Unlock {
        /// The user name or the e-mail address
        name: String,
    },
    /// Set a new password, which the user must change at the next login, and revoke all login sessions and API tokens of the
    /// user
    ///
    /// The command reads the password from the environment variable `GUARDIANEYE_NEW_PASSWORD` or from the file that
    /// `GUARDIANEYE_NEW_PASSWORD_FILE` names; otherwise it prompts for it. Without a terminal it reads the first line of the
    /// standard input.
    ResetPassword {
        /// The user name or the e-mail address
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
}

/// The password policy.
#[derive(Args, Clone, Copy, Debug)]
pub struct PasswordArgs {
    /// The minimum length of new passwords, in characters
    #[arg(long, env = "GUARDIANEYE_PASSWORD_MIN_LENGTH", value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(8..=64))]
    pub password_min_length: u32,
}

/// The arguments that configure accounts.
#[derive(Args, Clone, Copy, Debug)]
pub struct AccountArgs {
    /// Minutes after which an unused login session ends
    #[arg(long, env = "GUARDIANEYE_LOGIN_IDLE_MINUTES", value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(15..=43_200))]
    pub login_idle_minutes: u32,

    /// Hours after which every login session ends
    #[arg(long, env = "GUARDIANEYE_LOGIN_HOURS", value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8_760))]
    pub login_hours: u32,

    #[command(flatten)]
    pub password: PasswordArgs,

    /// Consecutive failed logins of one account before the back-off starts; each further failure doubles the delay
    #[arg(long, env = "GUARDIANEYE_LOGIN_FAILURES_PER_ACCOUNT", value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub login_failures_per_account: u32,

    /// Failed logins from one client address (an IPv6 network of 64 bits) in 15 minutes, over all accounts
    #[arg(long, env = "GUARDIANEYE_LOGIN_FAILURES_PER_NETWORK", value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub login_failures_per_network: u32,

    /// How the audit log records the unknown username of a failed login, which may be a password in the wrong field. Text that
    /// cannot be a username or an e-mail address is never recorded unhashed
    #[arg(long, env = "GUARDIANEYE_RECORD_ATTEMPTED_NAMES", value_name = "WHAT", default_value = "name")]
    pub record_attempted_names: AttemptedNames,

    /// Attempts of a non-admin user in one hour to take the username or e-mail address of another user
    #[arg(long, env = "GUARDIANEYE_CONFLICTS_PER_HOUR", value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub conflicts_per_hour: u32,

    /// Whether a user must change a password that another user has set before any other operation [default: true; false on a
    /// private server: loopback address, no trusted proxy]
    #[arg(long, env = "GUARDIANEYE_FORCE_PASSWORD_CHANGE", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub force_password_change: Option<bool>,
}

/// How the audit log records the unknown username of a failed login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AttemptedNames {
    /// At most 50 characters of it; a hash if it cannot be a username or an e-mail address.
    Name,
    /// A hash with a key of the server; equal names have equal hashes.
    Hash,
    /// Not at all.
    None,
}

/// The settings of accounts.
#[derive(Clone, Copy, Debug)]
pub struct AccountLimits {
    /// The idle timeout of login sessions.
    pub login_idle: Duration,
    /// The maximum lifetime of login sessions.
    pub login_lifetime: Duration,
    /// The minimum length of new passwords, in characters.
    pub password_min_length: usize,
    /// Consecutive failures of one account without back-off.
    pub failures_per_account: i64,
    /// Failures from one network in 15 minutes without back-off.
    pub failures_per_network: i64,
    /// How unknown usernames are recorded.
    pub attempted_names: AttemptedNames,
    /// Attempts of a non-admin in one hour to take the username or e-mail address of another user.
    pub conflicts_per_hour: i64,
    /// Whether a user must change a password that another user has set.
    pub force_password_change: bool,
}

impl AccountLimits {
    /// Some defaults depend on whether the server is private.
    #[must_use]
    pub fn new(args: AccountArgs, private: bool) -> Self {
        Self {
            login_idle: Duration::from_mins(args.login_idle_minutes.into()),
            login_lifetime: Duration::from_hours(args.login_hours.into()),
            password_min_length: args.password.password_min_length as usize,
            failures_per_account: args.login_failures_per_account.into(),
            failures_per_network: args.login_failures_per_network.into(),
            attempted_names: args.record_attempted_names,
            conflicts_per_hour: args.conflicts_per_hour.into(),
            force_password_change: args.force_password_change.unwrap_or(!private),
        }
    }
}
