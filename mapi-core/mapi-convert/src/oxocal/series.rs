//! AppointmentRecurrencePattern: the value of PidLidAppointmentRecur. Source: MS-OXOCAL 2.2.1.44.5.

use super::{
    Exception, RecurrencePattern,
    octets::{BadPattern, Reader, put_block, put_long, put_short},
};

/// When a series of appointments happens, and which of them differ. What is read is written back to the last octet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AppointmentRecurrence {
    /// The days.
    pub pattern: RecurrencePattern,
    /// ReaderVersion2, 0x3006.
    pub reader_version: u32,
    /// WriterVersion2, 0x3009; Outlook 2003 wrote 0x3008.
    pub writer_version: u32,
    /// StartTimeOffset: minutes from midnight.
    pub start_offset: u32,
    /// EndTimeOffset: minutes from midnight of the same day; may be beyond it.
    pub end_offset: u32,
    /// Instances that differ, in order.
    pub exceptions: Vec<Exception>,
    /// ReservedBlock1.
    pub reserved_1: Box<[u8]>,
    /// ReservedBlock2.
    pub reserved_2: Box<[u8]>,
    /// What programs wrote after the end.
    pub rest: Box<[u8]>,
}

impl AppointmentRecurrence {
    /// ReaderVersion2 of what we write.
    pub const READER_VERSION: u32 = 0x3006;
    /// WriterVersion2 of what we write.
    pub const WRITER_VERSION: u32 = 0x3009;

    /// Reads PidLidAppointmentRecur. Memory is bounded by the octets.
    pub fn parse(octets: &[u8]) -> Result<Self, BadPattern> {
        let mut reader = Reader(octets);
        let pattern = RecurrencePattern::read(&mut reader)?;
        let (reader_version, writer_version) = (reader.long()?, reader.long()?);
        let (start_offset, end_offset) = (reader.long()?, reader.long()?);
        let count = reader.short()?;
        let mut exceptions = Vec::new();
        for _ in 0..count {
            exceptions.push(Exception::read(&mut reader)?);
        }
        let reserved_1 = reader.block()?;
        for exception in &mut exceptions {
            exception.read_extended(writer_version, &mut reader)?;
        }
        Ok(Self {
            pattern,
            reader_version,
            writer_version,
            start_offset,
            end_offset,
            exceptions,
            reserved_1,
            reserved_2: reader.block()?,
            rest: reader.0.into(),
        })
    }

    /// The octets. Exceptions beyond 65,535, which the format cannot count, are left out.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.pattern.to_bytes();
        put_long(&mut out, self.reader_version);
        put_long(&mut out, self.writer_version);
        put_long(&mut out, self.start_offset);
        put_long(&mut out, self.end_offset);
        let most = usize::from(u16::MAX);
        let exceptions = self.exceptions.get(..most).unwrap_or(&self.exceptions);
        put_short(&mut out, exceptions.len() as u16);
        for exception in exceptions {
            exception.write(&mut out);
        }
        put_block(&mut out, &self.reserved_1);
        for exception in exceptions {
            exception.write_extended(self.writer_version, &mut out);
        }
        put_block(&mut out, &self.reserved_2);
        out.extend_from_slice(&self.rest);
        out
    }

    /// Original days of instances that are deleted, not modified: DeletedInstanceDates holds both.
    pub fn deleted_only(&self) -> impl Iterator<Item = u32> {
        const MINUTES_A_DAY: u32 = 24 * 60;
        let day_of = |minutes: u32| minutes - minutes % MINUTES_A_DAY;
        let is_modified = move |day: u32| {
            let mut exceptions = self.exceptions.iter();
            exceptions.any(|exception| day_of(exception.original_start) == day)
        };
        let deleted = self.pattern.deleted.iter().copied();
        deleted.filter(move |day| !is_modified(day_of(*day)))
    }
}
