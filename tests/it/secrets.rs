//! Secrets as the program is given them: by variables and files, not by arguments.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::support::{Database, Server, TestApp, on_both};

on_both!(
    secrets_are_read_from_files,
    behind_a_proxy_the_refusal_of_a_default_password_names_the_proxy_and_a_remedy_that_works
);

async fn secrets_are_read_from_files(app: &TestApp) {
    let database = Database::empty(app.backend).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("writes");
        path.to_str().expect("text").to_owned()
    };
    let url = file("url", &format!("{}\n", database.url));
    let chosen = file("admin", "four unrelated teapots\n");
    let init = run(&["db", "init"], &[("DATABASE_URL_FILE", &url), ("GUARDIANEYE_ADMIN_PASSWORD_FILE", &chosen)]);
    assert!(init.status.success(), "{}", text(&init));
    let login = |password: &str| {
        format!(
            r#"{{"query":"mutation {{ login(input: {{username: \"admin\", password: \"{password}\"}}) {{ expiresAt }} }}"}}"#
        )
    };
    let server = Server::start_command(program(&["serve", "--port", "0"], &[("DATABASE_URL_FILE", &url)]));
    assert!(server.post(&login("four unrelated teapots")).contains("expiresAt"));
    let other = file("new", "five unrelated kettles");
    let reset = run(
        &["users", "reset-password", "admin"],
        &[("DATABASE_URL_FILE", &url), ("GUARDIANEYE_NEW_PASSWORD_FILE", &other)],
    );
    assert!(reset.status.success(), "{}", text(&reset));
    assert!(server.post(&login("five unrelated kettles")).contains("expiresAt"));
    server.stop();
    database.remove().await;
}

async fn behind_a_proxy_the_refusal_of_a_default_password_names_the_proxy_and_a_remedy_that_works(app: &TestApp) {
    let database = Database::empty(app.backend).await;
    let url = [("DATABASE_URL", &*database.url)];
    let proxied = [url[0], ("GUARDIANEYE_TRUSTED_PROXIES", "127.0.0.1")];
    let serve = ["serve", "--port", "0", "--migrate"];
    let reason = "the server does not start: other machines can reach 127.0.0.1 through a trusted proxy (GUARDIANEYE_TRUSTED_PROXIES)";
    let refused = text(&run(&serve, &proxied));
    let remedy = "the first admin would have the default password. Set GUARDIANEYE_ADMIN_PASSWORD";
    assert!(refused.contains(&format!("{reason}; {remedy}")), "{refused}");
    assert!(run(&["db", "init"], &url).status.success());
    let refused = text(&run(&serve, &proxied));
    let remedy = "these accounts have their username as the password: admin. Change it with `guardianeye users reset-password NAME`";
    assert!(refused.contains(&format!("{reason}; {remedy}")), "{refused}");
    let elsewhere = text(&run(&["serve", "--port", "0", "--host", "0.0.0.0"], &url));
    assert!(
        elsewhere.contains("the server does not start: other machines can reach 0.0.0.0 (GUARDIANEYE_HOST); these"),
        "{elsewhere}"
    );
    let reset =
        run(&["users", "reset-password", "admin"], &[url[0], ("GUARDIANEYE_NEW_PASSWORD", "five unrelated kettles")]);
    assert!(reset.status.success(), "{}", text(&reset));
    Server::start_command(program(&serve, &proxied)).stop();
    database.remove().await;
}

#[test]
fn a_secret_that_is_given_twice_or_cannot_be_read_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let named = |path: &Path| path.to_str().expect("text").to_owned();
    let (missing, empty): (PathBuf, PathBuf) = (path("missing"), path("empty"));
    std::fs::write(&empty, "\n").expect("writes");
    for (args, name) in [
        (&["serve"][..], "DATABASE_URL"),
        (&["serve"], "GUARDIANEYE_ADMIN_PASSWORD"),
        (&["db", "init"], "GUARDIANEYE_ADMIN_PASSWORD"),
    ] {
        let file = format!("{name}_FILE");
        let both = run(args, &[(name, "hunter2"), (&*file, &named(&empty))]);
        assert_eq!(both.status.code(), Some(2), "{}", text(&both));
        assert!(text(&both).contains(&format!("both {name} and {file} are set")), "{}", text(&both));
        for (path, sentence) in [(&missing, "cannot be read: No such file or directory"), (&empty, "is empty")] {
            let refused = run(args, &[(&*file, &named(path))]);
            assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
            let sentence = format!("the file {} that {file} names {sentence}", path.display());
            assert!(text(&refused).contains(&sentence), "{}", text(&refused));
        }
        assert!(!text(&both).contains("hunter2"), "{}", text(&both));
    }
}

#[test]
fn a_secret_in_an_argument_is_refused_with_the_way_to_give_it() {
    for url in ["postgres://nobody:hunter2@127.0.0.1:1/x", "postgres://127.0.0.1:1/x?password=hunter2"] {
        for args in [&["--database-url", url, "db", "init"][..], &["serve", "--database-url", url]] {
            let refused = run(args, &[]);
            assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
            for word in
                ["--database-url contains a password", "set the environment variable DATABASE_URL", "DATABASE_URL_FILE"]
            {
                assert!(text(&refused).contains(word), "{word}: {}", text(&refused));
            }
            assert!(!text(&refused).contains("hunter2"), "{}", text(&refused));
        }
    }
    let refused = run(&["serve", "--admin-password", "x"], &[]);
    assert!(text(&refused).contains("unexpected argument '--admin-password'"), "{}", text(&refused));
    let help = text(&run(&["serve", "--help"], &[]));
    assert!(help.contains("GUARDIANEYE_ADMIN_PASSWORD_FILE"), "{help}");
}

fn program(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guardianeye"));
    command.args(args).env_remove("DATABASE_URL").envs(variables.iter().copied()).current_dir(std::env::temp_dir());
    command
}

fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    program(args, variables).output().expect("runs")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
