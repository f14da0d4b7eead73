//! Known answers for the grammar: FETCH, STORE, SEARCH and their like, in the client's words; what is refused, and where.

use std::num::NonZeroU32;

use crate::support::{body, decode, refused, set};
use imap_wire::command::fetch::{Fetch, FetchItem, PartialRange};
use imap_wire::command::search::{Search, SearchKey};
use imap_wire::command::store::StoreOp;
use imap_wire::{CommandBody, Date, Flag, Keyword, MessageSet, Partial, SectionText};

fn number(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).expect("not zero")
}

fn fetch(text: &str) -> Fetch {
    match body(text) {
        CommandBody::Fetch(fetch) => fetch,
        other => panic!("{other:?}"),
    }
}

fn search(text: &str) -> Search {
    match body(text) {
        CommandBody::Search(search) => search,
        other => panic!("{other:?}"),
    }
}

#[test]
fn fetch_items_and_macros() {
    use FetchItem::{Body, BodyStructure, Envelope, Flags, InternalDate, Rfc822Size};
    assert_eq!(
        fetch("a FETCH 1 ALL").items,
        [Flags, InternalDate, Rfc822Size, Envelope]
    );
    assert_eq!(
        fetch("a FETCH 1 fast").items,
        [Flags, InternalDate, Rfc822Size]
    );
    assert_eq!(
        fetch("a FETCH 1 FULL").items,
        [Flags, InternalDate, Rfc822Size, Envelope, Body]
    );
    assert_eq!(fetch("a FETCH 1 BODY").items, [Body]);
    assert_eq!(
        fetch("a FETCH 1 ( FLAGS  BODYSTRUCTURE )").items,
        [Flags, BodyStructure]
    );
    let all = fetch(
        "a UID FETCH 2:* (UID MODSEQ RFC822 RFC822.HEADER RFC822.TEXT BINARY[1.2]<5.6> BINARY.PEEK[] \
         BINARY.SIZE[3] EMAILID THREADID PREVIEW PREVIEW (LAZY) SAVEDATE)",
    );
    assert!(all.uid);
    assert_eq!(all.set, MessageSet::Set(set("2:*")));
    assert_eq!(all.items.len(), 13);
    assert_eq!(all.items[7], FetchItem::BinarySize(vec![number(3)]));
    assert_eq!(
        all.items[10..12],
        [FetchItem::Preview(false), FetchItem::Preview(true)]
    );
    assert_eq!(fetch("a FETCH $ FLAGS").set, MessageSet::SavedResult);
    refused("a FETCH 1 (!)", "a FETCH item");
    refused("a FETCH 1 (FLAGS!", "a space or \")\"");
    refused("a FETCH 1 (!FLAGS[1])", "a FETCH item");
    refused("a FETCH 1 (!ALL)", "a FETCH item");
    refused("a FETCH !0 FLAGS", "a number from 1 to 4294967295");
    refused(
        "a FETCH 1:!4294967296 FLAGS",
        "a number from 1 to 4294967295",
    );
    refused("a FETCH 1,! FLAGS", "a message number");
    refused("a FETCH ! FLAGS", "a message number");
}

#[test]
fn sections_keep_the_clients_label() {
    type Case = (
        &'static str,
        &'static [u32],
        Option<SectionText>,
        &'static str,
    );
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).into())
            .collect::<Vec<Box<str>>>()
    };
    let cases: [Case; 7] = [
        ("BODY[]", &[], None, ""),
        ("BODY[1.2]", &[1, 2], None, "1.2"),
        ("BODY[TEXT]", &[], Some(SectionText::Text), "TEXT"),
        (
            "BODY[4.1.mime]",
            &[4, 1],
            Some(SectionText::Mime),
            "4.1.mime",
        ),
        (
            "BODY[3.Header]",
            &[3],
            Some(SectionText::Header),
            "3.Header",
        ),
        (
            "BODY[HEADER.FIELDS (x-b From  \"To\" )]",
            &[],
            Some(SectionText::HeaderFields(names(&["x-b", "From", "To"]))),
            "HEADER.FIELDS (x-b From  \"To\" )",
        ),
        (
            "BODY[1.header.fields.NOT (A)]",
            &[1],
            Some(SectionText::HeaderFieldsNot(names(&["A"]))),
            "1.header.fields.NOT (A)",
        ),
    ];
    for (text, parts, expected, label) in &cases {
        let fetch = fetch(&format!(
            "a FETCH 1 ({})",
            text.replace("BODY[", "BODY.PEEK[")
        ));
        let FetchItem::BodySection(section) = &fetch.items[0] else {
            panic!("{text}")
        };
        let numbers: Vec<_> = section
            .section
            .parts
            .iter()
            .map(|part| part.get())
            .collect();
        assert_eq!(
            (&*numbers, &section.section.text),
            (*parts, expected),
            "{text}"
        );
        assert_eq!(
            (&*section.section.label, section.peek),
            (*label, true),
            "{text}"
        );
    }
}

