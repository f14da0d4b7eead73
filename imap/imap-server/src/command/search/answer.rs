//! The SEARCH and ESEARCH responses.

use account::ItemState;
use imap_wire::{NumberSet, Tag, command::search::Search, response::SearchResult};

use crate::state::{Selected, Talk};

/// Writes what was found: positions in the view, ascending.
pub(super) fn write(
    talk: &mut Talk<'_>,
    mailbox: &Selected,
    (tag, command): (&Tag, &Search),
    found: &[usize],
    by_mod_seq: bool,
) {
    let index = mailbox.view.index();
    let number = |position: &usize| match command.uid {
        true => index.get(*position).map_or(0, |item| item.number.0),
        false => mailbox.view.sequence(*position),
    };
    let version = |item: &ItemState| item.version.0;
    let mod_seq = |found: &mut dyn Iterator<Item = &usize>| {
        let highest = found
            .filter_map(|position| index.get(*position))
            .map(version)
            .max();
        highest.filter(|_| by_mod_seq)
    };
    let Some(returns) = &command.returns else {
        let highest = mod_seq(&mut found.iter());
        talk.connection
            .writer()
            .search(found.iter().map(number), highest);
        return;
    };
    let (first, last) = (found.first(), found.last());
    let all: NumberSet = if returns.all {
        found.iter().map(number).collect()
    } else {
        NumberSet::new()
    };
    // RFC 7162 3.1.10: with MIN and MAX alone, the MODSEQ is that of what they name.
    let highest = if returns.all || returns.count {
        mod_seq(&mut found.iter())
    } else {
        let min = first.filter(|_| returns.min);
        let max = last.filter(|_| returns.max);
        mod_seq(&mut min.into_iter().chain(max))
    };
    talk.connection.writer().esearch(
        tag,
        &SearchResult {
            uid: command.uid,
            min: first.filter(|_| returns.min).map(number),
            max: last.filter(|_| returns.max).map(number),
            all: returns.all.then_some(&all),
            count: returns.count.then_some(found.len() as u64),
            partial: None,
            mod_seq: highest,
        },
    );
}
