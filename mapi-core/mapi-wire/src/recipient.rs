//! Recipients of messages. Source: MS-OXCDATA 2.8.3, MS-OXCROPS 2.2.6.

use mapi_types::PropTag;

use crate::{
    cursor::{Reader, Result, Utf16, Writer},
    row::PropertyRow,
};

/// A recipient: who it is, and the properties the columns ask for. Source: MS-OXCDATA 2.8.3.2.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipientRow {
    /// Bits of RecipientFlags that say nothing about which fields follow: [`Self::RESPONSIBLE`] and so on. Other bits
    /// are left out when the row is written; they follow from the fields.
    pub flags: u16,
    /// How the recipient is addressed.
    pub address: Address,
    /// Its names and its e-mail address.
    pub names: Names,
    /// Values of the first of the message's recipient columns.
    pub properties: PropertyRow,
}

/// How a recipient is addressed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// No type, or one that is spelt out, as octets without NUL.
    Other(Option<Box<[u8]>>),
    /// By the distinguished name of an address book (X500DN).
    AddressBook {
        /// How many octets of the DN prefix that Connect gave stand before the name.
        prefix_used: u8,
        /// PidTagDisplayType: user, distribution list and so on.
        display_type: u8,
        /// The rest of the name, without NUL.
        dn: Box<[u8]>,
    },
    /// By Microsoft Mail.
    MsMail,
    /// By SMTP.
    Smtp,
    /// By fax.
    Fax,
    /// By Professional Office System.
    ProfessionalOfficeSystem,
    /// A personal distribution list.
    PersonalList {
        /// Which of the two kinds: true for the second.
        second: bool,
        /// The list's entry id.
        entry_id: Box<[u8]>,
        /// The list's search key.
        search_key: Box<[u8]>,
    },
}

/// Names of a recipient, all in one encoding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Names {
    /// Octets in the code page of the message, without NUL.
    Ansi(NamesIn<Box<[u8]>>),
    /// UTF-16.
    Unicode(NamesIn<Utf16>),
}

/// Names of a recipient in the encoding `S`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NamesIn<S> {
    /// The address.
    pub email_address: Option<S>,
    /// What people call it.
    pub display_name: Option<S>,
    /// The same in few characters.
    pub simple_display_name: Option<S>,
    /// The name as it travels.
    pub transmittable_display_name: Option<S>,
}

/// Bits of RecipientFlags that say which fields follow. Source: MS-OXCDATA 2.8.3.1.
mod bit {
    pub(super) const TYPE: u16 = 0x0007;
    pub(super) const EMAIL_ADDRESS: u16 = 0x0008;
    pub(super) const DISPLAY_NAME: u16 = 0x0010;
    pub(super) const TRANSMITTABLE_DISPLAY_NAME: u16 = 0x0020;
    pub(super) const UNICODE: u16 = 0x0200;
    pub(super) const SIMPLE_DISPLAY_NAME: u16 = 0x0400;
    pub(super) const ADDRESS_TYPE: u16 = 0x8000;
    pub(super) const FIELDS: u16 = TYPE
        | EMAIL_ADDRESS
        | DISPLAY_NAME
        | TRANSMITTABLE_DISPLAY_NAME
        | UNICODE
        | SIMPLE_DISPLAY_NAME
        | ADDRESS_TYPE;
}

impl RecipientRow {
    /// The transmittable name is the display name.
    pub const SAME: u16 = 0x0040;
    /// A gateway has taken over the delivery.
    pub const RESPONSIBLE: u16 = 0x0080;
    /// The recipient does not take rich text.
    pub const NON_RICH: u16 = 0x0100;

