//! Subject prefixes.

/// A subject taken apart into prefix (with its colon and space; often empty) and normalised subject.
///
/// A prefix is one to three characters that are no digits, a colon and a space. Source: MS-OXCMSG 3.2.1.3 (client
/// computes PidTagNormalizedSubject).
pub fn split_subject(subject: &str) -> (&str, &str) {
    let subject = subject.trim_start();
    let mut chars = subject.char_indices();
    for count in 0..4 {
        match chars.next() {
            Some((at, ':')) if count > 0 && subject.get(at + 1..at + 2) == Some(" ") => {
                return subject.split_at_checked(at + 2).unwrap_or(("", subject));
            }
            Some((_, c)) if c != ':' && !c.is_numeric() && !c.is_whitespace() => {}
            _ => break,
        }
    }
    ("", subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_one_to_three_characters_and_a_colon() {
        let cases = [
            ("Re: x", ("Re: ", "x")),
            ("FWD: x", ("FWD: ", "x")),
            ("AW: Re: x", ("AW: ", "Re: x")),
            ("ответ: x", ("", "ответ: x")),
            ("回复: x", ("回复: ", "x")),
            ("R2: x", ("", "R2: x")),
            ("Re:x", ("", "Re:x")),
            (": x", ("", ": x")),
            ("Re: ", ("Re: ", "")),
            ("", ("", "")),
        ];
        for (subject, expected) in cases {
            assert_eq!(split_subject(subject), expected, "{subject}");
        }
    }
}
