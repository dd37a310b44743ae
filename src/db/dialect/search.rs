//! Search indexes. Only PostgreSQL has them: GIN indexes of trigrams and of JSON paths with values. Their expressions are
//! those of `push_like` and `push_json_contains`; otherwise the planner would not use them.

/// An index of one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::db) struct SearchIndex {
    pub table: &'static str,
    pub column: &'static str,
    pub kind: IndexKind,
}

/// The conditions that an index supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::db) enum IndexKind {
    /// Texts that contain or start with three letters or more.
    Trigrams,
    /// JSON that contains a value.
    Json,
}

impl SearchIndex {
    pub fn name(&self) -> String {
        format!("ix_search_{}_{}", self.table, self.column)
    }

    /// The statement that creates the index. Concurrently, so that the table can be written to; therefore outside of a
    /// transaction.
    pub fn create(&self) -> String {
        let expression = match self.kind {
            IndexKind::Trigrams => format!("({} collate \"C\") gin_trgm_ops", self.column),
            IndexKind::Json => format!("({}) jsonb_path_ops", jsonb(self.column)),
        };
        format!("create index concurrently {} on {} using gin ({expression})", self.name(), self.table)
    }

    /// The statement that drops the index.
    pub fn drop(&self) -> String {
        format!("drop index concurrently if exists {}", self.name())
    }
}

/// Statements without parameters.
#[derive(Debug)]
pub(in crate::db) struct SearchTexts {
    pub trigrams: &'static str,
    /// The names of the existing indexes, and whether each is valid.
    pub existing: &'static str,
    pub settings: &'static str,
}

pub(in crate::db) static POSTGRES: SearchTexts = SearchTexts {
    trigrams: "create extension if not exists pg_trgm",
    // An index of an older version, without the guard of `jsonb`, is not valid.
    existing: "
        select c.relname::text, i.indisvalid and pg_get_indexdef(i.indexrelid) not like '%gin (((%)::jsonb) jsonb_path_ops)'
        from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = current_schema() and c.relname like 'ix\\_search\\_%'",
    // Four times the default halves the time of a build; any role may set it.
    settings: "set maintenance_work_mem = '256MB'",
};

/// The column as `jsonb`; null for JSON that cannot be converted. `json` accepts `\u0000` and unpaired surrogates, `jsonb`
/// rejects them, so a single such row would fail every search. The fast checks come first: rows that this program writes
/// have escapes of control characters only.
pub(in crate::db) fn jsonb(column: &str) -> String {
    format!(
        r"case when strpos({column}::text, '\u') = 0
        or strpos({column}::text, '\u0000') + strpos({column}::text, '\ud') + strpos({column}::text, '\uD') = 0
        or {column}::text ~ '^([^\\]|\\[^u]|\\u(?!0000|[dD][89a-fA-F])....|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*$'
        then {column}::jsonb end"
    )
}
