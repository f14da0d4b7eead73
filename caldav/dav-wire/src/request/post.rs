//! What is posted to collections of calendarserver.org's kind: sharing, answers to invitations, publishing.

use super::document;
use crate::error::Result;
use crate::limits::{HREFS_MAX, Limit, Limits};
use crate::name::Namespace;
use crate::xml::{Reader, Start};

/// The body of such a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarServerPost {
    /// Who may use a calendar is changed (caldav-sharing 5.3.2).
    Share(Vec<ShareChange>),
    /// An invitation is answered (caldav-sharing 5.4.1).
    InviteReply(InviteReply),
    /// A calendar is made readable for everybody.
    Publish,
    /// And no longer.
    Unpublish,
}

/// One change of who may use a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareChange {
    /// Somebody may use it, or may now do more or less.
    Set {
        /// Who: a principal's address or a `mailto:`.
        href: String,
        /// The name that the sharer knows.
        common_name: Option<String>,
        /// A name for the calendar, or a text.
        summary: Option<String>,
        /// What they may do.
        access: ShareAccess,
    },
    /// Somebody may no longer use it.
    Remove {
        /// Who.
        href: String,
    },
}

/// What a sharee may do (caldav-sharing 6.12, 6.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShareAccess {
    /// Read.
    Read,
    /// Read and write.
    ReadWrite,
}

/// The answer to an invitation (caldav-sharing 6.22).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteReply {
    /// Who answers, as the invitation named them.
    pub href: Option<String>,
    /// Whether they accept; else they decline.
    pub is_accepted: bool,
    /// The address of the calendar.
    pub host_url: Option<String>,
    /// The invitation's `uid`.
    pub in_reply_to: Option<String>,
    /// A name for the calendar.
    pub summary: Option<String>,
}

impl CalendarServerPost {
    /// Reads a body.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self> {
        document(body, limits, |reader, root| match root.name() {
            (Some(Namespace::CalendarServer), "share") => read_share(reader, root).map(Self::Share),
            (Some(Namespace::CalendarServer), "invite-reply") => {
                InviteReply::read(reader, root).map(Self::InviteReply)
            }
            (Some(Namespace::CalendarServer), "publish-calendar") => Ok(Self::Publish),
            (Some(Namespace::CalendarServer), "unpublish-calendar") => Ok(Self::Unpublish),
            _ => Err(root.expected("share, invite-reply, publish-calendar or unpublish-calendar")),
        })
    }
}

fn read_share(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Vec<ShareChange>> {
    let mut changes = Vec::new();
    while let Some(child) = reader.child(root)? {
        let is_set = match child.name() {
            (Some(Namespace::CalendarServer), "set") => true,
            (Some(Namespace::CalendarServer), "remove") => false,
            _ => continue,
        };
        if changes.len() == HREFS_MAX {
            return Err(child.exceeds(Limit::Hrefs));
        }
        changes.push(ShareChange::read(reader, &child, is_set)?);
    }
    if changes.is_empty() {
        return Err(root.expected("set or remove"));
    }
    Ok(changes)
}

impl ShareChange {
    fn read(reader: &mut Reader<'_>, start: &Start<'_>, is_set: bool) -> Result<Self> {
        let (mut href, mut common_name, mut summary, mut access) = (None, None, None, None);
        while let Some(child) = reader.child(start)? {
            match child.name() {
                (Some(Namespace::Dav), "href") => href = Some(reader.trimmed(&child)?),
                (Some(Namespace::CalendarServer), "common-name") => {
                    common_name = Some(reader.trimmed(&child)?);
                }
                (Some(Namespace::CalendarServer), "summary") => {
                    summary = Some(reader.trimmed(&child)?);
                }
                (Some(Namespace::CalendarServer), "read") => access = Some(ShareAccess::Read),
                (Some(Namespace::CalendarServer), "read-write" | "read-write-schedule") => {
                    access = Some(ShareAccess::ReadWrite);
                }
                _ => {}
            }
        }
        let Some(href) = href.filter(|href| !href.is_empty()) else {
            return Err(start.expected("href"));
        };
        match (is_set, access) {
            (false, _) => Ok(Self::Remove { href }),
            (true, Some(access)) => Ok(Self::Set {
                href,
                common_name,
                summary,
                access,
            }),
            (true, None) => Err(start.expected("read or read-write")),
        }
    }
}

impl InviteReply {
    fn read(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Self> {
        let (mut href, mut accepted, mut host_url) = (None, None, None);
        let (mut in_reply_to, mut summary) = (None, None);
        while let Some(child) = reader.child(root)? {
            match child.name() {
                (Some(Namespace::Dav), "href") => href = Some(reader.trimmed(&child)?),
                (Some(Namespace::CalendarServer), "invite-accepted") => accepted = Some(true),
                (Some(Namespace::CalendarServer), "invite-declined") => accepted = Some(false),
                (Some(Namespace::CalendarServer), "hosturl") => {
                    while let Some(inner) = reader.child(&child)? {
                        if inner.is(Namespace::Dav, "href") {
                            host_url = Some(reader.trimmed(&inner)?);
                        }
                    }
                }
                (Some(Namespace::CalendarServer), "in-reply-to") => {
                    in_reply_to = Some(reader.trimmed(&child)?);
                }
                (Some(Namespace::CalendarServer), "summary") => {
                    summary = Some(reader.trimmed(&child)?);
                }
                _ => {}
            }
        }
        let Some(is_accepted) = accepted else {
            return Err(root.expected("invite-accepted or invite-declined"));
        };
        Ok(Self {
            href,
            is_accepted,
            host_url,
            in_reply_to,
            summary,
        })
    }
}
