//! Known answers for the grammar: sessions, mailboxes and APPEND, in the client's words; what is refused, and where.

use crate::support::{body, decode, refused, set, streamed};
use imap_wire::command::append::AppendData;
use imap_wire::command::mailbox::SpecialUse;
use imap_wire::command::status::StatusAttribute;
use imap_wire::{CommandBody, DateTime, Flag, Keyword, MailboxName};

#[test]
fn commands_without_arguments() {
    for (text, expected) in [
        ("a CAPABILITY", CommandBody::Capability),
        ("a noop", CommandBody::Noop),
        ("a Logout", CommandBody::Logout),
        ("a STARTTLS", CommandBody::StartTls),
        ("a UNAUTHENTICATE", CommandBody::Unauthenticate),
        ("a NAMESPACE", CommandBody::Namespace),
        ("a IDLE", CommandBody::Idle),
        ("a CLOSE", CommandBody::Close),
        ("a UNSELECT", CommandBody::Unselect),
        ("a CHECK ", CommandBody::Check),
        ("a EXPUNGE", CommandBody::Expunge(None)),
        (
            "a COMPRESS deflate",
            CommandBody::Compress("DEFLATE".into()),
        ),
    ] {
        assert_eq!(body(text), expected, "{text}");
        assert_eq!(
            Some(expected.name()),
            text.split(' ').nth(1).map(str::to_uppercase).as_deref()
        );
    }
}

/// The examples of RFC 9208 4.1, and what is none.
#[test]
fn quota_commands_name_roots_and_mailboxes() {
    let root = |name: &[u8]| name.into();
    for (text, expected) in [
        ("a GETQUOTA \"\"", CommandBody::GetQuota(root(b""))),
        (
            "a GETQUOTA \"!partition/sda4\"",
            CommandBody::GetQuota(root(b"!partition/sda4")),
        ),
        (
            "a SETQUOTA \"!partition/sda4\" (STORAGE 5000000 MESSAGE 9)",
            CommandBody::SetQuota(root(b"!partition/sda4")),
        ),
        ("a SETQUOTA r ()", CommandBody::SetQuota(root(b"r"))),
    ] {
        assert_eq!(body(text), expected, "{text}");
    }
    let CommandBody::GetQuotaRoot(name) = body("a GETQUOTAROOT inbox") else {
        panic!("another command");
    };
    assert_eq!(name.as_str(), "INBOX");
    for text in [
        "a GETQUOTA",
        "a SETQUOTA r",
        "a SETQUOTA r (STORAGE)",
        "a SETQUOTA r (STORAGE x)",
    ] {
        assert!(decode(text.as_bytes()).is_err(), "{text}");
    }
    let many = format!("a SETQUOTA r ({})", ["X 1"; 17].join(" "));
    assert!(decode(many.as_bytes()).is_err());
}

