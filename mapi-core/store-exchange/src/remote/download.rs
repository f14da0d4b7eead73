//! Streams that a server sends in pieces: FastTransfer downloads, event by event.
//!
//! The next pieces are asked for as soon as the last ones have come, so that the server is not idle while sense is made of
//! those.
//!
//! Source: MS-OXCFXICS 2.2.3.1.1.5, 3.3.5.7.

use std::collections::VecDeque;

use mapi_wire::{
    fast_transfer::{Event, Limits, Parser},
    ics::{Scope, State},
    rop::{self, BufferSize, Response, transfer_status},
};

use super::Remote;
use crate::{
    fault::{Fault, Result},
    session::{Answers, Batch, LoggedOn, Repeat, Session, Underway, unexpected},
};

/// How much is asked for in one piece; a server sends what its own limits allow, several pieces at a time.
const PIECE: BufferSize = BufferSize::UpTo(0x7b80);

/// How often a server may answer with nothing and say that there is more. gromox 3.10 does so for ever when a message
/// has been deleted.
const EMPTY_PIECES_MAX: u32 = 8;

/// A download that is under way.
pub(crate) struct Download {
    session: Session,
    remote: Remote,
    generation: u64,
    /// Handles to be released at the end, children first.
    handles: Vec<u32>,
    parser: Parser,
    /// Events of the pieces that have come.
    events: VecDeque<Event>,
    complete: bool,
    empty_pieces: u32,
    octets: usize,
    /// Pieces that have been asked for.
    ahead: Option<Underway>,
}

/// What the index of a folder takes: a row has a few hundred octets, only sets of ids may be large.
pub(super) const CONTENTS_LIMITS: Limits = Limits {
    value_octets_max: 32 << 20,
    stream_octets_max: 8 << 30,
    event_octets_max: 64 << 20,
};

/// What a folder tree takes, which is held as a whole.
pub(super) const HIERARCHY_LIMITS: Limits = Limits {
    value_octets_max: 16 << 20,
    stream_octets_max: 64 << 20,
    event_octets_max: 32 << 20,
};

/// What messages take: those of Exchange have 150 MB at most.
pub(super) const MESSAGES_LIMITS: Limits = Limits {
    value_octets_max: 160 << 20,
    stream_octets_max: 256 << 20,
    event_octets_max: 200 << 20,
};

/// The slot of what is downloaded from, and that of the download: every opening batch fills them in this order.
const OBJECT: u8 = 1;
pub(super) const SOURCE: u8 = 2;

