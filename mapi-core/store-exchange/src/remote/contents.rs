//! The index of a folder by incremental synchronization: light rows of every message, what is gone, what was read.
//!
//! Associated messages are asked for as well, but not when the messages for people have no numbers yet: numbers then
//! are those of the server, as far as it has them, and no two of its tables share one.
//!
//! Source: MS-OXCFXICS 2.2.4.3.2 (contentsSync).

use mapi_types::{
    OwnedValue, PropBag, PropTag,
    tags::{self, message_flags},
};
use mapi_wire::{
    DecodeError, Gid, Guid, Id,
    fast_transfer::{Event, MessageChange, Property},
    ics::{Audience, Deletions, IdSet, MessageHeader, Progress, ReadStates, Scope, State},
    rop::{
        SynchronizationConfigure, send_options, synchronization_extra_flags, synchronization_flags,
    },
};

use super::{
    Download, Remote,
    download::{CONTENTS_LIMITS, SOURCE},
};
use crate::{
    fault::{Fault, Result},
    message::values,
    session::{Batch, Session, StoreName},
    values::Names,
};

/// A message of the index.
#[derive(Clone, Debug)]
pub(crate) struct IndexRow {
    pub(crate) gid: Gid,
    pub(crate) change_key: Box<[u8]>,
    /// The columns of the index.
    pub(crate) props: PropBag,
    /// PidTagInternetArticleNumber.
    pub(crate) article: Option<u32>,
}

/// A part of what a synchronization brings.
#[derive(Debug)]
pub(crate) enum ContentsPart {
    /// How many messages there will be.
    Expected(u32),
    /// New and changed messages, and the state from which to go on after them.
    Rows(Vec<IndexRow>, State),
    /// Messages that are gone.
    Gone(Vec<Gid>),
    /// Messages that were read, or unread, and nothing else.
    Read(Vec<(Gid, bool)>),
    /// The end: what has been seen now.
    End(State),
}

/// Rows handed out at a time.
const ROWS: usize = 2000;

/// Octets of the stream after which rows are handed out, however few.
const ROWS_OCTETS: usize = 4 << 20;

/// The most messages that one synchronization of a folder brings.
const MESSAGES_MAX: usize = 4_000_000;

/// The properties of a message that a mirror knows before it fetches the message.
///
/// Everything that is a flag must be among them: what is missing here, the mirror takes for missing there. Change them,
/// and every mirror has to read its folders anew: see `mailbox::state::REVISION`.
const COLUMNS: [PropTag; 15] = [
    tags::MESSAGE_CLASS.tag(),
    tags::SUBJECT.tag(),
    tags::MESSAGE_FLAGS.tag(),
    tags::MESSAGE_DELIVERY_TIME.tag(),
    tags::CLIENT_SUBMIT_TIME.tag(),
    tags::CREATION_TIME.tag(),
    tags::HAS_ATTACHMENTS.tag(),
    tags::INTERNET_ARTICLE_NUMBER.tag(),
    tags::ICON_INDEX.tag(),
    tags::LAST_VERB_EXECUTED.tag(),
    tags::LAST_VERB_EXECUTION_TIME.tag(),
    tags::FLAG_STATUS.tag(),
    tags::FOLLOWUP_ICON.tag(),
    tags::TODO_ITEM_FLAGS.tag(),
    tags::INTERNET_MESSAGE_ID.tag(),
];

/// A synchronization of a folder's contents that is under way.
pub(crate) struct Contents {
    remote: Remote,
    download: Download,
    state: State,
    associated: bool,
    /// The messages that this synchronization of a public folder brought.
    brought: IdSet<Guid>,
    rows: Vec<IndexRow>,
    /// How many have come, and how many octets had when they were last handed out.
    come: usize,
    handed_out_at: usize,
    /// What the rows are and which changes they bring, for people and for programs: noted in the state with the rows.
    noted: [Vec<(Gid, Gid)>; 2],
    done: bool,
    next: Option<ContentsPart>,
}

