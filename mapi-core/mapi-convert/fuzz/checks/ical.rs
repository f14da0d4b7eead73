//! What must hold for iCalendar documents whatever they say. Called by the fuzz target and a smoke test.

use bytes::Bytes;
use mapi_convert::ical::{
    Component, Limits, Property, Resource, parse,
    recurrence::Occurrences,
    value::{Duration, LocalTime, Period, Recur, UtcOffset, When, email_of, escape, unescape},
};

/// Small, so that short inputs meet them.
const LIMITS: Limits = Limits {
    size_bytes_max: 64 << 10,
    lines_max: 2_000,
    line_bytes_max: 16 << 10,
    depth_max: 6,
    params_max: 10,
};
/// Occurrences looked at per rule.
const OCCURRENCES_MAX: usize = 20;

/// What was read is written back; written anew, it says the same; values are read as they were written.
pub(crate) fn check(input: &[u8]) {
    let source = Bytes::copy_from_slice(input);
    let Ok(document) = parse(&source, &LIMITS) else {
        return;
    };
    assert_eq!(document.to_bytes(), input);
    let _ = Resource::of(&document);
    for component in &document.components {
        let anew = anew(component);
        let mut octets = Vec::new();
        anew.write(&mut octets);
        let larger = Limits {
            size_bytes_max: usize::MAX,
            lines_max: usize::MAX,
            ..LIMITS
        };
        let back = parse(&Bytes::from(octets), &larger).expect("what was written is read");
        assert!(back.components.len() == 1 && back.components[0] == anew);
    }
}

/// The same without the octets it came from, and without characters that cannot be written.
fn anew(component: &Component) -> Component {
    let clean = |text: &str| text.replace(|c: char| c.is_control() && c != '\t', "");
    let mut copy = Component::new(&clean(component.name()));
    for property in component.properties() {
        values(property);
        let mut new = Property::new(property.name(), clean(property.value()));
        for param in property.params() {
            new = new.with_param(&param.name, clean(&param.values.concat()));
        }
        copy.push(new);
    }
    component
        .components()
        .for_each(|inner| copy.push_component(anew(inner)));
    copy
}

fn values(property: &Property) {
    let value = property.value();
    if let Some(when) = When::of_property(property) {
        let again = When::of_property(&when.property("X"));
        assert_eq!(again.as_ref(), Some(&when));
    }
    if let Some(length) = Duration::parse(value) {
        assert_eq!(Duration::parse(&length.to_string()), Some(length));
    }
    if let Some(offset) = UtcOffset::parse(value) {
        assert_eq!(UtcOffset::parse(&offset.to_string()), Some(offset));
    }
    let _ = Period::list_of(property);
    let _ = email_of(value);
    let text = unescape(value);
    let clean = text.replace(|c: char| c.is_control() && !matches!(c, '\t' | '\n'), "");
    assert_eq!(unescape(&escape(&clean)), clean);
    if let Ok(rule) = Recur::parse(value) {
        assert_eq!(Recur::parse(&rule.to_string()).as_ref(), Ok(&rule));
        let start = LocalTime(1_767_225_600);
        let mut before = None;
        for time in Occurrences::new(&rule, start, None).take(OCCURRENCES_MAX) {
            assert!(time >= start && before < Some(time));
            before = Some(time);
        }
    }
}
