//! The rate limits of mutations.

use std::num::NonZeroU32;

use clap::Args;

/// The arguments that limit the mutations of one principal.
#[derive(Args, Clone, Copy, Debug)]
pub struct WriteArgs {
    /// Mutations of one VIEWER in a minute, as a token bucket
    #[arg(long, env = "GUARDIANEYE_WRITES_PER_MINUTE_VIEWER", value_name = "N", default_value = "600", value_parser = writes_per_minute)]
    pub writes_per_minute_viewer: NonZeroU32,

    /// Mutations of one ANALYST in a minute [default: no limit]
    #[arg(long, env = "GUARDIANEYE_WRITES_PER_MINUTE_ANALYST", value_name = "N", value_parser = writes_per_minute)]
    pub writes_per_minute_analyst: Option<NonZeroU32>,

    /// Mutations of one ADMIN in a minute [default: no limit]
    #[arg(long, env = "GUARDIANEYE_WRITES_PER_MINUTE_ADMIN", value_name = "N", value_parser = writes_per_minute)]
    pub writes_per_minute_admin: Option<NonZeroU32>,

    /// Mutations of all API tokens of one user in a minute, for every role [default: no limit]
    #[arg(long, env = "GUARDIANEYE_WRITES_PER_MINUTE_API_TOKEN", value_name = "N", value_parser = writes_per_minute)]
    pub writes_per_minute_api_token: Option<NonZeroU32>,
}

/// Mutations in a minute; None: no limit.
#[derive(Clone, Copy, Debug)]
pub struct WriteLimits {
    /// By a user with this role, over all login sessions.
    pub viewer: Option<NonZeroU32>,
    pub analyst: Option<NonZeroU32>,
    pub admin: Option<NonZeroU32>,
    /// By all API tokens of a user.
    pub api_token: Option<NonZeroU32>,
}

impl From<WriteArgs> for WriteLimits {
    fn from(args: WriteArgs) -> Self {
        Self {
            viewer: Some(args.writes_per_minute_viewer),
            analyst: args.writes_per_minute_analyst,
            admin: args.writes_per_minute_admin,
            api_token: args.writes_per_minute_api_token,
        }
    }
}

fn writes_per_minute(text: &str) -> Result<NonZeroU32, String> {
    const MAX: u32 = 1_000_000;
    let number = text.parse().ok().filter(|number: &NonZeroU32| number.get() <= MAX);
    number.ok_or_else(|| format!("{text} is not in 1..={MAX}"))
}
