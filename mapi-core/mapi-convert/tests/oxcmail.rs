//! Conversion snapshots: `tests/oxcmail/<case>.eml` into properties (`.props`) and back (`.out.eml`).
//!
//! `UPDATE=1 cargo test -p mapi-convert` rewrites them; the difference is reviewed. Before a message is converted back
//! its text is put into the properties, as a MAPI client that edits it does.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use std::{fmt::Write as _, fs, path::Path};

use bytes::Bytes;
use mapi_convert::{
    Limits, Scanned, Scanner, StructureView, oxcmail,
    oxcmail::{Identity, Warning},
};
use mapi_types::{AttachmentData, FileTime, MessageTree, PropBag, Value, tags};

const NOW: FileTime = FileTime(127_800_000_000_000_000);
const IDENTITY: Identity<'_> = Identity {
    key: b"case",
    domain: "example.test",
};

fn scan(message: &[u8]) -> Scanned {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(message);
    scanner.finish()
}

fn shown_value(value: Value<'_>) -> String {
    match value {
        Value::Str(text) => format!("{text:?}"),
        Value::Bin(octets) => octets.iter().map(|octet| format!("{octet:02x}")).collect(),
        Value::Time(time) => format!("unix {}", time.unix()),
        Value::Strs(list) => format!("{:?}", list.strs().collect::<Vec<_>>()),
        other => format!("{other:?}"),
    }
}

fn show_bag(props: &PropBag, indent: &str, out: &mut String) {
    for (tag, value) in props.iter() {
        writeln!(out, "{indent}{:08x} {}", tag.0, shown_value(value)).unwrap();
    }
}

fn show(tree: &MessageTree, indent: &str, out: &mut String) {
    show_bag(&tree.props, indent, out);
    let deeper = format!("{indent}  ");
    for recipient in &tree.recipients {
        writeln!(out, "{indent}recipient").unwrap();
        show_bag(recipient, &deeper, out);
    }
    for attachment in &tree.attachments {
        writeln!(out, "{indent}attachment").unwrap();
        show_bag(&attachment.props, &deeper, out);
        match &attachment.data {
            AttachmentData::Message(tree) => {
                writeln!(out, "{deeper}message").unwrap();
                show(tree, &format!("{deeper}  "), out);
            }
            data => writeln!(out, "{deeper}{data:?}").unwrap(),
        }
    }
}

/// The tree with its text in it.
fn with_text(scanned: &Scanned, message: &[u8]) -> MessageTree {
    oxcmail::import_with_text(scanned, &Bytes::copy_from_slice(message), NOW)
        .unwrap()
        .0
}

fn snapshot(path: &Path, actual: &[u8]) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, actual).unwrap();
        return;
    }
    let expected = fs::read(path).unwrap_or_default();
    let (actual, expected) = (
        String::from_utf8_lossy(actual),
        String::from_utf8_lossy(&expected),
    );
    assert_eq!(
        actual,
        expected,
        "{} (UPDATE=1 rewrites it)",
        path.display()
    );
}

fn exported(tree: &MessageTree, original: &[u8]) -> (Vec<u8>, Vec<Warning>) {
    let (export, warnings) = oxcmail::export(tree, &IDENTITY);
    let original = Bytes::copy_from_slice(original);
    let mut out = Vec::new();
    export
        .write(Some(&original), &mut |octets| out.extend_from_slice(octets))
        .unwrap();
    assert_eq!(out.len() as u64, export.size());
    assert_eq!(
        export.scan(Some(&original), Limits::default()).unwrap(),
        scan(&out)
    );
    (out, warnings)
}

