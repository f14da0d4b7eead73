//! `--demo`: two mailboxes with a hundred varied messages each, to try the gateway out.

mod messages;

use std::time::SystemTime;

use account::{Account, ErrorKind, FileTime, Flags, MailboxId, NewItem, Principal, Role};

use crate::{
    command::administration::Administration,
    config::Config,
    failure::{Doing, Failure, Result},
    serve::say,
};

/// Who lives in the demo.
const USERS: [&str; 2] = ["alice@example.test", "bob@example.test"];

/// Refuses to show well-known mailboxes to a network.
pub(crate) fn require_loopback(config: &Config) -> Result<()> {
    let open = config.listen.sockets().into_iter().find(|(_, address)| {
        address
            .parse::<std::net::SocketAddr>()
            .is_ok_and(|address| !address.ip().is_loopback())
    });
    match open {
        Some((name, address)) => Err(Failure::new(format!(
            "--demo listens on loopback only, and listen.{name} is {address}"
        ))),
        None => Ok(()),
    }
}

/// Makes the mailboxes that are not there yet, gives both users new passwords, and says how to connect.
pub(crate) async fn fill(config: &Config, administration: &Administration) -> Result<()> {
    for user in USERS {
        let password =
            directory::generate_password().doing(|| "making up a password".to_owned())?;
        administration.ensure_user(user, &password).await?;
        let principal = Principal {
            user: user.to_owned(),
        };
        let account = administration
            .accounts()
            .open(&principal, &MailboxId(user.to_owned()))
            .await
            .doing(|| format!("opening {user}"))?;
        fill_mailbox(administration, &account, user)
            .await
            .doing(|| format!("filling {user}"))?;
        say(&format!("demo user {user} password {password}"))?;
    }
    say(&format!(
        "Thunderbird: add an account, configure manually: IMAP, server and port {}, STARTTLS, normal password,",
        config.listen.imap
    ))?;
    say("user name the whole address; accept the self-signed certificate.")?;
    match config.listen.pop3.as_str() {
        "" => Ok(()),
        place => say(&format!(
            "POP3 programs: {place}, STARTTLS, the same name and password"
        )),
    }
}

async fn fill_mailbox(
    administration: &Administration,
    account: &Account,
    user: &str,
) -> account::Result<()> {
    let folders = account.folders().await?;
    let role = |role| {
        folders
            .role(role)
            .ok_or_else(|| account::Error::new(ErrorKind::NotFound, "special folder"))
    };
    if role(Role::Inbox)?.items > 0 {
        return Ok(());
    }
    let now = FileTime::from(SystemTime::now()).unix();
    let mut inbox = Vec::new();
    let mut sent = Vec::new();
    for message in messages::all(user, now) {
        let mut spool = administration.accounts().spool();
        spool.write(message.text.as_bytes()).await?;
        let flags = if message.seen {
            Flags::SEEN
        } else {
            Flags::default()
        };
        let flags = if message.flagged {
            flags | Flags::FLAGGED
        } else {
            flags
        };
        let item = NewItem {
            message: spool.finish().await?,
            flags,
            keywords: message.keyword.map(Box::from).into_iter().collect(),
            received: FileTime::from_unix(message.received),
            once: None,
        };
        if message.sent {
            sent.push(item)
        } else {
            inbox.push(item)
        }
    }
    account.append(role(Role::Inbox)?.id, inbox).await?;
    account.append(role(Role::SentItems)?.id, sent).await?;
    Ok(())
}
