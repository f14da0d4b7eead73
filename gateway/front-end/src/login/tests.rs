//! Who gets in, what is offered, and what is counted and written down.
use std::{net::IpAddr, sync::Mutex};

use directory::Directory;
use mapi_store::MemBackend;

use super::*;
use crate::{Attempt, Channel, ClientCertificate, LoginOutcome, TlsState, Turn};

/// Writes down how attempts ended.
#[derive(Default)]
struct Ledger(Arc<Mutex<Vec<Option<LoginOutcome>>>>);

struct Noted(Arc<Mutex<Vec<Option<LoginOutcome>>>>, bool);

impl Throttle for Ledger {
    fn attempt<'a>(&'a self, _: Option<IpAddr>, _: &'a str) -> Turn<'a> {
        let noted = Noted(Arc::clone(&self.0), false);
        Box::pin(async { Box::new(noted) as Box<dyn Attempt> })
    }
}

impl Attempt for Noted {
    fn end(mut self: Box<Self>, outcome: LoginOutcome) {
        self.1 = true;
        self.0.lock().unwrap().push(Some(outcome));
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if !self.1 {
            self.0.lock().unwrap().push(None);
        }
    }
}

fn logins() -> (Logins, Arc<Mutex<Vec<Option<LoginOutcome>>>>) {
    logins_of(&["ann@example.test"])
}

fn logins_of(users: &[&str]) -> (Logins, Arc<Mutex<Vec<Option<LoginOutcome>>>>) {
    let directory = Directory::in_memory().unwrap();
    for user in users {
        directory.add_user(user, "secret").unwrap();
    }
    let backend = Arc::new(MemBackend::new());
    let accounts = Accounts::new(backend, Arc::new(directory), account::Options::default());
    let ledger = Ledger::default();
    let noted = Arc::clone(&ledger.0);
    (Logins::new(accounts, Arc::new(ledger)), noted)
}

fn peer(tls: TlsState) -> Peer {
    Peer {
        addr: None,
        tls,
        loopback: false,
        id: 1,
        channel: Channel::default(),
    }
}

#[tokio::test]
async fn a_login_counts_by_what_came_of_it() {
    let (logins, noted) = logins();
    let peer = peer(TlsState::Active);
    for (response, outcome) in [
        (&b"\0ann@example.test\0secret"[..], LoginOutcome::Accepted),
        (b"\0ann@example.test\0wrong", LoginOutcome::Refused),
        (b"\0ann@example.test\0\xff", LoginOutcome::Refused),
        // Who they are is proved, though they may not do what they want.
        (
            b"bob@example.test\0ann@example.test\0secret",
            LoginOutcome::Accepted,
        ),
    ] {
        let mut login = logins.begin(Service::Imap, &peer, "plain").unwrap();
        let progress = login.start(Some(response)).await;
        let accepted = matches!(progress, Progress::Accepted(_));
        assert_eq!(accepted, response == b"\0ann@example.test\0secret");
        assert_eq!(noted.lock().unwrap().pop(), Some(Some(outcome)));
    }
}

#[tokio::test]
async fn an_exchange_that_is_broken_off_is_not_forgotten() {
    let (logins, noted) = logins();
    let logins = logins.with_scram(|| Some([7; 18]));
    let peer = peer(TlsState::None);
    let mut login = logins.begin(Service::Imap, &peer, "SCRAM-SHA-256").unwrap();
    let progress = login.start(Some(b"n,,n=ann@example.test,r=client")).await;
    assert!(matches!(progress, Progress::Challenge(_)));
    drop(login);
    assert_eq!(
        noted.lock().unwrap().pop(),
        Some(Some(LoginOutcome::Refused))
    );
}

#[test]
fn passwords_are_asked_for_on_private_connections_alone() {
    let (logins, _) = logins();
    let names = |logins: &Logins, tls| -> Vec<&str> {
        logins.mechanisms(&peer(tls)).map(Mechanism::name).collect()
    };
    assert_eq!(names(&logins, TlsState::None), [""; 0]);
    assert_eq!(names(&logins, TlsState::Active), ["PLAIN", "LOGIN"]);
    let logins = logins.with_scram(|| Some([7; 18]));
    assert_eq!(names(&logins, TlsState::None), ["SCRAM-SHA-256"]);
    for (name, expected) in [
        ("PLAIN", NotOffered::NeedsTls),
        ("CRAM-MD5", NotOffered::Unknown),
        ("SCRAM-SHA-256-PLUS", NotOffered::Unknown),
    ] {
        let peer = peer(TlsState::None);
        assert_eq!(
            logins.begin(Service::Imap, &peer, name).err(),
            Some(expected),
            "{name}"
        );
    }
}

/// A peer over TLS with a certificate.
fn certified(addresses: &[&str], fingerprint: &[u8]) -> Peer {
    let certificate = ClientCertificate {
        addresses: addresses.iter().map(|text| (*text).to_owned()).collect(),
        fingerprint: Fingerprint::of(fingerprint),
    };
    let mut peer = peer(TlsState::None);
    peer.encrypted(Channel {
        certificate: Some(Arc::new(certificate)),
        ..Channel::default()
    });
    peer
}

