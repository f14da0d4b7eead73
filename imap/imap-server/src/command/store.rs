//! STORE (RFC 3501 6.4.6) with UNCHANGEDSINCE (RFC 7162 3.1.3).

use std::collections::HashMap;

use account::{Expected, FlagChange, Flags, FolderIndex, ItemNumber, KeywordSetId, Version};
use imap_wire::{
    Code, NumberSet,
    command::store::{Store, StoreOp},
};

use crate::{
    command::sequence_set,
    flags::FlagSet,
    reply::{Done, DoneCode, Failure, Reply},
    state::{Access, Authenticated, KeywordNames, Selected, Talk},
    sync::{self, Announce},
    view::{Changed, Expunges, Selection},
};

/// `STORE set [(UNCHANGEDSINCE n)] FLAGS …`
pub(super) async fn run(
    talk: &mut Talk<'_>,
    user: &mut Authenticated,
    mailbox: &mut Selected,
    command: Store,
) -> Reply {
    if mailbox.access == Access::ReadOnly {
        return Err(Failure::no(Code::ReadOnly, "the mailbox is open read-only"));
    }
    user.condstore |= command.unchanged_since.is_some();
    let selection = mailbox
        .view
        .select(sequence_set(&command.set)?, command.uid)?;
    let Ok(set) = FlagSet::new(&command.flags) else {
        return Err(Failure::bad("no such flag can be set"));
    };
    let change = flag_change(command.op, set);
    let version = command.unchanged_since.map(Version);
    let items: Vec<Expected> = selection
        .items(mailbox.view.index())
        .map(|(_, item)| Expected {
            item: item.number,
            version,
        })
        .collect();
    if items.is_empty() {
        return finish(&selection, NumberSet::new());
    }
    let updated = user
        .account
        .set_flags(mailbox.folder, &items, &change)
        .await?;
    let modified = modified(mailbox, &command, &updated.stale);
    let mut stored: Vec<ItemNumber> = items.iter().map(|item| item.item).collect();
    stored.retain(|item| updated.stale.binary_search(item).is_err());
    report(
        talk,
        user,
        mailbox,
        &Stored {
            items: stored,
            change,
            silent: command.silent,
        },
    )
    .await?;
    finish(&selection, modified)
}

/// What was stored.
struct Stored {
    /// Ascending.
    items: Vec<ItemNumber>,
    change: FlagChange,
    silent: bool,
}

/// Tells the new flags, and everything else that is new in the mailbox.
///
/// After `.SILENT` the client takes for granted that its change is all that happened; it is told of every message
/// where it is not (RFC 3501 6.4.6).
async fn report(
    talk: &mut Talk<'_>,
    user: &Authenticated,
    mailbox: &mut Selected,
    stored: &Stored,
) -> Result<(), Failure> {
    let Some(new) = sync::look(user, mailbox).await? else {
        // It is stored: the next look tells the flags.
        return Ok(());
    };
    let verdicts = Verdicts::new(stored, mailbox.view.index(), &new);
    let told = |change: &Changed, _: &FolderIndex| {
        let ours = stored.items.binary_search(&change.after.number).is_ok();
        match (ours, stored.silent) {
            (true, true) if verdicts.as_expected(change) => Announce::ModSeq,
            // The answer follows below.
            (true, false) => Announce::Nothing,
            _ => Announce::Flags,
        }
    };
    let told_visibly = |change: &Changed, index: &FolderIndex| match told(change, index) {
        Announce::ModSeq if !user.condstore => Announce::Nothing,
        announce => announce,
    };
    sync::sync(talk, user, mailbox, Expunges::Hold, &told_visibly).await?;
    if stored.silent {
        return Ok(());
    }
    let mut names = KeywordNames::default();
    let index = std::sync::Arc::clone(mailbox.view.index());
    for &number in &stored.items {
        let (Some(item), Some(sequence)) = (index.item(number), mailbox.view.sequence_of(number))
        else {
            continue;
        };
        let mut writer = talk.connection.writer();
        let mut fetch = writer.fetch(sequence);
        fetch.uid(number.0);
        sync::write_item_flags(&mut fetch, mailbox, item, &mut names);
        if user.condstore {
            fetch.mod_seq(item.version.0);
        }
        fetch.finish();
        talk.connection.flush_if_full().await?;
    }
    Ok(())
}

