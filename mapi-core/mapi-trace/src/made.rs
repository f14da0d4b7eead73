//! The objects that requests open or make, in words.

use std::{cell::RefCell, rc::Rc};

use mapi_types::PropTag;
use mapi_wire::{
    Id,
    rop::{Logon as LogonRequest, Request, SynchronizationConfigure},
};

use crate::{
    names::codes::notification,
    object::{Batch, Logon, Object},
    transfer::Transfer,
    view::{folder_or_message, property_words},
};

/// The longest title. Objects may be opened within objects without end.
const TITLE_CHARS_MAX: usize = 200;

/// Makes the object that a request opens or makes, if it does.
pub(crate) fn make(batch: &mut Batch<'_>, request: &Request) {
    if let Request::Logon(ask) = request {
        if batch.logon(ask.logon_id).is_none() {
            batch.log_on(ask.logon_id, Logon::default());
        }
        batch.make(ask.output, Object::new(shortened(store(ask)), ask.logon_id));
        return;
    }
    let Some((slot, made)) = made(batch, request) else {
        return;
    };
    let logon_id = request.logon_id();
    let mut object = Object::new(shortened(made.title), logon_id);
    object.stream_of = made.stream_of;
    if made.is_transfer {
        object.transfer = Some(Rc::new(RefCell::new(Transfer::default())));
    }
    batch.make(slot, object);
}

/// A folder by its id.
pub(crate) fn folder(id: Id, logon: Option<&Logon>) -> String {
    format!("folder {}", folder_or_message(id, logon))
}

/// A message by its id.
pub(crate) fn message(id: Id) -> String {
    format!("message {}", folder_or_message(id, None))
}

struct Made {
    title: String,
    stream_of: Option<PropTag>,
    is_transfer: bool,
}

impl Made {
    const fn new(title: String) -> Self {
        Self {
            title,
            stream_of: None,
            is_transfer: false,
        }
    }

    fn transfer(title: String) -> Self {
        Self {
            is_transfer: true,
            ..Self::new(title)
        }
    }
}

fn made(batch: &Batch<'_>, request: &Request) -> Option<(u8, Made)> {
    let logon = batch.logon(request.logon_id());
    let of = |slot: u8| match batch.object(slot) {
        Some(object) => object.title.clone(),
        None => "an object that is not known here".to_owned(),
    };
    let (slot, title) = match request {
        Request::OpenFolder(ask) => (ask.output, folder(ask.folder_id, logon)),
        Request::CreateFolder(ask) => {
            let name = crate::text::quoted(&ask.display_name.to_text());
            (ask.output, format!("new folder {name}"))
        }
        Request::OpenMessage(ask) => (ask.output, message(ask.message_id)),
        Request::CreateMessage(ask) => {
            let place = folder(ask.folder_id, logon);
            (ask.output, format!("new message in {place}"))
        }
        Request::OpenEmbeddedMessage(ask) => (ask.output, format!("message in {}", of(ask.input))),
        Request::SynchronizationImportMessageChange(ask) => {
            (ask.output, format!("message uploaded to {}", of(ask.input)))
        }
        Request::OpenAttachment(ask) => {
            let title = format!("attachment {} of {}", ask.attachment_id, of(ask.input));
            (ask.output, title)
        }
        Request::CreateAttachment(ask) => {
            (ask.output, format!("new attachment of {}", of(ask.input)))
        }
        Request::GetHierarchyTable(ask) => {
            (ask.output, format!("hierarchy table of {}", of(ask.input)))
        }
        Request::GetContentsTable(ask) => {
            (ask.output, format!("contents table of {}", of(ask.input)))
        }
        Request::GetAttachmentTable(ask) => {
            (ask.output, format!("attachment table of {}", of(ask.input)))
        }
        Request::GetPermissionsTable(ask) => (
            ask.output,
            format!("permissions table of {}", of(ask.input)),
        ),
        Request::GetRulesTable(ask) => (ask.output, format!("rules table of {}", of(ask.input))),
        Request::RegisterNotification(ask) => {
            let kinds = kinds(ask.notification_types);
            (
                ask.output,
                format!("subscription to {kinds} at {}", of(ask.input)),
            )
        }
        Request::OpenStream(_) | Request::CloneStream(_) => return stream(batch, request),
        request => return transfer(request, of),
    };
    Some((slot, Made::new(title)))
}

fn stream(batch: &Batch<'_>, request: &Request) -> Option<(u8, Made)> {
    match request {
        Request::OpenStream(ask) => {
            let of = batch.object(ask.input).map(|object| object.title.as_str());
            let of = of.unwrap_or("an object that is not known here");
            let property = property_words(ask.property_tag, batch.logon(ask.logon_id));
            let made = Made {
                stream_of: Some(ask.property_tag),
                ..Made::new(format!("stream of {property} of {of}"))
            };
            Some((ask.output, made))
        }
        Request::CloneStream(ask) => {
            let object = batch.object(ask.input)?;
            let made = Made {
                stream_of: object.stream_of,
                ..Made::new(object.title.clone())
            };
            Some((ask.output, made))
        }
        _ => None,
    }
}

fn transfer(request: &Request, of: impl Fn(u8) -> String) -> Option<(u8, Made)> {
    let (slot, title) = match request {
        Request::FastTransferSourceCopyFolder(ask) => {
            (ask.output, format!("download of {}", of(ask.input)))
        }
        Request::FastTransferSourceCopyMessages(ask) => (
            ask.output,
            format!("download of messages of {}", of(ask.input)),
        ),
        Request::FastTransferSourceCopyTo(ask) => {
            (ask.output, format!("download of {}", of(ask.input)))
        }
        Request::FastTransferSourceCopyProperties(ask) => (
            ask.output,
            format!("download of properties of {}", of(ask.input)),
        ),
        Request::SynchronizationConfigure(ask) => {
            let what = match ask.synchronization_type {
                SynchronizationConfigure::HIERARCHY => "hierarchy",
                _ => "contents",
            };
            (
                ask.output,
                format!("{what} synchronization of {}", of(ask.input)),
            )
        }
        Request::SynchronizationGetTransferState(ask) => (
            ask.output,
            format!("download of the state of {}", of(ask.input)),
        ),
        Request::FastTransferDestinationConfigure(ask) => {
            (ask.output, format!("upload to {}", of(ask.input)))
        }
        Request::SynchronizationOpenCollector(ask) => {
            let what = match ask.is_contents_collector {
                true => "contents",
                false => "hierarchy",
            };
            let title = format!("{what} collector of {}", of(ask.input));
            return Some((ask.output, Made::new(title)));
        }
        _ => return None,
    };
    Some((slot, Made::transfer(title)))
}

fn store(ask: &LogonRequest) -> String {
    match ask.is_public() {
        true => "public folders".to_owned(),
        false => {
            // What comes last in a distinguished name is the user.
            let essdn = String::from_utf8_lossy(ask.essdn.strip_suffix(&[0]).unwrap_or(&ask.essdn));
            let user = essdn.rsplit('=').next().unwrap_or_default();
            format!("mailbox {user}")
        }
    }
}

fn kinds(types: u16) -> String {
    let names = notification::TYPES.iter();
    let names = names.filter(|(bit, _)| u64::from(types) & bit != 0);
    let names: Vec<&str> = names.map(|(_, name)| *name).collect();
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.join(", "),
    }
}

fn shortened(title: String) -> String {
    match title.char_indices().nth(TITLE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", title.get(..end).unwrap_or_default()),
        None => title,
    }
}
