//! How costs grow: with the parents of a nested list, with the depth of a page, with the size of the tables, and how
//! far several servers on one database come.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use crate::{
    Result,
    client::Exchange,
    data::{Data, Sizes},
    jobs::{self, JOBS, PARENTS},
    measure::Watched,
    options::{Database, Options},
    postgres::Cluster,
    report::{Growth, GrowthRow},
    server::{Caller, Server},
};

const AT_ONCE: u16 = 8;
const INSTANCES: [usize; 3] = [1, 2, 4];
/// A page of the audit log, newest first.
const PAGE: &str = "query Page($after: String) { auditLogs(first: 100, after: $after) { \
                    nodes { id action success ipAddress description timestamp } } }";
/// A place in it: the newest entry before a moment.
const PLACE: &str = "query Place($before: DateTime!) { \
                     auditLogs(first: 1, filter: {timestamp: {lt: $before}}) { pageInfo { endCursor } } }";

/// Everything that a table needs.
pub struct Grower<'a> {
    pub options: &'a Options,
    pub binary: &'a Path,
    pub database: Database,
    pub cluster: Option<&'a Cluster>,
}

impl Grower<'_> {
    /// On a running server over the data set.
    pub async fn grow(&self, server: Server, data: &Data, sizes: Sizes) -> Result<Vec<Growth>> {
        let servers = [server];
        let watched = Watched { servers: &servers, cluster: self.cluster };
        let mut caller = Caller::sign_in(&servers[0]).await?;
        let mut tables = vec![self.parents(watched, &mut caller).await?, self.pages(watched, &mut caller).await?];
        let large = self.nested("the whole data set", watched, &mut caller).await?;
        drop(servers);
        let small = Data::open(&self.options.dir, self.binary, sizes.tenth(), self.cluster).await?;
        let servers = [self.start(&small, 0).await?];
        let watched = Watched { servers: &servers, cluster: self.cluster };
        let small = self.nested("a tenth of the data", watched, &mut Caller::sign_in(&servers[0]).await?).await?;
        drop(servers);
        let rows = small.into_iter().chain(large).collect();
        tables.push(Growth { database: self.database, title: "The size of the tables", rows });
        if self.cluster.is_some() {
            tables.push(self.instances(data).await?);
        }
        Ok(tables)
    }

    async fn parents(&self, watched: Watched<'_>, caller: &mut Caller) -> Result<Growth> {
        let mut rows = Vec::new();
        for parents in [1, 10, 100] {
            let case = format!("Q1 for {parents} users");
            let check = |data: &Value| Ok(jobs::nodes(data, "users")?.len());
            rows.push(self.row(case, watched, caller, (PARENTS, json!({ "n": parents })), check).await?);
        }
        Ok(Growth { database: self.database, title: "Parents of nested lists", rows })
    }

    async fn pages(&self, watched: Watched<'_>, caller: &mut Caller) -> Result<Growth> {
        let mut rows = Vec::new();
        let check = |data: &Value| Ok(jobs::nodes(data, "auditLogs")?.len());
        for (case, before) in [
            ("the first page of the audit log", None),
            ("a page in its first part", Some("2025-12-20T00:00:00Z")),
            ("a page near its end", Some("2025-10-20T00:00:00Z")),
        ] {
            let after = match before {
                Some(before) => {
                    caller.ask(PLACE, &json!({ "before": before })).await?["auditLogs"]["pageInfo"]["endCursor"].take()
                }
                None => Value::Null,
            };
            let asked = (PAGE, json!({ "after": after }));
            rows.push(self.row(case.to_owned(), watched, caller, asked, check).await?);
        }
        Ok(Growth { database: self.database, title: "The depth of a page", rows })
    }

    /// Q1 and Q2, whatever the data set.
    async fn nested(&self, on: &str, watched: Watched<'_>, caller: &mut Caller) -> Result<Vec<GrowthRow>> {
        let mut rows = Vec::new();
        for job in JOBS.iter().filter(|job| matches!(job.name, "Q1" | "Q2" | "Q3")) {
            let ready = caller.prepare(job).await?;
            let figures = watched.measure(&ready.exchanges, AT_ONCE, self.length()).await?;
            let case = format!("{} on {on}", job.name);
            eprintln!("{}: {case}: {:.0}/s", self.database.name(), figures.rate);
            rows.push(GrowthRow { case, statements: ready.statements.unwrap_or_default(), rows: ready.rows, figures });
        }
        Ok(rows)
    }

    async fn instances(&self, data: &Data) -> Result<Growth> {
        let mut rows = Vec::new();
        let job = JOBS.first().ok_or("there is no Q1")?;
        for number in INSTANCES {
            let mut servers = Vec::new();
            for place in 0..number {
                servers.push(self.start(data, place).await?);
            }
            let watched = Watched { servers: &servers, cluster: self.cluster };
            let ready = Caller::sign_in(&servers[0]).await?.prepare(job).await?;
            let figures = watched.measure(&ready.exchanges, AT_ONCE, self.length()).await?;
            let case = format!("Q1 on {number} instances");
            eprintln!("{}: {case}: {:.0}/s", self.database.name(), figures.rate);
            rows.push(GrowthRow { case, statements: ready.statements.unwrap_or_default(), rows: ready.rows, figures });
        }
        Ok(Growth { database: self.database, title: "Instances on one database", rows })
    }

    async fn row(
        &self,
        case: String,
        watched: Watched<'_>,
        caller: &mut Caller,
        (document, variables): (&str, Value),
        check: impl Fn(&Value) -> Result<usize>,
    ) -> Result<GrowthRow> {
        let body = jobs::body(document, &variables);
        let (_, bytes) = caller.answer(&body, true, false).await?;
        let (answer, _) = caller.answer(&body, true, true).await?;
        let statements = answer["extensions"]["receipt"]["statements"].as_u64().ok_or("no receipt")?;
        let rows = check(&answer["data"])?;
        let exchanges = [Exchange { request: caller.request(&body, true, false), bytes }].into();
        let figures = watched.measure(&exchanges, AT_ONCE, self.length()).await?;
        eprintln!("{}: {case}: {:.0}/s", self.database.name(), figures.rate);
        Ok(GrowthRow { case, statements, rows, figures })
    }

    async fn start(&self, data: &Data, place: usize) -> Result<Server> {
        Server::start(self.binary, &data.url, &self.options.dir.join(format!("server-{place}.log"))).await
    }

    fn length(&self) -> Duration {
        Duration::from_secs(self.options.seconds.into())
    }
}
