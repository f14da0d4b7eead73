//! Queries with filters, as clients send them, and filters that are not valid.

use dav_wire::request::{
    AddressTest, CalendarQuery, Collation, CompTest, ParamTest, PropTest, Recurrences, Report,
    Selection, Test, VcardVersion,
};
use dav_wire::{BodyError, Condition, Limits, TimeRange, UtcTime};

fn parse(body: &str) -> Result<Report, BodyError> {
    Report::parse(body.as_bytes(), &Limits::default())
}

fn calendar_query(prop: &str, filter: &str) -> String {
    format!(
        "<C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop>{prop}</D:prop>\
        <C:filter>{filter}</C:filter></C:calendar-query>"
    )
}

fn events(inner: &str) -> String {
    let filter = format!(
        "<C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"vevent\">{inner}</C:comp-filter></C:comp-filter>"
    );
    calendar_query("<D:getetag/>", &filter)
}

fn query(body: &str) -> CalendarQuery {
    match parse(body).unwrap() {
        Report::CalendarQuery(query) => query,
        other => panic!("{other:?}"),
    }
}

fn range(start: &str, end: &str) -> TimeRange {
    let time = UtcTime::parse_icalendar;
    TimeRange::new(time(start), time(end)).unwrap()
}

#[test]
fn a_span_of_events_as_ios_and_davx5_ask_for_it() {
    let query = query(&events(
        "<C:time-range start=\"20260312T000000Z\" end=\"20260313T000000Z\"/>",
    ));
    let CompTest::Matches {
        components,
        time_range: None,
        ..
    } = &query.filter.test
    else {
        panic!("{query:?}");
    };
    assert_eq!(components[0].name, "VEVENT");
    let expected = CompTest::Matches {
        test: Test::AllOf,
        time_range: Some(range("20260312T000000Z", "20260313T000000Z")),
        properties: Vec::new(),
        components: Vec::new(),
    };
    assert_eq!(components[0].test, expected);
}

#[test]
fn the_full_filter_of_rfc_4791() {
    let query = query(&events(
        "<C:prop-filter name=\"ATTENDEE\"><C:text-match collation=\"i;octet\" negate-condition=\"yes\">\
        mailto:a@example.test</C:text-match><C:param-filter name=\"PARTSTAT\"><C:text-match>NEEDS-ACTION\
        </C:text-match></C:param-filter><C:param-filter name=\"RSVP\"><C:is-not-defined/></C:param-filter>\
        </C:prop-filter><C:prop-filter name=\"X-A\"><C:is-not-defined/></C:prop-filter>\
        <C:prop-filter name=\"DTSTART\"><C:time-range start=\"20260312T000000Z\"/></C:prop-filter>\
        <C:comp-filter name=\"VALARM\"><C:is-not-defined/></C:comp-filter>",
    ));
    let CompTest::Matches { components, .. } = &query.filter.test else {
        panic!("{query:?}");
    };
    let CompTest::Matches {
        properties,
        components,
        ..
    } = &components[0].test
    else {
        panic!("{query:?}");
    };
    assert_eq!(components[0].test, CompTest::IsNotDefined);
    assert_eq!(properties[1].test, PropTest::IsNotDefined);
    let PropTest::Matches {
        time_range: Some(open),
        ..
    } = &properties[2].test
    else {
        panic!("{query:?}");
    };
    assert_eq!(open.end(), None);
    let PropTest::Matches {
        text: Some(text),
        parameters,
        ..
    } = &properties[0].test
    else {
        panic!("{query:?}");
    };
    assert_eq!(text.collation, Collation::Octet);
    assert!(text.matches("mailto:A@example.test") && !text.matches("mailto:a@example.test"));
    let ParamTest::Text(text) = &parameters[0].test else {
        panic!("{query:?}");
    };
    assert!(text.matches("needs-action"));
    assert_eq!(parameters[1].test, ParamTest::IsNotDefined);
}

#[test]
fn the_extended_query_of_calendarserver() {
    let query = query(&calendar_query(
        "",
        "<C:comp-filter name=\"VCALENDAR\" test=\"anyof\"><C:comp-filter name=\"VEVENT\"><C:prop-filter \
        name=\"SUMMARY\" test=\"allof\"><C:text-match match-type=\"starts-with\" collation=\"i;unicode-casemap\">Ü\
        </C:text-match></C:prop-filter></C:comp-filter><C:comp-filter name=\"VTODO\"/></C:comp-filter>",
    ));
    let CompTest::Matches {
        test: Test::AnyOf,
        components,
        ..
    } = &query.filter.test
    else {
        panic!("{query:?}");
    };
    assert_eq!(components.len(), 2);
}

/// Each of these breaks the precondition.
fn break_condition(bodies: &[String], condition: Condition) {
    for body in bodies {
        let error = parse(body).unwrap_err();
        assert_eq!(error.condition(), Some(condition), "{body}");
        assert_eq!(error.status(), 403, "{body}");
    }
}