impl Download {
    /// Begins a download: `open` adds what opens an object (slot 1) and a download from it ([`SOURCE`]). A state that
    /// fits goes along, and the first piece comes with the answer. Beyond `limits` the stream makes no sense.
    pub(super) async fn start(
        remote: &Remote,
        session: &Session,
        (state, limits): (Option<(State, Scope)>, Limits),
        open: impl Fn(&LoggedOn, &mut Batch) + Send + Sync + 'static,
    ) -> Result<Self> {
        let uploads = state.map(|(state, scope)| pieces(&state, scope));
        let (first, rest) = split(uploads.unwrap_or_default());
        let whole = rest.is_empty();
        let answers = session
            .run(&remote.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                open(logon, &mut batch);
                for upload in &first {
                    upload.push(&mut batch, SOURCE);
                }
                if whole {
                    get_buffer(&mut batch, SOURCE);
                }
                batch
            })
            .await?;
        let mut download = Self {
            session: session.clone(),
            remote: remote.clone(),
            generation: answers.generation,
            handles: vec![answers.handle(SOURCE)?, answers.handle(OBJECT)?],
            parser: Parser::new(limits),
            events: VecDeque::new(),
            complete: false,
            empty_pieces: 0,
            octets: 0,
            ahead: None,
        };
        match whole {
            true => download.take_in(answers)?,
            false => download.uploaded(answers, rest).await?,
        }
        Ok(download)
    }

    /// The next event; `None` at the end. Errors: every [`Fault`]; `Expired` or `Lost`: begin anew, where the state
    /// that has been stored says.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if self.complete {
                return Ok(None);
            }
            let answers = match &mut self.ahead {
                Some(ahead) => {
                    let answers = ahead.answers().await;
                    self.ahead = None;
                    answers?
                }
                None => self.go_on(get_buffer).await?,
            };
            self.take_in(answers)?;
        }
    }

    /// How many octets of the stream have come.
    pub(super) const fn octets(&self) -> usize {
        self.octets
    }

    fn source(&self) -> u32 {
        self.handles.first().copied().unwrap_or(rop::NO_HANDLE)
    }

    /// Uploads the rest of a state, the first part of which has these answers.
    async fn uploaded(&self, mut answers: Answers, rest: Vec<Vec<Upload>>) -> Result<()> {
        let mut rest = rest.into_iter();
        loop {
            while let Some(response) = answers.take_any() {
                if let Response::Failed(failed) = response {
                    return Err(Fault::operation(failed.rop_id, failed.code));
                }
            }
            let Some(part) = rest.next() else {
                return Ok(());
            };
            answers = self
                .go_on(move |batch, slot| {
                    for upload in &part {
                        upload.push(batch, slot);
                    }
                })
                .await?;
        }
    }

    async fn go_on(&self, add: impl Fn(&mut Batch, u8) + Send + Sync + 'static) -> Result<Answers> {
        let build = from_source(self.source(), add);
        self.session
            .go_on(&self.remote.store, self.generation, build)
            .await
    }

    /// Asks for the next pieces, if these answers are not the last.
    fn ask_ahead(&mut self, answers: &Answers) {
        let last = |response: &Response| match response {
            Response::FastTransferSourceGetBuffer(piece) => !matches!(
                piece.transfer_status,
                transfer_status::PARTIAL | transfer_status::NO_ROOM
            ),
            Response::Failed(_) => true,
            _ => false,
        };
        if !answers.iter().any(last) {
            let build = from_source(self.source(), get_buffer);
            self.ahead = self.session.ask(&self.remote.store, self.generation, build);
        }
    }

    /// Feeds the parser with what came.
    fn take_in(&mut self, mut answers: Answers) -> Result<()> {
        self.ask_ahead(&answers);
        let mut octets = 0;
        let mut pieces = 0;
        while let Some(response) = answers.take_any() {
            match response {
                Response::FastTransferSourceGetBuffer(piece) => {
                    pieces += 1;
                    octets += piece.transfer_buffer.len();
                    self.parser.feed(&piece.transfer_buffer);
                    self.drain()?;
                    match piece.transfer_status {
                        transfer_status::DONE => self.complete = true,
                        transfer_status::PARTIAL | transfer_status::NO_ROOM => {}
                        _ => return Err(Fault::Lost("the server broke a download off".into())),
                    }
                }
                Response::Failed(failed) => {
                    return Err(Fault::operation(failed.rop_id, failed.code));
                }
                _ => {}
            }
        }
        self.octets += octets;
        if self.complete {
            self.parser.finish()?;
            self.drain()?;
            self.release();
        } else if pieces > 0 && octets == 0 {
            self.empty_pieces += 1;
            if self.empty_pieces > EMPTY_PIECES_MAX {
                return Err(unexpected());
            }
        } else if octets > 0 {
            self.empty_pieces = 0;
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<()> {
        while let Some(event) = self.parser.next_event()? {
            self.events.push_back(event);
        }
        Ok(())
    }

    /// Releases what was opened, without waiting for it.
    fn release(&mut self) {
        let handles = std::mem::take(&mut self.handles);
        if !handles.is_empty() {
            self.session
                .release_later(&self.remote.store, self.generation, handles);
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.release();
    }
}

/// A batch about a download.
fn from_source(
    source: u32,
    add: impl Fn(&mut Batch, u8) + Send + Sync + 'static,
) -> impl Fn(&LoggedOn) -> Batch + Send + Sync + 'static {
    move |logon| {
        let mut batch = Batch::new(logon);
        let slot = batch.known(source);
        add(&mut batch, slot);
        batch
    }
}

fn get_buffer(batch: &mut Batch, input: u8) {
    batch.push(rop::FastTransferSourceGetBuffer {
        logon_id: batch.logon_id,
        input,
        buffer_size: PIECE,
    });
}

/// A part of a state on its way to the server.
#[derive(Clone, Debug)]
enum Upload {
    Begin(mapi_types::PropTag, u32),
    Octets(Box<[u8]>),
    End,
}

/// The most octets of a state in one ROP.
const UPLOAD_OCTETS: usize = 16 << 10;

/// The most octets of a state in the first batch, beside what opens the download.
const FIRST_BATCH_OCTETS: usize = 24 << 10;

impl Upload {
    fn push(&self, batch: &mut Batch, input: u8) {
        let logon_id = batch.logon_id;
        match self {
            Self::Begin(state_property, len) => {
                batch.push(rop::SynchronizationUploadStateStreamBegin {
                    logon_id,
                    input,
                    state_property: *state_property,
                    transfer_buffer_size: *len,
                });
            }
            Self::Octets(octets) => batch.push(rop::SynchronizationUploadStateStreamContinue {
                logon_id,
                input,
                stream_data: octets.clone(),
            }),
            Self::End => batch.push(rop::SynchronizationUploadStateStreamEnd { logon_id, input }),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Octets(octets) => octets.len() + 16,
            Self::Begin(..) | Self::End => 16,
        }
    }
}

/// A state as what is uploaded.
fn pieces(state: &State, scope: Scope) -> Vec<Upload> {
    let mut pieces = Vec::new();
    for prop in state.to_properties(scope) {
        let octets = prop.as_octets().unwrap_or_default();
        if octets.is_empty() {
            continue;
        }
        pieces.push(Upload::Begin(prop.tag, octets.len() as u32));
        pieces.extend(
            octets
                .chunks(UPLOAD_OCTETS)
                .map(|part| Upload::Octets(part.into())),
        );
        pieces.push(Upload::End);
    }
    pieces
}

/// What goes with the first batch, and what needs batches of its own.
fn split(uploads: Vec<Upload>) -> (Vec<Upload>, Vec<Vec<Upload>>) {
    let mut batches: Vec<Vec<Upload>> = vec![Vec::new()];
    let mut len = 0;
    for upload in uploads {
        if len + upload.len() > FIRST_BATCH_OCTETS {
            batches.push(Vec::new());
            len = 0;
        }
        len += upload.len();
        if let Some(batch) = batches.last_mut() {
            batch.push(upload);
        }
    }
    let rest = batches.split_off(1);
    (batches.pop().unwrap_or_default(), rest)
}