/// What a reader sees of a message.
fn essence(tree: &MessageTree) -> Vec<String> {
    let props = &tree.props;
    let mut out = vec![
        format!("{:?}", props.get(&tags::SUBJECT)),
        format!("{:?}", props.get(&tags::SENT_REPRESENTING_SMTP_ADDRESS)),
        format!("{:?}", props.get(&tags::SENDER_SMTP_ADDRESS)),
        format!("{:?}", props.get(&tags::REPLY_RECIPIENT_ENTRIES)),
        format!("{:?}", props.get(&tags::INTERNET_REFERENCES)),
        format!("{:?}", props.get(&tags::IMPORTANCE)),
        format!("{:?}", props.get(&tags::SENSITIVITY)),
        format!("{:?}", props.get(&tags::CONVERSATION_ID)),
        format!("{:?}", props.get(&tags::CLIENT_SUBMIT_TIME)),
    ];
    for row in &tree.recipients {
        out.push(format!(
            "{:?} {:?}",
            row.get(&tags::RECIPIENT_TYPE),
            row.get(&tags::SMTP_ADDRESS)
        ));
        out.push(format!("{:?}", row.get(&tags::DISPLAY_NAME)));
    }
    // Those shown in the body come first.
    let mut attachments: Vec<_> = tree.attachments.iter().collect();
    attachments.sort_by_key(|attachment| attachment.props.get(&tags::ATTACH_FLAGS).is_none());
    for attachment in attachments {
        let props = &attachment.props;
        out.push(format!(
            "{:?} {:?}",
            props.get(&tags::ATTACH_LONG_FILENAME),
            props.get(&tags::ATTACH_CONTENT_ID)
        ));
        if let AttachmentData::Message(inner) = &attachment.data {
            out.extend(essence(inner));
        }
    }
    out
}

#[test]
fn conversions_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oxcmail");
    let mut cases = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(case) = name
            .strip_suffix(".eml")
            .filter(|case| !case.ends_with(".out"))
        else {
            continue;
        };
        cases += 1;
        let message = fs::read(&path).unwrap();
        let scanned = scan(&message);
        let (tree, warnings) = oxcmail::import(&scanned, NOW);
        let mut shown = String::new();
        for warning in &warnings {
            writeln!(shown, "warning {warning:?}").unwrap();
        }
        show(&tree, "", &mut shown);
        snapshot(&folder.join(format!("{case}.props")), shown.as_bytes());
        let (out, _) = exported(&with_text(&scanned, &message), &message);
        snapshot(&folder.join(format!("{case}.out.eml")), &out);
    }
    assert!(cases >= 10);
}

#[test]
fn a_message_converted_there_and_back_says_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oxcmail");
    for case in [
        "plain",
        "every_field",
        "mixed_related_alternative",
        "embedded",
        "no_header",
    ] {
        let message = fs::read(folder.join(format!("{case}.eml"))).unwrap();
        let scanned = scan(&message);
        let tree = with_text(&scanned, &message);
        let (out, warnings) = exported(&tree, &message);
        assert_eq!(warnings, []);
        let back = scan(&out);
        let again = with_text(&back, &out);
        assert_eq!(essence(&tree), essence(&again), "{case}");
        let text = |tree: &MessageTree| {
            let text = tree.props.get(&tags::BODY).unwrap_or_default();
            text.replace("\r\n", "\n").trim_end().to_owned()
        };
        assert_eq!(text(&tree), text(&again), "{case}");
        assert_eq!(exported(&tree, &message).0, out);
    }
}

#[test]
fn a_signed_entity_survives_to_the_octet() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oxcmail");
    let message = fs::read(folder.join("signed_smime.eml")).unwrap();
    let scanned = scan(&message);
    let (out, warnings) = exported(&with_text(&scanned, &message), b"");
    assert_eq!(warnings, []);
    let back = scan(&out);
    let octets = |scanned: &Scanned, message: &[u8]| {
        let body = &scanned.root().body;
        message[body.start as usize..body.end as usize].to_vec()
    };
    assert_eq!(back.root().content_type, scanned.root().content_type);
    assert_eq!(octets(&back, &out), octets(&scanned, &message));
}

#[test]
fn awkward_messages_are_converted_without_loss_of_place() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/corpus/messages");
    let mut seen = 0;
    for folder in ["awkward", "legal"] {
        for entry in fs::read_dir(corpus.join(folder)).unwrap() {
            let message = fs::read(entry.unwrap().path()).unwrap();
            let scanned = scan(&message);
            let derived = scanned.derived();
            assert!(StructureView::new(&derived.structure).is_some());
            let (tree, _) = oxcmail::import(&scanned, NOW);
            exported(&tree, &message);
            seen += 1;
        }
    }
    assert!(seen > 50);
}
