//! What goes out, and what becomes of it when the mail server does not do as it should.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use outbound::{Authentication, BodyKind, Envelope, Hop, HopTls, Notify, Protocol, Returned};

use crate::support::{
    Inside, Running, envelope, hop, quick,
    smarthost::{ALL, Do, Smarthost},
    until,
};

const TEXT: &str = "Subject: hello\r\n\r\n.dots\r\n..and\r\ntext\r\n";

async fn sent(
    offers: &[&'static str],
    envelope: Envelope,
    text: &str,
    script: impl Fn(&str) -> Do + Send + Sync + 'static,
) -> (Smarthost, Arc<Inside>) {
    let smarthost = Smarthost::start(offers, script).await;
    let inside = deliver(hop(smarthost.port), envelope, text).await;
    (smarthost, inside)
}

/// Submits a message, and waits until the queue is empty.
async fn deliver(hop: Hop, envelope: Envelope, text: &str) -> Arc<Inside> {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let running = Running::start(folder.path(), quick(), vec![hop], &inside);
    running.submit(envelope, text).await;
    running.empty().await;
    running.stop().await;
    inside
}

fn usual(_: &str) -> Do {
    Do::Usual
}

#[tokio::test]
async fn a_message_goes_out_as_it_came() {
    for offers in [ALL, &[]] {
        let to = ["bob@other.test", "carol@other.test"];
        let (smarthost, inside) = sent(offers, envelope(&to), TEXT, usual).await;
        let received = smarthost.received();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].octets, TEXT.as_bytes());
        assert_eq!(received[0].to.len(), 2);
        assert!(inside.mail_for("anna@example.test").is_empty());
    }
}

#[tokio::test]
async fn a_large_message_without_an_end_of_line_goes_out_with_one() {
    let text = format!(
        "Subject: large\r\n\r\n{}",
        "0123456789\r\n".repeat(30_000) + "end"
    );
    let (smarthost, _) = sent(ALL, envelope(&["bob@other.test"]), &text, usual).await;
    assert_eq!(
        smarthost.received()[0].octets,
        format!("{text}\r\n").as_bytes()
    );
}

#[tokio::test]
async fn what_the_client_asked_for_is_passed_on_where_it_is_understood() {
    let mut mail = Envelope {
        envelope_id: Some("e 1".to_owned()),
        returned: Returned::Full,
        ..envelope(&["bob@other.test"])
    };
    mail.recipients[0].notify = Notify::SUCCESS.and(Notify::FAILURE);
    mail.recipients[0].original = Some("rfc822;b+b@other.test".to_owned());
    let (smarthost, inside) = sent(ALL, mail.clone(), "A: ü\r\n\r\nä\r\n", usual).await;
    let received = smarthost.received();
    assert_eq!(
        received[0].from,
        "MAIL FROM:<anna@example.test> SIZE=13 BODY=8BITMIME RET=FULL ENVID=e+201"
    );
    let to = "RCPT TO:<bob@other.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bb@other.test";
    assert_eq!(received[0].to, [to]);
    assert!(inside.mail_for("anna@example.test").is_empty());

    // A server that reports nothing: the sender hears from here that it was handed on.
    let (smarthost, inside) = sent(&[], mail, TEXT, usual).await;
    assert_eq!(smarthost.received()[0].to, ["RCPT TO:<bob@other.test>"]);
    let reports = inside.mail_for("anna@example.test");
    assert_eq!(reports.len(), 1);
    assert!(
        reports[0].contains("Action: relayed\r\nStatus: 2.0.0\r\n"),
        "{}",
        reports[0]
    );
}

#[tokio::test]
async fn a_refused_recipient_is_reported_once_and_the_others_are_not_kept_back() {
    let script = |line: &str| match line.contains("wrong@") {
        true => Do::Say("550 5.1.1 no such user"),
        false => Do::Usual,
    };
    for offers in [ALL, &[]] {
        let to = ["bob@other.test", "wrong@other.test"];
        let (smarthost, inside) = sent(offers, envelope(&to), TEXT, script).await;
        assert_eq!(smarthost.received().len(), 1);
        assert_eq!(smarthost.received()[0].to.len(), 1);
        let reports = inside.mail_for("anna@example.test");
        assert_eq!(reports.len(), 1);
        assert!(reports[0].contains(
            "Final-Recipient: rfc822; wrong@other.test\r\nAction: failed\r\nStatus: 5.1.1"
        ));
        assert!(reports[0].contains("Subject: hello\r\n"));
        assert!(!reports[0].contains("bob@other.test"));
    }
}

