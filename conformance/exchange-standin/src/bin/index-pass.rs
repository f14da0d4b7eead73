//! Reads the index of an Inbox by one synchronization and throws it away: what the pass alone costs, for comparison with
//! a gateway that makes a mirror of it.
//!
//! `index-pass URL ADDRESS PASSWORD`: the Autodiscover URL, by http on loopback; or with a fourth argument, the URL of
//! MAPI over HTTP instead of the one that Autodiscover names. Prints one line of JSON.

use std::{
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::ExitCode,
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mapi_types::{PropTag, tags};
use mapi_wire::{
    Guid,
    autodiscover::pox::{self, PoxRequest, PoxResponse},
    buffer::{self, Packing},
    http::{
        self, Numbered, Outcome, RequestHead, ResponseHead,
        cookies::Cookies,
        emsmdb::{CHAIN, Connect, Disconnect, Execute, NO_XOR_MAGIC},
        framing,
    },
    rop::{
        self, BufferSize, FastTransferSourceGetBuffer, Logon, LogonResponse, NO_HANDLE, OpenFolder,
        Request, RequestBuffer, Response, SynchronizationConfigure, send_options,
        synchronization_extra_flags as extra, synchronization_flags as flags, transfer_status,
    },
};

type Outcomes<T> = Result<T, Box<dyn Error>>;

/// What a mirror asks of each message.
const COLUMNS: [PropTag; 15] = [
    tags::MESSAGE_CLASS.tag(),
    tags::SUBJECT.tag(),
    tags::MESSAGE_FLAGS.tag(),
    tags::MESSAGE_DELIVERY_TIME.tag(),
    tags::CLIENT_SUBMIT_TIME.tag(),
    tags::CREATION_TIME.tag(),
    tags::HAS_ATTACHMENTS.tag(),
    tags::INTERNET_ARTICLE_NUMBER.tag(),
    tags::ICON_INDEX.tag(),
    tags::LAST_VERB_EXECUTED.tag(),
    tags::LAST_VERB_EXECUTION_TIME.tag(),
    tags::FLAG_STATUS.tag(),
    tags::FOLLOWUP_ICON.tag(),
    tags::TODO_ITEM_FLAGS.tag(),
    tags::INTERNET_MESSAGE_ID.tag(),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [autodiscover, address, password] => run(autodiscover, None, (address, password)),
        [autodiscover, address, password, url] => {
            run(autodiscover, Some(url.clone()), (address, password))
        }
        _ => Err("usage: index-pass AUTODISCOVER-URL ADDRESS PASSWORD [MAPI-URL]".into()),
    };
    let (out, code) = match done {
        Ok(line) => (line, ExitCode::SUCCESS),
        Err(error) => (format!("index-pass: {error}"), ExitCode::FAILURE),
    };
    // Who reads it may have gone already.
    let _ = writeln!(std::io::stdout(), "{out}");
    code
}

fn run(
    autodiscover: &str,
    url: Option<String>,
    (address, password): (&str, &str),
) -> Outcomes<String> {
    let authorization = format!("Basic {}", STANDARD.encode(format!("{address}:{password}")));
    let mut fields: Vec<_> = pox::HEADERS
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    fields.push(("Content-Type", pox::CONTENT_TYPE.to_owned()));
    fields.push(("Authorization", authorization.clone()));
    let document = PoxRequest::for_address(address).to_xml();
    let answer = Connection::open(autodiscover)?.post(&fields, document.as_bytes())?;
    let PoxResponse::Settings(settings) = PoxResponse::parse(&answer.body)? else {
        return Err("Autodiscover does not say where the mailbox is".into());
    };
    let named = settings
        .mapi_http()
        .and_then(|urls| urls.mail_store.preferred());
    let url = url.or_else(|| named.map(str::to_owned));
    let mut client = Client {
        connection: Connection::open(&url.ok_or("there is no MAPI over HTTP")?)?,
        authorization,
        cookies: Cookies::new(),
        session: rop::Session::default(),
        requests: 0,
    };
    let dn = settings.legacy_dn.ok_or("there is no distinguished name")?;
    client.connect(&dn)?;
    let (inbox, logon) = client.logon(&dn)?;
    let started = Instant::now();
    let (before, octets) = (client.requests, client.connection.received);
    client.pass(inbox, logon)?;
    let line = format!(
        "{{\"seconds\":{:.3},\"requests\":{},\"octets\":{}}}",
        started.elapsed().as_secs_f64(),
        client.requests - before,
        client.connection.received - octets,
    );
    client.call(&Disconnect {})?;
    Ok(line)
}

