//! A recorded session: bodies in their order.

use std::collections::BTreeMap;

use mapi_wire::{
    Reader,
    code_page::CodePage,
    cursor::DecodeError,
    http::{AnyRequest, AnyResponse, Outcome, RequestType, aux, emsmdb::Connected, framing},
    nspi::Stat,
    rop::{self, RequestBuffer},
};

use crate::{
    body::{Body, Draft},
    execute,
    node::{Entry, Node},
    object::Objects,
    recognise::recognise,
    recording::{Call, Direction, Kind, Label, Recording},
    transfer::Transfer,
    view::{self, Scene, View},
};

/// A recorded session. It remembers what later bodies need of earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Session contexts: a Connect within one begins another, until its Disconnect.
    contexts: Vec<Context>,
    contexts_made: u64,
    /// Requests that were not answered yet, by what their names share with their answers.
    waiting: BTreeMap<String, Waiting>,
    /// The code page of the address book.
    book_page: Option<CodePage>,
}

/// A session context.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    id: u64,
    pub(crate) page: CodePage,
    pub(crate) wire: rop::Session,
    pub(crate) objects: Objects,
}

#[derive(Clone, Debug)]
struct Waiting {
    kind: Kind,
    context: Option<u64>,
    /// The batches of an Execute; none that could not be read.
    batches: Option<Vec<RequestBuffer>>,
}

impl Session {
    /// A session of which nothing has been seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes the next body.
    pub fn decode(&mut self, recording: &Recording<'_>) -> Body {
        let Recording { name, octets, note } = *recording;
        let label = Label::parse(name);
        let mut draft = Draft::new(name, octets.len(), note);
        let waiting = match label.direction {
            Some(Direction::Request) | None => None,
            Some(Direction::Response) => self.waiting.remove(&label.stem),
        };
        draft.direction = label.direction;
        draft.endpoint = label.endpoint;
        draft.kind = label.kind.or(waiting.as_ref().map(|waiting| waiting.kind));
        if draft.kind.is_none() || draft.direction.is_none() {
            guess(&mut draft, octets);
        }
        match (draft.kind, draft.direction) {
            (Some(Kind::Mapi(kind)), Some(Direction::Request)) => {
                self.request(&mut draft, kind, &label.stem, octets);
            }
            (Some(Kind::Mapi(kind)), Some(Direction::Response)) => {
                self.response(&mut draft, kind, waiting, octets);
            }
            (Some(Kind::Rpc(call)), Some(direction)) => {
                self.stub(&mut draft, call, (direction, &label.stem, waiting), octets);
            }
            (Some(Kind::Autodiscover), Some(direction)) => {
                autodiscover(&mut draft, direction, octets);
            }
            (Some(Kind::Stream), _) => stream(&mut draft, octets),
            _ => unknown(&mut draft, octets),
        }
        draft.finish()
    }

    /// Ends the session: what was never complete in it, if there is something.
    pub fn finish(self) -> Option<Body> {
        let unfinished: Vec<Node> = self.contexts.iter().flat_map(Context::unfinished).collect();
        (!unfinished.is_empty()).then(|| {
            let name = "at the end".to_owned();
            let entry = Entry::new("name", &name).with("unfinished", Node::List(unfinished));
            Body::of(name, entry)
        })
    }

    fn request(&mut self, draft: &mut Draft, kind: RequestType, stem: &str, octets: &[u8]) {
        let mut waiting = Waiting {
            kind: Kind::Mapi(kind),
            context: self.contexts.last().map(|context| context.id),
            batches: None,
        };
        match AnyRequest::decode(kind, octets) {
            Ok((request, aux)) => {
                if let AnyRequest::Connect(connect) = &request {
                    waiting.context = Some(self.begin(connect.default_code_page));
                }
                self.note_page(&request);
                let scene = self.scene(kind);
                fields(draft, request_node(&request, &scene));
                if let AnyRequest::Execute(execute) = &request {
                    let context = self.context(waiting.context);
                    waiting.context = Some(context.id);
                    waiting.batches = execute::asked(draft, context, &execute.rop_buffer);
                }
                auxiliary(draft, &aux);
            }
            Err(error) => broken(draft, "the request body", error, octets),
        }
        if kind == RequestType::Disconnect {
            self.end(draft, waiting.context);
        }
        self.waiting.insert(stem.to_owned(), waiting);
    }

