//! Seeding: a few rows for a demonstration (`demo`), or a large data set for tests and benchmarks (`bulk`). Both are
//! deterministic, never change existing rows, and run in one transaction.

mod bulk;
mod content;
mod demo;
mod generator;
mod random;
mod report;
mod samples;
mod schema;

pub use self::{
    bulk::{Progress, Sizes, bulk},
    demo::{Demo, demo},
    report::Filled,
};
