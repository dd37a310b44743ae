//! Parses the command line and starts the runtime.

#![forbid(unsafe_code)]

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = match guardianeye::config::Cli::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(guardianeye::cli::run(cli)),
        Err(cause) => {
            eprintln!("error: cannot start the runtime: {cause}");
            ExitCode::FAILURE
        }
    }
}