#[test]
fn a_label_cannot_repeat_a_literal() {
    let fetch = fetch("a FETCH 1 BODY[2.HEADER.FIELDS ({2}\r\nTo CC)]");
    let FetchItem::BodySection(section) = &fetch.items[0] else {
        panic!()
    };
    assert_eq!(&*section.section.label, "2.HEADER.FIELDS (\"To\" \"CC\")");
}

#[test]
fn partials_and_bad_sections() {
    // iOS Mail asks for bodies so.
    let fetch = fetch("a UID FETCH 7 (UID BODY.PEEK[1]<0.393216>)");
    let FetchItem::BodySection(section) = &fetch.items[1] else {
        panic!()
    };
    assert_eq!(
        section.partial,
        Some(Partial {
            offset: 0,
            length: 393_216
        })
    );
    refused("a FETCH 1 BODY[]<0.!0>", "a number above 0");
    refused("a FETCH 1 BODY[]<0!>", "\".\"");
    refused(
        "a FETCH 1 BODY[!MIME]",
        "HEADER, HEADER.FIELDS, TEXT, MIME or a part number",
    );
    refused("a FETCH 1 BODY[1.!]", "a section");
    refused("a FETCH 1 BODY[!0]", "a number from 1 to 4294967295");
    refused("a FETCH 1 BODY[1!", "\"]\"");
    refused("a FETCH 1 BODY[HEADER.FIELDS (!)]", "a string");
    refused(
        "a FETCH 1 BODY[HEADER.FIELDS (!{3}\r\na\r\n)]",
        "a header field's name",
    );
    refused("a FETCH 1 BINARY[1.!]", "a part number");
}

#[test]
fn fetch_modifiers() {
    let changed = fetch("s UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)");
    assert_eq!(
        (changed.changed_since, changed.vanished),
        (Some(12345), true)
    );
    // iOS Mail 16 sends a MODSEQ that the grammar does not have.
    assert_eq!(
        fetch("s FETCH 1:* (FLAGS) (CHANGEDSINCE 0)").changed_since,
        Some(0)
    );
    assert_eq!(
        fetch("s FETCH 1:* FLAGS  (CHANGEDSINCE 7)").changed_since,
        Some(7)
    );
    let partial = fetch("a UID FETCH 1:* FLAGS (PARTIAL -1:-30)").partial;
    assert_eq!(
        partial,
        Some(PartialRange {
            first: -1,
            last: -30
        })
    );
    refused(
        "a FETCH 1 FLAGS (!NEW)",
        "CHANGEDSINCE, VANISHED or PARTIAL",
    );
    refused(
        "a FETCH 1 FLAGS !(CHANGEDSINCE 1 VANISHED)",
        "VANISHED with UID FETCH and CHANGEDSINCE",
    );
    refused(
        "a FETCH 1 FLAGS (CHANGEDSINCE !9223372036854775808)",
        "a number below 2^63",
    );
    refused(
        "a UID FETCH 1 FLAGS (PARTIAL !-1:2)",
        "two positions of the same sign",
    );
}

#[test]
fn store_copy_move_and_expunge() {
    let CommandBody::Store(store) = body("a STORE 2:4 +FLAGS (\\Deleted)") else {
        panic!()
    };
    assert_eq!(
        (store.uid, store.op, store.silent),
        (false, StoreOp::Add, false)
    );
    assert_eq!(store.flags, [Flag::Deleted]);
    let CommandBody::Store(store) = body("a UID STORE 1 (UNCHANGEDSINCE 0) -flags.silent \\seen a")
    else {
        panic!()
    };
    assert_eq!(
        (store.uid, store.op, store.silent),
        (true, StoreOp::Remove, true)
    );
    assert_eq!((store.unchanged_since, store.flags.len()), (Some(0), 2));
    let CommandBody::Store(store) = body("a STORE 1 FLAGS ()") else {
        panic!()
    };
    assert_eq!((store.op, store.flags.len()), (StoreOp::Replace, 0));
    let CommandBody::Store(store) = body("a STORE 1 FLAGS (\\Recent)") else {
        panic!()
    };
    assert_eq!(store.flags, [Flag::Extension("Recent".into())]);
    let CommandBody::Copy(copy) = body("a COPY 2:4 MEETING") else {
        panic!()
    };
    assert_eq!((copy.uid, copy.mailbox.as_str()), (false, "MEETING"));
    let CommandBody::Move(transfer) = body("a UID MOVE 42:69 foo") else {
        panic!()
    };
    assert!(transfer.uid);
    let expected = CommandBody::Expunge(Some(MessageSet::Set(set("3000:3002"))));
    assert_eq!(body("a UID EXPUNGE 3000:3002"), expected);
    refused("a STORE 1 FLAGS!", "a space");
    refused("a STORE 1 !FLAG x", "FLAGS or FLAGS.SILENT");
    refused("a STORE 1 FLAGS (\\!)", "a flag");
    refused("a STORE 1 FLAGS (\\!*)", "a flag");
    refused("a STORE 1 FLAGS (!\"quoted\")", "a flag");
    refused("a UID !NOOP", "SEARCH, FETCH, STORE, COPY, MOVE or EXPUNGE");
}

