//! When somebody is busy: asked of the server's Availability Web Service, or read in the calendar.
//!
//! MAPI shows no times of a calendar to who may not read its items: the rights FreeBusySimple and FreeBusyDetailed count
//! for that service alone (MS-OXCPERM 2.2.7), and it knows the occurrences of series. Where it is not to be had, the
//! calendar is read as far as it may be. The service is asked at the host of the mailbox, under the path that every
//! server has it at; so nobody else sees the user's password. Source: MS-OXWAVLS.

use std::ops::Range;

use mapi_convert::date;
use mapi_store::{
    BusyTime, Error, ErrorKind, FREE_BUSY_TIMES_MAX, FreeBusy, FreeBusyDetail, Principal, Result,
    Rights, busy_times, calendar,
};
use mapi_types::{BusyStatus, FileTime, MailboxId};
use mapi_wire::{
    availability::{AvailabilityRequest, AvailabilityResponse, CalendarEvent, SPAN_DAYS_MAX},
    web_service::NO_ERROR,
};

use super::{Exchange, opening::missing, web_service};
use crate::session::Server;

/// The most questions for one span: five years.
const QUESTIONS_MAX: usize = 30;

const DAY_TICKS: u64 = 86_400 * 10_000_000;

/// What became of a question.
enum Told {
    Times(Vec<BusyTime>),
    /// The service knows the mailbox and says no, or that there is none.
    No(Error),
    /// There is no service, or it is of no use now.
    Nothing,
}

impl Exchange {
    /// See [`mapi_store::Backend::free_busy`].
    pub(super) async fn busy(
        &self,
        principal: &Principal,
        mailbox: &MailboxId,
        span: Range<FileTime>,
    ) -> Result<FreeBusy> {
        let user = self.user(principal)?;
        // The service would tell the program everything.
        if user.place.is_programs() && principal.user != mailbox.0 {
            return Err(untold());
        }
        let locator = user.place.locator();
        let found = locator.find(false).await.map_err(missing);
        if let Ok(found) = found
            && let Some(server) = web_service::beside(&locator, &found)
        {
            match ask_all(&server, mailbox, &span).await? {
                Told::Times(mut times) => {
                    times.sort_by_key(|time| (time.start, time.end));
                    return Ok(FreeBusy {
                        times,
                        series_left_out: 0,
                    });
                }
                Told::No(error) => return Err(error),
                Told::Nothing => {}
            }
        }
        self.read_times(principal, mailbox, span).await
    }

    /// The times as they stand in the calendar. Errors: `Denied` to who may not read it.
    async fn read_times(
        &self,
        principal: &Principal,
        mailbox: &MailboxId,
        span: Range<FileTime>,
    ) -> Result<FreeBusy> {
        let store = self.open(principal, mailbox).await?;
        let calendar = match calendar(&*store).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Err(untold()),
            found => found?,
        };
        if !calendar.rights.allow(Rights::READ_ANY) {
            return Err(untold());
        }
        let detail = match principal.user == mailbox.0 {
            true => FreeBusyDetail::Everything,
            false => FreeBusyDetail::Details,
        };
        busy_times(&*store, &calendar, span, detail).await
    }
}

/// Asks for a span, as much at a time as a server answers.
async fn ask_all(server: &Server, mailbox: &MailboxId, span: &Range<FileTime>) -> Result<Told> {
    let step = SPAN_DAYS_MAX * DAY_TICKS;
    let too_big = || Error::new(ErrorKind::TooBig, "ask for a shorter span");
    let questions = span.end.0.saturating_sub(span.start.0).div_ceil(step);
    if questions > QUESTIONS_MAX as u64 {
        return Err(too_big());
    }
    let mut all: Vec<BusyTime> = Vec::new();
    let mut start = span.start;
    while start < span.end {
        let end = FileTime(start.0.saturating_add(step)).min(span.end);
        match ask(server, mailbox, start..end).await {
            Told::Times(times) => {
                // What goes over the border of two questions is told twice.
                let new = times.into_iter().filter(|time| !all.contains(time));
                let new: Vec<_> = new.collect();
                all.extend(new);
            }
            other => return Ok(other),
        }
        if all.len() > FREE_BUSY_TIMES_MAX {
            return Err(too_big());
        }
        start = end;
    }
    Ok(Told::Times(all))
}

async fn ask(server: &Server, mailbox: &MailboxId, span: Range<FileTime>) -> Told {
    let question = AvailabilityRequest {
        address: mailbox.0.clone(),
        start: text(span.start),
        end: text(span.end),
    };
    let asked = web_service::ask(server, question.to_xml()).await;
    let web_service::Answer::Document(document) = asked else {
        return Told::Nothing;
    };
    match AvailabilityResponse::parse(&document) {
        Ok(answer) => told(answer, &span),
        Err(error) => {
            tracing::info!(%error, "the free/busy service does not make itself understood");
            Told::Nothing
        }
    }
}

