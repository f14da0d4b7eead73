//! The recorded exchanges: `conformance/corpus/mapihttp`.

use std::{fs, path::PathBuf};

use mapi_trace::{Body, Recording, Session};

/// The folders, each a session.
pub(crate) const FOLDERS: [&str; 4] = ["main", "extra", "compressed", "rpc-http"];

/// One recorded body, as it lies in its folder.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) octets: Vec<u8>,
}

/// Every body of a folder, in order.
pub(crate) fn folder(folder: &str) -> Vec<File> {
    let root = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/corpus/mapihttp"
    ));
    let index = fs::read_to_string(root.join(folder).join("index.tsv")).unwrap();
    let names = index.lines().map(|line| line.split('\t').next().unwrap());
    names
        .map(|name| File {
            name: name.to_owned(),
            octets: fs::read(root.join(folder).join(name)).unwrap(),
        })
        .collect()
}

/// Decodes bodies as one session.
pub(crate) fn decode(files: &[File]) -> Vec<Body> {
    let mut session = Session::new();
    let mut bodies: Vec<Body> = files
        .iter()
        .map(|file| {
            session.decode(&Recording {
                name: &file.name,
                octets: &file.octets,
                note: None,
            })
        })
        .collect();
    bodies.extend(session.finish());
    bodies
}
