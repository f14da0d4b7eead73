//! Synchronizations towards the client. Source: MS-OXCFXICS 2.2.3.2.1 to 2.2.3.2.3, 3.2.5.9.1 to 3.2.5.9.3.

use std::collections::VecDeque;

use mapi_types::PropTag;
use mapi_wire::{
    fast_transfer::{Event, meta},
    ics::{Scope, State},
    rop::{
        SynchronizationConfigure, SynchronizationConfigureResponse,
        SynchronizationGetTransferState, SynchronizationGetTransferStateResponse,
        SynchronizationUploadStateStreamBegin, SynchronizationUploadStateStreamBeginResponse,
        SynchronizationUploadStateStreamContinue, SynchronizationUploadStateStreamContinueResponse,
        SynchronizationUploadStateStreamEnd, SynchronizationUploadStateStreamEndResponse,
        send_options, synchronization_extra_flags as extra, synchronization_flags as flags,
    },
};

use super::{
    call::{Call, Outcome},
    fast_transfer_source::is_unicode,
    objects::{Object, Piece, Source, StateUpload, Style, Sync, SyncScope},
};
use crate::model::{
    error::{Code, Result},
    permission::Rights,
};

/// The most octets of a set that a client uploads.
const SET_BYTES_MAX: usize = 32 << 20;

/// SynchronizationFlags that a synchronization of folders may have. Source: MS-OXCFXICS 2.2.3.2.1.1.1.
const HIERARCHY_FLAGS: u16 = flags::UNICODE | flags::NO_DELETIONS | flags::NO_FOREIGN_IDENTIFIERS;

/// SynchronizationFlags that a synchronization of messages may have.
const CONTENTS_FLAGS: u16 = HIERARCHY_FLAGS
    | flags::IGNORE_NO_LONGER_IN_SCOPE
    | flags::READ_STATE
    | flags::FAI
    | flags::NORMAL
    | flags::ONLY_SPECIFIED_PROPERTIES
    | flags::BEST_BODY
    | flags::IGNORE_SPECIFIED_ON_FAI
    | flags::PROGRESS;

/// Configures a synchronization.
pub(crate) fn configure(call: &mut Call<'_>, ask: &SynchronizationConfigure) -> Outcome {
    let fid = call.folder_id(ask.input)?;
    call.need(call.mailbox(ask.input)?, fid, Rights::READ_ANY)?;
    let has = |flag| ask.synchronization_flags & flag != 0;
    let wide = ask.send_options & send_options::UNICODE != 0;
    if has(flags::UNICODE) != wide {
        return Err(Code::INVALID_PARAMETER.into());
    }
    let scope = match ask.synchronization_type {
        SynchronizationConfigure::HIERARCHY => hierarchy(ask)?,
        SynchronizationConfigure::CONTENTS => contents(ask)?,
        _ => return Err(Code::INVALID_PARAMETER.into()),
    };
    let asks_for = |flag| ask.synchronization_extra_flags & flag != 0;
    let style = Style {
        tags: ask.property_tags.clone(),
        only: has(flags::ONLY_SPECIFIED_PROPERTIES),
        all_of_hidden: has(flags::IGNORE_SPECIFIED_ON_FAI),
        best_body: has(flags::BEST_BODY),
        with_id: asks_for(extra::EID),
        with_size: asks_for(extra::MESSAGE_SIZE),
        with_change: asks_for(extra::CN),
        with_entry_id: false,
        with_progress: has(flags::PROGRESS),
        unicode: is_unicode(ask.send_options),
    };
    let sync = Sync {
        fid,
        scope,
        style,
        upload: StateUpload::default(),
    };
    call.open(ask.output, ask.input, Object::Sync(Box::new(sync)))?;
    Ok(SynchronizationConfigureResponse { index: ask.output }.into())
}

fn hierarchy(ask: &SynchronizationConfigure) -> Result<SyncScope> {
    let wrong = ask.synchronization_flags & !HIERARCHY_FLAGS != 0
        || ask.synchronization_extra_flags & !extra::EID != 0
        || ask.send_options & send_options::PARTIAL_ITEM != 0
        || ask.restriction.is_some();
    match wrong {
        true => Err(Code::INVALID_PARAMETER),
        false => Ok(SyncScope::Hierarchy {
            no_deletions: ask.synchronization_flags & flags::NO_DELETIONS != 0,
        }),
    }
}

fn contents(ask: &SynchronizationConfigure) -> Result<SyncScope> {
    if ask.synchronization_flags & !CONTENTS_FLAGS != 0 {
        return Err(Code::INVALID_PARAMETER);
    }
    Ok(SyncScope::Contents {
        flags: ask.synchronization_flags,
        restriction: ask.restriction.clone(),
        newest_first: ask.synchronization_extra_flags & extra::ORDER_BY_DELIVERY_TIME != 0,
    })
}

