//! One appointment: its properties.
//!
//! Appointments as properties: single ones, without attendees. Source: MS-OXOCAL 2.2.1, MS-OXORMDR 2.2.1.

use mapi_types::{BusyStatus, FileTime, PropBag, tags};

use super::GlobalObjectId;
use crate::item::{Common, Item, TICKS_A_MINUTE, minutes_before};

/// PidTagMessageClass of appointments.
pub const CLASS: &str = "IPM.Appointment";

/// An appointment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// Subject, text, marks.
    pub common: Common,
    /// Where.
    pub location: String,
    /// From when.
    pub start: FileTime,
    /// Until when; not before `start`.
    pub end: FileTime,
    /// Whether it is about days: then `start` and `end` are midnights where its owner is.
    pub all_day: bool,
    /// What it makes of its owner's time.
    pub busy: BusyStatus,
    /// Minutes before `start` at which its owner is reminded.
    pub reminder_minutes: Option<u32>,
}

/// PidTagIconIndex of a single appointment. Source: MS-OXOCAL 2.2.1.49.
const ICON: i32 = 0x400;

/// seOpenToDelete, seCoerceToInbox, seOpenToCopy, seOpenToMove, seOpenForCtxMenu. Source: MS-OXOCAL 2.2.2.1.3.
const SIDE_EFFECTS: i32 = 0x171;

impl Appointment {
    /// The appointment's properties. `now` and `random` make its id unlike every other.
    pub fn to_props(&self, now: FileTime, random: &[u8; 16]) -> PropBag {
        let mut item = Item::new(CLASS, ICON, &self.common);
        item.text(&tags::LOCATION, &self.location);
        for tag in [
            &tags::APPOINTMENT_START_WHOLE,
            &tags::COMMON_START,
            &tags::START_DATE,
            &tags::CLIP_START,
        ] {
            item.time(tag, self.start);
        }
        for tag in [
            &tags::APPOINTMENT_END_WHOLE,
            &tags::COMMON_END,
            &tags::END_DATE,
            &tags::CLIP_END,
        ] {
            item.time(tag, self.end);
        }
        let minutes = self.end.0.saturating_sub(self.start.0) / TICKS_A_MINUTE;
        let minutes = i32::try_from(minutes).unwrap_or(i32::MAX);
        item.long(&tags::APPOINTMENT_DURATION, minutes);
        item.truth(&tags::APPOINTMENT_SUB_TYPE, self.all_day);
        item.long(&tags::BUSY_STATUS, self.busy.number());
        item.long(&tags::APPOINTMENT_STATE_FLAGS, 0);
        item.long(&tags::APPOINTMENT_SEQUENCE, 0);
        item.long(&tags::RESPONSE_STATUS, 0);
        item.truth(&tags::RECURRING, false);
        item.long(&tags::SIDE_EFFECTS, SIDE_EFFECTS);
        item.truth(&tags::REMINDER_SET, self.reminder_minutes.is_some());
        if let Some(minutes) = self.reminder_minutes {
            let delta = i32::try_from(minutes).unwrap_or(i32::MAX);
            item.long(&tags::REMINDER_DELTA, delta);
            item.time(&tags::REMINDER_TIME, self.start);
            let signal = minutes_before(self.start, minutes);
            item.time(&tags::REMINDER_SIGNAL_TIME, signal);
        }
        let id = GlobalObjectId::new(now, random).to_bytes();
        item.octets(&tags::GLOBAL_OBJECT_ID, &id);
        item.octets(&tags::CLEAN_GLOBAL_OBJECT_ID, &id);
        item.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Importance;

    fn appointment() -> Appointment {
        Appointment {
            common: Common {
                subject: "Meeting".to_owned(),
                importance: Importance::High,
                private: true,
                categories: vec!["Work".to_owned()],
                ..Common::default()
            },
            location: "Room 1".to_owned(),
            start: FileTime::from_unix(1_800_000_000),
            end: FileTime::from_unix(1_800_005_400),
            all_day: false,
            busy: BusyStatus::OutOfOffice,
            reminder_minutes: Some(15),
        }
    }

    #[test]
    fn an_appointment_says_when_in_every_way_programs_ask() {
        let made = appointment();
        let props = made.to_props(FileTime(1), &[7; 16]);
        assert_eq!(props.get(&tags::MESSAGE_CLASS), Some("IPM.Appointment"));
        for tag in [
            &tags::APPOINTMENT_START_WHOLE,
            &tags::COMMON_START,
            &tags::CLIP_START,
        ] {
            assert_eq!(props.get(tag), Some(made.start));
        }
        for tag in [
            &tags::APPOINTMENT_END_WHOLE,
            &tags::COMMON_END,
            &tags::CLIP_END,
        ] {
            assert_eq!(props.get(tag), Some(made.end));
        }
        assert_eq!(props.get(&tags::APPOINTMENT_DURATION), Some(90));
        assert_eq!(props.get(&tags::BUSY_STATUS), Some(3));
        assert_eq!(props.get(&tags::SENSITIVITY), Some(2));
        assert_eq!(props.get(&tags::IMPORTANCE), Some(2));
        let signal = FileTime::from_unix(1_800_000_000 - 900);
        assert_eq!(props.get(&tags::REMINDER_SIGNAL_TIME), Some(signal));
        assert_eq!(props.get(&tags::REMINDER_TIME), Some(made.start));
    }

    #[test]
    fn who_wants_no_reminder_gets_none() {
        let made = Appointment {
            reminder_minutes: None,
            ..appointment()
        };
        let props = made.to_props(FileTime(1), &[7; 16]);
        assert_eq!(props.get(&tags::REMINDER_SET), Some(false));
        assert_eq!(props.get(&tags::REMINDER_SIGNAL_TIME), None);
    }
}
