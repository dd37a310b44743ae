//! Questions about the database itself, and settings: whole texts that the two databases have no word of in common.

use super::search;

/// Questions about the database itself.
#[derive(Debug)]
pub(in crate::db) struct Texts {
    pub kind: &'static str,
    pub version: &'static str,
    pub tables: &'static str,
    pub indexes: &'static str,
    /// How each secondary index and each foreign key of table `$1` is dropped and made again, in a fixed order.
    pub removable_parts: &'static str,
    /// For a transaction that adds very many rows.
    pub bulk_settings: &'static [&'static str],
    /// What is done, outside of any transaction, to a table that very many rows were added to.
    pub tidy: Option<&'static str>,
    /// How searching is made quick, if it can be.
    pub search: Option<&'static search::Texts>,
    /// Makes those who manage users take turns.
    pub lock_users: &'static str,
}

pub(in crate::db) static POSTGRES: Texts = Texts {
    kind: "PostgreSQL",
    version: "select current_setting('server_version')",
    tables: "
        select tablename::text from pg_tables
        where schemaname = current_schema() and tablename <> '_sqlx_migrations' order by tablename",
    indexes: "
        select indexname::text from pg_indexes
        where schemaname = current_schema() and tablename <> '_sqlx_migrations' order by indexname",
    // Primary keys go too: extending theirs is most of the cost, as ids come in no order. What a foreign key points to
    // stays, and so does what only another role could make again.
    removable_parts: "
        select format('drop index %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
        from pg_index i join pg_class t on t.oid = i.indrelid
        where i.indrelid = $1::text::regclass and i.indisvalid and not i.indisreplident
            and pg_has_role(t.relowner, 'usage')
            and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
        union all
        select format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname),
            format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
        from pg_constraint c join pg_class t on t.oid = c.conrelid left join pg_class parent on parent.oid = c.confrelid
        where c.conrelid = $1::text::regclass and c.contype in ('f', 'p')
            and pg_has_role(t.relowner, 'usage') and coalesce(pg_has_role(parent.relowner, 'usage'), true)
            and not exists (
                select from pg_constraint f where f.contype = 'f' and f.conindid = c.conindid and c.contype = 'p')
        order by 2",
    bulk_settings: &[
        "set local lock_timeout = '10s'",
        "set local statement_timeout = 0",
        // Sorting for the indexes; any role may ask for it.
        "set local maintenance_work_mem = '256MB'",
    ],
    tidy: Some("vacuum"),
    search: Some(&search::POSTGRES),
    // Any number does that no other lock of this database has.
    lock_users: "select pg_advisory_xact_lock(7163950061)",
};

pub(in crate::db) static SQLITE: Texts = Texts {
    kind: "SQLite",
    version: "select sqlite_version()",
    tables: "
        select name from sqlite_schema
        where type = 'table' and name not like 'sqlite\\_%' escape '\\' and name <> '_sqlx_migrations' order by name",
    indexes: "
        select name from sqlite_schema
        where type = 'index' and tbl_name <> '_sqlx_migrations' order by name",
    // Primary keys have no text of their own. Foreign keys belong to the table and stay: they cost little here.
    removable_parts: "
        select 'drop index \"' || replace(name, '\"', '\"\"') || '\"', sql from sqlite_schema
        where type = 'index' and tbl_name = $1 and sql is not null order by name",
    // The cache (256 MB instead of 2) keeps the index of the ids in memory, which come in no order.
    bulk_settings: &["pragma cache_size = -262144"],
    tidy: None,
    search: None,
    // There is one writer anyway.
    lock_users: "select 1",
};
