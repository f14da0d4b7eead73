//! Messages that pass a pipeline on their way in and out.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use outbound::Notify;
use pipeline::{
    Answer, Archive, Changes, HeaderEdit, Judging, OnFailure, Passing, Pipeline, Stage, Stamp,
    Step, Verdict,
};
use smtp_server::Config;

use crate::support::{ALICE, BOB, World};

const DELIVERY: &str = "LHLO mx.example.org\r\nMAIL FROM:<carol@example.org>\r\nRCPT TO:<alice@example.test>\r\n\
                        RCPT TO:<bob@example.test>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n";
const SUBMISSION: &str = "EHLO laptop.test\r\nAUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABjb3JyZWN0IGhvcnNl\r\n\
                          MAIL FROM:<alice@example.test>\r\nRCPT TO:<carol@other.test>\r\nRCPT TO:<bob@example.test>\r\n\
                          DATA\r\nDate: x\r\nMessage-ID: <1@x>\r\nFrom: alice@example.test\r\n\r\nbody\r\n.\r\nQUIT\r\n";

/// Says always the same.
struct Always(fn(&Passing) -> Verdict);

impl Step for Always {
    fn judge<'a>(&'a self, passing: &'a Passing) -> Judging<'a> {
        Box::pin(async { Ok((self.0)(passing)) })
    }
}

async fn world(step: impl Step + 'static, on_failure: OnFailure) -> World {
    let stage = Stage {
        name: "test".to_owned(),
        deliveries: true,
        submissions: true,
        timeout: Duration::from_secs(20),
        on_failure,
        step: Box::new(step),
    };
    World::through(Config::default(), Pipeline::new(vec![stage])).await
}

/// The replies after the last octet of the message.
async fn deliver(world: &World) -> Vec<String> {
    let said = world.connect().run(DELIVERY.as_bytes()).await;
    said[6..said.len() - 1].to_vec()
}

async fn submit(world: &World) -> String {
    let said = world.submit().run(SUBMISSION.as_bytes()).await;
    said[said.len() - 2].clone()
}

fn refuse(_: &Passing) -> Verdict {
    Verdict::Refuse(Answer::new(554, "5.7.1 spam").unwrap())
}

fn refuse_bob(_: &Passing) -> Verdict {
    Verdict::Change(Changes {
        refuse: vec![(BOB.to_owned(), Answer::new(550, "5.2.1 not him").unwrap())],
        ..Changes::default()
    })
}

fn divert(_: &Passing) -> Verdict {
    Verdict::Change(Changes {
        remove: vec![ALICE.to_owned(), "carol@other.test".to_owned()],
        ..Changes::default()
    })
}

#[tokio::test]
async fn a_changed_message_is_what_arrives() {
    let stamp = Stamp::new(&["X-Seen: yes".to_owned()], &[]).unwrap();
    let world = world(stamp, OnFailure::Defer).await;
    assert_eq!(deliver(&world).await, ["250 2.1.5", "250 2.1.5"]);
    for user in [ALICE, BOB] {
        let inbox = world.inbox(user).await;
        assert!(
            inbox[0].starts_with("Return-Path: <carol@example.org>\r\n"),
            "{}",
            inbox[0]
        );
        assert!(
            inbox[0].ends_with("\r\nX-Seen: yes\r\nSubject: x\r\n\r\nbody\r\n"),
            "{}",
            inbox[0]
        );
    }
    assert_eq!(submit(&world).await, "250 2.0.0");
    let (_, text) = &world.queued().await[0];
    assert!(text.starts_with("Received: "), "{text}");
    assert!(
        text.ends_with("\r\nX-Seen: yes\r\nDate: x\r\nMessage-ID: <1@x>\r\nFrom: alice@example.test\r\n\r\nbody\r\n"),
        "{text}"
    );
}

#[tokio::test]
async fn a_refused_message_goes_nowhere() {
    let world = world(Always(refuse), OnFailure::Defer).await;
    assert_eq!(deliver(&world).await, ["554 5.7.1", "554 5.7.1"]);
    assert_eq!(submit(&world).await, "554 5.7.1");
    assert!(world.inbox(ALICE).await.is_empty());
    assert!(world.queued().await.is_empty());
}

#[tokio::test]
async fn a_dropped_message_is_taken_and_goes_nowhere() {
    let world = world(Always(|_| Verdict::Drop), OnFailure::Defer).await;
    assert_eq!(deliver(&world).await, ["250 2.1.5", "250 2.1.5"]);
    assert_eq!(submit(&world).await, "250 2.0.0");
    assert!(world.inbox(ALICE).await.is_empty());
    assert!(world.queued().await.is_empty());
}

