//! Sending. Source: MS-OXOMSG 3.2.4, MS-OXCROPS 2.2.7.

use mapi_wire::{
    TaggedValue,
    rop::{
        GetAddressTypes, GetAddressTypesResponse, GetTransportFolder, GetTransportFolderResponse,
        OptionsData, OptionsDataResponse, SetSpooler, SetSpoolerResponse, SubmitMessage,
        SubmitMessageResponse, TransportSend, TransportSendResponse,
    },
};

use super::{
    call::{Call, Outcome},
    objects::{Object, Place},
    save, stream,
};
use crate::model::{
    error::{Code, Result},
    ids::Mid,
    message_changes::NewMessage,
    tags,
};

/// Sends a message.
pub(crate) fn submit(call: &mut Call<'_>, ask: &SubmitMessage) -> Outcome {
    send_message(call, ask.input)?;
    Ok(SubmitMessageResponse { index: ask.input }.into())
}

/// Sends a message and says what was sent.
pub(crate) fn send(call: &mut Call<'_>, ask: &TransportSend) -> Outcome {
    let (_, message) = call.message(ask.input)?;
    let props = message.content.props.clone();
    send_message(call, ask.input)?;
    let wanted = [
        tags::SENT_REPRESENTING_NAME,
        tags::SENT_REPRESENTING_EMAIL_ADDRESS,
    ];
    let values = wanted.into_iter().filter_map(|tag| {
        let value = props.read(tag)?;
        Some(TaggedValue { tag, value })
    });
    let property_values: Vec<_> = values.collect();
    Ok(TransportSendResponse {
        index: ask.input,
        no_properties_returned: false,
        property_values: Some(property_values),
    }
    .into())
}

/// Saves a message where it has changes, and sends it. Its handle is good for nothing then.
fn send_message(call: &mut Call<'_>, slot: u8) -> Result<()> {
    let (handle, message) = call.message(slot)?;
    if !message.writable {
        return Err(Code::ACCESS_DENIED);
    }
    if message.content.recipients.is_empty() {
        return Err(Code::NO_RECIPIENTS);
    }
    stream::commit_open(call, handle)?;
    let mid = saved(call, slot)?;
    let user = call.user().to_owned();
    let key = call.mailbox_key(slot)?;
    call.organisation.submit(&key, mid, &user)?;
    if let Object::Message(message) = call.object_mut(slot)? {
        message.submitted = true;
    }
    Ok(())
}

/// The message as it is saved now, with the changes of its handle.
fn saved(call: &mut Call<'_>, slot: u8) -> Result<Mid> {
    let (_, message) = call.message(slot)?;
    let Place::Folder { fid, mid, .. } = message.place else {
        return Err(Code::NOT_SUPPORTED);
    };
    let content = (*message.content).clone();
    let creator = call.user().into();
    let mailbox = call.mailbox_mut(slot)?;
    let mid = match mid {
        Some(mid) => {
            let saved = mailbox.message(mid).map_err(|_| Code::OBJECT_DELETED)?;
            if *saved.content != content {
                mailbox.replace_content(mid, content, None)?;
            }
            mid
        }
        None => mailbox.create_message(NewMessage {
            folder: fid,
            associated: false,
            mid: None,
            content,
            creator,
            version: None,
        })?,
    };
    save::refresh(call, slot, mid)?;
    Ok(mid)
}

/// Which kinds of address can be sent to.
pub(crate) fn address_types(call: &mut Call<'_>, ask: &GetAddressTypes) -> Outcome {
    call.store(ask.input)?;
    let types: [&[u8]; 2] = [b"EX", b"SMTP"];
    Ok(GetAddressTypesResponse {
        index: ask.input,
        address_types: types.map(Into::into).into(),
    }
    .into())
}

/// The folder of messages in transport.
pub(crate) fn folder(call: &mut Call<'_>, ask: &GetTransportFolder) -> Outcome {
    let mailbox = call.store(ask.input)?;
    Ok(GetTransportFolderResponse {
        index: ask.input,
        folder_id: mailbox.special.outbox().to_wire(),
    }
    .into())
}

/// The options of a kind of address: there are none.
pub(crate) fn options(call: &mut Call<'_>, ask: &OptionsData) -> Outcome {
    call.store(ask.input)?;
    Ok(OptionsDataResponse {
        index: ask.input,
        reserved: 1,
        options_info: Box::default(),
        help: None,
    }
    .into())
}

/// This client sends what needs a client: nothing does.
pub(crate) fn set_spooler(call: &mut Call<'_>, ask: &SetSpooler) -> Outcome {
    call.store(ask.input)?;
    Ok(SetSpoolerResponse { index: ask.input }.into())
}
