//! The grammar against an independent reading of it, `imap-codec`.
//!
//! Valid commands are generated as text. Both decoders must accept them; what `imap-codec` understood is written by its
//! encoder and decoded again by ours, and that must mean what ours understood at first.

use crate::support::decode;
use imap_codec::CommandCodec;
use imap_codec::decode::Decoder;
use imap_codec::encode::Encoder;
use imap_wire::command::fetch::FetchItem;
use imap_wire::command::search::SearchKey;
use imap_wire::{Command, CommandBody, MessageSet, SequenceRange, SequenceSet, SetNumber};
use proptest::prelude::*;

/// What `imap-codec` understood, in its own words and without the last line end; `None` when it refused.
fn reading_of_theirs(text: &[u8]) -> Option<Vec<u8>> {
    let line = [text, b"\r\n"].concat();
    let (rest, command) = CommandCodec::new().decode(&line).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let written = CommandCodec::new().encode(&command).dump();
    Some(written.strip_suffix(b"\r\n").expect("a line").to_vec())
}

/// The command without what is spelling only: the label of a section, the order of a set, the form of a search tree.
fn meaning(mut command: Command) -> Command {
    match &mut command.body {
        CommandBody::Fetch(fetch) => {
            plain_set(&mut fetch.set);
            for item in &mut fetch.items {
                if let FetchItem::BodySection(section) = item {
                    section.section.label = "".into();
                }
            }
        }
        CommandBody::Store(store) => plain_set(&mut store.set),
        CommandBody::Copy(transfer) | CommandBody::Move(transfer) => plain_set(&mut transfer.set),
        CommandBody::Expunge(Some(set)) => plain_set(set),
        CommandBody::Search(search) => {
            if let [SearchKey::And(keys)] = &mut *search.keys {
                search.keys = std::mem::take(keys);
            }
            search.keys.iter_mut().for_each(plain_key);
        }
        _ => {}
    }
    command
}

fn plain_key(key: &mut SearchKey) {
    match key {
        SearchKey::Sequence(set) | SearchKey::Uid(set) => plain_set(set),
        SearchKey::Not(key) | SearchKey::Fuzzy(key) => plain_key(key),
        SearchKey::And(keys) => keys.iter_mut().for_each(plain_key),
        SearchKey::Or(pair) => {
            plain_key(&mut pair.0);
            plain_key(&mut pair.1);
        }
        _ => {}
    }
}

fn plain_set(set: &mut MessageSet) {
    if let MessageSet::Set(words) = set {
        let number = |value: u32| SetNumber::Number(value.try_into().expect("not zero"));
        let resolved = words.resolve(u32::MAX);
        let ranges = resolved.ranges().map(|range| SequenceRange {
            first: number(*range.start()),
            last: number(*range.end()),
        });
        *set = MessageSet::Set(SequenceSet::new(ranges.collect()).expect("not empty"));
    }
}

fn one_of(words: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(words).prop_map(str::to_owned).boxed()
}

fn any_of(choices: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    prop::strategy::Union::new(choices).boxed()
}

/// The pieces with a space between them.
fn words(pieces: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    pieces.prop_map(|words| words.join(" ")).boxed()
}

fn listed(item: BoxedStrategy<String>, count: std::ops::Range<usize>) -> BoxedStrategy<String> {
    prop::collection::vec(item, count)
        .prop_map(|items| format!("({})", items.join(" ")))
        .boxed()
}

