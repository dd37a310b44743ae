//! Indexes for searching. Only PostgreSQL has them: its GIN indexes know which rows hold three letters in a row, or a path
//! and a value of JSON. The expressions are those of `push_like` and `push_json_contains`, else they would not be used.

use crate::db::search_index::{Index, Kind};

/// Statements without parameters.
#[derive(Debug)]
pub(in crate::db) struct Texts {
    pub trigrams: &'static str,
    /// The names of the indexes that are there, and whether each is whole.
    pub found: &'static str,
    pub settings: &'static str,
}

pub(in crate::db) static POSTGRES: Texts = Texts {
    trigrams: "create extension if not exists pg_trgm",
    // An index of an older version holds what is not searched any more: JSON without the guard of `jsonb`.
    found: "
        select c.relname::text, i.indisvalid and pg_get_indexdef(i.indexrelid) not like '%gin (((%)::jsonb) jsonb_path_ops)'
        from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = current_schema() and c.relname like 'ix\\_search\\_%'",
    // Four times the usual memory makes them in half the time; any role may ask for it.
    settings: "set maintenance_work_mem = '256MB'",
};

/// Others may write to the table meanwhile, hence outside of any transaction.
pub(in crate::db) fn create(index: &Index) -> String {
    let expression = match index.kind {
        Kind::Text => format!("({} collate \"C\") gin_trgm_ops", index.column),
        Kind::Json => format!("({}) jsonb_path_ops", jsonb(index.column)),
    };
    format!("create index concurrently {} on {} using gin ({expression})", index.name(), index.table)
}

/// JSON as something to search in; null where PostgreSQL cannot search. Its type `json` takes `\u0000` and halves of surrogate
/// pairs, and `jsonb` does not: one such row would fail every search. What is quick to look for comes first: rows that we
/// write have no escapes but of control characters.
pub(in crate::db) fn jsonb(column: &str) -> String {
    format!(
        r"case when strpos({column}::text, '\u') = 0
        or strpos({column}::text, '\u0000') + strpos({column}::text, '\ud') + strpos({column}::text, '\uD') = 0
        or {column}::text ~ '^([^\\]|\\[^u]|\\u(?!0000|[dD][89a-fA-F])....|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*$'
        then {column}::jsonb end"
    )
}

pub(in crate::db) fn drop(name: &str) -> String {
    format!("drop index concurrently if exists {name}")
}
