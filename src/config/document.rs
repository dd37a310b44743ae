//! The limits of GraphQL documents: size, depth, complexity, and access to introspection.

use clap::{Args, ValueEnum};

/// The arguments that limit documents.
#[derive(Args, Clone, Copy, Debug)]
pub struct DocumentArgs {
    /// The nesting of lists, objects and selection sets in a document, counted before parsing
    #[arg(long, env = "GUARDIANEYE_MAX_NESTING", value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(10..=500))]
    pub max_nesting: u32,

    /// The lexical tokens of a document, counted before parsing
    #[arg(long, env = "GUARDIANEYE_MAX_TOKENS", value_name = "N", default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub max_tokens: u32,

    /// The fields and fragments of a document, with the content of a fragment counted at each spread
    #[arg(long, env = "GUARDIANEYE_MAX_SELECTIONS", value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(10..=50_000))]
    pub max_selections: u32,

    /// The nesting of fields in an operation
    #[arg(long, env = "GUARDIANEYE_MAX_DEPTH", value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(3..=50))]
    pub max_depth: u32,

    /// The complexity of an operation: the number of fields in its largest possible response
    #[arg(long, env = "GUARDIANEYE_MAX_COST", value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(100..=100_000_000))]
    pub max_cost: u32,

    /// The total complexity of the operations of one principal in a minute, as a token bucket. The default exceeds the capacity
    /// of two cores; set a limit on a public server
    #[arg(long, env = "GUARDIANEYE_MAX_COST_PER_MINUTE", value_name = "N", default_value_t = 1_000_000_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000_000))]
    pub max_cost_per_minute: u32,

    /// The occurrences of one field (aliases) in a selection set
    #[arg(long, env = "GUARDIANEYE_MAX_ALIASES", value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub max_aliases: u32,

    /// The root fields of an operation
    #[arg(long, env = "GUARDIANEYE_MAX_ROOT_FIELDS", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub max_root_fields: u32,

    /// The directives at one location
    #[arg(long, env = "GUARDIANEYE_MAX_DIRECTIVES", value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub max_directives: u32,

    /// Who may read the schema by introspection
    #[arg(long, env = "GUARDIANEYE_INTROSPECTION", value_name = "WHO", default_value = "auto")]
    pub introspection: IntrospectionArg,
}

/// The setting for introspection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IntrospectionArg {
    /// `public` on a private server (loopback address, no trusted proxy), otherwise `signed-in`
    Auto,
    /// All clients
    Public,
    /// Authenticated principals
    SignedIn,
    /// Disabled
    Off,
}

/// The resolved setting for introspection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    Public,
    SignedIn,
    Off,
}

/// The limits of documents.
#[derive(Clone, Copy, Debug)]
pub struct DocumentLimits {
    /// Nested brackets, counted before parsing.
    pub nesting: usize,
    /// Lexical tokens, counted before parsing.
    pub tokens: usize,
    /// Selections of the whole document, with fragments expanded at each spread.
    pub selections: u64,
    /// Nested fields.
    pub depth: usize,
    /// Complexity of one operation.
    pub cost: u64,
    /// Total complexity of one principal's operations in a minute.
    pub cost_per_minute: u32,
    /// Occurrences of one field in a selection set.
    pub aliases: usize,
    /// Root fields of an operation.
    pub root_fields: usize,
    /// Directives at one location.
    pub directives: usize,
    /// Who may read the schema by introspection.
    pub introspection: Introspection,
}

impl DocumentLimits {
    /// `auto` depends on whether the server is private.
    pub(super) fn new(args: DocumentArgs, private: bool) -> Self {
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
                IntrospectionArg::Auto if private => Introspection::Public,
                IntrospectionArg::Auto | IntrospectionArg::SignedIn => Introspection::SignedIn,
                IntrospectionArg::Public => Introspection::Public,
                IntrospectionArg::Off => Introspection::Off,
            },
        }
    }
}