    fn response(
        &mut self,
        draft: &mut Draft,
        kind: RequestType,
        waiting: Option<Waiting>,
        octets: &[u8],
    ) {
        // PING has no body, and so no framing, in some recordings.
        if kind == RequestType::Ping && octets.is_empty() {
            return;
        }
        let framed = match framing::read(octets) {
            Ok(framed) => framed,
            Err(error) => return broken(draft, "the framing of the response", error, octets),
        };
        let scene = self.scene(kind);
        draft.fields.push("framing", view::headers(&framed, &scene));
        let response = match AnyResponse::decode(kind, &framed.body) {
            Ok(response) => response,
            Err(error) => return broken(draft, "the response body", error, &framed.body),
        };
        fields(draft, response_node(&response, &scene));
        let (context, batches) = match waiting {
            Some(waiting) => (waiting.context, waiting.batches),
            None => (None, None),
        };
        match &response {
            AnyResponse::Execute(response) => {
                if let Outcome::Done { body, .. } = &response.outcome {
                    let context = self.context(context);
                    execute::answered(draft, context, batches.as_deref(), &body.rop_buffer);
                }
            }
            AnyResponse::Connect(response) if !has_begun(&response.outcome) => {
                self.end(draft, context);
            }
            _ => {}
        }
        auxiliary(draft, response_aux(&response));
    }

    fn stub(
        &mut self,
        draft: &mut Draft,
        call: Call,
        (direction, stem, waiting): (Direction, &str, Option<Waiting>),
        octets: &[u8],
    ) {
        let scene = Scene::new(self.page());
        let stub = match view::rpc_stub(call, direction, octets, &scene) {
            Ok(stub) => stub,
            Err(error) => return broken(draft, "the stub", error, octets),
        };
        fields(draft, stub.node);
        let mut context = match (&waiting, stub.code_page) {
            (Some(waiting), _) => waiting.context,
            (None, Some(page)) => Some(self.begin(page)),
            (None, None) => self.contexts.last().map(|context| context.id),
        };
        let mut batches = None;
        if let Some(rops) = &stub.rops {
            let of = self.context(context);
            context = Some(of.id);
            match direction {
                Direction::Request => batches = execute::asked(draft, of, rops),
                Direction::Response => {
                    let asked = waiting.as_ref();
                    let asked = asked.and_then(|waiting| waiting.batches.as_deref());
                    execute::answered(draft, of, asked, rops);
                }
            }
        }
        auxiliary(draft, stub.aux.as_deref().unwrap_or_default());
        let is_over = match direction {
            Direction::Request => call == Call::Disconnect,
            Direction::Response => call == Call::ConnectEx && !stub.succeeded,
        };
        if is_over {
            self.end(draft, context);
        }
        if direction == Direction::Request {
            let waiting = Waiting {
                kind: Kind::Rpc(call),
                context,
                batches,
            };
            self.waiting.insert(stem.to_owned(), waiting);
        }
    }

    /// A session context begins.
    fn begin(&mut self, code_page: u32) -> u64 {
        let id = self.contexts_made;
        self.contexts_made += 1;
        self.contexts.push(Context {
            id,
            page: page(code_page),
            wire: rop::Session::default(),
            objects: Objects::default(),
        });
        id
    }

