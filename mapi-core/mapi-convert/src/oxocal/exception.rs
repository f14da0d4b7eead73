//! ExceptionInfo and ExtendedException: how one instance differs. Source: MS-OXOCAL 2.2.1.44.2 to 2.2.1.44.4.

use super::octets::{BadPattern, Reader, put_block, put_long, put_narrow, put_short, put_wide};

/// A modified instance. Times are minutes since 1601-01-01 where the series is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exception {
    /// StartDateTime.
    pub start: u32,
    /// EndDateTime.
    pub end: u32,
    /// OriginalStartDate, with the time.
    pub original_start: u32,
    /// What differs.
    pub changed: Changed,
    /// ChangeHighlight: what a program marks as changed; there if the writer is of version 0x3009 or later.
    pub highlight: Option<Highlight>,
    /// ReservedBlockEE1.
    pub reserved_1: Box<[u8]>,
    /// Start, end and original start once more, as ExtendedException has them beside texts.
    pub again: [u32; 3],
    /// ReservedBlockEE2, beside texts.
    pub reserved_2: Box<[u8]>,
}

/// What an instance has of its own. Source: OverrideFlags, MS-OXOCAL 2.2.1.44.2.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Changed {
    /// 0x1: PidTagSubject.
    pub subject: Option<ExceptionText>,
    /// 0x2: PidLidAppointmentStateFlags.
    pub meeting_type: Option<u32>,
    /// 0x4: PidLidReminderDelta.
    pub reminder_delta: Option<u32>,
    /// 0x8: PidLidReminderSet.
    pub reminder_set: Option<u32>,
    /// 0x10: PidLidLocation.
    pub location: Option<ExceptionText>,
    /// 0x20: PidLidBusyStatus.
    pub busy_status: Option<u32>,
    /// 0x40: whether it has attachments.
    pub attachment: Option<u32>,
    /// 0x80: PidLidAppointmentSubType.
    pub sub_type: Option<u32>,
    /// 0x100: PidLidAppointmentColor.
    pub color: Option<u32>,
    /// 0x200 and bits that nobody knows: 0x200 says that the body differs, which stands in the attachment.
    pub other_flags: u16,
}

/// A text of an exception, which stands in the octets twice.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExceptionText {
    /// In the code page of who wrote it.
    pub narrow: Box<[u8]>,
    /// In UTF-16.
    pub wide: Box<[u16]>,
}

/// ChangeHighlight.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Highlight(pub Box<[u8]>);

const SUBJECT: u16 = 0x1;
const MEETING_TYPE: u16 = 0x2;
const REMINDER_DELTA: u16 = 0x4;
const REMINDER_SET: u16 = 0x8;
const LOCATION: u16 = 0x10;
const BUSY_STATUS: u16 = 0x20;
const ATTACHMENT: u16 = 0x40;
const SUB_TYPE: u16 = 0x80;
const COLOR: u16 = 0x100;
const KNOWN: u16 = 0x1ff;

/// The version of writers from which on there is a ChangeHighlight.
const HIGHLIGHT_VERSION: u32 = 0x3009;

