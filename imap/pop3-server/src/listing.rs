//! STAT, LIST and UIDL: what is there (RFC 1939 5 and 7).

use std::fmt::Write as _;

use account::{Epoch, ItemNumber};
use front_end::Connection;

use crate::{
    Server,
    command::MessageNumber,
    maildrop::Maildrop,
    reply::{self, Done, Failure, Reply},
};

/// `STAT`
pub(crate) async fn stat(server: &Server, maildrop: &mut Maildrop) -> Reply {
    maildrop.measure(server).await?;
    Ok(Done::Line(
        format!("{} {}", maildrop.count(), maildrop.total()).into(),
    ))
}

/// `LIST [message]`
pub(crate) async fn list(
    server: &Server,
    connection: &mut Connection,
    maildrop: &mut Maildrop,
    number: Option<MessageNumber>,
) -> Reply {
    if let Some(number) = number {
        let message = maildrop.message(number)?;
        let size = maildrop.measure_one(&message.item).await?;
        return Ok(Done::Line(format!("{number} {}", size.unwrap_or(0)).into()));
    }
    maildrop.measure(server).await?;
    let text = format!(
        "{} messages ({} octets)",
        maildrop.count(),
        maildrop.total()
    );
    write(connection, maildrop, &text, |line, maildrop, item| {
        let size = maildrop
            .index
            .item(item)
            .map_or(0, |item| maildrop.size(item));
        // Writing to a string cannot fail.
        let _ = write!(line, "{size}");
    })
    .await
}

/// `UIDL [message]`
pub(crate) async fn uidl(
    connection: &mut Connection,
    maildrop: &Maildrop,
    number: Option<MessageNumber>,
) -> Reply {
    let epoch = maildrop.index.epoch();
    if let Some(number) = number {
        let message = maildrop.message(number)?;
        let id = UniqueId(epoch, message.item.number);
        return Ok(Done::Line(format!("{number} {id}").into()));
    }
    write(
        connection,
        maildrop,
        "unique ids follow",
        |line, _, item| {
            let _ = write!(line, "{}", UniqueId(epoch, item));
        },
    )
    .await
}

/// A message's name for ever: the epoch and the number of its item. Numbers are given out once within an epoch, and
/// no epoch comes twice. Source: RFC 1939 7 (1 to 70 characters from `!` to `~`).
struct UniqueId(Epoch, ItemNumber);

impl std::fmt::Display for UniqueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(Epoch(epoch), ItemNumber(number)) = self;
        write!(f, "{epoch}.{number}")
    }
}

/// Writes a line for each message.
async fn write(
    connection: &mut Connection,
    maildrop: &Maildrop,
    text: &str,
    each: impl Fn(&mut String, &Maildrop, ItemNumber),
) -> Reply {
    reply::ok(connection.out(), text);
    let mut line = String::new();
    for message in maildrop.messages() {
        line.clear();
        let _ = write!(line, "{} ", message.position + 1);
        each(&mut line, maildrop, message.item.number);
        line.push_str("\r\n");
        connection.out().extend_from_slice(line.as_bytes());
        connection.flush_if_full().await.map_err(Failure::Io)?;
    }
    connection.out().extend_from_slice(b".\r\n");
    Ok(Done::Written)
}
