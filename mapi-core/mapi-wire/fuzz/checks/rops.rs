//! What must hold for batches of ROPs and their answers, whatever a peer sends.

use mapi_wire::rop::{RequestBuffer, ResponseBuffer, Session};

/// The first two octets say where a batch ends and its answer begins. What decodes, encodes to something that decodes
/// to the same.
pub(crate) fn check(input: &[u8]) {
    let Some((len, rest)) = input.split_first_chunk::<2>() else {
        return;
    };
    let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
    let (asked, answered) = rest.split_at(len);
    let session = Session::default();
    let Ok(batch) = RequestBuffer::decode(asked, &session) else {
        return;
    };
    let encoded = batch.encode();
    assert_eq!(batch.encoded_len(), encoded.len());
    let again = RequestBuffer::decode(&encoded, &session).map(|again| again.encode());
    assert_eq!(again, Ok(encoded));

    let mut first = session.clone();
    let Ok(answer) = ResponseBuffer::decode(answered, &batch, &mut first) else {
        return;
    };
    let encoded = answer.encode();
    let mut second = session;
    let again = ResponseBuffer::decode(&encoded, &batch, &mut second).map(|again| again.encode());
    assert_eq!(again, Ok(encoded));
}