    /// A session context ends; what was never complete in it is shown.
    fn end(&mut self, draft: &mut Draft, context: Option<u64>) {
        let over = self
            .contexts
            .extract_if(.., |known| Some(known.id) == context);
        let unfinished: Vec<Node> = over.flat_map(|context| context.unfinished()).collect();
        if !unfinished.is_empty() {
            draft.fields.push("unfinished", Node::List(unfinished));
        }
    }

    /// The context with this id, else the newest, else one whose beginning was not seen.
    fn context(&mut self, id: Option<u64>) -> &mut Context {
        if self.contexts.is_empty() {
            self.begin(CodePage::WESTERN.0.into());
        }
        let place = self.contexts.iter().position(|known| Some(known.id) == id);
        let place = place.unwrap_or(self.contexts.len() - 1);
        let Some(context) = self.contexts.get_mut(place) else {
            unreachable!("there is a context, and its place is within the list")
        };
        context
    }

    fn page(&self) -> CodePage {
        let context = self.contexts.last();
        context.map_or(CodePage::WESTERN, |context| context.page)
    }

    fn scene(&self, kind: RequestType) -> Scene<'static> {
        match kind.endpoint() {
            Some(mapi_wire::http::Endpoint::AddressBook) => {
                Scene::address_book(self.book_page.unwrap_or(CodePage::WESTERN))
            }
            _ => Scene::new(self.page()),
        }
    }

    /// Remembers the code page that a request to the address book names.
    fn note_page(&mut self, request: &AnyRequest) {
        let stat: Option<&Stat> = match request {
            AnyRequest::Bind(request) => request.stat.as_ref(),
            AnyRequest::GetMatches(request) => request.stat.as_ref(),
            AnyRequest::GetProps(request) => request.stat.as_ref(),
            AnyRequest::GetSpecialTable(request) => request.stat.as_ref(),
            AnyRequest::ModProps(request) => request.stat.as_ref(),
            AnyRequest::QueryRows(request) => request.stat.as_ref(),
            AnyRequest::ResolveNames(request) => request.stat.as_ref(),
            AnyRequest::SeekEntries(request) => request.stat.as_ref(),
            _ => None,
        };
        if let Some(stat) = stat.filter(|stat| stat.code_page != 0) {
            self.book_page = Some(page(stat.code_page));
        }
    }
}

impl Context {
    /// What was never complete of what went through its objects.
    fn unfinished(&self) -> Vec<Node> {
        let mut unfinished = Vec::new();
        for (handle, object) in &self.objects.by_handle {
            let scene = Scene {
                logon: self.objects.logons.get(&object.logon_id),
                ..Scene::new(self.page)
            };
            if let Some(left) = execute::left(object, &scene) {
                let mut entry = Entry::default()
                    .with("handle", view::slot::handle(*handle))
                    .with("object", Node::word(&object.title));
                entry.fields.extend(left.fields);
                unfinished.push(entry.into());
            }
        }
        unfinished
    }
}

/// A code page by its number. UTF-16 is none of 8-bit strings.
fn page(number: u32) -> CodePage {
    match u16::try_from(number) {
        Ok(0) | Err(_) => CodePage::WESTERN,
        Ok(number) => match CodePage(number) {
            CodePage::UTF16 | CodePage::UTF16_BIG_ENDIAN => CodePage::WESTERN,
            page => page,
        },
    }
}

const fn has_begun(outcome: &Outcome<Connected>) -> bool {
    matches!(outcome, Outcome::Done { error: 0, .. })
}

/// Takes over what a name did not say.
fn guess(draft: &mut Draft, octets: &[u8]) {
    if let Some(guess) = recognise(octets, draft.direction) {
        draft.kind = draft.kind.or(Some(guess.kind));
        draft.direction = draft.direction.or(Some(guess.direction));
        draft.could_be = guess.others;
    }
}

