//! What a header says the sender is, whoever reads it: programs differ on fields that no grammar allows.

/// Why a header's lines cannot be sent. Source: RFC 5322 2.2.
pub(super) fn check_lines(header: &[u8]) -> Result<(), &'static str> {
    if matches!(header.first(), Some(b' ' | b'\t')) {
        // It would go on a field that is put before it.
        return Err("the header begins with the rest of a field");
    }
    let mut before = None;
    for (at, octet) in header.iter().enumerate() {
        let alone = match octet {
            b'\n' => before != Some(b'\r'),
            b'\r' => header.get(at + 1) != Some(&b'\n'),
            _ => *octet == 0,
        };
        if alone {
            return Err("the header has a NUL, or a CR or LF that stands alone");
        }
        before = Some(*octet);
    }
    Ok(())
}

/// Everything in a field that looks like an address outside of quotes and comments, whether or not it is where an address
/// may be: some program shows it as the sender. Some take the wide and the small form of `@` for it, too.
pub(super) fn shown(value: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(value);
    let (mut quoted, mut depth, mut escaped) = (false, 0_u32, false);
    let mut plain = String::with_capacity(text.len());
    for one in text.chars() {
        let outside = !quoted && depth == 0;
        match one {
            _ if escaped => escaped = false,
            '\\' if !outside => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if outside => {
                plain.push(if matches!(one, '\u{ff20}' | '\u{fe6b}') {
                    '@'
                } else {
                    one
                });
                continue;
            }
            _ => {}
        }
        plain.push(' ');
    }
    let ends = |one: char| one.is_whitespace() || matches!(one, '<' | '>' | ',' | ';' | ':');
    plain
        .split(ends)
        // What is quoted before the `@` is read by whoever knows the grammar.
        .filter(|word| {
            word.split_once('@')
                .is_some_and(|(local, _)| !local.is_empty())
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_looks_like_an_address_is_seen() {
        for (value, expected) in [
            (" anna@example.test", &["anna@example.test"][..]),
            (" Anna <anna@example.test>", &["anna@example.test"]),
            (
                " <anna@example.test> <boss@example.test>",
                &["anna@example.test", "boss@example.test"],
            ),
            (
                " boss@example.test <anna@example.test>",
                &["boss@example.test", "anna@example.test"],
            ),
            (
                " \"boss@example.test\" <anna@example.test>",
                &["anna@example.test"],
            ),
            (
                " anna@example.test (boss@example.test (too))",
                &["anna@example.test"],
            ),
            (" \"a\\\"@b\" <anna@example.test>", &["anna@example.test"]),
            (
                " anna@example.test,\r\n\tboss@example.test",
                &["anna@example.test", "boss@example.test"],
            ),
            (" team:anna@example.test;", &["anna@example.test"]),
            (" nobody", &[]),
        ] {
            assert_eq!(shown(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn lines_of_a_header_end_as_lines() {
        for (header, good) in [
            ("", true),
            ("From: a\r\n\tb\r\n\r\n", true),
            ("\t, boss@example.test\r\n", false),
            (" x\r\n", false),
            ("From: a\nSender: b\r\n", false),
            ("From: a\rSender: b\r\n", false),
            ("From: a\0b\r\n", false),
        ] {
            assert_eq!(check_lines(header.as_bytes()).is_ok(), good, "{header:?}");
        }
    }
}
