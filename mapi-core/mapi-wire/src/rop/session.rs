//! What a decoder remembers from batch to batch: the objects behind handles, and the columns of tables.

use std::collections::BTreeMap;

use mapi_types::PropTag;

use super::{NO_HANDLE, Request, RequestBuffer, Response, ResponseBuffer, field::Context};

/// Everything about a session that the octets of a batch do not say themselves.
///
/// One for each session context, updated by every batch in their order. It grows with the handles the client asks for
/// and shrinks when it releases them.
#[derive(Clone, Debug, Default)]
pub struct Session {
    objects: BTreeMap<u32, Object>,
    /// Logons by their id, and whether they are to public folders.
    logons: BTreeMap<u8, bool>,
}

/// What a handle stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// The logon it belongs to.
    pub logon_id: u8,
    /// Of a table: the columns that were set. Of a message: the columns of its recipients.
    pub columns: Option<Box<[PropTag]>>,
}

/// What a handle stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A store.
    Logon,
    /// A folder.
    Folder,
    /// A message, also one within another, or one that is uploaded.
    Message,
    /// An attachment.
    Attachment,
    /// A table.
    Table,
    /// A stream.
    Stream,
    /// A download of objects or changes.
    Download,
    /// An upload of objects.
    Upload,
    /// An upload of changes.
    Collector,
    /// A subscription to events.
    Subscription,
}

impl Session {
    /// The object behind a handle, if its opening was seen.
    pub fn object(&self, handle: u32) -> Option<&Object> {
        self.objects.get(&handle)
    }

    /// Takes note of a batch and its answer. Decoding a response does this by itself; a server, which encodes
    /// responses, has to.
    pub fn observe(&mut self, batch: &RequestBuffer, answer: &ResponseBuffer) {
        let mut tracker = Tracker::new(self, &batch.handles);
        let mut responses = answer
            .responses
            .iter()
            .filter(|one| one.answers_a_request());
        for request in &batch.requests {
            match request {
                Request::Release(ask) => tracker.release(ask.input),
                request => match responses.next() {
                    Some(response) => tracker.note(request, response),
                    None => break,
                },
            }
        }
        tracker.finish(&answer.handles);
    }

    pub(super) fn is_public(&self, logon_id: u8) -> bool {
        self.logons.get(&logon_id).copied().unwrap_or(false)
    }
}

impl Response {
    pub(super) const fn answers_a_request(&self) -> bool {
        !matches!(
            self,
            Self::Notify(_) | Self::Pending(_) | Self::Backoff(_) | Self::BufferTooSmall(_)
        )
    }
}

/// Follows the slots of one batch. A slot that had a handle before the batch stands for that handle, so that two slots
/// with one handle are one object; a slot that the batch fills is an object of its own until the handles are known.
pub(super) struct Tracker<'s> {
    session: &'s mut Session,
    handles: Vec<u32>,
    made: BTreeMap<u8, Object>,
}

impl<'s> Tracker<'s> {
    pub(super) fn new(session: &'s mut Session, handles: &[u32]) -> Self {
        Self {
            session,
            handles: handles.to_vec(),
            made: BTreeMap::new(),
        }
    }

    /// What must be known to read the response to `request`.
    pub(super) fn context<'c>(&'c self, request: &'c Request) -> Context<'c> {
        let columns = match request {
            Request::GetPropertiesSpecific(ask) => Some(ask.property_tags.as_slice()),
            Request::QueryRows(_)
            | Request::FindRow(_)
            | Request::ExpandRow(_)
            | Request::ReadRecipients(_) => request
                .slots()
                .input
                .and_then(|slot| self.object(slot)?.columns.as_deref()),
            _ => None,
        };
        Context {
            columns,
            public: self.session.is_public(request.logon_id()),
            ..Context::default()
        }
    }

    /// The columns of the table with this handle.
    pub(super) fn columns_of(&self, handle: u32) -> Option<&[PropTag]> {
        match self.session.objects.get(&handle)? {
            object if object.kind == Kind::Table => object.columns.as_deref(),
            _ => None,
        }
    }