#[test]
fn login_takes_every_form_of_string() {
    for text in [
        "a LOGIN mrc secret",
        "a LOGIN \"mrc\" \"secret\"",
        "a LOGIN {3}\r\nmrc {6+}\r\nsecret",
        "a login {3+}\r\nmrc secret",
    ] {
        let CommandBody::Login(login) = body(text) else {
            panic!("{text}")
        };
        assert_eq!(
            (login.user.as_str(), &*login.password.0),
            ("mrc", &b"secret"[..]),
            "{text}"
        );
        assert!(
            !format!("{login:?}").contains("115"),
            "a password must not be shown"
        );
    }
    let CommandBody::Login(login) = body(r#"a LOGIN "a\\b\"c]" p]"#) else {
        panic!()
    };
    assert_eq!(
        (login.user.as_str(), &*login.password.0),
        (r#"a\b"c]"#, &b"p]"[..])
    );
    let CommandBody::Login(login) = body("a LOGIN \"\" \"pä\"") else {
        panic!()
    };
    assert_eq!(
        (login.user.as_str(), &*login.password.0),
        ("", "pä".as_bytes())
    );
}

#[test]
fn authenticate_with_and_without_initial_response() {
    for (text, expected) in [
        ("a AUTHENTICATE plain", None),
        ("a AUTHENTICATE PLAIN ", None),
        ("a AUTHENTICATE PLAIN =", Some(&b""[..])),
        ("a AUTHENTICATE PLAIN AHUAcA==", Some(b"\0u\0p")),
    ] {
        let CommandBody::Authenticate(command) = body(text) else {
            panic!("{text}")
        };
        assert_eq!(&*command.mechanism, "PLAIN");
        assert_eq!(
            command.initial_response.as_ref().map(|secret| &*secret.0),
            expected,
            "{text}"
        );
    }
    refused(
        "a AUTHENTICATE PLAIN !AHUAcA=",
        "an initial response in base64",
    );
}

#[test]
fn id_and_enable() {
    assert_eq!(body("a ID NIL"), CommandBody::Id(Vec::new()));
    assert_eq!(body("a ID ()"), CommandBody::Id(Vec::new()));
    let CommandBody::Id(pairs) = body("a ID (\"name\" \"iPhone Mail\" \"x\" NIL)") else {
        panic!()
    };
    assert_eq!(
        (pairs[0].field.as_str(), pairs[0].value.as_deref()),
        ("name", Some("iPhone Mail"))
    );
    assert_eq!(
        (pairs[1].field.as_str(), pairs[1].value.as_deref()),
        ("x", None)
    );
    assert_eq!(
        body("a ENABLE condstore QResync"),
        CommandBody::Enable(vec!["CONDSTORE".into(), "QRESYNC".into()])
    );
    refused("a ID !", "NIL or a list of fields and values");
    refused("a ENABLE !", "a capability");
}

#[test]
fn mailbox_names_are_decoded() {
    for (text, expected) in [
        ("a DELETE inBox", "INBOX"),
        ("a DELETE \"Sent Items\"", "Sent Items"),
        ("a DELETE Entw&APw-rfe", "Entwürfe"),
        ("a DELETE {6}\r\na/&AOQ", "a/&AOQ"),
        ("a DELETE \"Entwürfe\"", "Entwürfe"),
        ("a DELETE foo]bar", "foo]bar"),
        ("a DELETE \"\"", ""),
    ] {
        assert_eq!(
            body(text),
            CommandBody::Delete(MailboxName::new(expected)),
            "{text}"
        );
    }
    assert_eq!(
        body("a SUBSCRIBE x"),
        CommandBody::Subscribe(MailboxName::new("x"))
    );
    assert_eq!(
        body("a UNSUBSCRIBE x"),
        CommandBody::Unsubscribe(MailboxName::new("x"))
    );
    let CommandBody::Rename(rename) = body("a RENAME x {3}\r\ny z") else {
        panic!()
    };
    assert_eq!((rename.from.as_str(), rename.to.as_str()), ("x", "y z"));
    refused("a DELETE !", "a mailbox name");
    refused("a DELETE !*", "a mailbox name");
    refused("a DELETE x !y", "the end of the command");
    refused("a RENAME x!", "a space");
}

#[test]
fn create_with_special_uses() {
    let CommandBody::Create(create) = body("a CREATE x/ (USE (\\sent \\Junk \\New))") else {
        panic!()
    };
    assert_eq!(create.mailbox.as_str(), "x/");
    assert_eq!(
        create.special_uses,
        [
            SpecialUse::Sent,
            SpecialUse::Junk,
            SpecialUse::Other("New".into())
        ]
    );
    let CommandBody::Create(create) = body("a CREATE x (USE ())") else {
        panic!()
    };
    assert!(create.special_uses.is_empty());
    refused("a CREATE x (!USED ())", "USE");
    refused("a CREATE x (USE (!Sent))", "a special use");
}

#[test]
fn select_with_what_the_client_knows() {
    let CommandBody::Select(select) = body("a SELECT INBOX") else {
        panic!()
    };
    assert!(!select.condstore && select.qresync.is_none());
    let CommandBody::Examine(select) = body("a EXAMINE x (condstore)") else {
        panic!()
    };
    assert!(select.condstore);
    for (text, known, matches) in [
        (
            "a SELECT x (QRESYNC (67890007 20050715194045000))",
            None,
            None,
        ),
        (
            "a SELECT x (QRESYNC (67890007 20050715194045000 41,43:211))",
            Some("41,43:211"),
            None,
        ),
        (
            "a SELECT x (CONDSTORE QRESYNC (67890007 20050715194045000 41:211 (5,9 100,105)))",
            Some("41:211"),
            Some(("5,9", "100,105")),
        ),
        (
            "a SELECT x (QRESYNC (67890007 20050715194045000 (5 6)))",
            None,
            Some(("5", "6")),
        ),
    ] {
        let CommandBody::Select(select) = body(text) else {
            panic!("{text}")
        };
        let qresync = select.qresync.expect(text);
        assert_eq!(
            (qresync.uid_validity.get(), qresync.mod_seq),
            (67_890_007, 20_050_715_194_045_000)
        );
        assert_eq!(qresync.known_uids, known.map(set), "{text}");
        assert_eq!(
            qresync.match_data,
            matches.map(|(numbers, uids)| (set(numbers), set(uids)))
        );
    }
    refused("a SELECT x (!FOO)", "CONDSTORE or QRESYNC");
    refused(
        "a SELECT x (QRESYNC (!0 1))",
        "a number from 1 to 4294967295",
    );
    refused("a SELECT x (QRESYNC (1 1 !*))", "a message number");
}

#[test]
fn list_plain_and_extended() {
    let CommandBody::List(list) = body("a LIST \"\" %&AOQ-*") else {
        panic!()
    };
    assert_eq!(
        (list.reference.as_str(), list.patterns[0].as_str()),
        ("", "%ä*")
    );
    assert!(!list.extended);
    let text = "a LIST (SUBSCRIBED RECURSIVEMATCH REMOTE SPECIAL-USE) ref (INBOX \"a b\" {1}\r\n%) \
                RETURN (CHILDREN SUBSCRIBED SPECIAL-USE MYRIGHTS STATUS (MESSAGES HIGHESTMODSEQ))";
    let CommandBody::List(list) = body(text) else {
        panic!()
    };
    assert!(list.extended && list.select.subscribed && list.select.recursive_match);
    assert!(list.select.remote && list.select.special_use);
    let patterns: Vec<_> = list
        .patterns
        .iter()
        .map(|pattern| pattern.as_str())
        .collect();
    assert_eq!(patterns, ["INBOX", "a b", "%"]);
    let returns = list.returns;
    assert!(returns.children && returns.subscribed && returns.special_use && returns.my_rights);
    assert_eq!(
        returns.status,
        [StatusAttribute::Messages, StatusAttribute::HighestModSeq]
    );
    let CommandBody::List(list) = body("a LIST () \"\" % RETURN ()") else {
        panic!()
    };
    assert!(list.extended);
    let CommandBody::Lsub(lsub) = body("a LSUB \"\" \"*\"") else {
        panic!()
    };
    assert_eq!(lsub.pattern.as_str(), "*");
    refused(
        "a LIST (!RECURSIVEMATCH) \"\" *",
        "RECURSIVEMATCH beside another selection option",
    );
}

#[test]
fn status_knows_every_attribute() {
    let text = "a STATUS blurdybloop (MESSAGES RECENT UNSEEN DELETED UIDNEXT UIDVALIDITY \
                HIGHESTMODSEQ SIZE APPENDLIMIT MAILBOXID DELETED-STORAGE messages )";
    let CommandBody::Status(status) = body(text) else {
        panic!()
    };
    assert_eq!(status.attributes.len(), 11);
    refused("a STATUS x (!)", "a status attribute");
    refused("a STATUS x (!MESSAGE)", "a status attribute");
}

#[test]
fn append_of_one_message_and_of_several() {
    let text =
        "a APPEND saved-messages (\\Seen $Label1) \" 7-Feb-1994 21:52:25 -0800\" {4+}\r\na\0b\n";
    let CommandBody::Append(append) = body(text) else {
        panic!()
    };
    let message = &append.messages[0];
    assert_eq!(
        message.flags,
        [
            Flag::Seen,
            Flag::Keyword(Keyword::new("$label1").expect("atom"))
        ]
    );
    assert_eq!(message.date, DateTime::parse(b" 7-Feb-1994 21:52:25 -0800"));
    assert_eq!(message.data, AppendData::Inline(b"a\0b\n".to_vec()));
    let text = "a APPEND x {1}\r\n1 () ~{1}\r\n2 UTF8 (~{1+}\r\n3)";
    let CommandBody::Append(append) = body(text) else {
        panic!()
    };
    assert_eq!(append.messages.len(), 3);
    assert!(append.messages[2].utf8 && !append.messages[1].utf8);
    refused("a APPEND x !", "a literal");
    refused("a APPEND x (!\"quoted\") {1}\r\nx", "a flag");
    refused(
        "a APPEND x !\"31-Feb-2020 00:00:00 +0000\" {1}\r\nx",
        "a date and time such as \" 1-Feb-1994 21:52:25 -0800\"",
    );
    refused(
        "a APPEND x !\"quoted message\"",
        "a date and time such as \" 1-Feb-1994 21:52:25 -0800\"",
    );
}

#[test]
fn streamed_literals_are_messages_only() {
    let command = streamed(b"a APPEND x {3}\r\nabc {2+}\r\nde\r\n").expect("two messages");
    let CommandBody::Append(append) = command.body else {
        panic!()
    };
    assert_eq!(
        append.messages[0].data,
        AppendData::Streamed { index: 0, len: 3 }
    );
    assert_eq!(
        append.messages[1].data,
        AppendData::Streamed { index: 1, len: 2 }
    );
    let error = streamed(b"a DELETE {3}\r\nabc\r\n").expect_err("a streamed name");
    assert_eq!(error.expected, "a literal short enough for memory");
}

#[test]
fn errors_keep_the_tag_when_there_is_one() {
    let tag = |text: &str| {
        decode(text.as_bytes())
            .expect_err(text)
            .tag
            .map(|tag| tag.to_string())
    };
    assert_eq!(tag("a7 FOO"), Some("a7".to_owned()));
    assert_eq!(tag("a7"), Some("a7".to_owned()));
    assert_eq!(tag(""), None);
    assert_eq!(tag("+ NOOP"), None);
    assert_eq!(tag("a+ NOOP"), Some("a".to_owned()));
    assert_eq!(tag(&format!("{} NOOP", "a".repeat(257))), None);
    refused("a !FOO bar", "a command name");
    refused("a ! NOOP", "a command name");
    refused("a NOOP !x", "the end of the command");
    refused("!\" NOOP", "a tag");
    let error = decode(b"a SELECT").expect_err("no mailbox");
    assert_eq!(error.to_string(), "expected a space at octet 8");
}
