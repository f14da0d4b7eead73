//! Packets: a length, a letter, and what belongs to the letter.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{Answer, Failure, HeaderEdit};

/// The largest packet taken, in octets: a chunk of a new body has at most 64 KiB, and some filters send more.
const PACKET_BYTES_MAX: usize = 1 << 20;

/// What a filter says.
#[derive(Debug)]
pub(super) enum Said {
    /// Go on.
    Continue,
    /// It wants no more of this message.
    Accept,
    /// Wait: it is still at work.
    Progress,
    /// It wants no more of the body.
    Skip,
    /// The message, or the recipient, is refused.
    Refuse(Answer),
    /// The message is to vanish.
    Drop,
    Header(HeaderEdit),
    /// More of a new body.
    Body(Vec<u8>),
    Sender(String),
    AddRecipient(String),
    RemoveRecipient(String),
}

impl Said {
    /// Octets that it wants kept, those of a new body aside.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Header(edit) => edit.len(),
            Self::Sender(text) | Self::AddRecipient(text) | Self::RemoveRecipient(text) => {
                text.len()
            }
            _ => 0,
        }
    }
}

/// Both directions of a connection to a filter.
pub(super) struct Packets<S>(pub(super) S);

impl<S: AsyncRead + AsyncWrite + Unpin> Packets<S> {
    pub(super) async fn send(&mut self, letter: u8, parts: &[&[u8]]) -> Result<(), Failure> {
        let length: usize = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
        let length = u32::try_from(length).map_err(|_| lied("a packet that is too large"))?;
        let mut packet = length.to_be_bytes().to_vec();
        packet.push(letter);
        parts.iter().for_each(|part| packet.extend_from_slice(part));
        self.0.write_all(&packet).await.map_err(broken)
    }

    /// The next packet: its letter, and the rest.
    pub(super) async fn receive(&mut self) -> Result<(u8, Vec<u8>), Failure> {
        let length = self.0.read_u32().await.map_err(broken)? as usize;
        if length == 0 || length > PACKET_BYTES_MAX {
            return Err(lied("a packet of no possible length"));
        }
        let letter = self.0.read_u8().await.map_err(broken)?;
        let mut rest = Vec::new();
        // Memory is taken as octets arrive, not as they are announced.
        let mut packet = (&mut self.0).take(length as u64 - 1);
        packet.read_to_end(&mut rest).await.map_err(broken)?;
        match rest.len() + 1 == length {
            true => Ok((letter, rest)),
            false => Err(Failure("the filter broke off".to_owned())),
        }
    }

    pub(super) async fn hear(&mut self, keeps_leading_space: bool) -> Result<Said, Failure> {
        let (letter, rest) = self.receive().await?;
        parse(letter, &rest, keeps_leading_space)
    }
}

/// What a packet says. Errors: nothing that filters say.
fn parse(letter: u8, rest: &[u8], keeps_leading_space: bool) -> Result<Said, Failure> {
    let value = |text: &[u8]| match keeps_leading_space {
        true => text.to_vec(),
        false => [b" ", text].concat(),
    };
    Ok(match letter {
        b'c' => Said::Continue,
        b'a' => Said::Accept,
        b'p' => Said::Progress,
        b's' => Said::Skip,
        b'd' => Said::Drop,
        // It is not to be delivered, and there is no place here to hold it.
        b'q' => Said::Refuse(Answer::new(
            550,
            "5.7.1 a filter wants this message held back",
        )?),
        b'r' => Said::Refuse(Answer::new(550, "5.7.1 refused by a filter")?),
        b't' => Said::Refuse(Answer::new(451, "4.7.1 try again later")?),
        b'y' => {
            let [reply] = texts(rest)?;
            let reply = String::from_utf8_lossy(&reply);
            // Percent signs come doubled.
            Said::Refuse(Answer::parse(&reply.replace("%%", "%"))?)
        }
        b'h' => {
            let [name, text] = texts(rest)?;
            let name = name_of(name)?;
            let value = value(&text);
            Said::Header(HeaderEdit::Append { name, value })
        }
        b'i' => {
            let (at, rest) = number(rest)?;
            let [name, text] = texts(rest)?;
            let name = name_of(name)?;
            let value = value(&text);
            Said::Header(HeaderEdit::Insert {
                after: at,
                name,
                value,
            })
        }
        b'm' => {
            let (nth, rest) = number(rest)?;
            let nth = nth.max(1);
            let [name, text] = texts(rest)?;
            let name = name_of(name)?;
            Said::Header(match text.is_empty() {
                true => HeaderEdit::Remove { name, nth },
                false => HeaderEdit::Replace {
                    name,
                    nth,
                    value: value(&text),
                },
            })
        }
        b'b' => Said::Body(rest.to_vec()),
        b'e' => Said::Sender(address(rest)?),
        b'+' | b'2' => Said::AddRecipient(address(rest)?),
        b'-' => Said::RemoveRecipient(address(rest)?),
        _ => return Err(lied("a word that no filter knows")),
    })
}