impl Exception {
    /// ExceptionInfo.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, BadPattern> {
        let (start, end, original_start) = (reader.long()?, reader.long()?, reader.long()?);
        let flags = reader.short()?;
        let mut changed = Changed {
            other_flags: flags & !KNOWN,
            ..Changed::default()
        };
        let narrow = |flag: u16, reader: &mut Reader<'_>| match flags & flag {
            0 => Ok(None),
            _ => Ok(Some(ExceptionText {
                narrow: reader.narrow()?,
                wide: Box::default(),
            })),
        };
        let long = |flag: u16, reader: &mut Reader<'_>| match flags & flag {
            0 => Ok(None),
            _ => Ok(Some(reader.long()?)),
        };
        changed.subject = narrow(SUBJECT, reader)?;
        changed.meeting_type = long(MEETING_TYPE, reader)?;
        changed.reminder_delta = long(REMINDER_DELTA, reader)?;
        changed.reminder_set = long(REMINDER_SET, reader)?;
        changed.location = narrow(LOCATION, reader)?;
        changed.busy_status = long(BUSY_STATUS, reader)?;
        changed.attachment = long(ATTACHMENT, reader)?;
        changed.sub_type = long(SUB_TYPE, reader)?;
        changed.color = long(COLOR, reader)?;
        Ok(Self {
            start,
            end,
            original_start,
            changed,
            highlight: None,
            reserved_1: Box::default(),
            again: [start, end, original_start],
            reserved_2: Box::default(),
        })
    }

    /// ExtendedException.
    pub(super) fn read_extended(
        &mut self,
        writer_version: u32,
        reader: &mut Reader<'_>,
    ) -> Result<(), BadPattern> {
        if writer_version >= HIGHLIGHT_VERSION {
            self.highlight = Some(Highlight(reader.block()?));
        }
        self.reserved_1 = reader.block()?;
        if self.changed.subject.is_none() && self.changed.location.is_none() {
            return Ok(());
        }
        self.again = [reader.long()?, reader.long()?, reader.long()?];
        for text in self.changed.texts_mut() {
            text.wide = reader.wide()?;
        }
        self.reserved_2 = reader.block()?;
        Ok(())
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let changed = &self.changed;
        put_long(out, self.start);
        put_long(out, self.end);
        put_long(out, self.original_start);
        put_short(out, changed.flags());
        let long = |out: &mut Vec<u8>, number: Option<u32>| {
            number.into_iter().for_each(|number| put_long(out, number));
        };
        let narrow = |out: &mut Vec<u8>, text: &Option<ExceptionText>| {
            text.iter().for_each(|text| put_narrow(out, &text.narrow));
        };
        narrow(out, &changed.subject);
        long(out, changed.meeting_type);
        long(out, changed.reminder_delta);
        long(out, changed.reminder_set);
        narrow(out, &changed.location);
        long(out, changed.busy_status);
        long(out, changed.attachment);
        long(out, changed.sub_type);
        long(out, changed.color);
    }

    pub(super) fn write_extended(&self, writer_version: u32, out: &mut Vec<u8>) {
        if writer_version >= HIGHLIGHT_VERSION {
            // Nothing marked is a size of 4 and a value of 0.
            let nothing = &[0; 4][..];
            let marked = self.highlight.as_ref();
            put_block(out, marked.map_or(nothing, |highlight| &highlight.0));
        }
        put_block(out, &self.reserved_1);
        let texts = [&self.changed.subject, &self.changed.location];
        if texts.iter().all(|text| text.is_none()) {
            return;
        }
        self.again.iter().for_each(|time| put_long(out, *time));
        for text in texts.into_iter().flatten() {
            put_wide(out, &text.wide);
        }
        put_block(out, &self.reserved_2);
    }
}

impl Changed {
    fn texts_mut(&mut self) -> impl Iterator<Item = &mut ExceptionText> {
        self.subject.iter_mut().chain(self.location.iter_mut())
    }

    /// OverrideFlags.
    fn flags(&self) -> u16 {
        let bits = [
            (SUBJECT, self.subject.is_some()),
            (MEETING_TYPE, self.meeting_type.is_some()),
            (REMINDER_DELTA, self.reminder_delta.is_some()),
            (REMINDER_SET, self.reminder_set.is_some()),
            (LOCATION, self.location.is_some()),
            (BUSY_STATUS, self.busy_status.is_some()),
            (ATTACHMENT, self.attachment.is_some()),
            (SUB_TYPE, self.sub_type.is_some()),
            (COLOR, self.color.is_some()),
        ];
        let set = bits.into_iter().filter(|(_, is_set)| *is_set);
        set.fold(self.other_flags & !KNOWN, |flags, (bit, _)| flags | bit)
    }
}
