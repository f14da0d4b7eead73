//! Reading and changing properties of any object. Source: MS-OXCPRPT 3.2.5.1 to 3.2.5.7.

use mapi_types::PropTag;
use mapi_wire::{
    PropValue, TaggedValue,
    rop::{
        DeleteProperties, DeletePropertiesNoReplicate, DeletePropertiesNoReplicateResponse,
        DeletePropertiesResponse, GetPropertiesAll, GetPropertiesAllResponse, GetPropertiesList,
        GetPropertiesListResponse, GetPropertiesSpecific, GetPropertiesSpecificResponse,
        PropertyProblem, SetProperties, SetPropertiesNoReplicate, SetPropertiesNoReplicateResponse,
        SetPropertiesResponse,
    },
    value::types,
};

use super::{
    call::{Call, Outcome},
    message::access_of,
    objects::Object,
    property_change, value_size,
};
use crate::model::{
    body,
    error::{Code, Result},
    props::{as_type, with_type},
    tags,
    view::View,
};

/// Octets of an answer beside its values.
const HEAD_BYTES: usize = 16;

/// An object whose properties are read.
pub(crate) enum Subject {
    /// A store.
    Store,
    /// A folder.
    Folder,
    /// A message.
    Message(View),
    /// An attachment.
    Attachment,
}

impl Call<'_> {
    /// The object in a slot, as its properties are read.
    pub(crate) fn subject(&self, slot: u8) -> Result<Subject> {
        let (_, entry) = self.entry(slot)?;
        Ok(match &entry.object {
            Object::Logon => Subject::Store,
            Object::Folder(_) => {
                self.folder_id(slot)?;
                Subject::Folder
            }
            Object::Message(_) => {
                let (_, message) = self.message(slot)?;
                Subject::Message(self.view(self.mailbox(slot)?, message)?)
            }
            Object::Attachment(_) => Subject::Attachment,
            _ => return Err(Code::NOT_SUPPORTED),
        })
    }

    /// A property of an object, however large.
    pub(crate) fn prop(&self, slot: u8, subject: &Subject, tag: PropTag) -> Result<PropValue> {
        let mailbox = self.mailbox(slot)?;
        let found = match subject {
            Subject::Store => mailbox.store_prop(tag),
            Subject::Folder => {
                let (mailbox, folder) = self.folder(slot)?;
                mailbox.folder_prop(folder, self.user(), tag)
            }
            Subject::Message(View::Saved(message)) if tag == tags::ACCESS => {
                let rights = mailbox.rights(self.user(), message.folder);
                Some(PropValue::I32(access_of(self, rights, message)))
            }
            Subject::Message(view) => {
                let found = view.prop(mailbox, tag);
                found.or_else(|| body::made(&view.content().props, tag))
            }
            Subject::Attachment => self.attachment_prop(slot, tag)?,
        };
        found.ok_or(Code::NOT_FOUND)
    }

    fn attachment_prop(&self, slot: u8, tag: PropTag) -> Result<Option<PropValue>> {
        let (_, entry) = self.entry(slot)?;
        let Object::Attachment(open) = &entry.object else {
            return Err(Code::NOT_SUPPORTED);
        };
        let attachment = &open.attachment;
        let number = |number: usize| Some(PropValue::I32(number as i32));
        Ok(match with_type(tag, types::I32) {
            tags::ATTACH_NUMBER => number(attachment.number as usize),
            tags::ATTACH_SIZE => number(attachment.size()),
            tags::OBJECT_TYPE => number(7),
            _ => attachment.props.read(tag),
        })
    }

    /// The tags of all properties of an object.
    pub(crate) fn tags(&self, slot: u8, subject: &Subject) -> Result<Vec<PropTag>> {
        let (_, entry) = self.entry(slot)?;
        Ok(match subject {
            Subject::Store => self.mailbox(slot)?.store_tags(),
            Subject::Folder => {
                let (mailbox, folder) = self.folder(slot)?;
                mailbox.folder_tags(folder)
            }
            Subject::Message(view) => view.tags(self.mailbox(slot)?),
            Subject::Attachment => {
                let Object::Attachment(open) = &entry.object else {
                    return Err(Code::NOT_SUPPORTED);
                };
                let kept = open.attachment.props.iter().map(|(tag, _)| tag);
                let mut tags: Vec<_> = kept
                    .chain([tags::ATTACH_NUMBER, tags::ATTACH_SIZE, tags::OBJECT_TYPE])
                    .collect();
                tags.sort();
                tags
            }
        })
    }

    /// Turns values into errors, the largest first, until what is left fits into an answer of its own. `each` octets
    /// come with every value.
    fn fit(&self, values: &mut [Result<PropValue>], limit: u16, each: usize) {
        let inline = match limit {
            0 => self.limits.inline_value,
            limit => self.limits.inline_value.min(limit.into()),
        };
        for value in values.iter_mut() {
            if value
                .as_ref()
                .is_ok_and(|value| value_size::value(value) > inline)
            {
                *value = Err(Code::NOT_ENOUGH_MEMORY);
            }
        }
        let size = |value: &Result<PropValue>| match value {
            Ok(value) => each + value_size::value(value),
            Err(_) => each + 4,
        };
        let mut total: usize = HEAD_BYTES + values.iter().map(size).sum::<usize>();
        while total > self.room_alone {
            let Some(largest) = values
                .iter_mut()
                .filter(|v| v.is_ok())
                .max_by_key(|v| size(v))
            else {
                return;
            };
            let before = size(largest);
            *largest = Err(Code::NOT_ENOUGH_MEMORY);
            total = total + size(largest) - before;
        }
    }
}

