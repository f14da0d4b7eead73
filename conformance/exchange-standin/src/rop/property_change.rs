//! Changing properties: what may be changed, and what is said about the rest. Source: MS-OXCPRPT 3.2.5.4, 3.2.5.5.

use std::sync::Arc;

use mapi_types::PropTag;
use mapi_wire::{PropValue, TaggedValue, rop::PropertyProblem};

use super::{
    call::Call,
    objects::{Object, OpenMessage},
    property::problem,
};
use crate::model::{
    error::{Code, Result},
    folder_props, message_props,
    named::FIRST_ID,
    permission::Rights,
    props::Props,
    tags::{self, message_flags},
};

/// Sets properties of the object in a slot; what could not be set.
pub(crate) fn set(
    call: &mut Call<'_>,
    slot: u8,
    values: &[TaggedValue],
) -> Result<Vec<PropertyProblem>> {
    let kind = Kind::of(call, slot)?;
    let mut problems = Vec::new();
    let mut changes = Props::default();
    for (place, value) in values.iter().enumerate() {
        match may_change(call, slot, kind, value.tag) {
            Ok(()) => changes.set(value.tag, value.value.clone()),
            Err(code) => problems.push(problem(place, value.tag, code)),
        }
    }
    apply(call, slot, changes, &[])?;
    Ok(problems)
}

/// Removes properties of the object in a slot; what could not be removed.
pub(crate) fn delete(
    call: &mut Call<'_>,
    slot: u8,
    tags: &[PropTag],
) -> Result<Vec<PropertyProblem>> {
    let kind = Kind::of(call, slot)?;
    let mut problems = Vec::new();
    let mut gone = Vec::new();
    for (place, tag) in tags.iter().enumerate() {
        match may_change(call, slot, kind, *tag) {
            Ok(()) => gone.push(*tag),
            Err(code) => problems.push(problem(place, *tag, code)),
        }
    }
    apply(call, slot, Props::default(), &gone)?;
    Ok(problems)
}

/// What kind of object it is, as far as that decides what may be changed.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Store,
    Folder,
    /// A message that was never saved: its flags may still be set.
    NewMessage,
    Message,
    Attachment,
}

impl Kind {
    /// The kind of the object in a slot, which must be open for writing.
    fn of(call: &Call<'_>, slot: u8) -> Result<Self> {
        let (_, entry) = call.entry(slot)?;
        let mailbox = call.mailbox(slot)?;
        Ok(match &entry.object {
            Object::Logon if mailbox.is_owner(call.user()) => Self::Store,
            Object::Logon => return Err(Code::ACCESS_DENIED),
            Object::Folder(_) => {
                let fid = call.folder_id(slot)?;
                call.need(mailbox, fid, Rights::OWNER)?;
                Self::Folder
            }
            Object::Message(_) => {
                let (_, message) = call.message(slot)?;
                match message {
                    OpenMessage {
                        writable: false, ..
                    } => return Err(Code::ACCESS_DENIED),
                    OpenMessage { base: None, .. } => Self::NewMessage,
                    _ => Self::Message,
                }
            }
            Object::Attachment(open) if open.writable => Self::Attachment,
            Object::Attachment(_) => return Err(Code::ACCESS_DENIED),
            _ => return Err(Code::NOT_SUPPORTED),
        })
    }
}

fn may_change(call: &mut Call<'_>, slot: u8, kind: Kind, tag: PropTag) -> Result<()> {
    let named = call.mailbox(slot)?.named.name(tag.id()).is_some();
    if tag.id() >= FIRST_ID && !named {
        call.violation(format!(
            "a named property {:#06x} that the mailbox does not know",
            tag.id()
        ));
        return Err(Code::INVALID_PARAMETER);
    }
    let computed = match kind {
        Kind::Store => {
            let settable = folder_props::STORE_SETTABLE
                .iter()
                .any(|known| known.id() == tag.id());
            !settable && tag.id() < FIRST_ID
        }
        Kind::Folder => folder_props::is_computed(tag),
        Kind::NewMessage if tag.id() == tags::MESSAGE_FLAGS.id() => false,
        Kind::NewMessage | Kind::Message => message_props::is_computed(tag),
        Kind::Attachment => [tags::ATTACH_NUMBER, tags::ATTACH_SIZE]
            .iter()
            .any(|known| known.id() == tag.id()),
    };
    match computed {
        true => Err(Code::COMPUTED),
        false => Ok(()),
    }
}

fn apply(call: &mut Call<'_>, slot: u8, set: Props, remove: &[PropTag]) -> Result<()> {
    let nothing = set.iter().next().is_none() && remove.is_empty();
    if nothing {
        return Ok(());
    }
    let folder = call.folder_id(slot).ok();
    if let Some(fid) = folder {
        return call.mailbox_mut(slot)?.change_folder(fid, set, remove);
    }
    let change = |props: &mut Props| {
        props.extend(set.iter().map(|(tag, value)| (tag, value.clone())));
        for tag in remove {
            props.remove(*tag);
        }
    };
    match call.object_mut(slot)? {
        Object::Message(message) => {
            let content = Arc::make_mut(&mut message.content);
            change(&mut content.props);
            split_subject(&mut content.props, &set);
            if let Some(flags) = content.props.i32(tags::MESSAGE_FLAGS) {
                let flags = PropValue::I32(flags & message_flags::SETTABLE);
                content.props.set(tags::MESSAGE_FLAGS, flags);
            }
        }
        Object::Attachment(open) => change(&mut open.attachment.props),
        _ => change(&mut call.mailbox_mut(slot)?.props),
    }
    Ok(())
}

/// A new subject or part of it takes the place of the old whole. Source: MS-OXCMSG 2.2.1.9, 2.2.1.10.
fn split_subject(props: &mut Props, set: &Props) {
    let has = |tag| set.get(tag).is_some();
    if has(tags::SUBJECT) {
        for tag in [tags::SUBJECT_PREFIX, tags::NORMALIZED_SUBJECT] {
            if !has(tag) {
                props.remove(tag);
            }
        }
    } else if has(tags::NORMALIZED_SUBJECT) || has(tags::SUBJECT_PREFIX) {
        props.remove(tags::SUBJECT);
    }
}
