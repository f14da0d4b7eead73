//! What a FETCH needs, computed once for all its messages.

use account::{
    Facts, Size,
    mime::{SectionKind, header::Select},
};
use imap_wire::{
    Partial, Section, SectionText,
    command::fetch::{Fetch, FetchItem},
};

use crate::reply::Failure;

/// How to answer a FETCH.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What to write for each message, in this order.
    pub(crate) items: Vec<PlanItem>,
    /// Facts that are read for each message; `None` when the index says everything.
    pub(crate) facts: Option<Facts>,
    /// Whether messages become `\Seen`.
    pub(crate) marks_seen: bool,
    /// Whether octets of messages are read.
    pub(crate) reads_octets: bool,
    /// Whether the sizes of messages matter; those that the index does not know come with the facts.
    pub(crate) needs_size: bool,
}

/// One item of every response.
#[derive(Debug)]
pub(crate) enum PlanItem {
    /// `UID`
    Uid,
    /// `FLAGS`
    Flags,
    /// `INTERNALDATE`
    InternalDate,
    /// `RFC822.SIZE`
    Size,
    /// `MODSEQ`
    ModSeq,
    /// `ENVELOPE`
    Envelope,
    /// `BODYSTRUCTURE`, or `BODY` when not extended.
    Structure {
        /// With extension data.
        extended: bool,
    },
    /// Octets of the message.
    Octets(Octets),
}

/// Octets of a message.
#[derive(Debug)]
pub(crate) struct Octets {
    /// How they are called.
    pub(crate) label: Label,
    /// Which.
    pub(crate) what: What,
    /// Which of those.
    pub(crate) partial: Option<Partial>,
}

/// What an item of octets is called in the response.
#[derive(Debug)]
pub(crate) enum Label {
    /// `BODY[…]`: what stands between the brackets.
    Body(Box<str>),
    /// One of the old names.
    Rfc822(&'static str),
}

/// Which octets.
#[derive(Debug)]
pub(crate) enum What {
    /// All of them.
    Whole,
    /// The message's own header.
    Header,
    /// Some fields of the message's own header.
    Fields(Fields),
    /// A part of the part tree.
    Part {
        /// Part numbers.
        path: Vec<u32>,
        /// What of it.
        kind: SectionKind,
    },
    /// Some fields of the header of a message within the message.
    PartFields {
        /// Part numbers.
        path: Vec<u32>,
        /// Which fields.
        fields: Fields,
    },
}

/// Header fields by name.
#[derive(Debug)]
pub(crate) struct Fields {
    /// The names.
    pub(crate) names: Vec<Box<[u8]>>,
    /// Those, or all others.
    pub(crate) which: Select,
}

impl Plan {
    /// The plan for a command. `mod_seq`: MODSEQ is due though not asked for.
    pub(crate) fn new(fetch: &Fetch, mod_seq: bool) -> Result<Self, Failure> {
        let mut plan = Self {
            items: Vec::new(),
            facts: None,
            marks_seen: false,
            reads_octets: false,
            needs_size: false,
        };
        if fetch.uid && !fetch.items.contains(&FetchItem::Uid) {
            plan.items.push(PlanItem::Uid);
        }
        for (index, item) in fetch.items.iter().enumerate() {
            // An item asked for twice is answered once.
            let earlier = fetch.items.get(..index).unwrap_or_default();
            if !earlier.contains(item) {
                plan.add(item)?;
            }
        }
        if mod_seq && !fetch.items.contains(&FetchItem::ModSeq) {
            plan.items.push(PlanItem::ModSeq);
        }
        Ok(plan)
    }

    /// Whether the index alone answers, which knows this many sizes not.
    pub(crate) const fn is_plain(&self, sizes_unknown: u32) -> bool {
        self.facts.is_none() && !self.reads_octets && !(self.needs_size && sizes_unknown > 0)
    }

    /// Whether something is needed of a message beyond what the index knows: facts, or its size.
    pub(crate) const fn needs_facts(&self, size: Size) -> bool {
        self.facts.is_some() || (self.needs_size && size.known().is_none())
    }