/// Texts that end with NUL each, in whatever encoding a message has them.
fn texts<const N: usize>(octets: &[u8]) -> Result<[Vec<u8>; N], Failure> {
    let cut = || lied("a packet that is cut off");
    let octets = octets.strip_suffix(b"\0").ok_or_else(cut)?;
    let texts: Vec<Vec<u8>> = octets
        .split(|octet| *octet == 0)
        .map(<[u8]>::to_vec)
        .collect();
    texts.try_into().map_err(|_| cut())
}

fn name_of(octets: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(octets).map_err(|_| lied("a name of a field that is none"))
}

fn number(octets: &[u8]) -> Result<(usize, &[u8]), Failure> {
    let cut = || lied("a packet that is cut off");
    let (number, rest) = octets.split_first_chunk::<4>().ok_or_else(cut)?;
    Ok((u32::from_be_bytes(*number) as usize, rest))
}

/// An address, in its brackets or without; parameters may follow.
fn address(octets: &[u8]) -> Result<String, Failure> {
    let end = octets.iter().position(|octet| *octet == 0);
    let first = octets
        .get(..end.unwrap_or(octets.len()))
        .unwrap_or_default();
    let text = str::from_utf8(first).map_err(|_| lied("an address that is none"))?;
    let text = text.trim();
    let bare = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    Ok(bare.unwrap_or(text).to_owned())
}

fn broken(error: std::io::Error) -> Failure {
    Failure(format!("the connection to the filter broke: {error}"))
}

pub(super) fn lied(what: &str) -> Failure {
    Failure(format!("the filter sent {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(letter: u8, rest: &[u8]) -> String {
        match parse(letter, rest, false) {
            Ok(said) => format!("{said:?}"),
            Err(Failure(why)) => why,
        }
    }

    #[test]
    fn what_filters_say_is_understood() {
        for (letter, rest, expected) in [
            (b'c', &b""[..], "Continue"),
            (
                b'y',
                b"451 4.7.1 50%% full\0",
                "Refuse(Answer(\"451 4.7.1 50% full\"))",
            ),
            (
                b'y',
                b"550 5.7.1 gr\xfcn.exe\0",
                "Refuse(Answer(\"550 5.7.1 gr?n.exe\"))",
            ),
            (b'y', b"250 fine\0", "250 refuses nothing"),
            (b'y', b"550 no", "the filter sent a packet that is cut off"),
            (
                b'h',
                b"X-A\0b\0",
                "Header(Append { name: \"X-A\", value: [32, 98] })",
            ),
            (
                b'h',
                b"X-A\0b\0c\0",
                "the filter sent a packet that is cut off",
            ),
            (
                b'i',
                b"\0\0\0\x02X\0y\0",
                "Header(Insert { after: 2, name: \"X\", value: [32, 121] })",
            ),
            (
                b'm',
                b"\0\0\0\0X\0\0",
                "Header(Remove { name: \"X\", nth: 1 })",
            ),
            (
                b'm',
                b"\0\0\0\x02X\0y\0",
                "Header(Replace { name: \"X\", nth: 2, value: [32, 121] })",
            ),
            (b'm', b"\0\0", "the filter sent a packet that is cut off"),
            (
                b'+',
                b"<bob@example.test>\0",
                "AddRecipient(\"bob@example.test\")",
            ),
            (
                b'2',
                b"<bob@example.test>\0NOTIFY=NEVER\0",
                "AddRecipient(\"bob@example.test\")",
            ),
            (b'e', b"<>\0", "Sender(\"\")"),
            (b'?', b"", "the filter sent a word that no filter knows"),
        ] {
            assert_eq!(said(letter, rest), expected, "{letter}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_filter_sends_breaks_anything(letter: u8, rest: Vec<u8>, space: bool) {
            let _ = parse(letter, &rest, space);
        }
    }
}