    pub(crate) fn read(reader: &mut Reader<'_>, columns: &[PropTag]) -> Result<Self> {
        let flags = reader.u16("recipient flags")?;
        let address = Address::read(reader, flags)?;
        let names = match flags & bit::UNICODE {
            0 => Names::Ansi(NamesIn::read(reader, flags, |reader, expected| {
                Ok(reader.cstr(expected)?.into())
            })?),
            _ => Names::Unicode(NamesIn::read(reader, flags, |reader, expected| {
                reader.wstr(expected)
            })?),
        };
        let count = usize::from(reader.u16("a count of recipient columns")?);
        let Some(columns) = columns.get(..count) else {
            return Err(reader.error("no more values than recipient columns"));
        };
        Ok(Self {
            flags: flags & !address.bits_of_fields(),
            address,
            names,
            properties: PropertyRow::read(reader, columns)?,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        let fields = self.address.bits_of_fields();
        let flags = (self.flags & !fields) | self.address.bits() | self.names.bits();
        writer.u16(flags);
        self.address.write(writer);
        match &self.names {
            Names::Ansi(names) => names.write(writer, |writer, name| writer.cstr(name)),
            Names::Unicode(names) => names.write(writer, Writer::wstr),
        }
        writer.u16(self.properties.cells.len() as u16);
        self.properties.write(writer);
    }
}

impl Address {
    fn read(reader: &mut Reader<'_>, flags: u16) -> Result<Self> {
        Ok(match flags & bit::TYPE {
            0 if flags & bit::ADDRESS_TYPE != 0 => {
                Self::Other(Some(reader.cstr("an address type")?.into()))
            }
            0 => Self::Other(None),
            1 => Self::AddressBook {
                prefix_used: reader.u8("how much of the DN prefix is used")?,
                display_type: reader.u8("a display type")?,
                dn: reader.cstr("a distinguished name")?.into(),
            },
            2 => Self::MsMail,
            3 => Self::Smtp,
            4 => Self::Fax,
            5 => Self::ProfessionalOfficeSystem,
            kind => Self::PersonalList {
                second: kind == 7,
                entry_id: read_octets(reader, "the entry id of a personal list")?,
                search_key: read_octets(reader, "the search key of a personal list")?,
            },
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Other(Some(kind)) => writer.cstr(kind),
            Self::AddressBook {
                prefix_used,
                display_type,
                dn,
            } => {
                writer.u8(*prefix_used);
                writer.u8(*display_type);
                writer.cstr(dn);
            }
            Self::PersonalList {
                entry_id,
                search_key,
                ..
            } => {
                for octets in [entry_id, search_key] {
                    writer.u16(octets.len() as u16);
                    writer.put(octets);
                }
            }
            Self::Other(None)
            | Self::MsMail
            | Self::Smtp
            | Self::Fax
            | Self::ProfessionalOfficeSystem => {}
        }
    }

    fn bits(&self) -> u16 {
        match self {
            Self::Other(None) => 0,
            Self::Other(Some(_)) => bit::ADDRESS_TYPE,
            Self::AddressBook { .. } => 1,
            Self::MsMail => 2,
            Self::Smtp => 3,
            Self::Fax => 4,
            Self::ProfessionalOfficeSystem => 5,
            Self::PersonalList { second, .. } => 6 + u16::from(*second),
        }
    }

    /// The bits that follow from the fields. The one for a spelt-out type means nothing beside a known type, and is
    /// kept there as it came.
    const fn bits_of_fields(&self) -> u16 {
        match self {
            Self::Other(_) => bit::FIELDS,
            _ => bit::FIELDS & !bit::ADDRESS_TYPE,
        }
    }
}

impl Names {
    /// What people call the recipient. Octets that are not ASCII become U+FFFD.
    pub fn display_name(&self) -> Option<String> {
        match self {
            Self::Ansi(names) => names.display_name.as_deref().map(ascii),
            Self::Unicode(names) => names.display_name.as_ref().map(Utf16::to_text),
        }
    }

    /// The address. Octets that are not ASCII become U+FFFD.
    pub fn email_address(&self) -> Option<String> {
        match self {
            Self::Ansi(names) => names.email_address.as_deref().map(ascii),
            Self::Unicode(names) => names.email_address.as_ref().map(Utf16::to_text),
        }
    }

    const fn bits(&self) -> u16 {
        match self {
            Self::Ansi(names) => names.bits(),
            Self::Unicode(names) => names.bits() | bit::UNICODE,
        }
    }
}

fn ascii(octets: &[u8]) -> String {
    crate::text::Text::Ansi(octets.into()).to_text()
}

impl<S> NamesIn<S> {
    fn read(
        reader: &mut Reader<'_>,
        flags: u16,
        mut read: impl FnMut(&mut Reader<'_>, &'static str) -> Result<S>,
    ) -> Result<Self> {
        let mut name = |bit, expected| match flags & bit {
            0 => Ok(None),
            _ => read(reader, expected).map(Some),
        };
        Ok(Self {
            email_address: name(bit::EMAIL_ADDRESS, "an e-mail address")?,
            display_name: name(bit::DISPLAY_NAME, "a display name")?,
            simple_display_name: name(bit::SIMPLE_DISPLAY_NAME, "a simple display name")?,
            transmittable_display_name: name(
                bit::TRANSMITTABLE_DISPLAY_NAME,
                "a transmittable display name",
            )?,
        })
    }

    fn write(&self, writer: &mut Writer, mut write: impl FnMut(&mut Writer, &S)) {
        let names = [
            &self.email_address,
            &self.display_name,
            &self.simple_display_name,
            &self.transmittable_display_name,
        ];
        for name in names.into_iter().flatten() {
            write(writer, name);
        }
    }

    const fn bits(&self) -> u16 {
        let mut bits = 0;
        if self.email_address.is_some() {
            bits |= bit::EMAIL_ADDRESS;
        }
        if self.display_name.is_some() {
            bits |= bit::DISPLAY_NAME;
        }
        if self.simple_display_name.is_some() {
            bits |= bit::SIMPLE_DISPLAY_NAME;
        }
        if self.transmittable_display_name.is_some() {
            bits |= bit::TRANSMITTABLE_DISPLAY_NAME;
        }
        bits
    }
}

fn read_octets(reader: &mut Reader<'_>, expected: &'static str) -> Result<Box<[u8]>> {
    let len = reader.u16(expected)?;
    Ok(reader.take(len.into(), expected)?.into())
}

/// A recipient as RopOpenMessage gives it. Source: MS-OXCROPS 2.2.6.1.2.1.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenRecipientRow {
    /// To (1), Cc (2), Bcc (3), sender (0), with bits of MS-OXCMSG 2.2.3.1.2.
    pub recipient_type: u8,
    /// The code page of 8-bit strings.
    pub code_page_id: u16,
    /// Reserved.
    pub reserved: u16,
    /// The recipient.
    pub recipient: RecipientRow,
}

impl OpenRecipientRow {
    pub(crate) fn read(reader: &mut Reader<'_>, columns: &[PropTag]) -> Result<Self> {
        Ok(Self {
            recipient_type: reader.u8("a recipient type")?,
            code_page_id: reader.u16("the code page of a recipient")?,
            reserved: reader.u16("a reserved field of a recipient")?,
            recipient: read_sized(reader, columns)?.ok_or_else(|| reader.error("a recipient"))?,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u8(self.recipient_type);
        writer.u16(self.code_page_id);
        writer.u16(self.reserved);
        write_sized(writer, Some(&self.recipient));
    }
}

/// A recipient as RopReadRecipients gives it. Source: MS-OXCROPS 2.2.6.6.2.1.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadRecipientRow {
    /// The number of the recipient in its message.
    pub row_id: u32,
    /// The rest, as when a message is opened.
    pub row: OpenRecipientRow,
}

impl ReadRecipientRow {
    pub(crate) fn read(reader: &mut Reader<'_>, columns: &[PropTag]) -> Result<Self> {
        Ok(Self {
            row_id: reader.u32("the number of a recipient")?,
            row: OpenRecipientRow::read(reader, columns)?,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u32(self.row_id);
        self.row.write(writer);
    }
}

/// A recipient to add, change or remove. Source: MS-OXCROPS 2.2.6.5.1.1.
#[derive(Clone, Debug, PartialEq)]
pub struct ModifyRecipientRow {
    /// The number of the recipient in its message.
    pub row_id: u32,
    /// As in [`OpenRecipientRow`].
    pub recipient_type: u8,
    /// The recipient; none removes the row.
    pub recipient: Option<RecipientRow>,
}

impl ModifyRecipientRow {
    pub(crate) fn read(reader: &mut Reader<'_>, columns: &[PropTag]) -> Result<Self> {
        Ok(Self {
            row_id: reader.u32("the number of a recipient")?,
            recipient_type: reader.u8("a recipient type")?,
            recipient: read_sized(reader, columns)?,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u32(self.row_id);
        writer.u8(self.recipient_type);
        write_sized(writer, self.recipient.as_ref());
    }
}

fn read_sized(reader: &mut Reader<'_>, columns: &[PropTag]) -> Result<Option<RecipientRow>> {
    let size = usize::from(reader.u16("the size of a recipient")?);
    if size == 0 {
        return Ok(None);
    }
    let mut inner = reader.window(size, "a recipient")?;
    let row = RecipientRow::read(&mut inner, columns)?;
    inner.finish("the end of a recipient")?;
    Ok(Some(row))
}

fn write_sized(writer: &mut Writer, row: Option<&RecipientRow>) {
    let start = writer.len();
    writer.u16(0);
    if let Some(row) = row {
        row.write(writer);
        writer.set_u16(start, (writer.len() - start - 2) as u16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [PropTag; 2] = [PropTag(0x0ffe_0003), PropTag(0x39fe_001f)];

    fn check(bytes: &[u8]) -> RecipientRow {
        let mut reader = Reader::new(bytes);
        let row = RecipientRow::read(&mut reader, &COLUMNS).unwrap();
        assert!(reader.is_empty());
        let mut writer = Writer::new();
        row.write(&mut writer);
        assert_eq!(writer.as_bytes(), bytes);
        row
    }

    #[test]
    fn names_stand_in_the_order_of_the_document_not_of_the_flags() {
        let names = b"e\0d\0s\0t\0";
        let row = check(&[&[0x3b, 0x04], &names[..], &[0, 0, 0]].concat());
        let name = |octet: u8| Some(Box::from([octet]));
        let expected = NamesIn {
            email_address: name(b'e'),
            display_name: name(b'd'),
            simple_display_name: name(b's'),
            transmittable_display_name: name(b't'),
        };
        assert_eq!(
            (row.address, row.names),
            (Address::Smtp, Names::Ansi(expected))
        );
    }

    #[test]
    fn flags_that_say_nothing_about_fields_are_kept() {
        // An address type is spelt out only beside no type.
        let row = check(&[0xc3, 0xf9, 0, 0, 0]);
        assert_eq!(row.flags, 0xf9c0);
        let row = check(&[0xc0, 0xf9, b'X', 0, 0, 0, 0]);
        assert_eq!(row.flags, 0x79c0);
        assert_eq!(row.address, Address::Other(Some((*b"X").into())));
    }

    #[test]
    fn a_row_has_no_more_values_than_there_are_columns() {
        let bytes = [3, 2, 3, 0, 0];
        let error = RecipientRow::read(&mut Reader::new(&bytes), &COLUMNS).unwrap_err();
        assert_eq!(
            error.to_string(),
            "at octet 4: expected no more values than recipient columns"
        );
    }
}
