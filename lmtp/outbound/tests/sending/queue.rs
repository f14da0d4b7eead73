//! What is in the queue stays there until it is over, whatever happens to the program.

use std::{
    io::Cursor,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use outbound::{Envelope, ErrorKind, Filter, Hop, Options, Submission};

use crate::support::{
    Inside, Running, envelope, hop, quick,
    smarthost::{ALL, Do, Smarthost},
    until,
};

const TEXT: &str = "Subject: hello\r\n\r\ntext\r\n";

fn usual(_: &str) -> Do {
    Do::Usual
}

/// A hop where nobody is.
async fn nowhere() -> Hop {
    let smarthost = Smarthost::start(ALL, usual).await;
    smarthost.stop().await;
    hop(smarthost.port)
}

#[tokio::test]
async fn what_was_taken_survives_a_crash_and_goes_out_once() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let away = nowhere().await;
    let large = format!("Subject: large\r\n\r\n{}", "line\r\n".repeat(20_000));
    let running = Running::start(folder.path(), quick(), vec![away.clone()], &inside);
    running
        .submit(envelope(&["bob@other.test", "carol@example.test"]), TEXT)
        .await;
    running.submit(envelope(&["bob@other.test"]), &large).await;
    until(|| inside.mail_for("carol@example.test").len() == 1).await;
    running.kill().await;
    // What a crash leaves of a message that was never taken.
    std::fs::write(folder.path().join("messages/left"), "x").unwrap();

    let smarthost = Smarthost::start_at(away.port, ALL, usual).await;
    let running = Running::start(folder.path(), quick(), vec![away], &inside);
    running.empty().await;
    let octets: Vec<_> = smarthost
        .received()
        .into_iter()
        .map(|mail| mail.octets)
        .collect();
    assert_eq!(octets.len(), 2);
    assert!(octets.contains(&TEXT.as_bytes().to_vec()));
    assert!(octets.contains(&large.into_bytes()));
    assert_eq!(inside.mail_for("carol@example.test").len(), 1);
    assert_eq!(
        std::fs::read_dir(folder.path().join("messages"))
            .unwrap()
            .count(),
        0
    );
    running.stop().await;
}

#[tokio::test]
async fn mail_inside_goes_its_own_way() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let running = Running::start(folder.path(), quick(), vec![nowhere().await], &inside);
    running
        .submit(envelope(&["bob@example.test", "nobody@example.test"]), TEXT)
        .await;
    running.empty().await;
    assert_eq!(inside.mail_for("bob@example.test"), [TEXT]);
    let reports = inside.mail_for("anna@example.test");
    assert_eq!(reports.len(), 1);
    assert!(reports[0].contains(
        "Final-Recipient: rfc822; nobody@example.test\r\nAction: failed\r\nStatus: 5.1.1"
    ));
    running.stop().await;
}

#[tokio::test]
async fn each_of_those_an_address_stands_for_is_a_recipient_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let running = Running::start(folder.path(), quick(), vec![nowhere().await], &inside);
    running.submit(envelope(&["team@example.test"]), TEXT).await;
    running.empty().await;
    assert_eq!(inside.mail_for("bob@example.test"), [TEXT]);
    let reports = inside.mail_for("anna@example.test");
    let failed = "Original-Recipient: rfc822; team@example.test\r\nFinal-Recipient: rfc822; nobody@example.test\r\nAction: failed";
    assert!(
        reports.len() == 1 && reports[0].contains(failed),
        "{reports:?}"
    );
    running.stop().await;
}

#[tokio::test]
async fn who_waits_too_long_is_told_and_then_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let refusing = Smarthost::start(ALL, |line| match line.starts_with("RCPT") {
        true => Do::Say("451 4.2.1 not now"),
        false => Do::Usual,
    })
    .await;
    let closed = Smarthost::start(ALL, |line| match line.is_empty() {
        true => Do::Say("554 5.7.1 not you"),
        false => Do::Usual,
    })
    .await;
    for hop in [nowhere().await, hop(refusing.port), hop(closed.port)] {
        let options = Options {
            delay_notice_after: Duration::ZERO,
            expires_after: Duration::from_secs(3),
            retry_after_max: Duration::from_millis(50),
            ..quick()
        };
        let before = inside.mail_for("anna@example.test").len();
        let running = Running::start(folder.path(), options, vec![hop], &inside);
        running.submit(envelope(&["bob@other.test"]), TEXT).await;
        running.empty().await;
        running.stop().await;
        let reports = inside.mail_for("anna@example.test").split_off(before);
        assert_eq!(reports.len(), 2, "{reports:?}");
        assert!(
            reports[0].contains("Action: delayed\r\nStatus: 4."),
            "{}",
            reports[0]
        );
        assert!(reports[0].contains("Will-Retry-Until: "));
        assert!(
            reports[1].contains("Action: failed\r\nStatus: 5."),
            "{}",
            reports[1]
        );
    }
}

