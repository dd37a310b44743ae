//! Nothing in the source reads JSON but by `src/json.rs`. Clippy holds the same by types; this looks at the text, so that other
//! names, imports and libraries are no way around it.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use regex::Regex;

/// What makes a value of text, or of another value that may hold text, and where it may stand.
const WAYS: &[(&str, &[&str])] = &[
    (r"\bfrom_(reader|value|json)\b|\binto_json\b", &[]),
    // Other types have functions of these names.
    (r"(^|[^:\w]|[^\w]r#?|\bserde_json::(de::)?)from_slice\b", &[]),
    (r"(^|[^:\w]|\bserde_json::(de::)?|\bValue[^;]*>?::)from_str\b", &["fn from_str", "HeaderValue::from_str"]),
    (r"\b(Stream)?Deserializer\b|\b(Boxed)?RawValue\b|\bJsonValue\b", &[]),
    (r"\bJsonRawValue\b", &["JsonRawValue as Type"]),
    (r"\bparse::<[^(]*\bValue\b", &[]),
    (r":\s*(serde_json::)?Value\s*=[^;]*\bparse\(\)", &[]),
    (r"\bserde_json\s+as\b|\bserde_json::(de::)?\*|\bserde_json::\{[^;]*\bde\b|\bextern crate\b", &[]),
    (r"\baxum(::extract)?::Json\b|\buse axum[^;]*\bJson\b|\bsqlx[^;]*\btypes[^;]*\bJson\b", &[]),
    (r"\bGraphQLRequest\b|\bGraphQLBatchRequest\b|\breceive_(json|body|batch_json|batch_body)\b", &[]),
    (r"\bdecode_header\b|\binsecure_decode\w*", &[]),
];

static PATTERNS: LazyLock<Vec<(Regex, &[&str])>> =
    LazyLock::new(|| WAYS.iter().map(|(way, exceptions)| (Regex::new(way).expect("a pattern"), *exceptions)).collect());

/// The files with types that are read by serde, none of which has a field for a value of any kind.
const DESERIALIZE: [&str; 2] = ["src/auth/access_token/jwt.rs", "src/http/params.rs"];

#[test]
fn no_source_file_reads_json_but_the_reader() {
    let found: Vec<_> = sources(&root().join("src"))
        .into_iter()
        .filter(|file| !file.ends_with("src/json.rs"))
        .flat_map(|file| {
            let source = std::fs::read_to_string(&file).expect("readable");
            ways_around(&file, &source)
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_way_around_the_reader_is_found() {
    let anywhere = Path::new("src/http/params.rs");
    for fixture in [
        "let v: T = serde_json::from_str(text)?;",
        "use serde_json::from_slice;",
        "use serde_json::{Value, from_str};",
        "use serde_json::{\n    Value,\n    de::from_reader,\n};",
        "serde_json :: from_value::<T>(v)",
        "let mut d = serde_json::Deserializer::from_slice(text);",
        "use serde_json::value::RawValue;",
        "let v = text.parse::<serde_json::Value>()?;",
        "let v: Value = text\n    .parse()?;",
        "<Value as FromStr>::from_str(text)",
        "Value::from_str(text)",
        "use serde_json as sj;",
        "use serde_json::*;",
        "use axum::{\n    Json,\n    extract::State,\n};",
        "fn f(axum::Json(v): axum::Json<T>) {}",
        "use sqlx::{query, types::Json};",
        "Variables::from_json(v)",
        "async_graphql::from_value(v)",
        "async_graphql::http::receive_body(a, b, c)",
        "use async_graphql_axum::GraphQLRequest;",
        "jsonwebtoken::decode_header(token)",
    ] {
        assert!(!ways_around(anywhere, fixture).is_empty(), "{fixture}");
    }
    assert!(!ways_around(Path::new("src/http/graphql.rs"), "#[derive(Deserialize)] struct T { v: V }").is_empty());
    for harmless in [
        "json::read(field, text)?",
        "Uuid::from_slice(bytes)",
        "HeaderValue::from_str(text)",
        "fn from_str(text: &str) -> Self {}",
        "impl FromStr for T {}",
        "// serde_json::from_str",
        "use serde_json::{Map, Value, json, ser::to_string};",
        "let at: Timestamp = text.parse()?; let v: Value = json!({});",
        "bytes.extend_from_slice(more)",
        "use super::json::Json;",
        "fn f() {}\n#[cfg(test)]\nmod tests { use serde_json::from_str; }",
    ] {
        assert_eq!(ways_around(anywhere, harmless), [""; 0], "{harmless}");
    }
}

fn ways_around(file: &Path, source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or(source);
    let code: Vec<_> = code.lines().map(|line| line.split("//").next().unwrap_or(line)).collect();
    let code = Regex::new(r"\s*::\s*").expect("a pattern").replace_all(&code.join("\n"), "::").into_owned();
    let mut found = Vec::new();
    for (way, exceptions) in PATTERNS.iter() {
        for hit in way.find_iter(&code) {
            let around = &code[code[..hit.start()].rfind('\n').map_or(0, |at| at + 1)..];
            let around = around.lines().next().unwrap_or_default();
            if !exceptions.iter().any(|exception| around.contains(exception)) {
                found.push(format!("{}: {}", file.display(), hit.as_str()));
            }
        }
    }
    if code.contains("Deserialize") && !DESERIALIZE.iter().any(|allowed| file.ends_with(allowed)) {
        found.push(format!("{}: Deserialize", file.display()));
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
