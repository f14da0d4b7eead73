//! PROPFIND bodies as clients send them.

use dav_wire::request::{Propfind, RequestedProperties};
use dav_wire::{Limits, Property, PropertyName};

fn parse(body: &str) -> RequestedProperties {
    let propfind = Propfind::parse(body.as_bytes(), &Limits::default());
    propfind.unwrap().properties
}

fn listed(body: &str, expected: &[Property]) {
    let names: Vec<_> = expected.iter().copied().map(PropertyName::from).collect();
    assert_eq!(parse(body), RequestedProperties::Listed(names), "{body}");
}

#[test]
fn ios_asks_for_principals_with_prefixes_of_its_own() {
    listed(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<A:propfind xmlns:A="DAV:">
  <A:prop>
    <B:calendar-home-set xmlns:B="urn:ietf:params:xml:ns:caldav"/>
    <B:calendar-user-address-set xmlns:B="urn:ietf:params:xml:ns:caldav"/>
    <A:current-user-principal/>
    <A:displayname/>
    <C:dropbox-home-URL xmlns:C="http://calendarserver.org/ns/"/>
    <C:email-address-set xmlns:C="http://calendarserver.org/ns/"/>
    <C:notification-URL xmlns:C="http://calendarserver.org/ns/"/>
    <A:principal-collection-set/>
    <A:principal-URL/>
    <A:resource-id/>
    <B:schedule-inbox-URL xmlns:B="urn:ietf:params:xml:ns:caldav"/>
    <B:schedule-outbox-URL xmlns:B="urn:ietf:params:xml:ns:caldav"/>
    <A:supported-report-set/>
  </A:prop>
</A:propfind>"#,
        &[
            Property::CalendarHomeSet,
            Property::CalendarUserAddressSet,
            Property::CurrentUserPrincipal,
            Property::DisplayName,
            Property::DropboxHomeUrl,
            Property::EmailAddressSet,
            Property::NotificationUrl,
            Property::PrincipalCollectionSet,
            Property::PrincipalUrl,
            Property::ResourceId,
            Property::ScheduleInboxUrl,
            Property::ScheduleOutboxUrl,
            Property::SupportedReportSet,
        ],
    );
}

#[test]
fn thunderbird_davx5_and_evolution_declare_all_at_the_root() {
    listed(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<D:propfind xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:resourcetype/><D:owner/><D:current-user-principal/><D:current-user-privilege-set/><D:supported-report-set/><C:supported-calendar-component-set/><CS:getctag/></D:prop></D:propfind>"#,
        &[
            Property::ResourceType,
            Property::Owner,
            Property::CurrentUserPrincipal,
            Property::CurrentUserPrivilegeSet,
            Property::SupportedReportSet,
            Property::SupportedCalendarComponentSet,
            Property::GetCtag,
        ],
    );
    listed(
        r#"<?xml version='1.0' encoding='UTF-8' ?><propfind xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav" xmlns:CARD="urn:ietf:params:xml:ns:carddav"><prop><resourcetype /><displayname /><CARD:addressbook-description /><CAL:calendar-timezone-id /><n0:calendar-color xmlns:n0="http://apple.com/ns/ical/" /><n1:source xmlns:n1="http://calendarserver.org/ns/" /></prop></propfind>"#,
        &[
            Property::ResourceType,
            Property::DisplayName,
            Property::AddressbookDescription,
            Property::CalendarTimezoneId,
            Property::CalendarColor,
            Property::Source,
        ],
    );
}

#[test]
fn vdirsyncer_asks_with_a_byte_of_white_space_before() {
    listed(
        "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n            <propfind xmlns=\"DAV:\">\n                <prop>\n                    <current-user-principal/>\n                </prop>\n            </propfind>\n            ",
        &[Property::CurrentUserPrincipal],
    );
}

#[test]
fn an_empty_body_asks_for_everything() {
    assert_eq!(parse(""), RequestedProperties::All(Vec::new()));
    assert_eq!(
        parse("<propfind xmlns='DAV:'><allprop/><include><acl/></include></propfind>"),
        RequestedProperties::All(vec![Property::Acl.into()])
    );
    assert_eq!(
        parse("<propfind xmlns='DAV:'><propname/></propfind>"),
        RequestedProperties::Names
    );
}

#[test]
fn elements_nobody_knows_are_passed_over() {
    assert_eq!(
        parse(
            "<propfind xmlns='DAV:' x='y'>text<e:expired-props xmlns:e='urn:e'><a><prop/></a></e:expired-props><propname/></propfind>"
        ),
        RequestedProperties::Names
    );
}

#[test]
fn a_name_of_no_table_keeps_its_namespace() {
    let properties = parse(
        "<propfind xmlns='DAV:'><prop><x:getetag xmlns:x='urn:a&amp;b'/><y xmlns=''/></prop></propfind>",
    );
    let names = [("urn:a&b", "getetag"), ("", "y")];
    let names = names.map(|(namespace, local)| PropertyName::new(namespace, local).unwrap());
    assert_eq!(properties, RequestedProperties::Listed(names.to_vec()));
}

#[test]
fn a_body_that_asks_for_nothing_is_refused() {
    for body in [
        "<propfind xmlns='DAV:'/>",
        "<propfind/>",
        "<prop xmlns='DAV:'/>",
        "<propfind xmlns='DAV:'><propname/><allprop/></propfind>",
    ] {
        let error = Propfind::parse(body.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(error.status(), 400, "{body}");
    }
}
