//! ROP buffers: batches and their answers, with what the session knows of them.

use mapi_wire::{
    DecodeError,
    buffer::{self, Packing, Payload},
    rop::{NO_HANDLE, Request, RequestBuffer, Response, ResponseBuffer},
};

use crate::{
    body::Draft,
    follow::{self, Outcome},
    node::{Entry, Node},
    object::{Batch, Object},
    session::Context,
    transfer::{Brought, Transfer},
    view::{self, Scene},
};

/// Why the answer to a request that nobody has seen is not read.
const UNASKED: &str = "an answer cannot be read without the request, which is not here or broken";

/// Shows the batches of a request. None: they cannot all be read, so their answer cannot be read either.
pub(crate) fn asked(
    draft: &mut Draft,
    context: &mut Context,
    rop_buffer: &[u8],
) -> Option<Vec<RequestBuffer>> {
    let payloads = split(draft, rop_buffer)?;
    let mut batches = Vec::new();
    let mut nodes = Vec::new();
    for (place, payload) in payloads.iter().enumerate() {
        let mut entry = head(payload);
        match RequestBuffer::decode(&payload.bytes, &context.wire) {
            Ok(batch) => {
                let rops = ask_all(draft, context, &batch);
                entry.push("rops", Node::List(rops));
                let work = Batch::new(&context.objects, &batch.handles);
                entry.push("handles", handles(&batch.handles, &work));
                batches.push(batch);
            }
            Err(error) => {
                let why = format!("broken: {error}");
                entry.push("broken", Node::octets(&payload.bytes, why));
                draft.fault(within(place, payload.packing), error);
            }
        }
        nodes.push(entry.into());
    }
    draft.fields.push("payloads", Node::List(nodes));
    (batches.len() == payloads.len()).then_some(batches)
}

/// Shows the answer to batches, and takes note of it.
pub(crate) fn answered(
    draft: &mut Draft,
    context: &mut Context,
    batches: Option<&[RequestBuffer]>,
    rop_buffer: &[u8],
) {
    let Some(payloads) = split(draft, rop_buffer) else {
        return;
    };
    let mut nodes = Vec::new();
    let mut first: Option<ResponseBuffer> = None;
    for (place, payload) in payloads.iter().enumerate() {
        let mut entry = head(payload);
        let batch = match (batches, &first) {
            (Some(batches), _) if batches.len() > 1 => batches.get(place).cloned(),
            (Some([batch]), None) => Some(batch.clone()),
            (Some([batch]), Some(first)) => Some(batch.continuation(first)),
            _ => None,
        };
        let Some(batch) = batch else {
            entry.push("unread", Node::octets(&payload.bytes, UNASKED));
            nodes.push(entry.into());
            continue;
        };
        match ResponseBuffer::decode(&payload.bytes, &batch, &mut context.wire) {
            Ok(answer) => {
                answer_all(draft, context, (&batch, &answer), &mut entry);
                first.get_or_insert(answer);
            }
            Err(error) => {
                let why = format!("broken: {error}");
                entry.push("broken", Node::octets(&payload.bytes, why));
                draft.fault(within(place, payload.packing), error);
            }
        }
        nodes.push(entry.into());
    }
    draft.fields.push("payloads", Node::List(nodes));
}

fn split<'b>(draft: &mut Draft, rop_buffer: &'b [u8]) -> Option<Vec<Payload<'b>>> {
    match buffer::split(rop_buffer) {
        Ok(payloads) => Some(payloads),
        Err(error) => {
            let why = format!("broken: {error}");
            draft.fields.push("payloads", Node::octets(rop_buffer, why));
            draft.fault("the ROP buffer", error);
            None
        }
    }
}

/// How a payload came.
fn head(payload: &Payload<'_>) -> Entry {
    let Payload { packing, bytes } = payload;
    let mut flags = Vec::new();
    if packing.compressed {
        flags.push(Node::word("Compressed"));
    }
    if packing.obfuscated {
        flags.push(Node::word("XorMagic"));
    }
    Entry::default()
        .with("flags", Node::List(flags))
        .with("size", Node::Number(bytes.len() as i128))
}