fn string() -> BoxedStrategy<String> {
    any_of(vec![
        "[ !#-\\[\\]-~]{0,9}"
            .prop_map(|text| format!("\"{text}\""))
            .boxed(),
        one_of(&[r#""a\\b""#, r#""\"""#]),
        "[ -~]{0,9}"
            .prop_map(|text| format!("{{{}}}\r\n{text}", text.len()))
            .boxed(),
        "[ -~]{1,9}"
            .prop_map(|text| format!("{{{}+}}\r\n{text}", text.len()))
            .boxed(),
    ])
}

fn astring() -> BoxedStrategy<String> {
    any_of(vec!["[A-Za-z0-9$._/\\]-]{1,8}".boxed(), string()])
}

fn mailbox() -> BoxedStrategy<String> {
    any_of(vec![
        astring(),
        one_of(&["INBOX", "inbox", "Entw&APw-rfe", "\"R&-D\"", "a/b.c"]),
    ])
}

fn set() -> BoxedStrategy<String> {
    let number = || {
        any_of(vec![
            "[1-9][0-9]{0,8}".boxed(),
            one_of(&["*", "4294967295"]),
        ])
    };
    let range = any_of(vec![
        number(),
        (number(), number())
            .prop_map(|(first, last)| format!("{first}:{last}"))
            .boxed(),
    ]);
    prop::collection::vec(range, 1..4)
        .prop_map(|ranges| ranges.join(","))
        .boxed()
}

fn flag() -> BoxedStrategy<String> {
    any_of(vec![
        one_of(&[
            "\\Seen",
            "\\DELETED",
            "\\Answered",
            "\\Draft",
            "\\Flagged",
            "$Junk",
        ]),
        "[A-Za-z]{1,6}".boxed(),
    ])
}

fn date() -> BoxedStrategy<String> {
    any_of(vec![one_of(&[
        "1-Feb-1994",
        "29-Feb-2000",
        "\"31-Dec-2024\"",
        "07-Jul-1999",
    ])])
}

fn fetch_item() -> BoxedStrategy<String> {
    let section = any_of(vec![
        one_of(&[
            "",
            "TEXT",
            "HEADER",
            "1",
            "1.2",
            "3.MIME",
            "4.1.HEADER",
            "2.TEXT",
        ]),
        listed("[A-Za-z-]{1,8}".boxed(), 1..4)
            .prop_map(|list| format!("HEADER.FIELDS {list}"))
            .boxed(),
        listed(astring_header(), 1..3)
            .prop_map(|list| format!("5.header.fields.not {list}"))
            .boxed(),
    ]);
    let body = (
        one_of(&["BODY", "body.peek"]),
        section,
        one_of(&["", "<0.1024>", "<7.1>"]),
    );
    any_of(vec![
        one_of(&[
            "FLAGS",
            "uid",
            "ENVELOPE",
            "INTERNALDATE",
            "RFC822",
            "RFC822.SIZE",
            "RFC822.HEADER",
            "RFC822.TEXT",
        ]),
        one_of(&[
            "BODY",
            "BODYSTRUCTURE",
            "MODSEQ",
            "BINARY[1]",
            "BINARY.PEEK[1.2]<0.5>",
            "BINARY.SIZE[2]",
        ]),
        body.prop_map(|(name, section, partial)| format!("{name}[{section}]{partial}"))
            .boxed(),
    ])
}

fn astring_header() -> BoxedStrategy<String> {
    any_of(vec![
        "[A-Za-z-]{1,8}".boxed(),
        one_of(&["\"From\"", "{2}\r\nCc"]),
    ])
}

fn search_key() -> BoxedStrategy<String> {
    let with = |names: &'static [&'static str], argument: BoxedStrategy<String>| {
        words(vec![one_of(names), argument])
    };
    let leaf = any_of(vec![
        one_of(&[
            "ALL", "answered", "DELETED", "DRAFT", "FLAGGED", "NEW", "OLD", "RECENT", "SEEN",
        ]),
        one_of(&["UNANSWERED", "UNDELETED", "UNDRAFT", "UNFLAGGED", "UNSEEN"]),
        with(
            &["BCC", "BODY", "CC", "FROM", "SUBJECT", "TEXT", "to"],
            astring(),
        ),
        words(vec![one_of(&["HEADER"]), astring(), astring()]),
        with(
            &["BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"],
            date(),
        ),
        with(&["KEYWORD", "UNKEYWORD"], one_of(&["$Junk", "a"])),
        with(&["LARGER", "SMALLER"], one_of(&["0", "4096", "4294967295"])),
        with(&["OLDER", "YOUNGER"], one_of(&["1", "86400"])),
        with(&["UID"], set()),
        set(),
    ]);
    leaf.prop_recursive(4, 12, 3, |key| {
        any_of(vec![
            words(vec![one_of(&["NOT"]), key.clone().boxed()]),
            words(vec![
                one_of(&["OR"]),
                key.clone().boxed(),
                key.clone().boxed(),
            ]),
            listed(key.boxed(), 1..4),
        ])
    })
    .boxed()
}

/// A message to store. `imap-codec` wants at least one octet.
fn message() -> BoxedStrategy<String> {
    "[ -~\r\n]{1,30}"
        .prop_map(|text| format!("{{{}}}\r\n{text}", text.len()))
        .boxed()
}

fn session_command() -> BoxedStrategy<String> {
    let word = |name: &'static [&'static str]| one_of(name);
    any_of(vec![
        one_of(&[
            "CAPABILITY",
            "noop",
            "LOGOUT",
            "CHECK",
            "CLOSE",
            "UNSELECT",
            "EXPUNGE",
            "IDLE",
            "NAMESPACE",
        ]),
        one_of(&[
            "ENABLE CONDSTORE",
            "ENABLE CONDSTORE QRESYNC UTF8=ACCEPT",
            "COMPRESS DEFLATE",
        ]),
        one_of(&[
            "AUTHENTICATE PLAIN",
            "AUTHENTICATE PLAIN AHUAcA==",
            "AUTHENTICATE LOGIN =",
        ]),
        words(vec![word(&["LOGIN"]), astring(), astring()]),
        words(vec![
            word(&["ID"]),
            one_of(&["NIL", "(\"name\" \"x\" \"os\" NIL)", "({1}\r\na \"b\")"]),
        ]),
    ])
}

