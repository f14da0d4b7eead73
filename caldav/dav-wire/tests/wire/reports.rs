//! Reports without a filter, as clients send them.

use dav_wire::request::{MatchType, PrincipalSelf, Report, RequestedProperties, SyncLevel, Test};
use dav_wire::{BodyError, Condition, Limits, Property, PropertyName};

fn parse(body: &str) -> Result<Report, BodyError> {
    Report::parse(body.as_bytes(), &Limits::default())
}

fn listed(properties: &[Property]) -> Option<RequestedProperties> {
    let names = properties.iter().copied().map(PropertyName::from);
    Some(RequestedProperties::Listed(names.collect()))
}

#[test]
fn changes_since_a_token() {
    let sync = |inner: &str| {
        let body = format!(
            "<sync-collection xmlns='DAV:'>{inner}<prop><getetag/></prop></sync-collection>"
        );
        match parse(&body) {
            Ok(Report::SyncCollection(sync)) => Ok((sync.token, sync.level, sync.limit)),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.status().as_u16()),
        }
    };
    let token = Some("http://example.test/sync/1".to_owned());
    for (inner, expected) in [
        (
            "<sync-token/><sync-level>1</sync-level>",
            Ok((None, SyncLevel::One, None)),
        ),
        (
            "<sync-token> http://example.test/sync/1\n</sync-token><sync-level>infinite</sync-level>",
            Ok((token.clone(), SyncLevel::Infinite, None)),
        ),
        (
            "<sync-token>http://example.test/sync/1</sync-token><limit><nresults>10</nresults></limit>",
            Ok((token, SyncLevel::One, Some(10))),
        ),
        ("<sync-level>1</sync-level>", Err(400)),
        ("<sync-token/><sync-level>2</sync-level>", Err(400)),
    ] {
        assert_eq!(sync(inner), expected, "{inner}");
    }
}

#[test]
fn objects_by_address_as_macos_and_davx5_ask_for_them() {
    let body = r#"<?xml version="1.0" encoding="UTF-8"?>
<B:calendar-multiget xmlns:B="urn:ietf:params:xml:ns:caldav">
  <A:prop xmlns:A="DAV:"><A:getetag/><B:calendar-data/><C:created-by xmlns:C="http://calendarserver.org/ns/"/><C:updated-by xmlns:C="http://calendarserver.org/ns/"/></A:prop>
  <A:href xmlns:A="DAV:">/cal/user/1.ics</A:href>
  <A:href xmlns:A="DAV:"> /cal/user/a%20b.ics
</A:href>
</B:calendar-multiget>"#;
    let Report::CalendarMultiget(multiget) = parse(body).unwrap() else {
        panic!("{body}");
    };
    assert_eq!(multiget.hrefs, ["/cal/user/1.ics", "/cal/user/a%20b.ics"]);
    assert_eq!(
        multiget.data.properties,
        listed(&[
            Property::GetEtag,
            Property::CalendarData,
            Property::CreatedBy,
            Property::UpdatedBy
        ])
    );
    assert!(multiget.data.calendar_data.is_some());
    let body = r#"<CARD:addressbook-multiget xmlns="DAV:" xmlns:CARD="urn:ietf:params:xml:ns:carddav"><prop><getcontenttype/><getetag/><CARD:address-data content-type="text/vcard" version="4.0"/></prop><href>/book/1.vcf</href></CARD:addressbook-multiget>"#;
    assert!(
        matches!(parse(body), Ok(Report::AddressbookMultiget(multiget)) if multiget.data.address_data.is_some())
    );
    let body = "<calendar-multiget xmlns='urn:ietf:params:xml:ns:caldav'/>";
    assert_eq!(parse(body).unwrap_err().status(), 400);
}

#[test]
fn a_multiget_of_as_many_addresses_as_are_taken() {
    let body = |count| {
        format!(
            "<calendar-multiget xmlns='urn:ietf:params:xml:ns:caldav' xmlns:D='DAV:'>{}</calendar-multiget>",
            "<D:href>/cal/user/work/0123456789.ics</D:href>".repeat(count)
        )
    };
    let Ok(Report::CalendarMultiget(multiget)) = parse(&body(20_000)) else {
        panic!("refused");
    };
    assert_eq!(multiget.hrefs.len(), 20_000);
    assert_eq!(parse(&body(20_001)).unwrap_err().status(), 413);
}

#[test]
fn busy_times_in_one_span() {
    let body = |inner: &str| {
        format!(
            "<C:free-busy-query xmlns:C='urn:ietf:params:xml:ns:caldav'>{inner}</C:free-busy-query>"
        )
    };
    let span = "<C:time-range start='20060104T140000Z' end='20060105T220000Z'/>";
    let Ok(Report::FreeBusyQuery(query)) = parse(&body(span)) else {
        panic!("refused");
    };
    assert_eq!(
        query.time_range.end().unwrap().icalendar().to_string(),
        "20060105T220000Z"
    );
    for inner in ["", &format!("{span}{span}"), "<C:time-range/>"] {
        assert_eq!(parse(&body(inner)).unwrap_err().status(), 400, "{inner}");
    }
}

