//! The measure to reach: pgbench with the very statements that the server sent for a request, prepared, without us.

use std::{
    collections::HashMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Result, capture::Statement, postgres::Cluster};

/// Each connection plans each script's statements some times before it settles on a plan, so there are few scripts.
pub const MOST_VARIANTS: usize = 4;

/// A pgbench ready to run.
#[derive(Debug)]
pub struct Peer {
    /// Where its scripts are, to be looked at afterwards.
    folder: PathBuf,
    args: Vec<String>,
}

/// What a run came to.
#[derive(Clone, Copy, Debug)]
pub struct Transactions {
    pub count: f64,
    /// A second.
    pub rate: f64,
}

impl Peer {
    /// From what each of several requests of one kind made the server send. Where they write, the ids that differ between
    /// them are new ones, and pgbench makes new ones too.
    pub fn new(
        cluster: &Cluster,
        database: &str,
        folder: &Path,
        requests: &[Vec<Statement>],
        writes: bool,
    ) -> Result<Self> {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder)?;
        let mut args: Vec<String> =
            ["-n", "-M", "prepared", "-U", "postgres", "-p", "5432", "-h"].map(str::to_owned).into();
        args.push(cluster.socket.path().display().to_string());
        let fresh = if writes { fresh_ids(requests) } else { HashMap::new() };
        let used = if writes { &requests[..1] } else { requests };
        for (variant, statements) in used.iter().take(MOST_VARIANTS).enumerate() {
            let mut script = String::new();
            if writes {
                // Ascending, and others for each client and each run.
                script.push_str("\\set n :n + 1\n");
                for place in 0..fresh.len() {
                    writeln!(script, "\\set id{place} :n * 4096 + :client_id * 16 + {place}")?;
                }
            }
            for (place, statement) in statements.iter().enumerate() {
                let text = statement.with(|parameter, value| match value {
                    None => "null".to_owned(),
                    Some(value) if fresh.contains_key(value) => {
                        format!("lpad(to_hex(:id{}::bigint), 32, '0')::uuid", fresh[value])
                    }
                    Some(value) => {
                        let name = format!("v{variant}_{place}_{parameter}");
                        args.extend(["-D".to_owned(), format!("{name}={value}")]);
                        format!(":{name}{}", cast(value))
                    }
                });
                writeln!(script, "{};", text.trim().trim_end_matches(';'))?;
            }
            let file = folder.join(format!("{variant}.sql"));
            fs::write(&file, script)?;
            args.extend(["-f".to_owned(), file.display().to_string()]);
        }
        args.push(database.to_owned());
        Ok(Self { folder: folder.to_owned(), args })
    }

    /// With so many connections, for so long and a second more, which is not in the rate: there the plans are made.
    pub fn run(&self, cluster: &Cluster, concurrency: u16, seconds: u8) -> Result<Transactions> {
        // Room for 2^18 transactions of a client in each second since that one.
        let seconds_since_2025 = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_secs().saturating_sub(1_735_689_600);
        let output = Command::new(cluster.programs.join("pgbench"))
            .current_dir(&self.folder)
            .env_clear()
            .env("LC_ALL", "C")
            .args(["-c", &concurrency.to_string(), "-j", &concurrency.min(2).to_string(), "-P", "1"])
            .args(["-T", &(u32::from(seconds) + 1).to_string()])
            .args(["-D", &format!("n={}", seconds_since_2025 << 18)])
            .args(&self.args)
            .output()?;
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let number = |text: &str, name: &str| -> Option<f64> {
            text.lines().find_map(|line| line.strip_prefix(name)?.split([' ', ',']).next()?.parse().ok())
        };
        let (count, rate) = (number(&out, "number of transactions actually processed: "), number(&out, "tps = "));
        // `progress: 1.0 s, 2763.1 tps, ..`
        let begin = number(&error, "progress: ");
        let early = error.lines().find_map(|line| line.split(", ").nth(1)?.strip_suffix(" tps")?.parse::<f64>().ok());
        match (count, rate, begin, early) {
            (Some(count), Some(rate), Some(begin), Some(early))
                if output.status.success() && !error.contains("ERROR") =>
            {
                Ok(Transactions { count, rate: (count - early * begin) / (count / rate - begin) })
            }
            _ => Err(format!("pgbench failed:\n{error}{out}").into()),
        }
    }
}

/// The ids among the first request's values that another request has other ones for, numbered.
fn fresh_ids(requests: &[Vec<Statement>]) -> HashMap<String, usize> {
    let mut fresh = HashMap::new();
    let [one, other, ..] = requests else { return fresh };
    let values = |statements: &[Statement]| -> Vec<Option<String>> {
        statements.iter().flat_map(|statement| statement.values.clone()).collect()
    };
    for pair in values(one).into_iter().zip(values(other)) {
        let number = fresh.len();
        if let (Some(one), Some(other)) = pair
            && one != other
            && is_id(&one)
        {
            fresh.entry(one).or_insert(number);
        }
    }
    fresh
}

/// The server tells PostgreSQL the types of its values, pgbench does not; where PostgreSQL cannot guess, they are ids.
fn cast(value: &str) -> &'static str {
    let list = value.strip_prefix('{').and_then(|value| value.strip_suffix('}'));
    match list {
        Some(list) if list.split(',').all(is_id) => "::uuid[]",
        None if is_id(value) => "::uuid",
        _ => "",
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
