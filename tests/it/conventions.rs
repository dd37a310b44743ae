//! Conventions of the source code, checked on its text. What each layer may import is in `architecture.rs`.

use std::path::{Path, PathBuf};

/// Text that may occur only in the listed files and folders.
const RESTRICTED: &[(&[&str], &[&str])] = &[
    (&["std::env::"], &["src/config"]),
    (&["Utc::now"], &["src/clock.rs"]),
    // Transactions begin in `services` and `ops`.
    (&[".begin()"], &["src/services", "src/ops", "src/db/mod.rs"]),
    // Only these distinguish the databases.
    (
        &["Pools::Sqlite", "Pools::Postgres", "TxConnection::Sqlite", "TxConnection::Postgres"],
        &["src/db/mod.rs", "src/db/statement.rs", "src/db/dialect", "src/db/pool", "src/db/migrate.rs"],
    ),
    (&["todo!", "unimplemented!", "dbg!", "#[allow("], &[]),
];

/// The maximum number of lines of a file.
const MAX_LINES: usize = 400;

#[test]
fn restricted_text_occurs_only_where_it_is_allowed() {
    let mut found = Vec::new();
    for (file, source) in sources("src") {
        for (texts, allowed) in RESTRICTED {
            if allowed.iter().any(|path| file.starts_with(root().join(path))) {
                continue;
            }
            for (number, line) in code(&source) {
                let texts = texts.iter().filter(|text| line.contains(**text));
                found.extend(texts.map(|text| format!("{}:{number}: {text}", file.display())));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_file_has_an_opening_comment_and_at_most_400_lines() {
    let mut broken = Vec::new();
    for (file, source) in sources("src").into_iter().chain(sources("tests")) {
        if !source.starts_with("//! ") {
            broken.push(format!("{}: no opening comment", file.display()));
        }
        if source.lines().count() > MAX_LINES {
            broken.push(format!("{}: {} lines", file.display(), source.lines().count()));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Every statement is counted, because `run!` counts it and gives the only connection.
#[test]
fn statements_run_only_through_the_macro() {
    let mut broken = Vec::new();
    for (file, source) in sources("src/db") {
        // A bulk load is an operator's command and has no receipt. The pool's own statements belong to no request.
        if file.ends_with("db/dialect/bulk.rs") || file.parent().is_some_and(|folder| folder.ends_with("db/pool")) {
            continue;
        }
        for (number, line) in code(&source) {
            let runs = [".fetch_all(", ".fetch_one(", ".fetch_optional(", ".execute("]
                .iter()
                .find_map(|run| line.split_once(run));
            if let Some((_, argument)) = runs
                && !argument.starts_with("connection)")
            {
                broken.push(format!("{}:{number}: {line}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// What is built in comes from one place and is what it was when it was chosen; one TLS is enough. `deny.toml` says the
/// same, and more, to whoever has cargo-deny.
#[test]
fn every_package_comes_from_the_registry_with_its_checksum() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("readable");
    let (mut broken, mut registries) = (Vec::new(), Vec::new());
    for package in lock.split("[[package]]").skip(1) {
        let value =
            |name: &str| package.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim_matches('"'));
        let name = value("name = ").expect("a name");
        match (value("source = "), value("checksum = ")) {
            (Some(source), Some(_)) if source.starts_with("registry+") => registries.push(source),
            (None, _) if name == "guardianeye" => {}
            _ => broken.push(format!("{name}: not from a registry, or without a checksum")),
        }
        if ["native-tls", "openssl", "openssl-sys", "libloading"].contains(&name) {
            broken.push(format!("{name}: not wanted here"));
        }
    }
    registries.dedup();
    assert!(broken.is_empty() && registries.len() == 1, "{broken:#?} {registries:?}");
}

/// The checklist of `docs/security.md` names its tests as `file::name`.
#[test]
fn every_test_that_the_documentation_names_is_there() {
    let document = std::fs::read_to_string(root().join("docs/security.md")).expect("readable");
    let files: Vec<_> = sources("src").into_iter().chain(sources("tests")).collect();
    let named: Vec<_> = document.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    assert!(named.len() > 80, "{}", named.len());
    for (file, test) in named {
        let is_there = |(path, source): &(PathBuf, String)| {
            let of_file = path.ends_with(format!("{file}.rs")) || path.ends_with(format!("{file}/mod.rs"));
            of_file && source.contains(&format!("fn {test}("))
        };
        assert!(files.iter().any(is_there), "{file}::{test}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn collect(path: &Path, into: &mut Vec<(PathBuf, String)>) {
        if path.is_dir() {
            for entry in std::fs::read_dir(path).expect("a folder") {
                collect(&entry.expect("an entry").path(), into);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push((path.to_owned(), std::fs::read_to_string(path).expect("readable")));
        }
    }
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "nothing in {folder}");
    found
}

/// The numbered lines of a source without comments and without its own tests.
fn code(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let source = source.split("#[cfg(test)]").next().unwrap_or(source);
    let without_comment = |line| str::split(line, "//").next().unwrap_or(line);
    source.lines().enumerate().map(move |(at, line)| (at + 1, without_comment(line)))
}