#[tokio::test]
async fn nobody_is_told_of_what_they_did_not_want_to_hear_and_of_reports() {
    let refuse = |line: &str| match line.starts_with("RCPT") {
        true => Do::Say("550 5.1.1 no such user"),
        false => Do::Usual,
    };
    let mut mail = envelope(&["bob@other.test"]);
    mail.recipients[0].notify = Notify::NEVER;
    let report = Envelope {
        sender: String::new(),
        ..envelope(&["bob@other.test"])
    };
    for mail in [mail, report] {
        let (_, inside) = sent(ALL, mail, TEXT, refuse).await;
        assert!(inside.mail_for("anna@example.test").is_empty());
    }
}

/// A script for which the first commands of a kind go wrong, and all others as usual.
fn first(times: usize, of: &'static str, wrong: fn() -> Do) -> impl Fn(&str) -> Do + Send + Sync {
    let seen = AtomicUsize::new(0);
    move |line| {
        let is_of = line.starts_with(of) && (line.is_empty() == of.is_empty());
        match is_of && seen.fetch_add(1, Ordering::SeqCst) < times {
            true => wrong(),
            false => Do::Usual,
        }
    }
}

#[tokio::test]
async fn a_temporary_refusal_is_tried_again() {
    for at in ["MAIL", "RCPT", "DATA", "."] {
        let script = first(3, at, || Do::Say("451 4.7.1 greylisted"));
        let (smarthost, inside) = sent(ALL, envelope(&["bob@other.test"]), TEXT, script).await;
        assert_eq!(smarthost.received().len(), 1, "{at}");
        let tries = smarthost
            .lines()
            .iter()
            .filter(|line| line.starts_with("MAIL"))
            .count();
        assert_eq!(tries, 4, "{at}");
        assert!(inside.mail_for("anna@example.test").is_empty());
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_end_doubles_nothing() {
    for at in ["EHLO", "MAIL", "RCPT", "DATA"] {
        let script = first(2, at, || Do::Hang);
        let (smarthost, inside) = sent(ALL, envelope(&["bob@other.test"]), TEXT, script).await;
        assert_eq!(smarthost.received().len(), 1, "{at}");
        assert_eq!(smarthost.connections(), 3, "{at}");
        assert!(inside.mail_for("anna@example.test").is_empty());
    }
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_sent_again() {
    let script = first(1, "DATA", || Do::HangAfter);
    let (smarthost, _) = sent(ALL, envelope(&["bob@other.test"]), TEXT, script).await;
    assert_eq!(smarthost.received().len(), 2);
}

#[tokio::test]
async fn mail_waits_for_a_server_that_is_away_and_goes_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let smarthost = Smarthost::start(ALL, usual).await;
    let port = smarthost.port;
    smarthost.stop().await;
    let running = Running::start(folder.path(), quick(), vec![hop(port)], &inside);
    for _ in 0..20 {
        running.submit(envelope(&["bob@other.test"]), TEXT).await;
    }
    assert!(running.away().await.contains("4.4.1"));
    let smarthost = Smarthost::start_at(port, ALL, usual).await;
    running.empty().await;
    assert_eq!(smarthost.received().len(), 20);
    assert_eq!(running.queue.hops()[0].failures, 0);
    running.stop().await;
    assert!(inside.mail_for("anna@example.test").is_empty());
}

#[tokio::test]
async fn a_server_that_refuses_the_connection_refuses_no_message() {
    let script = first(2, "", || Do::Say("554 5.7.1 not you"));
    let (smarthost, inside) = sent(ALL, envelope(&["bob@other.test"]), TEXT, script).await;
    assert_eq!(smarthost.received().len(), 1);
    assert!(inside.mail_for("anna@example.test").is_empty());
}

#[tokio::test]
async fn connections_are_used_again() {
    let smarthost = Smarthost::start(ALL, usual).await;
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let hop = Hop {
        connections_max: 2,
        ..hop(smarthost.port)
    };
    let running = Running::start(folder.path(), quick(), vec![hop], &inside);
    for _ in 0..30 {
        running.submit(envelope(&["bob@other.test"]), TEXT).await;
    }
    running.empty().await;
    assert_eq!(smarthost.received().len(), 30);
    assert!(smarthost.connections() <= 2, "{}", smarthost.connections());
    running.stop().await;
}

#[tokio::test]
async fn a_server_that_takes_no_more_connections_is_not_away() {
    let connections = AtomicUsize::new(0);
    let script = move |line: &str| {
        let refuse = line.is_empty() && connections.fetch_add(1, Ordering::SeqCst) % 2 == 1;
        match refuse {
            true => Do::Say("421 4.7.0 too many connections"),
            false => Do::Usual,
        }
    };
    let smarthost = Smarthost::start(ALL, script).await;
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let hop = Hop {
        messages_per_connection_max: 3,
        ..hop(smarthost.port)
    };
    let running = Running::start(folder.path(), quick(), vec![hop], &inside);
    for _ in 0..30 {
        running.submit(envelope(&["bob@other.test"]), TEXT).await;
    }
    running.empty().await;
    assert_eq!(smarthost.received().len(), 30);
    running.stop().await;
    assert!(inside.mail_for("anna@example.test").is_empty());
}

#[tokio::test]
async fn a_refusal_stands_although_the_server_then_closes() {
    for (at, closes) in [("MAIL", "RCPT"), ("RCPT", "RSET"), ("DATA", "RSET")] {
        for offers in [ALL, &[]] {
            let script = move |line: &str| match () {
                () if line.starts_with(at) => Do::Say("550 5.7.1 blocked"),
                () if line.starts_with(closes) => Do::Hang,
                () => Do::Usual,
            };
            let (smarthost, inside) =
                sent(offers, envelope(&["bob@other.test"]), TEXT, script).await;
            assert!(smarthost.received().is_empty());
            let reports = inside.mail_for("anna@example.test");
            assert!(
                reports.len() == 1 && reports[0].contains("550 5.7.1 blocked"),
                "{at}: {reports:?}"
            );
            assert_eq!(smarthost.connections(), 1);
        }
    }
}

#[tokio::test]
async fn a_password_is_for_who_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let smarthost = Smarthost::start(&["AUTH PLAIN"], usual).await;
    let hop = Hop {
        tls: HopTls::IfOffered,
        authentication: Authentication::Submitter,
        ..hop(smarthost.port)
    };
    let running = Running::start(folder.path(), quick(), vec![hop], &inside);
    running.submit(envelope(&["bob@other.test"]), TEXT).await;
    until(|| !running.queue.hops().is_empty()).await;
    running.stop().await;
    assert!(
        !smarthost
            .lines()
            .iter()
            .any(|line| line.starts_with("AUTH"))
    );
}

#[tokio::test]
async fn a_reply_without_end_is_no_reply() {
    let endless = Box::leak("250-\r\n".repeat(20_000).into_boxed_str());
    let reply: &'static str = endless;
    let script = move |line: &str| match line.starts_with("EHLO") {
        true => Do::Say(reply),
        false => Do::Usual,
    };
    let smarthost = Smarthost::start(ALL, script).await;
    let folder = tempfile::tempdir().unwrap();
    let inside = Arc::new(Inside::default());
    let running = Running::start(folder.path(), quick(), vec![hop(smarthost.port)], &inside);
    running.submit(envelope(&["bob@other.test"]), TEXT).await;
    assert!(running.away().await.contains("cannot be understood"));
    running.stop().await;
}

#[tokio::test]
async fn what_a_server_cannot_take_comes_back() {
    let utf8 = Envelope {
        utf8: true,
        ..envelope(&["bob@other.test"])
    };
    let require_tls = Envelope {
        require_tls: true,
        ..envelope(&["bob@other.test"])
    };
    let big = "x".repeat(400);
    for (offers, mail, text, status) in [
        (
            &["SIZE 100"][..],
            envelope(&["bob@other.test"]),
            big.as_str(),
            "5.3.4",
        ),
        (&["8BITMIME"], utf8, "Subject: ä\r\n\r\n", "5.6.7"),
        (
            &["8BITMIME"],
            envelope(&["bob@other.test"]),
            "bare\nline feeds\r\n",
            "5.6.1",
        ),
        (&["REQUIRETLS"], require_tls, TEXT, "5.7.30"),
        (&["8BITMIME"], envelope(&["bö@other.test"]), TEXT, "5.6.7"),
    ] {
        let (smarthost, inside) = sent(offers, mail, text, usual).await;
        assert!(smarthost.received().is_empty(), "{status}");
        let reports = inside.mail_for("anna@example.test");
        assert_eq!(reports.len(), 1, "{status}");
        assert!(
            reports[0].contains(&format!("Status: {status}\r\n")),
            "{}",
            reports[0]
        );
    }
}

#[tokio::test]
async fn binary_messages_go_in_one_chunk() {
    let mail = Envelope {
        body: BodyKind::Binary,
        ..envelope(&["bob@other.test"])
    };
    let text = "Subject: x\r\n\r\n\0\n.\r\r\n";
    let (smarthost, _) = sent(&["CHUNKING", "BINARYMIME"], mail, text, usual).await;
    assert_eq!(smarthost.received()[0].octets, text.as_bytes());
    assert!(smarthost.received()[0].from.ends_with(" BODY=BINARYMIME"));
}

#[tokio::test]
async fn lmtp_answers_for_each_recipient() {
    let script = |line: &str| match line {
        ". RCPT TO:<full@other.test>" => Do::Say("552 5.2.2 mailbox full"),
        _ => Do::Usual,
    };
    let smarthost = Smarthost::with(0, (&["PIPELINING"], true, None), script).await;
    let hop = Hop {
        protocol: Protocol::Lmtp,
        ..hop(smarthost.port)
    };
    let to = ["bob@other.test", "full@other.test", "carol@other.test"];
    let inside = deliver(hop, envelope(&to), TEXT).await;
    assert_eq!(smarthost.received()[0].to.len(), 2);
    let reports = inside.mail_for("anna@example.test");
    assert_eq!(reports.len(), 1);
    assert!(
        reports[0].contains(
            "Final-Recipient: rfc822; full@other.test\r\nAction: failed\r\nStatus: 5.2.2"
        )
    );
    assert!(smarthost.lines()[0].starts_with("LHLO gateway.example.test"));
}

#[tokio::test]
async fn mail_is_sent_in_the_name_of_who_submitted_it() {
    let smarthost = Smarthost::start(&["AUTH LOGIN PLAIN"], usual).await;
    let hop = Hop {
        authentication: Authentication::Submitter,
        ..hop(smarthost.port)
    };
    deliver(hop, envelope(&["bob@other.test"]), TEXT).await;
    let plain = "AUTH PLAIN AGFubmFAZXhhbXBsZS50ZXN0AHNlY3JldA==".to_owned();
    assert!(
        smarthost.lines().contains(&plain),
        "{:?}",
        smarthost.lines()
    );
}

#[tokio::test]
async fn what_must_be_encrypted_is_or_stays() {
    let certificate = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certificate.signing_key.serialize_der())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let offers = (&["STARTTLS"][..], false, Some(acceptor));
    let smarthost = Smarthost::with(0, offers, usual).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.cert.der().clone()).unwrap();
    let trusting = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let trusts = Hop {
        tls: HopTls::StartTls,
        tls_config: Arc::new(trusting),
        ..hop(smarthost.port)
    };
    deliver(trusts, envelope(&["bob@other.test"]), TEXT).await;
    assert_eq!(smarthost.received().len(), 1);

    // Neither an unknown certificate nor a server without TLS gets the message.
    let without = Smarthost::start(ALL, usual).await;
    for port in [smarthost.port, without.port] {
        let strict = Hop {
            tls: HopTls::StartTls,
            ..hop(port)
        };
        let folder = tempfile::tempdir().unwrap();
        let inside = Arc::new(Inside::default());
        let running = Running::start(folder.path(), quick(), vec![strict], &inside);
        running.submit(envelope(&["bob@other.test"]), TEXT).await;
        running.away().await;
        assert_eq!(running.queue.totals().messages, 1);
        running.stop().await;
    }
    assert_eq!(smarthost.received().len() + without.received().len(), 1);
}
