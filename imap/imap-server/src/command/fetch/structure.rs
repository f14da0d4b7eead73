//! ENVELOPE and BODYSTRUCTURE, written from the views of the stored facts.

use account::mime::{EnvelopeView, PartView, StructureView};
use imap_wire::{
    FetchWriter,
    response::{Address, Disposition, Envelope, Leaf, Param, message_part, multipart, single_part},
};

/// Writes `ENVELOPE`; one whose facts are damaged is empty.
pub(super) fn envelope(fetch: &mut FetchWriter<'_>, view: Option<EnvelopeView<'_>>) {
    match view {
        Some(view) => with_envelope(view, |envelope| fetch.envelope(envelope)),
        None => fetch.envelope(&Envelope::default()),
    }
}

/// Writes `BODYSTRUCTURE`, or `BODY` when not extended; damaged facts look like an empty text.
pub(super) fn body(fetch: &mut FetchWriter<'_>, view: Option<StructureView<'_>>, extended: bool) {
    let out = fetch.body_structure(extended);
    match view {
        Some(view) => part(out, &view.root(), extended),
        None => single_part(out, &EMPTY, extended),
    }
}

const EMPTY: Leaf<'static> = Leaf {
    media_type: b"text",
    subtype: b"plain",
    params: &[],
    id: None,
    description: None,
    encoding: b"7bit",
    size: 0,
    lines: 0,
    md5: None,
    disposition: None,
    language: &[],
    location: None,
};

/// The scanner bounds how deep parts nest.
fn part(out: &mut Vec<u8>, view: &PartView<'_>, extended: bool) {
    let params: Vec<Param<'_>> = view.params.collect();
    let (mut disposition_params, mut language) = (Vec::new(), Vec::new());
    if extended {
        if let Some((_, params)) = view.disposition {
            disposition_params.extend(params);
        }
        language.extend(view.languages());
    }
    let leaf = Leaf {
        media_type: view.media_type,
        subtype: view.subtype,
        params: &params,
        id: view.id,
        description: view.description,
        encoding: view.encoding,
        size: view.body_len,
        lines: view.lines,
        md5: view.md5,
        disposition: view.disposition.map(|(kind, _)| Disposition {
            kind,
            params: &disposition_params,
        }),
        language: &language,
        location: view.location,
    };
    if let Some(inner) = view.embedded() {
        let inside = |out: &mut Vec<u8>| part(out, &inner, extended);
        match view.envelope() {
            Some(envelope) => with_envelope(envelope, |envelope| {
                message_part(out, &leaf, envelope, extended, inside);
            }),
            None => message_part(out, &leaf, &Envelope::default(), extended, inside),
        }
        return;
    }
    let mut children = view.children().peekable();
    if children.peek().is_none() {
        single_part(out, &leaf, extended);
    } else {
        multipart(out, &leaf, extended, |out| {
            children.for_each(|child| part(out, &child, extended))
        });
    }
}

/// Lends the view as the slices that the writer takes; one allocation.
fn with_envelope(view: EnvelopeView<'_>, write: impl FnOnce(&Envelope<'_>)) {
    let mut all: Vec<Address<'_>> = Vec::with_capacity(8);
    let lists = [
        view.from(),
        view.sender(),
        view.reply_to(),
        view.to(),
        view.cc(),
        view.bcc(),
    ];
    let mut ends = [0; 6];
    for (list, end) in lists.into_iter().zip(&mut ends) {
        all.extend(list.map(|address| Address {
            name: address.name,
            route: address.adl,
            mailbox: address.mailbox,
            host: address.host,
        }));
        *end = all.len();
    }
    let mut start = 0;
    let [from, sender, reply_to, to, cc, bcc] = ends.map(|end| {
        let list = all.get(start..end).unwrap_or_default();
        start = end;
        list
    });
    write(&Envelope {
        date: view.date(),
        subject: view.subject(),
        from,
        sender,
        reply_to,
        to,
        cc,
        bcc,
        in_reply_to: view.in_reply_to(),
        message_id: view.message_id(),
    });
}