#[test]
fn filters_of_components_that_are_not_valid_name_the_precondition() {
    let calendar = |inner: &str| {
        let filter = format!("<C:comp-filter name=\"VCALENDAR\">{inner}</C:comp-filter>");
        calendar_query("", &filter)
    };
    let bodies = [
        "<calendar-query xmlns=\"urn:ietf:params:xml:ns:caldav\"/>".to_owned(),
        calendar_query("", ""),
        calendar_query("", "<C:comp-filter/>"),
        calendar_query("", "<C:comp-filter name=\"VEVENT\"/>"),
        calendar("").replace(
            "</C:filter>",
            "<C:comp-filter name=\"VCALENDAR\"/></C:filter>",
        ),
        calendar("<C:time-range start=\"20260312T000000Z\"/>"),
        events("<C:comp-filter name=\"VTODO\"/>"),
        events("<C:comp-filter name=\"VCALENDAR\"/>"),
        events("<C:is-not-defined/><C:prop-filter name=\"UID\"/>"),
        events("<C:time-range/>"),
        events("<C:time-range start=\"20260312T000000\"/>"),
        events("<C:time-range start=\"20260312\" end=\"20260313\"/>"),
        events("<C:time-range start=\"20260313T000000Z\" end=\"20260312T000000Z\"/>"),
        events("<C:time-range start=\"20260313T000000Z\" end=\"20260313T000000Z\"/>"),
    ];
    break_condition(&bodies, Condition::ValidFilter);
}

#[test]
fn filters_of_properties_that_are_not_valid_name_the_precondition() {
    let property = |name: &str, inner: &str| {
        let filter = format!("<C:prop-filter name=\"{name}\">{inner}</C:prop-filter>");
        events(&filter)
    };
    let span = "<C:time-range start=\"20260312T000000Z\"/>";
    let text = "<C:text-match>x</C:text-match>";
    let bodies = [
        property("SUMMARY", span),
        property("DUE", &format!("{span}{text}")),
        property("UID", &format!("{text}{text}")),
        property("UID", &format!("<C:is-not-defined/>{text}")),
        property(
            "UID",
            "<C:text-match negate-condition=\"maybe\">x</C:text-match>",
        ),
        property("UID", "<C:text-match match-type=\"near\">x</C:text-match>"),
        events("<C:prop-filter name=\"UID\" test=\"some\"/>"),
        events("<C:prop-filter name=\"\"/>"),
    ];
    break_condition(&bodies, Condition::ValidFilter);
    let bodies = ["i;unknown", "i;*", ""].map(|name| {
        let text = format!("<C:text-match collation=\"{name}\">x</C:text-match>");
        property("UID", &text)
    });
    break_condition(&bodies, Condition::CalendarSupportedCollation);
}

#[test]
fn collations_by_default_and_by_name() {
    for (attribute, expected) in [
        ("", Collation::AsciiCasemap),
        ("collation=\"default\"", Collation::AsciiCasemap),
        ("collation=\"i;octet\"", Collation::Octet),
        ("collation=\"i;unicode-casemap\"", Collation::UnicodeCasemap),
    ] {
        let body = events(&format!(
            "<C:prop-filter name=\"UID\"><C:text-match {attribute}>x</C:text-match></C:prop-filter>"
        ));
        assert!(
            format!("{:?}", query(&body)).contains(&format!("{expected:?}")),
            "{attribute}"
        );
    }
}

#[test]
fn parts_of_objects() {
    let all = "<C:comp-filter name=\"VCALENDAR\"/>";
    let body = calendar_query(
        "<C:calendar-data><C:comp name=\"VCALENDAR\"><C:prop name=\"VERSION\"/><C:comp name=\"VEVENT\">\
        <C:prop name=\"summary\" novalue=\"yes\"/><C:allcomp/></C:comp><C:comp name=\"VTIMEZONE\"/></C:comp>\
        <C:expand start=\"20260312T000000Z\" end=\"20260313T000000Z\"/>\
        <C:limit-freebusy-set start=\"20260312T000000Z\" end=\"20260313T000000Z\"/></C:calendar-data>",
        all,
    );
    let data = query(&body).data.calendar_data.unwrap();
    let span = range("20260312T000000Z", "20260313T000000Z");
    assert_eq!(data.recurrences, Some(Recurrences::Expand(span)));
    assert_eq!(data.free_busy, Some(span));
    let Selection::Listed(components) = data.component.unwrap().components else {
        panic!("{body}");
    };
    let Selection::Listed(properties) = &components[0].properties else {
        panic!("{body}");
    };
    assert_eq!(
        (properties[0].name.as_str(), properties[0].without_value),
        ("SUMMARY", true)
    );
    assert_eq!(components[0].components, Selection::All);
    // One that says nothing is wanted whole.
    assert_eq!(
        (&components[1].properties, &components[1].components),
        (&Selection::All, &Selection::All)
    );

    let plain = query(&calendar_query("<C:calendar-data/>", all));
    assert_eq!(plain.data.calendar_data, Some(Default::default()));
    assert_eq!(
        query(&calendar_query("<D:getetag/>", all))
            .data
            .calendar_data,
        None
    );

    for (prop, condition) in [
        (
            "<C:calendar-data content-type=\"application/calendar+json\"/>",
            Some(Condition::SupportedCalendarData),
        ),
        (
            "<C:calendar-data content-type=\"text/calendar\" version=\"1.0\"/>",
            Some(Condition::SupportedCalendarData),
        ),
        (
            "<C:calendar-data><C:expand start=\"20260312T000000Z\"/></C:calendar-data>",
            None,
        ),
        (
            "<C:calendar-data><C:comp name=\"VEVENT\"/></C:calendar-data>",
            None,
        ),
    ] {
        assert_eq!(
            parse(&calendar_query(prop, all)).unwrap_err().condition(),
            condition,
            "{prop}"
        );
    }
}

