//! The states of a session (RFC 3501 3), each with what it has and no more.

use std::collections::HashMap;

use account::{Account, Epoch, Flags, FolderId, KeywordSetId, KeywordTable};

use crate::{Server, connection::Connection, flags, view::View};

/// Where a session stands.
pub(crate) enum State {
    /// Nobody has logged in.
    NotAuthenticated,
    /// A user has logged in.
    Authenticated(Authenticated),
    /// A mailbox is selected.
    Selected(Authenticated, Box<Selected>),
    /// The session is over, or its state is being changed.
    Over,
}

/// What a logged-in session has.
pub(crate) struct Authenticated {
    /// The user's own mailbox.
    pub(crate) account: Account,
    /// Whether the client asked for CONDSTORE, by ENABLE or by using it (RFC 7162 3.1).
    pub(crate) condstore: bool,
}

/// The mailbox a session has selected.
pub(crate) struct Selected {
    /// The folder behind it.
    pub(crate) folder: FolderId,
    /// What its UIDs are valid for.
    pub(crate) epoch: Epoch,
    /// Whether it may be changed.
    pub(crate) access: Access,
    /// What the client knows of it.
    pub(crate) view: View,
    /// Keywords named in the last FLAGS response.
    pub(crate) keywords_told: usize,
}

/// How a mailbox was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// EXAMINE, or nothing may be changed.
    ReadOnly,
    /// SELECT.
    ReadWrite,
}

/// What command handlers talk through.
pub(crate) struct Talk<'a> {
    /// What all sessions share.
    pub(crate) server: &'a Server,
    /// The client.
    pub(crate) connection: &'a mut Connection,
}

impl State {
    /// The logged-in user's part, in either state that has one.
    pub(crate) const fn authenticated(&mut self) -> Option<&mut Authenticated> {
        match self {
            Self::Authenticated(user) | Self::Selected(user, _) => Some(user),
            Self::NotAuthenticated | Self::Over => None,
        }
    }

    /// Who has logged in.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::Authenticated(user) | Self::Selected(user, _) => {
                Some(&user.account.principal().user)
            }
            Self::NotAuthenticated | Self::Over => None,
        }
    }
}

/// Keywords as they go on the wire, rendered once per set and not per message.
#[derive(Default)]
pub(crate) struct KeywordNames {
    rendered: HashMap<(KeywordSetId, u16), Vec<String>>,
}

impl KeywordNames {
    /// The keywords of an item, by its flags and its set in `table`. One table a cache.
    pub(crate) fn of(
        &mut self,
        flags: Flags,
        set: KeywordSetId,
        table: &KeywordTable,
    ) -> &[String] {
        let extra = flags & (Flags::FORWARDED | Flags::MDN_SENT);
        if set == KeywordSetId::NONE && extra.is_empty() {
            return &[];
        }
        self.rendered
            .entry((set, extra.bits()))
            .or_insert_with(|| flags::keywords(extra, set, table))
    }
}
