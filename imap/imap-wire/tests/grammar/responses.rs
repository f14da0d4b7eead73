//! Known answers for the writer: status, mailbox and search responses, strings, octet for octet.

use imap_wire::command::fetch::PartialRange;
use imap_wire::command::mailbox::SpecialUse;
use imap_wire::command::status::StatusAttribute;
use imap_wire::response::{
    ListAttribute, ListItem, NamespaceItem, PermanentFlags, SearchResult, write_astring,
    write_nstring, write_number, write_string,
};
use imap_wire::{Code, FlagBits, NumberSet, Status, Tag, Writer};
use proptest::prelude::*;

fn check(write: impl FnOnce(&mut Writer<'_>), expected: &str) {
    let mut out = Vec::new();
    write(&mut Writer::new(&mut out));
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

fn check_bytes(write: impl FnOnce(&mut Vec<u8>), expected: &str) {
    let mut out = Vec::new();
    write(&mut out);
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

fn numbers(numbers: &[u32]) -> NumberSet {
    numbers.iter().copied().collect()
}

fn tag() -> Tag {
    Tag::new(b"A282").expect("a tag")
}

#[test]
fn status_responses() {
    check(
        |w| w.tagged(&tag(), Status::Ok, None, "done"),
        "A282 OK done\r\n",
    );
    check(
        |w| w.tagged(&tag(), Status::No, Some(&Code::TooBig), ""),
        "A282 NO [TOOBIG] .\r\n",
    );
    check(
        |w| w.untagged(Status::Bad, None, "a\r\nb\0"),
        "* BAD a  b \r\n",
    );
    check(
        |w| w.untagged(Status::Bye, Some(&Code::Unavailable), "gone"),
        "* BYE [UNAVAILABLE] gone\r\n",
    );
    check(
        |w| w.untagged(Status::PreAuth, None, "in"),
        "* PREAUTH in\r\n",
    );
    check(|w| w.continuation("idling"), "+ idling\r\n");
    check(|w| w.challenge(b""), "+ \r\n");
    check(|w| w.challenge(b"r=x"), "+ cj14\r\n");
}

#[test]
fn codes_with_data() {
    let (uids, other) = (numbers(&[304, 319, 320]), numbers(&[3956, 3957, 3958]));
    let flags = FlagBits::ANSWERED.with(FlagBits::SEEN);
    let permanent = |flags, keywords, new_keywords| {
        Code::PermanentFlags(PermanentFlags {
            flags,
            keywords,
            new_keywords,
        })
    };
    let cases = [
        (
            Code::CopyUid {
                uid_validity: 38505,
                source: &uids,
                target: &other,
            },
            "COPYUID 38505 304,319:320 3956:3958",
        ),
        (
            Code::AppendUid {
                uid_validity: 38505,
                uids: &other,
            },
            "APPENDUID 38505 3956:3958",
        ),
        (Code::BadCharset(&[]), "BADCHARSET"),
        (
            Code::BadCharset(&["US-ASCII", "UTF-8"]),
            "BADCHARSET (US-ASCII UTF-8)",
        ),
        (
            Code::Capability(&["IMAP4rev1", "IDLE"]),
            "CAPABILITY IMAP4rev1 IDLE",
        ),
        (
            Code::HighestModSeq(715_194_045_007),
            "HIGHESTMODSEQ 715194045007",
        ),
        (Code::Modified(&uids), "MODIFIED 304,319:320"),
        (Code::MailboxId("F2212ea87"), "MAILBOXID (F2212ea87)"),
        (Code::NoUpdate("B02"), "NOUPDATE \"B02\""),
        (permanent(FlagBits::NONE, &[], false), "PERMANENTFLAGS ()"),
        (permanent(FlagBits::NONE, &[], true), "PERMANENTFLAGS (\\*)"),
        (
            permanent(flags, &["$Junk"], true),
            "PERMANENTFLAGS (\\Answered \\Seen $Junk \\*)",
        ),
        (Code::UidNext(4392), "UIDNEXT 4392"),
        (Code::UidValidity(3_857_529_045), "UIDVALIDITY 3857529045"),
        (Code::Unseen(12), "UNSEEN 12"),
        (Code::ReadOnly, "READ-ONLY"),
        (Code::UnknownCte, "UNKNOWN-CTE"),
        (Code::Other("X-NEW 1"), "X-NEW 1"),
    ];
    for (code, expected) in cases {
        check_bytes(|out| code.write(out), expected);
    }
}

#[test]
fn mailbox_data() {
    check(|w| w.exists(23), "* 23 EXISTS\r\n");
    check(|w| w.recent(0), "* 0 RECENT\r\n");
    check(|w| w.expunge(44), "* 44 EXPUNGE\r\n");
    let uids = numbers(&[300, 301, 302, 405]);
    check(
        |w| w.vanished(&uids, true),
        "* VANISHED (EARLIER) 300:302,405\r\n",
    );
    check(|w| w.vanished(&uids, false), "* VANISHED 300:302,405\r\n");
    check(|w| w.vanished(&NumberSet::new(), false), "");
    check(
        |w| w.flags(FlagBits::SEEN, ["$Forwarded"]),
        "* FLAGS (\\Seen $Forwarded)\r\n",
    );
    check(
        |w| w.capability(&["IMAP4rev1", "AUTH=PLAIN"]),
        "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
    );
    check(|w| w.enabled(&[]), "* ENABLED\r\n");
    check(|w| w.id(&[]), "* ID NIL\r\n");
    check(
        |w| w.id(&[("name", "Dragoman"), ("x", "a\"b")]),
        "* ID (\"name\" \"Dragoman\" \"x\" \"a\\\"b\")\r\n",
    );
}

#[test]
fn list_status_and_namespace() {
    let sent = SpecialUse::Sent;
    let attributes = [
        ListAttribute::HasNoChildren,
        ListAttribute::Subscribed,
        ListAttribute::SpecialUse(&sent),
    ];
    let item = ListItem {
        attributes: &attributes,
        separator: Some(b'/'),
        mailbox: "Entwürfe & \"mehr\"",
        child_subscribed: false,
    };
    check(
        |w| w.list(&item),
        "* LIST (\\HasNoChildren \\Subscribed \\Sent) \"/\" \"Entw&APw-rfe &- \\\"mehr\\\"\"\r\n",
    );
    let flat = ListItem {
        attributes: &[],
        separator: None,
        child_subscribed: true,
        ..item
    };
    let mut out = Vec::new();
    Writer::new(&mut out).with_utf8(true).lsub(&flat);
    let expected = "* LSUB () NIL \"Entwürfe & \\\"mehr\\\"\" (CHILDINFO (\"SUBSCRIBED\"))\r\n";
    assert_eq!(String::from_utf8_lossy(&out), expected);
    check(
        |w| {
            w.status(
                "blurdy",
                &[
                    (StatusAttribute::Messages, 231),
                    (StatusAttribute::UidNext, 44292),
                ],
            )
        },
        "* STATUS \"blurdy\" (MESSAGES 231 UIDNEXT 44292)\r\n",
    );
    // RFC 9208 5.1, 5.2.
    check(
        |w| {
            w.quota(
                "#user/alice",
                &[("MESSAGE", 42, 1000), ("STORAGE", 54, 111)],
            )
        },
        "* QUOTA #user/alice (MESSAGE 42 1000 STORAGE 54 111)\r\n",
    );
    check(
        |w| w.quota_root("INBOX", &["", "#user/alice"]),
        "* QUOTAROOT \"INBOX\" \"\" #user/alice\r\n",
    );
    check(
        |w| w.quota_root("comp.mail.mime", &[]),
        "* QUOTAROOT \"comp.mail.mime\"\r\n",
    );
    let personal = [NamespaceItem {
        prefix: "",
        separator: Some(b'/'),
    }];
    let shared = [NamespaceItem {
        prefix: "Öffentlich\\",
        separator: Some(b'\\'),
    }];
    check(
        |w| w.namespace(&personal, &[], &shared),
        "* NAMESPACE ((\"\" \"/\")) NIL ((\"&ANY-ffentlich\\\\\" \"\\\\\"))\r\n",
    );
}

#[test]
fn search_and_esearch() {
    check(|w| w.search([2, 84, 882], None), "* SEARCH 2 84 882\r\n");
    check(|w| w.search([], None), "* SEARCH\r\n");
    check(
        |w| w.search([2, 5], Some(917_162_500)),
        "* SEARCH 2 5 (MODSEQ 917162500)\r\n",
    );
    let all = numbers(&[2, 10, 11]);
    let result = SearchResult {
        min: Some(2),
        max: Some(11),
        all: Some(&all),
        count: Some(3),
        ..Default::default()
    };
    check(
        |w| w.esearch(&tag(), &result),
        "* ESEARCH (TAG \"A282\") MIN 2 MAX 11 ALL 2,10:11 COUNT 3\r\n",
    );
    let none = NumberSet::new();
    let range = PartialRange {
        first: -1,
        last: -100,
    };
    let result = SearchResult {
        uid: true,
        all: Some(&none),
        partial: Some((range, &none)),
        mod_seq: Some(9),
        ..Default::default()
    };
    check(
        |w| w.esearch(&tag(), &result),
        "* ESEARCH (TAG \"A282\") UID PARTIAL (-1:-100 NIL) MODSEQ 9\r\n",
    );
}

#[test]
fn strings_choose_the_form_every_client_reads() {
    check_bytes(|out| write_string(out, b""), "\"\"");
    check_bytes(|out| write_string(out, b"a\\b\"\tc"), "\"a\\\\b\\\"\tc\"");
    check_bytes(|out| write_string(out, b"a\r\nb"), "{4}\r\na\r\nb");
    check_bytes(|out| write_string(out, "ä".as_bytes()), "{2}\r\nä");
    check_bytes(
        |out| write_string(out, &[b'x'; 1001]),
        &format!("{{1001}}\r\n{}", "x".repeat(1001)),
    );
    check_bytes(|out| write_nstring(out, None), "NIL");
    check_bytes(|out| write_astring(out, b"atom]"), "atom]");
    check_bytes(|out| write_astring(out, b"nil"), "\"nil\"");
    check_bytes(|out| write_astring(out, b"a b"), "\"a b\"");
    check_bytes(|out| write_astring(out, b""), "\"\"");
    check_bytes(|out| write_number(out, 0), "0");
    check_bytes(|out| write_number(out, u64::MAX), "18446744073709551615");
}

proptest! {
    #[test]
    fn strings_are_read_back(bytes in prop::collection::vec(1_u8.., 0..40)) {
        let mut command = b"a LOGIN u ".to_vec();
        write_string(&mut command, &bytes);
        let command = crate::support::decode(&command).expect("a login");
        let imap_wire::CommandBody::Login(login) = command.body else { panic!() };
        prop_assert_eq!(login.password.0, bytes);
    }

    #[test]
    fn astrings_are_read_back(bytes in "[ -~]{0,6}") {
        let mut command = b"a LOGIN ".to_vec();
        write_astring(&mut command, bytes.as_bytes());
        command.extend_from_slice(b" p");
        let command = crate::support::decode(&command).expect("a login");
        let imap_wire::CommandBody::Login(login) = command.body else { panic!() };
        prop_assert_eq!(login.user, bytes);
    }

    #[test]
    fn mailbox_names_are_read_back(name in "[^\0\r\n]{0,12}", utf8: bool) {
        let mut command = b"a DELETE ".to_vec();
        imap_wire::response::write_mailbox(&mut command, &name, utf8);
        let command = crate::support::decode(&command).expect("a mailbox");
        // An ASCII name with a shift sequence in it means another name in UTF-8 mode, where nothing is shifted.
        prop_assume!(!utf8 || !name.is_ascii() || !name.contains('&'));
        prop_assert_eq!(command.body, imap_wire::CommandBody::Delete(imap_wire::MailboxName::new(&name)));
    }

    #[test]
    fn number_sets_are_read_back(numbers in prop::collection::vec(1_u32.., 1..20)) {
        let set: NumberSet = numbers.into_iter().collect();
        let mut command = b"a UID EXPUNGE ".to_vec();
        set.write(&mut command);
        let command = crate::support::decode(&command).expect("a set");
        let imap_wire::CommandBody::Expunge(Some(imap_wire::MessageSet::Set(read))) = command.body else { panic!() };
        prop_assert_eq!(read.resolve(1), set);
    }
}
