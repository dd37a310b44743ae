//! Settings as the command line and the environment give them, tried on the binary.

use std::process::{Command, Output};

use guardianeye::config::variables;

use crate::support::{Backend, Database, Server};

fn guardianeye(args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
    command.args(args).env_remove("DATABASE_URL").envs(environment.iter().copied()).output().expect("runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn without_arguments_the_program_prints_its_help() {
    for environment in [&[][..], &[("DATABASE_URL", "sqlite:/dev/null/x.db"), ("GUARDIANEYE_PORT", "1")]] {
        let output = guardianeye(&[], environment);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        for word in ["Usage: guardianeye", "Commands:", "serve", "[env: DATABASE_URL]"] {
            assert!(stderr(&output).contains(word), "{word}: {}", stderr(&output));
        }
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn an_empty_variable_is_no_error() {
    // Every setting is read before the database URL is found to be wrong.
    let args = ["serve", "--database-url", "mysql:x"];
    let expected = stderr(&guardianeye(&args, &[]));
    assert!(expected.contains("must begin with sqlite: or postgres://"), "{expected}");
    for name in variables() {
        let output = guardianeye(&args, &[(name.as_str(), "")]);
        assert_eq!(stderr(&output), expected, "{name}");
    }
}

#[tokio::test]
async fn empty_variables_leave_every_setting_at_its_default() {
    let folder = tempfile::tempdir().expect("a folder");
    let names: Vec<_> = variables().into_iter().collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
    command.args(["serve", "--port", "0"]).envs(names.iter().map(|name| (name, ""))).current_dir(folder.path());
    let server = Server::start_command(command);
    assert!(server.log.contains("listening on http://127.0.0.1:"), "{}", server.log);
    assert!(folder.path().join("data/guardianeye.db").is_file(), "the default of DATABASE_URL");
    let login = r#"{"query":"mutation { login(input: {username: \"admin\", password: \"admin\"}) { expiresAt } }"}"#;
    assert!(server.post(login).contains("expiresAt"), "the default of GUARDIANEYE_ADMIN_PASSWORD");
    server.stop();
}

#[tokio::test]
async fn an_empty_new_password_is_asked_for_as_if_it_were_unset() {
    use std::{io::Write, process::Stdio};

    let database = Database::empty(Backend::Sqlite).await;
    let program = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
        command.env("DATABASE_URL", &database.url).env("GUARDIANEYE_NEW_PASSWORD", "").stdout(Stdio::piped());
        command
    };
    assert!(program().args(["db", "init"]).status().expect("runs").success());
    let mut reset = program().args(["users", "reset-password", "admin"]).stdin(Stdio::piped()).spawn().expect("starts");
    reset.stdin.take().expect("piped").write_all(b"three unrelated teapots\n").expect("writes");
    let output = reset.wait_with_output().expect("ends");
    assert!(String::from_utf8_lossy(&output.stdout).contains("Reset the password of admin"), "{output:?}");
    database.remove().await;
}