fn fields(draft: &mut Draft, node: Node) {
    match node {
        Node::Entry(entry) => {
            for (key, word) in entry.head {
                draft.fields.push(key, Node::Word(word));
            }
            draft.fields.fields.extend(entry.fields);
        }
        Node::Absent => {}
        node => draft.fields.push("body", node),
    }
}

/// Notes something broken and shows it as it is.
fn broken(draft: &mut Draft, within: &str, error: DecodeError, octets: &[u8]) {
    let why = format!("broken: {error}");
    draft.fields.push("broken", Node::octets(octets, why));
    draft.fault(within, error);
}

fn unknown(draft: &mut Draft, octets: &[u8]) {
    let error = Reader::new(octets).error("a body of a known kind");
    broken(draft, "the body", error, octets);
}

fn autodiscover(draft: &mut Draft, direction: Direction, octets: &[u8]) {
    let scene = Scene::new(CodePage::UTF8);
    match view::autodiscover(direction, octets, &scene) {
        Ok(entry) => draft.fields.fields.extend(entry.fields),
        Err(error) => broken(draft, "the document", error, octets),
    }
}

/// A stream that fills a file.
fn stream(draft: &mut Draft, octets: &[u8]) {
    let scene = Scene::new(CodePage::WESTERN);
    let mut transfer = Transfer::default();
    let brought = transfer.feed(octets);
    let end = transfer.finish();
    execute::show(draft, &mut transfer, &[brought, end], &scene);
}

fn auxiliary(draft: &mut Draft, octets: &[u8]) {
    if octets.is_empty() {
        return;
    }
    match aux::decode(octets) {
        Ok(blocks) => {
            let scene = Scene::new(CodePage::WESTERN);
            draft.fields.push("auxiliary", view::aux(&blocks, &scene));
        }
        Err(error) => broken(draft, "the auxiliary buffer", error, octets),
    }
}

/// Writes out what every request and response has in common.
macro_rules! bodies {
    ($($name:ident)+) => {
        fn request_node(request: &AnyRequest, scene: &Scene<'_>) -> Node {
            match request {
                AnyRequest::Ping | AnyRequest::Disconnect(_) => Node::Absent,
                AnyRequest::Execute(request) => request.view(scene),
                $(AnyRequest::$name(request) => request.view(scene),)+
            }
        }

        fn response_node(response: &AnyResponse, scene: &Scene<'_>) -> Node {
            match response {
                AnyResponse::Ping => Node::Absent,
                AnyResponse::Disconnect(response) => outcome(&response.outcome, scene),
                AnyResponse::Execute(response) => outcome(&response.outcome, scene),
                $(AnyResponse::$name(response) => outcome(&response.outcome, scene),)+
            }
        }

        fn response_aux(response: &AnyResponse) -> &[u8] {
            match response {
                AnyResponse::Ping => &[],
                AnyResponse::Disconnect(response) => &response.aux,
                AnyResponse::Execute(response) => &response.aux,
                $(AnyResponse::$name(response) => &response.aux,)+
            }
        }
    };
}

bodies! {
    Connect NotificationWait Bind Unbind CompareMIds DnToMId GetMatches GetPropList GetProps
    GetSpecialTable GetTemplateInfo ModLinkAtt ModProps QueryRows QueryColumns ResolveNames
    ResortRestriction SeekEntries UpdateStat GetMailboxUrl GetAddressBookUrl
}

fn outcome<T: View>(outcome: &Outcome<T>, scene: &Scene<'_>) -> Node {
    let code = |name, code| Entry::default().with(name, view::refusal(code)).into();
    match outcome {
        Outcome::Refused(status) => code("status_code", *status),
        Outcome::Failed(error) => code("error_code", *error),
        Outcome::Done { error, body } => {
            let mut entry = Entry::default().with("error_code", view::refusal(*error));
            match body.view(scene) {
                Node::Entry(body) => entry.fields.extend(body.fields),
                Node::Absent => {}
                node => entry.push("body", node),
            }
            entry.into()
        }
    }
}
