//! Downloads of whole objects. Source: MS-OXCFXICS 3.2.5.8.1.

use std::collections::VecDeque;

use mapi_types::PropTag;
use mapi_wire::{
    fast_transfer::{Encoder, Event, FolderLevel},
    ics::{Scope, State},
    rop::{
        BufferSize, Details, FastTransferSourceCopyFolder, FastTransferSourceCopyFolderResponse,
        FastTransferSourceCopyMessages, FastTransferSourceCopyMessagesResponse,
        FastTransferSourceCopyProperties, FastTransferSourceCopyPropertiesResponse,
        FastTransferSourceCopyTo, FastTransferSourceCopyToResponse, FastTransferSourceGetBuffer,
        FastTransferSourceGetBufferResponse, GetBufferRest, send_options, transfer_status,
    },
};

use super::{
    call::{Call, Outcome, Refusal},
    message_stream::MessageStream,
    objects::{Object, Piece, Source, Style},
    sync_plan::{begin_download, folder_props},
};
use crate::model::{
    error::{Code, Result},
    ids::{Fid, Mid},
    mailbox::Mailbox,
    permission::Rights,
    tags,
};

/// CopyFlags of RopFastTransferSourceCopyMessages. Source: MS-OXCFXICS 2.2.3.1.1.3.1.
mod copy_messages_flags {
    pub(super) const RESERVED: u8 = 0x08;
    pub(super) const BEST_BODY: u8 = 0x10;
    pub(super) const SEND_ENTRY_ID: u8 = 0x20;
}

/// CopyFlags of RopFastTransferSourceCopyFolder: with what is below the folder.
const COPY_SUBFOLDERS: u8 = 0x10;

/// CopyFlags of RopFastTransferSourceCopyTo: the body as it is kept.
const COPY_TO_BEST_BODY: u32 = 0x2000;

/// ecPartialCompletion, as the warning for a message that is not there.
const PARTIAL_COMPLETION: i32 = 0x0004_0680;

/// Octets of an answer beside the data.
const HEAD_BYTES: usize = 16;

/// SendOptions that any download takes.
const KNOWN_OPTIONS: u8 = send_options::UNICODE
    | send_options::USE_CPID
    | send_options::RECOVER_MODE
    | send_options::FORCE_UNICODE;

impl Source {
    /// A download of these pieces.
    pub(crate) fn new(pieces: VecDeque<Piece>, style: Style) -> Self {
        Self {
            encoder: Encoder::new(),
            total: pieces.len(),
            pieces,
            style,
            states: None,
        }
    }

    /// Encodes pieces until there are so many octets, or no more pieces.
    fn encode(&mut self, mailbox: &Mailbox, octets: usize) {
        while self.encoder.len() <= octets {
            let Some(piece) = self.pieces.pop_front() else {
                return;
            };
            let stream = MessageStream {
                mailbox,
                style: &self.style,
            };
            match piece {
                Piece::Event(event) => self.encoder.event(&event),
                Piece::Change(message) => {
                    self.encoder
                        .event(&Event::Change(Box::new(stream.change(&message))));
                }
                Piece::Listed(message) => {
                    self.encoder
                        .event(&Event::Message(Box::new(stream.listed(&message))));
                }
            }
        }
    }

    fn is_done(&self) -> bool {
        self.pieces.is_empty() && self.encoder.is_empty()
    }

    /// The state of a client that has got this far: that at the beginning until all has been downloaded.
    pub(crate) fn state(&self) -> Option<(&State, Scope)> {
        let states = self.states.as_ref()?;
        let state = match self.is_done() {
            true => &states.after,
            false => &states.before,
        };
        Some((state, states.scope))
    }
}

/// How strings come.
pub(crate) const fn is_unicode(options: u8) -> bool {
    options & (send_options::UNICODE | send_options::FORCE_UNICODE) != 0
}

const fn check_options(options: u8) -> Result<()> {
    match options & !KNOWN_OPTIONS {
        0 => Ok(()),
        _ => Err(Code::INVALID_PARAMETER),
    }
}

