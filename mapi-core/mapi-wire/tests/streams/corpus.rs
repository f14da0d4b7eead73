//! Buffers of streams out of recorded bodies. Only what they lie in is undone here: MS-OXCMAPIHTTP 2.2.4.2,
//! MS-OXCRPC 2.2.2.1, MS-OXCROPS 2.2.12.4 and 2.2.13.10.

use std::{collections::BTreeMap, fs, path::PathBuf};

use mapi_wire::Reader;

const GET_BUFFER: u8 = 0x4e;
const PUT_BUFFER: u8 = 0x54;
const UPLOAD_STATE_CONTINUE: u8 = 0x76;

/// The bodies whose names contain `label` and end in `end`, in order.
fn bodies(label: &str, end: &str) -> Vec<(String, Vec<u8>)> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/corpus/mapihttp/main"
    );
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let names = paths
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap());
    let named = names
        .zip(&paths)
        .filter(|(name, _)| name.contains(label) && name.ends_with(end));
    named
        .map(|(name, path)| (name.to_owned(), fs::read(path).unwrap()))
        .collect()
}

/// The ROPs in an extended buffer that is neither compressed nor packed.
fn rops(buffer: &[u8]) -> Reader<'_> {
    let mut reader = Reader::new(buffer);
    assert_eq!(reader.u16("version").unwrap(), 0);
    assert_eq!(
        reader.u16("flags").unwrap() & 3,
        0,
        "compressed or obfuscated"
    );
    let size = reader.u16("size").unwrap();
    reader.u16("actual size").unwrap();
    let mut payload = reader.window(size.into(), "payload").unwrap();
    let size = payload.u16("ROP size").unwrap();
    payload.window(usize::from(size) - 2, "ROPs").unwrap()
}

fn response(body: &[u8]) -> Reader<'_> {
    let end = body
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let mut reader = Reader::new(&body[end + 4..]);
    for field in ["status", "error", "flags"] {
        assert_eq!(reader.u32(field).unwrap(), 0, "{field}");
    }
    let size = reader.u32("buffer size").unwrap() as usize;
    rops(reader.take(size, "buffer").unwrap())
}

fn request(body: &[u8]) -> Reader<'_> {
    let mut reader = Reader::new(body);
    reader.u32("flags").unwrap();
    let size = reader.u32("buffer size").unwrap() as usize;
    rops(reader.take(size, "buffer").unwrap())
}

/// The streams that were downloaded, by the label of the exchange, buffer by buffer.
pub(crate) fn downloads() -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut streams: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, body) in bodies("GetBuffer_", ".rsp.bin") {
        let label = name
            .split("GetBuffer_")
            .nth(1)
            .unwrap()
            .trim_end_matches(".rsp.bin");
        let mut rops = response(&body);
        assert_eq!(rops.u8("id").unwrap(), GET_BUFFER, "{name}");
        rops.u8("handle").unwrap();
        assert_eq!(rops.u32("return value").unwrap(), 0, "{name}");
        rops.take(7, "status, counts, reserved").unwrap();
        let size = rops.u16("size").unwrap();
        let buffer = rops.take(size.into(), "data").unwrap().to_vec();
        streams.entry(label.to_owned()).or_default().push(buffer);
    }
    streams
}

/// The stream that was downloaded in the exchange with this label.
pub(crate) fn download(label: &str) -> Vec<u8> {
    downloads()[label].concat()
}

/// The states that were uploaded, each value of a property.
pub(crate) fn uploaded_states() -> Vec<Vec<u8>> {
    let bodies = bodies("UploadStateStreamContinue", ".req.bin").into_iter();
    bodies
        .map(|(name, body)| {
            let mut rops = request(&body);
            assert_eq!(rops.u8("id").unwrap(), UPLOAD_STATE_CONTINUE, "{name}");
            rops.u16("logon and handle").unwrap();
            let size = rops.u32("size").unwrap() as usize;
            rops.take(size, "data").unwrap().to_vec()
        })
        .collect()
}

/// The streams that were uploaded, buffer by buffer.
pub(crate) fn uploads() -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut streams: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, body) in bodies("DestinationPutBuffer", ".req.bin") {
        let mut rops = request(&body);
        assert_eq!(rops.u8("id").unwrap(), PUT_BUFFER, "{name}");
        rops.u16("logon and handle").unwrap();
        let size = rops.u16("size").unwrap();
        let buffer = rops.take(size.into(), "data").unwrap().to_vec();
        streams.entry("upload".to_owned()).or_default().push(buffer);
    }
    streams
}
