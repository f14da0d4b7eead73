//! Mailboxes on Exchange, by the stand-in: the gateway killed under load while the server starts anew, its disk full,
//! and secrets nowhere.

mod full;
mod killed;
mod secrets;

use super::{
    Effort,
    kill::new_attempt,
    ledger::{Attempt, Ledger},
};
use crate::{
    failure::{Outcome, ensure},
    imap::Imap,
    random::Random,
    report::Report,
    subject::{Account, Kind, exchange::Server},
};

/// Runs the group.
pub(super) fn run(kind: &Kind, effort: &Effort, report: &mut Report) -> Outcome {
    let binary = match kind {
        Kind::Dragoman { binary } | Kind::Exchange { binary, .. } => binary.clone(),
        Kind::Dovecot | Kind::External => {
            report.note("only Dragoman has mailboxes on Exchange");
            return Ok(());
        }
    };
    let server = Server::standin()?;
    let kind = Kind::Exchange { binary, server };
    killed::run(&kind, effort, report)?;
    full::run(&kind, effort, report)?;
    report.check("no password is in logs, traces, metrics or files", || {
        secrets::run(&kind)
    });
    Ok(())
}

/// One APPEND on a connection of its own; whether it was taken. Another answer than OK and NO is a failure.
fn append(
    port: u16,
    (account, mailbox): (&Account, &str),
    (ledger, size_max): (&mut Ledger, u64),
    random: &mut Random,
) -> Outcome<bool> {
    let id = new_attempt(random).id;
    let mut attempt = Attempt::new(id, size_max, random);
    let mut session = Imap::login(port, account)?;
    let said = session.append(mailbox, "", &attempt.bytes)?;
    attempt.acknowledged = said.is_ok();
    let fair = said.is_ok() || said.is_no();
    ledger.add([attempt]);
    ensure(fair, || said.tagged.clone())?;
    Ok(said.is_ok())
}
