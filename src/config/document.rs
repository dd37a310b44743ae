//! The limits on a document: how large it may be, how much it may ask for, and who may ask for the schema itself.

use clap::{Args, ValueEnum};

/// What one document may ask of the server.
#[derive(Args, Clone, Copy, Debug)]
pub struct DocumentArgs {
    /// How deep lists, objects and selections may nest in a document, counted before it is parsed
    #[arg(long, env = "GUARDIANEYE_MAX_NESTING", value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(10..=500))]
    pub max_nesting: u32,

    /// Words, numbers, strings and punctuation marks in a document, counted before it is parsed
    #[arg(long, env = "GUARDIANEYE_MAX_TOKENS", value_name = "N", default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub max_tokens: u32,

    /// Fields and fragments in a document, those in fragments counted wherever they are spread
    #[arg(long, env = "GUARDIANEYE_MAX_SELECTIONS", value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(10..=50_000))]
    pub max_selections: u32,

    /// How deep fields may nest in an operation
    #[arg(long, env = "GUARDIANEYE_MAX_DEPTH", value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(3..=50))]
    pub max_depth: u32,

    /// What an operation may cost: the number of fields in the largest answer that it can have
    #[arg(long, env = "GUARDIANEYE_MAX_COST", value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(100..=100_000_000))]
    pub max_cost: u32,

    /// What all operations of one caller may cost in a minute; refills steadily. The default is more than two cores can
    /// do: set it to share a server among strangers
    #[arg(long, env = "GUARDIANEYE_MAX_COST_PER_MINUTE", value_name = "N", default_value_t = 1_000_000_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000_000))]
    pub max_cost_per_minute: u32,

    /// Under how many names one object's field may be asked for
    #[arg(long, env = "GUARDIANEYE_MAX_ALIASES", value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub max_aliases: u32,

    /// Fields at the root of an operation
    #[arg(long, env = "GUARDIANEYE_MAX_ROOT_FIELDS", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub max_root_fields: u32,

    /// Directives at one place
    #[arg(long, env = "GUARDIANEYE_MAX_DIRECTIVES", value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub max_directives: u32,

    /// Who may ask for the schema itself (introspection)
    #[arg(long, env = "GUARDIANEYE_INTROSPECTION", value_name = "WHO", default_value = "auto")]
    pub introspection: IntrospectionArg,
}

/// Who may ask for the schema itself, as it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IntrospectionArg {
    /// Everybody while the server listens on a loopback address, else whoever is logged in
    Auto,
    /// Everybody
    Public,
    /// Whoever is logged in
    SignedIn,
    /// Nobody
    Off,
}

/// Who may ask for the schema itself, as it is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    Public,
    SignedIn,
    Off,
}

/// The bounds on one document.
#[derive(Clone, Copy, Debug)]
pub struct DocumentLimits {
    /// Open brackets, before it is parsed.
    pub nesting: usize,
    /// Tokens, before it is parsed.
    pub tokens: usize,
    /// Selections after fragments are put in where they are spread, over the whole document.
    pub selections: u64,
    /// Nested fields.
    pub depth: usize,
    /// Cost of one operation.
    pub cost: u64,
    /// Cost of a caller's operations in a minute.
    pub cost_per_minute: u32,
    /// Names for one field of one object.
    pub aliases: usize,
    /// Fields at the root.
    pub root_fields: usize,
    /// Directives at one place.
    pub directives: usize,
    /// Who may ask for the schema.
    pub introspection: Introspection,
}

impl DocumentLimits {
    /// `auto` depends on whether the server can be reached from other machines.
    pub(super) fn new(args: DocumentArgs, loopback: bool) -> Self {
        Self {
            nesting: args.max_nesting as usize,
            tokens: args.max_tokens as usize,
            selections: args.max_selections.into(),
            depth: args.max_depth as usize,
            cost: args.max_cost.into(),
            cost_per_minute: args.max_cost_per_minute,
            aliases: args.max_aliases as usize,
            root_fields: args.max_root_fields as usize,
            directives: args.max_directives as usize,
            introspection: match args.introspection {
                IntrospectionArg::Auto if loopback => Introspection::Public,
                IntrospectionArg::Auto | IntrospectionArg::SignedIn => Introspection::SignedIn,
                IntrospectionArg::Public => Introspection::Public,
                IntrospectionArg::Off => Introspection::Off,
            },
        }
    }
}
