//! How large messages may be, and what may be attached to them.

use crate::{Answer, Failure, Judging, Passing, Step, Verdict};

/// Refuses messages that are too large, or have parts of some type or file name.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The largest message, in octets; `None`: any.
    pub bytes_max: Option<u64>,
    /// Media types, such as `application/x-msdownload`, or `video/*`.
    pub types: Vec<String>,
    /// File names, such as `*.exe`: a star stands for anything.
    pub names: Vec<String>,
}

impl Step for Policy {
    fn judge<'a>(&'a self, passing: &'a Passing) -> Judging<'a> {
        Box::pin(async { self.verdict(passing) })
    }
}

impl Policy {
    fn verdict(&self, passing: &Passing) -> Result<Verdict, Failure> {
        if self
            .bytes_max
            .is_some_and(|most| passing.message.len() > most)
        {
            let text = "5.3.4 the message is larger than is allowed here";
            return Ok(Verdict::Refuse(Answer::new(552, text)?));
        }
        for one in &passing.attachments {
            let is_one = |patterns: &[String], text: &str| {
                patterns.iter().any(|pattern| matches(pattern, text))
            };
            // Systems drop what stands at a name's end before they look what it is.
            let bad = one
                .names
                .iter()
                .find(|name| is_one(&self.names, name.trim_end_matches(['.', ' '])));
            if let Some(name) = bad {
                let text = format!("5.7.1 files like {name:?} are not allowed here");
                return Ok(Verdict::Refuse(Answer::new(550, &text)?));
            }
            if is_one(&self.types, &one.media_type) {
                let text = format!(
                    "5.7.1 nothing of the type {} is allowed here",
                    one.media_type
                );
                return Ok(Verdict::Refuse(Answer::new(550, &text)?));
            }
            if one.is_opaque && !(self.names.is_empty() && self.types.is_empty()) {
                let text = "5.7.1 attached messages in an encoding cannot be checked here";
                return Ok(Verdict::Refuse(Answer::new(550, text)?));
            }
        }
        Ok(Verdict::Pass)
    }
}

/// Whether a text is what a pattern says; `*` stands for anything, and no case is wrong.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut pieces = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, is) in [
            ("*.exe", "invoice.EXE", true),
            ("*.exe", "invoice.exe.txt", false),
            ("video/*", "video/mp4", true),
            ("video/*", "audio/mp4", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("application/pdf", "application/pdf", true),
            ("application/pdf", "application/pdfx", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), is, "{pattern:?} {text:?}");
        }
    }
}
