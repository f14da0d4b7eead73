//! TEXT and its escapes. Source: RFC 5545 3.3.11.

/// What an escaped text says. A backslash before anything else is left out, as vCalendar 1.0 programs mean it.
pub fn unescape(value: &str) -> String {
    if !value.contains('\\') {
        return value.to_owned();
    }
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(escaped) => text.push(escaped),
                None => text.push('\\'),
            },
            _ => text.push(c),
        }
    }
    text
}

/// The text as it stands in a line. Line ends are one kind; other control characters cannot be written and are left out.
pub fn escape(text: &str) -> String {
    let mut value = String::with_capacity(text.len() + text.len() / 16);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' | ';' | ',' => value.extend(['\\', c]),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\n' => value.push_str("\\n"),
            '\t' => value.push(c),
            _ if c.is_control() => {}
            _ => value.push(c),
        }
    }
    value
}
