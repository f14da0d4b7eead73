//! Synchronizations from the client. Source: MS-OXCFXICS 2.2.3.2.4, 3.2.5.9.4.

use std::sync::Arc;

use mapi_types::PropTag;
use mapi_wire::{
    Gid, Id, PropValue, TaggedValue,
    rop::{
        SynchronizationImportDeletes, SynchronizationImportDeletesResponse,
        SynchronizationImportMessageChange, SynchronizationImportMessageChangeResponse,
        SynchronizationImportMessageMove, SynchronizationImportMessageMoveResponse,
        SynchronizationImportReadStateChanges, SynchronizationImportReadStateChangesResponse,
        SynchronizationOpenCollector, SynchronizationOpenCollectorResponse,
    },
};

use super::{
    call::{Call, Outcome, open_saved},
    message::new_message,
    objects::{Collector, Import, Object, Place, StateUpload},
};
use crate::model::{
    change::{Descent, Predecessors, Xid},
    error::{Code, Result},
    folder_changes::Version,
    ids::{Fid, Mid},
    mailbox::Mailbox,
    message::{Content, Message},
    message_changes::Deletion,
    permission::Rights,
    read_state::read_flags,
    tags,
};

/// Bits of ImportFlag. Source: MS-OXCFXICS 2.2.3.2.4.2.1.
mod import_flag {
    pub(super) const ASSOCIATED: u8 = 0x10;
    pub(super) const FAIL_ON_CONFLICT: u8 = 0x40;
}

/// Bits of ImportDeleteFlags. Source: MS-OXCFXICS 2.2.3.2.4.5.1.
mod delete_flags {
    pub(super) const HIERARCHY: u8 = 0x01;
    pub(super) const HARD: u8 = 0x02;
}

/// The tag of the list of ids in RopSynchronizationImportDeletes: a type and no id.
const IDS: PropTag = PropTag(0x0000_1102);

/// Octets of a change number that a server makes. Clients use another length.
const SERVER_LOCAL_BYTES: usize = 6;

impl Collector {
    /// Adds a message that was uploaded to what the client has seen.
    pub(crate) fn note_message(&mut self, id: Gid, change: Gid, associated: bool) {
        let state = &mut self.upload.state;
        state.idset_given.insert(id);
        match associated {
            true => state.cnset_seen_associated.insert(change),
            false => state.cnset_seen.insert(change),
        };
    }
}

impl Call<'_> {
    /// The collector in a slot: its folder. The client's state is complete by now.
    pub(crate) fn collector(&mut self, slot: u8, contents: bool) -> Result<Fid> {
        let Object::Collector(collector) = self.object_mut(slot)? else {
            return Err(Code::NOT_SUPPORTED);
        };
        if collector.contents != contents || collector.upload.open.is_some() {
            return Err(Code::NOT_SUPPORTED);
        }
        collector.upload.closed = true;
        let fid = collector.fid;
        self.mailbox(slot)?
            .folder(fid)
            .map_err(|_| Code::OBJECT_DELETED)?;
        Ok(fid)
    }

    pub(super) fn collector_mut(&mut self, slot: u8) -> Result<&mut Collector> {
        match self.object_mut(slot)? {
            Object::Collector(collector) => Ok(collector),
            _ => Err(Code::NOT_SUPPORTED),
        }
    }
}

/// Opens a collector.
pub(crate) fn open(call: &mut Call<'_>, ask: &SynchronizationOpenCollector) -> Outcome {
    let collector = Collector {
        fid: call.folder_id(ask.input)?,
        contents: ask.is_contents_collector,
        upload: StateUpload::default(),
    };
    call.open(
        ask.output,
        ask.input,
        Object::Collector(Box::new(collector)),
    )?;
    Ok(SynchronizationOpenCollectorResponse { index: ask.output }.into())
}

/// Uploads a message: its handle takes what is in it.
pub(crate) fn message(call: &mut Call<'_>, ask: &SynchronizationImportMessageChange) -> Outcome {
    let fid = call.collector(ask.input, true)?;
    let [source_key, rest @ ..] = ask.property_values.as_slice() else {
        return Err(Code::INVALID_PARAMETER.into());
    };
    let mailbox = call.mailbox(ask.input)?;
    let mid = Mid(own_counter(mailbox, binary(source_key, tags::SOURCE_KEY)?)?);
    let version = version(rest)?;
    let associated = ask.import_flag & import_flag::ASSOCIATED != 0;
    let fails = ask.import_flag & import_flag::FAIL_ON_CONFLICT != 0;
    let mut opened = new_message(fid, associated);
    let import = match mailbox.message(mid) {
        Ok(message) => {
            call.need(mailbox, fid, Rights::EDIT_ANY)?;
            let import = existing(message, (fid, associated), version, fails)?;
            opened = open_saved(message, true);
            opened.content = Arc::new(purged(&message.content));
            import
        }
        Err(_) if mailbox.is_gone(mid) => return Err(Code::SYNC_OBJECT_DELETED.into()),
        Err(_) if !mailbox.is_free(mid.0) => return Err(Code::INVALID_PARAMETER.into()),
        Err(_) => {
            call.need(mailbox, fid, Rights::CREATE)?;
            if call.manners.refuses_ids_of_adders {
                call.need(mailbox, fid, Rights::EDIT_OWNED)?;
            }
            Import {
                mid,
                version,
                loses: false,
            }
        }
    };
    let change_key = import.version.change_key.clone();
    if let Place::Folder { import: place, .. } = &mut opened.place {
        *place = Some(import);
    }
    check_namespace(call, ask.input, &change_key)?;
    call.open(ask.output, ask.input, Object::Message(Box::new(opened)))?;
    Ok(SynchronizationImportMessageChangeResponse {
        index: ask.output,
        message_id: Id::default(),
    }
    .into())
}

