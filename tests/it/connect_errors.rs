//! What the first connection says when there is none: what happened, at once, and in no library's words.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener},
    time::Duration,
};

use guardianeye::db::{Db, Settings};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, sqlite::SqliteConnectOptions};
use url::Url;

use crate::support::{Backend, Database};

/// What belongs to a library, or to nobody.
const INTERNALS: [&str; 7] =
    ["at line", "sqlx", "error returned from database", "error communicating", "(code:", "os error", "hunter2"];

/// Longer than anybody waits: what is tried again would never be told.
const ENDLESS: Settings = Settings {
    max_connections: Some(1),
    acquire_timeout: Duration::from_hours(1),
    statement_timeout: None,
    create: false,
};

async fn message(url: &str, settings: Settings) -> String {
    let refused = tokio::time::timeout(Duration::from_mins(1), Db::connect(url, settings));
    let message = refused.await.expect("it is told at once").expect_err("no database").chain();
    for word in INTERNALS {
        assert!(!message.contains(word), "{word}: {message}");
    }
    message
}

/// A server that reads one message, answers it and hangs up. What it answers to is a request for TLS, or without TLS the
/// start of a connection.
fn server(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        assert!(stream.read(&mut [0; 4096]).expect("reads") > 0);
        stream.write_all(&answer).expect("writes");
        // Hanging up with something unread would take the answer back.
        stream.shutdown(Shutdown::Write).expect("ends");
        let _ = stream.read(&mut [0; 4096]);
    });
    port
}

/// PostgreSQL's message that refuses a connection.
fn refusal(code: &str, routine: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0Mwords of the server\0Fpostinit.c\0L948\0R{routine}\0\0");
    let length = u32::try_from(fields.len() + 4).expect("short").to_be_bytes();
    [b"E", &length[..], fields.as_bytes()].concat()
}

