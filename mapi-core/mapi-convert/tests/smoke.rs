//! What the fuzz targets hold, over their corpora and the awkward messages.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test"
)]

#[path = "../fuzz/checks/ical.rs"]
mod ical;
#[path = "../fuzz/checks/oxcmail.rs"]
mod oxcmail;
#[path = "../fuzz/checks/pattern.rs"]
mod pattern;
#[path = "../fuzz/checks/skeleton.rs"]
mod skeleton;

use std::{fs, path::Path};

/// Every file of a folder below the crate.
fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let files: Vec<_> = files.collect();
    assert!(files.len() > 10);
    files
}

#[test]
fn skeleton_corpus_holds() {
    files("fuzz/corpus/skeleton")
        .iter()
        .for_each(|input| skeleton::check(input));
    for message in files("../../conformance/corpus/messages/awkward") {
        skeleton::check(&[&[7], &*message].concat());
    }
}

#[test]
fn oxcmail_corpus_holds() {
    files("fuzz/corpus/oxcmail")
        .iter()
        .for_each(|input| oxcmail::check(input));
    files("../../conformance/corpus/messages/awkward")
        .iter()
        .for_each(|message| oxcmail::check(message));
}

#[test]
fn ical_corpus_holds() {
    files("fuzz/corpus/ical")
        .iter()
        .for_each(|input| ical::check(input));
}

#[test]
fn pattern_corpus_holds() {
    files("fuzz/corpus/pattern")
        .iter()
        .for_each(|input| pattern::check(input));
}
