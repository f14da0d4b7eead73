//! SELECT and EXAMINE (RFC 3501 6.3.1 and 6.3.2, RFC 7162 3.1.1 and 3.1.8).

use account::{FolderInfo, Rights};
use imap_wire::{Code, Status, command::select::Select, response::PermanentFlags};

use crate::{
    mailboxes,
    recent::{Claim, Numbers},
    reply::{Done, Failure, Reply},
    session::Session,
    state::{Access, Authenticated, Selected, State, Talk},
    sync,
    view::View,
};

/// Opens a mailbox. Whatever was selected before is not any more, whether this succeeds or not.
pub(super) async fn run(session: &mut Session<'_>, command: Select, wanted: Access) -> Reply {
    let (mut user, was_selected) = match std::mem::replace(&mut session.state, State::Over) {
        State::Authenticated(user) => (user, false),
        State::Selected(user, _) => (user, true),
        other => {
            session.state = other;
            return Err(Failure::bad("log in first"));
        }
    };
    user.condstore |= command.condstore;
    let mut talk = Talk {
        server: session.server,
        connection: &mut session.connection,
    };
    if was_selected && user.condstore {
        // RFC 7162 3.2.11: what follows is about the new mailbox.
        talk.connection.writer().untagged(
            Status::Ok,
            Some(&Code::Closed),
            "previous mailbox closed",
        );
    }
    let opened = open(&mut talk, &user, &command, wanted).await;
    match opened {
        Ok(mailbox) => {
            let done = match mailbox.access {
                Access::ReadOnly => Done::with(Code::ReadOnly, "opened read-only"),
                Access::ReadWrite => Done::with(Code::ReadWrite, "opened"),
            };
            session.state = State::Selected(user, Box::new(mailbox));
            Ok(done)
        }
        Err(failure) => {
            session.state = State::Authenticated(user);
            Err(failure)
        }
    }
}

async fn open(
    talk: &mut Talk<'_>,
    user: &Authenticated,
    command: &Select,
    wanted: Access,
) -> Result<Selected, Failure> {
    if command.qresync.is_some() {
        return Err(Failure::bad("QRESYNC is not enabled"));
    }
    let tree = user.account.folders().await?;
    let Some(folder) = mailboxes::find(&tree, command.mailbox.as_str()) else {
        return Err(Failure::no_mailbox());
    };
    let access = match wanted {
        Access::ReadWrite if may_change(folder) => Access::ReadWrite,
        _ => Access::ReadOnly,
    };
    let index = user.account.index(folder.id).await?;
    let claim = match access {
        Access::ReadWrite => Claim::Take,
        Access::ReadOnly => Claim::Leave,
    };
    let (recent, numbers) = (&talk.server.recent, Numbers::of(&index));
    let announced = recent.look(user.account.mailbox(), folder.id, numbers, claim);
    let mut mailbox = Selected {
        folder: folder.id,
        epoch: index.epoch(),
        access,
        view: View::new(index, announced),
        keywords_told: 0,
    };
    describe(talk, folder, &mut mailbox);
    Ok(mailbox)
}

/// Whether anything in a folder may be changed by this user.
fn may_change(folder: &FolderInfo) -> bool {
    [
        Rights::EDIT_ANY,
        Rights::EDIT_OWNED,
        Rights::DELETE_ANY,
        Rights::DELETE_OWNED,
    ]
    .into_iter()
    .any(|right| folder.rights.allow(right))
}

/// The untagged responses that RFC 3501 6.3.1 and RFC 7162 3.1.2.1 require.
fn describe(talk: &mut Talk<'_>, folder: &FolderInfo, mailbox: &mut Selected) {
    sync::write_flags(talk, mailbox);
    let index = mailbox.view.index();
    let keywords = sync::mailbox_keywords(index);
    let keywords: Vec<&str> = keywords.iter().map(String::as_str).collect();
    let may_edit = folder.rights.allow(Rights::EDIT_ANY) || folder.rights.allow(Rights::EDIT_OWNED);
    let permanent = if mailbox.access == Access::ReadWrite && may_edit {
        PermanentFlags {
            flags: sync::SYSTEM_FLAGS,
            keywords: &keywords,
            new_keywords: true,
        }
    } else {
        PermanentFlags {
            flags: imap_wire::FlagBits::NONE,
            keywords: &[],
            new_keywords: false,
        }
    };
    let first_unseen = index
        .first_unseen()
        .map(|position| mailbox.view.sequence(position));
    let mut writer = talk.connection.writer();
    let mut say = |code: Code<'_>, text| writer.untagged(Status::Ok, Some(&code), text);
    say(Code::PermanentFlags(permanent), "flags that stay");
    if let Some(sequence) = first_unseen {
        say(Code::Unseen(sequence), "first unseen message");
    }
    say(Code::UidValidity(index.epoch().0), "UIDs are valid");
    say(Code::UidNext(index.next_number().0), "next UID");
    // RFC 7162 3.1.2.1: never 0.
    say(
        Code::HighestModSeq(index.version().0.max(1)),
        "highest MODSEQ",
    );
    writer.exists(mailbox.view.len() as u32);
    writer.recent(mailbox.view.recent_count() as u32);
}
