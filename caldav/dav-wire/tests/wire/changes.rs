//! Bodies that change something: PROPPATCH, MKCOL, MKCALENDAR, LOCK, ACL, and what is posted.

use dav_wire::request::{
    Ace, AcePrincipal, Acl, CalendarServerPost, Change, InviteReply, LockInfo, LockScope,
    MakeCollection, PropertyUpdate, ShareAccess, ShareChange,
};
use dav_wire::{
    Condition, ElementName, Limits, Namespace, Privilege, Property, ResourceType, XmlWriter,
};

#[test]
fn ios_makes_a_calendar() {
    let body = r##"<?xml version="1.0" encoding="UTF-8"?>
<B:mkcalendar xmlns:B="urn:ietf:params:xml:ns:caldav"><A:set xmlns:A="DAV:"><A:prop>
<D:calendar-color xmlns:D="http://apple.com/ns/ical/" symbolic-color="custom">#FF2968FF</D:calendar-color>
<D:calendar-order xmlns:D="http://apple.com/ns/ical/">7</D:calendar-order>
<A:displayname>Privat ü &amp; Co</A:displayname>
<B:supported-calendar-component-set><B:comp name="vevent"/></B:supported-calendar-component-set>
<B:schedule-calendar-transp><B:transparent/></B:schedule-calendar-transp>
</A:prop></A:set></B:mkcalendar>"##;
    let made = MakeCollection::parse_mkcalendar(body.as_bytes(), &Limits::default()).unwrap();
    let names: Vec<_> = made
        .properties
        .iter()
        .map(|set| set.name.known().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            Property::CalendarColor,
            Property::CalendarOrder,
            Property::DisplayName,
            Property::SupportedCalendarComponentSet,
            Property::ScheduleCalendarTransp,
        ]
    );
    assert_eq!(
        made.properties[0].value.as_str(),
        r##"<D:calendar-color xmlns:D="http://apple.com/ns/ical/" symbolic-color="custom">#FF2968FF</D:calendar-color>"##
    );
    assert_eq!(made.properties[2].text().unwrap(), "Privat ü & Co");
    assert_eq!(made.properties[3].components().unwrap(), ["VEVENT"]);
    assert!(
        made.properties[4]
            .has_child(Namespace::CalDav, "transparent")
            .unwrap()
    );
    assert!(
        !made.properties[4]
            .has_child(Namespace::CalDav, "opaque")
            .unwrap()
    );
}

#[test]
fn macos_makes_an_address_book() {
    let body = r#"<D:mkcol xmlns:D="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><D:set><D:prop><D:resourcetype><D:collection/><A:addressbook/><A:other/></D:resourcetype><D:displayname>Kontakte</D:displayname></D:prop></D:set></D:mkcol>"#;
    let made = MakeCollection::parse_mkcol(body.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(
        made.properties[0].resource_types().unwrap(),
        [
            Some(ResourceType::Collection),
            Some(ResourceType::Addressbook),
            None
        ]
    );
}

#[test]
fn a_plain_mkcol_has_no_body_and_any_other_is_unsupported() {
    let limits = Limits::default();
    assert!(MakeCollection::is_mkcol(b"", &limits));
    assert!(MakeCollection::is_mkcol(
        b"<mkcol xmlns='DAV:'><oops",
        &limits
    ));
    assert!(!MakeCollection::is_mkcol(b"afafafaf", &limits));
    assert!(!MakeCollection::is_mkcol(b"<mkcol/>", &limits));
    assert_eq!(
        MakeCollection::parse_mkcol(b"", &limits)
            .unwrap()
            .properties,
        []
    );
}

#[test]
fn changes_keep_their_order_and_dead_values() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
<D:propertyupdate xmlns:D="DAV:" xmlns:Z="http://ns.example.test/z" xml:lang="de">
<D:set><D:prop><Z:Authors><Z:Author>Jörg</Z:Author> <Z:Author/></Z:Authors></D:prop></D:set>
<D:remove><D:prop><Z:Copyright-Owner/><D:displayname/></D:prop></D:remove>
<D:set><D:prop><prop0 xmlns="">value</prop0></D:prop></D:set>
</D:propertyupdate>"#;
    let update = PropertyUpdate::parse(body.as_bytes(), &Limits::default()).unwrap();
    let told: Vec<_> = update
        .changes
        .iter()
        .map(|change| match change {
            Change::Set(set) => set.value.as_str().to_owned(),
            Change::Remove(name) => format!("-{{{}}}{}", name.namespace(), name.local()),
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"<Z:Authors xmlns:Z="http://ns.example.test/z" xml:lang="de"><Z:Author>Jörg</Z:Author> <Z:Author/></Z:Authors>"#,
            "-{http://ns.example.test/z}Copyright-Owner",
            "-{DAV:}displayname",
            r#"<prop0 xml:lang="de" xmlns="">value</prop0>"#,
        ]
    );
    for body in ["<propertyupdate xmlns='DAV:'/>", "<propertyupdate/>", ""] {
        assert!(PropertyUpdate::parse(body.as_bytes(), &Limits::default()).is_err());
    }
}

