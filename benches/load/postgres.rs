//! A PostgreSQL cluster of our own, with the settings of production: what it confirms is on the disk. It is kept for the
//! next run, and runs only while we measure. PostgreSQL refuses to run as root, so root lends it to the user `postgres`.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tempfile::TempDir;

use crate::{Result, server};

/// What is not left at PostgreSQL's defaults. `fsync`, `synchronous_commit` and `full_page_writes` are: they are on.
pub const SETTINGS: &[(&str, &str)] = &[
    ("shared_buffers", "512MB"),
    ("effective_cache_size", "2GB"),
    ("random_page_cost", "1.1"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "15min"),
    ("max_connections", "200"),
];

const PATIENCE: Duration = Duration::from_mins(1);

/// A running cluster; stops with the value.
#[derive(Debug)]
pub struct Cluster {
    child: Child,
    pub programs: PathBuf,
    pub version: String,
    /// Where the server's log is written, one JSON object a line.
    pub log: PathBuf,
    /// Has a short name, as a socket's path must.
    pub socket: TempDir,
}

impl Cluster {
    pub async fn start(dir: &Path, programs: Option<&Path>) -> Result<Self> {
        let (programs, version) = find(programs)?;
        let owner = owner()?;
        let home = dir.join("postgres");
        let socket = tempfile::Builder::new().prefix("guardianeye-bench.").tempdir_in("/tmp")?;
        fs::create_dir_all(&home)?;
        if let Some((user, group)) = owner {
            chown(&home, Some(user), Some(group))?;
            chown(socket.path(), Some(user), Some(group))?;
        }
        let program = |name: &str| {
            let mut command = Command::new(programs.join(name));
            if let Some((user, group)) = owner {
                command.uid(user).gid(group);
            }
            // Nothing of the environment: PGPORT and its like would bend the way to our cluster.
            command.env_clear().env("LC_ALL", "C.UTF-8").current_dir(&home).stdin(Stdio::null());
            command
        };
        let data = home.join("data");
        let major = version.split('.').next().unwrap_or_default();
        match fs::read_to_string(data.join("PG_VERSION")) {
            Ok(found) if found.trim() != major => {
                let path = home.display();
                return Err(format!("{path} is of PostgreSQL {}, not {major}: remove it", found.trim()).into());
            }
            Ok(_) => {}
            Err(_) => init(program("initdb"), &data)?,
        }
        if data.join("postmaster.pid").exists() {
            // Left by a run that was killed.
            let _ = program("pg_ctl").arg("-D").arg(&data).args(["-m", "fast", "-s", "stop"]).status();
        }
        let log = home.join("log");
        let _ = fs::remove_dir_all(&log);
        let mut command = program("postgres");
        command.arg("-D").arg(&data).args(["-c", "listen_addresses="]);
        command.arg("-c").arg(format!("unix_socket_directories={}", socket.path().display()));
        command.args([
            "-c",
            "logging_collector=on",
            "-c",
            "log_destination=jsonlog",
            "-c",
            "log_filename=postgres.log",
        ]);
        command.args(["-c", "log_rotation_size=0", "-c", "log_rotation_age=0"]);
        command.arg("-c").arg(format!("log_directory={}", log.display()));
        for (name, value) in SETTINGS {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let cluster = Self { child, programs, version, log: log.join("postgres.json"), socket };
        cluster.wait().await?;
        // Should the last run have ended while it captured statements.
        let mut connection = cluster.connect("postgres").await?;
        sqlx::raw_sql("alter system reset log_statement").execute(&mut connection).await?;
        sqlx::raw_sql("select pg_reload_conf()").execute(&mut connection).await?;
        Ok(cluster)
    }

    async fn wait(&self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.connect("postgres").await {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > until => {
                    let log = fs::read_to_string(&self.log).unwrap_or_default();
                    return Err(format!("PostgreSQL did not start: {error}\n{log}").into());
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    pub async fn connect(&self, database: &str) -> Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(self.socket.path())
            .port(5432)
            .username("postgres")
            .database(database)
            .application_name("bench")
            .ssl_mode(PgSslMode::Disable);
        Ok(options.connect().await?)
    }

    pub fn url(&self, database: &str) -> String {
        let socket = self.socket.path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{socket}:5432/{database}")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        server::end(&mut self.child, "INT", PATIENCE);
    }
}

fn init(mut initdb: Command, data: &Path) -> Result<()> {
    eprintln!("making a PostgreSQL cluster in {}", data.display());
    let output = initdb
        .arg("-D")
        .arg(data)
        .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("initdb failed (its user has to be able to reach the folder, see --dir):\n{error}").into())
}

/// The folder of the newest server's programs, and its version.
fn find(given: Option<&Path>) -> Result<(PathBuf, String)> {
    let mut folders: Vec<PathBuf> = given.map(Path::to_owned).into_iter().collect();
    if folders.is_empty() {
        if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
            folders.push(String::from_utf8_lossy(&output.stdout).trim().into());
        }
        for (parent, prefix) in [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")] {
            let entries = fs::read_dir(parent).into_iter().flatten().flatten();
            let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
            folders.extend(ours.map(|entry| entry.path().join("bin")));
        }
    }
    let version = |folder: &PathBuf| {
        let whole = ["initdb", "pg_ctl", "pgbench"].iter().all(|name| folder.join(name).exists());
        let output = Command::new(folder.join("postgres")).arg("--version").output().ok().filter(|_| whole)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.strip_prefix("postgres (PostgreSQL) ")?.split_whitespace().next()?.to_owned();
        let major = version.split('.').next()?.parse::<u32>().ok()?;
        Some((major, version))
    };
    let found = folders.into_iter().filter_map(|folder| version(&folder).map(|version| (version, folder)));
    let newest = found.filter(|((major, _), _)| *major >= 15).max_by_key(|((major, _), _)| *major);
    let ((_, version), folder) = newest.ok_or(
        "no PostgreSQL 15 or newer with pgbench was found: `sudo apt-get install postgresql`, or name it by --pg-bin",
    )?;
    Ok((folder, version))
}

/// Whom root lends the cluster to.
fn owner() -> Result<Option<(u32, u32)>> {
    let id = |args: &[&str]| -> Result<u32> {
        let output = Command::new("id").args(args).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    let user = || -> Result<_> { Ok(Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?))) };
    user().map_err(|_| "PostgreSQL does not run as root, and there is no user postgres to lend it to".into())
}
