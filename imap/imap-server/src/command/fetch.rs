//! FETCH (RFC 3501 6.4.5) with CHANGEDSINCE (RFC 7162 3.1.4).
//!
//! The plan is made once; messages are answered page by page, each written straight into the connection's buffer,
//! which is sent whenever it is full. A client that does not read stops the loop, and nothing is held meanwhile but one
//! page.

mod octets;
mod structure;
mod target;

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

/// Messages of unknown size in one page: their originals have yet to be made, and the client waits for all of them.
const PAGE_UNKNOWN_ITEMS: usize = 64;

/// A message on its way to the client.
struct Message {
    sequence: u32,
    state: ItemState,
    facts: Option<Arc<ItemFacts>>,
    /// What is due although not asked for.
    unasked: Unasked,
}

impl Message {
    /// Octets of the whole message; known where the plan needs them.
    fn size(&self) -> u64 {
        let facts = || self.facts.as_ref().map(|facts| facts.size());
        self.state.size.known().or_else(facts).unwrap_or(0)
    }
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
        shown: ItemNumber(0),
        missing: selection.missing && !command.uid,
    };
    let index = Arc::clone(&job.index);
    let mut items = selection
        .items(&index)
        .filter(|(_, item)| item.version > since);
    if job.plan.is_plain(index.counts().size_unknown) {
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
            let page = next_page(&mut items);
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

/// The next messages that are answered together.
fn next_page<'i>(
    items: &mut impl Iterator<Item = (usize, &'i ItemState)>,
) -> Vec<(usize, ItemState)> {
    let (mut page, mut unknown) = (Vec::new(), 0);
    while page.len() < PAGE_ITEMS
        && unknown < PAGE_UNKNOWN_ITEMS
        && let Some((position, state)) = items.next()
    {
        unknown += usize::from(state.size.known().is_none());
        page.push((position, *state));
    }
    page
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
    /// The last message whose octets were sent.
    shown: ItemNumber,
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
        let facts = self.facts(user, mailbox, page).await?;
        // Not earlier: what cannot be shown now has not been seen.
        self.mark_seen(user, mailbox, page).await;
        let mut messages = Vec::with_capacity(page.len());
        for ((position, state), facts) in page.iter().zip(facts) {
            if self.plan.needs_facts(state.size) && facts.is_none() {
                self.missing = true;
                continue;
            }
            messages.push(self.message((user, mailbox), (*position, *state), facts));
        }
        if self.plan.reads_octets {
            let written = octets::write(self, talk, user, (mailbox, &messages)).await;
            if matches!(written, Err(Failure::No(..))) {
                self.unmark_seen(user, mailbox).await;
            }
            return written;
        }
        for message in &messages {
            self.write_plain(talk, mailbox, message);
            talk.connection.flush_if_full().await?;
        }
        Ok(())
    }

    /// The facts of a page's messages that the plan needs, one entry a message.
    async fn facts(
        &self,
        user: &Authenticated,
        mailbox: &Selected,
        page: &[(usize, ItemState)],
    ) -> Result<Vec<Option<Arc<ItemFacts>>>, Failure> {
        let needs = |state: &ItemState| self.plan.needs_facts(state.size);
        let needed = page.iter().filter(|(_, state)| needs(state));
        let numbers: Vec<ItemNumber> = needed.map(|(_, state)| state.number).collect();
        if numbers.is_empty() {
            return Ok(vec![None; page.len()]);
        }
        let wanted = self.plan.facts.unwrap_or_default();
        let account = &user.account;
        let mut facts = account
            .facts(mailbox.folder, &numbers, wanted)
            .await?
            .into_iter();
        let of = |(_, state): &(usize, ItemState)| match needs(state) {
            true => facts.next().flatten(),
            false => None,
        };
        Ok(page.iter().map(of).collect())
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
        let change = seen_change(Flags::SEEN, Flags::NONE);
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

    /// Takes `\Seen` back from messages that could not be shown after all, unless somebody changed them meanwhile.
    async fn unmark_seen(&mut self, user: &Authenticated, mailbox: &Selected) {
        let unshown = self.seen.partition_point(|&number| number <= self.shown);
        let items: Vec<Expected> = self
            .seen
            .drain(unshown..)
            .map(|item| Expected {
                item,
                version: self.seen_version,
            })
            .collect();
        if items.is_empty() {
            return;
        }
        let change = seen_change(Flags::NONE, Flags::SEEN);
        let account = &user.account;
        if let Err(error) = account.set_flags(mailbox.folder, &items, &change).await {
            tracing::debug!(%error, "cannot take back that messages were seen");
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
        sync::sync(talk, user, mailbox, Expunges::Hold, &told).await?;
        Ok(())
    }
}

const fn seen_change(add: Flags, remove: Flags) -> FlagChange {
    FlagChange::Delta {
        add,
        remove,
        add_keywords: Vec::new(),
        remove_keywords: Vec::new(),
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
        PlanItem::Size => fetch.rfc822_size(message.size()),
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