fn mailbox_command() -> BoxedStrategy<String> {
    let word = |name: &'static [&'static str]| one_of(name);
    any_of(vec![
        words(vec![
            word(&[
                "DELETE",
                "CREATE",
                "SUBSCRIBE",
                "UNSUBSCRIBE",
                "SELECT",
                "EXAMINE",
            ]),
            mailbox(),
        ]),
        words(vec![word(&["RENAME"]), mailbox(), mailbox()]),
        words(vec![
            word(&["SELECT"]),
            mailbox(),
            one_of(&[
                "(CONDSTORE)",
                "(QRESYNC (67890007 90060115194045000 41:211))",
                "(QRESYNC (1 2 3:4 (5 6)))",
                "(QRESYNC (1 2))",
            ]),
        ]),
        words(vec![
            word(&["LIST", "LSUB"]),
            mailbox(),
            any_of(vec![one_of(&["*", "%", "\"\"", "a/%", "\"x*\""]), string()]),
        ]),
        words(vec![
            word(&["STATUS"]),
            mailbox(),
            one_of(&[
                "(MESSAGES)",
                "(RECENT UIDNEXT UNSEEN uidvalidity)",
                "(HIGHESTMODSEQ SIZE)",
            ]),
        ]),
        words(vec![word(&["APPEND"]), mailbox(), message()]),
        words(vec![
            word(&["APPEND"]),
            mailbox(),
            listed(flag(), 0..3),
            message(),
        ]),
        words(vec![
            word(&["APPEND"]),
            mailbox(),
            listed(flag(), 0..3),
            one_of(&[
                "\" 7-Feb-1994 21:52:25 -0800\"",
                "\"31-Dec-2024 00:00:59 +0545\"",
            ]),
            message(),
        ]),
    ])
}

