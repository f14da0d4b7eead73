//! format=flowed and its paragraphs. Source: RFC 3676 4.

/// The text with its flowed lines joined into paragraphs; quote depth is kept as `>` signs and a space.
///
/// `delete_space` is the parameter DelSp=yes. Lines end with LF in the result.
pub fn unwrap(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The quote depth of a paragraph that goes on in the next line.
    let mut open: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        let content = content.strip_prefix(' ').unwrap_or(content);
        let signature = content == "-- ";
        if open.is_some_and(|open_depth| open_depth != depth || signature) {
            out.push('\n');
            open = None;
        }
        if open.is_none() && depth > 0 {
            out.extend(std::iter::repeat_n('>', depth));
            out.push(' ');
        }
        let flowed = content.ends_with(' ') && !signature;
        let shown = match content.strip_suffix(' ') {
            Some(shorter) if flowed && delete_space => shorter,
            _ => content,
        };
        out.push_str(shown);
        if flowed {
            open = Some(depth);
        } else {
            out.push('\n');
            open = None;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowed_lines_are_joined_within_their_quote_depth() {
        let check = |text, delete_space, expected: &str| {
            assert_eq!(unwrap(text, delete_space), expected, "{text}")
        };
        check("a \r\nb\r\nc\r\n", false, "a b\nc\n");
        check("a \nb\n", true, "ab\n");
        check("> a \n> b \nc\n", false, "> a b \nc\n");
        check(">> a\n> b\n", false, ">> a\n> b\n");
        check("text \n-- \nname\n", false, "text \n-- \nname\n");
        check(" >stuffed\n", false, ">stuffed\n");
        check("last ", false, "last ");
    }
}
