//! One measurement: so many connections, for so long, and what everybody used meanwhile.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    Result,
    client::{Connection, Exchange, load},
    pgbench::Transactions,
    postgres::Cluster,
    server::Server,
    usage,
};

/// What a measurement came to. Times are milliseconds; processor times are for one request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub rate: f64,
    pub p50: f64,
    pub p99: f64,
    pub server_cpu: f64,
    pub database_cpu: f64,
    pub client_cpu: f64,
    /// Resident memory of one server, the most that was seen, in MiB.
    pub memory: f64,
    /// The same without mapped files.
    pub own_memory: f64,
    /// Processors that others kept busy; what was measured beside them is not worth much.
    pub others: f64,
}

/// The same for pgbench.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeerFigures {
    pub rate: f64,
    pub database_cpu: f64,
    pub client_cpu: f64,
    pub others: f64,
}

/// Who is watched.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'a> {
    pub servers: &'a [Server],
    pub cluster: Option<&'a Cluster>,
}

/// Processor time of the servers, the database, this program, its children that have ended, and the whole machine.
#[derive(Clone, Copy)]
struct Cpu {
    servers: Duration,
    database: Duration,
    own: Duration,
    children: Duration,
    all: Duration,
}

impl Cpu {
    /// What was added since then.
    fn since(self, before: Self) -> Self {
        Self {
            servers: self.servers.saturating_sub(before.servers),
            database: self.database.saturating_sub(before.database),
            own: self.own.saturating_sub(before.own),
            children: self.children.saturating_sub(before.children),
            all: self.all.saturating_sub(before.all),
        }
    }

    /// How many processors those kept busy that are none of these.
    fn others(self, elapsed: Duration) -> f64 {
        let ours = self.servers + self.database + self.own + self.children;
        self.all.saturating_sub(ours).as_secs_f64() / elapsed.as_secs_f64()
    }
}

impl Watched<'_> {
    fn cpu(&self) -> Result<Cpu> {
        let (own, children) = usage::cpu_of_this()?;
        Ok(Cpu {
            servers: self.servers.iter().map(|server| usage::cpu(server.pid())).sum::<Result<_>>()?,
            database: self.cluster.map_or(Ok(Duration::ZERO), |cluster| usage::cpu_of_family(cluster.pid()))?,
            own,
            children,
            all: usage::cpu_of_all()?,
        })
    }

    /// Warms up, then measures.
    pub async fn measure(&self, exchanges: &Arc<[Exchange]>, concurrency: u16, length: Duration) -> Result<Figures> {
        let mut connections = Vec::new();
        for place in 0..concurrency {
            let server = &self.servers[usize::from(place) % self.servers.len()];
            connections.push(Connection::open(server.address).await?);
        }
        let warm = (length / 5).clamp(Duration::from_millis(200), Duration::from_millis(500));
        let (connections, _) = load(connections, exchanges, warm).await?;
        let before = self.cpu()?;
        let mut memory = (0.0, 0.0);
        let (_, stretch) = tokio::select! {
            done = load(connections, exchanges, length) => done?,
            error = watch_memory(self.servers[0].pid(), &mut memory) => return Err(error),
        };
        let used = self.cpu()?.since(before);
        let requests = stretch.micros.len();
        let each = |time: Duration| time.as_secs_f64() * 1_000.0 / requests as f64;
        let part = |percent: usize| f64::from(stretch.micros[(requests - 1) * percent / 100]) / 1_000.0;
        Ok(Figures {
            rate: requests as f64 / stretch.elapsed.as_secs_f64(),
            p50: part(50),
            p99: part(99),
            server_cpu: each(used.servers),
            database_cpu: each(used.database),
            client_cpu: each(used.own),
            memory: memory.0,
            own_memory: memory.1,
            others: used.others(stretch.elapsed),
        })
    }

    /// Runs pgbench, and adds what was used.
    pub fn measure_peer(&self, run: impl FnOnce() -> Result<Transactions>) -> Result<PeerFigures> {
        let (before, started) = (self.cpu()?, Instant::now());
        let Transactions { count, rate } = run()?;
        // PostgreSQL needs a moment to take leave of its processes, until which their time is nobody's.
        std::thread::sleep(Duration::from_millis(100));
        let (used, elapsed) = (self.cpu()?.since(before), started.elapsed());
        let each = |time: Duration| time.as_secs_f64() * 1_000.0 / count;
        Ok(PeerFigures {
            rate,
            database_cpu: each(used.database),
            client_cpu: each(used.children),
            others: used.others(elapsed),
        })
    }
}

async fn watch_memory(pid: u32, most: &mut (f64, f64)) -> Box<dyn std::error::Error + Send + Sync> {
    loop {
        match usage::memory(pid) {
            Ok((all, own)) => *most = (most.0.max(all), most.1.max(own)),
            Err(error) => return error,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The middle one; of an even number, the upper of the two in the middle.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

impl Figures {
    /// Of each figure the median.
    pub fn median(all: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(all.iter().map(figure));
        Self {
            rate: of(|figures| figures.rate),
            p50: of(|figures| figures.p50),
            p99: of(|figures| figures.p99),
            server_cpu: of(|figures| figures.server_cpu),
            database_cpu: of(|figures| figures.database_cpu),
            client_cpu: of(|figures| figures.client_cpu),
            memory: of(|figures| figures.memory),
            own_memory: of(|figures| figures.own_memory),
            others: of(|figures| figures.others),
        }
    }

    pub fn json(&self) -> Value {
        json!({
            "requestsPerSecond": round(self.rate), "p50Ms": round(self.p50), "p99Ms": round(self.p99),
            "serverCpuMs": round(self.server_cpu), "databaseCpuMs": round(self.database_cpu),
            "clientCpuMs": round(self.client_cpu), "serverMemoryMiB": round(self.memory),
            "serverMemoryWithoutFilesMiB": round(self.own_memory), "othersCores": round(self.others),
        })
    }
}

impl PeerFigures {
    pub fn median(all: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(all.iter().map(figure));
        Self {
            rate: of(|figures| figures.rate),
            database_cpu: of(|figures| figures.database_cpu),
            client_cpu: of(|figures| figures.client_cpu),
            others: of(|figures| figures.others),
        }
    }

    pub fn json(&self) -> Value {
        json!({
            "transactionsPerSecond": round(self.rate), "databaseCpuMs": round(self.database_cpu),
            "clientCpuMs": round(self.client_cpu), "othersCores": round(self.others),
        })
    }
}

/// To a thousandth.
fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
