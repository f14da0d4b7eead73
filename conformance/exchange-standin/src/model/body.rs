//! The formats of a body that are not kept: made from the one that is. Source: MS-OXBBODY 2.1.2, MS-OXRTFEX.

use mapi_types::PropTag;
use mapi_wire::{PropValue, Writer};

use super::{props::Props, tags};

/// The body in the format of `tag`, when it is kept only in another.
pub fn made(props: &Props, tag: PropTag) -> Option<PropValue> {
    match tag {
        tags::BODY => Some(PropValue::String(
            text_of_html(&html(props)?).as_str().into(),
        )),
        tags::HTML => {
            let text = props.text(tags::BODY)?;
            let html = format!("<html><body><pre>{}</pre></body></html>", escaped(&text));
            Some(PropValue::Binary(html.into_bytes().into()))
        }
        tags::RTF_COMPRESSED => rtf(props).map(PropValue::Binary),
        _ => None,
    }
}

/// The body as compressed RTF.
pub fn rtf(props: &Props) -> Option<Box<[u8]>> {
    let rtf = match (html(props), props.text(tags::BODY)) {
        (Some(html), _) => {
            format!(
                "{{\\rtf1\\ansi\\fromhtml1 {{\\*\\htmltag64 {}}}}}",
                rtf_escaped(&html)
            )
        }
        (None, Some(text)) => format!("{{\\rtf1\\ansi\\fromtext {}}}", rtf_escaped(&text)),
        (None, None) => return None,
    };
    Some(uncompressed(rtf.as_bytes()))
}

fn html(props: &Props) -> Option<String> {
    let octets = props.binary(tags::HTML)?;
    Some(String::from_utf8_lossy(octets).into_owned())
}

/// RTF without compression. Source: MS-OXRTFCP 2.2.3.
fn uncompressed(rtf: &[u8]) -> Box<[u8]> {
    let mut writer = Writer::new();
    writer.u32(rtf.len() as u32 + 12);
    writer.u32(rtf.len() as u32);
    writer.put(b"MELA");
    writer.u32(0);
    writer.put(rtf);
    writer.into_bytes().into()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn rtf_escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | '{' | '}' => out.extend(['\\', c]),
            '\n' => out.push_str("\\par\r\n"),
            '\r' => {}
            c if c.is_ascii() => out.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{}?", *unit as i16));
                }
            }
        }
    }
    out
}

/// The text of HTML, roughly: without tags, and with the commonest entities undone.
fn text_of_html(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_there_in_every_format() {
        let mut props = Props::default();
        props.set(tags::HTML, PropValue::Binary((*b"<p>a &amp; b</p>").into()));
        assert_eq!(
            made(&props, tags::BODY),
            Some(PropValue::String("a & b".into()))
        );
        let rtf = rtf(&props).unwrap();
        assert_eq!(rtf[8..12], *b"MELA");
        assert!(rtf.ends_with(b"{\\*\\htmltag64 <p>a &amp; b</p>}}"));
        assert_eq!(made(&Props::default(), tags::BODY), None);
    }
}
