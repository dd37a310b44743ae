//! Taking over the PostgreSQL database of an older GuardianEye, which SQLAlchemy made.

use std::process::{Command, Output, Stdio};

use guardianeye::clock::Clock;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::support::{Backend, Database, Server};

/// As `Base.metadata.create_all` emits it for the older program's models: enums by the names of their members, defaults in
/// Python only, an index on each column that says `index=True`.
const OLD: &str = "
    CREATE TYPE user_role_enum AS ENUM ('ADMIN', 'ANALYST', 'VIEWER');
    CREATE TYPE audit_action_enum AS ENUM ('LOGIN', 'LOGOUT', 'FAILED_LOGIN', 'QUERY_AGENT', 'AGENT_EXECUTION', 'USER_CREATED',
        'USER_UPDATED', 'USER_DELETED', 'SESSION_CREATED', 'SESSION_ENDED', 'CONFIG_CHANGED');
    CREATE TABLE users (
        id UUID NOT NULL, username VARCHAR(50) NOT NULL, email VARCHAR(255) NOT NULL, hashed_password VARCHAR(255) NOT NULL,
        role user_role_enum NOT NULL, is_active BOOLEAN NOT NULL, full_name VARCHAR(255),
        created_at TIMESTAMP WITH TIME ZONE NOT NULL, updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        last_login TIMESTAMP WITH TIME ZONE, PRIMARY KEY (id));
    CREATE INDEX ix_users_id ON users (id);
    CREATE UNIQUE INDEX ix_users_username ON users (username);
    CREATE UNIQUE INDEX ix_users_email ON users (email);
    CREATE TABLE sessions (
        id UUID NOT NULL, user_id UUID NOT NULL, thread_id VARCHAR(255), context JSON, title VARCHAR(255),
        is_active BOOLEAN NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE, PRIMARY KEY (id), FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE);
    CREATE INDEX ix_sessions_id ON sessions (id);
    CREATE INDEX ix_sessions_user_id ON sessions (user_id);
    CREATE INDEX ix_sessions_thread_id ON sessions (thread_id);
    CREATE TABLE audit_logs (
        id UUID NOT NULL, user_id UUID, action audit_action_enum NOT NULL, details JSON, description TEXT,
        ip_address VARCHAR(45), user_agent VARCHAR(512), success BOOLEAN NOT NULL, timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id), FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL);
    CREATE INDEX ix_audit_logs_id ON audit_logs (id);
    CREATE INDEX ix_audit_logs_user_id ON audit_logs (user_id);
    CREATE INDEX ix_audit_logs_action ON audit_logs (action);
    CREATE INDEX ix_audit_logs_timestamp ON audit_logs (timestamp);
    CREATE INDEX ix_audit_logs_ip_address ON audit_logs (ip_address);
    CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, PRIMARY KEY (version_num));
    INSERT INTO alembic_version VALUES ('3f2a9c1d7b44');";

const ROWS: &str = r#"
    INSERT INTO users VALUES
        ('b7f4c1de-6c0e-4a57-9d0b-0c8f6f1f2a01', 'root', 'Root@Example.com', '{hash}', 'ADMIN', true, 'Ä "R"', '2024-11-27 10:00:00.123456+00', '2024-11-27 10:00:00.123456+05:45', null),
        ('b7f4c1de-6c0e-4a57-9d0b-0c8f6f1f2a02', 'Anna', 'anna@example.com', '!', 'ANALYST', true, null, '2024-11-27 10:00:00+00', '2024-11-27 10:00:00+00', '2024-11-28 10:00:00+00'),
        ('b7f4c1de-6c0e-4a57-9d0b-0c8f6f1f2a03', 'anna', 'ANNA@example.com', '!', 'VIEWER', false, null, '2024-11-27 10:00:00+00', '2024-11-27 10:00:00+00', null);
    INSERT INTO sessions VALUES
        ('5d8f0f3e-0a37-4f0c-8d9a-0c8f6f1f2a04', 'b7f4c1de-6c0e-4a57-9d0b-0c8f6f1f2a02', 'thread-1', '{"b": 1.50,  "a": [null, "\u00e4"]}', 'Triage', true, '2024-11-27 10:00:00+00', '2024-11-27 10:00:00+00', null);
    INSERT INTO audit_logs VALUES
        ('9c1f0f3e-0a37-4f0c-8d9a-0c8f6f1f2a05', 'b7f4c1de-6c0e-4a57-9d0b-0c8f6f1f2a02', 'AGENT_EXECUTION', '{"agent": "incident_triage" }', 'Executed', '192.168.1.100', 'py', true, '2024-11-27 10:00:00.000001+00'),
        ('9c1f0f3e-0a37-4f0c-8d9a-0c8f6f1f2a06', null, 'CONFIG_CHANGED', null, null, null, null, false, '2024-11-27 10:00:01+00');"#;

