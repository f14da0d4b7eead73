//! APPEND of one message or several (RFC 3501 6.3.11, RFC 3502, RFC 4315, RFC 7889).
//!
//! Messages go into the account's spool as they arrive, before the command is complete: [`Arriving`] collects them.

use std::time::SystemTime;

use account::{FileTime, NewItem, Spool, Spooled};
use imap_wire::{
    Code, LiteralHeader,
    command::append::{Append, AppendData, AppendMessage},
};

use crate::{
    Server,
    flags::FlagSet,
    mailboxes,
    reply::{Done, DoneCode, Failure, Reply},
    state::{Authenticated, Talk},
    uid_validity,
};

/// The messages of an APPEND that is still being read.
#[derive(Default)]
pub(crate) struct Arriving {
    /// The literal being read.
    current: Option<(usize, Spool)>,
    /// Messages that are complete, by the number of their literal.
    complete: Vec<(usize, Spooled)>,
    /// Octets announced so far.
    octets: u64,
    /// What went wrong first; the rest is read and thrown away.
    pub(crate) failure: Option<Failure>,
}

impl Arriving {
    /// Makes ready for a message; `false` when it must not be sent.
    pub(crate) fn expect(&mut self, server: &Server, header: LiteralHeader) -> bool {
        self.octets = self.octets.saturating_add(header.len);
        if header.len > server.config.append_bytes_max {
            self.failure.get_or_insert(too_big());
        } else if self.octets > server.config.append_command_bytes_max {
            self.failure
                .get_or_insert(Failure::no(Code::Limit, "too much at once"));
        } else if self.complete.len() >= server.config.append_messages_max {
            self.failure
                .get_or_insert(Failure::no(Code::Limit, "too many messages at once"));
        }
        if self.failure.is_some() {
            // A client that waits is told at once; one that does not is heard out.
            return !header.sync && header.len <= server.config.append_bytes_max;
        }
        self.current = Some((header.index, server.logins.accounts().spool()));
        true
    }

    /// Takes octets of the message, which is complete with the last ones.
    pub(crate) async fn take(&mut self, octets: &[u8], last: bool) {
        let Some((index, mut spool)) = self.current.take() else {
            return;
        };
        if let Err(error) = spool.write(octets).await {
            self.failure.get_or_insert(error.into());
            return;
        }
        if !last {
            self.current = Some((index, spool));
            return;
        }
        match spool.finish().await {
            Ok(message) => self.complete.push((index, message)),
            Err(error) => {
                self.failure.get_or_insert(error.into());
            }
        }
    }

    fn message(&self, index: usize) -> Option<&Spooled> {
        self.complete
            .iter()
            .find(|(other, _)| *other == index)
            .map(|(_, message)| message)
    }
}

/// Files the messages, all or none.
pub(super) async fn run(
    talk: &mut Talk<'_>,
    user: &Authenticated,
    command: Append,
    arriving: Option<Box<Arriving>>,
) -> Reply {
    let arriving = arriving.map(|arriving| *arriving).unwrap_or_default();
    let tree = user.account.folders().await?;
    let Some(folder) = mailboxes::find(&tree, command.mailbox.as_str()) else {
        return Err(Failure::no(Code::TryCreate, "no such mailbox"));
    };
    if let Some(failure) = arriving.failure {
        return Err(failure);
    }
    if command.messages.len() > talk.server.config.append_messages_max {
        return Err(Failure::no(Code::Limit, "too many messages at once"));
    }
    let now = FileTime::from(SystemTime::now());
    let mut items = Vec::with_capacity(command.messages.len());
    for message in command.messages {
        items.push(new_item(talk, &arriving, message, now).await?);
    }
    let saved = user.account.append(folder.id, items).await?;
    let code = match uid_validity::after_write(user, folder).await {
        Some(uid_validity) => DoneCode::AppendUid {
            uid_validity,
            uids: saved.iter().map(|saved| saved.number.0).collect(),
        },
        None => DoneCode::None,
    };
    Ok(Done {
        code,
        text: "APPEND completed",
    })
}

async fn new_item(
    talk: &Talk<'_>,
    arriving: &Arriving,
    message: AppendMessage,
    now: FileTime,
) -> Result<NewItem, Failure> {
    let Ok(set) = FlagSet::new(&message.flags) else {
        return Err(Failure::bad("no such flag can be set"));
    };
    let spooled = match message.data {
        AppendData::Streamed { index, .. } => arriving.message(index).cloned(),
        AppendData::Inline(octets) if octets.len() as u64 > talk.server.config.append_bytes_max => {
            return Err(too_big());
        }
        AppendData::Inline(octets) => {
            let mut spool = talk.server.logins.accounts().spool();
            spool.write(&octets).await?;
            Some(spool.finish().await?)
        }
    };
    let Some(content) = spooled else {
        return Err(Failure::no(Code::ServerBug, "the message was not kept"));
    };
    if content.is_empty() {
        // RFC 3502 6.3.11: an empty message cancels the command.
        return Err(Failure::no(Code::Cannot, "an empty message cannot be kept"));
    }
    let received = message
        .date
        .map_or(now, |date| FileTime::from_unix(date.unix_seconds()));
    Ok(NewItem {
        message: content,
        flags: set.flags,
        keywords: set.categories,
        received,
        once: None,
    })
}

fn too_big() -> Failure {
    Failure::no(Code::TooBig, "the message is too big")
}