fn within(place: usize, packing: Packing) -> String {
    match packing == Packing::default() {
        true => format!("payload {place} of the ROP buffer"),
        false => format!("payload {place} of the ROP buffer, unpacked"),
    }
}

fn ask_all(draft: &mut Draft, context: &Context, batch: &RequestBuffer) -> Vec<Node> {
    let mut work = Batch::new(&context.objects, &batch.handles);
    let mut rops = Vec::new();
    for request in &batch.requests {
        // What is shown is how things are before: a Release names what it releases.
        let mut entry = {
            let scene = scene(context, &work, request);
            view::rop_request(request, &scene)
        };
        let outcome = follow::asked(&mut work, request);
        let scene = scene(context, &work, request);
        add(draft, &mut entry, (&outcome, request), &scene);
        rops.push(entry.into());
    }
    rops
}

fn answer_all(
    draft: &mut Draft,
    context: &mut Context,
    (batch, answer): (&RequestBuffer, &ResponseBuffer),
    payload: &mut Entry,
) {
    let mut work = Batch::new(&context.objects, &batch.handles).answered(&answer.handles);
    let mut requests = batch.requests.iter();
    let mut rops = Vec::new();
    for response in &answer.responses {
        if is_unasked(response) {
            let scene = Scene {
                batch: Some(&work),
                ..Scene::new(context.page)
            };
            rops.push(view::rop_unasked(response, &scene).into());
            continue;
        }
        let Some(request) = next(&mut requests, &mut work) else {
            break;
        };
        let outcome = follow::answered(&mut work, request, response);
        let scene = answer_scene(context, &work, (request, response));
        let mut entry = view::rop_response(request, response, &scene);
        add(draft, &mut entry, (&outcome, request), &scene);
        rops.push(entry.into());
    }
    let unanswered = requests.filter(|request| !matches!(request, Request::Release(_)));
    let unanswered: Vec<_> = unanswered.collect();
    for request in &batch.requests {
        if let (Request::Release(ask), true) = (request, unanswered.is_empty()) {
            work.release(ask.input);
        }
    }
    payload.push("rops", Node::List(rops));
    if !unanswered.is_empty() {
        let names = unanswered.iter().map(|request| {
            let name = mapi_wire::rop::name(request.rop_id()).unwrap_or_default();
            Node::Word(format!("Rop{name}"))
        });
        payload.push("unanswered", Node::list(names));
    }
    payload.push("handles", handles(&answer.handles, &work));
    let changes = work.finish();
    context.objects.apply(changes);
}

/// The next request that has a response; what is released before it is gone.
fn next<'r>(
    requests: &mut impl Iterator<Item = &'r Request>,
    work: &mut Batch<'_>,
) -> Option<&'r Request> {
    loop {
        match requests.next()? {
            Request::Release(ask) => work.release(ask.input),
            request => return Some(request),
        }
    }
}

const fn is_unasked(response: &Response) -> bool {
    matches!(
        response,
        Response::Notify(_)
            | Response::Pending(_)
            | Response::Backoff(_)
            | Response::BufferTooSmall(_)
    )
}

fn scene<'s>(context: &Context, work: &'s Batch<'s>, request: &Request) -> Scene<'s> {
    let object = follow::object(work, request);
    Scene {
        page: object
            .and_then(|object| object.page)
            .unwrap_or(context.page),
        is_address_book: false,
        logon: work.logon(request.logon_id()),
        object,
        columns: object.map_or(&[], |object| &object.columns),
        batch: Some(work),
    }
}

fn answer_scene<'s>(
    context: &Context,
    work: &'s Batch<'s>,
    (request, response): (&'s Request, &Response),
) -> Scene<'s> {
    let mut scene = scene(context, work, request);
    if let (Request::GetPropertiesSpecific(ask), Response::GetPropertiesSpecific(_)) =
        (request, response)
    {
        scene.columns = &ask.property_tags;
    }
    scene
}

