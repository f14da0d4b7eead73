//! The index of a folder by incremental synchronization: light rows of every message, what is gone, what was read.
//!
//! Source: MS-OXCFXICS 2.2.4.3.2 (contentsSync).

use mapi_types::{OwnedValue, PropBag, PropTag, tags};
use mapi_wire::{
    Gid, Id,
    fast_transfer::{Event, MessageChange},
    ics::{Audience, Deletions, MessageHeader, Progress, ReadStates, Scope, State},
    rop::{
        SynchronizationConfigure, send_options, synchronization_extra_flags, synchronization_flags,
    },
};

use super::{Download, Remote, download::SOURCE};
use crate::{fault::Result, message::bag, session::Batch, values::Names};

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
const ROWS: usize = 1000;

/// The properties of a message that a mirror knows before it fetches the message.
///
/// Change them, and every mirror has to read its folders anew: see `mirror::REVISION`.
const COLUMNS: [PropTag; 14] = [
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
    rows: Vec<IndexRow>,
    done: bool,
    next: Option<ContentsPart>,
}

impl Remote {
    /// Begins to ask what changed in a folder since `state`; the newest messages come first.
    pub(crate) async fn contents(&self, folder: Id, state: State) -> Result<Contents> {
        let names = self.index_names().await?;
        let mut columns = COLUMNS.to_vec();
        columns.extend(names.keywords);
        let seen = (state.clone(), Scope::Contents);
        let session = &self.sessions.back;
        let download = Download::start(self, session, Some(seen), move |_, batch| {
            let input = batch.open_folder(folder);
            configure(batch, input, columns.clone());
        })
        .await?;
        Ok(Contents {
            remote: self.clone(),
            download,
            state,
            rows: Vec::new(),
            done: false,
            next: None,
        })
    }
}

fn configure(batch: &mut Batch, input: u8, property_tags: Vec<PropTag>) {
    use synchronization_extra_flags as extra;
    use synchronization_flags as flags;
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
            | flags::NORMAL
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
                    match self.rows.len() < ROWS {
                        true => continue,
                        false => return Ok(Some(self.rows())),
                    }
                }
                Event::Progress(props) => {
                    ContentsPart::Expected(Progress::from_properties(&props)?.normal_count)
                }
                Event::Deletions(props) => {
                    let gone = Deletions::from_properties(&props)?.all();
                    ContentsPart::Gone(self.remote.gids(&gone, &self.state.idset_given).await?)
                }
                Event::ReadStates(props) => self.read_states(&props).await?,
                Event::State(props) => {
                    let mut state = State::from_properties(&props)?;
                    state.forget_reads_to_come();
                    ContentsPart::End(state)
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

    fn rows(&mut self) -> ContentsPart {
        ContentsPart::Rows(std::mem::take(&mut self.rows), self.state.clone())
    }

    async fn take(&mut self, change: &MessageChange) -> Result<()> {
        let header = MessageHeader::from_properties(&change.header)?;
        // One that no server named could not be named later.
        let Some(gid) = Gid::from_bytes(&header.identity.source_key) else {
            return Ok(());
        };
        if let Some(number) = header.change_number {
            let change = self.remote.gid(number).await?;
            self.state.note_change(gid, change, Audience::People);
        }
        let mut props = bag(&change.message.props, &Names::default());
        let article = props.get(&tags::INTERNET_ARTICLE_NUMBER);
        let mut more = Vec::new();
        if let Some(size) = header.size {
            more.push((tags::MESSAGE_SIZE.tag(), OwnedValue::I64(size.into())));
        }
        props = props.with(&more, &[tags::INTERNET_ARTICLE_NUMBER.tag()]);
        self.rows.push(IndexRow {
            gid,
            change_key: header.identity.change_key.to_bytes().into(),
            props,
            article: article.map(i32::cast_unsigned).filter(|number| *number > 0),
        });
        Ok(())
    }

    async fn read_states(
        &self,
        props: &[mapi_wire::fast_transfer::Property],
    ) -> Result<ContentsPart> {
        let states = ReadStates::from_properties(props)?;
        let mut read = Vec::new();
        for (set, is_read) in [(&states.read, true), (&states.unread, false)] {
            let gids = self.remote.gids(set, &self.state.idset_given).await?;
            read.extend(gids.into_iter().map(|gid| (gid, is_read)));
        }
        Ok(ContentsPart::Read(read))
    }
}
