//! What a request is, as X-RequestType says. Source: MS-OXCMAPIHTTP 2.2.3.3.1.

use std::{fmt, str::FromStr};

/// Where a request goes. Each has a URL of its own, known from Autodiscover. Source: MS-OXCMAPIHTTP 2.1.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Endpoint {
    /// EMSMDB: the mailbox.
    Mailbox,
    /// NSPI: the address book.
    AddressBook,
}

/// The type of a request and of its response.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RequestType {
    /// Begins a session context of the mailbox.
    Connect,
    /// Carries ROPs.
    Execute,
    /// Ends a session context of the mailbox.
    Disconnect,
    /// Waits for an event.
    NotificationWait,
    /// Keeps a session context of either endpoint alive.
    Ping,
    /// Begins a session context of the address book.
    Bind,
    /// Ends a session context of the address book.
    Unbind,
    /// Compares the places of two entries.
    CompareMIds,
    /// Distinguished names to ids.
    DnToMId,
    /// Entries that meet a condition.
    GetMatches,
    /// Which properties an entry has.
    GetPropList,
    /// Properties of an entry.
    GetProps,
    /// The address lists, or the templates for new addresses.
    GetSpecialTable,
    /// A template of a dialog.
    GetTemplateInfo,
    /// Changes the members of a list.
    ModLinkAtt,
    /// Changes properties.
    ModProps,
    /// Rows of a table.
    QueryRows,
    /// Which columns there are.
    QueryColumns,
    /// Names that a user typed, to entries.
    ResolveNames,
    /// Sorts a restricted table anew.
    ResortRestriction,
    /// The first entry at or after a value.
    SeekEntries,
    /// Moves the place in a table.
    UpdateStat,
    /// Where a mailbox endpoint is.
    GetMailboxUrl,
    /// Where an address-book endpoint is.
    GetAddressBookUrl,
}

impl RequestType {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::Connect,
        Self::Execute,
        Self::Disconnect,
        Self::NotificationWait,
        Self::Ping,
        Self::Bind,
        Self::Unbind,
        Self::CompareMIds,
        Self::DnToMId,
        Self::GetMatches,
        Self::GetPropList,
        Self::GetProps,
        Self::GetSpecialTable,
        Self::GetTemplateInfo,
        Self::ModLinkAtt,
        Self::ModProps,
        Self::QueryRows,
        Self::QueryColumns,
        Self::ResolveNames,
        Self::ResortRestriction,
        Self::SeekEntries,
        Self::UpdateStat,
        Self::GetMailboxUrl,
        Self::GetAddressBookUrl,
    ];

    /// Its name in X-RequestType.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "Connect",
            Self::Execute => "Execute",
            Self::Disconnect => "Disconnect",
            Self::NotificationWait => "NotificationWait",
            Self::Ping => "PING",
            Self::Bind => "Bind",
            Self::Unbind => "Unbind",
            Self::CompareMIds => "CompareMIds",
            Self::DnToMId => "DNToMId",
            Self::GetMatches => "GetMatches",
            Self::GetPropList => "GetPropList",
            Self::GetProps => "GetProps",
            Self::GetSpecialTable => "GetSpecialTable",
            Self::GetTemplateInfo => "GetTemplateInfo",
            Self::ModLinkAtt => "ModLinkAtt",
            Self::ModProps => "ModProps",
            Self::QueryRows => "QueryRows",
            Self::QueryColumns => "QueryColumns",
            Self::ResolveNames => "ResolveNames",
            Self::ResortRestriction => "ResortRestriction",
            Self::SeekEntries => "SeekEntries",
            Self::UpdateStat => "UpdateStat",
            Self::GetMailboxUrl => "GetMailboxUrl",
            Self::GetAddressBookUrl => "GetAddressBookUrl",
        }
    }

    /// The endpoint it belongs to; `None` for PING, which both have.
    pub const fn endpoint(self) -> Option<Endpoint> {
        match self {
            Self::Connect | Self::Execute | Self::Disconnect | Self::NotificationWait => {
                Some(Endpoint::Mailbox)
            }
            Self::Ping => None,
            _ => Some(Endpoint::AddressBook),
        }
    }
}

impl fmt::Display for RequestType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A request type that this end does not know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnknownRequestType;

impl FromStr for RequestType {
    type Err = UnknownRequestType;

    /// Letter case does not count. gromox 3.10 knows QueryColumns only as `QueryColumn`.
    fn from_str(name: &str) -> Result<Self, UnknownRequestType> {
        if name.eq_ignore_ascii_case("QueryColumn") {
            return Ok(Self::QueryColumns);
        }
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name().eq_ignore_ascii_case(name))
            .ok_or(UnknownRequestType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for kind in RequestType::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert_eq!("ping".parse(), Ok(RequestType::Ping));
        assert_eq!("QueryColumn".parse(), Ok(RequestType::QueryColumns));
        assert_eq!("Dance".parse::<RequestType>(), Err(UnknownRequestType));
    }
}
