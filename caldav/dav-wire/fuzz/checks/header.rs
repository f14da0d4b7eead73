//! What must hold for every header that is read. Called by the fuzz target and by a smoke test.

use dav_wire::header::{
    AcceptVcard, Depth, EntityTag, EntityTags, IfHeader, MediaType, Preferences, overwrite,
    parse_lock_token, parse_timeout,
};
use dav_wire::{Location, UtcTime};

/// Reads the input as the value of every header.
pub(crate) fn check(input: &[u8]) {
    let Ok(value) = std::str::from_utf8(input) else {
        return;
    };
    if let Some(tag) = EntityTag::parse(value) {
        assert_eq!(EntityTag::parse(&tag.to_string()), Some(tag));
    }
    if let Some(EntityTags::Listed(tags)) = EntityTags::parse([value]) {
        let written: Vec<_> = tags.iter().map(EntityTag::to_string).collect();
        let again = EntityTags::parse(written.iter().map(String::as_str));
        assert_eq!(again, Some(EntityTags::Listed(tags)));
    }
    if let Some(header) = IfHeader::parse(value) {
        assert!(header.lists.iter().all(|list| !list.conditions.is_empty()));
        header
            .state_tokens()
            .for_each(|token| assert!(!token.is_empty()));
        header.holds(|_, _| true);
    }
    if let Some(media_type) = MediaType::parse(value) {
        let written = media_type.to_string();
        assert_eq!(MediaType::parse(&written), Some(media_type), "{written}");
    }
    if let Ok(location) = Location::parse(value) {
        let written = location.href.to_string();
        assert!(written.is_ascii() && !written.contains(['\r', '\n', '"', '<', '&']));
        assert_eq!(
            Location::parse(&written).map(|again| again.href),
            Ok(location.href)
        );
    }
    if let Some(time) = UtcTime::parse_icalendar(value) {
        assert_eq!(
            UtcTime::parse_icalendar(&time.icalendar().to_string()),
            Some(time)
        );
    }
    if let Some(time) = UtcTime::parse_http(value) {
        assert_eq!(UtcTime::parse_http(&time.http().to_string()), Some(time));
    }
    if let Some(token) = parse_lock_token(value) {
        assert!(!token.is_empty());
    }
    let _ = (
        Depth::parse(value),
        parse_timeout(value),
        overwrite(Some(value)),
    );
    let _ = (
        Preferences::parse([value], Some(value)),
        AcceptVcard::parse([value]),
    );
}