/// A session context.
struct Client {
    connection: Connection,
    authorization: String,
    cookies: Cookies,
    session: rop::Session,
    requests: u64,
}

impl Client {
    fn call<C: http::Request>(&mut self, call: &C) -> Outcomes<C::Response> {
        self.requests += 1;
        let numbered = |number| Numbered {
            guid: Guid([7; 16]),
            number,
        };
        let head = RequestHead {
            request_type: C::TYPE,
            request_id: numbered(self.requests).to_string(),
            client_info: numbered(1).to_string(),
            client_application: Some("Outlook/16.0.17928.20114".into()),
            cookies: self.cookies.clone(),
        };
        let mut fields = head.headers();
        fields.push(("Authorization", self.authorization.clone()));
        let answer = self
            .connection
            .post(&fields, &http::encode_request(call, &[]))?;
        let names = answer.fields.iter();
        let head = ResponseHead::from_headers(names.map(|(name, value)| (&**name, &**value)));
        for cookie in &head.set_cookies {
            self.cookies.store(cookie);
        }
        let body = framing::read(&answer.body)?.body;
        match http::decode_response::<C>(&body)?.outcome {
            Outcome::Done { error: 0, body } => Ok(body),
            Outcome::Done { error, .. } | Outcome::Failed(error) | Outcome::Refused(error) => {
                Err(format!("{:?} failed with {error:#x}", C::TYPE).into())
            }
        }
    }

    fn connect(&mut self, dn: &str) -> Outcomes<()> {
        let connect = Connect {
            user_dn: dn.into(),
            flags: 0,
            default_code_page: 1252,
            lcid_sort: 0x409,
            lcid_string: 0x409,
        };
        self.call(&connect).map(drop)
    }

    fn execute(
        &mut self,
        requests: Vec<Request>,
        handles: Vec<u32>,
    ) -> Outcomes<(Vec<Response>, Vec<u32>)> {
        let batch = RequestBuffer { requests, handles };
        let packed = buffer::join(&[batch.encode()], Packing::default())?;
        let executed = self.call(&Execute {
            flags: CHAIN | NO_XOR_MAGIC,
            rop_buffer: packed.into(),
            rop_out_max: buffer::RESPONSE_BYTES_MAX as u32,
        })?;
        let payloads = buffer::split(&executed.rop_buffer)?;
        let payloads = payloads.iter().map(|payload| &*payload.bytes);
        let answers = rop::ResponseBuffer::decode_packed(payloads, &batch, &mut self.session)?;
        let handles = answers.first().map(|answer| answer.handles.clone());
        let responses = answers.into_iter().flat_map(|answer| answer.responses);
        Ok((responses.collect(), handles.unwrap_or_default()))
    }

    /// The Inbox, and the handle of the logon.
    fn logon(&mut self, dn: &str) -> Outcomes<(mapi_wire::Id, u32)> {
        let logon = Logon {
            logon_id: 0,
            output: 0,
            logon_flags: Logon::PRIVATE,
            open_flags: Logon::HOME_LOGON
                | Logon::TAKE_OWNERSHIP
                | Logon::USE_PER_MDB_REPLID_MAPPING,
            store_state: 0,
            essdn: format!("{dn}\0").into_bytes().into(),
        };
        let (responses, handles) = self.execute(vec![logon.into()], vec![NO_HANDLE])?;
        match (responses.into_iter().next(), handles.first()) {
            (Some(Response::Logon(response)), Some(handle)) => {
                let inbox = response.folder_ids.get(LogonResponse::INBOX);
                Ok((inbox.copied().ok_or("there is no Inbox")?, *handle))
            }
            (other, _) => Err(format!("the logon failed: {other:?}").into()),
        }
    }