/// What a message that is here becomes. Source: MS-OXCFXICS 3.1.5.6.
fn existing(
    message: &Message,
    place: (Fid, bool),
    mut version: Version,
    fails: bool,
) -> Result<Import> {
    if (message.folder, message.associated) != place {
        return Err(Code::INVALID_PARAMETER);
    }
    let loses = match version.predecessors.compare(&message.predecessors) {
        Descent::Same | Descent::Older => return Err(Code::SYNC_IGNORE),
        Descent::Newer => false,
        Descent::Conflict if fails => return Err(Code::SYNC_CONFLICT),
        Descent::Conflict => {
            version.predecessors.merge(&message.predecessors);
            let here = message.content.props.time(tags::LAST_MODIFICATION_TIME);
            here.unwrap_or_default() >= version.modified
        }
    };
    Ok(Import {
        mid: message.mid,
        version,
        loses,
    })
}

/// A message without what a client can set.
fn purged(content: &Content) -> Content {
    let mut purged = Content {
        next_attachment: content.next_attachment,
        ..Content::default()
    };
    for tag in [tags::SEARCH_KEY, tags::CREATION_TIME] {
        if let Some(value) = content.props.get(tag) {
            purged.props.set(tag, value.clone());
        }
    }
    purged
}

/// Notes a change identifier that only a server may make. Source: MS-OXCFXICS 3.3.5.2.1.
pub(super) fn check_namespace(call: &mut Call<'_>, slot: u8, change: &Xid) -> Result<()> {
    let own = call.mailbox(slot)?.replica == change.namespace;
    if own || change.local.len() == SERVER_LOCAL_BYTES {
        call.violation("an uploaded change whose identifier only a server can have made");
    }
    Ok(())
}

/// The octets of a value that must have this tag.
pub(super) fn binary(value: &TaggedValue, tag: PropTag) -> Result<&[u8]> {
    match &value.value {
        PropValue::Binary(octets) if value.tag == tag => Ok(octets),
        _ => Err(Code::INVALID_PARAMETER),
    }
}

/// The counter of a source key, which must be one of this mailbox.
pub(super) fn own_counter(mailbox: &Mailbox, source_key: &[u8]) -> Result<u64> {
    let gid = Gid::from_bytes(source_key).and_then(|gid| mailbox.own_counter(gid));
    gid.filter(|counter| *counter > 0)
        .ok_or(Code::INVALID_PARAMETER)
}

/// PidTagLastModificationTime, PidTagChangeKey and PidTagPredecessorChangeList, in this order.
pub(super) fn version(values: &[TaggedValue]) -> Result<Version> {
    let [modified, change_key, predecessors] = values else {
        return Err(Code::INVALID_PARAMETER);
    };
    let modified = match &modified.value {
        PropValue::Time(ticks) if modified.tag == tags::LAST_MODIFICATION_TIME => *ticks,
        _ => return Err(Code::INVALID_PARAMETER),
    };
    let change_key = Xid::from_bytes(binary(change_key, tags::CHANGE_KEY)?);
    let change_key = change_key.ok_or(Code::INVALID_PARAMETER)?;
    let list = binary(predecessors, tags::PREDECESSOR_CHANGE_LIST)?;
    let predecessors = Predecessors::from_bytes(list).ok_or(Code::INVALID_PARAMETER)?;
    match predecessors.includes(&change_key) {
        true => Ok(Version {
            change_key,
            predecessors,
            modified,
        }),
        false => Err(Code::INVALID_PARAMETER),
    }
}

/// Uploads deletions.
pub(crate) fn deletes(call: &mut Call<'_>, ask: &SynchronizationImportDeletes) -> Outcome {
    let hierarchy = ask.import_delete_flags & delete_flags::HIERARCHY != 0;
    let fid = call.collector(ask.input, !hierarchy)?;
    let [ids] = ask.property_values.as_slice() else {
        return Err(Code::INVALID_PARAMETER.into());
    };
    let PropValue::Binaries(keys) = &ids.value else {
        return Err(Code::INVALID_PARAMETER.into());
    };
    if ids.tag != IDS {
        return Err(Code::INVALID_PARAMETER.into());
    }
    let how = match ask.import_delete_flags & delete_flags::HARD {
        0 => Deletion::Soft,
        _ => Deletion::Hard,
    };
    let rights = if hierarchy {
        Rights::OWNER
    } else {
        Rights::DELETE_ANY
    };
    call.need(call.mailbox(ask.input)?, fid, rights)?;
    for key in keys {
        let mailbox = call.mailbox_mut(ask.input)?;
        let counter = own_counter(mailbox, key)?;
        match hierarchy {
            true => delete_folder(mailbox, Fid(counter))?,
            false => delete_message(mailbox, fid, Mid(counter), how)?,
        }
        let gid = mailbox.gid(counter);
        call.collector_mut(ask.input)?
            .upload
            .state
            .idset_given
            .remove(gid);
    }
    Ok(SynchronizationImportDeletesResponse { index: ask.input }.into())
}

