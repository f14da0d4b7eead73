use std::time::Duration;

use pipeline::{Archive, Direction, OnFailure, Outcome, Pipeline, Stage};
use tokio::net::TcpListener;

use crate::support::{Filter, TEXT, packet, passing, stage, terms, text};

/// Runs a filter's step alone; how the message came out, what became of it, and what the filter heard.
async fn ask(answers: &[(u8, Vec<u8>)]) -> (Outcome, pipeline::Passing, Vec<String>) {
    let filter = Filter::new(answers).await;
    let mut message = passing(Direction::Delivery, TEXT).await;
    let pipeline = Pipeline::new(vec![stage(filter.step.clone())]);
    let outcome = pipeline.run(&mut message).await;
    (outcome, message, filter.heard().await)
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => "passed".to_owned(),
        Outcome::Dropped => "dropped".to_owned(),
        Outcome::Refused(answer) => answer.to_string(),
    }
}

#[tokio::test]
async fn a_filter_hears_the_whole_message() {
    let (outcome, message, heard) = ask(&[]).await;
    assert_eq!(outcome, Outcome::Passed);
    assert!(!message.is_changed);
    assert_eq!(
        heard,
        [
            "C [192.0.2.1]|4||192.0.2.1|",
            "H client.example.org|",
            "M <a@example.test>|",
            "R <bob@example.test>|",
            "R <carol@example.test>|",
            "T ",
            "L From|a@example.test|",
            "L Subject|one\n\ttwo|",
            "N ",
            "B A body.\r\n.\r\nMore of it.\r\n",
            "E ",
            "Q ",
        ]
    );
}

