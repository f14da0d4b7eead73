//! What is too large, too deep or a trick costs no more than its beginning, and gets an error with a place.

use dav_wire::request::{Propfind, Report};
use dav_wire::{BodyError, Condition, Fault, Limit, Limits};

fn propfind(body: impl AsRef<[u8]>) -> BodyError {
    Propfind::parse(body.as_ref(), &Limits::default()).unwrap_err()
}

#[test]
fn xml_of_100_000_levels_is_read_to_the_bound_and_no_further() {
    let depth = 100_000;
    let body = format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    for parse in [
        |body: &[u8]| Propfind::parse(body, &Limits::default()).map(|_| ()),
        |body: &[u8]| Report::parse(body, &Limits::default()).map(|_| ()),
    ] {
        let error = parse(body.as_bytes()).unwrap_err();
        // The root is refused by its name, or the first level that is too deep by its place.
        assert!(error.at <= 3 * Limits::default().depth_max, "{error}");
    }
    let body = format!("<propfind xmlns=\"DAV:\">{body}</propfind>");
    let error = propfind(&body);
    assert_eq!(error.fault, Fault::Limit(Limit::Depth));
    let start = "<propfind xmlns=\"DAV:\">".len();
    assert_eq!(error.at, start + 3 * (Limits::default().depth_max - 1));
    assert_eq!(error.status(), 413);
}

#[test]
fn each_bound_has_its_error() {
    let root =
        |content: &str| format!("<propfind xmlns=\"DAV:\"><prop>{content}</prop></propfind>");
    let attributes: String = (0..65).map(|n| format!(" a{n}=\"\"")).collect();
    let namespaces: String = (0..64).map(|n| format!(" xmlns:a{n}=\"u\"")).collect();
    let names: String = (0..1025).map(|n| format!("<a{n}/>")).collect();
    for (body, limit) in [
        (" ".repeat(4 * 1024 * 1024 + 1), Limit::BodyBytes),
        (
            root(&format!("<x>{}</x>", "<a/>".repeat(100_001))),
            Limit::Elements,
        ),
        (root(&format!("<a{attributes}/>")), Limit::Attributes),
        (root(&format!("<a{namespaces}/>")), Limit::Namespaces),
        (
            root(&format!("<a b=\"{}\"/>", "c".repeat(16_385))),
            Limit::AttributeBytes,
        ),
        (
            root(&format!("<a xmlns=\"{}\"/>", "c".repeat(1025))),
            Limit::NamespaceBytes,
        ),
        (root(&format!("<{}/>", "n".repeat(257))), Limit::NameBytes),
        (root(&names), Limit::Properties),
    ] {
        assert_eq!(propfind(&body).fault, Fault::Limit(limit));
    }
}

#[test]
fn document_types_are_refused_whatever_they_declare() {
    for declared in [
        "<!DOCTYPE propfind>",
        "<!DOCTYPE propfind SYSTEM \"http://example.test/x.dtd\">",
        "<!DOCTYPE propfind [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>",
        "<!DOCTYPE propfind [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
    ] {
        let body = format!(
            "<?xml version=\"1.0\"?>\n{declared}<propfind xmlns=\"DAV:\"><allprop/></propfind>"
        );
        let error = propfind(&body);
        assert_eq!(
            error.condition(),
            Some(Condition::NoExternalEntities),
            "{declared}"
        );
        assert_eq!((error.at, error.status().as_u16()), (22, 403));
    }
}

#[test]
fn what_is_not_well_formed_is_refused_where_it_stands() {
    for (body, at) in [
        ("<propfind xmlns=\"DAV:\"><prop>", 29),
        ("<propfind xmlns=\"DAV:\"><allprop></propfind>", 32),
        ("<propfind xmlns=\"DAV:\"><allprop/></propfind><x/>", 44),
        ("<propfind xmlns=\"DAV:\"><allprop/></propfind>x", 44),
        ("x<propfind xmlns=\"DAV:\"/>", 0),
        ("<propfind xmlns=\"DAV:\"><x>&nbsp;</x></propfind>", 26),
        ("<propfind xmlns=\"DAV:\"><x>&#0;</x></propfind>", 26),
        ("<propfind xmlns=\"DAV:\"><x>]]></x></propfind>", 26),
        ("<propfind xmlns=\"DAV:\"><1/></propfind>", 23),
        ("<propfind xmlns=\"DAV:\"><a b=c/></propfind>", 23),
        (
            "<propfind xmlns=\"DAV:\"><a b=\"1\" b=\"2\"/></propfind>",
            23,
        ),
        ("<propfind xmlns=\"DAV:\"><a b=\"<\"/></propfind>", 23),
        ("<propfind xmlns=\"DAV:\"><x:a/></propfind>", 23),
        ("<propfind xmlns=\"DAV:\"><a x:b=\"\"/></propfind>", 23),
        // litmus asks for both: a prefix cannot be taken back, and nothing may be without one that is used.
        (
            "<D:propfind xmlns:D=\"DAV:\"><D:prop><bar:foo xmlns:bar=\"\"/></D:prop></D:propfind>",
            35,
        ),
        (
            "<propfind xmlns=\"DAV:\"><!-- a -- b --><allprop/></propfind>",
            23,
        ),
        (
            " <?xml version=\"1.0\"?><propfind xmlns=\"DAV:\"><allprop/></propfind>",
            1,
        ),
        (
            "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><propfind xmlns=\"DAV:\"/>",
            0,
        ),
    ] {
        let error = propfind(body);
        assert_eq!(error.status(), 400, "{body}");
        assert!(error.at >= at && error.at <= body.len(), "{body}: {error}");
    }
}

#[test]
fn the_place_of_a_fault_is_the_start_of_its_element() {
    let body = "<propfind xmlns=\"DAV:\">\n  <prop/>\n  <prop/></propfind>";
    let error = propfind(body);
    assert!(
        body[error.at..].starts_with("<prop/></propfind>"),
        "{error}"
    );
}

#[test]
fn a_property_asked_for_a_thousand_times_is_answered_once() {
    let body = format!(
        "<propfind xmlns=\"DAV:\"><prop>{}</prop></propfind>",
        "<getetag/><x:y xmlns:x=\"urn:x\"/>".repeat(500)
    );
    let propfind = Propfind::parse(body.as_bytes(), &Limits::default()).unwrap();
    let dav_wire::request::RequestedProperties::Listed(names) = propfind.properties else {
        panic!("{propfind:?}");
    };
    assert_eq!(names.len(), 2);
}