fn message_command() -> BoxedStrategy<String> {
    let word = |name: &'static [&'static str]| one_of(name);
    any_of(vec![
        words(vec![
            word(&["FETCH", "UID FETCH"]),
            set(),
            one_of(&["ALL", "FAST", "full"]),
        ]),
        words(vec![word(&["FETCH", "UID FETCH"]), set(), fetch_item()]),
        words(vec![
            word(&["FETCH", "UID FETCH"]),
            set(),
            listed(fetch_item(), 1..5),
        ]),
        words(vec![
            word(&["UID FETCH"]),
            set(),
            listed(fetch_item(), 1..3),
            one_of(&["(CHANGEDSINCE 12345)", "(CHANGEDSINCE 1 VANISHED)"]),
        ]),
        words(vec![
            word(&["STORE", "UID STORE"]),
            set(),
            one_of(&["FLAGS", "+FLAGS", "-flags.silent"]),
            listed(flag(), 0..4),
        ]),
        words(vec![
            word(&["STORE", "UID STORE"]),
            set(),
            one_of(&[
                "(UNCHANGEDSINCE 0) +FLAGS",
                "(UNCHANGEDSINCE 320162338) FLAGS.SILENT",
            ]),
            flag(),
        ]),
        words(vec![
            word(&["COPY", "UID COPY", "MOVE", "UID MOVE"]),
            set(),
            mailbox(),
        ]),
        words(vec![word(&["UID EXPUNGE"]), set()]),
        words(vec![
            word(&["SEARCH", "UID SEARCH", "SEARCH CHARSET UTF-8"]),
            search_key(),
        ]),
        words(vec![
            word(&["SEARCH", "UID SEARCH"]),
            search_key(),
            search_key(),
            search_key(),
        ]),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn both_readings_of_a_valid_command_agree(
        tag in "[A-Za-z0-9.]{1,6}",
        command in any_of(vec![session_command(), mailbox_command(), message_command()]),
    ) {
        let text = format!("{tag} {command}");
        let ours = decode(text.as_bytes());
        prop_assert!(ours.is_ok(), "{text:?}: {ours:?}");
        let theirs = reading_of_theirs(text.as_bytes());
        prop_assert!(theirs.is_some(), "{text:?} is refused by imap-codec");
        let theirs = theirs.expect("checked");
        let again = decode(&theirs);
        prop_assert!(again.is_ok(), "{text:?} became {:?}: {again:?}", String::from_utf8_lossy(&theirs));
        prop_assert_eq!(meaning(ours.expect("checked")), meaning(again.expect("checked")), "{:?}", text);
    }
}

/// Ours takes what theirs refuses.
#[test]
fn intended_differences_that_ours_accepts() {
    for (text, why) in [
        (
            "a SELECT x (QRESYNC (67890007 0))",
            "a client that knows no MODSEQ",
        ),
        ("a FETCH 1 FLAGS (CHANGEDSINCE 0)", "iOS Mail 16"),
        ("a FETCH 1 ( FLAGS )", "extra spaces in lists"),
        ("a FETCH 1 (FLAGS BODY[])  ", "extra spaces at the end"),
        ("a STATUS x (MESSAGES )", "extra spaces in lists"),
        ("a DELETE \"ä\"", "UTF-8 in quotes, RFC 9051 4.3"),
        (
            "a APPEND x \"1-Jan-2024 00:00:00 +0000\" {1}\r\nx",
            "a day without its padding",
        ),
        (
            "a LIST (SUBSCRIBED) \"\" (a b) RETURN (CHILDREN)",
            "RFC 5258",
        ),
        ("a CREATE x (USE (\\Sent))", "RFC 6154"),
        ("a SEARCH RETURN (MIN) ALL", "RFC 4731"),
        ("a UID EXPUNGE $", "RFC 5182"),
        ("a APPEND x {1}\r\na {1}\r\nb", "RFC 3502"),
        ("a UNAUTHENTICATE", "RFC 8437"),
        ("a SEARCH FUZZY ALL", "RFC 6203"),
        ("a SEARCH LARGER 4294967296", "63-bit sizes, RFC 9051 9"),
        ("a FETCH 1 BODY[]<0.4294967296>", "63-bit sizes, RFC 9051 9"),
        ("a FETCH 1 (PREVIEW EMAILID)", "RFC 8970, RFC 8474"),
        ("a STATUS x (MAILBOXID)", "RFC 8474"),
        ("a UID FETCH 1 FLAGS (PARTIAL 1:2)", "RFC 9394"),
        (
            "a COMPRESS GZIP",
            "refused by the session, which knows what it can do",
        ),
        ("a STARTTLS", "theirs has it behind a feature"),
    ] {
        assert!(decode(text.as_bytes()).is_ok(), "{text}: {why}");
        assert_eq!(reading_of_theirs(text.as_bytes()), None, "{text}: {why}");
    }
}

/// Ours refuses what theirs takes.
#[test]
fn intended_differences_that_ours_refuses() {
    for (text, why) in [
        ("a FETCH 1 ()", "at least one item, RFC 3501 9"),
        ("a STATUS x ()", "at least one attribute, RFC 3501 9"),
        (
            "a FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)",
            "UID FETCH only, RFC 7162 3.2.6",
        ),
        (
            "a UID FETCH 1 FLAGS (VANISHED)",
            "with CHANGEDSINCE only, RFC 7162 3.2.6",
        ),
    ] {
        assert!(decode(text.as_bytes()).is_err(), "{text}: {why}");
        assert!(
            reading_of_theirs(text.as_bytes()).is_some(),
            "{text}: {why}"
        );
    }
}