#[tokio::test]
async fn what_postgres_refuses_is_told_by_its_code() {
    for (code, routine, reason) in [
        ("28P01", "auth_failed", "the password of user \"nora\" is wrong, or there is no such user"),
        ("28000", "InitializeSessionUserId", "there is no user \"nora\""),
        (
            "28000",
            "ClientAuthentication",
            "its pg_hba.conf admits no user \"nora\" to the database \"guard\" from here; it may require TLS, which \
             sslmode=require switches on",
        ),
        ("3D000", "InitPostgres", "there is no database \"guard\": create it first, as by createdb"),
        ("42501", "CheckMyDatabase", "user \"nora\" may not connect to the database \"guard\""),
        ("53300", "InitPostgres", "it has no connection left"),
        ("57P03", "ProcessStartupPacket", "it is starting up or shutting down"),
        ("XX000", "somewhere", "words of the server"),
    ] {
        let port = server(refusal(code, routine));
        let url = format!("postgres://nora:hunter2@127.0.0.1:{port}/guard?sslmode=disable");
        let expected = format!("cannot connect to the PostgreSQL server at 127.0.0.1:{port}: {reason}");
        assert_eq!(message(&url, ENDLESS).await, expected, "{code}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_no_postgres_is_told_at_once() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    for (place, reason) in [
        (format!("127.0.0.1:{free}"), "connection refused: no server listens there"),
        ("nobody..here:5432".to_owned(), "unknown host: its name cannot be resolved"),
        (
            format!("127.0.0.1:{}", server(b"HTTP/1.1 400 Bad Request\r\n\r\n".into())),
            "what answers there is no PostgreSQL server",
        ),
    ] {
        let told = message(&format!("postgres://nora:hunter2@{place}/guard"), ENDLESS).await;
        assert_eq!(told, format!("cannot connect to the PostgreSQL server at {place}: {reason}"));
    }
    let port = server(Vec::new());
    let told = message(&format!("postgres://nora:hunter2@127.0.0.1:{port}/guard?sslmode=disable"), ENDLESS).await;
    assert!(told.ends_with(&format!("at 127.0.0.1:{port}: the server closed the connection")), "{told}");
    let told = message("postgres://nora:hunter2@%2Fno%2Fsuch%2Ffolder/guard", ENDLESS).await;
    let expected = "the PostgreSQL server at /no/such/folder/.s.PGSQL.5432: no server listens on this socket";
    assert_eq!(told, format!("cannot connect to {expected}"));
}

#[tokio::test]
async fn a_server_without_tls_or_without_an_answer_is_told() {
    let port = server(b"N".into());
    let told = message(&format!("postgres://nora:hunter2@127.0.0.1:{port}/guard?sslmode=require"), ENDLESS).await;
    assert!(told.contains("TLS could not be established as sslmode asks: server does not support TLS"), "{told}");
    // It takes connections, as the system does for it, but reads nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("bound").port();
    let settings = Settings { acquire_timeout: Duration::from_millis(200), ..ENDLESS };
    let told = message(&format!("postgres://nora:hunter2@127.0.0.1:{port}/guard"), settings).await;
    assert!(told.ends_with(&format!("at 127.0.0.1:{port}: no answer within 200ms")), "{told}");
}

#[tokio::test]
async fn a_real_postgres_is_understood() {
    let database = Database::empty(Backend::Postgres).await;
    let as_user = |user: &str, password: Option<&str>, name: Option<&str>| {
        let mut url = Url::parse(&database.url).expect("a URL");
        url.set_username(user).and_then(|()| url.set_password(password)).expect("it has a host");
        if let Some(name) = name {
            url.set_path(name);
        }
        url.to_string()
    };
    let owner = Url::parse(&database.url).expect("a URL");
    let told = message(&as_user(owner.username(), owner.password(), Some("no_such_database")), ENDLESS).await;
    assert!(told.ends_with("there is no database \"no_such_database\": create it first, as by createdb"), "{told}");
    let told = message(&as_user("no_such_user", Some("hunter2"), None), ENDLESS).await;
    // Which of the two depends on how the server checks passwords.
    assert!(
        told.ends_with("there is no user \"no_such_user\"")
            || told.ends_with("the password of user \"no_such_user\" is wrong, or there is no such user"),
        "{told}"
    );
    // Members of this group need a password on the throw-away cluster of tests/postgres.sh, as all users do elsewhere.
    let (group, user) = ("guardianeye_test_passwords", format!("guardianeye_test_{}", std::process::id()));
    let mut admin = PgConnection::connect(&database.url).await.expect("connects");
    // The group may be there already.
    let _ = admin.execute(AssertSqlSafe(format!("create role {group}"))).await;
    let create = format!("create role {user} login password 'right' in role {group}");
    admin.execute(AssertSqlSafe(create)).await.expect("creates");
    let told = message(&as_user(&user, Some("hunter2"), None), ENDLESS).await;
    let right = Db::connect(&as_user(&user, Some("right"), None), ENDLESS).await;
    admin.execute(AssertSqlSafe(format!("drop role {user}"))).await.expect("drops");
    admin.close().await.expect("closes");
    right.expect("the right password connects").close().await;
    assert!(told.ends_with(&format!("the password of user \"{user}\" is wrong, or there is no such user")), "{told}");
    database.remove().await;
}

#[tokio::test]
async fn an_sqlite_file_that_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("text.db"), "not a database, but long enough to be taken for one ".repeat(100))
        .expect("writes");
    std::fs::create_dir(path("folder.db")).expect("makes");
    let locked = SqliteConnectOptions::new().filename(path("locked.db")).create_if_missing(true);
    let mut lock = locked.connect().await.expect("connects");
    lock.execute("create table t (x int); begin exclusive").await.expect("locks");
    let settings = Settings { acquire_timeout: Duration::from_millis(100), ..ENDLESS };
    for (name, reason) in [
        ("text.db", "it is not an SQLite database"),
        ("folder.db", "it is a directory"),
        ("locked.db", "another program keeps it locked"),
    ] {
        for create in [false, true] {
            let told = message(&format!("sqlite:{}", path(name)), Settings { create, ..settings }).await;
            assert!(told.contains(&path(name)) && told.contains(reason), "{told}");
        }
    }
    drop(lock);
    let below = message(&format!("sqlite:{}", path("text.db/below.db")), settings).await;
    assert!(below.ends_with(": Not a directory"), "{below}");
    let below = message(&format!("sqlite:{}", path("text.db/below.db")), Settings { create: true, ..settings }).await;
    assert!(below.ends_with(": File exists"), "{below}");
}

#[tokio::test]
async fn a_url_that_cannot_be_read_says_why() {
    for (url, reason) in [
        ("sqlite:x.db?mode=sideways", "the SQLite URL is not valid: unknown value \"sideways\""),
        ("postgres://nora:hunter2@127.0.0.1:port/guard", "the PostgreSQL URL is not valid: invalid port number"),
        (
            "postgres://nora:hunter2@127.0.0.1/guard?sslmode=some",
            "the PostgreSQL URL is not valid: unknown value \"some\"",
        ),
    ] {
        let told = message(url, ENDLESS).await;
        assert!(told.contains(reason) && !told.contains("with configuration"), "{told}");
    }
}
