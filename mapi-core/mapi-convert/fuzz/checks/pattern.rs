//! What must hold for recurrence patterns, time zones and ids of appointments whatever the octets. Called by the fuzz target and a smoke test.

use mapi_convert::{
    ical::value::LocalTime,
    oxocal::{
        AppointmentRecurrence, GlobalObjectId, RecurrencePattern, TimeZoneDefinition,
        TimeZoneStruct,
    },
};

/// What is read is written back.
pub(crate) fn check(input: &[u8]) {
    if let Ok(series) = AppointmentRecurrence::parse(input) {
        assert_eq!(series.to_bytes(), input);
        let _ = series.deleted_only().count();
        let _ = series.pattern.rule(LocalTime(0));
    }
    if let Ok(pattern) = RecurrencePattern::parse(input) {
        assert_eq!(pattern.to_bytes(), input);
    }
    if let Ok(zone) = TimeZoneStruct::parse(input) {
        assert_eq!(zone.to_bytes(), input);
    }
    if let Ok(zone) = TimeZoneDefinition::parse(input) {
        assert_eq!(zone.to_bytes().as_deref(), Some(input));
    }
    if let Some(id) = GlobalObjectId::parse(input) {
        assert_eq!(id.to_bytes(), input);
        assert_eq!(GlobalObjectId::of_uid(&id.uid()).uid(), id.uid());
    }
}