#[test]
fn the_zone_of_floating_times() {
    let body = |zone: &str| {
        calendar_query("", "<C:comp-filter name=\"VCALENDAR\"/>")
            .replace("</C:filter>", &format!("</C:filter>{zone}"))
    };
    let zone = "<C:timezone><![CDATA[BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n]]></C:timezone>";
    let name = "<C:timezone-id> Europe/Berlin </C:timezone-id>";
    assert_eq!(
        query(&body(zone)).timezone.unwrap(),
        "BEGIN:VCALENDAR\nEND:VCALENDAR\n"
    );
    assert_eq!(query(&body(name)).timezone_id.unwrap(), "Europe/Berlin");
    assert!(parse(&body(&format!("{zone}{name}"))).is_err());
}

#[test]
fn too_many_filters_are_refused() {
    let filters = "<C:prop-filter name=\"UID\"/>".repeat(256);
    assert_eq!(parse(&events(&filters)).unwrap_err().status(), 413);
}

fn address_query(prop: &str, rest: &str) -> String {
    format!(
        "<CR:addressbook-query xmlns:D=\"DAV:\" xmlns:CR=\"urn:ietf:params:xml:ns:carddav\"><D:prop>{prop}</D:prop>\
        {rest}</CR:addressbook-query>"
    )
}

#[test]
fn cards_by_name_and_mail() {
    let body = address_query(
        "<CR:address-data content-type=\"text/vcard\" version=\"4.0\"><CR:prop name=\"FN\"/></CR:address-data>",
        "<CR:filter test=\"allof\"><CR:prop-filter name=\"FN\"><CR:text-match match-type=\"contains\">müller\
        </CR:text-match><CR:text-match match-type=\"ends-with\">x</CR:text-match></CR:prop-filter>\
        <CR:prop-filter name=\"item1.email\" test=\"allof\"><CR:param-filter name=\"type\"><CR:text-match \
        match-type=\"equals\">home</CR:text-match></CR:param-filter></CR:prop-filter><CR:prop-filter name=\"NOTE\">\
        <CR:is-not-defined/></CR:prop-filter></CR:filter><CR:limit><CR:nresults>50</CR:nresults></CR:limit>",
    );
    let Report::AddressbookQuery(query) = parse(&body).unwrap() else {
        panic!("{body}");
    };
    assert_eq!((query.limit, query.filter.test), (Some(50), Test::AllOf));
    let data = query.data.address_data.unwrap();
    assert_eq!(data.version, Some(VcardVersion::V4));
    let [name, mail, note] = &query.filter.properties[..] else {
        panic!("{body}");
    };
    let AddressTest::Matches {
        test: Test::AnyOf,
        texts,
        ..
    } = &name.test
    else {
        panic!("{body}");
    };
    assert!(texts[0].matches("Jörg MÜLLER") && !texts[1].matches("Jörg MÜLLER"));
    assert_eq!(
        (mail.group.as_deref(), mail.name.as_str()),
        (Some("ITEM1"), "EMAIL")
    );
    assert!(
        matches!(&mail.test, AddressTest::Matches { test: Test::AllOf, parameters, .. } if parameters.len() == 1)
    );
    assert_eq!(note.test, AddressTest::IsNotDefined);
}

#[test]
fn queries_for_cards_that_are_not_supported() {
    for (prop, rest, condition) in [
        (
            "<CR:address-data version=\"2.1\"/>",
            "",
            Condition::SupportedAddressData,
        ),
        (
            "<CR:address-data content-type=\"text/plain\"/>",
            "",
            Condition::SupportedAddressData,
        ),
        (
            "",
            "<CR:filter><CR:prop-filter name=\"FN\"><CR:text-match collation=\"x\">a</CR:text-match></CR:prop-filter></CR:filter>",
            Condition::AddressbookSupportedCollation,
        ),
        (
            "",
            "<CR:filter><CR:prop-filter name=\"FN\"><CR:text-match match-type=\"x\">a</CR:text-match></CR:prop-filter></CR:filter>",
            Condition::AddressbookSupportedFilter,
        ),
    ] {
        let error = parse(&address_query(prop, rest)).unwrap_err();
        assert_eq!(error.condition(), Some(condition), "{prop}{rest}");
    }
    let body = address_query("", "<CR:limit><CR:nresults>+1</CR:nresults></CR:limit>");
    assert_eq!(parse(&body).unwrap_err().status(), 400);
}
