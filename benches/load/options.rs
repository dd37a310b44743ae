//! The options of `make bench ARGS="..."`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::jobs::{JOBS, Job};

/// Measures the server as a process of its own, on both databases, and prints tables in Markdown.
///
/// The data and a PostgreSQL cluster of its own are kept under target/bench, so only the first run is slow. Quick answers:
/// `--quick --database postgres --queries q1 --concurrency 8`.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Parser)]
#[command(name = "make bench")]
pub struct Options {
    /// Only this database [default: both]
    #[arg(long, value_name = "DATABASE")]
    pub database: Option<Database>,

    /// Only these, as a comma-separated list: q1, q2, q3, q4, q5, m1, login
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = job)]
    pub queries: Vec<&'static Job>,

    /// Numbers of concurrent requests, as a comma-separated list
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,8,32", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: Vec<u16>,

    /// How many times everything is measured, one after the other; the tables show medians
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    pub rounds: u8,

    /// How long each measurement takes
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    pub seconds: u8,

    /// One round of one second each
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    pub quick: bool,

    /// How costs grow, instead: with the parents, the depth of a page, the size of the data, and several instances
    #[arg(long)]
    pub growth: bool,

    /// Measure this program, instead of building target/release/guardianeye
    #[arg(long, value_name = "PATH")]
    pub binary: Option<PathBuf>,

    /// Users in the data set
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..))]
    pub users: u32,

    /// Sessions in the data set [default: 20 for each user]
    #[arg(long, value_name = "N")]
    pub sessions: Option<u32>,

    /// Audit logs in the data set [default: 200 for each user]
    #[arg(long, value_name = "N")]
    pub audit_logs: Option<u32>,

    /// Where the data is kept
    #[arg(long, value_name = "PATH", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/bench"), hide_default_value = true)]
    pub dir: PathBuf,

    /// Where the programs of PostgreSQL are [default: the newest that is found]
    #[arg(long, value_name = "PATH")]
    pub pg_bin: Option<PathBuf>,

    /// Leave out pgbench, which needs as much time again
    #[arg(long)]
    pub no_pgbench: bool,

    /// Print one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Database {
    Postgres,
    Sqlite,
}

impl Database {
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }
}

fn job(name: &str) -> Result<&'static Job, String> {
    JOBS.iter().find(|job| job.name.eq_ignore_ascii_case(name)).ok_or_else(|| "there is no such query".to_owned())
}

impl Options {
    /// From the command line, with what follows from it.
    pub fn read() -> Self {
        // `cargo bench` says this to every bench.
        let mut options = Self::parse_from(std::env::args_os().filter(|arg| arg != "--bench"));
        if options.queries.is_empty() {
            options.queries = JOBS.iter().collect();
        }
        if options.quick {
            (options.rounds, options.seconds) = (1, 1);
        }
        options
    }

    pub fn databases(&self) -> Vec<Database> {
        self.database.map_or_else(|| vec![Database::Postgres, Database::Sqlite], |database| vec![database])
    }
}