    pub(super) fn note(&mut self, request: &Request, response: &Response) {
        let slots = request.slots();
        if matches!(response, Response::Failed(_)) {
            return;
        }
        if let Request::Logon(logon) = request {
            self.forget_logon(logon.logon_id);
            self.session
                .logons
                .insert(logon.logon_id, logon.is_public());
        }
        if let (Some(output), Some(kind)) = (slots.output, Kind::made_by(request)) {
            let object = Object {
                kind,
                logon_id: request.logon_id(),
                columns: None,
            };
            self.made.insert(output, object);
        }
        let Some(slot) = slots.output.or(slots.input) else {
            return;
        };
        match (request, response) {
            (Request::SetColumns(ask), Response::SetColumns(_)) => {
                self.set_columns(request, slot, Some(&ask.property_tags));
            }
            (Request::ResetTable(_), Response::ResetTable(_)) => {
                self.set_columns(request, slot, None);
            }
            (Request::ModifyRecipients(ask), Response::ModifyRecipients(_)) => {
                // A message that was opened has columns already, and keeps them.
                if let Some(Object { columns: None, .. }) = self.object(slot) {
                    self.set_columns(request, slot, Some(&ask.recipient_columns));
                }
            }
            (_, Response::OpenMessage(answer)) => {
                self.set_columns(request, slot, Some(&answer.recipient_columns));
            }
            (_, Response::OpenEmbeddedMessage(answer)) => {
                self.set_columns(request, slot, Some(&answer.recipient_columns));
            }
            (_, Response::ReloadCachedInformation(answer)) => {
                self.set_columns(request, slot, Some(&answer.recipient_columns));
            }
            _ => {}
        }
    }

    pub(super) fn release(&mut self, slot: u8) {
        let object = match self.made.remove(&slot) {
            Some(object) => Some(object),
            None => self
                .handle(slot)
                .and_then(|handle| self.session.objects.remove(&handle)),
        };
        if let Some(Object {
            kind: Kind::Logon,
            logon_id,
            ..
        }) = object
        {
            self.forget_logon(logon_id);
        }
    }

    /// Gives the objects that the batch made the handles they have in its answer.
    pub(super) fn finish(self, handles: &[u32]) {
        for (slot, object) in self.made {
            if let Some(&handle) = handles.get(usize::from(slot))
                && handle != NO_HANDLE
            {
                self.session.objects.insert(handle, object);
            }
        }
    }

    fn handle(&self, slot: u8) -> Option<u32> {
        let handle = self.handles.get(usize::from(slot)).copied()?;
        (handle != NO_HANDLE).then_some(handle)
    }

    fn object(&self, slot: u8) -> Option<&Object> {
        match self.made.get(&slot) {
            Some(object) => Some(object),
            None => self.session.objects.get(&self.handle(slot)?),
        }
    }

    fn set_columns(&mut self, request: &Request, slot: u8, columns: Option<&[PropTag]>) {
        let handle = self.handle(slot);
        let object = match (self.made.get_mut(&slot), handle) {
            (Some(object), _) => object,
            // A handle whose opening was not seen becomes known by this.
            (None, Some(handle)) => self.session.objects.entry(handle).or_insert(Object {
                kind: Kind::Table,
                logon_id: request.logon_id(),
                columns: None,
            }),
            (None, None) => return,
        };
        object.columns = columns.map(Into::into);
    }

    fn forget_logon(&mut self, logon_id: u8) {
        self.session.logons.remove(&logon_id);
        self.session
            .objects
            .retain(|_, object| object.logon_id != logon_id);
        self.made.retain(|_, object| object.logon_id != logon_id);
    }
}

impl Kind {
    /// What a ROP opens or makes.
    const fn made_by(request: &Request) -> Option<Self> {
        Some(match request {
            Request::Logon(_) => Self::Logon,
            Request::OpenFolder(_) | Request::CreateFolder(_) => Self::Folder,
            Request::OpenMessage(_)
            | Request::CreateMessage(_)
            | Request::OpenEmbeddedMessage(_)
            | Request::SynchronizationImportMessageChange(_) => Self::Message,
            Request::OpenAttachment(_) | Request::CreateAttachment(_) => Self::Attachment,
            Request::GetHierarchyTable(_)
            | Request::GetContentsTable(_)
            | Request::GetAttachmentTable(_)
            | Request::GetPermissionsTable(_)
            | Request::GetRulesTable(_) => Self::Table,
            Request::OpenStream(_) | Request::CloneStream(_) => Self::Stream,
            Request::FastTransferSourceCopyFolder(_)
            | Request::FastTransferSourceCopyMessages(_)
            | Request::FastTransferSourceCopyTo(_)
            | Request::FastTransferSourceCopyProperties(_)
            | Request::SynchronizationConfigure(_)
            | Request::SynchronizationGetTransferState(_) => Self::Download,
            Request::FastTransferDestinationConfigure(_) => Self::Upload,
            Request::SynchronizationOpenCollector(_) => Self::Collector,
            Request::RegisterNotification(_) => Self::Subscription,
            _ => return None,
        })
    }
}