/// Deletes a folder, or remembers that it shall not come. Source: MS-OXCFXICS 3.2.5.9.4.5.
fn delete_folder(mailbox: &mut Mailbox, fid: Fid) -> Result<()> {
    match mailbox.folder(fid).is_ok() {
        true => mailbox.delete_folder(fid),
        false => {
            mailbox.remember_folder_gone(fid);
            Ok(())
        }
    }
}

fn delete_message(mailbox: &mut Mailbox, fid: Fid, mid: Mid, how: Deletion) -> Result<()> {
    match mailbox.folder(fid)?.message(mid).is_some() {
        true => mailbox.delete_message(fid, mid, how, false),
        false => {
            if mailbox.message(mid).is_err() {
                mailbox.remember_gone(mid);
            }
            Ok(())
        }
    }
}

/// Uploads a move of a message.
pub(crate) fn message_move(call: &mut Call<'_>, ask: &SynchronizationImportMessageMove) -> Outcome {
    let to = call.collector(ask.input, true)?;
    let mailbox = call.mailbox(ask.input)?;
    let from = Fid(own_counter(mailbox, &ask.source_folder_id)?);
    let mid = Mid(own_counter(mailbox, &ask.source_message_id)?);
    let target = own_counter(mailbox, &ask.destination_message_id)?;
    let change_key = Xid::from_bytes(&ask.change_number).ok_or(Code::INVALID_PARAMETER)?;
    let predecessors = Predecessors::from_bytes(&ask.predecessor_change_list);
    let predecessors = predecessors.ok_or(Code::INVALID_PARAMETER)?;
    let found = mailbox.folder(from)?.message(mid).cloned();
    let message = found.ok_or(match mailbox.is_gone(mid) {
        true => Code::SYNC_OBJECT_DELETED,
        false => Code::NOT_FOUND,
    })?;
    if !mailbox.is_free(target) {
        return Err(Code::INVALID_PARAMETER.into());
    }
    call.need(mailbox, from, Rights::DELETE_ANY)?;
    call.need(mailbox, to, Rights::CREATE)?;
    let descent = predecessors.compare(&message.predecessors);
    let mut merged = message.predecessors.clone();
    merged.merge(&predecessors);
    check_namespace(call, ask.input, &change_key)?;
    let mailbox = call.mailbox_mut(ask.input)?;
    let version = (descent != Descent::Newer).then_some((change_key, merged));
    let mid = mailbox.move_message(mid, to, Some(Mid(target)), version)?;
    let moved = mailbox.message(mid)?;
    let (id, change, associated) = (
        mailbox.gid(mid.0),
        mailbox.gid(moved.cn.0),
        moved.associated,
    );
    call.collector_mut(ask.input)?
        .note_message(id, change, associated);
    if descent == Descent::Newer {
        return Err(Code::SYNC_CLIENT_CHANGE_NEWER.into());
    }
    Ok(SynchronizationImportMessageMoveResponse {
        index: ask.input,
        message_id: Id::default(),
    }
    .into())
}

/// Uploads read states. Receipts go out as with RopSetMessageReadFlag without suppression: MS-OXCFXICS 3.2.5.9.4.6
/// defines the result by that, and nothing in the request suppresses them.
pub(crate) fn read_states(
    call: &mut Call<'_>,
    ask: &SynchronizationImportReadStateChanges,
) -> Outcome {
    let fid = call.collector(ask.input, true)?;
    call.need(call.mailbox(ask.input)?, fid, Rights::READ_ANY)?;
    for state in &ask.message_read_states {
        let mailbox = call.mailbox_mut(ask.input)?;
        let mid = Mid(own_counter(mailbox, &state.message_id)?);
        if mailbox.folder(fid)?.message(mid).is_none() {
            continue;
        }
        let flags = match state.mark_as_read {
            true => 0,
            false => read_flags::CLEAR | read_flags::SUPPRESS,
        };
        mailbox.set_read_flags(mid, flags)?;
        let read_cn = mailbox.message(mid)?.read_cn;
        let change = mailbox.gid(read_cn.0);
        if read_cn.0 > 0 {
            call.collector_mut(ask.input)?
                .upload
                .state
                .cnset_read
                .insert(change);
        }
    }
    Ok(SynchronizationImportReadStateChangesResponse { index: ask.input }.into())
}