/// Every value of every row as text; enums without their case, which is what changes.
const SNAPSHOTS: [&str; 4] = [
    "select concat_ws('|', id, username, email, hashed_password, lower(role::text), is_active, full_name, created_at, updated_at, last_login) from users order by id",
    "select concat_ws('|', id, user_id, thread_id, context::text, title, is_active, created_at, updated_at, ended_at) from sessions order by id",
    "select concat_ws('|', id, user_id, lower(action::text), details::text, description, ip_address, user_agent, success, timestamp) from audit_logs order by id",
    // Where a table's rows are: another file would mean that it was written anew.
    "select relname || relfilenode::text from pg_class where relname in ('users', 'sessions', 'audit_logs') order by 1",
];

struct Old {
    database: Database,
}

impl Old {
    async fn new() -> Self {
        let old = Self { database: Database::empty(Backend::Postgres).await };
        old.execute(OLD).await;
        let hash = bcrypt::hash("an old password", 4).expect("a hash");
        old.execute(&ROWS.replace("{hash}", &hash)).await;
        old
    }

    async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.database.url).await.expect("connects")
    }

    async fn execute(&self, statements: &str) {
        self.connection().await.execute(AssertSqlSafe(statements)).await.expect(statements);
    }

    async fn texts(&self, statement: &str) -> Vec<String> {
        let mut connection = self.connection().await;
        let rows = connection.fetch_all(AssertSqlSafe(statement)).await.expect(statement);
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    }

    async fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for statement in SNAPSHOTS {
            rows.push(self.texts(statement).await);
        }
        rows
    }

    /// The shape: columns with types and defaults, indexes, labels, tables.
    async fn shape(&self) -> Vec<String> {
        let mut shape = Vec::new();
        for statement in [
            "select concat_ws(' ', table_name, column_name, data_type, udt_name, is_nullable, column_default) from information_schema.columns where table_schema = 'public' and table_name <> 'alembic_version' order by 1",
            "select indexdef from pg_indexes where schemaname = 'public' and tablename <> 'alembic_version' order by 1",
            "select t.typname || ' ' || e.enumlabel from pg_enum e join pg_type t on t.oid = e.enumtypid order by t.typname, e.enumlabel",
            "select conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace and conrelid::regclass::text <> 'alembic_version' order by 1",
        ] {
            shape.extend(self.texts(statement).await);
        }
        shape
    }

    fn init(&self, args: &[&str]) -> (bool, String) {
        let output = self.command(args).output().expect("runs");
        (output.status.success(), text(&output))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
        command.args(["db", "init"]).args(args).env("DATABASE_URL", &self.database.url);
        command
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn the_tables_become_ours_and_every_row_stays() {
    let old = Old::new().await;
    let (rows, shape) = (old.rows().await, old.shape().await);

    let (ok, said) = old.init(&["--dry-run"]);
    assert!(ok && said.contains("- would change: user_role_enum: ADMIN becomes admin"), "{said}");
    assert!(said.contains("the username of these users differs only in case") && said.contains("Anna, anna"), "{said}");
    assert!(said.contains("the email of these users differs only in case"), "{said}");
    assert!(said.contains("Would adopt") && said.contains("Nothing was changed"), "{said}");
    assert_eq!((old.rows().await, old.shape().await), (rows.clone(), shape), "a dry run changes nothing");

    let (ok, said) = old.init(&[]);
    assert!(ok, "{said}");
    for line in [
        "✓ audit_action_enum: AGENT_EXECUTION becomes agent_execution",
        "✓ users.role has the default 'viewer'",
        "✓ Adopted users, sessions and audit_logs with 18 changes",
        "alembic_version stays",
        "Users found. No default admin user is needed.",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(old.rows().await, rows);

    // The same as a new database, but for what the older program had beyond it.
    let new = Database::migrated(Backend::Postgres).await;
    let new = Old { database: new };
    let ours = new.shape().await;
    let taken = old.shape().await;
    let extra: Vec<_> = taken.iter().filter(|line| !ours.contains(line)).collect();
    assert_eq!(extra.len(), 3, "ix_users_id, ix_sessions_id, ix_audit_logs_id: {extra:#?}");
    assert_eq!(ours.iter().filter(|line| !taken.contains(line)).collect::<Vec<_>>(), Vec::<&String>::new());
    let migrations =
        "select version || ' ' || success || ' ' || encode(checksum, 'hex') from _sqlx_migrations order by version";
    assert_eq!(old.texts(migrations).await, new.texts(migrations).await);

    let (ok, said) = old.init(&[]);
    assert!(ok && !said.contains("Adopted"), "nothing to adopt the second time: {said}");
    assert!(old.init(&["--dry-run"]).1.contains("The tables are up to date."));
    assert_eq!(old.rows().await, rows);
    new.database.remove().await;
    old.database.remove().await;
}

#[tokio::test]
async fn an_old_password_logs_in_and_is_hashed_anew() {
    let old = Old::new().await;
    assert!(old.init(&[]).0);
    let server = Server::start(&old.database.url, &[], &[]);
    let login = |password: &str| {
        server.post(&format!(
            r#"{{"query":"mutation {{ login(input: {{username: \"root\", password: \"{password}\"}}) {{ user {{ role createdAt }} }} }}"}}"#
        ))
    };
    assert!(login("a wrong password").contains("UNAUTHENTICATED"));
    let hash = "select hashed_password from users where username = 'root'";
    assert!(old.texts(hash).await[0].starts_with("$2b$"), "a wrong password changes nothing");
    let answer = login("an old password");
    assert!(answer.contains(r#"{"role":"ADMIN","createdAt":"2024-11-27T10:00:00.123456Z"}"#), "{answer}");
    assert!(old.texts(hash).await[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(login("an old password").contains("ADMIN"), "by the new hash");
    assert!(login("an old passwort").contains("UNAUTHENTICATED"));
    server.stop();
    old.database.remove().await;
}

#[tokio::test]
async fn labels_that_are_ours_already_and_what_is_missing_are_taken_over_too() {
    let old = Old::new().await;
    old.execute("
        alter type user_role_enum rename value 'ADMIN' to 'admin'; alter type user_role_enum rename value 'ANALYST' to 'analyst';
        alter type user_role_enum rename value 'VIEWER' to 'viewer'; alter table users alter role set default 'viewer';
        drop index ix_audit_logs_action; drop index ix_users_email; alter table users alter is_active drop not null;
        alter table sessions alter title set not null; alter table users add column team text;
        alter table sessions drop constraint sessions_user_id_fkey;
        alter table sessions add constraint fk foreign key (user_id) references users (id)").await;
    let rows = old.rows().await;
    let (ok, said) = old.init(&[]);
    assert!(ok, "{said}");
    for line in [
        "audit_logs gets the index ix_audit_logs_action",
        "users gets the unique index ix_users_email",
        "users.is_active is never null",
        "sessions.title may be null",
        "users.team stays; the server does not use it",
        "sessions: deleting a user means \"cascade\"",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(!said.contains("user_role_enum"), "{said}");
    assert_eq!(old.rows().await, rows);
    old.database.remove().await;
}

#[tokio::test]
async fn tables_of_another_shape_are_refused_with_all_that_is_wrong() {
    let old = Old::new().await;
    old.execute(
        "
        alter table users drop column full_name; alter table users alter created_at type timestamp without time zone;
        alter table users add column tenant int not null default 1; alter table users alter tenant drop default;
        alter table sessions alter context type jsonb; alter table sessions drop constraint sessions_user_id_fkey;
        alter type user_role_enum add value 'OWNER'; drop index ix_users_email; update users set email = 'same'",
    )
    .await;
    let shape = old.shape().await;
    for args in [&["--dry-run"][..], &[]] {
        let (ok, said) = old.init(args);
        assert!(!ok);
        for line in [
            "✗ users.full_name is missing",
            "✗ users.created_at is timestamp without time zone, not timestamp with time zone",
            "✗ users.tenant is not null and has no default, and the server does not know it",
            "✗ sessions.context is jsonb, not json",
            "✗ sessions.user_id has no foreign key to users",
            "✗ user_role_enum has the value OWNER, which the server does not know",
            "✗ users.email has the same value in several rows",
            "nothing was changed",
        ] {
            assert!(said.contains(line), "{line}: {said}");
        }
    }
    assert_eq!(old.shape().await, shape);
    old.execute("drop table sessions").await;
    assert!(old.init(&[]).1.contains("✗ the table sessions is missing"));
    old.database.remove().await;
}

#[tokio::test]
async fn what_goes_wrong_at_the_end_leaves_nothing() {
    let old = Old::new().await;
    // A name that the last migrations need: found out only when they run.
    old.execute("create index ix_users_lower_username on users (lower(username))").await;
    let (rows, shape) = (old.rows().await, old.shape().await);
    let (ok, said) = old.init(&[]);
    assert!(!ok && said.contains("nothing was changed") && said.contains("ix_users_lower_username"), "{said}");
    assert_eq!((old.rows().await, old.shape().await), (rows, shape));
    old.execute("drop index ix_users_lower_username").await;
    assert!(old.init(&[]).0);
    old.database.remove().await;
}

#[tokio::test]
async fn a_run_that_is_killed_leaves_nothing() {
    let old = Old::new().await;
    let (rows, shape) = (old.rows().await, old.shape().await);
    // The older program still works with its tables: the take-over waits for it.
    let mut working = old.connection().await;
    working.execute("begin; update audit_logs set success = success").await.expect("works");
    let mut run = old.command(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let waiting = "select count(*)::text from pg_locks where not granted and relation = 'audit_logs'::regclass";
    while old.texts(waiting).await[0] == "0" {
        assert!(run.try_wait().expect("asks").is_none(), "it waits");
    }
    run.kill().expect("kills");
    run.wait().expect("ends");
    working.execute("rollback").await.expect("ends");
    assert_eq!((old.rows().await, old.shape().await), (rows.clone(), shape));
    let (first, second) = tokio::join!(take_over(&old), take_over(&old));
    assert!(first.is_ok() && second.is_ok(), "two at once: {first:?} {second:?}");
    assert_eq!(old.rows().await, rows);
    old.database.remove().await;
}

async fn take_over(old: &Old) -> guardianeye::error::Result<()> {
    let db = old.database.connect().await;
    let done = guardianeye::ops::adoption::adopt(&db).await.map(drop);
    db.close().await;
    done
}

/// 100,000 rows stay in their file, and it is a matter of seconds.
#[tokio::test]
async fn large_tables_are_not_written_anew() {
    let old = Old::new().await;
    old.execute(
        "insert into audit_logs select gen_random_uuid(), null, 'LOGIN', '{}', 'x', '192.0.2.1', 'py', true,
        now() - n * interval '1 minute' from generate_series(1, 100000) n",
    )
    .await;
    let files = old.texts(SNAPSHOTS[3]).await;
    let begun = Clock::System.now();
    assert!(old.init(&[]).0);
    assert!(Clock::System.now() < begun.plus_seconds(60));
    assert_eq!(old.texts(SNAPSHOTS[3]).await, files);
    old.database.remove().await;
}
