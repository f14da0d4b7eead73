//! RecurrencePattern: when a series of appointments or tasks happens. Source: MS-OXOCAL 2.2.1.44.1.
//!
//! Days are minutes since 1601-01-01, where the series is. What is read is written back to the last octet.

use super::octets::{BadPattern, Reader, put_long, put_longs, put_short};

/// When a series happens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecurrencePattern {
    /// ReaderVersion, 0x3004.
    pub reader_version: u16,
    /// WriterVersion, 0x3004.
    pub writer_version: u16,
    /// RecurFrequency.
    pub frequency: PatternFrequency,
    /// PatternType with PatternTypeSpecific.
    pub kind: PatternKind,
    /// CalendarType: 0 or 1 Gregorian; others, such as Hijri and lunar ones, are kept.
    pub calendar_type: u16,
    /// FirstDateTime: where the first period is among all, in minutes.
    pub first_date_time: u32,
    /// Period: in minutes, weeks or months.
    pub period: u32,
    /// SlidingFlag: the next task begins when this one is completed.
    pub sliding_flag: u32,
    /// EndType.
    pub end: PatternEnd,
    /// OccurrenceCount: of all, if the series ends.
    pub occurrence_count: u32,
    /// FirstDOW: 0 Sunday to 6 Saturday.
    pub first_weekday: u32,
    /// DeletedInstanceDates: original days of what is deleted or modified.
    pub deleted: Vec<u32>,
    /// ModifiedInstanceDates: days on which modified instances are now.
    pub modified: Vec<u32>,
    /// StartDate: the first day.
    pub start_date: u32,
    /// EndDate: the last day, or [`RecurrencePattern::NO_END`].
    pub end_date: u32,
}

/// RecurFrequency.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u16)]
pub enum PatternFrequency {
    /// Every so many days.
    Daily = 0x200a,
    /// Every so many weeks.
    Weekly = 0x200b,
    /// Every so many months.
    Monthly = 0x200c,
    /// Every so many years.
    Yearly = 0x200d,
}

/// PatternType with what is specific to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PatternKind {
    /// 0: days.
    Day,
    /// 1: weekdays of a week.
    Week(PatternDays),
    /// 2, 4, 0xa, 0xc: a day of the month, or its last one if the month is shorter. The first number is the PatternType.
    MonthDay(u16, u32),
    /// 3, 0xb: the so manieth of these weekdays in the month; 5 is the last. The first number is the PatternType.
    MonthNth(u16, PatternDays, u32),
}

/// Weekdays as bits: Sunday 1 to Saturday 0x40.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PatternDays(pub u32);

/// EndType.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PatternEnd {
    /// 0x2021: on EndDate.
    Date,
    /// 0x2022: after OccurrenceCount.
    Count,
    /// 0x2023: never.
    Never,
    /// 0xffffffff: never, as some programs say.
    NeverEither,
}

impl RecurrencePattern {
    /// The version that programs write and read.
    pub const VERSION: u16 = 0x3004;
    /// EndDate of a series without end: 4500-12-31 23:59.
    pub const NO_END: u32 = 0x5ae9_80df;

    /// Reads a pattern of tasks, which is all there is (PidLidTaskRecurrence).
    pub fn parse(octets: &[u8]) -> Result<Self, BadPattern> {
        let mut reader = Reader(octets);
        let pattern = Self::read(&mut reader)?;
        match reader.0 {
            [] => Ok(pattern),
            _ => Err(BadPattern),
        }
    }

    /// The octets.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, BadPattern> {
        let reader_version = reader.short()?;
        let writer_version = reader.short()?;
        let frequency = PatternFrequency::of(reader.short()?)?;
        let pattern_type = reader.short()?;
        let calendar_type = reader.short()?;
        let first_date_time = reader.long()?;
        let period = reader.long()?;
        let sliding_flag = reader.long()?;
        Ok(Self {
            reader_version,
            writer_version,
            frequency,
            kind: PatternKind::read(pattern_type, reader)?,
            calendar_type,
            first_date_time,
            period,
            sliding_flag,
            end: PatternEnd::of(reader.long()?)?,
            occurrence_count: reader.long()?,
            first_weekday: reader.long()?,
            deleted: reader.longs()?,
            modified: reader.longs()?,
            start_date: reader.long()?,
            end_date: reader.long()?,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        put_short(out, self.reader_version);
        put_short(out, self.writer_version);
        put_short(out, self.frequency as u16);
        put_short(out, self.kind.number());
        put_short(out, self.calendar_type);
        put_long(out, self.first_date_time);
        put_long(out, self.period);
        put_long(out, self.sliding_flag);
        match self.kind {
            PatternKind::Day => {}
            PatternKind::Week(days) => put_long(out, days.0),
            PatternKind::MonthDay(_, day) => put_long(out, day),
            PatternKind::MonthNth(_, days, number) => {
                put_long(out, days.0);
                put_long(out, number);
            }
        }
        put_long(out, self.end.number());
        put_long(out, self.occurrence_count);
        put_long(out, self.first_weekday);
        put_longs(out, &self.deleted);
        put_longs(out, &self.modified);
        put_long(out, self.start_date);
        put_long(out, self.end_date);
    }
}

impl PatternFrequency {
    fn of(number: u16) -> Result<Self, BadPattern> {
        let all = [Self::Daily, Self::Weekly, Self::Monthly, Self::Yearly];
        let found = all.into_iter().find(|one| *one as u16 == number);
        found.ok_or(BadPattern)
    }
}

impl PatternKind {
    fn read(number: u16, reader: &mut Reader<'_>) -> Result<Self, BadPattern> {
        Ok(match number {
            0 => Self::Day,
            1 => Self::Week(PatternDays(reader.long()?)),
            2 | 4 | 0xa | 0xc => Self::MonthDay(number, reader.long()?),
            3 | 0xb => Self::MonthNth(number, PatternDays(reader.long()?), reader.long()?),
            _ => return Err(BadPattern),
        })
    }

    /// PatternType.
    pub const fn number(self) -> u16 {
        match self {
            Self::Day => 0,
            Self::Week(_) => 1,
            Self::MonthDay(number, _) | Self::MonthNth(number, ..) => number,
        }
    }
}

impl PatternEnd {
    fn of(number: u32) -> Result<Self, BadPattern> {
        let all = [Self::Date, Self::Count, Self::Never, Self::NeverEither];
        let found = all.into_iter().find(|one| one.number() == number);
        found.ok_or(BadPattern)
    }

    const fn number(self) -> u32 {
        match self {
            Self::Date => 0x2021,
            Self::Count => 0x2022,
            Self::Never => 0x2023,
            Self::NeverEither => 0xffff_ffff,
        }
    }
}
