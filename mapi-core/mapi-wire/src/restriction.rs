//! Restrictions on the wire. Source: MS-OXCDATA 2.12; for NSPI, MS-OXCMAPIHTTP 2.2.1.

use mapi_types::PropTag;

use crate::{
    cursor::{Reader, Result, Writer},
    value::{Dialect, TaggedValue},
};

/// A condition on rows. Nesting is bounded by [`crate::cursor::DEPTH_MAX`].
#[derive(Clone, Debug, PartialEq)]
pub enum Restriction {
    /// All of these.
    And(Vec<Self>),
    /// One of these.
    Or(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// A string or binary value contains another.
    Content {
        /// 0 the whole value, 1 a part, 2 the beginning.
        fuzzy_low: u16,
        /// Bits: 1 without case, 2 without accents, 4 loosely.
        fuzzy_high: u16,
        /// The column.
        tag: PropTag,
        /// What it is compared with.
        value: Operand,
    },
    /// A value compares to another.
    Property {
        /// 0 <, 1 ≤, 2 >, 3 ≥, 4 =, 5 ≠, 6 like, 0x64 member of a distribution list.
        relation: u8,
        /// The column.
        tag: PropTag,
        /// What it is compared with.
        value: Operand,
    },
    /// Two columns compare.
    CompareProperties {
        /// As in `Property`.
        relation: u8,
        /// One column.
        left: PropTag,
        /// The other.
        right: PropTag,
    },
    /// Bits of a value.
    BitMask {
        /// 0: all are zero, 1: one is not.
        relation: u8,
        /// The column.
        tag: PropTag,
        /// The bits.
        mask: u32,
    },
    /// The size of a value.
    Size {
        /// As in `Property`.
        relation: u8,
        /// The column.
        tag: PropTag,
        /// Octets.
        size: u32,
    },
    /// The value is there.
    Exist(PropTag),
    /// A recipient or attachment meets a condition.
    SubObject {
        /// PidTagMessageRecipients or PidTagMessageAttachments.
        tag: PropTag,
        /// The condition.
        condition: Box<Self>,
    },
    /// A condition with values that say nothing about it.
    Comment {
        /// The values.
        values: Vec<TaggedValue>,
        /// The condition, if any.
        condition: Option<Box<Self>>,
    },
    /// The first so many rows that meet a condition.
    Count {
        /// How many.
        count: u32,
        /// The condition.
        condition: Box<Self>,
    },
}

/// The value of a comparison. NSPI says before it whether it is there.
/// Source: MS-OXCMAPIHTTP 2.2.1; gromox answers a request without that octet with an error.
pub type Operand = Box<TaggedValue>;

impl Restriction {
    /// Reads one restriction.
    pub(crate) fn read(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Self> {
        reader.nested(|reader| Self::read_one(reader, dialect))
    }

    fn read_one(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Self> {
        Ok(match reader.u8("a kind of restriction")? {
            0x00 => Self::And(read_all(reader, dialect)?),
            0x01 => Self::Or(read_all(reader, dialect)?),
            0x02 => Self::Not(Box::new(Self::read(reader, dialect)?)),
            0x03 => Self::Content {
                fuzzy_low: reader.u16("a fuzzy level")?,
                fuzzy_high: reader.u16("fuzzy flags")?,
                tag: read_tag(reader)?,
                value: read_operand(reader, dialect)?,
            },
            0x04 => Self::Property {
                relation: read_relation(reader)?,
                tag: read_tag(reader)?,
                value: read_operand(reader, dialect)?,
            },
            0x05 => Self::CompareProperties {
                relation: read_relation(reader)?,
                left: read_tag(reader)?,
                right: read_tag(reader)?,
            },
            0x06 => Self::BitMask {
                relation: read_relation(reader)?,
                tag: read_tag(reader)?,
                mask: reader.u32("a bit mask")?,
            },
            0x07 => Self::Size {
                relation: read_relation(reader)?,
                tag: read_tag(reader)?,
                size: reader.u32("a size")?,
            },
            0x08 => Self::Exist(read_tag(reader)?),
            0x09 => Self::SubObject {
                tag: read_tag(reader)?,
                condition: Box::new(Self::read(reader, dialect)?),
            },
            0x0a => Self::read_comment(reader, dialect)?,
            0x0b => Self::Count {
                count: reader.u32("a row count")?,
                condition: Box::new(Self::read(reader, dialect)?),
            },
            _ => return Err(reader.error("a known kind of restriction")),
        })
    }

    fn read_comment(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Self> {
        let count = reader.u8("a count of values")?;
        let values = (0..count)
            .map(|_| TaggedValue::read(reader, dialect))
            .collect::<Result<_>>()?;
        let condition = match reader.bool("whether a condition follows")? {
            true => Some(Box::new(Self::read(reader, dialect)?)),
            false => None,
        };
        Ok(Self::Comment { values, condition })
    }

    /// Writes it.
    pub(crate) fn write(&self, writer: &mut Writer, dialect: Dialect) {
        writer.u8(self.kind());
        match self {
            Self::And(all) | Self::Or(all) => write_all(writer, all, dialect),
            Self::Not(one) => one.write(writer, dialect),
            Self::Content {
                fuzzy_low,
                fuzzy_high,
                tag,
                value,
            } => {
                writer.u16(*fuzzy_low);
                writer.u16(*fuzzy_high);
                writer.u32(tag.0);
                write_operand(writer, value, dialect);
            }
            Self::Property {
                relation,
                tag,
                value,
            } => {
                write_head(writer, *relation, *tag);
                write_operand(writer, value, dialect);
            }
            Self::CompareProperties {
                relation,
                left: tag,
                right: PropTag(number),
            }
            | Self::BitMask {
                relation,
                tag,
                mask: number,
            }
            | Self::Size {
                relation,
                tag,
                size: number,
            } => {
                write_head(writer, *relation, *tag);
                writer.u32(*number);
            }
            Self::Exist(tag) => writer.u32(tag.0),
            Self::SubObject {
                tag: PropTag(number),
                condition,
            }
            | Self::Count {
                count: number,
                condition,
            } => {
                writer.u32(*number);
                condition.write(writer, dialect);
            }
            Self::Comment { values, condition } => {
                write_comment(writer, values, condition.as_deref(), dialect);
            }
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::And(_) => 0x00,
            Self::Or(_) => 0x01,
            Self::Not(_) => 0x02,
            Self::Content { .. } => 0x03,
            Self::Property { .. } => 0x04,
            Self::CompareProperties { .. } => 0x05,
            Self::BitMask { .. } => 0x06,
            Self::Size { .. } => 0x07,
            Self::Exist(_) => 0x08,
            Self::SubObject { .. } => 0x09,
            Self::Comment { .. } => 0x0a,
            Self::Count { .. } => 0x0b,
        }
    }
}

/// Values beyond the count's octet are left out: they say nothing about the condition.
fn write_comment(
    writer: &mut Writer,
    values: &[TaggedValue],
    condition: Option<&Restriction>,
    dialect: Dialect,
) {
    let count = values.len().min(usize::from(u8::MAX));
    writer.u8(count as u8);
    for value in values.iter().take(count) {
        value.write(writer, dialect);
    }
    writer.bool(condition.is_some());
    if let Some(condition) = condition {
        condition.write(writer, dialect);
    }
}

fn read_tag(reader: &mut Reader<'_>) -> Result<PropTag> {
    Ok(PropTag(reader.u32("a property tag")?))
}

fn read_relation(reader: &mut Reader<'_>) -> Result<u8> {
    reader.u8("a relation")
}

fn read_all(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Vec<Restriction>> {
    let count = dialect.read_count(reader, "a count of restrictions")?;
    (0..count)
        .map(|_| Restriction::read(reader, dialect))
        .collect()
}

fn write_all(writer: &mut Writer, all: &[Restriction], dialect: Dialect) {
    dialect.write_count(writer, all.len());
    for one in all {
        one.write(writer, dialect);
    }
}

fn write_head(writer: &mut Writer, relation: u8, tag: PropTag) {
    writer.u8(relation);
    writer.u32(tag.0);
}

fn read_operand(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Operand> {
    if dialect == Dialect::Nspi && !reader.bool("whether a value follows")? {
        return Err(reader.error("a value to compare with"));
    }
    Ok(Box::new(TaggedValue::read(reader, dialect)?))
}

fn write_operand(writer: &mut Writer, value: &TaggedValue, dialect: Dialect) {
    if dialect == Dialect::Nspi {
        writer.u8(0xff);
    }
    value.write(writer, dialect);
}
