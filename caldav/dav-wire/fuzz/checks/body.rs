//! What must hold for every body that is read. Called by the fuzz target and by a smoke test.

use dav_wire::request::{
    Acl, CalendarServerPost, Change, CompFilter, CompTest, LockInfo, MakeCollection,
    PropertyUpdate, PropertyValue, Propfind, Report, RequestedProperties,
};
use dav_wire::{BodyError, Fragment, Href, Limits, PropertyName};

/// Reads the input as every kind of body.
pub(crate) fn check(input: &[u8]) {
    let limits = Limits::default();
    if let Ok(propfind) = position(input, Propfind::parse(input, &limits))
        && let RequestedProperties::Listed(names) = &propfind.properties
    {
        names.iter().for_each(name);
    }
    if let Ok(update) = position(input, PropertyUpdate::parse(input, &limits)) {
        for change in &update.changes {
            match change {
                Change::Set(set) => value(set),
                Change::Remove(removed) => name(removed),
            }
        }
    }
    for made in [
        MakeCollection::parse_mkcol(input, &limits),
        MakeCollection::parse_mkcalendar(input, &limits),
    ] {
        if let Ok(made) = position(input, made) {
            made.properties.iter().for_each(value);
        }
    }
    if let Ok(Some(lock)) = position(input, LockInfo::parse(input, &limits))
        && let Some(owner) = &lock.owner
    {
        fragment(owner);
    }
    let _ = position(input, Acl::parse(input, &limits));
    let _ = position(input, CalendarServerPost::parse(input, &limits));
    match position(input, Report::parse(input, &limits)) {
        Ok(Report::CalendarQuery(query)) => {
            assert_eq!(query.filter.name, "VCALENDAR");
            filter(&query.filter);
        }
        Ok(Report::CalendarMultiget(multiget) | Report::AddressbookMultiget(multiget)) => {
            multiget.hrefs.iter().for_each(|text| href(text));
        }
        _ => {}
    }
}

/// A fault lies within the body; in UTF-16 a character may be longer in the text it is read as.
fn position<T>(input: &[u8], result: Result<T, BodyError>) -> Result<T, BodyError> {
    if let Err(error) = &result {
        assert!(error.at <= 2 * input.len(), "{error}");
        assert!(error.status().is_client_error());
    }
    result
}

/// A name leads back to itself.
fn name(name: &PropertyName) {
    let again = PropertyName::new(name.namespace(), name.local());
    assert_eq!(again.as_ref(), Some(name));
}

fn value(value: &PropertyValue) {
    name(&value.name);
    fragment(&value.value);
    value.text().expect("a fragment can be read");
    value.hrefs().expect("a fragment can be read");
    value.components().expect("a fragment can be read");
    value.resource_types().expect("a fragment can be read");
}

/// A fragment reads back as the same octets.
fn fragment(fragment: &Fragment) {
    let limits = Limits {
        body_bytes_max: usize::MAX,
        attributes_max: usize::MAX,
        attribute_bytes_max: usize::MAX,
        fragment_bytes_max: usize::MAX,
        ..Limits::default()
    };
    let again = Fragment::parse(fragment.as_str(), &limits).expect("our own XML is valid");
    assert_eq!(again.as_str(), fragment.as_str());
}

fn filter(filter: &CompFilter) {
    if let CompTest::Matches {
        time_range,
        components,
        ..
    } = &filter.test
    {
        if let Some(range) = time_range
            && let (Some(start), Some(end)) = (range.start(), range.end())
        {
            assert!(start < end);
        }
        components.iter().for_each(self::filter);
    }
}

/// An address that can be read has one spelling, without a way out.
fn href(text: &str) {
    if let Ok(href) = Href::parse(text) {
        let written = href.to_string();
        assert!(written.is_ascii() && written.starts_with('/'));
        assert!(!written.split('/').any(|segment| segment == ".."));
        assert_eq!(Href::parse(&written), Ok(href), "{written}");
    }
}
