//! SEARCH (RFC 3501 6.4.4) with ESEARCH (RFC 4731), WITHIN (RFC 5032) and MODSEQ (RFC 7162 3.1.5).

mod answer;
mod keys;

use std::time::{SystemTime, UNIX_EPOCH};

use imap_wire::{
    Code, Tag,
    command::search::{Search, SearchKey},
};

use crate::{
    reply::{Done, Failure, Reply},
    state::{Authenticated, Selected, Talk},
    work::Work,
};

/// `SEARCH …`
pub(super) async fn run(
    talk: &mut Talk<'_>,
    user: &mut Authenticated,
    mailbox: &Selected,
    (tag, command): (&Tag, Search),
) -> Reply {
    if let Some(charset) = &command.charset
        && !["US-ASCII", "UTF-8"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(charset))
    {
        return Err(Failure::no(
            Code::BadCharset(&["US-ASCII", "UTF-8"]),
            "unknown charset",
        ));
    }
    if command
        .returns
        .is_some_and(|returns| returns.save || returns.relevancy || returns.partial.is_some())
    {
        return Err(Failure::bad("result option not supported"));
    }
    let by_mod_seq = command.keys.iter().any(names_mod_seq);
    user.condstore |= by_mod_seq;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs() as i64);
    let work = Work::default();
    let finder = keys::Finder {
        user,
        mailbox,
        now,
        work,
    };
    let found = finder.find(&command.keys).await?;
    answer::write(talk, mailbox, (tag, &command), &found, by_mod_seq);
    Ok(Done::new("SEARCH completed"))
}

/// Whether a key asks for MODSEQ, which the answer then tells too.
fn names_mod_seq(key: &SearchKey) -> bool {
    match key {
        SearchKey::ModSeq(_) => true,
        SearchKey::And(keys) => keys.iter().any(names_mod_seq),
        SearchKey::Or(pair) => names_mod_seq(&pair.0) || names_mod_seq(&pair.1),
        SearchKey::Not(key) | SearchKey::Fuzzy(key) => names_mod_seq(key),
        _ => false,
    }
}
