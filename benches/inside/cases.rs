//! Parts of the server that run in this process, without HTTP connections and without another process: what `micro` times
//! and `guard` counts. Only what the library gives to everybody is used.

use std::{hint::black_box, path::Path, sync::Arc};

use async_graphql::{Response, Variables};
use axum::{Router, body::Body, http::Request};
use futures_util::future::join_all;
use guardianeye::{
    auth::{Authenticator, HashCost, Principal},
    clock::Clock,
    config::Limits,
    db::{Db, Settings},
    graphql::{self, GraphqlApi, RequestContext, access},
    http::App,
    model::{Timestamp, UserId},
    ops::{first_admin, seed},
    services::{Client, Services, login},
};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;
use uuid::Uuid;

const SIZES: seed::Sizes = seed::Sizes { users: 200, sessions: 4_000, audit_logs: 40_000 };

const NESTED: &str = "{ users(first: 20) { nodes { id username email role
    sessions(first: 5) { nodes { id title threadId isActive createdAt } }
    auditLogs(first: 10) { nodes { id action success ipAddress description timestamp } } } } }";

/// Many objects out of memory: no statement.
const MATRIX: &str = "{ accessMatrix { coordinate roles owner scope } }";

/// A part of the server.
#[derive(Clone, Copy, Debug)]
pub enum Case {
    /// Parsing Q1 and holding it against the limits.
    Document,
    /// A thousand guards.
    Access,
    /// Checking an access token.
    Token,
    /// The same and the statement that finds its user, who is not known yet.
    Authenticate,
    /// A hundred users by their ids, asked for one by one.
    Loaders,
    /// Resolving some hundred objects that are in memory.
    Resolve,
    /// Writing the answer to Q1.
    Encode,
    /// Q1 from its text to its answer.
    Query,
    /// `me` through all layers of HTTP.
    Http,
}

pub const CASES: [Case; 9] = [
    Case::Document,
    Case::Access,
    Case::Token,
    Case::Authenticate,
    Case::Loaders,
    Case::Resolve,
    Case::Encode,
    Case::Query,
    Case::Http,
];

impl Case {
    pub fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Access => "access",
            Self::Token => "token",
            Self::Authenticate => "authenticate",
            Self::Loaders => "loaders",
            Self::Resolve => "resolve",
            Self::Encode => "encode",
            Self::Query => "query",
            Self::Http => "http",
        }
    }
}

/// A server without a listener, over a small data set, with an admin signed in.
pub struct Bed {
    api: GraphqlApi,
    services: Services,
    router: Router,
    header: String,
    principal: Principal,
    users: Vec<Uuid>,
    /// The answer to Q1.
    answer: Response,
}

/// The time stands still, so that nothing happens only now and then.
fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

impl Bed {
    /// Over the file in the folder, which is made if it is missing.
    pub async fn open(folder: &Path) -> Self {
        let clock = Clock::Fixed(now());
        let url = format!("sqlite:{}", folder.join("inside.db").display());
        let db = Db::connect(&url, Settings { create: true, ..Settings::default() }).await.expect("connects");
        db.migrate().await.expect("migrates");
        // The admin of the benchmark keeps the default password.
        let mut limits = Limits::default();
        limits.accounts.force_password_change = false;
        let services = Services::new(db.clone(), clock, limits, HashCost::Minimal).await.expect("starts");
        first_admin::ensure(&db, &services.password_hasher, clock, None, None).await.expect("an admin");
        seed::bulk(&db, SIZES, now(), &mut |_| {}).await.expect("seeds");
        let issued = login::login(&services, &db, &Client::default(), "admin", "admin".into()).await.expect("logs in");
        let header = format!("Bearer {}", issued.access_token.token);
        let principal = services
            .authenticator
            .authenticate(&db, Some(&header), services.clock.now())
            .await
            .expect("the token holds");
        let api = GraphqlApi::default();
        let app = App { api: api.clone(), services: Arc::new(services.clone()), http: Arc::default() };
        let router = app.router();
        let mut bed = Self { api, services, router, header, principal, users: Vec::new(), answer: Response::default() };
        let answer = bed.execute("{ users(first: 100) { nodes { id } } }").await.data;
        #[expect(clippy::disallowed_methods, reason = "the server's own answer, of ids alone")]
        let ids = answer.into_json().expect("JSON");
        let ids = ids["users"]["nodes"].as_array().expect("a list").iter();
        bed.users = ids.map(|user| user["id"].as_str().expect("an id").parse().expect("a UUID")).collect();
        bed.answer = bed.execute(NESTED).await;
        bed
    }

    /// Runs it once.
    pub async fn run(&self, case: Case) {
        match case {
            Case::Document => drop(black_box(self.document(NESTED))),
            Case::Access => self.access(),
            Case::Token => {
                let token = self.header.strip_prefix("Bearer ").expect("a token");
                let subject = self.services.access_tokens.verify(black_box(token), now()).await;
                assert!(subject.expect("is checked").is_some());
            }
            Case::Authenticate => {
                let Services { db, access_tokens, clock, .. } = &self.services;
                // A new authenticator has an empty cache.
                let authenticator = Authenticator::new(access_tokens.clone(), true);
                let principal = authenticator.authenticate(db, Some(black_box(&*self.header)), clock.now()).await;
                assert!(principal.expect("is checked").authenticated().is_some());
            }
            Case::Loaders => {
                let context = self.context();
                let users = join_all(self.users.iter().map(|id| context.loaders.users.load(*id))).await;
                assert!(users.into_iter().all(|user| user.is_ok_and(|user| user.is_some())));
                assert_eq!(context.db.meter().statements(), 1);
            }
            Case::Resolve => drop(black_box(self.execute(MATRIX).await)),
            Case::Encode => drop(black_box(serde_json::to_vec(&self.answer).expect("JSON"))),
            Case::Query => drop(black_box(self.execute(NESTED).await)),
            Case::Http => self.http().await,
        }
    }

    fn document(&self, text: &str) -> graphql::Document {
        let limits = &self.services.limits.document;
        self.api.document(black_box(text), None, &Variables::default(), limits).expect("within the limits")
    }

    fn context(&self) -> RequestContext {
        let (db, services) = (self.services.db.metered(), self.services.clone());
        RequestContext::new(self.principal.clone(), Client::default(), db, Arc::new(services))
    }

    async fn execute(&self, text: &str) -> Response {
        let (document, variables) = (self.document(text), Variables::default());
        let answer = self.api.execute(document, variables, self.context(), "inside").await;
        assert!(answer.response.errors.is_empty(), "{:?}", answer.response.errors);
        answer.response
    }

    fn access(&self) {
        let somebody = UserId(self.users[0]);
        for _ in 0..500 {
            access::ANALYST.check(black_box(&self.principal)).expect("an admin may");
            access::OWNER_OR_ANALYST.check_for(black_box(&self.principal), somebody).expect("an admin may");
        }
    }

    async fn http(&self) {
        let body = json!({ "query": "{ me { id username role } }" }).to_string();
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", &self.header)
            .body(Body::from(body))
            .expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("answers");
        assert!(response.status().is_success());
        black_box(response.into_body().collect().await.expect("a body").to_bytes());
    }
}
