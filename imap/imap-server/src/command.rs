//! Commands: one file each. This file knows which state each of them needs.

pub(crate) mod append;
mod authenticate;
mod close;
mod copy;
mod create;
mod delete;
mod enable;
mod expunge;
mod fetch;
mod id;
mod idle;
mod list;
mod quota;
mod rename;
mod search;
mod select;
pub(crate) mod starttls;
mod status;
mod store;
mod subscribe;

use imap_wire::{CommandBody, MessageSet, SequenceSet, Status, Tag, response::NamespaceItem};

use crate::{
    capability, mailbox_name,
    reply::{Done, Failure, Reply},
    session::Session,
    state::{Access, State, Talk},
    sync,
    view::Expunges,
};

/// Carries out a command, then writes what else happened in the selected mailbox.
pub(crate) async fn run(
    session: &mut Session<'_>,
    tag: &Tag,
    body: CommandBody,
    arriving: Option<Box<append::Arriving>>,
) -> Reply {
    let expunges = expunges_after(&body);
    let reply = match body {
        CommandBody::Append(append) => {
            let Some((mut talk, user)) = parts(session) else {
                return Err(log_in_first());
            };
            Box::pin(append::run(&mut talk, user, append, arriving)).await
        }
        body => any_state(session, tag, body).await,
    };
    if matches!(reply, Err(Failure::Io(_) | Failure::Bye(_))) {
        return reply;
    }
    if let State::Selected(user, mailbox) = &mut session.state {
        let mut talk = Talk {
            server: session.server,
            connection: &mut session.connection,
        };
        Box::pin(sync::sync(&mut talk, user, mailbox, expunges, &sync::news)).await?;
    }
    reply
}

/// FETCH, STORE and SEARCH by sequence number must not change the numbering (RFC 3501 7.4.1). UID FETCH may, but
/// Thunderbird 153 overlooks an EXPUNGE in the answer to its fetch of a body, and goes on showing what is gone.
const fn expunges_after(body: &CommandBody) -> Expunges {
    match body {
        CommandBody::Fetch(_) => Expunges::Hold,
        CommandBody::Store(store) if !store.uid => Expunges::Hold,
        CommandBody::Search(search) if !search.uid => Expunges::Hold,
        _ => Expunges::Announce,
    }
}

async fn any_state(session: &mut Session<'_>, tag: &Tag, body: CommandBody) -> Reply {
    match body {
        CommandBody::Capability => {
            let names = capability::names(session.server, &session.peer, &session.state);
            session.connection.writer().capability(&names);
            Ok(Done::new("CAPABILITY completed"))
        }
        CommandBody::Noop => Ok(Done::new("NOOP completed")),
        CommandBody::Logout => {
            session
                .connection
                .writer()
                .untagged(Status::Bye, None, "logging out");
            session.state = State::Over;
            Ok(Done::new("LOGOUT completed"))
        }
        CommandBody::Id(pairs) => Ok(id::run(session, &pairs)),
        CommandBody::Authenticate(command) => {
            Box::pin(authenticate::authenticate(session, command)).await
        }
        CommandBody::Login(command) => Box::pin(authenticate::login(session, command)).await,
        CommandBody::Select(command) => {
            Box::pin(select::run(session, command, Access::ReadWrite)).await
        }
        CommandBody::Examine(command) => {
            Box::pin(select::run(session, command, Access::ReadOnly)).await
        }
        CommandBody::Idle => Box::pin(idle::run(session)).await,
        CommandBody::Close => Box::pin(close::close(session)).await,
        CommandBody::Unselect => close::unselect(session),
        CommandBody::Delete(name) => Box::pin(delete::run(session, name)).await,
        body => logged_in(session, tag, body).await,
    }
}

/// Commands that need a user.
async fn logged_in(session: &mut Session<'_>, tag: &Tag, body: CommandBody) -> Reply {
    let Some((mut talk, user)) = parts(session) else {
        return Err(log_in_first());
    };
    let talk = &mut talk;
    match body {
        CommandBody::Enable(names) => enable::run(session, &names),
        CommandBody::Namespace => {
            let personal = NamespaceItem {
                prefix: "",
                separator: Some(mailbox_name::SEPARATOR as u8),
            };
            talk.connection.writer().namespace(&[personal], &[], &[]);
            Ok(Done::new("NAMESPACE completed"))
        }
        CommandBody::Create(command) => Box::pin(create::run(user, command)).await,
        CommandBody::Rename(command) => Box::pin(rename::run(user, command)).await,
        CommandBody::Subscribe(name) => Box::pin(subscribe::subscribe(user, name)).await,
        CommandBody::Unsubscribe(name) => Box::pin(subscribe::unsubscribe(user, name)).await,
        CommandBody::List(command) => Box::pin(list::list(talk, user, command)).await,
        CommandBody::Lsub(command) => Box::pin(list::lsub(talk, user, command)).await,
        CommandBody::Status(command) => Box::pin(status::run(talk, user, command)).await,
        CommandBody::GetQuota(root) => Box::pin(quota::get_quota(talk, user, &root)).await,
        CommandBody::GetQuotaRoot(name) => Box::pin(quota::get_quota_root(talk, user, &name)).await,
        CommandBody::SetQuota(_) => quota::set_quota(),
        CommandBody::Unauthenticate | CommandBody::Compress(_) | CommandBody::StartTls => {
            Err(Failure::bad("command not supported"))
        }
        body => selected(session, tag, body).await,
    }
}

/// Commands that need a selected mailbox.
async fn selected(session: &mut Session<'_>, tag: &Tag, body: CommandBody) -> Reply {
    let State::Selected(user, mailbox) = &mut session.state else {
        return Err(Failure::bad("select a mailbox first"));
    };
    let talk = &mut Talk {
        server: session.server,
        connection: &mut session.connection,
    };
    match body {
        CommandBody::Check => Ok(Done::new("CHECK completed")),
        CommandBody::Expunge(set) => Box::pin(expunge::run(user, mailbox, set)).await,
        CommandBody::Search(command) => {
            Box::pin(search::run(talk, user, mailbox, (tag, command))).await
        }
        CommandBody::Fetch(command) => Box::pin(fetch::run(talk, user, mailbox, command)).await,
        CommandBody::Store(command) => Box::pin(store::run(talk, user, mailbox, command)).await,
        CommandBody::Copy(command) => Box::pin(copy::copy(user, mailbox, command)).await,
        CommandBody::Move(command) => Box::pin(copy::move_(talk, user, mailbox, command)).await,
        _ => Err(Failure::bad("command not supported")),
    }
}

/// The client and the logged-in user.
fn parts<'a>(
    session: &'a mut Session<'_>,
) -> Option<(Talk<'a>, &'a mut crate::state::Authenticated)> {
    let user = session.state.authenticated()?;
    Some((
        Talk {
            server: session.server,
            connection: &mut session.connection,
        },
        user,
    ))
}

fn log_in_first() -> Failure {
    Failure::bad("log in first")
}

/// The numbers a client wrote; `$` needs SEARCHRES, which is not offered.
fn sequence_set(set: &MessageSet) -> Result<&SequenceSet, Failure> {
    match set {
        MessageSet::Set(set) => Ok(set),
        MessageSet::SavedResult => Err(Failure::bad("search results are not saved")),
    }
}

impl From<crate::view::NoSuchMessage> for Failure {
    fn from(_: crate::view::NoSuchMessage) -> Self {
        Self::bad("no message has that number")
    }
}
