//! The server under test: a process of its own with the settings of production, and the caller that asks it.

use std::{
    fs::File,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    Result,
    client::{Connection, Exchange, get, post},
    jobs::{self, Job, PASSWORD},
};

/// How long a start may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// An access token holds for a quarter of an hour.
const TOKEN_LASTS: Duration = Duration::from_mins(8);

/// A running server; ends with the value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process until it answered that it is ready.
    pub ready: Duration,
}

impl Server {
    /// All settings are the defaults, but for a free port and log lines as collectors want them, which go to a file.
    pub async fn start(binary: &Path, url: &str, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        let started = Instant::now();
        let mut child = Command::new(binary)
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", url)
            .env("GUARDIANEYE_PORT", "0")
            .env("GUARDIANEYE_LOG_FORMAT", "json")
            .env("GUARDIANEYE_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", binary.display()))?;
        let address = loop {
            let text = std::fs::read_to_string(log)?;
            if let Some((_, rest)) = text.split_once("listening on http://")
                && let Some((address, _)) = rest.split_once(' ')
            {
                break address.parse()?;
            }
            if child.try_wait()?.is_some() || started.elapsed() > PATIENCE {
                let _ = child.kill();
                return Err(format!("the server did not start:\n{text}").into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        let mut server = Self { child, address, ready: Duration::ZERO };
        let (status, _) = Connection::open(address).await?.send(&get("/health/ready")).await?;
        if status != 200 {
            return Err(format!("the server says by {status} that it is not ready").into());
        }
        server.ready = started.elapsed();
        Ok(server)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child, "TERM", Duration::from_secs(10));
    }
}

/// Asks a process to end, and ends it when it does not.
pub fn end(child: &mut Child, signal: &str, patience: Duration) {
    let asked = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
    let until = Instant::now() + patience;
    while asked.is_ok() && Instant::now() < until {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            _ => return,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The first admin, signed in.
#[derive(Debug)]
pub struct Caller {
    connection: Connection,
    token: String,
    since: Instant,
    /// Users by whose ids is asked; each has enough of everything.
    pub users: Vec<String>,
}

/// A job that has been tried and is right.
#[derive(Clone, Debug)]
pub struct Ready {
    pub exchanges: Arc<[Exchange]>,
    /// What the receipt says, of the first body; a request without a token has none.
    pub statements: Option<u64>,
    pub cost: Option<u64>,
    /// What the answers have.
    pub rows: usize,
}

impl Ready {
    pub fn bytes(&self) -> usize {
        self.exchanges.first().map_or(0, |exchange| exchange.bytes)
    }
}

impl Caller {
    pub async fn sign_in(server: &Server) -> Result<Self> {
        let connection = Connection::open(server.address).await?;
        let mut caller = Self { connection, token: String::new(), since: Instant::now(), users: Vec::new() };
        caller.renew().await?;
        // The admin is the newest user, so Q1 shows it: its lists have to be full before anything is measured.
        let session = json!({ "input": { "title": "Before the measurement" } });
        for _ in 0..10 {
            let create = "mutation($input: CreateSessionInput!) { createSession(input: $input) { session { id } } }";
            caller.ask(create, &session).await?;
        }
        // The lists of users with low numbers are long.
        let users = "{ users(first: 32, orderBy: {field: USERNAME, direction: ASC}, filter: {username: {startsWith: \"user-\"}}) { nodes { id } } }";
        let data = caller.ask(users, &json!({})).await?;
        let ids = jobs::nodes(&data, "users")?.iter().filter_map(|user| user["id"].as_str());
        caller.users = ids.map(str::to_owned).collect();
        Ok(caller)
    }

    async fn renew(&mut self) -> Result<()> {
        self.token.clear();
        let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
        let data = self.ask(login, &json!({ "input": { "username": "admin", "password": PASSWORD } })).await?;
        data["login"]["accessToken"].as_str().ok_or("no token")?.clone_into(&mut self.token);
        self.since = Instant::now();
        Ok(())
    }

    /// The `data` of an answer without errors.
    pub async fn ask(&mut self, document: &str, variables: &Value) -> Result<Value> {
        let body = jobs::body(document, variables);
        let mut answer = self.answer(&body, !self.token.is_empty(), false).await?.0;
        Ok(answer["data"].take())
    }

    /// A request with our token.
    pub fn request(&self, body: &str, signed_in: bool, receipt: bool) -> Vec<u8> {
        post(signed_in.then_some(&*self.token), receipt, body)
    }

    /// An answer without errors, and its length.
    pub async fn answer(&mut self, body: &str, signed_in: bool, receipt: bool) -> Result<(Value, usize)> {
        let request = self.request(body, signed_in, receipt);
        let (status, bytes) = self.connection.send(&request).await?;
        let answer: Value = serde_json::from_slice(bytes)?;
        if status != 200 || answer.get("errors").is_some() {
            return Err(format!("{status} {answer} to {body}").into());
        }
        Ok((answer, bytes.len()))
    }

    /// Sends each of the job's bodies, looks at the answers, and makes ready what the load generator sends.
    pub async fn prepare(&mut self, job: &Job) -> Result<Ready> {
        if self.since.elapsed() > TOKEN_LASTS {
            self.renew().await?;
        }
        let check = |answer: &Value| job.check(&answer["data"]).map_err(|error| format!("{}: {error}", job.name));
        let (mut exchanges, mut first) = (Vec::new(), None);
        for body in job.bodies(&self.users) {
            let (answer, bytes) = self.answer(&body, job.signed_in(), false).await?;
            check(&answer)?;
            // Right after another one, as while measuring: who asks is known.
            if first.is_none() {
                let (answer, _) = self.answer(&body, job.signed_in(), true).await?;
                let receipt = |field| answer["extensions"]["receipt"][field].as_u64();
                let (statements, cost) = (receipt("statements"), receipt("cost"));
                if job.signed_in() && (statements.is_none() || cost.is_none()) {
                    return Err(format!("{}: no receipt", job.name).into());
                }
                first = Some((statements, cost, check(&answer)?));
            }
            exchanges.push(Exchange { request: self.request(&body, job.signed_in(), false), bytes });
        }
        let (statements, cost, rows) = first.ok_or("a job without a body")?;
        Ok(Ready { exchanges: exchanges.into(), statements, cost, rows })
    }
}
