//! Appointments. Source: MS-OXOCAL.

use std::time::SystemTime;

use account::{FileTime, Role};
use mapi_convert::oxocal;
use mapi_types::{BusyStatus, PropBag, PropTag, Row, tags};
use serde_json::{Value, json};

use super::{Class, common};
use crate::{
    cli::mapi::{Appointment, ShowAs},
    failure::{Doing, Result},
    mapi::{
        Moment, moment,
        output::plain,
        session::{Session, invalid},
    },
};

/// How long an appointment is of which that is not said, in minutes.
const DURATION_MINUTES: i64 = 30;
const DAY_MINUTES: i64 = 24 * 60;

impl Class for Appointment {
    const ROLE: Role = Role::Calendar;
    const CLASS: &'static str = oxocal::CLASS;
    const COLUMNS: &'static [PropTag] = &[
        tags::APPOINTMENT_START_WHOLE.tag(),
        tags::APPOINTMENT_END_WHOLE.tag(),
        tags::APPOINTMENT_SUB_TYPE.tag(),
        tags::BUSY_STATUS.tag(),
        tags::LOCATION.tag(),
        tags::RECURRING.tag(),
        tags::RECURRENCE_PATTERN.tag(),
    ];

    fn props(&self, _: &Session) -> Result<PropBag> {
        let end = self.end.unwrap_or_else(|| self.default_end());
        if end.time() < self.start.time() {
            return Err(invalid("an appointment cannot end before it starts"));
        }
        if self.all_day && !(self.start.is_day && end.is_day) {
            return Err(invalid("--all-day: give days, such as 2026-12-24+01:00"));
        }
        let mut random = [0; 16];
        getrandom::fill(&mut random).doing(|| "randomness".to_owned())?;
        let appointment = oxocal::Appointment {
            common: common(&self.subject, &self.about),
            location: self.location.clone(),
            start: self.start.time(),
            end: end.time(),
            all_day: self.all_day,
            busy: match self.busy {
                ShowAs::Free => BusyStatus::Free,
                ShowAs::Tentative => BusyStatus::Tentative,
                ShowAs::Busy => BusyStatus::Busy,
                ShowAs::OutOfOffice => BusyStatus::OutOfOffice,
                ShowAs::WorkingElsewhere => BusyStatus::WorkingElsewhere,
            },
            reminder_minutes: self.reminder,
        };
        Ok(appointment.to_props(FileTime::from(SystemTime::now()), &random))
    }

    fn cells(row: Row<'_>) -> Vec<String> {
        let time = |time: Option<FileTime>| time.map_or_else(|| "-".to_owned(), moment::text);
        let all_day = row.get(&tags::APPOINTMENT_SUB_TYPE) == Some(true);
        let recurring = row.get(&tags::RECURRING) == Some(true);
        let pattern = row.get(&tags::RECURRENCE_PATTERN).unwrap_or("");
        vec![
            time(row.get(&tags::APPOINTMENT_START_WHOLE)),
            time(row.get(&tags::APPOINTMENT_END_WHOLE)),
            if all_day { "all day" } else { "" }.to_owned(),
            busy(row).to_owned(),
            match recurring {
                true => format!("series {}", plain(pattern)),
                false => String::new(),
            },
            plain(row.get(&tags::LOCATION).unwrap_or("")),
            plain(row.get(&tags::SUBJECT).unwrap_or("")),
        ]
    }

    fn json(row: Row<'_>) -> Value {
        json!({
            "subject": row.get(&tags::SUBJECT),
            "start": row.get(&tags::APPOINTMENT_START_WHOLE).map(moment::text),
            "end": row.get(&tags::APPOINTMENT_END_WHOLE).map(moment::text),
            "all_day": row.get(&tags::APPOINTMENT_SUB_TYPE).unwrap_or(false),
            "busy": busy(row),
            "location": row.get(&tags::LOCATION),
            "recurring": row.get(&tags::RECURRING).unwrap_or(false),
            "pattern": row.get(&tags::RECURRENCE_PATTERN),
        })
    }
}

impl Appointment {
    fn default_end(&self) -> Moment {
        self.start.later(match self.all_day {
            true => DAY_MINUTES,
            false => DURATION_MINUTES,
        })
    }
}

fn busy(row: Row<'_>) -> &'static str {
    row.get(&tags::BUSY_STATUS)
        .map_or("-", |number| BusyStatus::of(number).name())
}
