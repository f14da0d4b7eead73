//! A raw client of MAPI over HTTP, as far as these tests need one.

use std::{io, net::SocketAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use exchange_standin::Server;
use mapi_wire::{
    Guid,
    buffer::{self, Packing},
    fast_transfer::{Event, Parser},
    http::{
        self, Numbered, Outcome, RequestHead, RequestType, ResponseCode, ResponseHead,
        cookies::Cookies,
        emsmdb::{
            CHAIN, Connect, Disconnect, Execute, NO_COMPRESSION, NO_XOR_MAGIC, NotificationWait,
        },
        framing,
    },
    rop::{
        self, BufferSize, FastTransferSourceGetBuffer, Logon, LogonResponse, NO_HANDLE, Request,
        RequestBuffer, Response, ResponseBuffer, transfer_status,
    },
};

use super::http::{Answer, Connection};

/// A session context and its connection.
pub(crate) struct Client {
    address: SocketAddr,
    connection: Connection,
    target: String,
    authorization: String,
    pub(crate) dn: String,
    pub(crate) cookies: Cookies,
    pub(crate) session: rop::Session,
    count: u64,
    context: u8,
}

/// What came of a request of MAPI over HTTP.
#[derive(Debug)]
pub(crate) struct Mapi {
    pub(crate) head: ResponseHead,
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) pending: u32,
}

impl Mapi {
    pub(crate) fn code(&self) -> ResponseCode {
        self.head.response_code.unwrap()
    }
}

pub(crate) fn basic(user: &str) -> String {
    format!(
        "Basic {}",
        STANDARD.encode(format!("{user}@example.test:secret-{user}"))
    )
}

/// What stands in the target of a request to a URL.
pub(crate) fn target_of(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap();
    rest[rest.find('/').unwrap()..].to_owned()
}

impl Client {
    /// A client that has not connected yet.
    pub(crate) fn new(server: &Server, user: &str) -> Self {
        Self {
            address: server.address(),
            connection: Connection::open(server.address()),
            target: target_of(&server.emsmdb_url(user)),
            authorization: basic(user),
            dn: server.user(user).unwrap().legacy_dn,
            cookies: Cookies::new(),
            session: rop::Session::default(),
            count: 0,
            context: 1,
        }
    }

    /// A client that has connected.
    pub(crate) fn connected(server: &Server, user: &str) -> Self {
        let mut client = Self::new(server, user);
        assert_eq!(client.connect().unwrap(), 0);
        client
    }

    /// A client of the address book.
    pub(crate) fn of_book(server: &Server, user: &str) -> Self {
        let mut client = Self::new(server, user);
        client.target = target_of(&server.nspi_url(user));
        client
    }

    /// The same session context over another connection.
    pub(crate) fn reopen(&mut self) {
        self.connection = Connection::open(self.address);
    }

    /// Another connection with the cookies of this session context.
    pub(crate) fn beside(&self) -> Self {
        Self {
            address: self.address,
            connection: Connection::open(self.address),
            target: self.target.clone(),
            authorization: self.authorization.clone(),
            dn: self.dn.clone(),
            cookies: self.cookies.clone(),
            session: self.session.clone(),
            count: self.count + 1000,
            context: self.context,
        }
    }

    pub(crate) fn set_target(&mut self, url: &str) {
        self.target = target_of(url);
    }

    pub(crate) fn set_authorization(&mut self, value: &str) {
        self.authorization = value.to_owned();
    }

    /// The header fields of a request.
    pub(crate) fn fields(&mut self, kind: RequestType) -> Vec<(&'static str, String)> {
        self.count += 1;
        let numbered = |number| Numbered {
            guid: Guid([self.context; 16]),
            number,
        };
        let head = RequestHead {
            request_type: kind,
            request_id: numbered(self.count).to_string(),
            client_info: numbered(1).to_string(),
            client_application: Some("Outlook/16.0.4266.1001".into()),
            cookies: self.cookies.clone(),
        };
        let mut fields = head.headers();
        fields.push(("Authorization", self.authorization.clone()));
        fields
    }

    pub(crate) fn send(&mut self, kind: RequestType, body: &[u8]) -> io::Result<()> {
        let fields = self.fields(kind);
        let target = self.target.clone();
        self.connection.send("POST", &target, &fields, body)
    }

    /// Sends any request of HTTP.
    pub(crate) fn plain(
        &mut self,
        method: &str,
        target: &str,
        fields: &[(&str, String)],
        body: &[u8],
    ) -> io::Result<Answer> {
        self.connection.send(method, target, fields, body)?;
        self.connection.receive()
    }