impl Remote {
    /// Begins to ask what changed in a folder since `state`, also of its associated messages if that is said; the
    /// newest messages come first.
    pub(crate) async fn contents(
        &self,
        session: &Session,
        folder: Id,
        (state, associated): (State, bool),
    ) -> Result<Contents> {
        let names = self.index_names().await?;
        let mut columns = COLUMNS.to_vec();
        columns.extend(names.keywords);
        let seen = (state.clone(), Scope::Contents);
        let download = Download::start(
            self,
            session,
            (Some(seen), CONTENTS_LIMITS),
            move |_, batch| {
                let input = batch.open_folder(folder);
                configure(batch, input, columns.clone(), associated);
            },
        )
        .await?;
        Ok(Contents {
            remote: self.clone(),
            download,
            state,
            associated,
            brought: IdSet::new(),
            rows: Vec::new(),
            come: 0,
            handed_out_at: 0,
            noted: Default::default(),
            done: false,
            next: None,
        })
    }
}

fn configure(batch: &mut Batch, input: u8, property_tags: Vec<PropTag>, associated: bool) {
    use synchronization_extra_flags as extra;
    use synchronization_flags as flags;
    let audience = match associated {
        true => flags::NORMAL | flags::FAI,
        false => flags::NORMAL,
    };
    let output = batch.slot();
    debug_assert_eq!(output, SOURCE);
    batch.push(SynchronizationConfigure {
        logon_id: batch.logon_id,
        input,
        output,
        synchronization_type: SynchronizationConfigure::CONTENTS,
        send_options: send_options::UNICODE | send_options::FORCE_UNICODE,
        synchronization_flags: flags::UNICODE
            | flags::READ_STATE
            | audience
            | flags::ONLY_SPECIFIED_PROPERTIES
            | flags::NO_FOREIGN_IDENTIFIERS
            | flags::PROGRESS,
        restriction: None,
        synchronization_extra_flags: extra::EID
            | extra::MESSAGE_SIZE
            | extra::CN
            | extra::ORDER_BY_DELIVERY_TIME,
        property_tags,
    });
}

impl Contents {
    /// The next part; `None` after the end.
    pub(crate) async fn next(&mut self) -> Result<Option<ContentsPart>> {
        if let Some(part) = self.next.take() {
            return Ok(Some(part));
        }
        while !self.done {
            let Some(event) = self.download.next().await? else {
                self.done = true;
                break;
            };
            let part = match event {
                Event::Change(change) => {
                    self.take(&change).await?;
                    let octets = self.download.octets() - self.handed_out_at;
                    match self.rows.len() < ROWS && octets < ROWS_OCTETS {
                        true => continue,
                        false => return Ok(Some(self.rows())),
                    }
                }
                Event::Progress(props) => {
                    ContentsPart::Expected(Progress::from_properties(&props)?.normal_count)
                }
                Event::Deletions(props) => {
                    self.note();
                    ContentsPart::Gone(self.gone(&props).await?)
                }
                Event::ReadStates(props) => {
                    self.note();
                    self.read_states(&props).await?
                }
                Event::State(props) => {
                    ContentsPart::End(self.seen(State::from_properties(&props)?))
                }
                _ => continue,
            };
            if self.rows.is_empty() {
                return Ok(Some(part));
            }
            // What came before it goes before it.
            self.next = Some(part);
            return Ok(Some(self.rows()));
        }
        Ok(None)
    }

    /// What is gone. What the same synchronization brought is not: gromox 3.10 does not know what it has given of
    /// public folders, brings everything each time, and calls it deleted as well.
    async fn gone(&self, props: &[Property]) -> Result<Vec<Gid>> {
        let gone = Deletions::from_properties(props)?.all();
        let mut gids = self.remote.gids(&gone, &self.state.idset_given).await?;
        gids.retain(|gid| !self.brought.contains(*gid));
        Ok(gids)
    }

    /// What has been seen at the end, as far as it was asked for.
    fn seen(&self, mut state: State) -> State {
        state.forget_reads_to_come();
        if !self.associated {
            state.cnset_seen_associated = IdSet::new();
        }
        state
    }

    fn note(&mut self) {
        for (audience, noted) in [Audience::People, Audience::Programs]
            .into_iter()
            .zip(&mut self.noted)
        {
            self.state.note_changes(noted, audience);
            noted.clear();
        }
    }

