//! Every ROP by its documented layout: `layouts.txt`.

use std::{collections::BTreeSet, env, fmt::Write as _, fs, sync::LazyLock};

use mapi_wire::rop::{self, NO_HANDLE, RequestBuffer, ResponseBuffer, Session};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rops/layouts.txt");

/// What stands behind slots 0 and 1.
const HANDLES: [u32; 2] = [7, 8];

/// One layout.
pub(crate) struct Case {
    /// What is known before.
    pub(crate) session: Session,
    /// The request, or what the response answers.
    pub(crate) batch: RequestBuffer,
    /// Whether it is a request.
    pub(crate) request: bool,
    /// The octets.
    pub(crate) payload: Vec<u8>,
}

/// All layouts.
pub(crate) fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let known = fs::read_to_string(PATH).unwrap();
        let mut asked = RequestBuffer::default();
        let cases = known.lines().filter_map(|line| case(line, &mut asked));
        cases.collect()
    });
    &CASES
}

/// The layout in a line, if there is one. `asked` is the request before it.
fn case(line: &str, asked: &mut RequestBuffer) -> Option<Case> {
    let (kind, octets) = line.split_once(' ')?;
    let request = match kind {
        ">" => true,
        "<" => false,
        _ => return None,
    };
    let payload = payload(&octets_of(octets), &HANDLES);
    let session = session();
    if request {
        *asked = RequestBuffer::decode(&payload, &session).expect(line);
    }
    let mut batch = asked.clone();
    // These answer nothing.
    if !request && ["2a", "6e", "f9", "ff"].contains(&&octets[..2]) {
        batch.requests.clear();
    }
    Some(Case {
        session,
        batch,
        request,
        payload,
    })
}

#[test]
fn every_rop_reads_as_documented_and_is_written_the_same() {
    let known = fs::read_to_string(PATH).unwrap();
    let mut asked = RequestBuffer::default();
    let mut read = String::new();
    let mut rops = BTreeSet::new();
    for line in known.lines().filter(|line| !line.starts_with("= ")) {
        writeln!(read, "{line}").unwrap();
        let Some(case) = case(line, &mut asked) else {
            continue;
        };
        let (rop_id, reading) = match case.request {
            true => check_request(line, &case),
            false => check_response(line, &case),
        };
        rops.insert(rop_id);
        writeln!(read, "= {reading}").unwrap();
    }
    let all: BTreeSet<u8> = (0..=u8::MAX)
        .filter(|&id| rop::name(id).is_some())
        .collect();
    assert_eq!(rops, all, "every ROP has its case");
    if env::var_os("UPDATE").is_some() {
        fs::write(PATH, &read).unwrap();
    }
    assert_eq!(read, fs::read_to_string(PATH).unwrap());
}

fn check_request(line: &str, case: &Case) -> (u8, String) {
    assert_eq!(case.batch.encode(), case.payload, "{line}");
    let [request] = case.batch.requests.as_slice() else {
        panic!("{line}: not one request")
    };
    let list = case.payload.len() - 2 - 4 * HANDLES.len();
    assert_eq!(request.encoded_len(), list, "{line}");
    (request.rop_id(), format!("{request:?}"))
}

fn check_response(line: &str, case: &Case) -> (u8, String) {
    let mut session = case.session.clone();
    let answer = ResponseBuffer::decode(&case.payload, &case.batch, &mut session).expect(line);
    assert_eq!(answer.encode(), case.payload, "{line}");
    let [response] = answer.responses.as_slice() else {
        panic!("{line}: not one response")
    };
    (response.rop_id(), format!("{response:?}"))
}

/// A session in which logon 0xb1 is to public folders, and slot 0 is a table with columns.
fn session() -> Session {
    let mut session = Session::default();
    let logged_on = format!("fe 00 00000000 00 {}", "00".repeat(13 * 8 + 2 + 16 + 16));
    let asked = payload(
        &octets_of("fe b1 00 00 00000000 00000000 0000"),
        &[NO_HANDLE],
    );
    learn(&mut session, &asked, &payload(&octets_of(&logged_on), &[3]));
    let asked = payload(&octets_of("12 a1 00 00 0200 1f000130 0300080e"), &HANDLES);
    let answered = payload(&octets_of("12 00 00000000 00"), &HANDLES);
    learn(&mut session, &asked, &answered);
    session
}

fn learn(session: &mut Session, asked: &[u8], answered: &[u8]) {
    let batch = RequestBuffer::decode(asked, session).unwrap();
    ResponseBuffer::decode(answered, &batch, session).unwrap();
}

fn payload(list: &[u8], handles: &[u32]) -> Vec<u8> {
    let size = u16::try_from(list.len() + 2).unwrap().to_le_bytes();
    let handles = handles.iter().flat_map(|handle| handle.to_le_bytes());
    size.into_iter()
        .chain(list.iter().copied())
        .chain(handles)
        .collect()
}

/// Hexadecimal digits, `"8-bit text"` and `u"UTF-16 text"`, apart from each other.
fn octets_of(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (unicode, quoted) = match rest.strip_prefix("u\"") {
            Some(quoted) => (true, Some(quoted)),
            None => (false, rest.strip_prefix('"')),
        };
        let after = match quoted {
            Some(quoted) => {
                let (text, after) = quoted.split_once('"').unwrap();
                match unicode {
                    true => octets.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
                    false => octets.extend(text.bytes()),
                }
                after
            }
            None => {
                let (digits, after) = rest.split_once(' ').unwrap_or((rest, ""));
                octets.extend(hexadecimal(digits));
                after
            }
        };
        rest = after.trim_start();
    }
    octets
}

fn hexadecimal(digits: &str) -> impl Iterator<Item = u8> {
    let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
    assert!(odd.is_empty(), "{digits}");
    pairs.iter().map(|pair| {
        let pair = str::from_utf8(pair).unwrap();
        u8::from_str_radix(pair, 16).unwrap()
    })
}