    pub(crate) fn receive(&mut self) -> io::Result<Mapi> {
        let answer = self.connection.receive()?;
        Ok(self.understood(answer))
    }

    pub(crate) fn understood(&mut self, answer: Answer) -> Mapi {
        let fields = answer
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let mut head = ResponseHead::from_headers(fields);
        for cookie in &head.set_cookies {
            self.cookies.store(cookie);
        }
        let framed = answer.status == 200 && head.response_code == Some(ResponseCode::SUCCESS);
        let (body, pending) = match framed {
            true => {
                let framed = framing::read(&answer.body).unwrap();
                for (name, value) in &framed.headers {
                    head.apply(name, value);
                }
                (framed.body, framed.pending)
            }
            false => (answer.body, 0),
        };
        Mapi {
            head,
            status: answer.status,
            body,
            pending,
        }
    }

    pub(crate) fn call(&mut self, kind: RequestType, body: &[u8]) -> io::Result<Mapi> {
        self.send(kind, body)?;
        self.receive()
    }

    /// Sends a request; the error code and the fields of its answer.
    pub(crate) fn ask<T: http::Request>(&mut self, request: &T) -> (u32, Option<T::Response>) {
        let answer = self
            .call(T::TYPE, &http::encode_request(request, &[]))
            .unwrap();
        assert_eq!(answer.code(), ResponseCode::SUCCESS);
        match http::decode_response::<T>(&answer.body).unwrap().outcome {
            Outcome::Done { error, body } => (error, Some(body)),
            Outcome::Failed(error) => (error, None),
            Outcome::Refused(status) => panic!("refused with {status:#x}"),
        }
    }

    pub(crate) fn connect_body(&self) -> Vec<u8> {
        let connect = Connect {
            user_dn: self.dn.as_str().into(),
            flags: 0,
            default_code_page: 1252,
            lcid_sort: 0x409,
            lcid_string: 0x409,
        };
        http::encode_request(&connect, &[])
    }

    /// Connects; ErrorCode, or the code of the transport.
    pub(crate) fn connect(&mut self) -> Result<u32, ResponseCode> {
        self.context = self.context.wrapping_add(1);
        self.count = 0;
        let body = self.connect_body();
        let answer = self.call(RequestType::Connect, &body).unwrap();
        if answer.code() != ResponseCode::SUCCESS {
            return Err(answer.code());
        }
        match http::decode_response::<Connect>(&answer.body)
            .unwrap()
            .outcome
        {
            Outcome::Done { error, .. } | Outcome::Failed(error) => Ok(error),
            Outcome::Refused(status) => panic!("refused with {status:#x}"),
        }
    }

    pub(crate) fn disconnect(&mut self) {
        self.ask(&Disconnect {});
    }

    /// The body of an Execute.
    pub(crate) fn execute_body(batch: &RequestBuffer, flags: u32, rop_out_max: u32) -> Vec<u8> {
        let rop_buffer = buffer::join(&[batch.encode()], Packing::default()).unwrap();
        let execute = Execute {
            flags,
            rop_buffer: rop_buffer.into(),
            rop_out_max,
        };
        http::encode_request(&execute, &[])
    }

    /// Carries out ROPs; all answers, those packed behind the first too.
    pub(crate) fn batch(&mut self, batch: &RequestBuffer) -> Result<Vec<ResponseBuffer>, u32> {
        let flags = NO_COMPRESSION | NO_XOR_MAGIC | CHAIN;
        self.batch_with(batch, flags, buffer::RESPONSE_BYTES_MAX as u32)
    }

    pub(crate) fn batch_with(
        &mut self,
        batch: &RequestBuffer,
        flags: u32,
        rop_out_max: u32,
    ) -> Result<Vec<ResponseBuffer>, u32> {
        let body = Self::execute_body(batch, flags, rop_out_max);
        let answer = self.call(RequestType::Execute, &body).unwrap();
        assert_eq!(answer.code(), ResponseCode::SUCCESS);
        self.answers(batch, &answer)
    }

