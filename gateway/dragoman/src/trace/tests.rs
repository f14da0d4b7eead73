//! What is collected of spans, and when. Whole sessions are traced in the tests of `exchange`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{field::Empty, subscriber::DefaultGuard, trace_span};
use tracing_subscriber::layer::SubscriberExt;

use crate::trace::{self, Follower, Operation, Traces};

/// Traces of this thread, one at a time: what is switched on and off is the whole process.
pub(crate) struct Alone {
    pub(crate) traces: Arc<Traces>,
    _subscriber: DefaultGuard,
    _turn: MutexGuard<'static, ()>,
}

impl Alone {
    pub(crate) fn new() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let traces = Arc::new(Traces::default());
        let subscriber = tracing_subscriber::registry().with(trace::layer(&traces));
        Self {
            _subscriber: tracing::subscriber::set_default(subscriber),
            traces,
            _turn: turn,
        }
    }
}

/// The operations that have ended, as text without times.
fn ended(follower: &mut Follower) -> Vec<String> {
    let mut texts = Vec::new();
    while let Ok(operation) = follower.operations.try_recv() {
        texts.push(timeless(&operation));
    }
    texts
}

/// The text of an operation without its times.
fn timeless(operation: &Operation) -> String {
    let text = operation.to_text();
    let lines = text.lines().skip(1);
    let lines = lines.map(|line| line.split_once(" ms  ").map_or(line, |(_, rest)| rest));
    lines.collect::<Vec<_>>().join("\n")
}

fn command(user: Option<&str>) -> tracing::Span {
    trace_span!(target: "operation", "imap", line = "a1 NOOP", user, status = Empty)
}

#[test]
fn an_operation_is_what_is_within_its_first_span() {
    let alone = Alone::new();
    let mut follower = alone.traces.follow("Alice@Example.test").unwrap();
    let first = command(Some("alice@example.test"));
    first.in_scope(|| {
        let store = trace_span!(target: "operation", "store", call = "query", folder = 7_u64, mailbox = "bob@example.test", outcome = Empty);
        store.in_scope(|| {
            let batch = trace_span!(target: "operation", "batch", rops = "QueryRows", results = "");
            let http = batch.in_scope(|| trace_span!(target: "operation", "http", request = "Execute", sent_bytes = 70_u64));
            http.record("status", 200_u64);
        });
        store.record("outcome", "ok");
    });
    first.record("status", "OK");
    assert!(ended(&mut follower).is_empty(), "it goes on");
    drop(first);
    assert_eq!(
        ended(&mut follower),
        [
            "imap a1 NOOP status=OK\n  store query folder=7 outcome=ok\n    batch QueryRows\n      http Execute sent_bytes=70"
        ]
    );
}

#[test]
fn only_the_account_that_is_traced_is_collected() {
    let alone = Alone::new();
    let mut follower = alone.traces.follow("alice@example.test").unwrap();
    for user in [Some("bob@example.test"), None] {
        let first = command(user);
        first.in_scope(|| {
            // Bob works in a mailbox of Alice: that is no operation of hers.
            drop(trace_span!(target: "operation", "store", call = "query", mailbox = "alice@example.test"));
        });
    }
    assert!(ended(&mut follower).is_empty());
    // Mail for her is, although nobody has logged in.
    drop(trace_span!(target: "operation", "store", call = "save", mailbox = "alice@example.test"));
    assert_eq!(ended(&mut follower), ["store save"]);
}

#[test]
fn a_login_belongs_to_who_logs_in() {
    let alone = Alone::new();
    let mut follower = alone.traces.follow("alice@example.test").unwrap();
    for user in ["alice@example.test", "bob@example.test"] {
        let first = trace_span!(target: "operation", "imap", line = "a1 LOGIN …", user = Empty);
        first.in_scope(|| drop(trace_span!(target: "operation", "store", call = "authenticate")));
        first.record("user", user);
    }
    assert_eq!(
        ended(&mut follower),
        ["imap a1 LOGIN …\n  store authenticate"]
    );
}

#[test]
fn without_anybody_who_traces_no_span_is_made() {
    let alone = Alone::new();
    let is_on = || !command(Some("alice@example.test")).is_disabled();
    assert!(!is_on());
    let one = alone.traces.follow("alice@example.test").unwrap();
    let other = alone.traces.follow("bob@example.test").unwrap();
    assert!(is_on());
    drop(one);
    assert!(is_on());
    drop(other);
    assert!(!is_on());
}

#[test]
fn a_background_task_that_found_nothing_to_do_is_not_told() {
    let alone = Alone::new();
    let mut follower = alone.traces.follow("alice@example.test").unwrap();
    let round = || trace_span!(target: "operation", "mirror", mailbox = "alice@example.test");
    drop(round());
    let busy = round();
    busy.in_scope(|| drop(trace_span!(target: "operation", "batch", rops = "QueryRows")));
    drop(busy);
    assert_eq!(ended(&mut follower), ["mirror\n  batch QueryRows"]);
}

#[test]
fn everything_has_a_bound() {
    let alone = Alone::new();
    let mut follower = alone.traces.follow("alice@example.test").unwrap();
    let first = command(Some("alice@example.test"));
    for _ in 0..2000 {
        first.in_scope(|| drop(trace_span!(target: "operation", "store", call = "query")));
    }
    drop(first);
    let text = ended(&mut follower).concat();
    assert_eq!(text.lines().count(), 1001);
    assert!(text.ends_with("… and 1001 more"), "{text}");
    for _ in 0..1000 {
        drop(command(Some("alice@example.test")));
    }
    assert_eq!(ended(&mut follower).len(), 256);
    let missed = follower
        .trace
        .missed
        .load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(missed, 744);
    let _others: Vec<_> = (0..7).map(|_| alone.traces.follow("x").unwrap()).collect();
    assert!(alone.traces.follow("x").is_none());
}

#[test]
fn json_has_calls_within_calls() {
    let alone = Alone::new();
    let mut follower = alone.traces.follow("alice@example.test").unwrap();
    let first = command(Some("alice@example.test"));
    first.in_scope(|| {
        drop(trace_span!(target: "operation", "store", call = "query", items = 3_u64))
    });
    drop(first);
    let operation = follower.operations.try_recv().unwrap();
    let json: serde_json::Value = serde_json::from_str(&operation.to_json()).unwrap();
    assert_eq!(json["span"], "imap");
    assert_eq!(json["line"], "a1 NOOP");
    assert_eq!(json["calls"][0]["call"], "query");
    assert_eq!(json["calls"][0]["items"], 3);
    assert!(json["ms"].is_number() && json["unix_ms"].is_number());
    assert!(json.get("user").is_none());
}
