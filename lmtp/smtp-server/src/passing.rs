//! A message's way through the pipeline, between its last octet and the reply.

use account::{Passage, Spooled, envelope::Envelope};
use front_end::TlsState;
use pipeline::{Answer, Client, Direction, Passing};

use crate::{connection::Connection, reply::Reply, session::Session};

/// What a client is told about a message: one of our own replies, or what a step of the pipeline says.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Reply(Reply),
    Answer(Answer),
}

impl Told {
    pub(crate) fn is_error(&self) -> bool {
        match self {
            Self::Reply(reply) => reply.is_error(),
            Self::Answer(_) => true,
        }
    }

    pub(crate) fn queue(&self, connection: &mut Connection) {
        match self {
            Self::Reply(reply) => connection.reply(*reply),
            Self::Answer(answer) => connection.text(&format!("{answer}\r\n")),
        }
    }
}

impl From<Reply> for Told {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

impl Session<'_> {
    /// What the pipeline is told of a message on its way to some recipients.
    pub(crate) fn passing(
        &self,
        direction: Direction,
        (envelope, id): (&Envelope, &str),
        message: (&Spooled, Passage),
        recipients: Vec<String>,
    ) -> Passing {
        let client = Client {
            address: self.peer.addr,
            name: self.client_name.clone().unwrap_or_default(),
            user: self.principal.as_ref().map(|one| one.user.clone()),
            is_encrypted: self.peer.tls == TlsState::Active,
        };
        Passing {
            hostname: self.server.config.hostname.clone(),
            id: id.to_owned(),
            sender: envelope.sender.clone(),
            ..Passing::new(direction, client, message, recipients)
        }
    }
}