#[tokio::test]
async fn recipients_may_be_refused_and_taken_out_alone() {
    let refusing = world(Always(refuse_bob), OnFailure::Defer).await;
    assert_eq!(deliver(&refusing).await, ["250 2.1.5", "550 5.2.1"]);
    assert_eq!(refusing.inbox(ALICE).await.len(), 1);
    assert!(refusing.inbox(BOB).await.is_empty());
    // Here one reply is for all: the client sends again without him.
    assert_eq!(submit(&refusing).await, "550 5.2.1");
    assert!(refusing.queued().await.is_empty());

    let diverting = world(Always(divert), OnFailure::Defer).await;
    assert_eq!(deliver(&diverting).await, ["250 2.1.5", "250 2.1.5"]);
    assert!(diverting.inbox(ALICE).await.is_empty());
    assert_eq!(diverting.inbox(BOB).await.len(), 1);
    assert_eq!(submit(&diverting).await, "250 2.0.0");
    let queued = diverting.queued().await;
    assert_eq!(queued[0].0.recipients.len(), 1);
    assert_eq!(queued[0].0.recipients[0].recipient.address, BOB);
}

#[tokio::test]
async fn an_archive_gets_its_copy_or_says_so() {
    let archive = |address: &str| Archive::new(address).unwrap();
    let to_team = world(archive("team@example.test"), OnFailure::Defer).await;
    let wire = DELIVERY.replacen("RCPT TO:<bob@example.test>\r\n", "", 1);
    let said = to_team.connect().run(wire.as_bytes()).await;
    assert_eq!(said[5..said.len() - 1], ["250 2.1.5"]);
    // The team is both of them, and nobody gets it twice.
    assert_eq!(to_team.inbox(ALICE).await.len(), 1);
    assert_eq!(to_team.inbox(BOB).await.len(), 1);
    assert_eq!(submit(&to_team).await, "250 2.0.0");
    let queued = to_team.queued().await;
    let added = queued[0].0.recipients.last().unwrap();
    assert_eq!(added.recipient.address, "team@example.test");
    assert_eq!(added.recipient.notify, Notify::NEVER);

    for (on_failure, replies, reply, arrived) in [
        (OnFailure::Pass, ["250 2.1.5", "250 2.1.5"], "250 2.0.0", 1),
        (OnFailure::Defer, ["450 4.2.1", "450 4.2.1"], "451 4.3.0", 0),
    ] {
        let to_nobody = world(archive("nobody@example.test"), on_failure).await;
        assert_eq!(deliver(&to_nobody).await, replies);
        assert_eq!(submit(&to_nobody).await, reply);
        assert_eq!(to_nobody.inbox(ALICE).await.len(), arrived);
        assert_eq!(to_nobody.queued().await.len(), arrived);
    }
}

/// A filter that writes something else each time, and once says that it cannot.
#[tokio::test]
async fn a_repeated_delivery_is_not_doubled_by_what_steps_write() {
    fn count(_: &Passing) -> Verdict {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let value = format!(" {}", COUNT.fetch_add(1, Ordering::Relaxed));
        let edit = HeaderEdit::Insert {
            after: 0,
            name: "X-Score".to_owned(),
            value: value.into_bytes(),
        };
        Verdict::Change(Changes {
            header: vec![edit],
            ..Changes::default()
        })
    }
    let world = world(Always(count), OnFailure::Defer).await;
    let now = account::mime::date::text(account::FileTime::from(SystemTime::now()).unix());
    let wire = DELIVERY.replacen(
        "Subject: x",
        &format!("Received: from a by b id 77; {now}\r\nSubject: x"),
        1,
    );
    for _ in 0..2 {
        let said = world.connect().run(wire.as_bytes()).await;
        assert_eq!(said[6..8], ["250 2.1.5", "250 2.1.5"]);
    }
    assert_eq!(world.inbox(ALICE).await.len(), 1);
    assert_eq!(world.inbox(BOB).await.len(), 1);
}

/// What a filter sends elsewhere must arrive there, or nobody is told that it did.
#[tokio::test]
async fn a_message_that_was_diverted_to_nowhere_is_not_taken() {
    fn divert_to_nobody(_: &Passing) -> Verdict {
        Verdict::Change(Changes {
            remove: vec![
                ALICE.to_owned(),
                BOB.to_owned(),
                "carol@other.test".to_owned(),
            ],
            add: vec!["nobody@example.test".to_owned()],
            ..Changes::default()
        })
    }
    for on_failure in [OnFailure::Pass, OnFailure::Defer] {
        let world = world(Always(divert_to_nobody), on_failure).await;
        assert_eq!(deliver(&world).await, ["450 4.2.1", "450 4.2.1"]);
        assert_eq!(submit(&world).await, "451 4.3.0");
        assert!(world.queued().await.is_empty());
    }
}