/// Whether items have exactly the flags that the change gives them, judged once per pair of keyword sets.
struct Verdicts<'a> {
    change: &'a FlagChange,
    keywords: HashMap<(KeywordSetId, KeywordSetId), bool>,
}

impl<'a> Verdicts<'a> {
    fn new(stored: &'a Stored, old: &FolderIndex, new: &FolderIndex) -> Self {
        let mut keywords = HashMap::new();
        if stored.silent {
            for &number in &stored.items {
                let (Some(before), Some(after)) = (old.item(number), new.item(number)) else {
                    continue;
                };
                keywords
                    .entry((before.keywords, after.keywords))
                    .or_insert_with(|| {
                        let before: Vec<&str> = old.keywords().set(before.keywords).collect();
                        let after: Vec<&str> = new.keywords().set(after.keywords).collect();
                        same_keywords(&expected_keywords(&stored.change, &before), &after)
                    });
            }
        }
        Self {
            change: &stored.change,
            keywords,
        }
    }

    fn as_expected(&self, change: &Changed) -> bool {
        let keywords = (change.before.keywords, change.after.keywords);
        expected_flags(self.change, change.before.flags) == change.after.flags
            && self.keywords.get(&keywords).copied().unwrap_or(false)
    }
}

fn expected_flags(change: &FlagChange, before: Flags) -> Flags {
    match change {
        FlagChange::Delta { add, remove, .. } => (before | *add) & !*remove,
        FlagChange::Set { flags, .. } => *flags,
    }
}

fn expected_keywords<'a>(change: &'a FlagChange, before: &[&'a str]) -> Vec<&'a str> {
    let has =
        |list: &[Box<str>], name: &str| list.iter().any(|other| other.eq_ignore_ascii_case(name));
    match change {
        FlagChange::Delta {
            add_keywords,
            remove_keywords,
            ..
        } => {
            let kept = before
                .iter()
                .copied()
                .filter(|name| !has(add_keywords, name));
            kept.chain(add_keywords.iter().map(|name| &**name))
                .filter(|name| !has(remove_keywords, name))
                .collect()
        }
        FlagChange::Set { keywords, .. } => keywords.iter().map(|name| &**name).collect(),
    }
}

fn same_keywords(a: &[&str], b: &[&str]) -> bool {
    let has = |list: &[&str], name: &str| list.iter().any(|other| other.eq_ignore_ascii_case(name));
    a.len() == b.len() && a.iter().all(|name| has(b, name))
}

fn flag_change(op: StoreOp, set: FlagSet) -> FlagChange {
    let FlagSet { flags, categories } = set;
    match op {
        StoreOp::Replace => FlagChange::Set {
            flags,
            keywords: categories,
        },
        StoreOp::Add => FlagChange::Delta {
            add: flags,
            remove: Flags::NONE,
            add_keywords: categories,
            remove_keywords: Vec::new(),
        },
        StoreOp::Remove => FlagChange::Delta {
            add: Flags::NONE,
            remove: flags,
            add_keywords: Vec::new(),
            remove_keywords: categories,
        },
    }
}

/// What failed the test, in the numbers the client used.
fn modified(mailbox: &Selected, command: &Store, stale: &[ItemNumber]) -> NumberSet {
    let number = |item: &ItemNumber| match command.uid {
        true => Some(item.0),
        false => mailbox.view.sequence_of(*item),
    };
    stale.iter().filter_map(number).collect()
}

fn finish(selection: &Selection, modified: NumberSet) -> Reply {
    if !modified.is_empty() {
        return Ok(Done {
            code: DoneCode::Modified(modified),
            text: "conditional STORE failed",
        });
    }
    if selection.missing {
        return Err(Failure::no(
            Code::ExpungeIssued,
            "some of the messages are gone",
        ));
    }
    Ok(Done::new("STORE completed"))
}
