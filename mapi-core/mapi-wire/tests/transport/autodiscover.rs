//! The recorded exchange of Autodiscover.

use mapi_wire::autodiscover::{
    Element, RpcKind,
    element::Layout,
    pox::{PoxRequest, PoxResponse},
};

use crate::corpus;

#[test]
fn the_request_is_the_one_we_write() {
    let recorded = corpus::body("main", 1, false);
    let request = PoxRequest::parse(&recorded).unwrap();
    assert_eq!(request.email_address.as_deref(), Some("alice@example.test"));
    assert!(request.accepts_ours());
    let ours = PoxRequest::for_address("alice@example.test").to_xml();
    assert_eq!(ours.as_bytes(), recorded);
}

#[test]
fn the_response_is_read_in_full_and_written_back() {
    let recorded = corpus::body("main", 1, true);
    let tree = Element::parse(&recorded).unwrap();
    assert_eq!(tree.to_document(Layout::Indented).as_bytes(), recorded);
    let PoxResponse::Settings(settings) = PoxResponse::parse(&recorded).unwrap() else {
        panic!("no settings");
    };
    let again = PoxResponse::Settings(settings.clone()).to_xml();
    assert_eq!(
        PoxResponse::parse(again.as_bytes()),
        Ok(PoxResponse::Settings(settings))
    );
}

#[test]
fn the_response_says_where_everything_is() {
    let recorded = corpus::body("main", 1, true);
    let PoxResponse::Settings(settings) = PoxResponse::parse(&recorded).unwrap() else {
        panic!("no settings");
    };
    let id = "616c6963-6540-6578-616d-706c01000000@example.test";
    let endpoints = settings.mapi_http().unwrap();
    for (urls, path) in [
        (&endpoints.mail_store, "emsmdb"),
        (&endpoints.address_book, "nspi"),
    ] {
        let url = format!("https://localhost:25443/mapi/{path}/?MailboxId={id}");
        assert_eq!(urls.internal.as_ref(), Some(&url));
        assert_eq!(urls.external.as_ref(), Some(&url));
        assert_eq!(urls.preferred(), Some(url.as_str()));
    }
    assert_eq!(settings.smtp_address.as_deref(), Some("alice@example.test"));
    assert_eq!(settings.display_name.as_deref(), Some("Alice Liddell"));
    assert!(
        settings
            .legacy_dn
            .as_deref()
            .unwrap()
            .ends_with("/cn=0100000001000000-alice")
    );
    assert_eq!(
        settings.public_folders.as_deref(),
        Some("public.folder.root@example.test")
    );
    assert!(!settings.is_microsoft_online && settings.alternative_mailboxes.is_empty());
    assert_eq!(settings.protocols.len(), 4);
    let server = |kind| settings.rpc(kind).unwrap().server.as_deref();
    assert_eq!(server(RpcKind::Exch), Some(id));
    assert_eq!(server(RpcKind::Expr), Some("localhost:25443"));
    assert_eq!(server(RpcKind::Exhttp), Some("localhost:25443"));
    let exch = settings.rpc(RpcKind::Exch).unwrap();
    assert!(
        exch.mdb_dn
            .as_deref()
            .unwrap()
            .ends_with("/cn=Microsoft Private MDB")
    );
    assert_eq!(exch.auth_package.as_deref(), Some("anonymous"));
}
