//! How long answers serve, and who asks for them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{sync::Notify, time::advance};

use super::{
    super::{
        Failure, Found, Reason, Trail,
        kept::{Answer, Slot},
    },
    world::{World, always, mailbox, options, servers},
};

const KEEP: Duration = Duration::from_secs(3600);

fn found(number: usize) -> Answer {
    Ok(Arc::new(Found {
        url: format!("https://{number}.test/").parse().unwrap(),
        address_book_url: None,
        transport: crate::discover::Transport::MapiHttp,
        legacy_dn: String::new(),
        smtp_address: None,
        display_name: None,
        server: None,
        alternative_mailboxes: Vec::new(),
        public_folders: None,
        autodiscover: None,
    }))
}

fn failed(reason: Reason) -> Answer {
    Err(Failure {
        reason,
        trail: Trail::default(),
    })
}

/// A slot and how often it was asked for.
#[derive(Default)]
struct Counted {
    slot: Slot,
    asked: AtomicUsize,
}

impl Counted {
    async fn get(&self, anew: bool, says: impl Fn(usize) -> Answer) -> Result<String, Reason> {
        let ask = async || says(self.asked.fetch_add(1, Ordering::Relaxed));
        let answer = self.slot.get(anew, KEEP, ask).await;
        let host = answer.map(|found| found.url.host_str().unwrap().to_owned());
        host.map_err(|failure| failure.reason)
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_serves_its_time_unless_it_is_wrong() {
    let counted = Counted::default();
    assert_eq!(counted.get(false, found).await.unwrap(), "0.test");
    advance(KEEP - Duration::from_secs(1)).await;
    assert_eq!(counted.get(false, found).await.unwrap(), "0.test");
    advance(Duration::from_secs(1)).await;
    assert_eq!(counted.get(false, found).await.unwrap(), "1.test");
    advance(Duration::from_secs(1)).await;
    assert_eq!(counted.get(true, found).await.unwrap(), "2.test");
    assert_eq!(counted.get(false, found).await.unwrap(), "2.test");
}

#[tokio::test(start_paused = true)]
async fn a_failure_serves_for_a_moment() {
    let counted = Counted::default();
    let refused = || failed(Reason::Refused("x".to_owned()));
    assert!(counted.get(false, |_| refused()).await.is_err());
    assert!(counted.get(false, found).await.is_err());
    advance(Duration::from_secs(15)).await;
    assert_eq!(counted.get(false, found).await.unwrap(), "1.test");
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_serves_on_when_nobody_answers() {
    let counted = Counted::default();
    counted.get(false, found).await.unwrap();
    advance(KEEP).await;
    let away = |_| failed(Reason::NoAnswer);
    assert_eq!(counted.get(false, away).await.unwrap(), "0.test");
    assert_eq!(counted.get(false, found).await.unwrap(), "0.test");
    advance(Duration::from_secs(300)).await;
    assert_eq!(counted.get(false, found).await.unwrap(), "2.test");
    // One that is known to be wrong does not.
    advance(Duration::from_secs(1)).await;
    assert_eq!(counted.get(true, away).await, Err(Reason::NoAnswer));
    // Nor does one whose user is gone.
    advance(Duration::from_secs(15)).await;
    counted.get(false, found).await.unwrap();
    advance(KEEP).await;
    let unknown = |_| failed(Reason::Unknown(String::new()));
    assert!(counted.get(false, unknown).await.is_err());
}

#[tokio::test]
async fn of_many_callers_one_asks() {
    let world = World::new(servers([("example.test", always(mailbox("a.test")))])).await;
    let locator = world.locator(options());
    for anew in [false, true] {
        let before = world.requests();
        let answers = join_all((0..20).map(|_| locator.find(anew))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(world.requests() - before, 2, "anew: {anew}");
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_turn_to_the_next() {
    let slot = Slot::default();
    let begun = Notify::new();
    let dropped = AtomicBool::new(false);
    let hanging = slot.get(false, KEEP, async || {
        begun.notify_one();
        std::future::pending().await
    });
    tokio::select! {
        _ = hanging => unreachable!("it hangs"),
        () = begun.notified() => dropped.store(true, Ordering::Relaxed),
    }
    assert!(dropped.load(Ordering::Relaxed));
    assert!(slot.get(false, KEEP, async || found(0)).await.is_ok());
}
