//! FETCH (RFC 3501 6.4.5) with CHANGEDSINCE (RFC 7162 3.1.4).
//!
//! The plan is made once; messages are answered page by page, each written straight into the connection's buffer,
//! which is sent whenever it is full. A client that does not read stops the loop, and nothing is held meanwhile but one
//! page.

mod octets;
mod structure;

use std::sync::Arc;

use account::{
    Expected, FlagChange, Flags, FolderIndex, ItemFacts, ItemNumber, ItemState, Version,
};
use imap_wire::{Code, DateTime, FetchWriter, command::fetch::Fetch};

use crate::{
    command::sequence_set,
    flags,
    plan::{Plan, PlanItem},
    reply::{Done, Failure, Reply},
    state::{Access, Authenticated, KeywordNames, Selected, Talk},
    sync::{self, Announce},
    view::{Changed, Expunges},
};

/// Messages whose facts are read together.
const PAGE_ITEMS: usize = 256;

/// A message on its way to the client.
struct Message {
    sequence: u32,
    state: ItemState,
    facts: Option<Arc<ItemFacts>>,
    /// What is due although not asked for.
    unasked: Unasked,
}

/// What a response tells because the command itself changed it.
#[derive(Clone, Copy, Debug, Default)]
struct Unasked {
    flags: bool,
    mod_seq: bool,
}

/// `FETCH set items [(CHANGEDSINCE n)]`
pub(super) async fn run(
    talk: &mut Talk<'_>,
    user: &mut Authenticated,
    mailbox: &mut Selected,
    command: Fetch,
) -> Reply {
    if command.vanished || command.partial.is_some() {
        return Err(Failure::bad("FETCH modifier not supported"));
    }
    let set = sequence_set(&command.set)?;
    let selection = mailbox.view.select(set, command.uid)?;
    let plan = Plan::new(&command, command.changed_since.is_some())?;
    user.condstore |= plan.has_mod_seq();
    let since = Version(command.changed_since.unwrap_or(0));
    let mut job = Job {
        index: Arc::clone(mailbox.view.index()),
        plan,
        names: KeywordNames::default(),
        seen: Vec::new(),
        seen_version: None,
        missing: selection.missing && !command.uid,
    };
    let index = Arc::clone(&job.index);
    let mut items = selection
        .items(&index)
        .filter(|(_, item)| item.version > since);
    if job.plan.facts.is_none() && !job.plan.reads_octets {
        for (position, state) in items {
            let sequence = mailbox.view.sequence(position);
            let message = Message {
                sequence,
                state: *state,
                facts: None,
                unasked: Unasked::default(),
            };
            job.write_plain(talk, mailbox, &message);
            talk.connection.flush_if_full().await?;
        }
    } else {
        loop {
            let page: Vec<(usize, ItemState)> = items
                .by_ref()
                .take(PAGE_ITEMS)
                .map(|(position, state)| (position, *state))
                .collect();
            if page.is_empty() {
                break;
            }
            job.page(talk, user, mailbox, &page).await?;
        }
    }
    job.sync(talk, user, mailbox).await?;
    if job.missing {
        return Err(Failure::no(
            Code::ExpungeIssued,
            "some of the messages are gone",
        ));
    }
    Ok(Done::new("FETCH completed"))
}

/// A FETCH being carried out.
struct Job {
    index: Arc<FolderIndex>,
    plan: Plan,
    names: KeywordNames,
    /// Messages that this command marked `\Seen`, ascending.
    seen: Vec<ItemNumber>,
    /// The version they have since.
    seen_version: Option<Version>,
    /// Whether messages are gone that the client still counts.
    missing: bool,
}

impl Job {
    async fn page(
        &mut self,
        talk: &mut Talk<'_>,
        user: &Authenticated,
        mailbox: &Selected,
        page: &[(usize, ItemState)],
    ) -> Result<(), Failure> {
        self.mark_seen(user, mailbox, page).await;
        let numbers: Vec<ItemNumber> = page.iter().map(|(_, state)| state.number).collect();
        let mut facts = match self.plan.facts {
            Some(wanted) => user.account.facts(mailbox.folder, &numbers, wanted).await?,
            None => Vec::new(),
        };
        let wants_facts = self.plan.facts.is_some();
        let mut messages = Vec::with_capacity(page.len());
        for (at, (position, state)) in page.iter().enumerate() {
            let facts = facts.get_mut(at).and_then(Option::take);
            if wants_facts && facts.is_none() {
                self.missing = true;
                continue;
            }
            messages.push(self.message((user, mailbox), (*position, *state), facts));
        }
        if self.plan.reads_octets {
            return octets::write(self, talk, user, (mailbox, &messages)).await;
        }
        for message in &messages {
            self.write_plain(talk, mailbox, message);
            talk.connection.flush_if_full().await?;
        }
        Ok(())
    }

