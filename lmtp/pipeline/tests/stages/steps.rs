use pipeline::{Archive, Direction, OnFailure, Outcome, Pipeline, Policy, Stage, Stamp};

use crate::support::{TEXT, passing, stage, text};

#[tokio::test]
async fn a_stamp_takes_out_what_others_claim_and_puts_its_own_on_top() {
    let stamp = Stamp::new(
        &["X-Spam: no".to_owned()],
        &["Subject".to_owned(), "X-None".to_owned()],
    );
    let pipeline = Pipeline::new(vec![stage(stamp.unwrap())]);
    let mut message = passing(Direction::Delivery, TEXT).await;
    assert_eq!(pipeline.run(&mut message).await, Outcome::Passed);
    let expected = format!(
        "X-Spam: no\r\n{}",
        TEXT.replace("Subject: one\r\n\ttwo\r\n", "")
    );
    assert_eq!(text(&message).await, expected);
}

#[tokio::test]
async fn policy_looks_at_sizes_and_attachments() {
    let attached = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x\r\n\
                    Content-Type: application/octet-stream\r\n\
                    Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.EXE.\r\n\r\nMZ\r\n--x--\r\n";
    let none = Policy::default();
    for (policy, text, expected) in [
        (none.clone(), attached, None),
        (
            Policy {
                bytes_max: Some(10),
                ..none.clone()
            },
            TEXT,
            Some("552 5.3.4"),
        ),
        (
            Policy {
                names: vec!["*.exe".into()],
                ..none.clone()
            },
            attached,
            Some("550 5.7.1"),
        ),
        (
            Policy {
                names: vec!["*.exe".into()],
                ..none.clone()
            },
            TEXT,
            None,
        ),
        (
            Policy {
                types: vec!["application/*".into()],
                ..none
            },
            attached,
            Some("550 5.7.1"),
        ),
    ] {
        let mut message = passing(Direction::Submission, text).await;
        let outcome = Pipeline::new(vec![stage(policy.clone())])
            .run(&mut message)
            .await;
        match expected {
            None => assert_eq!(outcome, Outcome::Passed, "{policy:?}"),
            Some(code) => {
                let Outcome::Refused(answer) = outcome else {
                    panic!("{policy:?} let it pass")
                };
                assert!(answer.to_string().starts_with(code), "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn stages_see_the_messages_they_are_for_in_their_order() {
    let archive = |on_failure, address: &str| Stage {
        submissions: false,
        on_failure,
        ..stage(Archive::new(address).unwrap())
    };
    let pipeline = Pipeline::new(vec![
        archive(OnFailure::Defer, "one@example.test"),
        archive(OnFailure::Pass, "two@example.test"),
        // Who gets it already gets it once.
        archive(OnFailure::Defer, "BOB@example.test"),
    ]);
    assert!(pipeline.is_empty(Direction::Submission) && !pipeline.is_empty(Direction::Delivery));
    let mut message = passing(Direction::Delivery, TEXT).await;
    assert_eq!(pipeline.run(&mut message).await, Outcome::Passed);
    let added: Vec<_> = message
        .added
        .iter()
        .map(|one| (one.address.as_str(), one.is_needed))
        .collect();
    assert_eq!(
        added,
        [("one@example.test", true), ("two@example.test", false)]
    );
    let mut message = passing(Direction::Submission, TEXT).await;
    assert_eq!(pipeline.run(&mut message).await, Outcome::Passed);
    assert!(message.added.is_empty());
}

/// Names and types by which a program may run a part, wherever the sender puts it.
#[tokio::test]
async fn no_part_hides_from_policy() {
    let part = |head: &str| {
        format!(
            "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n{head}\r\n\r\nMZ\r\n--x--\r\n"
        )
    };
    let inner = "Content-Type: application/x; name=evil.exe";
    for text in [
        part(inner),
        part("Content-Type: text/plain; name=evil.exe"),
        part("Content-Type: text/html\r\nContent-Disposition: inline; filename=\"evil.exe. \""),
        part(
            "Content-Type: application/x; name=evil.exe\r\nContent-Disposition: attachment; filename=ok.txt",
        ),
        part("Content-Disposition: attachment; filename=ok.txt; filename*=utf-8''evil%2Eexe"),
        part("Content-Disposition: attachment; filename*0=evil.; filename*1=exe"),
        part("Content-Type: application/x; name=\"=?utf-8?q?evil=2Eexe?=\""),
        part(
            "Content-Type: message/delivery-status\r\nContent-Disposition: attachment; filename=evil.exe",
        ),
        part(&format!("Content-Type: message/rfc822\r\n\r\n{inner}")),
        part("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64"),
        part(inner).replace("multipart/mixed", "multipart/signed"),
        "Content-Type: text/plain; name=evil.exe\r\n\r\nMZ\r\n".to_owned(),
    ] {
        let policy = Policy {
            names: vec!["*.exe".to_owned()],
            ..Policy::default()
        };
        let mut message = passing(Direction::Delivery, &text).await;
        let outcome = Pipeline::new(vec![stage(policy)]).run(&mut message).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "{text}");
    }
}

/// What a message begins or ends with does not become part of a field that is put in, nor the other way round.
#[tokio::test]
async fn stamps_stand_by_themselves() {
    for (before, after) in [
        (
            " of another\r\nA: b\r\n\r\nbody",
            "X-A: b\r\n\r\n of another\r\nA: b\r\n\r\nbody",
        ),
        ("no field\r\nA: b\r\n", "X-A: b\r\n\r\nno field\r\nA: b\r\n"),
        ("A: b\r\nno field\r\n", "X-A: b\r\nA: b\r\n\r\nno field\r\n"),
        ("A: b", "X-A: b\r\nA: b\r\n\r\n"),
        ("A: b\n\nbody", "X-A: b\r\nA: b\n\nbody"),
        ("", "X-A: b\r\n\r\n"),
        ("\r\nbody", "X-A: b\r\n\r\nbody"),
    ] {
        let stamp = Stamp::new(&["X-A: b".to_owned()], &[]).unwrap();
        let mut message = passing(Direction::Delivery, before).await;
        let outcome = Pipeline::new(vec![stage(stamp)]).run(&mut message).await;
        assert_eq!(outcome, Outcome::Passed);
        assert_eq!(text(&message).await, after, "{before:?}");
    }
}