    pub(crate) fn answers(
        &mut self,
        batch: &RequestBuffer,
        answer: &Mapi,
    ) -> Result<Vec<ResponseBuffer>, u32> {
        let executed = match http::decode_response::<Execute>(&answer.body)
            .unwrap()
            .outcome
        {
            Outcome::Done { error: 0, body } => body,
            Outcome::Done { error, .. } | Outcome::Failed(error) => return Err(error),
            Outcome::Refused(status) => panic!("refused with {status:#x}"),
        };
        let payloads = buffer::split(&executed.rop_buffer).unwrap();
        let payloads = payloads.iter().map(|payload| &*payload.bytes);
        Ok(ResponseBuffer::decode_packed(payloads, batch, &mut self.session).unwrap())
    }

    /// Carries out ROPs that each have their handles in a table; the responses and the table after them.
    pub(crate) fn rops(
        &mut self,
        requests: Vec<Request>,
        handles: Vec<u32>,
    ) -> (Vec<Response>, Vec<u32>) {
        let batch = RequestBuffer { requests, handles };
        let mut answers = self.batch(&batch).unwrap();
        let handles = answers[0].handles.clone();
        let responses = answers
            .drain(..)
            .flat_map(|answer| answer.responses)
            .collect();
        (responses, handles)
    }

    /// Carries out one ROP on a handle in slot 0; the handle in slot 1 after it.
    pub(crate) fn one(&mut self, request: impl Into<Request>, handle: u32) -> (Response, u32) {
        let (mut responses, handles) = self.rops(vec![request.into()], vec![handle, NO_HANDLE]);
        assert_eq!(responses.len(), 1, "{responses:?}");
        (responses.remove(0), handles[1])
    }

    /// Carries out one ROP that must succeed.
    pub(crate) fn good(&mut self, request: impl Into<Request>, handle: u32) -> (Response, u32) {
        let (response, opened) = self.one(request, handle);
        assert!(!matches!(response, Response::Failed(_)), "{response:?}");
        (response, opened)
    }

    /// Carries out one ROP that must fail; its code.
    pub(crate) fn bad(&mut self, request: impl Into<Request>, handle: u32) -> u32 {
        match self.one(request, handle).0 {
            Response::Failed(failed) => failed.code,
            response => panic!("{response:?}"),
        }
    }

    /// Logs on to the mailbox with this distinguished name.
    pub(crate) fn logon_to(&mut self, dn: &str, logon_id: u8) -> Result<(LogonResponse, u32), u32> {
        let logon = Logon {
            logon_id,
            output: 0,
            logon_flags: Logon::PRIVATE,
            open_flags: Logon::HOME_LOGON
                | Logon::TAKE_OWNERSHIP
                | Logon::USE_PER_MDB_REPLID_MAPPING,
            store_state: 0,
            essdn: format!("{dn}\0").into_bytes().into(),
        };
        let (mut responses, handles) = self.rops(vec![logon.into()], vec![NO_HANDLE]);
        match responses.remove(0) {
            Response::Logon(response) => Ok((response, handles[0])),
            Response::Failed(failed) => Err(failed.code),
            response => panic!("{response:?}"),
        }
    }

    /// Logs on to the user's own mailbox.
    pub(crate) fn logon(&mut self) -> (LogonResponse, u32) {
        let dn = self.dn.clone();
        self.logon_to(&dn, 0).unwrap()
    }

    /// All events of a download.
    pub(crate) fn download(&mut self, source: u32) -> Vec<Event> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        loop {
            let ask = FastTransferSourceGetBuffer {
                logon_id: 0,
                input: 0,
                buffer_size: BufferSize::UpTo(0xffff),
            };
            let (responses, _) = self.rops(vec![ask.into()], vec![source]);
            for response in responses {
                let Response::FastTransferSourceGetBuffer(got) = response else {
                    panic!("{response:?}");
                };
                parser.feed(&got.transfer_buffer);
                while let Some(event) = parser.next_event().unwrap() {
                    events.push(event);
                }
                if got.transfer_status == transfer_status::DONE {
                    parser.finish().unwrap();
                    while let Some(event) = parser.next_event().unwrap() {
                        events.push(event);
                    }
                    return events;
                }
                assert_eq!(got.transfer_status, transfer_status::PARTIAL);
            }
        }
    }

    /// Waits for something to happen.
    pub(crate) fn wait(&mut self) -> (u32, u32) {
        let answer = self
            .call(
                RequestType::NotificationWait,
                &http::encode_request(&NotificationWait { flags: 0 }, &[]),
            )
            .unwrap();
        match http::decode_response::<NotificationWait>(&answer.body)
            .unwrap()
            .outcome
        {
            Outcome::Done { error: 0, body } => (body.event_pending, answer.pending),
            outcome => panic!("{outcome:?}"),
        }
    }
}
