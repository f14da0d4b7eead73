//! The recorded exchanges: `conformance/corpus/mapihttp`.

use std::{fs, path::PathBuf};

use mapi_wire::http::RequestType;

/// One recorded body.
pub(crate) struct Recording {
    /// Folder and file name, without `.req.bin` or `.rsp.bin`.
    pub(crate) name: String,
    /// Whether it is a response.
    pub(crate) is_response: bool,
    /// The octets.
    pub(crate) bytes: Vec<u8>,
}

impl Recording {
    /// Its request type, as the file name says.
    pub(crate) fn request_type(&self) -> RequestType {
        let kind = self.name.split('-').nth(2).unwrap();
        kind.parse().unwrap_or_else(|_| panic!("{}", self.name))
    }
}

fn root() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/corpus/mapihttp"
    ))
}

/// Every body of a folder, as its index lists them.
pub(crate) fn folder(folder: &str) -> Vec<Recording> {
    let index = fs::read_to_string(root().join(folder).join("index.tsv")).unwrap();
    let files = index.lines().map(|line| line.split('\t').next().unwrap());
    let recordings = files.map(|file| {
        let (name, kind) = file.rsplit_once(".re").or(file.rsplit_once(".rs")).unwrap();
        Recording {
            name: format!("{folder}/{name}"),
            is_response: kind == "p.bin",
            bytes: fs::read(root().join(folder).join(file)).unwrap(),
        }
    });
    recordings.collect()
}

/// All bodies of MAPI over HTTP; Autodiscover is not among them.
pub(crate) fn mapi_http() -> Vec<Recording> {
    let all = ["main", "extra", "compressed"].into_iter().flat_map(folder);
    all.filter(|recording| !recording.name.ends_with("autodiscover"))
        .collect()
}

/// One body by folder and number.
pub(crate) fn body(place: &str, number: u32, is_response: bool) -> Vec<u8> {
    let start = format!("{place}/{number:03}-");
    let mut all = folder(place).into_iter();
    let found = all.find(|recording| {
        recording.name.starts_with(&start) && recording.is_response == is_response
    });
    found.unwrap_or_else(|| panic!("{start}")).bytes
}
