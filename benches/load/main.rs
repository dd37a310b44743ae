//! `make bench`: the server as a process of its own under load, on PostgreSQL and SQLite, beside pgbench with the same
//! statements. See `docs/performance.md`.

#![expect(clippy::disallowed_methods, reason = "what it reads is what our own server and programs wrote")]
#![expect(clippy::cast_precision_loss, reason = "counts of a few seconds, which a float holds")]

mod capture;
mod client;
mod data;
mod growth;
mod jobs;
mod measure;
mod options;
mod pgbench;
mod postgres;
mod report;
mod server;
mod usage;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use self::{
    capture::capture,
    client::Connection,
    data::{Data, Sizes},
    growth::Grower,
    measure::{Figures, PeerFigures, Watched, median},
    options::{Database, Options},
    pgbench::{MOST_VARIANTS, Peer},
    postgres::{Cluster, SETTINGS},
    report::{Report, Row, Start},
    server::{Caller, Ready, Server},
};

type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// After so long a server without requests has come to rest.
const REST: Duration = Duration::from_secs(1);

/// One thread: what the load generator does not use is left to what it measures.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::read();
    // Ctrl-C reaches all processes; those that we started end in order with their values here.
    let stopped = async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Err("stopped".into())
    };
    let done = tokio::select! {
        done = run(&options) => done,
        stopped = stopped => stopped,
    };
    match done {
        Ok(report) if options.json => println!("{:#}", report.json()),
        Ok(report) => print!("{}", report.markdown()),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

async fn run(options: &Options) -> Result<Report> {
    fs::create_dir_all(&options.dir)?;
    let lock = File::create(options.dir.join("lock"))?;
    lock.try_lock().map_err(|_| "another benchmark uses this folder")?;
    let binary = match &options.binary {
        Some(binary) => binary.canonicalize()?,
        None => build()?,
    };
    let sizes = Sizes::of(options);
    let mut report = Report { notes: notes(options, sizes), ..Report::default() };
    for database in options.databases() {
        let cluster = match database {
            Database::Postgres => Some(Cluster::start(&options.dir, options.pg_bin.as_deref()).await?),
            Database::Sqlite => None,
        };
        if let Some(cluster) = &cluster {
            let settings: Vec<_> = SETTINGS.iter().map(|(name, value)| format!("{name} {value}")).collect();
            report.notes.push(format!(
                "PostgreSQL {} over a Unix socket, durable (fsync on), {}",
                cluster.version,
                settings.join(", ")
            ));
        }
        let data = Data::open(&options.dir, &binary, sizes, cluster.as_ref()).await?;
        let (server, start) = start(options, &binary, database, &data).await?;
        report.starts.push(start);
        if options.growth {
            let grower = Grower { options, binary: &binary, database, cluster: cluster.as_ref() };
            report.growth.extend(grower.grow(server, &data, sizes).await?);
        } else {
            let bench = Bench { options, database, data: &data, cluster: cluster.as_ref(), servers: [server] };
            report.rows.extend(bench.run().await?);
        }
    }
    Ok(report)
}

fn notes(options: &Options, sizes: Sizes) -> Vec<String> {
    let Sizes { users, sessions, audit_logs } = sizes;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let Options { rounds, seconds, .. } = options;
    vec![
        format!("{users} users, {sessions} sessions, {audit_logs} audit logs; {cores} cores for everything"),
        format!("medians of {rounds} alternating rounds of {seconds} s"),
        "the server's settings are the defaults (authentication, guards, limits, JSON log to a file); no limit was raised, \
         the cost a minute neither"
            .to_owned(),
    ]
}

/// The release binary; where that lies, Cargo knows best.
fn build() -> Result<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--release", "--locked", "--bin", "guardianeye"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()?;
    let built = output.stdout.split(|byte| *byte == b'\n').find_map(|line| {
        let message: Value = serde_json::from_slice(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    built.filter(|_| output.status.success()).ok_or_else(|| "the build failed".into())
}

/// Starts the server, as often as there are rounds: the last one is kept.
async fn start(options: &Options, binary: &Path, database: Database, data: &Data) -> Result<(Server, Start)> {
    let log = options.dir.join("server.log");
    let mut server = Server::start(binary, &data.url, &log).await?;
    let mut times = vec![server.ready];
    for _ in 1..options.rounds {
        drop(server);
        server = Server::start(binary, &data.url, &log).await?;
        times.push(server.ready);
    }
    tokio::time::sleep(REST).await;
    let ready = median(times.iter().map(|time| time.as_secs_f64() * 1_000.0));
    let (idle_memory, own_idle_memory) = usage::memory(server.pid())?;
    let start = Start { database, ready, idle_memory, own_idle_memory };
    Ok((server, start))
}

/// The jobs on one database.
struct Bench<'a> {
    options: &'a Options,
    database: Database,
    data: &'a Data,
    cluster: Option<&'a Cluster>,
    servers: [Server; 1],
}

/// What the rounds of a job at one concurrency came to.
#[derive(Default)]
struct Rounds {
    ready: Option<Ready>,
    ours: Vec<Figures>,
    peer: Vec<PeerFigures>,
}

impl Bench<'_> {
    async fn run(&self) -> Result<Vec<Row>> {
        let Options { queries, concurrency, rounds, seconds, .. } = self.options;
        let mut caller = Caller::sign_in(&self.servers[0]).await?;
        let mut peers = Vec::new();
        for job in queries {
            eprintln!("{} {}: {}", self.database.name(), job.name, job.what);
            peers.push(self.peer(job, &mut caller).await?);
        }
        let watched = Watched { servers: &self.servers, cluster: self.cluster };
        let cases: Vec<_> =
            (0..queries.len()).flat_map(|job| concurrency.iter().map(move |at_once| (job, *at_once))).collect();
        let mut results: Vec<Rounds> = cases.iter().map(|_| Rounds::default()).collect();
        for round in 1..=*rounds {
            for (&(place, at_once), result) in cases.iter().zip(&mut results) {
                let job = queries[place];
                // Writes of the last round may have changed the answers, so they are looked at again.
                let ready = caller.prepare(job).await?;
                let length = Duration::from_secs((*seconds).into());
                let ours = watched.measure(&ready.exchanges, at_once, length).await?;
                let told = format!("{:.0}/s, p50 {:.2} ms", ours.rate, ours.p50);
                eprintln!("{} {round}/{rounds} {} x {at_once}: {told}", self.database.name(), job.name);
                if let (Some(peer), Some(cluster)) = (&peers[place], self.cluster) {
                    let peer = watched.measure_peer(|| peer.run(cluster, at_once, *seconds))?;
                    eprintln!("    pgbench {:.0}/s, ratio {:.2}", peer.rate, ours.rate / peer.rate);
                    result.peer.push(peer);
                }
                result.ours.push(ours);
                result.ready = Some(ready);
            }
        }
        let rows = cases.into_iter().zip(results).map(|((place, concurrency), result)| {
            let Rounds { ready, ours, peer } = result;
            Ok(Row {
                database: self.database,
                job: queries[place].name,
                concurrency,
                ready: ready.ok_or("a job without a round")?,
                ours: Figures::median(&ours),
                peer: (!peer.is_empty()).then(|| PeerFigures::median(&peer)),
            })
        });
        rows.collect()
    }

    /// Its statements for pgbench, where there is one to compare with.
    async fn peer(&self, job: &jobs::Job, caller: &mut Caller) -> Result<Option<Peer>> {
        let ready = caller.prepare(job).await?;
        let Some(cluster) = self.cluster.filter(|_| job.has_peer() && !self.options.no_pgbench) else {
            return Ok(None);
        };
        let mut requests: Vec<_> =
            ready.exchanges.iter().take(MOST_VARIANTS).map(|exchange| exchange.request.clone()).collect();
        if job.writes() {
            requests.push(requests[0].clone());
        }
        let mut connection = Connection::open(self.servers[0].address).await?;
        let captured =
            capture(cluster, &mut connection, &requests).await.map_err(|error| format!("{}: {error}", job.name))?;
        let folder = self.options.dir.join("pgbench").join(job.name);
        Ok(Some(Peer::new(cluster, &self.data.name, &folder, &captured, job.writes())?))
    }
}
