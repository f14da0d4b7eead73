//! The recorded exchanges as sessions: batches and their answers, in order.

use std::{fs, path::PathBuf, sync::LazyLock};

use mapi_wire::{
    DecodeError, buffer,
    http::{AnyRequest, AnyResponse, Outcome, RequestType, Response, framing},
    rop::{RequestBuffer, ResponseBuffer, Session},
};

/// One Execute: a batch and its answer.
pub(crate) struct Exchange {
    /// Folder and number, and what the exchange is about: `main/003-emsmdb-Execute-Logon`.
    pub(crate) name: String,
    /// What the session was before it.
    pub(crate) before: Session,
    /// The payload of the request.
    pub(crate) asked: Vec<u8>,
    /// The payloads of the response; none when the server refused the call.
    pub(crate) answered: Vec<Vec<u8>>,
    /// The batch.
    pub(crate) batch: Result<RequestBuffer, DecodeError>,
    /// Its answer, a part for each payload.
    pub(crate) answers: Result<Vec<ResponseBuffer>, DecodeError>,
}

/// All Executes of all folders.
pub(crate) fn all() -> &'static [Exchange] {
    static ALL: LazyLock<Vec<Exchange>> = LazyLock::new(|| {
        let folders = ["main", "extra", "compressed"].into_iter();
        folders.flat_map(folder).collect()
    });
    &ALL
}

/// All Executes of a folder, decoded in their order. A Connect within a session begins another one, until its Disconnect.
fn folder(folder: &str) -> Vec<Exchange> {
    let root = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/corpus/mapihttp"
    ));
    let index = fs::read_to_string(root.join(folder).join("index.tsv")).unwrap();
    let requests = index.lines().filter_map(|line| {
        let file = line.split('\t').next().unwrap();
        file.strip_suffix(".req.bin")
    });
    let mut sessions = Vec::new();
    let mut exchanges = Vec::new();
    for file in requests.filter(|file| file.contains("-emsmdb-")) {
        let kind = file.split('-').nth(2).unwrap();
        match kind.parse::<RequestType>().unwrap() {
            RequestType::Connect => sessions.push(Session::default()),
            RequestType::Disconnect => drop(sessions.pop()),
            RequestType::Execute => {
                let name = format!("{folder}/{file}");
                let body = |kind| fs::read(root.join(format!("{name}.{kind}.bin"))).unwrap();
                let asked = asked(&body("req"));
                let answered = answered(&body("rsp"));
                let session = sessions.last_mut().unwrap();
                exchanges.push(exchange(name, asked, answered, session));
            }
            _ => {}
        }
    }
    exchanges
}

fn exchange(
    name: String,
    asked: Vec<u8>,
    answered: Vec<Vec<u8>>,
    session: &mut Session,
) -> Exchange {
    let before = session.clone();
    let batch = RequestBuffer::decode(&asked, session);
    let answers = match &batch {
        Ok(batch) => {
            let payloads = answered.iter().map(Vec::as_slice);
            ResponseBuffer::decode_packed(payloads, batch, session)
        }
        Err(_) => Ok(Vec::new()),
    };
    Exchange {
        name,
        before,
        asked,
        answered,
        batch,
        answers,
    }
}

fn asked(body: &[u8]) -> Vec<u8> {
    let Ok((AnyRequest::Execute(execute), _)) = AnyRequest::decode(RequestType::Execute, body)
    else {
        panic!("not an Execute")
    };
    let payloads = buffer::split(&execute.rop_buffer).unwrap();
    let [payload] = payloads.as_slice() else {
        panic!("not one payload")
    };
    payload.bytes.to_vec()
}

fn answered(body: &[u8]) -> Vec<Vec<u8>> {
    let framed = framing::read(body).unwrap();
    let answer = AnyResponse::decode(RequestType::Execute, &framed.body);
    let Ok(AnyResponse::Execute(Response {
        outcome: Outcome::Done { body, .. },
        ..
    })) = answer
    else {
        panic!("not an answer to Execute")
    };
    let payloads = buffer::split(&body.rop_buffer).unwrap();
    let payloads = payloads.into_iter();
    payloads.map(|payload| payload.bytes.into_owned()).collect()
}