/// What an answer says of a span.
fn told(answer: AvailabilityResponse, span: &Range<FileTime>) -> Told {
    let code = answer.code.as_str();
    if code != NO_ERROR {
        tracing::debug!(code, "the free/busy service refuses");
        let no = |kind, what| Told::No(Error::new(kind, what));
        return match code {
            "ErrorNoFreeBusyAccess" | "ErrorAccessDenied" => Told::No(untold()),
            "ErrorMailRecipientNotFound"
            | "ErrorNonExistentMailbox"
            | "ErrorInvalidSmtpAddress" => no(ErrorKind::NotFound, "no such mailbox"),
            _ => Told::Nothing,
        };
    }
    let times = answer.events.into_iter().filter_map(time);
    let overlaps = |time: &BusyTime| time.start < span.end && time.end > span.start;
    Told::Times(times.filter(overlaps).collect())
}

/// A time of the service; `None` when it is free, or makes no sense.
fn time(event: CalendarEvent) -> Option<BusyTime> {
    let status = match event.busy_type.as_str() {
        "Free" | "NoData" => return None,
        "Tentative" => BusyStatus::Tentative,
        "OOF" => BusyStatus::OutOfOffice,
        "WorkingElsewhere" => BusyStatus::WorkingElsewhere,
        _ => BusyStatus::Busy,
    };
    Some(BusyTime {
        start: parse(&event.start)?,
        end: parse(&event.end)?,
        status,
        subject: event.subject,
        location: event.location,
    })
}

/// `YYYY-MM-DDThh:mm:ss`, in UTC.
fn text(time: FileTime) -> String {
    let unix = time.unix();
    let (year, month, day) = date::civil(unix.div_euclid(86_400));
    let second = unix.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// The same read, whatever follows: fractions of a second, or `Z`.
fn parse(text: &str) -> Option<FileTime> {
    let number = |from: usize, len: usize| text.get(from..from + len)?.parse::<u32>().ok();
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let octets = text.as_bytes();
    if marks.iter().any(|(at, mark)| octets.get(*at) != Some(mark)) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 24 || minute > 59 {
        return None;
    }
    let days = date::days(year.into(), month.into(), day.into());
    let seconds = i64::from((hour * 60 + minute) * 60 + second.min(59));
    Some(FileTime::from_unix(days * 86_400 + seconds))
}

fn untold() -> Error {
    Error::new(ErrorKind::Denied, "the calendar says nothing to this user")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_service_are_read() {
        let check = |input: &str, expected: Option<i64>| {
            assert_eq!(parse(input).map(FileTime::unix), expected, "{input}");
        };
        check("2027-01-15T08:00:00", Some(1_800_000_000));
        check("2027-01-15T08:00:00Z", Some(1_800_000_000));
        check("2027-01-15T08:00:00.0000000", Some(1_800_000_000));
        for input in [
            "",
            "2027-01-15",
            "2027-13-15T08:00:00",
            "2027-01-15T08:00:xx",
            "ü027-01-15T08:00:00",
        ] {
            check(input, None);
        }
        assert_eq!(
            text(FileTime::from_unix(1_800_000_000)),
            "2027-01-15T08:00:00"
        );
    }

    #[test]
    fn free_times_and_those_outside_of_the_span_are_left_out() {
        let event = |hours: [u32; 2], busy_type: &str| {
            let [start, end] = hours.map(|hour| format!("2027-01-15T{hour:02}:00:00"));
            CalendarEvent {
                start,
                end,
                busy_type: busy_type.to_owned(),
                ..CalendarEvent::default()
            }
        };
        let answer = AvailabilityResponse {
            code: NO_ERROR.to_owned(),
            message: None,
            events: vec![
                event([6, 8], "Busy"),
                event([7, 9], "OOF"),
                event([8, 9], "Free"),
                event([9, 10], "Tentative"),
                event([10, 11], "Busy"),
            ],
        };
        let hour = |hour: i64| FileTime::from_unix(1_800_000_000 + (hour - 8) * 3600);
        let Told::Times(times) = told(answer, &(hour(8)..hour(10))) else {
            panic!("no times");
        };
        let found: Vec<_> = times.iter().map(|time| (time.start, time.status)).collect();
        let expected = [
            (hour(7), BusyStatus::OutOfOffice),
            (hour(9), BusyStatus::Tentative),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_service_that_says_no_is_believed() {
        let answer = |code: &str| AvailabilityResponse {
            code: code.to_owned(),
            ..AvailabilityResponse::default()
        };
        let check = |code: &str, expected: Option<ErrorKind>| {
            let kind = match told(answer(code), &(FileTime(0)..FileTime(1))) {
                Told::No(error) => Some(error.kind),
                Told::Nothing => None,
                Told::Times(_) => panic!("{code}"),
            };
            assert_eq!(kind, expected, "{code}");
        };
        check("ErrorNoFreeBusyAccess", Some(ErrorKind::Denied));
        check("ErrorMailRecipientNotFound", Some(ErrorKind::NotFound));
        check("ErrorServerBusy", None);
    }
}
