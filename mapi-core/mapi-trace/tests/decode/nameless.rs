//! Bodies whose names say nothing are known by what is in them.

use mapi_trace::{Detail, Recording, Session};

use crate::corpus;

/// What a body of the corpus is taken for under another name.
fn taken_for(folder: &str, name: &str) -> (String, String) {
    let files = corpus::folder(folder);
    let file = files.iter().find(|file| file.name == name).unwrap();
    let body = Session::new().decode(&Recording {
        name: "body.bin",
        octets: &file.octets,
        note: None,
    });
    assert!(!body.is_malformed(), "{}", body.to_text(Detail::Short));
    let json: serde_json::Value = serde_json::from_str(&body.to_json(Detail::Short)).unwrap();
    let word = |key: &str| json[key].as_str().unwrap().to_owned();
    (word("direction"), word("type"))
}

#[test]
fn a_body_alone_is_known_by_its_octets() {
    let cases = [
        (
            "main",
            "001-autodiscover.req.bin",
            "request",
            "Autodiscover",
        ),
        (
            "main",
            "001-autodiscover.rsp.bin",
            "response",
            "Autodiscover",
        ),
        ("main", "002-emsmdb-Connect.req.bin", "request", "Connect"),
        ("main", "002-emsmdb-Connect.rsp.bin", "response", "Connect"),
        (
            "main",
            "003-emsmdb-Execute-Logon.req.bin",
            "request",
            "Execute",
        ),
        (
            "main",
            "003-emsmdb-Execute-Logon.rsp.bin",
            "response",
            "Execute",
        ),
        ("main", "418-nspi-QueryRows.req.bin", "request", "QueryRows"),
        (
            "rpc-http",
            "001-EcDoConnectEx.req.bin",
            "request",
            "EcDoConnectEx",
        ),
        (
            "rpc-http",
            "001-EcDoConnectEx.rsp.bin",
            "response",
            "EcDoConnectEx",
        ),
        (
            "rpc-http",
            "002-EcDoRpcExt2_Logon.req.bin",
            "request",
            "EcDoRpcExt2",
        ),
        (
            "rpc-http",
            "002-EcDoRpcExt2_Logon.rsp.bin",
            "response",
            "EcDoRpcExt2",
        ),
    ];
    for (folder, name, direction, kind) in cases {
        assert_eq!(
            taken_for(folder, name),
            (direction.into(), kind.into()),
            "{name}"
        );
    }
}

#[test]
fn octets_that_nobody_knows_are_malformed_and_shown() {
    let body = Session::new().decode(&Recording {
        name: "body.bin",
        octets: b"nothing",
        note: None,
    });
    assert!(body.is_malformed());
    let text = body.to_text(Detail::Short);
    assert!(text.contains("6e 6f 74 68 69 6e 67"), "{text}");
    let fault = "malformed: [{within: the body, at: 0, expected: a body of a known kind}]";
    assert!(text.contains(fault), "{text}");
}
