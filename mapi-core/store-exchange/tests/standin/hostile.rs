//! Servers that are broken or mean harm, and networks that are slow: a mailbox may be refused, and others go on.

use std::{sync::Arc, time::Duration};

use exchange_standin::{Config, NotificationFault, Server, model::draft::Draft as Sent};
use mapi_store::{Backend, Deletion, ErrorKind, Expected, FolderInfo, Role, Store};
use mapi_types::{BitChange, Change, MailboxId, Version, tags, tags::message_flags};
use mapi_wire::Guid;

use crate::{
    faults::{bytes, draft, original, save},
    proxy::{ENOUGH, Mode, Proxy},
    subject::{ALICE, Setup, Standin, listing, numbers, try_listing},
};

const BOB: &str = "bob@example.test";

/// A server with a proxy before it, for Alice alone: Bob reaches it directly, with the same data folder.
struct Split {
    standin: Standin,
    proxy: Proxy,
    /// Bob's way.
    direct: Arc<store_exchange::Exchange>,
}

impl Split {
    async fn new(seed: u64) -> Self {
        let server = Server::start(Config::default()).unwrap();
        let proxy = Proxy::before(server.address(), seed).await;
        let mut setup = Setup::on(&server);
        let direct = setup.clone();
        let mut url: store_exchange::http::Url = server.emsmdb_url(ALICE).parse().unwrap();
        url.set_port(Some(proxy.address.port())).unwrap();
        setup.discover.url = Some(url);
        setup.discover.user_dn = server.user(ALICE).map(|user| user.legacy_dn);
        // A server that says nothing is waited for no longer than a test may take.
        setup.http.timeouts.idle = Duration::from_secs(2);
        let dir = tempfile::tempdir().unwrap();
        let standin = Standin::set_up(server, setup, dir);
        let direct = direct.backend(standin.mirrors());
        Self {
            standin,
            proxy,
            direct,
        }
    }

    async fn bob(&self) -> (Arc<dyn Store>, FolderInfo) {
        let credentials = crate::subject::credentials(BOB);
        let policy = crate::subject::policy();
        let bob = self.direct.sign_in(BOB, credentials, policy).await.unwrap();
        let mailbox = MailboxId(BOB.to_owned());
        let store = self.direct.logon(&bob, &mailbox).await.unwrap();
        let tree = store.hierarchy(Version(0)).await.unwrap().changed;
        let mut tree = tree.into_iter();
        let inbox = tree.find(|folder| folder.role == Some(Role::Inbox));
        let inbox = store.folder(inbox.unwrap().id).await.unwrap();
        (store, inbox)
    }
}

/// An answer to Execute, up to its body.
fn head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Type: application/mapi-http\r\nX-RequestType: Execute\r\nX-ResponseCode: 0\r\n\
      Transfer-Encoding: chunked\r\n\r\n"
        .to_vec()
}

