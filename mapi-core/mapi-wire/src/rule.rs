//! Actions of rules. Source: MS-OXORULE 2.2.5.

use crate::{
    cursor::{Reader, Result, Writer},
    value::{Dialect, TaggedValue},
};

/// One action of a rule: what to do with a message that meets the rule's condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Flavor: bits that say how to forward or reply.
    pub flavor: u32,
    /// Reserved for clients.
    pub flags: u32,
    /// What to do.
    pub kind: ActionKind,
}

/// What an action does, with what it needs for it.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionKind {
    /// OP_MOVE, OP_COPY: into a folder.
    Transfer {
        /// Whether the message stays where it is as well.
        copy: bool,
        /// Whether the folder is in the user's own store.
        in_this_store: bool,
        /// The entry id of the store, unless it is this one.
        store: Box<[u8]>,
        /// The folder: a server id in this store, an entry id in another.
        folder: Box<[u8]>,
    },
    /// OP_MOVE, OP_COPY in an extended rule: by entry ids.
    TransferExtended {
        /// Whether the message stays where it is as well.
        copy: bool,
        /// The entry id of the store.
        store: Box<[u8]>,
        /// The entry id of the folder.
        folder: Box<[u8]>,
    },
    /// OP_REPLY, OP_OOF_REPLY: with a template.
    Reply {
        /// Whether it is an out-of-office reply.
        out_of_office: bool,
        /// The template: folder id and message id (16 octets), or in an extended rule an entry id with its length.
        template: Box<[u8]>,
        /// The template's GUID.
        guid: crate::Guid,
    },
    /// OP_DEFER_ACTION: the client does it.
    Defer(Box<[u8]>),
    /// OP_BOUNCE, with its code.
    Bounce(u32),
    /// OP_FORWARD, OP_DELEGATE: to these recipients.
    Forward {
        /// Whether it is sent on as a delegate gets it.
        delegate: bool,
        /// Recipients: an octet that is reserved, and their properties.
        recipients: Vec<(u8, Vec<TaggedValue>)>,
    },
    /// OP_TAG: sets a property.
    Tag(TaggedValue),
    /// OP_DELETE.
    Delete,
    /// OP_MARK_AS_READ.
    MarkAsRead,
}