    fn message(
        &self,
        (user, mailbox): (&Authenticated, &Selected),
        (position, mut state): (usize, ItemState),
        facts: Option<Arc<ItemFacts>>,
    ) -> Message {
        let newly_seen = self.seen.binary_search(&state.number).is_ok();
        if newly_seen {
            state.flags |= Flags::SEEN;
            state.version = self.seen_version.unwrap_or(state.version);
        }
        let unasked = Unasked {
            flags: newly_seen && !self.plan.has_flags(),
            // RFC 7162 3.1: a flag change is told with its MODSEQ.
            mod_seq: newly_seen && user.condstore && !self.plan.has_mod_seq(),
        };
        let sequence = mailbox.view.sequence(position);
        Message {
            sequence,
            state,
            facts,
            unasked,
        }
    }

    /// BODY[] without PEEK sets `\Seen`. That a message cannot be marked is no reason not to show it.
    async fn mark_seen(
        &mut self,
        user: &Authenticated,
        mailbox: &Selected,
        page: &[(usize, ItemState)],
    ) {
        if !self.plan.marks_seen || mailbox.access == Access::ReadOnly {
            return;
        }
        let unseen = page
            .iter()
            .filter(|(_, state)| !state.flags.contains(Flags::SEEN));
        let items: Vec<Expected> = unseen
            .map(|(_, state)| Expected {
                item: state.number,
                version: None,
            })
            .collect();
        if items.is_empty() {
            return;
        }
        let change = FlagChange::Delta {
            add: Flags::SEEN,
            remove: Flags::NONE,
            add_keywords: Vec::new(),
            remove_keywords: Vec::new(),
        };
        match user
            .account
            .set_flags(mailbox.folder, &items, &change)
            .await
        {
            Ok(updated) => {
                self.seen_version = updated.version.or(self.seen_version);
                self.seen.extend(updated.changed);
            }
            Err(error) => tracing::debug!(%error, "cannot mark messages as seen"),
        }
    }

    /// Writes a message that needs no octets from the store.
    fn write_plain(&mut self, talk: &mut Talk<'_>, mailbox: &Selected, message: &Message) {
        let mut writer = talk.connection.writer();
        let mut fetch = writer.fetch(message.sequence);
        for item in &self.plan.items {
            write_item(
                item,
                &mut fetch,
                message,
                &mut Context {
                    mailbox,
                    index: &self.index,
                    names: &mut self.names,
                },
            );
        }
        finish(
            fetch,
            message,
            &mut Context {
                mailbox,
                index: &self.index,
                names: &mut self.names,
            },
        );
    }

    /// Tells what else happened; what this command did itself was told with the messages.
    async fn sync(
        &self,
        talk: &mut Talk<'_>,
        user: &Authenticated,
        mailbox: &mut Selected,
    ) -> Result<(), Failure> {
        let told = |change: &Changed, _: &FolderIndex| {
            let (before, after) = (change.before, change.after);
            let ours = self.seen.binary_search(&after.number).is_ok()
                && after.flags == before.flags | Flags::SEEN
                && after.keywords == before.keywords;
            if ours {
                Announce::Nothing
            } else {
                Announce::Flags
            }
        };
        sync::sync(talk, user, mailbox, Expunges::Hold, &told).await
    }
}

/// What writing an item needs beside the message.
struct Context<'a> {
    mailbox: &'a Selected,
    /// The snapshot that the messages' states are of.
    index: &'a FolderIndex,
    names: &'a mut KeywordNames,
}

/// Writes an item; octets that are not at hand are left out.
fn write_item(
    item: &PlanItem,
    fetch: &mut FetchWriter<'_>,
    message: &Message,
    context: &mut Context<'_>,
) {
    let state = &message.state;
    match item {
        PlanItem::Uid => fetch.uid(state.number.0),
        PlanItem::Flags => write_flags(fetch, state, context),
        PlanItem::InternalDate => fetch.internal_date(DateTime::from_unix(state.received, 0)),
        PlanItem::Size => fetch.rfc822_size(state.size.into()),
        PlanItem::ModSeq => fetch.mod_seq(state.version.0),
        PlanItem::Envelope => {
            let view = message.facts.as_ref().and_then(|facts| facts.envelope());
            structure::envelope(fetch, view);
        }
        PlanItem::Structure { extended } => {
            let view = message.facts.as_ref().and_then(|facts| facts.structure());
            structure::body(fetch, view, *extended);
        }
        PlanItem::Octets(octets) => octets::write_at_hand(octets, fetch, message),
    }
}

fn write_flags(fetch: &mut FetchWriter<'_>, state: &ItemState, context: &mut Context<'_>) {
    let keywords = context
        .names
        .of(state.flags, state.keywords, context.index.keywords());
    let bits = flags::bits(state.flags, context.mailbox.view.is_recent(state.number));
    fetch.flags(bits, keywords.iter().map(String::as_str));
}

/// Ends a response; first come the flags, when they were changed by asking.
fn finish(mut fetch: FetchWriter<'_>, message: &Message, context: &mut Context<'_>) {
    if message.unasked.flags {
        write_flags(&mut fetch, &message.state, context);
    }
    if message.unasked.mod_seq {
        fetch.mod_seq(message.state.version.0);
    }
    fetch.finish();
}
