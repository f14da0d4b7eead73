//! Copying properties from one open object to another. Source: MS-OXCPRPT 3.2.5.8, 3.2.5.11.

use std::sync::Arc;

use mapi_types::PropTag;
use mapi_wire::rop::{CopyProperties, CopyPropertiesResponse, CopyTo, CopyToResponse, copy_flags};

use super::{
    call::{Call, Outcome},
    objects::Object,
};
use crate::model::{
    error::{Code, Result},
    message::Content,
    message_props, tags,
};

/// All but some, with recipients and attachments when those are wanted.
pub(crate) fn to(call: &mut Call<'_>, ask: &CopyTo) -> Outcome {
    let excluded = |tag: PropTag| ask.excluded_tags.iter().any(|other| other.id() == tag.id());
    let keeps = ask.copy_flags & copy_flags::NO_OVERWRITE != 0;
    let parts = [tags::MESSAGE_RECIPIENTS, tags::MESSAGE_ATTACHMENTS];
    let [recipients, attachments] = parts.map(|tag| ask.want_sub_objects && !excluded(tag));
    let source = source(call, ask.source)?;
    let target = target(call, ask.destination)?;
    for (tag, value) in source.props.iter().filter(|(tag, _)| !excluded(*tag)) {
        let stays = keeps && target.props.get(tag).is_some();
        if !message_props::is_computed(tag) && !stays {
            target.props.set(tag, value.clone());
        }
    }
    if recipients {
        target.recipients.clone_from(&source.recipients);
    }
    if attachments {
        target.attachments.clone_from(&source.attachments);
        target.next_attachment = target.next_attachment.max(source.next_attachment);
    }
    Ok(CopyToResponse {
        index: ask.source,
        property_problems: Vec::new(),
    }
    .into())
}

/// Some.
pub(crate) fn properties(call: &mut Call<'_>, ask: &CopyProperties) -> Outcome {
    let keeps = ask.copy_flags & copy_flags::NO_OVERWRITE != 0;
    let source = source(call, ask.source)?;
    let target = target(call, ask.destination)?;
    for tag in &ask.property_tags {
        match *tag {
            tags::MESSAGE_RECIPIENTS => target.recipients.clone_from(&source.recipients),
            tags::MESSAGE_ATTACHMENTS => target.attachments.clone_from(&source.attachments),
            tag if message_props::is_computed(tag) => {}
            tag => {
                if let Some(value) = source.props.get(tag)
                    && !(keeps && target.props.get(tag).is_some())
                {
                    target.props.set(tag, value.clone());
                }
            }
        }
    }
    Ok(CopyPropertiesResponse {
        index: ask.source,
        property_problems: Vec::new(),
    }
    .into())
}

fn source(call: &Call<'_>, slot: u8) -> Result<Content> {
    match &call.entry(slot)?.1.object {
        Object::Message(message) => Ok(Content::clone(&message.content)),
        Object::Attachment(open) => Ok(Content {
            props: open.attachment.props.clone(),
            ..Content::default()
        }),
        _ => Err(Code::NOT_SUPPORTED),
    }
}

fn target<'c>(call: &'c mut Call<'_>, slot: u8) -> Result<&'c mut Content> {
    call.entry(slot)
        .map_err(|_| Code::DESTINATION_NULL_OBJECT)?;
    Ok(Arc::make_mut(&mut call.writable_message(slot)?.content))
}