#[tokio::test]
async fn held_messages_wait_until_they_are_released() {
    let smarthost = Smarthost::start(ALL, usual).await;
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let running = Running::start(folder.path(), quick(), vec![hop(smarthost.port)], &inside);
    let later = Envelope {
        hold_until: Some(SystemTime::now() + Duration::from_secs(3600)),
        ..envelope(&["bob@other.test"])
    };
    let id = running.submit(later.clone(), TEXT).await;
    let queue = &running.queue;
    queue.hold(id).await.unwrap();
    assert_eq!(queue.retry(id).await.unwrap_err().kind, ErrorKind::NotFound);
    let listed = queue.list(Filter::default(), None).await.unwrap();
    assert!(listed.len() == 1 && listed[0].held && listed[0].due.is_none());
    assert_eq!(queue.content(id).await.unwrap().len(), TEXT.len() as u64);
    queue.release(id).await.unwrap();
    running.empty().await;
    assert_eq!(smarthost.received().len(), 1);
    assert_eq!(
        queue.release(id).await.unwrap_err().kind,
        ErrorKind::NotFound
    );

    let id = running.submit(later, TEXT).await;
    let shown = queue.show(id).await.unwrap();
    assert_eq!(shown.recipients[0].state, "waiting");
    assert!(shown.listed.due.unwrap() > SystemTime::now() + Duration::from_secs(3000));
    queue.retry(id).await.unwrap();
    running.empty().await;
    assert_eq!(smarthost.received().len(), 2);
    running.stop().await;
}

#[tokio::test]
async fn a_message_that_was_deleted_is_gone_and_nobody_hears_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let running = Running::start(folder.path(), quick(), vec![nowhere().await], &inside);
    let id = running.submit(envelope(&["bob@other.test"]), TEXT).await;
    let other = running.submit(envelope(&["carol@other.test"]), TEXT).await;
    running.queue.delete(id).await.unwrap();
    let filter = Filter {
        address: Some("CAROL@".to_owned()),
        ..Filter::default()
    };
    let left = running.queue.list(filter, None).await.unwrap();
    assert_eq!(left.iter().map(|one| one.id).collect::<Vec<_>>(), [other]);
    assert!(
        running
            .queue
            .list(Filter::default(), Some(other))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        running.queue.delete(id).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
    running.stop().await;
    assert!(inside.delivered.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_go_out_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let options = Options {
        messages_max: 2,
        bytes_max: 100_000,
        ..quick()
    };
    let running = Running::start(folder.path(), options, vec![nowhere().await], &inside);
    let circling = "Received: x\r\n".repeat(51) + "\r\n";
    let large = "x".repeat(100_001);
    for (to, text, kind) in [
        (vec![], TEXT, ErrorKind::Invalid),
        (vec!["a@other.test>\r\nDATA"], TEXT, ErrorKind::Invalid),
        (vec!["bob@other.test"], circling.as_str(), ErrorKind::Loop),
        (vec!["bob@other.test"], large.as_str(), ErrorKind::Full),
    ] {
        let submission = Submission {
            envelope: envelope(&to),
            content: Box::new(Cursor::new(text.as_bytes().to_vec())),
        };
        assert_eq!(
            running.queue.submit(submission).await.unwrap_err().kind,
            kind
        );
    }
    assert_eq!(
        std::fs::read_dir(folder.path().join("messages"))
            .unwrap()
            .count(),
        0
    );
    running.submit(envelope(&["bob@other.test"]), TEXT).await;
    running.submit(envelope(&["bob@other.test"]), TEXT).await;
    let submission = Submission {
        envelope: envelope(&["bob@other.test"]),
        content: Box::new(Cursor::new(TEXT)),
    };
    assert_eq!(
        running.queue.submit(submission).await.unwrap_err().kind,
        ErrorKind::Full
    );
    running.stop().await;
}

#[tokio::test]
async fn recipients_of_a_server_that_is_gone_find_another_way() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let mut old = nowhere().await;
    old.name = "old".into();
    struct Old(Arc<Inside>, AtomicBool);
    impl outbound::Router for Old {
        fn route<'a>(
            &'a self,
            origin: outbound::Origin<'a>,
            address: &'a str,
        ) -> outbound::Task<'a, Result<outbound::Route, outbound::Answer>> {
            if self.1.load(Ordering::SeqCst) {
                return Box::pin(async { Ok(outbound::Route::Hop("old".into())) });
            }
            self.0.route(origin, address)
        }
        fn relays(&self, _: &str) -> bool {
            true
        }
        fn deliver<'a>(
            &'a self,
            parcel: &'a outbound::Parcel,
        ) -> outbound::Task<'a, Vec<outbound::Outcome>> {
            self.0.deliver(parcel)
        }
        fn credentials<'a>(
            &'a self,
            submitter: &'a str,
        ) -> outbound::Task<'a, Option<outbound::Credentials>> {
            self.0.credentials(submitter)
        }
    }
    let router = Arc::new(Old(Arc::clone(&inside), AtomicBool::new(true)));
    let (queue, _) = outbound::Queue::open(folder.path(), quick(), vec![old], router).unwrap();
    let submission = Submission {
        envelope: envelope(&["bob@other.test", "carol@example.test"]),
        content: Box::new(Cursor::new(TEXT)),
    };
    queue.submit(submission).await.unwrap();
    drop(queue);
    let smarthost = Smarthost::start(ALL, usual).await;
    let running = Running::start(folder.path(), quick(), vec![hop(smarthost.port)], &inside);
    running.empty().await;
    assert_eq!(smarthost.received().len(), 1);
    assert_eq!(inside.mail_for("carol@example.test").len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn an_attempt_that_breaks_down_neither_doubles_nor_keeps_back_others() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let running = Running::start(folder.path(), quick(), vec![nowhere().await], &inside);
    for number in 0..10 {
        let to = match number {
            5 => "panic@example.test".to_owned(),
            _ => format!("user{number}@example.test"),
        };
        running.submit(envelope(&[&to]), TEXT).await;
    }
    until(|| running.queue.totals().messages == 1).await;
    running.submit(envelope(&["last@example.test"]), TEXT).await;
    until(|| !inside.mail_for("last@example.test").is_empty()).await;
    until(|| running.queue.totals().messages == 1).await;
    assert_eq!(inside.delivered.lock().unwrap().len(), 10);
    running.stop().await;
}