    /// Whether FLAGS are among the items.
    pub(crate) fn has_flags(&self) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item, PlanItem::Flags))
    }

    /// Whether MODSEQ is among the items.
    pub(crate) fn has_mod_seq(&self) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item, PlanItem::ModSeq))
    }

    fn add(&mut self, item: &FetchItem) -> Result<(), Failure> {
        let planned = match item {
            FetchItem::Uid => PlanItem::Uid,
            FetchItem::Flags => PlanItem::Flags,
            FetchItem::InternalDate => PlanItem::InternalDate,
            FetchItem::Rfc822Size => {
                self.needs_size = true;
                PlanItem::Size
            }
            FetchItem::ModSeq => PlanItem::ModSeq,
            FetchItem::Envelope => {
                self.need(Facts::ENVELOPE);
                PlanItem::Envelope
            }
            FetchItem::Body => self.structure(false),
            FetchItem::BodyStructure => self.structure(true),
            FetchItem::Rfc822 => {
                self.marks_seen = true;
                self.octets(Label::Rfc822("RFC822"), What::Whole, None)
            }
            FetchItem::Rfc822Header => {
                self.octets(Label::Rfc822("RFC822.HEADER"), What::Header, None)
            }
            FetchItem::Rfc822Text => {
                self.marks_seen = true;
                let what = What::Part {
                    path: Vec::new(),
                    kind: SectionKind::Text,
                };
                self.octets(Label::Rfc822("RFC822.TEXT"), what, None)
            }
            FetchItem::BodySection(body) => {
                self.marks_seen |= !body.peek;
                let label = Label::Body(body.section.label.clone());
                self.octets(label, what(&body.section), body.partial)
            }
            FetchItem::Binary(_)
            | FetchItem::BinarySize(_)
            | FetchItem::EmailId
            | FetchItem::ThreadId
            | FetchItem::Preview(_)
            | FetchItem::SaveDate => return Err(Failure::bad("FETCH item not supported")),
        };
        self.items.push(planned);
        Ok(())
    }

    fn structure(&mut self, extended: bool) -> PlanItem {
        self.need(Facts::STRUCTURE);
        PlanItem::Structure { extended }
    }

    fn octets(&mut self, label: Label, what: What, partial: Option<Partial>) -> PlanItem {
        match &what {
            What::Whole => {
                self.reads_octets = true;
                self.needs_size = true;
            }
            What::Header | What::Fields(_) => self.need(Facts::HEADER),
            What::Part { .. } | What::PartFields { .. } => {
                self.reads_octets = true;
                self.need(Facts::STRUCTURE);
            }
        }
        PlanItem::Octets(Octets {
            label,
            what,
            partial,
        })
    }

    fn need(&mut self, facts: Facts) {
        self.facts = Some(self.facts.unwrap_or_default() | facts);
    }
}

fn what(section: &Section) -> What {
    let path: Vec<u32> = section.parts.iter().map(|number| number.get()).collect();
    let kind = match &section.text {
        None if path.is_empty() => return What::Whole,
        Some(SectionText::Header) if path.is_empty() => return What::Header,
        Some(SectionText::HeaderFields(names)) => {
            return fields(path, Fields::new(names, Select::Only));
        }
        Some(SectionText::HeaderFieldsNot(names)) => {
            return fields(path, Fields::new(names, Select::Not));
        }
        None => SectionKind::Body,
        Some(SectionText::Header) => SectionKind::Header,
        Some(SectionText::Text) => SectionKind::Text,
        Some(SectionText::Mime) => SectionKind::Mime,
    };
    What::Part { path, kind }
}

fn fields(path: Vec<u32>, fields: Fields) -> What {
    if path.is_empty() {
        What::Fields(fields)
    } else {
        What::PartFields { path, fields }
    }
}

impl Fields {
    fn new(names: &[Box<str>], which: Select) -> Self {
        Self {
            names: names.iter().map(|name| name.as_bytes().into()).collect(),
            which,
        }
    }
}
