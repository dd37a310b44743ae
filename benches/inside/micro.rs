//! How long parts of the server take in this process: `make bench-micro`.

mod cases;

use criterion::Criterion;
use tokio::runtime::Builder;

use self::cases::{Bed, CASES};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a run-time");
    let folder = tempfile::tempdir().expect("a folder");
    let bed = runtime.block_on(Bed::open(folder.path()));
    let mut criterion = Criterion::default().configure_from_args();
    for case in CASES {
        criterion.bench_function(case.name(), |bencher| bencher.to_async(&runtime).iter(|| bed.run(case)));
    }
    criterion.final_summary();
}
