//! The limits on accounts: how long a login lasts, what a password must have, and how often a login may fail. Also the
//! commands for whoever runs the program and whose users are locked out.

use clap::{Args, Subcommand, ValueEnum};

use std::time::Duration;

/// Where `users reset-password` finds the password, if not on its input. Never an argument: those are seen by all
/// programs of the machine.
pub const NEW_PASSWORD: &str = "GUARDIANEYE_NEW_PASSWORD";

#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Forget the failed logins that make a user wait
    Unlock {
        /// The user name or the e-mail address
        name: String,
    },
    /// Give a user another password, which the user is asked to change, and end all logins and API tokens of the user
    ///
    /// The password is taken from the environment variable `GUARDIANEYE_NEW_PASSWORD` or the file that
    /// `GUARDIANEYE_NEW_PASSWORD_FILE` names, or else asked for; without a terminal it is the first line of the input.
    ResetPassword {
        /// The user name or the e-mail address
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
}

/// What a password must have.
#[derive(Args, Clone, Copy, Debug)]
pub struct PasswordArgs {
    /// Characters that a new password has at least
    #[arg(long, env = "GUARDIANEYE_PASSWORD_MIN_LENGTH", value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(8..=64))]
    pub password_min_length: u32,
}

/// How accounts are kept.
#[derive(Args, Clone, Copy, Debug)]
pub struct AccountArgs {
    /// Minutes after which a login ends that was not used
    #[arg(long, env = "GUARDIANEYE_LOGIN_IDLE_MINUTES", value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(15..=43_200))]
    pub login_idle_minutes: u32,

    /// Hours after which a login ends in any case
    #[arg(long, env = "GUARDIANEYE_LOGIN_HOURS", value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8_760))]
    pub login_hours: u32,

    #[command(flatten)]
    pub password: PasswordArgs,

    /// Failed logins in a row of one account before each further one has to wait, twice as long each time
    #[arg(long, env = "GUARDIANEYE_LOGIN_FAILURES_PER_ACCOUNT", value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub login_failures_per_account: u32,

    /// Failed logins of all accounts together from one address (of IPv6, one network of 64 bits) in 15 minutes
    #[arg(long, env = "GUARDIANEYE_LOGIN_FAILURES_PER_NETWORK", value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub login_failures_per_network: u32,

    /// What the audit log keeps of a name that no user has, typed to log in: it may be a password in the wrong field. What
    /// cannot be a user name or an e-mail address is never kept as it is
    #[arg(long, env = "GUARDIANEYE_RECORD_ATTEMPTED_NAMES", value_name = "WHAT", default_value = "name")]
    pub record_attempted_names: AttemptedNames,

    /// How often in an hour a user who is no admin may ask for a name or address that another user has
    #[arg(long, env = "GUARDIANEYE_CONFLICTS_PER_HOUR", value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub conflicts_per_hour: u32,

    /// Whether a login with a password that somebody else chose may do nothing but change it [default: true; false on a
    /// server that only this machine can reach]
    #[arg(long, env = "GUARDIANEYE_FORCE_PASSWORD_CHANGE", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub force_password_change: Option<bool>,
}

/// What the audit log keeps of a name that was typed to log in and that no user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AttemptedNames {
    /// The name, at most 50 characters; a hash of what cannot be a user name or an e-mail address.
    Name,
    /// A hash by a key that only the server has: the same name has the same hash.
    Hash,
    /// Nothing.
    None,
}

/// The bounds on accounts.
#[derive(Clone, Copy, Debug)]
pub struct AccountLimits {
    /// Without a refresh a login ends after this.
    pub login_idle: Duration,
    /// A login ends after this.
    pub login_lifetime: Duration,
    /// Characters of a new password.
    pub password_min_length: usize,
    /// Failures in a row of one account that cost nothing.
    pub failures_per_account: i64,
    /// Failures from one network that cost nothing, and in 15 minutes as many again.
    pub failures_per_network: i64,
    /// What is kept of names that no user has.
    pub attempted_names: AttemptedNames,
    /// Names and addresses of others that a non-admin may ask for in an hour.
    pub conflicts_per_hour: i64,
    /// Whether a password that somebody else chose has to be changed before anything else.
    pub force_password_change: bool,
}

impl AccountLimits {
    /// From the arguments, for a server that only this machine can reach or for any other.
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