/// Certain properties.
pub(crate) fn specific(call: &mut Call<'_>, ask: &GetPropertiesSpecific) -> Outcome {
    let subject = call.subject(ask.input)?;
    let mut values = Vec::new();
    for tag in &ask.property_tags {
        let value = call.prop(ask.input, &subject, *tag);
        values.push(match (value, *tag) {
            (Ok(value), tag) if tag.0 as u16 == types::UNSPECIFIED => {
                Ok(untyped(value, ask.want_unicode))
            }
            (value, _) => value,
        });
    }
    call.fit(&mut values, ask.property_size_limit, 3);
    let tags = ask.property_tags.iter();
    let cells = tags
        .zip(values)
        .map(|(tag, value)| value_size::cell(*tag, value))
        .collect();
    Ok(GetPropertiesSpecificResponse {
        index: ask.input,
        row: value_size::row_of(cells),
    }
    .into())
}

/// A value of which no type was asked for: strings are 8-bit unless Unicode is wanted.
fn untyped(value: PropValue, want_unicode: u16) -> PropValue {
    match &value {
        PropValue::String(_) if want_unicode == 0 => {
            as_type(&value, types::STRING8).unwrap_or(value)
        }
        _ => value,
    }
}

/// All properties.
pub(crate) fn all(call: &mut Call<'_>, ask: &GetPropertiesAll) -> Outcome {
    let subject = call.subject(ask.input)?;
    let tags = call.tags(ask.input, &subject)?;
    let mut values = Vec::new();
    for tag in &tags {
        let value = call.prop(ask.input, &subject, *tag);
        values.push(value.map(|value| untyped(value, ask.want_unicode)));
    }
    call.fit(&mut values, ask.property_size_limit, 4);
    let tagged = |(tag, value): (PropTag, Result<PropValue>)| match value {
        Ok(value) => TaggedValue {
            tag: with_type(tag, crate::model::props::type_of_value(&value)),
            value,
        },
        Err(code) => TaggedValue {
            tag: with_type(tag, types::ERROR),
            value: PropValue::Error(code.0),
        },
    };
    Ok(GetPropertiesAllResponse {
        index: ask.input,
        property_values: tags.into_iter().zip(values).map(tagged).collect(),
    }
    .into())
}

/// Which properties there are.
pub(crate) fn list(call: &mut Call<'_>, ask: &GetPropertiesList) -> Outcome {
    let subject = call.subject(ask.input)?;
    Ok(GetPropertiesListResponse {
        index: ask.input,
        property_tags: call.tags(ask.input, &subject)?,
    }
    .into())
}

/// Sets properties.
pub(crate) fn set(call: &mut Call<'_>, ask: &SetProperties) -> Outcome {
    let index = ask.input;
    Ok(SetPropertiesResponse {
        index,
        property_problems: property_change::set(call, index, &ask.property_values)?,
    }
    .into())
}

/// Sets properties that do not travel to other replicas; here there is none.
pub(crate) fn set_no_replicate(call: &mut Call<'_>, ask: &SetPropertiesNoReplicate) -> Outcome {
    let index = ask.input;
    Ok(SetPropertiesNoReplicateResponse {
        index,
        property_problems: property_change::set(call, index, &ask.property_values)?,
    }
    .into())
}

/// Removes properties.
pub(crate) fn delete(call: &mut Call<'_>, ask: &DeleteProperties) -> Outcome {
    let index = ask.input;
    Ok(DeletePropertiesResponse {
        index,
        property_problems: property_change::delete(call, index, &ask.property_tags)?,
    }
    .into())
}

/// Removes properties that do not travel to other replicas; here there is none.
pub(crate) fn delete_no_replicate(
    call: &mut Call<'_>,
    ask: &DeletePropertiesNoReplicate,
) -> Outcome {
    let index = ask.input;
    Ok(DeletePropertiesNoReplicateResponse {
        index,
        property_problems: property_change::delete(call, index, &ask.property_tags)?,
    }
    .into())
}

/// A property that could not be changed.
pub(crate) fn problem(place: usize, tag: PropTag, code: Code) -> PropertyProblem {
    PropertyProblem {
        index: place as u16,
        tag,
        code: code.0,
    }
}
