//! LANG: the language of what the server says (RFC 6856 3). It knows English.

use crate::reply::{self, Done, Failure, Reply};

/// The languages by their tags (RFC 5646); `i-default` is what the server says unasked (RFC 2277 4.5).
const LANGUAGES: [(&str, &str); 2] = [("en", "English"), ("i-default", "Default language")];

/// `LANG [range]`
pub(crate) fn run(out: &mut Vec<u8>, range: Option<&str>) -> Reply {
    let Some(range) = range else {
        reply::ok(out, "these languages are spoken here");
        for (tag, name) in LANGUAGES {
            out.extend_from_slice(format!("{tag} {name}\r\n").as_bytes());
        }
        out.extend_from_slice(b".\r\n");
        return Ok(Done::Written);
    };
    // Basic filtering (RFC 4647 3.3.1) the other way round: whoever wants a kind of English gets English.
    let has = |tag: &str| {
        let prefix = range.get(..tag.len());
        let rest = range.get(tag.len()..).unwrap_or_default();
        prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(tag))
            && (rest.is_empty() || rest.starts_with('-'))
    };
    match range == "*" || LANGUAGES.iter().any(|(tag, _)| has(tag)) {
        true => Ok(Done::line("en English it is")),
        false => Err(Failure::no("that language is not spoken here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_spoken_and_nothing_else() {
        for (range, expected) in [
            ("*", true),
            ("en", true),
            ("EN-GB", true),
            ("i-default", true),
            ("eng", false),
            ("de", false),
            ("i", false),
        ] {
            let reply = run(&mut Vec::new(), Some(range));
            assert_eq!(reply.is_ok(), expected, "{range}");
        }
    }
}
