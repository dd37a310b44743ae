//! The limits on how often one principal may write.

use std::num::NonZeroU32;

use clap::Args;

/// Mutations of one principal in a minute.
#[derive(Args, Clone, Copy, Debug)]
pub struct WriteArgs {
    /// Mutations of one VIEWER in a minute; refills steadily
    #[arg(long, env = "GUARDIANEYE_WRITES_PER_MINUTE_VIEWER", value_name = "N", default_value = "600", value_parser = writes_per_minute)]
    pub writes_per_minute_viewer: NonZeroU32,

    /// The same of one ANALYST [default: no limit]
    #[arg(long, env = "GUARDIANEYE_WRITES_PER_MINUTE_ANALYST", value_name = "N", value_parser = writes_per_minute)]
    pub writes_per_minute_analyst: Option<NonZeroU32>,

    /// The same of one ADMIN [default: no limit]
    #[arg(long, env = "GUARDIANEYE_WRITES_PER_MINUTE_ADMIN", value_name = "N", value_parser = writes_per_minute)]
    pub writes_per_minute_admin: Option<NonZeroU32>,

    /// The same of all API tokens of one user together, whatever the role [default: no limit]
    #[arg(long, env = "GUARDIANEYE_WRITES_PER_MINUTE_API_TOKEN", value_name = "N", value_parser = writes_per_minute)]
    pub writes_per_minute_api_token: Option<NonZeroU32>,
}

/// The bounds on writing: mutations in a minute, where there is a limit.
#[derive(Clone, Copy, Debug)]
pub struct WriteLimits {
    /// Of a user with this role, by any login session.
    pub viewer: Option<NonZeroU32>,
    pub analyst: Option<NonZeroU32>,
    pub admin: Option<NonZeroU32>,
    /// Of the API tokens of a user.
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