#[test]
fn a_lock_has_a_scope_and_an_owner() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?><D:lockinfo xmlns:D='DAV:'><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>http://example.test/~me</D:href></D:owner></D:lockinfo>"#;
    let lock = LockInfo::parse(body.as_bytes(), &Limits::default())
        .unwrap()
        .unwrap();
    assert_eq!(lock.scope, LockScope::Shared);
    assert_eq!(
        lock.owner.unwrap().as_str(),
        r#"<D:owner xmlns:D="DAV:"><D:href>http://example.test/~me</D:href></D:owner>"#
    );
    assert_eq!(LockInfo::parse(b"", &Limits::default()), Ok(None));
    for body in [
        "<lockinfo xmlns='DAV:'><lockscope><exclusive/></lockscope></lockinfo>",
        "<lockinfo xmlns='DAV:'><locktype><write/></locktype></lockinfo>",
        "<lock xmlns='DAV:'/>",
    ] {
        assert!(
            LockInfo::parse(body.as_bytes(), &Limits::default()).is_err(),
            "{body}"
        );
    }
}

#[test]
fn access_control_entries_are_written_as_they_are_read() {
    let ace = |principal, is_grant, privileges: &[Privilege]| Ace {
        principal,
        is_inverted: false,
        is_grant,
        privileges: privileges.to_vec(),
        is_protected: false,
        inherited_from: None,
    };
    let mut inverted = ace(AcePrincipal::Unauthenticated, false, &[Privilege::All]);
    inverted.is_inverted = true;
    let mut inherited = ace(AcePrincipal::OneSelf, true, &[Privilege::ReadAcl]);
    (inherited.is_protected, inherited.inherited_from) = (true, Some("/top/".to_owned()));
    let aces = vec![
        ace(
            AcePrincipal::Href("/principals/a&b/".to_owned()),
            true,
            &[Privilege::Read, Privilege::ReadFreeBusy],
        ),
        ace(
            AcePrincipal::Property(Property::Owner.into()),
            true,
            &[Privilege::Write],
        ),
        ace(AcePrincipal::All, false, &[Privilege::Unlock]),
        ace(
            AcePrincipal::Authenticated,
            true,
            &[Privilege::ScheduleDeliver],
        ),
        inverted,
        inherited,
    ];
    let body = XmlWriter::document(ElementName::dav("acl"), |writer| {
        aces.iter().for_each(|ace| ace.write(writer));
    });
    assert_eq!(Acl::parse(&body, &Limits::default()), Ok(Acl { aces }));
}

#[test]
fn entries_that_are_not_supported_name_the_precondition() {
    let grant = "<grant><privilege><read/></privilege></grant>";
    for (ace, condition) in [
        (
            format!("<principal><everybody/></principal>{grant}"),
            Some(Condition::RecognizedPrincipal),
        ),
        (
            "<principal><all/></principal><grant><privilege><fly/></privilege></grant>".to_owned(),
            Some(Condition::NotSupportedPrivilege),
        ),
        ("<principal><all/></principal><grant/>".to_owned(), None),
        (grant.to_owned(), None),
    ] {
        let body = format!("<acl xmlns='DAV:'><ace>{ace}</ace></acl>");
        let error = Acl::parse(body.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(error.condition(), condition, "{ace}");
    }
}

#[test]
fn sharing_and_answers() {
    let limits = Limits::default();
    let body = r#"<CS:share xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/"><CS:set><D:href>mailto:b@example.test</D:href><CS:common-name>B</CS:common-name><CS:summary>Work</CS:summary><CS:read-write/></CS:set><CS:remove><D:href>mailto:c@example.test</D:href></CS:remove></CS:share>"#;
    let expected = CalendarServerPost::Share(vec![
        ShareChange::Set {
            href: "mailto:b@example.test".to_owned(),
            common_name: Some("B".to_owned()),
            summary: Some("Work".to_owned()),
            access: ShareAccess::ReadWrite,
        },
        ShareChange::Remove {
            href: "mailto:c@example.test".to_owned(),
        },
    ]);
    assert_eq!(
        CalendarServerPost::parse(body.as_bytes(), &limits),
        Ok(expected)
    );
    let body = r#"<invite-reply xmlns="http://calendarserver.org/ns/" xmlns:D="DAV:"><D:href>mailto:b@example.test</D:href><invite-accepted/><hosturl><D:href>/cal/a/</D:href></hosturl><in-reply-to>1</in-reply-to></invite-reply>"#;
    let expected = CalendarServerPost::InviteReply(InviteReply {
        href: Some("mailto:b@example.test".to_owned()),
        is_accepted: true,
        host_url: Some("/cal/a/".to_owned()),
        in_reply_to: Some("1".to_owned()),
        summary: None,
    });
    assert_eq!(
        CalendarServerPost::parse(body.as_bytes(), &limits),
        Ok(expected)
    );
    let body = b"<publish-calendar xmlns='http://calendarserver.org/ns/'/>";
    assert_eq!(
        CalendarServerPost::parse(body, &limits),
        Ok(CalendarServerPost::Publish)
    );
    for body in [
        "<share xmlns='http://calendarserver.org/ns/'><set><read/></set></share>",
        "<x/>",
    ] {
        assert!(CalendarServerPost::parse(body.as_bytes(), &limits).is_err());
    }
}
