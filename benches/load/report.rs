//! What comes out: tables in Markdown, or one JSON object. Fields of it may be added, none is removed or renamed.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    measure::{Figures, PeerFigures},
    options::Database,
    server::Ready,
};

/// A job at one concurrency on one database, with the medians of its rounds.
#[derive(Debug)]
pub struct Row {
    pub database: Database,
    pub job: &'static str,
    pub concurrency: u16,
    pub ready: Ready,
    pub ours: Figures,
    pub peer: Option<PeerFigures>,
}

/// How the server behaves on a database without load.
#[derive(Debug)]
pub struct Start {
    pub database: Database,
    /// Until it is ready, in milliseconds.
    pub ready: f64,
    /// Resident memory some time after that, in MiB, and without mapped files.
    pub idle_memory: f64,
    pub own_idle_memory: f64,
}

/// A table about growth.
#[derive(Debug)]
pub struct Growth {
    pub database: Database,
    pub title: &'static str,
    pub rows: Vec<GrowthRow>,
}

#[derive(Debug)]
pub struct GrowthRow {
    pub case: String,
    pub statements: u64,
    pub rows: usize,
    pub figures: Figures,
}

#[derive(Debug, Default)]
pub struct Report {
    /// How it was measured, in sentences.
    pub notes: Vec<String>,
    pub starts: Vec<Start>,
    pub rows: Vec<Row>,
    pub growth: Vec<Growth>,
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.peer.map(|peer| self.ours.rate / peer.rate)
    }

    /// The ratio that rates would have, were nobody else on the machine and all of it busy.
    fn cpu_ratio(&self) -> Option<f64> {
        let ours = self.ours.server_cpu + self.ours.database_cpu + self.ours.client_cpu;
        self.peer.map(|peer| (peer.database_cpu + peer.client_cpu) / ours)
    }
}

impl Report {
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for note in &self.notes {
            line(&mut out, &format!("- {note}"));
        }
        line(&mut out, "\n| database | start to ready ms | idle MiB | without files |\n|---|---:|---:|---:|");
        for Start { database, ready, idle_memory, own_idle_memory } in &self.starts {
            line(&mut out, &format!("| {} | {ready:.0} | {idle_memory:.1} | {own_idle_memory:.1} |", database.name()));
        }
        if !self.rows.is_empty() {
            line(
                &mut out,
                "\n| database | query | concurrency | requests/s | p50 ms | p99 ms | server CPU ms | database CPU ms | client CPU ms \
                 | server MiB | without files | statements | rows | bytes | pgbench/s | ours / pgbench | by CPU | pgbench: database CPU ms | others |\n\
                 |---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
            );
        }
        for row in &self.rows {
            let Row { database, job, concurrency, ready, ours, peer } = row;
            let start = format!("| {} | {job} | {concurrency} ", database.name());
            let peer = match (peer, row.ratio(), row.cpu_ratio()) {
                (Some(peer), Some(ratio), Some(by_cpu)) => {
                    format!("{:.0} | {ratio:.2} | {by_cpu:.2} | {:.3}", peer.rate, peer.database_cpu)
                }
                _ => "| | |".to_owned(),
            };
            let statements = ready.statements.map(|statements| statements.to_string()).unwrap_or_default();
            let rows = ready.rows;
            line(
                &mut out,
                &format!(
                    "{start}{}| {statements} | {rows} | {} | {peer} | {:.2} |",
                    cells(ours),
                    ready.bytes(),
                    ours.others
                ),
            );
        }
        for Growth { database, title, rows } in &self.growth {
            line(
                &mut out,
                &format!(
                    "\n{title}, {}:\n\n| case | requests/s | p50 ms | p99 ms | server CPU ms | database CPU ms | client CPU ms \
                     | server MiB | without files | statements | rows | others |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
                    database.name()
                ),
            );
            for GrowthRow { case, statements, rows, figures } in rows {
                line(
                    &mut out,
                    &format!("| {case} {}| {statements} | {rows} | {:.2} |", cells(figures), figures.others),
                );
            }
        }
        let targets = self.targets();
        if !targets.is_empty() {
            line(&mut out, "\n| target | wanted | measured | |\n|---|---:|---:|---|");
            for Target { what, wanted, measured, met } in targets {
                line(
                    &mut out,
                    &format!("| {what} | {wanted} | {measured:.2} | {} |", if met { "met" } else { "missed" }),
                );
            }
        }
        out
    }

    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "database": row.database.name(), "query": row.job, "concurrency": row.concurrency,
                "statements": row.ready.statements, "cost": row.ready.cost, "rows": row.ready.rows,
                "bytes": row.ready.bytes(), "ours": row.ours.json(),
                "pgbench": row.peer.map(|peer| peer.json()), "ratio": row.ratio(), "cpuRatio": row.cpu_ratio(),
            })
        });
        let starts = self.starts.iter().map(|start| {
            json!({ "database": start.database.name(), "readyMs": start.ready, "idleMemoryMiB": start.idle_memory, "idleMemoryWithoutFilesMiB": start.own_idle_memory })
        });
        let growth = self.growth.iter().map(|table| {
            let rows = table.rows.iter().map(|row| {
                json!({
                    "case": row.case, "statements": row.statements, "rows": row.rows, "ours": row.figures.json(),
                })
            });
            json!({ "database": table.database.name(), "title": table.title, "rows": rows.collect::<Vec<_>>() })
        });
        let targets = self.targets().into_iter().map(|Target { what, wanted, measured, met }| {
            json!({ "what": what, "wanted": wanted, "measured": measured, "met": met })
        });
        json!({
            "notes": self.notes, "starts": starts.collect::<Vec<_>>(), "rows": rows.collect::<Vec<_>>(),
            "growth": growth.collect::<Vec<_>>(), "targets": targets.collect::<Vec<_>>(),
        })
    }
}