/// Messages of a folder. For one that is not there, a warning comes in its place.
pub(crate) fn messages(call: &mut Call<'_>, ask: &FastTransferSourceCopyMessages) -> Outcome {
    check_options(ask.send_options)?;
    let reserved = ask.copy_flags & copy_messages_flags::RESERVED != 0;
    if reserved || ask.message_ids.is_empty() {
        return Err(Code::INVALID_PARAMETER.into());
    }
    let (mailbox, folder) = call.folder(ask.input)?;
    call.need(mailbox, folder.fid, Rights::READ_ANY)?;
    let piece = |id: &mapi_wire::Id| {
        let message = Mid::from_wire(*id).and_then(|mid| folder.message(mid));
        match message {
            Some(message) => Piece::Listed(message.clone()),
            None => Piece::Event(Box::new(Event::Warning(PARTIAL_COMPLETION))),
        }
    };
    let pieces = ask.message_ids.iter().map(piece).collect();
    let style = Style {
        best_body: ask.copy_flags & copy_messages_flags::BEST_BODY != 0,
        with_entry_id: ask.copy_flags & copy_messages_flags::SEND_ENTRY_ID != 0,
        unicode: is_unicode(ask.send_options),
        ..Style::default()
    };
    let source = Object::Source(Box::new(Source::new(pieces, style)));
    call.open(ask.output, ask.input, source)?;
    Ok(FastTransferSourceCopyMessagesResponse { index: ask.output }.into())
}

/// A folder.
pub(crate) fn folder(call: &mut Call<'_>, ask: &FastTransferSourceCopyFolder) -> Outcome {
    check_options(ask.send_options)?;
    let style = Style {
        unicode: is_unicode(ask.send_options),
        best_body: true,
        ..Style::default()
    };
    let (mailbox, folder) = call.folder(ask.input)?;
    call.need(mailbox, folder.fid, Rights::READ_ANY)?;
    let mut pieces = VecDeque::new();
    let deep = ask.copy_flags & COPY_SUBFOLDERS != 0;
    let walk = Walk {
        mailbox,
        style: &style,
        deep,
    };
    walk.folder(folder.fid, FolderLevel::Top, &mut pieces)?;
    let source = Object::Source(Box::new(Source::new(pieces, style)));
    call.open(ask.output, ask.input, source)?;
    Ok(FastTransferSourceCopyFolderResponse { index: ask.output }.into())
}

/// An object, but for some properties.
pub(crate) fn to(call: &mut Call<'_>, ask: &FastTransferSourceCopyTo) -> Outcome {
    check_options(ask.send_options)?;
    let style = Style {
        tags: without(&ask.property_tags, ask.level),
        best_body: ask.copy_flags & COPY_TO_BEST_BODY != 0,
        unicode: is_unicode(ask.send_options),
        ..Style::default()
    };
    object(call, ask.input, ask.output, style)?;
    Ok(FastTransferSourceCopyToResponse { index: ask.output }.into())
}

/// With a level above 0, what is within the object stays.
fn without(tags: &[PropTag], level: u8) -> Vec<PropTag> {
    let mut tags = tags.to_vec();
    if level > 0 {
        tags.extend([
            tags::MESSAGE_RECIPIENTS,
            tags::MESSAGE_ATTACHMENTS,
            tags::CONTAINER_CONTENTS,
            tags::CONTAINER_HIERARCHY,
            tags::FOLDER_ASSOCIATED_CONTENTS,
        ]);
    }
    tags
}

/// Some properties of an object.
pub(crate) fn properties(call: &mut Call<'_>, ask: &FastTransferSourceCopyProperties) -> Outcome {
    check_options(ask.send_options)?;
    let style = Style {
        tags: ask.property_tags.clone(),
        only: true,
        best_body: true,
        unicode: is_unicode(ask.send_options),
        ..Style::default()
    };
    object(call, ask.input, ask.output, style)?;
    Ok(FastTransferSourceCopyPropertiesResponse { index: ask.output }.into())
}

