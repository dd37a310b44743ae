//! The program as a user runs it: the binary, its output and its exit codes.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Output},
    time::Instant,
};

use crate::support::{Backend, Database, Server, TestApp, on_both};

on_both!(
    init_says_what_it_found_and_a_second_time_changes_nothing,
    the_first_admins_password_can_be_chosen_also_later,
    a_new_database_is_not_opened_to_the_network_with_a_known_password,
    the_server_serves_warns_and_stops_when_told
);

async fn init_says_what_it_found_and_a_second_time_changes_nothing(app: &TestApp) {
    let database = Database::empty(app.backend).await;
    let first = text(&run(&database.url, &["db", "init"], &[]));
    for line in [
        "[1/3] Creating database tables...",
        "[2/3] Verifying tables...",
        "[3/3] Verifying indexes...",
        "  - audit_logs",
        "  - sessions",
        "  - users",
        "  Username: admin",
        "  Password: admin",
        "CHANGE THIS PASSWORD IN PRODUCTION!",
    ] {
        assert!(first.contains(line), "{line}: {first}");
    }
    let second = text(&run(&database.url, &["db", "init"], &[]));
    assert!(second.contains("Users found. No default admin user is needed."), "{second}");
    database.remove().await;
}

async fn the_first_admins_password_can_be_chosen_also_later(app: &TestApp) {
    let database = Database::empty(app.backend).await;
    run(&database.url, &["db", "init"], &[]);
    let refused = run(&database.url, &["serve", "--host", "0.0.0.0", "--port", "0"], &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("these accounts have their username as the password: admin"), "{}", text(&refused));
    let chosen = [("GUARDIANEYE_ADMIN_PASSWORD", "a better password")];
    assert!(text(&run(&database.url, &["db", "init"], &chosen)).contains("Replaced the default password of admin"));
    let server = Server::start(&database.url, &["--host", "0.0.0.0"], &[]);
    let login = |password: &str| {
        format!(
            r#"{{"query":"mutation {{ login(input: {{username: \"admin\", password: \"{password}\"}}) {{ passwordChangeRequired }} }}"}}"#
        )
    };
    assert!(server.post(&login("a better password")).contains(r#""passwordChangeRequired":false"#));
    assert!(server.post(&login("admin")).contains("UNAUTHENTICATED"));
    server.stop();
    database.remove().await;
}

async fn a_new_database_is_not_opened_to_the_network_with_a_known_password(app: &TestApp) {
    let database = Database::empty(app.backend).await;
    let refused = run(&database.url, &["serve", "--migrate", "--host", "0.0.0.0", "--port", "0"], &[]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(text(&refused).contains("Set GUARDIANEYE_ADMIN_PASSWORD"), "{}", text(&refused));
    let chosen = [("GUARDIANEYE_ADMIN_PASSWORD", "a better password")];
    Server::start(&database.url, &["--migrate", "--host", "0.0.0.0"], &chosen).stop();
    database.remove().await;
}

async fn the_server_serves_warns_and_stops_when_told(app: &TestApp) {
    let database = Database::empty(app.backend).await;
    let server = Server::start(&database.url, &["--migrate"], &[]);
    assert!(server.log.contains("have their username as the password"), "{}", server.log);
    let answer = server.post(r#"{"query":"mutation { login(input: {username: \"admin\", password: \"admin\"}) { passwordChangeRequired user { email } } }"}"#);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.contains(
            r#"{"data":{"login":{"passwordChangeRequired":true,"user":{"email":"admin@guardianeye.local"}}}}"#
        ),
        "{answer}"
    );
    server.stop();
    database.remove().await;
}

/// Whoever opens and closes the file in this process ends its locks on it (POSIX), and then another program that reads it
/// takes itself for the last one and deletes the write-ahead log under the server. Linux lists the locks.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_server_holds_its_lock_on_the_file_and_a_crash_loses_nothing() {
    use std::os::unix::fs::MetadataExt;

    use sqlx::{Connection, SqliteConnection};

    let database = Database::empty(Backend::Sqlite).await;
    run(&database.url, &["db", "init"], &[]);
    let server = Server::start(&database.url, &[], &[]);
    for _ in 0..3 {
        let answer = server
            .post(r#"{"query":"mutation { login(input: {username: \"admin\", password: \"admin\"}) { expiresAt } }"}"#);
        assert!(answer.contains("expiresAt"), "{answer}");
    }
    let inode = std::fs::metadata(database.url.trim_start_matches("sqlite:")).expect("the file").ino().to_string();
    let locks = std::fs::read_to_string("/proc/locks").expect("the locks");
    let held = locks.lines().any(|lock| {
        let fields: Vec<_> = lock.split_whitespace().collect();
        fields[4] == server.id().to_string() && fields[5].rsplit(':').next() == Some(&inode)
    });
    assert!(held, "no lock on inode {inode} by {}: {locks}", server.id());
    // Dropped, it is killed without a chance to put things in order.
    drop(server);
    let mut reader = SqliteConnection::connect(&database.url).await.expect("opens");
    let count = sqlx::query_scalar::<_, i64>("select count(*) from audit_logs where action = 'login'");
    assert_eq!(count.fetch_one(&mut reader).await.expect("counts"), 3);
    reader.close().await.expect("closes");
    database.remove().await;
}

#[tokio::test]
async fn a_postgres_that_is_not_migrated_is_not_served() {
    let database = Database::empty(Backend::Postgres).await;
    let refused = run(&database.url, &["serve", "--port", "0"], &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("run `guardianeye db init`"), "{}", text(&refused));
    database.remove().await;
}

#[tokio::test]
async fn a_request_under_way_is_finished_when_the_server_has_to_stop() {
    let database = Database::empty(Backend::Sqlite).await;
    let server = Server::start(&database.url, &[], &[]);
    let connect = || TcpStream::connect(("127.0.0.1", server.port)).expect("connects");
    // One that keeps its connection without a request is not waited for.
    let mut idle = connect();
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("writes");
    assert!(idle.read(&mut [0; 4096]).expect("reads") > 0);
    let mut under_way = connect();
    let head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 24\r\n";
    under_way.write_all(head).expect("writes");
    under_way.write_all(b"Expect: 100-continue\r\n\r\n").expect("writes");
    // It waits for the body, so it is under way.
    assert!(under_way.read(&mut [0; 4096]).expect("reads") > 0);
    let begun = Instant::now();
    server.terminate();
    assert_eq!(idle.read(&mut [0]).expect("closed"), 0);
    under_way.write_all(br#"{"query":"{__typename}"}"#).expect("writes");
    let mut answer = String::new();
    under_way.read_to_string(&mut answer).expect("reads");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains(r#"{"data":{"__typename":"Query"}}"#), "{answer}");
    server.wait();
    assert!(begun.elapsed().as_secs() < 10, "nothing was left to wait for");
    database.remove().await;
}

#[test]
fn invalid_settings_are_rejected_with_a_message() {
    for (args, variables, sentence) in [
        (&["serve"][..], &[("GUARDIANEYE_PROT", "8001")][..], "unknown environment variable GUARDIANEYE_PROT"),
        (&["serve", "--statement-timeout", "60"], &[], "exceeds the request timeout"),
        (&["serve", "--port", "70000"], &[], "70000 is not in 0..=65535"),
        (&["serve"], &[("GUARDIANEYE_WRITES_PER_MINUTE_VIEWER", "0")], "0 is not in 1..=1000000"),
        (&["serve"], &[("GUARDIANEYE_CORS_ORIGINS", "*")], "would allow every web page to call the API"),
        (
            &["serve"],
            &[("GUARDIANEYE_CORS_ORIGINS", "https://a.b,https://c.d/")],
            "browsers send this origin as https://c.d",
        ),
        (&["serve", "--trusted-proxies", "10.0.0.0/8,proxy"], &[], "neither an IP address nor a network"),
        (&["serve", "--database-url", "mysql://root@localhost/x"], &[], "must begin with sqlite: or postgres://"),
        (&["db", "init", "--database-url", "sqlite::memory:"], &[], "in-memory"),
        (&["db", "init", "--database-url", "sqlite:/dev/null/x.db"], &[], "cannot open the SQLite file"),
        (
            &["db", "init"],
            &[("DATABASE_URL", "postgres://nobody:hunter2@127.0.0.1:1/x")],
            "cannot connect to the PostgreSQL server at 127.0.0.1:1",
        ),
        (&["db", "seed", "--sessions", "5"], &[], "--users"),
        (&["schema", "--log", "a=b=c"], &[], "log filter"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_guardianeye"))
            .args(args)
            .env_remove("DATABASE_URL")
            .envs(variables.iter().copied())
            .current_dir(std::env::temp_dir())
            .output()
            .expect("runs");
        let text = text(&output);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{args:?}: {text}");
        assert!(text.contains(sentence), "{args:?}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn schema_prints_the_schema() {
    let output = run("sqlite:unused.db", &["schema"], &[]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), guardianeye::graphql::GraphqlApi::default().sdl());
}

fn run(url: &str, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
    command.args(args).env("DATABASE_URL", url).envs(variables.iter().copied()).output().expect("runs")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
