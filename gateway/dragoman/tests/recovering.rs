//! What clients delete from a running server comes back by `dragoman recover`.

#![allow(clippy::unwrap_used, reason = "assertions of tests")]

mod running;

use running::{Client, MAILBOX, Server, add_user, run, said};

fn message(n: u32) -> String {
    format!("From: bob@example.test\r\nSubject: number {n}\r\n\r\nThe text of {n}\r\n")
}

/// A mailbox from which things are deleted.
fn delete_things(client: &mut Client) {
    client.ask("CREATE Old");
    client.ask("CREATE Old/Deep");
    for n in 0..4 {
        client.append("INBOX", r"\Seen \Flagged $Label", &message(n));
        client.append("Old", r"\Answered", &message(10 + n));
        client.append("Old/Deep", "", &message(20 + n));
    }
    client.ask("SELECT INBOX");
    client.ask(r"STORE 2:3 +FLAGS (\Deleted)");
    client.ask("EXPUNGE");
    client.ask("DELETE Old/Deep");
    client.ask("DELETE Old");
}

#[test]
fn what_clients_delete_comes_back_with_octets_flags_and_date() {
    let world = tempfile::tempdir().unwrap();
    let data = world.path();
    add_user(data);
    let server = Server::start(data, &["imap"], &["log.level=error"]);
    let mut client = server.client();
    delete_things(&mut client);

    // Beside the running server.
    let listed = said(data, &["recover", "list", MAILBOX]);
    assert!(listed.contains("10 items"), "{listed}");
    assert!(listed.contains("Old/Deep was deleted"), "{listed}");
    let id = |subject: &str| {
        let line = listed.lines().find(|line| line.ends_with(subject)).unwrap();
        line.split(' ').next().unwrap().to_owned()
    };
    let shown = said(data, &["recover", "show", MAILBOX, &id("number 1")]);
    assert!(shown.contains("bob@example.test") && shown.contains("number 1"));
    let (one, other) = (id("number 1"), id("number 10"));
    let restored = said(data, &["recover", "restore", MAILBOX, &one, &other]);
    assert!(
        restored.contains("1 items recovered into Inbox"),
        "{restored}"
    );
    assert!(
        restored.contains("1 items recovered into Recovered"),
        "{restored}"
    );
    client.ask("NOOP");
    let fetched = client.ask("UID FETCH 5 (FLAGS INTERNALDATE BODY.PEEK[])");
    assert!(fetched.contains("* 3 FETCH"), "{fetched}");
    for part in [
        r"\Seen",
        r"\Flagged",
        "$Label",
        "17-Jul-2021 02:44:25",
        &message(1),
    ] {
        assert!(fetched.contains(part), "{part}: {fetched}");
    }
    assert!(!fetched.contains(r"\Deleted"), "{fetched}");
    // Once more finds nothing, and says so.
    let again = run(data, &["recover", "restore", MAILBOX, &one], "");
    assert!(!again.status.success());

    let restored = said(data, &["recover", "restore", MAILBOX, "--folder", "Old"]);
    assert!(
        restored.contains("3 items recovered into Old"),
        "{restored}"
    );
    assert!(
        restored.contains("4 items recovered into Deep"),
        "{restored}"
    );
    assert!(
        client
            .ask("STATUS Old/Deep (MESSAGES)")
            .contains("MESSAGES 4")
    );
    assert!(
        client
            .ask("STATUS INBOX/Recovered (MESSAGES)")
            .contains("MESSAGES 1")
    );
    drop((client, server));

    // Without a server, after it was killed.
    let purged = said(data, &["recover", "purge", MAILBOX, "--all"]);
    assert_eq!(purged, "1 items purged\n");
    assert_eq!(
        said(data, &["recover", "list", MAILBOX]),
        "0 items, 0 octets\n"
    );
    assert_eq!(said(data, &["fsck"]), "no faults\n");
}

#[test]
fn what_was_kept_long_enough_is_purged_by_the_server() {
    let world = tempfile::tempdir().unwrap();
    let data = world.path();
    add_user(data);
    let server = Server::start(data, &["imap"], &["log.level=error"]);
    let mut client = server.client();
    client.append("INBOX", r"\Deleted", &message(1));
    client.ask("SELECT INBOX");
    client.ask("EXPUNGE");
    drop((client, server));
    assert!(said(data, &["recover", "list", MAILBOX]).contains("1 items"));
    let settings = [
        "retention.deleted_items_days=0",
        "retention.sweep_every_s=1",
    ];
    let mut server = Server::start(data, &[], &settings);
    server.wait_for_log("purged what was deleted");
    drop(server);
    assert_eq!(
        said(data, &["recover", "list", MAILBOX]),
        "0 items, 0 octets\n"
    );
}