#[test]
fn search_keys() {
    use SearchKey as Key;
    let date = Date::new(1994, 2, 1).expect("a day");
    let keyword = |name| Keyword::new(name).expect("an atom");
    for (text, expected) in [
        ("ALL", Key::All),
        ("unanswered", Key::Answered(false)),
        ("OLD", Key::Recent(false)),
        ("NEW", Key::New),
        ("KEYWORD $Junk", Key::Keyword(keyword("$Junk"))),
        ("UNKEYWORD x", Key::Unkeyword(keyword("x"))),
        ("FROM Smith", Key::From(b"Smith".to_vec())),
        (
            "TEXT {6}\r\nf\u{f6}\u{f6}\r",
            Key::Text("föö\r".as_bytes().to_vec()),
        ),
        ("HEADER X-Y \"\"", Key::Header(b"X-Y".to_vec(), Vec::new())),
        ("SINCE 1-Feb-1994", Key::Since(date)),
        ("SENTBEFORE \"1-feb-1994\"", Key::SentBefore(date)),
        ("LARGER 4294967296", Key::Larger(1 << 32)),
        ("YOUNGER 259200", Key::Younger(number(259_200))),
        ("MODSEQ 620162338", Key::ModSeq(620_162_338)),
        (
            "MODSEQ \"/flags/\\\\draft\" all 620162338",
            Key::ModSeq(620_162_338),
        ),
        ("UID 1:5,*", Key::Uid(MessageSet::Set(set("1:5,*")))),
        ("UID $", Key::Uid(MessageSet::SavedResult)),
        ("$", Key::Sequence(MessageSet::SavedResult)),
        ("*:4,5:7", Key::Sequence(MessageSet::Set(set("*:4,5:7")))),
        ("NOT SEEN", Key::Not(Box::new(Key::Seen(true)))),
        (
            "OR NEW DRAFT",
            Key::Or(Box::new((Key::New, Key::Draft(true)))),
        ),
        ("(NEW)", Key::New),
        (
            "(NEW FLAGGED)",
            Key::And(vec![Key::New, Key::Flagged(true)]),
        ),
        (
            "FUZZY SUBJECT x",
            Key::Fuzzy(Box::new(Key::Subject(b"x".to_vec()))),
        ),
        ("EMAILID M1", Key::EmailId("M1".into())),
        ("SAVEDATESUPPORTED", Key::SaveDateSupported),
    ] {
        assert_eq!(
            search(&format!("a SEARCH {text}")).keys,
            [expected],
            "{text}"
        );
    }
}

#[test]
fn search_options() {
    let plain = search("a SEARCH CHARSET UTF-8 FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"");
    assert_eq!(
        (plain.charset.as_deref(), plain.keys.len(), plain.returns),
        (Some("UTF-8"), 3, None)
    );
    let returns = search("a UID SEARCH RETURN (MIN COUNT SAVE) ALL")
        .returns
        .expect("RETURN");
    assert!(returns.min && returns.count && returns.save && !returns.all);
    assert!(
        search("a SEARCH RETURN () ALL")
            .returns
            .expect("RETURN")
            .all
    );
    let paged = search("a SEARCH RETURN (PARTIAL 23500:24000) CHARSET us-ascii ALL ").returns;
    assert_eq!(
        paged.expect("RETURN").partial,
        Some(PartialRange {
            first: 23500,
            last: 24000
        })
    );
    refused("a SEARCH !", "a search key");
    refused("a SEARCH !FOO", "a search key");
    refused("a SEARCH RETURN (!FOO) ALL", "a result option");
    refused("a SEARCH OR NEW!", "a space");
    refused("a SEARCH (NEW!", "a space or \")\"");
    refused("a SEARCH SINCE !1-Foo-1994", "a date such as 1-Feb-1994");
    refused("a SEARCH YOUNGER !0", "a number from 1 to 4294967295");
    refused("a SEARCH SUBJECT !{2}\r\n\0x", "a literal without NUL");
    refused("a SEARCH SUBJECT \"x!", "the end of the quoted string");
    refused("a SEARCH SUBJECT \"\\!x\"", "\" or \\ behind a backslash");
}

#[test]
fn nesting_and_number_of_search_keys_are_bounded() {
    let nested = |depth: usize| format!("a SEARCH {}ALL{}", "(".repeat(depth), ")".repeat(depth));
    assert!(decode(nested(64).as_bytes()).is_ok());
    let error = decode(nested(65).as_bytes()).expect_err("too deep");
    assert_eq!(error.expected, "at most 64 levels of search keys");
    let not = |depth: usize| format!("a SEARCH {}ALL", "NOT ".repeat(depth));
    assert!(decode(not(64).as_bytes()).is_ok() && decode(not(65).as_bytes()).is_err());
    let many = |count: usize| format!("a SEARCH{}", " ALL".repeat(count));
    assert!(decode(many(4096).as_bytes()).is_ok() && decode(many(4097).as_bytes()).is_err());
}