#[tokio::test]
async fn a_filter_may_do_without_commands_and_keep_leading_spaces() {
    // No CONNECT, HELO, body; no answers to fields; white space as it is.
    let protocol = 0x01 | 0x02 | 0x10 | 0x80 | 0x10_0000;
    let (outcome, _, heard) = ask(&[(b'O', terms(0, protocol)), (b'L', Vec::new())]).await;
    assert_eq!(outcome, Outcome::Passed);
    let expected = [
        "M <a@example.test>|",
        "R <bob@example.test>|",
        "R <carol@example.test>|",
        "T ",
        "L From| a@example.test|",
        "L Subject| one\n\ttwo|",
        "N ",
        "E ",
        "Q ",
    ];
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn what_a_filter_changes_is_changed() {
    let end = [
        packet(b'p', b""),
        packet(b'i', b"\0\0\0\0X-First\0yes\0"),
        packet(b'h', b"X-Last\0folded\n\tvalue\0"),
        packet(b'm', b"\0\0\0\x01Subject\0other\0"),
        packet(b'b', b"New "),
        packet(b'b', b"body.\n"),
        packet(b'e', b"<b@example.test>\0"),
        packet(b'+', b"<dora@example.test>\0"),
        packet(b'-', b"<bob@example.test>\0"),
        packet(b'a', b""),
    ];
    let (outcome, message, _) = ask(&[(b'E', end.concat())]).await;
    assert_eq!(outcome, Outcome::Passed);
    assert_eq!(
        text(&message).await,
        "X-First: yes\r\nFrom: a@example.test\r\nSubject: other\r\nX-Last: folded\r\n\tvalue\r\n\r\nNew body.\r\n"
    );
    assert_eq!(message.sender, "b@example.test");
    assert_eq!(message.recipients, ["carol@example.test"]);
    let added: Vec<_> = message
        .added
        .iter()
        .map(|one| one.address.as_str())
        .collect();
    assert_eq!(added, ["dora@example.test"]);
}

#[tokio::test]
async fn what_a_filter_refuses_is_refused() {
    let reply = packet(b'y', b"554 5.7.1 spam\0");
    for (letter, answer, expected) in [
        (b'E', packet(b'r', b""), "550 5.7.1 refused by a filter"),
        (b'E', packet(b't', b""), "451 4.7.1 try again later"),
        (b'E', packet(b'd', b""), "dropped"),
        (
            b'E',
            packet(b'q', b"virus\0"),
            "550 5.7.1 a filter wants this message held back",
        ),
        (b'M', reply.clone(), "554 5.7.1 spam"),
        (b'L', reply.clone(), "554 5.7.1 spam"),
        (b'B', packet(b'd', b""), "dropped"),
        (b'C', packet(b'a', b""), "passed"),
    ] {
        let (outcome, ..) = ask(&[(letter, answer)]).await;
        assert_eq!(told(&outcome), expected, "{}", char::from(letter));
    }
}

#[tokio::test]
async fn a_filter_may_refuse_recipients_alone() {
    let (outcome, message, _) = ask(&[(b'R', packet(b'y', b"550 5.1.1 nobody\0"))]).await;
    assert_eq!(outcome, Outcome::Passed);
    assert!(message.recipients.is_empty());
    let refused: Vec<_> = message
        .refused
        .iter()
        .map(|(one, answer)| format!("{one}: {answer}"))
        .collect();
    assert_eq!(
        refused,
        [
            "bob@example.test: 550 5.1.1 nobody",
            "carol@example.test: 550 5.1.1 nobody"
        ]
    );
}

/// A filter that lies, breaks off or hangs changes nothing, and its stage says what happens to the message.
#[tokio::test]
async fn a_filter_that_fails_neither_blocks_nor_loses_mail() {
    let endless = packet(b'h', b"X\0y\0").repeat(5000);
    let large = packet(b'b', &[b'x'; 600]).repeat(2);
    let forged = [packet(b'h', b"X\0y\r\nBcc: z\0"), packet(b'c', b"")].concat();
    let name = [packet(b'h', b"X:\r\n\0y\0"), packet(b'c', b"")].concat();
    let added = [packet(b'+', b"a b\r\nDATA\0"), packet(b'c', b"")].concat();
    for (letter, answer) in [
        (b'O', packet(b'c', b"")),
        (b'O', packet(b'O', b"\0\0")),
        (b'O', b"hang up".to_vec()),
        (b'M', b"hang up".to_vec()),
        (b'M', packet(b'?', b"")),
        (b'M', packet(b's', b"")),
        (b'M', packet(b'y', b"250 fine\0")),
        (b'M', vec![0xff; 64]),
        (b'M', vec![0, 0, 0, 0, b'c']),
        (b'E', b"hang up".to_vec()),
        (b'E', endless),
        (b'E', large),
        (b'E', forged),
        (b'E', name),
        (b'E', added),
    ] {
        for (on_failure, expected) in [
            (OnFailure::Pass, "passed"),
            (
                OnFailure::Defer,
                "451 4.7.1 the message cannot be checked now, try again later",
            ),
        ] {
            let filter = Filter::new(&[(letter, answer.clone())]).await;
            let mut message = passing(Direction::Submission, TEXT).await;
            let stage = Stage {
                on_failure,
                ..stage(filter.step.clone())
            };
            let outcome = Pipeline::new(vec![stage]).run(&mut message).await;
            assert_eq!(
                told(&outcome),
                expected,
                "{} {answer:?}",
                char::from(letter)
            );
            assert_eq!(text(&message).await, TEXT);
            assert_eq!(message.recipients.len(), 2);
            assert!(message.added.is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_hangs_has_its_time() {
    // It takes connections and says nothing; time passes by itself where nothing else happens.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let step = pipeline::Milter {
        place: pipeline::Place::Tcp(listener.local_addr().unwrap().to_string()),
        body_bytes_max: 1000,
    };
    let mut message = passing(Direction::Delivery, TEXT).await;
    let stage = Stage {
        timeout: Duration::from_secs(5),
        ..stage(step)
    };
    let outcome = Pipeline::new(vec![stage]).run(&mut message).await;
    assert!(told(&outcome).starts_with("451"), "{outcome:?}");
}

#[tokio::test]
async fn an_archive_keeps_nothing_that_was_refused_for_everybody() {
    let filter = Filter::new(&[(b'R', packet(b'r', b""))]).await;
    let archive = |on_failure| Stage {
        name: "archive".to_owned(),
        on_failure,
        ..stage(Archive::new("archive@example.test").unwrap())
    };
    let pipeline = Pipeline::new(vec![stage(filter.step.clone()), archive(OnFailure::Defer)]);
    let mut message = passing(Direction::Delivery, TEXT).await;
    assert_eq!(pipeline.run(&mut message).await, Outcome::Passed);
    assert_eq!(message.refused.len(), 2);
    assert!(message.added.is_empty());
    // Without recipients the filter hears of no content.
    assert_eq!(filter.heard().await.last().unwrap(), "Q ");

    // Where the archive comes first, the filter refuses it, too: nobody who hands mail in could put that right.
    let filter = Filter::new(&[(b'R', packet(b'r', b""))]).await;
    let pipeline = Pipeline::new(vec![archive(OnFailure::Defer), stage(filter.step.clone())]);
    let mut message = passing(Direction::Delivery, TEXT).await;
    assert!(told(&pipeline.run(&mut message).await).starts_with("451"));
}