/// Adds what came out of a ROP beside its own fields.
fn add(
    draft: &mut Draft,
    entry: &mut Entry,
    (outcome, request): (&Outcome, &Request),
    scene: &Scene<'_>,
) {
    let brought: Vec<&Brought> = outcome.brought.iter().chain(&outcome.end).collect();
    if let Some(transfer) = &outcome.transfer
        && let Ok(mut transfer) = transfer.try_borrow_mut()
        && !brought.is_empty()
    {
        let (node, broken) = stream(&mut transfer, &brought, scene);
        entry.push("stream", node);
        if let (Some(error), false) = (broken, outcome.is_left) {
            let name = mapi_wire::rop::name(request.rop_id()).unwrap_or_default();
            draft.fault(format!("the stream of Rop{name}"), error);
        }
    }
    if let Some(why) = outcome.given_up {
        entry.push("given_up", Node::word(why));
    }
    if let Some(state) = &outcome.state {
        let tag = view::tag(state.property, scene);
        let set = match view::uploaded_set(&state.octets) {
            Ok(set) => set,
            Err(error) => {
                let node = Node::octets(&state.octets, format!("broken: {error}"));
                draft.fault("a set that is uploaded", error);
                node
            }
        };
        entry.push("state", tag.with("value", set));
    }
}

/// Shows a stream that fills a whole body.
pub(crate) fn show(
    draft: &mut Draft,
    transfer: &mut Transfer,
    brought: &[Brought],
    scene: &Scene<'_>,
) {
    let brought: Vec<&Brought> = brought.iter().collect();
    let (node, broken) = stream(transfer, &brought, scene);
    draft.fields.push("stream", node);
    if let Some(error) = broken {
        draft.fault("the stream", error);
    }
}

/// What a stream brought, and where it is broken.
fn stream(
    transfer: &mut Transfer,
    brought: &[&Brought],
    scene: &Scene<'_>,
) -> (Node, Option<DecodeError>) {
    let mut entry = Entry::default();
    if let Some(first) = brought.first() {
        entry.push("at", Node::Number(first.at.into()));
    }
    let events = brought.iter().flat_map(|brought| &brought.events);
    entry.push(
        "events",
        Node::list(events.map(|event| view::event(event, scene))),
    );
    let broken = brought
        .iter()
        .find_map(|brought| brought.broken.as_ref().err());
    if let Some(error) = broken {
        entry.push("broken", Node::Word(error.to_string()));
        entry.push("left", end(transfer, scene));
    } else if transfer.is_broken() {
        entry.push("broken", Node::word("it was broken before"));
    } else if transfer.is_open() {
        entry.push("goes_on", Node::Bool(true));
    }
    (entry.into(), broken.cloned())
}

/// What of a stream has not become an event.
pub(crate) fn end(transfer: &mut Transfer, scene: &Scene<'_>) -> Node {
    let left = transfer.take_left();
    let atoms = left.atoms.iter().map(|atom| view::atom(atom, scene));
    Entry::default()
        .with("atoms", Node::list(atoms))
        .with(
            "octets",
            Node::octets(&left.octets, "the beginning of what did not come"),
        )
        .into()
}

/// What was never complete of what went through an object.
pub(crate) fn left(object: &Object, scene: &Scene<'_>) -> Option<Entry> {
    let mut entry = Entry::default();
    let transfer = object.transfer.as_ref();
    if let Some(Ok(mut transfer)) = transfer.map(|transfer| transfer.try_borrow_mut())
        && transfer.is_open()
    {
        entry.push("stream", end(&mut transfer, scene));
    }
    if let Some(state) = &object.state
        && !state.octets.is_empty()
    {
        let tag = view::tag(state.property, scene);
        let octets = Node::octets(&state.octets, "the beginning of a set");
        entry.push("state", tag.with("value", octets));
    }
    (!entry.fields.is_empty()).then_some(entry)
}

/// The handle table.
fn handles(handles: &[u32], work: &Batch<'_>) -> Node {
    Node::list(handles.iter().enumerate().map(|(slot, handle)| {
        if *handle == NO_HANDLE {
            return Node::word("none");
        }
        let object = u8::try_from(slot).ok().and_then(|slot| work.object(slot));
        let entry = Entry::default().with("handle", view::slot::handle(*handle));
        match object {
            Some(object) => entry.with("object", Node::word(&object.title)).into(),
            None => entry.into(),
        }
    }))
}