    fn pass(&mut self, folder: mapi_wire::Id, logon: u32) -> Outcomes<()> {
        let open = OpenFolder {
            logon_id: 0,
            input: 0,
            output: 1,
            folder_id: folder,
            open_mode_flags: 0,
        };
        let configure = SynchronizationConfigure {
            logon_id: 0,
            input: 1,
            output: 2,
            synchronization_type: SynchronizationConfigure::CONTENTS,
            send_options: send_options::UNICODE | send_options::FORCE_UNICODE,
            synchronization_flags: flags::UNICODE
                | flags::READ_STATE
                | flags::NORMAL
                | flags::ONLY_SPECIFIED_PROPERTIES
                | flags::NO_FOREIGN_IDENTIFIERS
                | flags::PROGRESS,
            restriction: None,
            synchronization_extra_flags: extra::EID
                | extra::MESSAGE_SIZE
                | extra::CN
                | extra::ORDER_BY_DELIVERY_TIME,
            property_tags: COLUMNS.to_vec(),
        };
        let first = vec![open.into(), configure.into(), get_buffer(2)];
        let (mut responses, handles) = self.execute(first, vec![logon, NO_HANDLE, NO_HANDLE])?;
        let source = handles.get(2).copied().unwrap_or(NO_HANDLE);
        while !is_last(&responses)? {
            (responses, _) = self.execute(vec![get_buffer(0)], vec![source])?;
        }
        Ok(())
    }
}

fn get_buffer(input: u8) -> Request {
    FastTransferSourceGetBuffer {
        logon_id: 0,
        input,
        buffer_size: BufferSize::UpTo(0x7b80),
    }
    .into()
}

fn is_last(responses: &[Response]) -> Outcomes<bool> {
    for response in responses {
        match response {
            Response::Failed(failed) => return Err(format!("{failed:?}").into()),
            Response::FastTransferSourceGetBuffer(piece)
                if piece.transfer_status == transfer_status::DONE =>
            {
                return Ok(true);
            }
            _ => {}
        }
    }
    Ok(false)
}

/// A connection to one URL.
struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
    target: String,
    received: u64,
}

struct Answer {
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Connection {
    fn open(url: &str) -> Outcomes<Self> {
        let rest = url.strip_prefix("http://").ok_or("only http is spoken")?;
        let (host, target) = rest.split_once('/').unwrap_or((rest, ""));
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
            host: host.to_owned(),
            target: format!("/{target}"),
            received: 0,
        })
    }

    fn post(&mut self, fields: &[(&str, String)], body: &[u8]) -> Outcomes<Answer> {
        let mut request = format!("POST {} HTTP/1.1\r\nHost: {}\r\n", self.target, self.host);
        for (name, value) in fields {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let octets = [request.as_bytes(), body].concat();
        self.stream.get_mut().write_all(&octets)?;
        self.answer()
    }

    fn answer(&mut self) -> Outcomes<Answer> {
        let status = self.line()?;
        if !status.contains(" 200") {
            return Err(format!("the server answers {status}").into());
        }
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            match line.split_once(':') {
                Some((name, value)) => fields.push((name.to_owned(), value.trim().to_owned())),
                None => break,
            }
        }
        let value = |wanted: &str| {
            let mut all = fields.iter();
            all.find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.clone())
        };
        let mut body = Vec::new();
        match value("Content-Length") {
            Some(len) => self.octets(len.parse()?, &mut body)?,
            None => loop {
                let len = u64::from_str_radix(self.line()?.trim(), 16)?;
                self.octets(len, &mut body)?;
                self.line()?;
                if len == 0 {
                    break;
                }
            },
        }
        Ok(Answer { fields, body })
    }

    fn line(&mut self) -> Outcomes<String> {
        let mut line = String::new();
        self.received += self.stream.read_line(&mut line)? as u64;
        Ok(line.trim_end().to_owned())
    }

    fn octets(&mut self, len: u64, body: &mut Vec<u8>) -> Outcomes<()> {
        let read = (&mut self.stream).take(len).read_to_end(body)? as u64;
        self.received += read;
        match read == len {
            true => Ok(()),
            false => Err("the server closed the connection".into()),
        }
    }
}
