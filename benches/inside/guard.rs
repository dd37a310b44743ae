//! Counts the instructions that parts of the server need, by valgrind, and holds them against `baseline.txt`:
//! `make bench-guard`. Unlike times they hardly depend on what else the machine does.

mod cases;

use std::{
    fmt::Write,
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use tokio::runtime::{Builder, Runtime};

use self::cases::{Bed, CASES, Case};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/inside/baseline.txt");
/// Beyond this it is a regression. Hash tables are seeded by chance, and SQLite works in threads of
/// its own, so the same program is not counted twice alike: by up to 0.6 % so far. Other processors have other ways to copy.
const TOLERANCE: f64 = 1.1;
const WARM_UP: u32 = 3;
const TIMES: u32 = 20;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().collect();
    match args.iter().position(|arg| arg == "--counted").and_then(|at| args.get(at + 1)) {
        Some(folder) => {
            counted(Path::new(folder));
            ExitCode::SUCCESS
        }
        None => guard(args.iter().any(|arg| arg == "--update")),
    }
}

/// What valgrind watches: from each entry into `measured` to its end it counts anew.
fn counted(folder: &Path) {
    let runtime = runtime();
    let bed = runtime.block_on(Bed::open(folder));
    for case in CASES {
        warm_up(&runtime, &bed, case);
        measured(&runtime, &bed, case);
    }
}

/// Known to valgrind by its name.
#[inline(never)]
fn measured(runtime: &Runtime, bed: &Bed, case: Case) {
    runtime.block_on(async {
        for _ in 0..TIMES {
            bed.run(case).await;
        }
    });
}

fn warm_up(runtime: &Runtime, bed: &Bed, case: Case) {
    runtime.block_on(async {
        for _ in 0..WARM_UP {
            bed.run(case).await;
        }
    });
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a run-time")
}

fn guard(update: bool) -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder");
    // Filling the database is nothing to count.
    drop(runtime().block_on(Bed::open(folder.path())));
    let counts = match count(folder.path()) {
        Ok(counts) => counts,
        Err(sentence) => {
            eprintln!("error: {sentence}");
            return ExitCode::FAILURE;
        }
    };
    let machine = machine();
    if update {
        let mut text = format!(
            "# Instructions for one run of each case of cases.rs; written by `make bench-guard ARGS=--update`.\n# {machine}\n"
        );
        for (case, count) in &counts {
            writeln!(text, "{case} {count}").expect("writing to a string works");
        }
        fs::write(BASELINE, text).expect("the baseline can be written");
    }
    let text = fs::read_to_string(BASELINE).expect("there is a baseline");
    let same_machine = text.lines().any(|line| line.strip_prefix("# ") == Some(&machine));
    let baseline = |case: &str| -> Option<u32> {
        text.lines().find_map(|line| line.strip_prefix(case)?.strip_prefix(' ')?.parse().ok())
    };
    println!("| case | instructions | baseline | change |\n|---|---:|---:|---:|");
    let (mut worse, mut better) = (false, false);
    for (case, count) in &counts {
        let Some(before) = baseline(case) else {
            println!("| {case} | {count} | | new |");
            worse = true;
            continue;
        };
        let ratio = f64::from(*count) / f64::from(before);
        worse |= ratio > TOLERANCE;
        better |= ratio < 1.0 / TOLERANCE;
        let word = if ratio > TOLERANCE { " MORE" } else { "" };
        println!("| {case} | {count} | {before} | {:+.1} %{word} |", (ratio - 1.0) * 100.0);
    }
    if better || worse {
        println!("If that is meant, `make bench-guard ARGS=--update` takes it over as the new baseline.");
    }
    if !same_machine {
        println!(
            "The baseline is of another compiler or processor than this one ({machine}): nothing is held against it."
        );
        return ExitCode::SUCCESS;
    }
    if worse { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The instructions for one run of each case.
fn count(folder: &Path) -> Result<Vec<(&'static str, u32)>, String> {
    let out = folder.join("callgrind");
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--zero-before=guard::measured", "--dump-after=guard::measured"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .arg("--counted")
        .arg(folder)
        .output()
        .map_err(|error| format!("valgrind cannot be started ({error}): `sudo apt-get install valgrind`"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let counted = CASES.iter().enumerate().map(|(place, case)| {
        let file = format!("{}.{}", out.display(), place + 1);
        let dump = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        let totals = dump.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("a dump without totals")?;
        let count: u64 = totals.trim().parse().map_err(|_| format!("these are no totals: {totals}"))?;
        let each = u32::try_from(count / u64::from(TIMES)).map_err(|_| format!("{count} instructions are too many"))?;
        Ok((case.name(), each))
    });
    counted.collect()
}

/// What the counts depend on besides the source.
fn machine() -> String {
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    format!("{rustc}, {}", std::env::consts::ARCH)
}