fn object(call: &mut Call<'_>, input: u8, output: u8, style: Style) -> Result<()> {
    let mailbox = call.mailbox(input)?;
    let stream = MessageStream {
        mailbox,
        style: &style,
    };
    let mut pieces = VecDeque::new();
    match &call.entry(input)?.1.object {
        Object::Message(_) => {
            let (_, open) = call.message(input)?;
            let mut message = stream.message(&call.view(mailbox, open)?, false);
            message.replaces_recipients = stream.has_part(tags::MESSAGE_RECIPIENTS, false);
            message.replaces_attachments = stream.has_part(tags::MESSAGE_ATTACHMENTS, false);
            pieces.push_back(Piece::Event(Box::new(Event::Content(Box::new(message)))));
        }
        Object::Attachment(open) => {
            let attachment = stream.attachment(&open.attachment);
            pieces.push_back(Piece::Event(Box::new(Event::AttachmentContent(Box::new(
                attachment,
            )))));
        }
        Object::Folder(_) => {
            let (_, folder) = call.folder(input)?;
            call.need(mailbox, folder.fid, Rights::READ_ANY)?;
            let walk = Walk {
                mailbox,
                style: &style,
                deep: true,
            };
            walk.folder(folder.fid, FolderLevel::Content, &mut pieces)?;
        }
        _ => return Err(Code::NOT_SUPPORTED),
    }
    let source = Object::Source(Box::new(Source::new(pieces, style)));
    call.open(output, input, source)?;
    Ok(())
}

/// Walks a folder and what is below it.
struct Walk<'a> {
    mailbox: &'a Mailbox,
    style: &'a Style,
    deep: bool,
}

impl Walk<'_> {
    fn folder(&self, fid: Fid, level: FolderLevel, pieces: &mut VecDeque<Piece>) -> Result<()> {
        let mailbox = self.mailbox;
        let folder = mailbox.folder(fid)?;
        let event = |event| Piece::Event(Box::new(event));
        pieces.push_back(event(Event::FolderBegin(
            level,
            folder_props(mailbox, folder, self.style),
        )));
        let has = |part| self.style.tags.contains(&part) == self.style.only;
        if has(tags::FOLDER_ASSOCIATED_CONTENTS) {
            pieces.extend(folder.associated().values().cloned().map(Piece::Listed));
        }
        if has(tags::CONTAINER_CONTENTS) {
            pieces.extend(folder.normal().values().cloned().map(Piece::Listed));
        }
        if self.deep && has(tags::CONTAINER_HIERARCHY) {
            for child in mailbox.children(fid) {
                self.folder(child.fid, FolderLevel::Sub, pieces)?;
            }
        }
        pieces.push_back(event(Event::FolderEnd(level)));
        Ok(())
    }
}

/// The next octets of a download.
pub(crate) fn get_buffer(call: &mut Call<'_>, ask: &FastTransferSourceGetBuffer) -> Outcome {
    if let Some(backoff_time_ms) = call.busy_ms {
        return Err(busy(backoff_time_ms));
    }
    begin_download(call, ask.input)?;
    let room = call.room.saturating_sub(HEAD_BYTES);
    let max = match ask.buffer_size {
        BufferSize::Exactly(size) => usize::from(size),
        BufferSize::UpTo(size) => usize::from(size).min(room),
    };
    if max > room {
        return Err(Code::BUFFER_TOO_SMALL.into());
    }
    let key = call.mailbox_key(ask.input)?;
    let mailbox = call
        .organisation
        .mailboxes
        .get(&*key)
        .ok_or(Code::NOT_FOUND)?;
    let (handle, _) = call.entry(ask.input)?;
    let Object::Source(source) = &mut call.session.objects.get_mut(handle)?.object else {
        return Err(Code::NOT_SUPPORTED.into());
    };
    source.encode(mailbox, max);
    let transfer_buffer = source.encoder.take(max);
    let done = source.is_done();
    let status = match (done, transfer_buffer.is_empty()) {
        (true, _) => transfer_status::DONE,
        (false, true) => transfer_status::NO_ROOM,
        (false, false) => transfer_status::PARTIAL,
    };
    let steps = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    Ok(FastTransferSourceGetBufferResponse {
        index: ask.input,
        transfer_status: status,
        in_progress_count: steps(source.total - source.pieces.len()),
        total_step_count: steps(source.total),
        reserved: 0,
        transfer_buffer: transfer_buffer.into(),
    }
    .into())
}

fn busy(backoff_time_ms: u32) -> Refusal {
    Refusal {
        code: Code::SERVER_BUSY,
        details: Some(Details::GetBuffer {
            transfer_status: transfer_status::ERROR,
            in_progress_count: 0,
            total_step_count: 0,
            reserved: 0,
            rest: GetBufferRest::Backoff {
                transfer_buffer_size: 0,
                backoff_time_ms,
            },
        }),
    }
}