impl Call<'_> {
    /// The state that is uploaded to the object in a slot, and whether it is one of folders.
    fn upload_mut(&mut self, slot: u8) -> Result<(&mut StateUpload, Scope)> {
        let (upload, scope) = match self.object_mut(slot)? {
            Object::Sync(sync) => {
                let scope = match sync.scope {
                    SyncScope::Hierarchy { .. } => Scope::Hierarchy,
                    SyncScope::Contents { .. } => Scope::Contents,
                };
                (&mut sync.upload, scope)
            }
            Object::Collector(collector) => {
                let scope = match collector.contents {
                    true => Scope::Contents,
                    false => Scope::Hierarchy,
                };
                (&mut collector.upload, scope)
            }
            // A download that has begun takes no state any more.
            Object::Source(_) => return Err(Code::FAILED),
            _ => return Err(Code::NOT_SUPPORTED),
        };
        match upload.closed {
            true => Err(Code::FAILED),
            false => Ok((upload, scope)),
        }
    }
}

/// Begins a set of the client's state.
pub(crate) fn begin(call: &mut Call<'_>, ask: &SynchronizationUploadStateStreamBegin) -> Outcome {
    let (upload, scope) = call.upload_mut(ask.input)?;
    let both = [
        meta::IDSET_GIVEN,
        meta::IDSET_GIVEN_BINARY,
        meta::CNSET_SEEN,
    ];
    let contents = [meta::CNSET_SEEN_ASSOCIATED, meta::CNSET_READ];
    let known = both.contains(&ask.state_property)
        || scope == Scope::Contents && contents.contains(&ask.state_property);
    let size = ask.transfer_buffer_size as usize;
    if !known || upload.open.is_some() || size > SET_BYTES_MAX {
        return Err(Code::INVALID_PARAMETER.into());
    }
    upload.open = Some((ask.state_property, size, Vec::new()));
    Ok(SynchronizationUploadStateStreamBeginResponse { index: ask.input }.into())
}

/// Goes on with a set of the client's state.
pub(crate) fn go_on(
    call: &mut Call<'_>,
    ask: &SynchronizationUploadStateStreamContinue,
) -> Outcome {
    let (upload, _) = call.upload_mut(ask.input)?;
    let (_, size, octets) = upload.open.as_mut().ok_or(Code::FAILED)?;
    if octets.len() + ask.stream_data.len() > *size {
        return Err(Code::INVALID_PARAMETER.into());
    }
    octets.extend_from_slice(&ask.stream_data);
    Ok(SynchronizationUploadStateStreamContinueResponse { index: ask.input }.into())
}

/// Ends a set of the client's state.
pub(crate) fn end(call: &mut Call<'_>, ask: &SynchronizationUploadStateStreamEnd) -> Outcome {
    let (upload, _) = call.upload_mut(ask.input)?;
    let (tag, size, octets) = upload.open.take().ok_or(Code::FAILED)?;
    if octets.len() != size {
        return Err(Code::INVALID_PARAMETER.into());
    }
    let taken: PropTag = tag;
    upload
        .state
        .set(taken, &octets)
        .map_err(|_| Code::FORMAT_ERROR)?;
    Ok(SynchronizationUploadStateStreamEndResponse { index: ask.input }.into())
}

/// A download of the state alone.
pub(crate) fn state(call: &mut Call<'_>, ask: &SynchronizationGetTransferState) -> Outcome {
    let (_, entry) = call.entry(ask.input)?;
    let (state, scope): (&State, Scope) = match &entry.object {
        Object::Source(source) => source.state().ok_or(Code::NOT_SUPPORTED)?,
        Object::Sync(sync) => match sync.scope {
            SyncScope::Hierarchy { .. } => (&sync.upload.state, Scope::Hierarchy),
            SyncScope::Contents { .. } => (&sync.upload.state, Scope::Contents),
        },
        Object::Collector(collector) => match collector.contents {
            true => (&collector.upload.state, Scope::Contents),
            false => (&collector.upload.state, Scope::Hierarchy),
        },
        _ => return Err(Code::NOT_SUPPORTED.into()),
    };
    let event = Event::State(state.to_properties(scope));
    let pieces = VecDeque::from([Piece::Event(Box::new(event))]);
    let source = Source::new(pieces, Style::default());
    call.open(ask.output, ask.input, Object::Source(Box::new(source)))?;
    Ok(SynchronizationGetTransferStateResponse { index: ask.output }.into())
}
