//! The dependency rule of the crate: which layer may use which, which crates belong to which layer, and no cycles.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use crate::support::imports::Crate;

/// Modules that every layer may use. They depend on nothing but each other.
const COMMON: &[&str] = &["clock", "config", "error", "json", "model"];

/// Each layer with the layers that it may use besides [`COMMON`] and itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["auth", "db", "graphql", "http", "ops", "services"]),
    ("http", &["auth", "db", "graphql", "services"]),
    ("graphql", &["auth", "db", "services"]),
    ("ops", &["auth", "db", "services"]),
    ("services", &["auth", "db"]),
    ("auth", &["db"]),
    ("db", &[]),
    ("config", &[]),
    ("json", &[]),
    ("model", &[]),
    ("clock", &[]),
    ("error", &[]),
];

/// Each crate with the layers that may use it. What is not listed may be used anywhere.
const CRATES: &[(&str, &[&str])] = &[
    ("async_graphql", &["graphql", "http"]),
    ("async_graphql_axum", &["http"]),
    ("async_graphql_value", &["graphql"]),
    ("axum", &["http"]),
    ("clap", &["cli", "config", "main"]),
    ("hyper", &["http"]),
    ("sqlx", &["db"]),
    ("tower_http", &["http"]),
];

/// Cycles that remain to be cut; no other is allowed.
const KNOWN_CYCLES: &[&[&str]] = &[
    &["db/auth_generation.rs", "db/mod.rs", "db/statement.rs"],
    &["db/pool/connection_pool.rs", "db/pool/managed_connection.rs", "db/pool/pooled_connection.rs"],
];

#[test]
fn each_layer_uses_only_the_layers_below_it() {
    assert_eq!(forbidden_layers(&SOURCE), Vec::<String>::new());
}

#[test]
fn each_layer_uses_only_its_own_crates() {
    assert_eq!(forbidden_crates(&SOURCE), Vec::<String>::new());
}

#[test]
fn no_files_depend_on_each_other_in_a_cycle() {
    let edges = SOURCE.dependencies();
    let cycles = SOURCE.cycles();
    let is_known = |cycle: &&BTreeSet<&str>| KNOWN_CYCLES.iter().any(|known| cycle.iter().eq(known.iter()));
    let (known, new): (Vec<_>, Vec<_>) = cycles.iter().partition(is_known);
    let new: Vec<String> = new.into_iter().map(|cycle| edges_within(cycle, &edges)).collect();
    assert!(new.is_empty(), "import cycles:\n{}", new.join("\n"));
    assert_eq!(known.len(), KNOWN_CYCLES.len(), "a known cycle is gone: remove it from KNOWN_CYCLES");
}

#[test]
fn a_forbidden_import_is_found_however_it_is_written() {
    for import in [
        "use crate::graphql::Api;",
        "use crate::{error::Error, graphql::{self, Api}};",
        "use crate as root; fn f() { root::graphql::f(); }",
        "use super::graphql as g;",
        "fn f() { crate::graphql::f(); }",
        "fn f() { run!(db, one => crate::graphql::f(one)); }",
        "mod inner { use super::super::graphql::Api; }",
        "pub use crate::graphql::Api;",
    ] {
        let source = Crate::parse([("services.rs", import), ("graphql.rs", "pub struct Api;")]);
        assert_eq!(forbidden_layers(&source), ["services.rs uses graphql"], "{import}");
    }
    for import in ["use sqlx::{Pool, query};", "fn f() { sqlx::query(); }", "use {std::fs, sqlx::query};"] {
        assert_eq!(forbidden_crates(&Crate::parse([("http/mod.rs", import)])), ["http/mod.rs uses sqlx"], "{import}");
    }
}

#[test]
fn an_allowed_import_is_not_mistaken_for_a_forbidden_one() {
    let source = Crate::parse([
        ("services.rs", "use crate::{db::users, error::Error}; fn graphql() { users::find(); }"),
        ("services/sessions.rs", "#[cfg(test)] mod tests { use crate::graphql::Api; }"),
        ("graphql.rs", "use crate::services; // use crate::http;"),
        ("http.rs", "const TEXT: &str = \"sqlx::query\";"),
    ]);
    assert_eq!(forbidden_layers(&source), Vec::<String>::new());
    assert_eq!(forbidden_crates(&source), Vec::<String>::new());
}

#[test]
fn a_cycle_is_found_through_groups_re_exports_and_macro_calls() {
    for (first, second) in [
        ("use super::b::B; pub struct A;", "use super::a::A; pub struct B;"),
        ("use super::{b::{self, B}}; pub struct A;", "use crate::db::{a::A}; pub struct B;"),
        ("use super::b; pub struct A; fn f() { b::f(); }", "use super::A; pub struct B;"),
        ("pub struct A; fn f() { run!(x => super::b::B); }", "use super::a; pub struct B(a::A);"),
    ] {
        let source =
            Crate::parse([("db/mod.rs", "mod a; mod b; pub use self::a::A;"), ("db/a.rs", first), ("db/b.rs", second)]);
        assert_eq!(source.cycles(), [BTreeSet::from(["db/a.rs", "db/b.rs"])], "{first} {second}");
    }
    let source = Crate::parse([
        ("db/mod.rs", "mod a; mod b; pub use self::{a::A, b::B};"),
        ("db/a.rs", "use super::B; pub struct A;"),
        ("db/b.rs", "pub struct B; #[cfg(test)] mod tests { use super::super::a::A; }"),
    ]);
    assert_eq!(source.cycles(), Vec::<BTreeSet<&str>>::new());
}

fn forbidden_layers(source: &Crate) -> Vec<String> {
    let mut found = Vec::new();
    for (file, used) in source.layers_of() {
        let layer = layer_of(file);
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else { continue };
        let is_layer = |name: &&str| LAYERS.iter().any(|(layer, _)| layer == name);
        let is_allowed = |name: &&str| *name == layer || COMMON.contains(name) || allowed.contains(name);
        found.extend(
            used.into_iter()
                .filter(is_layer)
                .filter(|name| !is_allowed(name))
                .map(|name| format!("{file} uses {name}")),
        );
    }
    found
}

fn forbidden_crates(source: &Crate) -> Vec<String> {
    let mut found = Vec::new();
    for (file, crates) in source.crates_of() {
        let is_forbidden =
            |(name, layers): &&(&str, &[&str])| crates.contains(*name) && !layers.contains(&layer_of(file));
        found.extend(CRATES.iter().filter(is_forbidden).map(|(name, _)| format!("{file} uses {name}")));
    }
    found
}

fn layer_of(file: &str) -> &str {
    file.trim_end_matches(".rs").split('/').next().unwrap_or_default()
}

fn edges_within(cycle: &BTreeSet<&str>, edges: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let arrows = |file: &str| {
        let to: Vec<&str> = edges[file].iter().copied().filter(|to| cycle.contains(to)).collect();
        format!("  {file} -> {}", to.join(", "))
    };
    cycle.iter().map(|file| arrows(file)).collect::<Vec<_>>().join("\n") + "\n"
}

/// The source of this crate.
static SOURCE: LazyLock<Crate> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let read = |file: &PathBuf| {
        let name = file.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(file).expect("readable"))
    };
    let sources: Vec<(String, String)> = files.iter().map(read).collect();
    assert!(sources.len() > 100, "{} files", sources.len());
    Crate::parse(sources.iter().map(|(file, text)| (file.as_str(), text.as_str())))
});

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}
