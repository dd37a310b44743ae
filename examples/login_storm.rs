//! How long a read takes while two hundred log in at the same time, beside how long it takes alone, and how much memory
//! the server took: `cargo run --example login_storm -- target/release/guardianeye [DATABASE_URL]`.
//! Without a URL it is a new SQLite file; a PostgreSQL database should be an empty one that may be thrown away.

use std::{
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const LOGINS: usize = 200;
const READERS: usize = 2;
const PHASE: Duration = Duration::from_secs(10);
const LOGIN: &str =
    r#"{"query":"mutation { login(input: {username: \"admin\", password: \"admin\"}) { accessToken } }"}"#;
/// The page that somebody waits for.
const READ: &str = r#"{"query":"{ users(first: 20) { nodes { username sessions(first: 5) { nodes { title } } auditLogs(first: 10) { nodes { action timestamp } } } } }"}"#;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let binary = args.next().ok_or("which binary? for example target/release/guardianeye")?;
    let folder = tempfile::tempdir()?;
    let url = args.next().unwrap_or_else(|| format!("sqlite:{}", folder.path().join("storm.db").display()));
    for command in [&["init"][..], &["seed", "--users", "500", "--sessions", "5000", "--audit-logs", "50000"]] {
        let done =
            Command::new(&binary).arg("db").args(command).env("DATABASE_URL", &url).stdout(Stdio::null()).status()?;
        if !done.success() {
            return Err(format!("db {} failed", command[0]).into());
        }
    }
    let server = Server::start(&binary, &url)?;
    let answer = Connection::open(server.port)?.post("", LOGIN)?;
    let token = answer.split(r#""accessToken":""#).nth(1).and_then(|rest| rest.split('"').next());
    let token: Arc<str> = token.ok_or("no login")?.into();

    let cores = thread::available_parallelism()?;
    println!("{cores} cores; {READERS} readers, {} s each phase; {url}", PHASE.as_secs());
    // The first second fills caches and opens connections.
    read_for(server.port, &token, Duration::from_secs(1))?;
    let memory = server.peak_memory();
    tell("reads alone", read_for(server.port, &token, PHASE)?);

    let storm = Storm::default();
    let begin = Arc::new(Barrier::new(LOGINS + 1));
    let logins: Vec<_> = (0..LOGINS)
        .map(|_| {
            let (storm, begin, port) = (storm.clone(), Arc::clone(&begin), server.port);
            thread::spawn(move || {
                begin.wait();
                storm.rage(port)
            })
        })
        .collect();
    begin.wait();
    let during = read_for(server.port, &token, PHASE);
    storm.over.store(true, Relaxed);
    let mut waits = Vec::new();
    for login in logins {
        waits.extend(login.join().map_err(|_| "a login panicked")??);
    }
    tell("reads during the storm", during?);
    tell(&format!("logins, {LOGINS} at a time"), waits);
    let (done, told) = (storm.done.load(Relaxed), storm.told_to_wait.load(Relaxed));
    println!("{done} logged in, {told} were told to come back (RATE_LIMITED)");
    if let (Some(before), Some(after)) = (memory, server.peak_memory()) {
        println!("peak of memory: {} MiB before the storm, {} MiB after it", before / 1024, after / 1024);
    }
    Ok(())
}

/// Reads over and over again, and how long each took.
fn read_for(port: u16, token: &Arc<str>, time: Duration) -> Result<Vec<Duration>> {
    let end = Instant::now() + time;
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let token = Arc::clone(token);
            thread::spawn(move || -> Result<Vec<Duration>> {
                let mut connection = Connection::open(port)?;
                let mut times = Vec::new();
                while Instant::now() < end {
                    let begun = Instant::now();
                    let answer = connection.post(&token, READ)?;
                    times.push(begun.elapsed());
                    if answer.contains(r#""errors""#) {
                        return Err(format!("a read failed: {answer}").into());
                    }
                }
                Ok(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for reader in readers {
        times.extend(reader.join().map_err(|_| "a reader panicked")??);
    }
    Ok(times)
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times.get((times.len() * part / 100).min(times.len().saturating_sub(1))).copied();
    let [p50, p95, last] = [50, 95, 100].map(|part| at(part).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3));
    println!("{what:28} {:6} times, p50 {p50:8.1} ms, p95 {p95:8.1} ms, longest {last:8.1} ms", times.len());
}

/// Those who log in, again and again.
#[derive(Clone, Default)]
struct Storm {
    over: Arc<AtomicBool>,
    done: Arc<AtomicU32>,
    told_to_wait: Arc<AtomicU32>,
}

impl Storm {
    fn rage(&self, port: u16) -> Result<Vec<Duration>> {
        let mut connection = Connection::open(port)?;
        let mut times = Vec::new();
        while !self.over.load(Relaxed) {
            let begun = Instant::now();
            let answer = connection.post("", LOGIN)?;
            times.push(begun.elapsed());
            if answer.contains("accessToken") {
                self.done.fetch_add(1, Relaxed);
            } else if answer.contains("RATE_LIMITED") {
                self.told_to_wait.fetch_add(1, Relaxed);
            } else {
                return Err(format!("a login failed: {answer}").into());
            }
        }
        Ok(times)
    }
}

/// A connection that stays open from one request to the next.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(port: u16) -> Result<Self> {
        Ok(Self(BufReader::new(TcpStream::connect(("127.0.0.1", port))?)))
    }

    fn post(&mut self, token: &str, body: &str) -> Result<String> {
        let authorization = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        let head = format!(
            "POST /graphql HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.0.get_mut().write_all(format!("{head}{body}").as_bytes())?;
        let mut length = None;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err("the server hung up".into());
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse()?);
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut answer = vec![0; length.ok_or("an answer without a length")?];
        self.0.read_exact(&mut answer)?;
        Ok(String::from_utf8(answer)?)
    }
}

/// The server, which ends with this program.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(binary: &str, url: &str) -> Result<Self> {
        let child = Command::new(binary)
            .args(["serve", "--port", "0"])
            .env("DATABASE_URL", url)
            .stderr(Stdio::piped())
            .spawn()?;
        let mut server = Self { child, port: 0 };
        let mut lines = BufReader::new(server.child.stderr.take().ok_or("no log")?).lines();
        while let Some(Ok(line)) = lines.next() {
            if let Some((_, address)) = line.split_once("listening on http://") {
                let address = address.split_whitespace().next().unwrap_or_default();
                server.port = address.rsplit(':').next().unwrap_or_default().parse()?;
                // Somebody has to read on, or the server would wait to be read.
                thread::spawn(move || lines.for_each(drop));
                return Ok(server);
            }
        }
        Err("the server did not start".into())
    }

    /// In KiB, as Linux counts it.
    fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().trim_end_matches(" kB").parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