#[tokio::test]
async fn a_certificate_lets_its_user_in_and_nobody_else() {
    let (logins, noted) = logins();
    let listed = HashMap::from([(Fingerprint::of(b"listed"), "ann@example.test".to_owned())]);
    let logins = logins.with_certificates(listed);
    let ann: &[&str] = &["Ann@example.test"];
    let both = ["ann@example.test", "ben@example.test"];
    for (addresses, fingerprint, wanted, expected) in [
        (ann, &b"other"[..], "", Some(LoginOutcome::Accepted)),
        (
            ann,
            b"other",
            "ann@EXAMPLE.test",
            Some(LoginOutcome::Accepted),
        ),
        // Who they are is proved, though they may not do what they want.
        (
            ann,
            b"other",
            "ben@example.test",
            Some(LoginOutcome::Accepted),
        ),
        // The list is the last word.
        (
            &["ben@example.test"],
            b"listed",
            "",
            Some(LoginOutcome::Accepted),
        ),
        (
            &["ben@example.test"],
            b"listed",
            "ben@example.test",
            Some(LoginOutcome::Accepted),
        ),
        // One of the two is no user here.
        (&both, b"other", "", Some(LoginOutcome::Accepted)),
        (&[], b"other", "", None),
        (
            &["nobody@example.test"],
            b"other",
            "nobody@example.test",
            None,
        ),
    ] {
        let peer = certified(addresses, fingerprint);
        let offered = logins.mechanisms(&peer).next() == Some(Mechanism::External);
        assert_eq!(offered, expected.is_some(), "{addresses:?}");
        match logins.begin(Service::Imap, &peer, "EXTERNAL") {
            Ok(mut login) => {
                let progress = login.start(Some(wanted.as_bytes())).await;
                match (wanted.starts_with("ben"), progress) {
                    (false, Progress::Accepted(principal)) => {
                        assert_eq!(principal.user, "ann@example.test");
                    }
                    (true, Progress::Refused(Refusal::OtherIdentity)) => {}
                    (_, progress) => panic!("{addresses:?} {wanted}: {progress:?}"),
                }
                assert_eq!(noted.lock().unwrap().pop(), Some(expected));
            }
            Err(why) => assert_eq!((why, expected), (NotOffered::Unknown, None)),
        }
    }
}

#[tokio::test]
async fn a_certificate_of_several_users_does_not_say_who_it_is() {
    let (logins, _) = logins_of(&["ann@example.test", "ben@example.test"]);
    let logins = logins.with_certificates(HashMap::new());
    let peer = certified(&["ann@example.test", "ben@example.test"], b"both");
    for (wanted, expected) in [("", None), ("ben@example.test", Some("ben@example.test"))] {
        let mut login = logins.begin(Service::Smtp, &peer, "EXTERNAL").unwrap();
        match (login.start(Some(wanted.as_bytes())).await, expected) {
            (Progress::Accepted(principal), Some(user)) => assert_eq!(principal.user, user),
            (Progress::Refused(Refusal::Malformed(_)), None) => {}
            (progress, _) => panic!("{wanted}: {progress:?}"),
        }
    }
}

#[test]
fn without_a_certificate_or_where_none_is_asked_for_external_is_not_offered() {
    let (logins, _) = logins();
    let ann = certified(&["ann@example.test"], b"x");
    let offers = |logins: &Logins, peer: &Peer| {
        let mut mechanisms = logins.mechanisms(peer);
        mechanisms.any(|one| one == Mechanism::External)
    };
    assert!(!offers(&logins, &ann));
    let logins = logins.with_certificates(HashMap::new());
    assert!(offers(&logins, &ann));
    assert!(!offers(&logins, &peer(TlsState::Active)));
}

#[tokio::test]
async fn scram_bound_to_the_channel_is_offered_over_tls_and_a_downgrade_is_noticed() {
    let (logins, noted) = logins();
    let logins = logins.with_scram(|| Some([7; 18]));
    let names =
        |peer: &Peer| -> Vec<&str> { logins.mechanisms(peer).map(Mechanism::name).collect() };
    assert_eq!(names(&peer(TlsState::None)), ["SCRAM-SHA-256"]);
    let mut bound = peer(TlsState::None);
    bound.encrypted(Channel {
        bindings: ChannelBindings {
            tls_exporter: Some(vec![1; 32]),
            tls_server_end_point: None,
        },
        certificate: None,
    });
    assert_eq!(
        names(&bound),
        ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]
    );
    for (mechanism, header, goes_on) in [
        ("SCRAM-SHA-256-PLUS", "p=tls-exporter,,", true),
        ("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", false),
        ("SCRAM-SHA-256-PLUS", "n,,", false),
        ("SCRAM-SHA-256", "n,,", true),
        // It could, and was not shown that we can.
        ("SCRAM-SHA-256", "y,,", false),
    ] {
        let mut login = logins.begin(Service::Imap, &bound, mechanism).unwrap();
        let first = format!("{header}n=ann@example.test,r=client");
        let progress = login.start(Some(first.as_bytes())).await;
        assert_eq!(
            matches!(progress, Progress::Challenge(_)),
            goes_on,
            "{first}"
        );
        drop(login);
        // Counted are those alone who said who they are by the rules.
        assert_eq!(noted.lock().unwrap().pop().is_some(), goes_on, "{first}");
    }
}