fn chunk(octets: &[u8]) -> Vec<u8> {
    [
        format!("{:x}\r\n", octets.len()).as_bytes(),
        octets,
        b"\r\n",
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_end_or_sense_are_errors_and_others_go_on() {
    let length = |length: &str| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/mapi-http\r\nX-ResponseCode: 0\r\nContent-Length: ";
        format!("{head}{length}\r\n\r\nPROCESSING\r\nDONE\r\n\r\n").into_bytes()
    };
    let elsewhere = "HTTP/1.1 302 Found\r\nLocation: /mapi/emsmdb/\r\nContent-Length: 0\r\n\r\n";
    let modes = [
        Mode::Endless(head(), chunk(&[b'x'; 1 << 16])),
        Mode::Endless(head(), chunk(b"PENDING\r\n")),
        Mode::Endless(
            [head(), chunk(b"PROCESSING\r\nDONE\r\n\r\n")].concat(),
            chunk(&[0; 1 << 16]),
        ),
        Mode::Endless(
            b"HTTP/1.1 200 OK\r\n".to_vec(),
            b"X-More: and more\r\n".to_vec(),
        ),
        Mode::Endless(b"HTTP/1.1 ".to_vec(), vec![b'2'; 1 << 12]),
        Mode::Instead(length("18446744073709551615")),
        Mode::Instead(length("99999999999999999999999999")),
        Mode::Instead(length("-1")),
        Mode::Instead(elsewhere.as_bytes().to_vec()),
        Mode::Instead(b"\0\0\0\0".to_vec()),
        Mode::Instead([head(), b"ffffffffffffffff\r\n".to_vec()].concat()),
        Mode::Instead(
            [
                head(),
                chunk(b"PROCESSING\r\nDONE\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff"),
            ]
            .concat(),
        ),
    ];
    let split = Split::new(1).await;
    let (alice, inbox) = split.standin.alice().await;
    let kept = save(&*alice, &inbox, "kept").await;
    let (bob, his) = split.bob().await;
    for (at, mode) in modes.into_iter().enumerate() {
        let before = (split.proxy.sent(), split.proxy.harmed());
        split.proxy.set(mode);
        let name = format!("refused {at}");
        let refused = alice.save(inbox.id, &[draft(&name)]).await.unwrap_err();
        assert!(refused.kind.is_transient(), "{at}: {refused:?}");
        assert!(split.proxy.harmed() > before.1);
        let taken = split.proxy.sent() - before.0;
        assert!(taken < ENOUGH, "{at}: {taken} octets were taken");
        assert_eq!(numbers(&listing(&*alice, &inbox).await), [kept]);
        save(&*bob, &his, &name).await;
        split.proxy.set(Mode::Pass);
        // Contexts that nobody knows of would be too many in the end.
        split.standin.server.faults().expire_contexts();
    }
    let after = save(&*alice, &inbox, "after").await;
    assert_eq!(bytes(&*alice, &inbox, after).await, original("after"));
    assert_eq!(bytes(&*alice, &inbox, kept).await, original("kept"));
}

fn read(set: i32) -> Change {
    Change {
        bits: vec![BitChange {
            tag: tags::MESSAGE_FLAGS.tag(),
            set,
            clear: 0,
        }],
        ..Change::default()
    }
}

/// `HOSTILE=FROM..TO` runs these seeds instead.
fn seeds() -> std::ops::Range<u64> {
    match std::env::var("HOSTILE") {
        Ok(range) => {
            let (from, to) = range.split_once("..").unwrap();
            from.parse().unwrap()..to.parse().unwrap()
        }
        Err(_) => 0..4,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn octets_that_are_others_break_nothing_but_what_they_are_in() {
    for seed in seeds() {
        eprintln!("seed {seed}");
        let split = Split::new(seed).await;
        let mailbox = split.standin.server.mailbox(ALICE);
        for number in 0..8 {
            let text = "what it says ".repeat(100);
            let sent = Sent::about(&format!("mail {number}")).text(&text);
            mailbox.deliver(sent).unwrap();
        }
        let (bob, his) = split.bob().await;
        let opened = split.standin.alice().await;
        let (alice, inbox) = opened;
        split.proxy.set(Mode::Flip { one_in: 400 });
        for round in 0..30 {
            // Whatever comes of it: an answer, or an error.
            let _ = split
                .standin
                .exchange
                .synchronize(&MailboxId(ALICE.to_owned()), inbox.id)
                .await;
            if let Ok(rows) = try_listing(&*alice, inbox.id).await {
                let items = numbers(&rows);
                let expected: Vec<_> = items
                    .iter()
                    .map(|item| Expected {
                        item: *item,
                        version: None,
                    })
                    .collect();
                let flags = message_flags::READ * (round % 2);
                let _ = alice.update(inbox.id, &expected, &read(flags)).await;
                for item in items.iter().take(2) {
                    let _ = alice.read_message(inbox.id, *item).await;
                }
                let last = items.last().copied();
                let last: Vec<_> = last.into_iter().filter(|_| round % 9 == 0).collect();
                let _ = alice.delete(inbox.id, &last, Deletion::Hard).await;
            }
            let _ = alice.hierarchy(Version(0)).await;
            let name = format!("round {round}");
            let _ = alice.save(inbox.id, &[draft(&name)]).await;
            mailbox.deliver(Sent::about(&name).text("more")).unwrap();
        }
        assert!(split.proxy.harmed() > 20);
        let his_own = save(&*bob, &his, "of bob").await;
        assert_eq!(bytes(&*bob, &his, his_own).await, original("of bob"));
        split.proxy.set(Mode::Pass);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mailbox_under_the_same_name_is_refused_and_never_mixed_in() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    let kept = save(&*store, &inbox, "kept").await;
    let mailbox = standin.server.mailbox(ALICE);
    let own = mailbox.look(|mailbox| mailbox.guid).unwrap();
    mailbox
        .change(|mailbox| {
            mailbox.guid = Guid([9; 16]);
            Ok(())
        })
        .unwrap();
    standin.server.faults().expire_contexts();
    mailbox.deliver(Sent::about("of somebody else")).unwrap();
    let refused = store.save(inbox.id, &[draft("new")]).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Denied);
    let alice = MailboxId(ALICE.to_owned());
    let refused = standin.exchange.synchronize(&alice, inbox.id).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Denied);
    assert_eq!(numbers(&listing(&*store, &inbox).await), [kept]);
    assert_eq!(
        mailbox.subjects(mailbox.inbox().unwrap()).unwrap(),
        ["kept", "of somebody else"]
    );
    // It is itself again.
    mailbox
        .change(|mailbox| {
            mailbox.guid = own;
            Ok(())
        })
        .unwrap();
    standin.server.faults().expire_contexts();
    save(&*store, &inbox, "new").await;
    standin
        .exchange
        .synchronize(&alice, inbox.id)
        .await
        .unwrap();
    assert_eq!(listing(&*store, &inbox).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_whose_notification_is_lost_is_found_all_the_same() {
    let mut standin = Standin::start();
    standin.setup.options.poll = Duration::from_millis(50);
    standin.restart();
    let (store, inbox) = standin.alice().await;
    let faults = standin.server.faults();
    for lost in [
        NotificationFault::Drop,
        NotificationFault::Delay,
        NotificationFault::Double,
    ] {
        faults.notifications(lost);
        let before = listing(&*store, &inbox).await.len();
        let mut notices = store.notices();
        let mailbox = standin.server.mailbox(ALICE);
        mailbox.deliver(Sent::about("lost").text("text")).unwrap();
        // Whoever listens hears of it.
        while listing(&*store, &inbox).await.len() == before {
            let _ = notices.recv().await;
        }
        assert_eq!(listing(&*store, &inbox).await.len(), before + 1);
    }
}

/// A tenth of all segments is late: by less than anybody waits, or by more.
async fn late(ms: u64, patience: Duration) {
    let mut split = Split::new(7).await;
    split.standin.setup.http.timeouts.idle = patience;
    split.standin.restart();
    let (store, inbox) = split.standin.alice().await;
    split.proxy.set(Mode::Delay { one_in: 10, ms });
    let mut saved = Vec::new();
    for number in 0..25 {
        let name = format!("late {number}");
        let item = save(&*store, &inbox, &name).await;
        saved.push((item, name));
    }
    assert!(split.proxy.harmed() > 5, "{}", split.proxy.harmed());
    split.proxy.set(Mode::Pass);
    let alice = MailboxId(ALICE.to_owned());
    let exchange = &split.standin.exchange;
    exchange.synchronize(&alice, inbox.id).await.unwrap();
    let all: Vec<_> = saved.iter().map(|(item, _)| *item).collect();
    assert_eq!(numbers(&listing(&*store, &inbox).await), all);
    let mailbox = split.standin.server.mailbox(ALICE);
    let there = mailbox.messages(mailbox.inbox().unwrap()).unwrap();
    assert_eq!(there.len(), saved.len());
    for (item, name) in &saved {
        assert_eq!(bytes(&*store, &inbox, *item).await, original(name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_tenth_of_the_packets_late_everything_is_done_once() {
    late(30, Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_tenth_of_the_packets_later_than_anybody_waits_everything_is_done_once() {
    late(150, Duration::from_millis(100)).await;
}
