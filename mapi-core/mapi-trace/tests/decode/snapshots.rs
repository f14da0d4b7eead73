//! A handful of bodies as they look. `UPDATE=1` writes them anew; the difference is reviewed.

use std::{env, fs, path::PathBuf};

use mapi_trace::Detail;

use crate::corpus;

/// Folder and name of each body; `.txt` and `.json` of it lie beside this file.
const BODIES: [(&str, &str); 10] = [
    ("main", "003-emsmdb-Execute-Logon.rsp.bin"),
    ("main", "029-emsmdb-Execute-QueryRows.rsp.bin"),
    ("main", "030-emsmdb-Execute-QueryPosition.rsp.bin"),
    ("main", "176-emsmdb-Execute-SetSearchCriteria.req.bin"),
    (
        "main",
        "265-emsmdb-Execute-FastTransferSourceGetBuffer_contents_incr.rsp.bin",
    ),
    (
        "main",
        "255-emsmdb-Execute-SynchronizationUploadStateStreamEnd.req.bin",
    ),
    ("main", "419-nspi-ResolveNames.rsp.bin"),
    ("main", "427-nspi-QueryColumns.rsp.bin"),
    ("extra", "105-emsmdb-Execute-unknown_rop_88.req.bin"),
    ("rpc-http", "001-EcDoConnectEx.rsp.bin"),
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/decode/snapshots"
    ))
    .join(name)
}

fn check(name: &str, text: &str) {
    let path = path(name);
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{} differs:\n{text}", path.display());
}

#[test]
fn bodies_look_as_they_were_reviewed() {
    for (folder, name) in BODIES {
        let bodies = corpus::decode(&corpus::folder(folder));
        let body = bodies.iter().find(|body| body.name() == name).unwrap();
        let stem = name.strip_suffix(".bin").unwrap();
        check(
            &format!("{folder}-{stem}.txt"),
            &(body.to_text(Detail::Short) + "\n"),
        );
    }
}

#[test]
fn json_has_the_field_names_that_were_reviewed() {
    let bodies = corpus::decode(&corpus::folder("main"));
    let name = "255-emsmdb-Execute-SynchronizationUploadStateStreamEnd.req.bin";
    let body = bodies.iter().find(|body| body.name() == name).unwrap();
    check("field-names.json", &(body.to_json(Detail::Octets) + "\n"));
}