#[test]
fn principals_by_property_as_macos_searches_them() {
    let body = r#"<A:principal-property-search xmlns:A="DAV:" test="anyof" type="INDIVIDUAL"><A:property-search><A:prop><A:displayname/></A:prop><A:match match-type="starts-with" caseless="yes">Jö</A:match></A:property-search><A:property-search><A:prop><C:email-address-set xmlns:C="http://calendarserver.org/ns/"/></A:prop><A:match>jo</A:match></A:property-search><A:apply-to-principal-collection-set/><C:limit xmlns:C="http://calendarserver.org/ns/"><C:nresults>20</C:nresults></C:limit><A:prop><A:principal-URL/></A:prop></A:principal-property-search>"#;
    let Ok(Report::PrincipalPropertySearch(search)) = parse(body) else {
        panic!("refused");
    };
    assert_eq!((search.test, search.limit), (Test::AnyOf, Some(20)));
    assert_eq!(search.kind.as_deref(), Some("INDIVIDUAL"));
    assert!(search.in_principal_collections);
    assert_eq!(search.data.properties, listed(&[Property::PrincipalUrl]));
    let found: Vec<_> = search
        .searches
        .iter()
        .map(|one| (one.text.as_str(), one.match_type))
        .collect();
    assert_eq!(
        found,
        [("Jö", MatchType::StartsWith), ("jo", MatchType::Contains)]
    );
    assert_eq!(
        search.searches[1].properties,
        [Property::EmailAddressSet.into()]
    );
}

#[test]
fn other_reports_on_principals() {
    let cs = "http://calendarserver.org/ns/";
    let body = format!(
        "<C:calendarserver-principal-search xmlns:C='{cs}' context='attendee'><C:search-token>jo</C:search-token><C:search-token>mü</C:search-token></C:calendarserver-principal-search>"
    );
    assert!(
        matches!(parse(&body), Ok(Report::PrincipalSearch(search)) if search.tokens == ["jo", "mü"])
    );
    let body = "<principal-match xmlns='DAV:'><self/><prop><owner/></prop></principal-match>";
    assert!(
        matches!(parse(body), Ok(Report::PrincipalMatch(found)) if found.by == PrincipalSelf::Principal)
    );
    let body = "<principal-match xmlns='DAV:'><principal-property><owner/></principal-property></principal-match>";
    assert!(
        matches!(parse(body), Ok(Report::PrincipalMatch(found)) if found.by == PrincipalSelf::Property(Property::Owner.into()))
    );
    assert_eq!(
        parse("<principal-search-property-set xmlns='DAV:'/>"),
        Ok(Report::PrincipalSearchPropertySet)
    );
    let body =
        "<acl-principal-prop-set xmlns='DAV:'><prop><displayname/></prop></acl-principal-prop-set>";
    assert!(
        matches!(parse(body), Ok(Report::AclPrincipalPropSet(data)) if data.properties == listed(&[Property::DisplayName]))
    );
}

#[test]
fn properties_that_are_expanded_nest() {
    let body = r#"<A:expand-property xmlns:A="DAV:"><A:property name="calendar-proxy-write-for" namespace="http://calendarserver.org/ns/"><A:property name="displayname"/><A:property name="x" namespace="urn:x"/></A:property><A:property name="group-membership"/></A:expand-property>"#;
    let Ok(Report::ExpandProperty(properties)) = parse(body) else {
        panic!("refused");
    };
    assert_eq!(properties[0].name, Property::CalendarProxyWriteFor.into());
    let inner: Vec<_> = properties[0]
        .properties
        .iter()
        .map(|inner| inner.name.local())
        .collect();
    assert_eq!(inner, ["displayname", "x"]);
    assert_eq!(properties[1].name, Property::GroupMembership.into());
    for body in [
        "<expand-property xmlns='DAV:'><property/></expand-property>",
        "<expand-property xmlns='DAV:'><property name='a b'/></expand-property>",
    ] {
        assert_eq!(parse(body).unwrap_err().status(), 400);
    }
}

#[test]
fn a_report_nobody_knows_is_not_supported() {
    for body in [
        "<version-tree xmlns='DAV:'/>",
        "<sync-collection/>",
        "<x:y xmlns:x='urn:x'/>",
    ] {
        let error = parse(body).unwrap_err();
        assert_eq!(
            error.condition(),
            Some(Condition::SupportedReport),
            "{body}"
        );
    }
}
