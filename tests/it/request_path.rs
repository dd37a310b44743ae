//! The paths of a query and of a mutation, as the documentation of the crate lists them.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

use crate::support::{Caller, TestApp, on_both};

const DOCUMENTATION: &str = include_str!("../../src/lib.rs");
const NESTED: &str = "{ users { nodes { sessions { nodes { title } } } } }";

on_both!(a_nested_query_and_a_mutation_take_the_documented_path);

async fn a_nested_query_and_a_mutation_take_the_documented_path(app: &TestApp) {
    let session = app.session(app.viewer().id(), "title", app.now()).await;
    let admin = app.admin();
    let query = documented("# The path of a nested query", "fork: write");
    assert_eq!(path(&admin, NESTED).await, query, "fast path");
    // A directive excludes the fast path; the document is in no cache yet.
    let with_directive = NESTED.replace("title", "title @include(if: true)");
    let resolved = documented("# The path of a nested query", "fork: resolve");
    assert_eq!(path(&admin, &with_directive).await, resolved, "resolvers");
    let cached: Vec<_> = query.into_iter().filter(|step| !step.ends_with(": validate")).collect();
    assert_eq!(path(&admin, NESTED).await, cached, "from the cache");
    let mutation = format!("mutation {{ endSession(id: \"{}\") {{ session {{ isActive }} }} }}", session.id);
    let mut expected: Vec<_> = cached[..5].to_vec();
    expected.push("graphql/execution/execute.rs: validate".to_owned());
    expected.extend_from_slice(&cached[5..7]);
    expected.extend(documented("# The path of a mutation", ""));
    assert_eq!(path(&admin, &mutation).await, expected, "mutation");
}

/// The numbered steps below a heading, as `file: first word`; for the fork, the given words.
fn documented(heading: &str, fork: &str) -> Vec<String> {
    let lines = DOCUMENTATION.lines().map(|line| line.trim_start_matches("//!").trim());
    let section = lines.skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with('#'));
    let step = |line: &str| {
        let (number, rest) = line.split_once(". `")?;
        number.parse::<usize>().ok()?;
        let (file, text) = rest.split_once("`: ")?;
        let word = if text.starts_with("fork") { fork } else { text.split(' ').next()? };
        Some(format!("{file}: {word}"))
    };
    section.filter_map(step).collect()
}

/// The steps of a request in their order, each once.
async fn path(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let subscriber = tracing_subscriber::registry().with(Recorder(Arc::clone(&steps)));
    let guard = tracing::subscriber::set_default(subscriber);
    caller.gql(query, json!({})).await.data();
    drop(guard);
    let mut recorded = steps.lock().expect("no panic").clone();
    let mut seen = std::collections::HashSet::new();
    recorded.retain(|step: &String| seen.insert(step.clone()));
    recorded
}

/// Records the events with the target `request_path`, as `file: message`.
struct Recorder(Arc<Mutex<Vec<String>>>);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "request_path" {
            let mut message = Message(String::new());
            event.record(&mut message);
            let file = event.metadata().file().expect("a file").replace('\\', "/");
            let file = file.rsplit_once("src/").expect("a source file").1;
            self.0.lock().expect("no panic").push(format!("{file}: {}", message.0));
        }
    }
}