/// Something that was promised.
#[derive(Debug)]
struct Target {
    what: String,
    wanted: String,
    measured: f64,
    met: bool,
}

/// Of what pgbench does at concurrency 8.
const RATIOS: &[(&str, f64)] = &[("Q1", 0.70), ("Q2", 0.60), ("Q3", 0.85), ("Q4", 0.30), ("Q5", 0.70), ("M1", 0.70)];
const MOST_P99: f64 = 4.0;
const MOST_MEMORY: f64 = 80.0;
const MOST_IDLE_MEMORY: f64 = 25.0;
const MOST_READY: f64 = 300.0;
const LEAST_Q1_ON_SQLITE: f64 = 1_000.0;

impl Report {
    /// Those that this run measured.
    fn targets(&self) -> Vec<Target> {
        let mut targets = Vec::new();
        let mut at_most = |what: String, measured: f64, most: f64| {
            targets.push(Target { what, wanted: format!("≤ {most:.0}"), measured, met: measured <= most });
        };
        for start in &self.starts {
            let on = start.database.name();
            at_most(format!("idle MiB, {on}"), start.idle_memory, MOST_IDLE_MEMORY);
            if start.database == Database::Sqlite {
                at_most(format!("start to ready ms, {on}"), start.ready, MOST_READY);
            }
        }
        for row in &self.rows {
            let (on, job) = (row.database.name(), row.job);
            if row.concurrency == 32 {
                at_most(format!("p99 / p50 at 32, {job}, {on}"), row.ours.p99 / row.ours.p50, MOST_P99);
            }
        }
        for database in [Database::Postgres, Database::Sqlite] {
            // A login is 19 MiB for its hash, which the setting for hashing threads bounds.
            let rows = self.rows.iter().filter(|row| row.database == database && row.job != "login");
            if let Some(most) = rows.map(|row| row.ours.memory).max_by(f64::total_cmp) {
                at_most(format!("MiB under load, {}", database.name()), most, MOST_MEMORY);
            }
        }
        let mut at_least = |what: String, measured: f64, least: f64| {
            let wanted = if least < 1.0 { format!("≥ {least:.2}") } else { format!("≥ {least:.0}") };
            targets.push(Target { what, wanted, measured, met: measured >= least });
        };
        for row in self.rows.iter().filter(|row| row.concurrency == 8) {
            let wanted = RATIOS.iter().find(|(job, _)| *job == row.job);
            if let (Some(ratio), Some((job, least))) = (row.ratio(), wanted) {
                at_least(format!("{job} / pgbench at 8"), ratio, *least);
            }
            if row.database == Database::Sqlite && row.job == "Q1" {
                at_least("Q1 a second at 8, SQLite".to_owned(), row.ours.rate, LEAST_Q1_ON_SQLITE);
            }
        }
        targets
    }
}

/// The columns that all tables have.
fn cells(figures: &Figures) -> String {
    let Figures { rate, p50, p99, server_cpu, database_cpu, client_cpu, memory, own_memory, .. } = figures;
    format!(
        "| {rate:.0} | {p50:.2} | {p99:.2} | {server_cpu:.3} | {database_cpu:.3} | {client_cpu:.3} | {memory:.1} | {own_memory:.1} "
    )
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("writing to a string works");
}
