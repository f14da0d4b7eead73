//! LIST, LSUB, STATUS and NAMESPACE responses.

use super::Writer;
use super::text::{write_astring, write_line_text, write_mailbox, write_number, write_quoted};
use crate::command::mailbox::SpecialUse;
use crate::command::status::StatusAttribute;

/// An attribute of a LIST response (RFC 3501 7.2.2, RFC 5258, RFC 3348).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListAttribute<'a> {
    /// `\Noselect`: not selectable.
    NoSelect,
    /// `\NonExistent`: there is no such mailbox; implies `\Noselect`.
    NonExistent,
    /// `\Noinferiors`: no children now or ever.
    NoInferiors,
    /// `\HasChildren`
    HasChildren,
    /// `\HasNoChildren`
    HasNoChildren,
    /// `\Marked`
    Marked,
    /// `\Unmarked`
    Unmarked,
    /// `\Subscribed`
    Subscribed,
    /// `\Remote`
    Remote,
    /// A special use, such as `\Sent`.
    SpecialUse(&'a SpecialUse),
}

impl ListAttribute<'_> {
    fn name(&self) -> &str {
        match self {
            Self::NoSelect => "Noselect",
            Self::NonExistent => "NonExistent",
            Self::NoInferiors => "Noinferiors",
            Self::HasChildren => "HasChildren",
            Self::HasNoChildren => "HasNoChildren",
            Self::Marked => "Marked",
            Self::Unmarked => "Unmarked",
            Self::Subscribed => "Subscribed",
            Self::Remote => "Remote",
            Self::SpecialUse(special_use) => special_use.name(),
        }
    }
}

/// One mailbox of a LIST or LSUB answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListItem<'a> {
    /// Its attributes.
    pub attributes: &'a [ListAttribute<'a>],
    /// The hierarchy separator, ASCII; `None` for a flat name.
    pub separator: Option<u8>,
    /// The name in UTF-8.
    pub mailbox: &'a str,
    /// `CHILDINFO ("SUBSCRIBED")`: what matched is below this name (RFC 5258 3.5).
    pub child_subscribed: bool,
}

/// A namespace: a prefix and its separator (RFC 2342).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamespaceItem<'a> {
    /// The prefix in UTF-8, with its separator at the end unless empty.
    pub prefix: &'a str,
    /// The hierarchy separator, ASCII.
    pub separator: Option<u8>,
}

impl Writer<'_> {
    /// `* LIST (…) "/" name`
    pub fn list(&mut self, item: &ListItem<'_>) {
        self.list_as(b"* LIST (", item);
    }

    /// `* LSUB (…) "/" name`
    pub fn lsub(&mut self, item: &ListItem<'_>) {
        self.list_as(b"* LSUB (", item);
    }

    fn list_as(&mut self, start: &[u8], item: &ListItem<'_>) {
        self.out.extend_from_slice(start);
        for (index, attribute) in item.attributes.iter().enumerate() {
            self.out
                .extend_from_slice(if index == 0 { b"\\" } else { b" \\" });
            write_line_text(self.out, attribute.name());
        }
        self.out.extend_from_slice(b") ");
        self.separator(item.separator);
        self.out.push(b' ');
        write_mailbox(self.out, item.mailbox, self.utf8);
        if item.child_subscribed {
            self.out.extend_from_slice(b" (CHILDINFO (\"SUBSCRIBED\"))");
        }
        self.out.extend_from_slice(b"\r\n");
    }

    fn separator(&mut self, separator: Option<u8>) {
        match separator {
            Some(separator) => write_quoted(self.out, &[separator]),
            None => self.out.extend_from_slice(b"NIL"),
        }
    }

    /// `* STATUS name (…)`: attributes that are numbers, in the order given.
    pub fn status(&mut self, mailbox: &str, values: &[(StatusAttribute, u64)]) {
        self.out.extend_from_slice(b"* STATUS ");
        write_mailbox(self.out, mailbox, self.utf8);
        self.out.extend_from_slice(b" (");
        for (index, (attribute, value)) in values.iter().enumerate() {
            if index > 0 {
                self.out.push(b' ');
            }
            self.out.extend_from_slice(attribute.name().as_bytes());
            self.out.push(b' ');
            write_number(self.out, *value);
        }
        self.out.extend_from_slice(b")\r\n");
    }

    /// `* QUOTAROOT mailbox root…` (RFC 9208 5.2)
    pub fn quota_root(&mut self, mailbox: &str, roots: &[&str]) {
        self.out.extend_from_slice(b"* QUOTAROOT ");
        write_mailbox(self.out, mailbox, self.utf8);
        for root in roots {
            self.out.push(b' ');
            write_astring(self.out, root.as_bytes());
        }
        self.out.extend_from_slice(b"\r\n");
    }

    /// `* QUOTA root (resource usage limit …)` (RFC 9208 5.1)
    pub fn quota(&mut self, root: &str, resources: &[(&str, u64, u64)]) {
        self.out.extend_from_slice(b"* QUOTA ");
        write_astring(self.out, root.as_bytes());
        self.out.extend_from_slice(b" (");
        for (index, (name, usage, limit)) in resources.iter().enumerate() {
            if index > 0 {
                self.out.push(b' ');
            }
            self.out.extend_from_slice(name.as_bytes());
            for number in [usage, limit] {
                self.out.push(b' ');
                write_number(self.out, *number);
            }
        }
        self.out.extend_from_slice(b")\r\n");
    }

    /// `* NAMESPACE personal other shared`; an empty list becomes `NIL`.
    pub fn namespace(
        &mut self,
        personal: &[NamespaceItem<'_>],
        other_users: &[NamespaceItem<'_>],
        shared: &[NamespaceItem<'_>],
    ) {
        self.out.extend_from_slice(b"* NAMESPACE");
        for group in [personal, other_users, shared] {
            self.out.push(b' ');
            if group.is_empty() {
                self.out.extend_from_slice(b"NIL");
                continue;
            }
            self.out.push(b'(');
            for item in group {
                self.out.push(b'(');
                write_mailbox(self.out, item.prefix, self.utf8);
                self.out.push(b' ');
                self.separator(item.separator);
                self.out.push(b')');
            }
            self.out.push(b')');
        }
        self.out.extend_from_slice(b"\r\n");
    }
}
