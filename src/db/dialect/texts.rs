//! Whole statements that differ between the two databases: queries of the catalogue, and settings.

use super::search;

/// The statements of a database.
#[derive(Debug)]
pub(in crate::db) struct Texts {
    pub kind: &'static str,
    pub version: &'static str,
    pub tables: &'static str,
    pub indexes: &'static str,
    /// The statements that drop and create each index and foreign key of table `$1`, in a fixed order.
    pub index_statements: &'static str,
    /// Settings of a transaction for bulk loading.
    pub bulk_settings: &'static [&'static str],
    /// The command that vacuums a table after bulk loading, outside of a transaction.
    pub vacuum: Option<&'static str>,
    /// The statements for search indexes, if the database has them.
    pub search: Option<&'static search::SearchTexts>,
    /// Locks user management until the transaction ends.
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
    // Primary keys too: extending their indexes is most of the cost, as ids come in no order. A key that a foreign key
    // references stays, and so does a key that only another role could create.
    index_statements: "
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
        // For the sorts of index builds; any role may set it.
        "set local maintenance_work_mem = '256MB'",
    ],
    vacuum: Some("vacuum"),
    search: Some(&search::POSTGRES),
    // An arbitrary number that no other lock of this database uses.
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
    // Primary keys have no statement of their own. Foreign keys are part of the table and cost little.
    index_statements: "
        select 'drop index \"' || replace(name, '\"', '\"\"') || '\"', sql from sqlite_schema
        where type = 'index' and tbl_name = $1 and sql is not null order by name",
    // A cache of 256 MB instead of 2 keeps the index of the ids in memory; ids come in no order.
    bulk_settings: &["pragma cache_size = -262144"],
    vacuum: None,
    search: None,
    // There is only one writer.
    lock_users: "select 1",
};
