//! Whose credentials are: the owner of the mailbox that they opened, or somebody with full access to it.
//!
//! A logon says what may be done in a mailbox, not who asks; and a server may let who has full access connect as the
//! owner. Whoever did would be the owner here: in the sessions that are open, and in every mailbox that the owner may
//! open. So a service is asked that opens the mailbox of whoever asks.

use base64::{Engine, prelude::BASE64_STANDARD};
use mapi_store::{Error, ErrorKind, Result};
use mapi_wire::{
    Guid,
    entry_id::EntryId,
    own_folder::{OwnFolderRequest, OwnFolderResponse},
    web_service::NO_ERROR,
};

use super::{
    Place,
    opening::missing,
    web_service::{self, Answer},
};
use crate::{
    discover::{Reason, Subject},
    session::LoggedOn,
};

/// How it is known whose credentials somebody brings.
pub(super) enum Whose {
    /// The server is asked.
    Unsaid,
    /// They name somebody, by these names.
    Named(Vec<String>),
    /// They are a program's, with a right to all mailboxes.
    Program,
}

/// Whether the credentials of a place are those of the owner of the mailbox they opened.
///
/// Errors: `Denied` and `Unauthenticated` when not; `Unavailable`, `Throttled` when nobody can tell now.
pub(super) async fn check(place: &Place, logon: &LoggedOn, whose: &Whose) -> Result<()> {
    if !logon.owner {
        return Err(not_own());
    }
    match whose {
        Whose::Program => Ok(()),
        Whose::Unsaid => check_by_folder(place, logon).await,
        Whose::Named(names) => match check_names(place, names).await? {
            true => Ok(()),
            false => check_by_folder(place, logon).await,
        },
    }
}

fn not_own() -> Error {
    Error::new(ErrorKind::Denied, "the mailbox is not the user's own")
}

/// Asks for a folder of whoever asks. Where that cannot be asked, it counts whether the user may send as the owner: who
/// has full access may not, unless that was granted beside it.
async fn check_by_folder(place: &Place, logon: &LoggedOn) -> Result<()> {
    let locator = place.locator();
    let found = locator.find(false).await.map_err(missing)?;
    let own = match web_service::beside(&locator, &found) {
        Some(server) => match web_service::ask(&server, OwnFolderRequest.to_xml()).await {
            Answer::Document(document) => {
                OwnFolderResponse::parse(&document).map_or(Own::Unsaid, said)
            }
            Answer::NoService => Own::Unsaid,
            Answer::NotNow => Own::NotNow,
        },
        None => Own::Unsaid,
    };
    let is_own = match own {
        Own::Mailbox(guid) => guid == logon.mailbox_guid,
        Own::Nothing => false,
        Own::Unsaid => logon.may_send_as,
        // A service that is busy with questions of who asks must not let them in by that.
        Own::NotNow => {
            let what = "whose mailbox this is cannot be asked now";
            return Err(Error::new(ErrorKind::Unavailable, what));
        }
    };
    match is_own {
        true => Ok(()),
        false => Err(not_own()),
    }
}

/// What a server says of the mailbox of whoever asks.
#[derive(Debug, Eq, PartialEq)]
enum Own {
    /// It is the one with this GUID.
    Mailbox(Guid),
    /// Who asks has none.
    Nothing,
    /// It does not say such things.
    Unsaid,
    /// It may say so later.
    NotNow,
}

/// Codes of a service that is short of something. Source: MS-OXWSCDATA (ResponseCodeType).
const PASSING: [&str; 4] = [
    "ErrorServerBusy",
    "ErrorInternalServerTransientError",
    "ErrorExceededConnectionCount",
    "ErrorTimeoutExpired",
];

fn said(answer: OwnFolderResponse) -> Own {
    match answer.code.as_str() {
        NO_ERROR => {}
        "ErrorMissingEmailAddress" | "ErrorNonExistentMailbox" => return Own::Nothing,
        code if PASSING.contains(&code) => return Own::NotNow,
        code => {
            tracing::debug!(code, "the server does not say whose mailbox is whose");
            return Own::Unsaid;
        }
    }
    let octets = answer
        .entry_id
        .and_then(|id| BASE64_STANDARD.decode(id).ok());
    match octets.and_then(|octets| EntryId::from_bytes(&octets).ok()) {
        Some(EntryId::Folder(folder)) => Own::Mailbox(folder.provider),
        _ => Own::Unsaid,
    }
}

/// Whether a token that names somebody names the owner of the mailbox it opened; `false`: the server cannot be asked
/// who has a name.
///
/// The server has taken the token by now, so what it says is the issuer's word. Errors: `Unauthenticated` when it names
/// somebody else; `Unavailable`, `Throttled` when nobody can tell now.
async fn check_names(place: &Place, named: &[String]) -> Result<bool> {
    let locator = place.locator();
    let own = locator.find(false).await.map_err(missing)?;
    let mut untold = None;
    for name in named {
        let subject = Subject::Address(name.clone());
        match locator.find_other(&subject, false).await {
            Ok(found) if found.legacy_dn.eq_ignore_ascii_case(&own.legacy_dn) => return Ok(true),
            Ok(_) => {}
            Err(failure) if failure.reason == Reason::NotAsked => return Ok(false),
            Err(failure) => {
                tracing::debug!(%failure, "whom a token names was not found");
                if failure.reason.is_temporary() {
                    untold = Some(failure);
                }
            }
        }
    }
    Err(match untold {
        // The name that was not found may be the owner's.
        Some(failure) => missing(failure),
        None => Error::new(ErrorKind::Unauthenticated, "the token is somebody else's"),
    })
}

#[cfg(test)]
mod tests {
    use mapi_wire::{Gid, entry_id::FolderEntryId};

    use super::*;

    #[test]
    fn a_server_says_which_mailbox_is_that_of_who_asks() {
        let check = |code: &str, entry_id: Option<String>, expected| {
            let answer = OwnFolderResponse {
                code: code.to_owned(),
                entry_id,
            };
            assert_eq!(said(answer), expected, "{code}");
        };
        let guid = Guid([7; 16]);
        let folder = EntryId::Folder(FolderEntryId::private(guid, Gid::default()));
        let id = BASE64_STANDARD.encode(folder.to_bytes());
        check(NO_ERROR, Some(id.clone()), Own::Mailbox(guid));
        check(NO_ERROR, Some("!".to_owned()), Own::Unsaid);
        check(NO_ERROR, Some(String::new()), Own::Unsaid);
        check(NO_ERROR, None, Own::Unsaid);
        check("ErrorServerBusy", Some(id.clone()), Own::NotNow);
        check("ErrorInvalidOperation", Some(id), Own::Unsaid);
        check("ErrorMissingEmailAddress", None, Own::Nothing);
    }
}
