//! A batch of ROPs in the making. Slot 0 is the logon's.

use mapi_wire::{
    Id,
    rop::{self, NO_HANDLE, Request, RequestBuffer},
};

use super::LoggedOn;

/// A batch of ROPs for one logon.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) logon_id: u8,
    /// Whether it is for the public folders.
    pub(crate) is_public: bool,
    pub(crate) buffer: RequestBuffer,
}

impl Batch {
    /// An empty one.
    pub(crate) fn new(logon: &LoggedOn) -> Self {
        Self {
            logon_id: logon.logon_id,
            is_public: logon.is_public,
            buffer: RequestBuffer {
                requests: Vec::new(),
                handles: vec![logon.handle],
            },
        }
    }

    /// The slot of the logon.
    pub(crate) const LOGON: u8 = 0;

    /// A slot for the handle of what a ROP opens. At most 254 in a batch.
    pub(crate) fn slot(&mut self) -> u8 {
        self.known(NO_HANDLE)
    }

    /// A slot with a handle of an earlier batch.
    pub(crate) fn known(&mut self, handle: u32) -> u8 {
        self.buffer.handles.push(handle);
        (self.buffer.handles.len() - 1) as u8
    }

    /// Adds a ROP.
    pub(crate) fn push(&mut self, request: impl Into<Request>) {
        self.buffer.requests.push(request.into());
    }

    /// Adds RopOpenFolder and returns the folder's slot.
    pub(crate) fn open_folder(&mut self, folder_id: Id) -> u8 {
        let output = self.slot();
        self.push(rop::OpenFolder {
            logon_id: self.logon_id,
            input: Self::LOGON,
            output,
            folder_id,
            open_mode_flags: 0,
        });
        output
    }

    /// Adds RopRelease.
    pub(crate) fn release(&mut self, input: u8) {
        self.push(rop::Release {
            logon_id: self.logon_id,
            input,
        });
    }
}