    fn rows(&mut self) -> ContentsPart {
        self.handed_out_at = self.download.octets();
        self.note();
        ContentsPart::Rows(std::mem::take(&mut self.rows), self.state.clone())
    }

    async fn take(&mut self, change: &MessageChange) -> Result<()> {
        self.come += 1;
        if self.come > MESSAGES_MAX {
            return Err(Fault::Malformed(DecodeError {
                at: self.download.octets(),
                expected: "no more messages than a folder may have",
            }));
        }
        let header = MessageHeader::from_properties(&change.header)?;
        // One that no server named could not be named later.
        let Some(gid) = Gid::from_bytes(&header.identity.source_key) else {
            return Ok(());
        };
        if self.remote.store == StoreName::Public {
            self.brought.insert(gid);
        }
        if let Some(number) = header.change_number {
            let change = self.remote.gid(number).await?;
            let [people, programs] = &mut self.noted;
            match header.associated {
                true => programs.push((gid, change)),
                false => people.push((gid, change)),
            }
        }
        let mut props = values(&change.message.props, &Names::default());
        let article = take_out(&mut props, tags::INTERNET_ARTICLE_NUMBER.tag());
        let flags = take_out(&mut props, tags::MESSAGE_FLAGS.tag());
        props.push(table(flags, header.associated));
        if let Some(size) = header.size {
            props.push((tags::MESSAGE_SIZE.tag(), OwnedValue::I64(size.into())));
        }
        self.rows.push(IndexRow {
            gid,
            change_key: header.identity.change_key.to_bytes().into(),
            props: props.into_iter().collect(),
            article: article.map(i32::cast_unsigned).filter(|number| *number > 0),
        });
        Ok(())
    }

    async fn read_states(&self, props: &[Property]) -> Result<ContentsPart> {
        let states = ReadStates::from_properties(props)?;
        let mut read = Vec::new();
        for (set, is_read) in [(&states.read, true), (&states.unread, false)] {
            let gids = self.remote.gids(set, &self.state.idset_given).await?;
            read.extend(gids.into_iter().map(|gid| (gid, is_read)));
        }
        Ok(ContentsPart::Read(read))
    }
}

/// Removes a number from a list of properties.
fn take_out(props: &mut Vec<(PropTag, OwnedValue)>, tag: PropTag) -> Option<i32> {
    let at = props.iter().position(|(known, _)| *known == tag)?;
    match props.remove(at) {
        (_, OwnedValue::I32(number)) => Some(number),
        _ => None,
    }
}

/// Flags that say which table a message is in, as its header does.
fn table(flags: Option<i32>, associated: bool) -> (PropTag, OwnedValue) {
    let flags = flags.unwrap_or_default() & !message_flags::ASSOCIATED;
    let table = match associated {
        true => message_flags::ASSOCIATED,
        false => 0,
    };
    (tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(flags | table))
}

#[cfg(test)]
mod tests {
    use mapi_types::changes_content;

    use super::*;

    #[test]
    fn everything_that_is_a_flag_is_a_column_of_the_index() {
        // What the mirror keeps for itself, and the named property whose id is asked for.
        let apart = [tags::MESSAGE_STATUS.tag(), tags::KEYWORDS.tag()];
        let ids =
            (0..=0xffff_u32).flat_map(|id| [3, 0x40, 0x101f].map(|kind| PropTag(id << 16 | kind)));
        let flags = ids.filter(|tag| !changes_content("IPM.Note", *tag));
        let missing: Vec<_> = flags
            .filter(|tag| !COLUMNS.contains(tag) && !apart.contains(tag))
            .collect();
        assert_eq!(missing, []);
    }

    #[test]
    fn a_message_is_in_the_table_that_its_header_names() {
        let check = |flags, associated, expected| {
            let (_, value) = table(Some(flags), associated);
            assert_eq!(value, OwnedValue::I32(expected));
        };
        check(0x1, false, 0x1);
        check(0x1, true, 0x41);
        check(0x41, true, 0x41);
        check(0x41, false, 0x1);
    }
}
