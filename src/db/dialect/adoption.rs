//! The tables of an older GuardianEye, as SQLAlchemy created them on PostgreSQL: how they differ from the first migration, and
//! the statements that remove the differences without changing a row. No older program used SQLite.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{query_as, query_scalar};

use crate::{
    db::{Tx, run},
    error::Result,
    model::{AuditAction, Role},
};

/// The changes that adopt the tables.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order of execution.
    pub changes: Vec<Change>,
    /// Why the tables cannot be adopted; then nothing is changed.
    pub problems: Vec<String>,
    /// What stays, for the operator's information.
    pub notes: Vec<String>,
}

/// One statement, with its description.
#[derive(Debug)]
pub struct Change {
    pub sentence: String,
    pub statement: String,
}

/// A column of the first migration: its table, name and type, whether it may be null, and its default.
struct Column(&'static str, &'static str, &'static str, Null, Option<&'static str>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Null {
    Yes,
    No,
}

const TIME: &str = "timestamp with time zone";

const COLUMNS: &[Column] = &[
    Column("users", "id", "uuid", Null::No, None),
    Column("users", "username", "character varying(50)", Null::No, None),
    Column("users", "email", "character varying(255)", Null::No, None),
    Column("users", "hashed_password", "character varying(255)", Null::No, None),
    Column("users", "role", "user_role_enum", Null::No, Some("'viewer'")),
    Column("users", "is_active", "boolean", Null::No, Some("true")),
    Column("users", "full_name", "character varying(255)", Null::Yes, None),
    Column("users", "created_at", TIME, Null::No, None),
    Column("users", "updated_at", TIME, Null::No, None),
    Column("users", "last_login", TIME, Null::Yes, None),
    Column("sessions", "id", "uuid", Null::No, None),
    Column("sessions", "user_id", "uuid", Null::No, None),
    Column("sessions", "thread_id", "character varying(255)", Null::Yes, None),
    Column("sessions", "context", "json", Null::Yes, None),
    Column("sessions", "title", "character varying(255)", Null::Yes, None),
    Column("sessions", "is_active", "boolean", Null::No, Some("true")),
    Column("sessions", "created_at", TIME, Null::No, None),
    Column("sessions", "updated_at", TIME, Null::No, None),
    Column("sessions", "ended_at", TIME, Null::Yes, None),
    Column("audit_logs", "id", "uuid", Null::No, None),
    Column("audit_logs", "user_id", "uuid", Null::Yes, None),
    Column("audit_logs", "action", "audit_action_enum", Null::No, None),
    Column("audit_logs", "details", "json", Null::Yes, None),
    Column("audit_logs", "description", "text", Null::Yes, None),
    Column("audit_logs", "ip_address", "character varying(45)", Null::Yes, None),
    Column("audit_logs", "user_agent", "character varying(512)", Null::Yes, None),
    Column("audit_logs", "success", "boolean", Null::No, Some("true")),
    Column("audit_logs", "timestamp", TIME, Null::No, None),
];

/// The indexes of the first migration: name, table, column, whether unique.
const INDEXES: &[(&str, &str, &str, bool)] = &[
    ("ix_users_username", "users", "username", true),
    ("ix_users_email", "users", "email", true),
    ("ix_sessions_user_id", "sessions", "user_id", false),
    ("ix_sessions_thread_id", "sessions", "thread_id", false),
    ("ix_audit_logs_user_id", "audit_logs", "user_id", false),
    ("ix_audit_logs_action", "audit_logs", "action", false),
    ("ix_audit_logs_timestamp", "audit_logs", "timestamp", false),
    ("ix_audit_logs_ip_address", "audit_logs", "ip_address", false),
];

/// The foreign keys to `users (id)`: table, action on delete, and PostgreSQL's code of the action.
const FOREIGN_KEYS: &[(&str, &str, &str)] = &[("sessions", "cascade", "c"), ("audit_logs", "set null", "n")];

/// The number of audit actions of the first migration, which are the first ones of the enum.
const FIRST_ACTIONS: usize = 11;

const TABLES: [&str; 3] = ["audit_logs", "sessions", "users"];

const FIND_COLUMNS: &str = "
    select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
        and c.relname in ('users', 'sessions', 'audit_logs') and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum";

const FIND_LABELS: &str = "
    select t.typname::text, e.enumlabel::text from pg_enum e join pg_type t on t.oid = e.enumtypid
    where t.typnamespace = current_schema()::regnamespace order by t.typname, e.enumsortorder";

const FIND_INDEXES: &str = "
    select i.relname::text, t.relname::text,
        (select string_agg(a.attname, ',' order by a.attnum) from pg_attribute a where a.attrelid = x.indexrelid),
        x.indisunique and x.indisvalid and x.indpred is null, x.indisprimary
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
    where t.relnamespace = current_schema()::regnamespace and t.relname in ('users', 'sessions', 'audit_logs')
    order by i.relname";

const FIND_FOREIGN_KEYS: &str = "
    select t.relname::text, k.conname::text, k.confdeltype::text
    from pg_constraint k join pg_class t on t.oid = k.conrelid join pg_class p on p.oid = k.confrelid
    join pg_attribute a on a.attrelid = t.oid and array[a.attnum] = k.conkey
    where k.contype = 'f' and t.relnamespace = current_schema()::regnamespace and p.relname = 'users'
        and a.attname = 'user_id' and k.convalidated
    order by t.relname, k.conname";

/// The tables of the schema.
pub async fn tables(tx: &mut Tx) -> Result<BTreeSet<String>> {
    const FIND: &str = "select tablename::text from pg_tables where schemaname = current_schema()";
    let found = run!(tx, connection => query_as::<_, (String,)>(FIND).fetch_all(connection).await)?;
    Ok(found.into_iter().map(|(table,)| table).collect())
}

/// Returns true if one of the three tables exists.
pub fn has_tables(tables: &BTreeSet<String>) -> bool {
    TABLES.iter().any(|table| tables.contains(*table))
}

/// Locks the tables until the transaction ends.
pub async fn lock(tx: &mut Tx) -> Result<()> {
    // Other transactions may use the tables for a short time.
    run(tx, "set local lock_timeout = '10s'").await?;
    run(tx, "lock table users, sessions, audit_logs in access exclusive mode").await
}

/// Runs a statement of a plan.
pub async fn run(tx: &mut Tx, statement: &str) -> Result<()> {
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    run!(tx, connection => sqlx::query(statement).execute(connection).await.map(|done| done.rows_affected()))?;
    Ok(())
}

/// The differences from the first migration. Reads the catalogue, and searches the rows for violations only.
pub async fn plan(tx: &mut Tx) -> Result<Plan> {
    let mut plan = Plan::default();
    let tables = tables(tx).await?;
    for table in TABLES.iter().filter(|table| !tables.contains(**table)) {
        plan.problems.push(format!("the table {table} is missing"));
    }
    for table in [
        "signing_keys",
        "auth_sessions",
        "refresh_tokens",
        "api_tokens",
        "login_throttles",
        "idempotency_keys",
        "known_networks",
        "server_secrets",
    ] {
        if tables.contains(table) {
            plan.problems.push(format!("a table {table} exists, and the server needs this name"));
        }
    }
    if !plan.problems.is_empty() {
        return Ok(plan);
    }
    if tables.contains("alembic_version") {
        plan.notes.push("alembic_version stays; do not run Alembic on this database again".to_owned());
    }
    plan.labels(tx).await?;
    plan.columns(tx).await?;
    plan.indexes(tx).await?;
    plan.foreign_keys(tx).await?;
    plan.note_case_insensitive_duplicates(tx, "users", "username").await?;
    plan.note_case_insensitive_duplicates(tx, "users", "email").await?;
    Ok(plan)
}

impl Plan {
    fn add_change(&mut self, sentence: impl Into<String>, statement: impl Into<String>) {
        self.changes.push(Change { sentence: sentence.into(), statement: statement.into() });
    }

    /// SQLAlchemy stores the names of enum members: ADMIN instead of admin.
    async fn labels(&mut self, tx: &mut Tx) -> Result<()> {
        let found = run!(tx, connection => query_as::<_, (String, String)>(FIND_LABELS).fetch_all(connection).await)?;
        let roles: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        let actions: Vec<_> = AuditAction::ALL.iter().take(FIRST_ACTIONS).map(|action| action.as_str()).collect();
        for (ty, words) in [("user_role_enum", roles), ("audit_action_enum", actions)] {
            let labels: Vec<_> = found.iter().filter(|(of, _)| of == ty).map(|(_, label)| label.as_str()).collect();
            for label in &labels {
                let word = label.to_lowercase();
                let (known, renamed) = (words.contains(&word.as_str()), word != *label);
                if !known || (renamed && labels.contains(&word.as_str())) {
                    self.problems.push(format!("{ty} has the value {label}, which the server does not know"));
                } else if renamed {
                    let sentence = format!("{ty}: {label} becomes {word}");
                    self.add_change(sentence, format!("alter type {ty} rename value '{label}' to '{word}'"));
                }
            }
            // A missing type is a problem of its column.
            let missing = |word: &&&str| !labels.iter().any(|label| label.to_lowercase() == **word);
            for word in words.iter().filter(missing).filter(|_| !labels.is_empty()) {
                self.add_change(format!("{ty} gets the value {word}"), format!("alter type {ty} add value '{word}'"));
            }
        }
        Ok(())
    }

    async fn columns(&mut self, tx: &mut Tx) -> Result<()> {
        type Found = (String, String, String, bool, bool);
        let found = run!(tx, connection => query_as::<_, Found>(FIND_COLUMNS).fetch_all(connection).await)?;
        let found: BTreeMap<_, _> = found
            .iter()
            .map(|(table, name, ty, not_null, default)| ((table.as_str(), name.as_str()), (ty, *not_null, *default)))
            .collect();
        for Column(table, name, ty, null, default) in COLUMNS {
            let Some((found, not_null, has_default)) = found.get(&(*table, *name)) else {
                self.problems.push(format!("{table}.{name} is missing"));
                continue;
            };
            if found != ty {
                self.problems.push(format!("{table}.{name} is {found}, not {ty}"));
                continue;
            }
            let alter = format!("alter table {table} alter column \"{name}\"");
            match (null, not_null) {
                (Null::No, false) => {
                    if self.count(tx, &format!("select count(*) from {table} where \"{name}\" is null")).await? > 0 {
                        self.problems.push(format!("{table}.{name} is null in some rows"));
                    } else {
                        self.add_change(format!("{table}.{name} is never null"), format!("{alter} set not null"));
                    }
                }
                (Null::Yes, true) => {
                    self.add_change(format!("{table}.{name} may be null"), format!("{alter} drop not null"));
                }
                _ => {}
            }
            if let (Some(default), false) = (default, has_default) {
                let sentence = format!("{table}.{name} has the default {default}");
                self.add_change(sentence, format!("{alter} set default {default}"));
            }
        }
        for ((table, name), (_, not_null, has_default)) in found {
            let ours = COLUMNS.iter().any(|Column(of, column, ..)| (*of, *column) == (table, name));
            if matches!((table, name), ("users", "password_change_required") | ("audit_logs", "username")) {
                self.problems.push(format!("a column {table}.{name} exists, and the server needs this name"));
            } else if !ours && not_null && !has_default {
                self.problems
                    .push(format!("{table}.{name} is not null and has no default, and the server does not know it"));
            } else if !ours {
                self.notes.push(format!("{table}.{name} stays; the server does not use it"));
            }
        }
        Ok(())
    }

    async fn indexes(&mut self, tx: &mut Tx) -> Result<()> {
        type Found = (String, String, Option<String>, bool, bool);
        let found = run!(tx, connection => query_as::<_, Found>(FIND_INDEXES).fetch_all(connection).await)?;
        let on = |table: &str, column: &str| {
            let (table, column) = (table.to_owned(), column.to_owned());
            found.iter().filter(move |(_, of, columns, ..)| *of == table && columns.as_deref() == Some(&column))
        };
        for table in TABLES {
            if !on(table, "id").any(|(.., primary)| *primary) {
                self.problems.push(format!("the primary key of {table} is not its id"));
            }
        }
        for (name, table, column, unique) in INDEXES {
            let named = found.iter().find(|(found, ..)| found == name);
            if named.is_some() && !on(table, column).any(|(found, ..)| found == name) {
                self.problems.push(format!("{name} exists, but it is not an index on {table}.{column}"));
                continue;
            }
            let is_unique = on(table, column).any(|(_, _, _, is_unique, _)| *is_unique);
            match (named, unique) {
                // A unique constraint beside a non-unique index is enough.
                (Some(_), true) if !is_unique => {
                    self.problems.push(format!("{table}.{column} is not unique: {name} is not a unique index"));
                }
                (Some(_), _) => {}
                (None, _) => {
                    let duplicates = format!(
                        "select count(*) from (select 1 from {table} group by \"{column}\" having count(*) > 1) d"
                    );
                    if *unique && !is_unique && self.count(tx, &duplicates).await? > 0 {
                        self.problems.push(format!("{table}.{column} has the same value in several rows"));
                        continue;
                    }
                    let kind = if *unique { "unique index" } else { "index" };
                    let statement = format!("create {kind} {name} on {table} (\"{column}\")");
                    self.add_change(format!("{table} gets the {kind} {name}"), statement);
                }
            }
        }
        Ok(())
    }

    async fn foreign_keys(&mut self, tx: &mut Tx) -> Result<()> {
        type Found = (String, String, String);
        let found = run!(tx, connection => query_as::<_, Found>(FIND_FOREIGN_KEYS).fetch_all(connection).await)?;
        for (table, action, letter) in FOREIGN_KEYS {
            let keys: Vec<_> = found.iter().filter(|(of, ..)| of == table).collect();
            if keys.is_empty() {
                self.problems.push(format!("{table}.user_id has no foreign key to users"));
            }
            for (_, name, _) in keys.into_iter().filter(|(_, _, found)| found != letter) {
                let quoted = format!("\"{}\"", name.replace('"', "\"\""));
                self.add_change(
                    format!("{table}: deleting a user means \"{action}\""),
                    format!(
                        "alter table {table} drop constraint {quoted}, add constraint {quoted} foreign key (user_id) \
                         references users (id) on delete {action}"
                    ),
                );
            }
        }
        Ok(())
    }

    /// Names are compared case-insensitively at login. Users whose names differ only in case log in with the exact name.
    async fn note_case_insensitive_duplicates(&mut self, tx: &mut Tx, table: &str, column: &str) -> Result<()> {
        if !self.problems.is_empty() {
            return Ok(());
        }
        let statement = format!(
            "select string_agg({column}, ', ' order by {column} collate \"C\") from {table}
            group by lower({column}) having count(*) > 1 order by 1 limit 20"
        );
        let statement = sqlx::AssertSqlSafe(statement);
        let found = run!(tx, connection => query_as::<_, (String,)>(statement).fetch_all(connection).await)?;
        for (values,) in found {
            self.notes.push(format!(
                "the {column} of these {table} differs only in case; each logs in with the exact name: {values}"
            ));
        }
        Ok(())
    }

    async fn count(&self, tx: &mut Tx, statement: &str) -> Result<i64> {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        run!(tx, connection => query_scalar::<_, i64>(statement).fetch_one(connection).await)
    }
}
