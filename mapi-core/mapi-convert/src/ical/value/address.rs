//! CAL-ADDRESS: who somebody is. Source: RFC 5545 3.3.3, RFC 6068.

/// The address of a `mailto:`; also of what programs write instead of one: an address alone, or `MAILTO:` twice.
/// `None` for other ways to name somebody, such as a path or `urn:uuid:`.
pub fn email_of(cal_address: &str) -> Option<String> {
    let mut rest = cal_address.trim();
    while let Some((scheme, address)) = rest.split_at_checked("mailto:".len()) {
        if !scheme.eq_ignore_ascii_case("mailto:") {
            break;
        }
        rest = address.trim_start();
    }
    // Header fields of the link are none of the address.
    let rest = rest.split('?').next().unwrap_or_default();
    let address = percent_decode(rest)?;
    let (local, domain) = address.rsplit_once('@')?;
    let is_plain = |text: &str| !text.is_empty() && !text.chars().any(|c| c.is_control());
    let is_address = is_plain(local) && is_plain(domain) && !domain.contains(['/', ':', ' ']);
    (is_address && !local.contains(['/', ':'])).then_some(address)
}

/// `mailto:` of an address. Source: RFC 6068 2; only what would end the address or hide in it is encoded.
pub fn mailto(address: &str) -> String {
    let mut text = "mailto:".to_owned();
    for c in address.chars() {
        match c {
            '%' | '?' | '"' | ' ' | '<' | '>' => text.push_str(&format!("%{:02X}", u32::from(c))),
            _ if c.is_control() => {}
            _ => text.push(c),
        }
    }
    text
}

/// `None` when the octets are no UTF-8; a percent sign that begins no code is one.
fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digit = |place: usize| char::from(*tail.get(place)?).to_digit(16);
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                octets.push((high * 16 + low) as u8);
                rest = tail.get(2..)?;
            }
            _ => {
                octets.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(octets).ok()
}