impl Action {
    pub(crate) fn read_all(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Box<[Self]>> {
        let count = dialect.read_count(reader, "a count of actions")?;
        // An action may hold a property whose value is actions.
        reader.nested(|reader| (0..count).map(|_| Self::read(reader, dialect)).collect())
    }

    pub(crate) fn write_all(actions: &[Self], writer: &mut Writer, dialect: Dialect) {
        dialect.write_count(writer, actions.len());
        for action in actions {
            let mut block = Writer::new();
            action.write(&mut block, dialect);
            dialect.write_count(writer, block.len());
            writer.put(block.as_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Self> {
        let len = dialect.read_count(reader, "the length of an action")?;
        let mut block = reader.window(len, "an action")?;
        let kind = block.u8("a kind of action")?;
        let flavor = block.u32("the flavor of an action")?;
        let flags = block.u32("the flags of an action")?;
        let kind = ActionKind::read(&mut block, kind, dialect)?;
        block.finish("the end of an action")?;
        Ok(Self {
            flavor,
            flags,
            kind,
        })
    }

    fn write(&self, writer: &mut Writer, dialect: Dialect) {
        writer.u8(self.kind.code());
        writer.u32(self.flavor);
        writer.u32(self.flags);
        self.kind.write(writer, dialect);
    }
}

impl ActionKind {
    const fn code(&self) -> u8 {
        match self {
            Self::Transfer { copy: false, .. } | Self::TransferExtended { copy: false, .. } => 1,
            Self::Transfer { copy: true, .. } | Self::TransferExtended { copy: true, .. } => 2,
            Self::Reply {
                out_of_office: false,
                ..
            } => 3,
            Self::Reply {
                out_of_office: true,
                ..
            } => 4,
            Self::Defer(_) => 5,
            Self::Bounce(_) => 6,
            Self::Forward {
                delegate: false, ..
            } => 7,
            Self::Forward { delegate: true, .. } => 8,
            Self::Tag(_) => 9,
            Self::Delete => 10,
            Self::MarkAsRead => 11,
        }
    }

    fn read(block: &mut Reader<'_>, kind: u8, dialect: Dialect) -> Result<Self> {
        Ok(match kind {
            1 | 2 => Self::read_transfer(block, kind == 2, dialect)?,
            3 | 4 => {
                let len = match dialect {
                    Dialect::Rop => 16,
                    Dialect::Extended | Dialect::Nspi => {
                        dialect.read_count(block, "the length of a template's id")?
                    }
                };
                Self::Reply {
                    out_of_office: kind == 4,
                    template: block.take(len, "a template's id")?.into(),
                    guid: crate::Guid::read(block)?,
                }
            }
            5 => Self::Defer(block.rest().into()),
            6 => Self::Bounce(block.u32("a bounce code")?),
            7 | 8 => Self::read_forward(block, kind == 8, dialect)?,
            9 => Self::Tag(TaggedValue::read(block, dialect)?),
            10 => Self::Delete,
            11 => Self::MarkAsRead,
            _ => return Err(block.error("a known kind of action")),
        })
    }

    fn read_transfer(block: &mut Reader<'_>, copy: bool, dialect: Dialect) -> Result<Self> {
        let in_this_store = match dialect {
            Dialect::Rop => block.bool("whether the folder is in this store")?,
            Dialect::Extended | Dialect::Nspi => false,
        };
        let len = dialect.read_count(block, "the length of a store's id")?;
        let store = block.take(len, "a store's id")?.into();
        let len = dialect.read_count(block, "the length of a folder's id")?;
        let folder = block.take(len, "a folder's id")?.into();
        Ok(match dialect {
            Dialect::Rop => Self::Transfer {
                copy,
                in_this_store,
                store,
                folder,
            },
            Dialect::Extended | Dialect::Nspi => Self::TransferExtended {
                copy,
                store,
                folder,
            },
        })
    }

    fn read_forward(block: &mut Reader<'_>, delegate: bool, dialect: Dialect) -> Result<Self> {
        let count = dialect.read_count(block, "a count of recipients")?;
        let mut recipients = Vec::new();
        for _ in 0..count {
            let reserved = block.u8("a reserved octet")?;
            let values = dialect.read_count(block, "a count of recipient properties")?;
            let values = (0..values)
                .map(|_| TaggedValue::read(block, dialect))
                .collect::<Result<_>>()?;
            recipients.push((reserved, values));
        }
        Ok(Self::Forward {
            delegate,
            recipients,
        })
    }

    fn write(&self, writer: &mut Writer, dialect: Dialect) {
        let sized = |writer: &mut Writer, octets: &[u8]| {
            dialect.write_count(writer, octets.len());
            writer.put(octets);
        };
        match self {
            Self::Transfer {
                in_this_store,
                store,
                folder,
                ..
            } => {
                writer.bool(*in_this_store);
                sized(writer, store);
                sized(writer, folder);
            }
            Self::TransferExtended { store, folder, .. } => {
                sized(writer, store);
                sized(writer, folder);
            }
            Self::Reply { template, guid, .. } => {
                if dialect != Dialect::Rop {
                    dialect.write_count(writer, template.len());
                }
                writer.put(template);
                writer.put(&guid.0);
            }
            Self::Defer(data) => writer.put(data),
            Self::Bounce(code) => writer.u32(*code),
            Self::Forward { recipients, .. } => {
                dialect.write_count(writer, recipients.len());
                for (reserved, values) in recipients {
                    writer.u8(*reserved);
                    dialect.write_count(writer, values.len());
                    for value in values {
                        value.write(writer, dialect);
                    }
                }
            }
            Self::Tag(value) => value.write(writer, dialect),
            Self::Delete | Self::MarkAsRead => {}
        }
    }
}
