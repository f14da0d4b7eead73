//! HTML to rough text: markup, scripts and styles left out, character references resolved.
//!
//! For search and previews, not for display: blocks become lines, white space is collapsed, nothing is laid out.

/// Octets of a tag or a character reference that are remembered; longer ones are still passed over.
const NAME_BYTES_MAX: usize = 32;

/// Turns HTML into text: [`HtmlText::push`] all of it in order, then [`HtmlText::finish`].
#[derive(Clone, Debug, Default)]
pub struct HtmlText {
    state: State,
    /// What has been read of a tag's name, of a reference, or of a comment's start and end.
    name: String,
    /// Inside this element, whose text nobody sees.
    hidden: Option<&'static str>,
    /// White space is due before the next text.
    space: Space,
    /// Whether there has been any text.
    begun: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    TagName,
    /// In a tag behind its name; in a quoted value, its quote.
    Tag(Option<char>),
    Comment,
    Reference,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    #[default]
    None,
    Word,
    Line,
}

impl HtmlText {
    /// Appends the text of the next piece to `out`.
    pub fn push(&mut self, html: &str, out: &mut String) {
        for c in html.chars() {
            match self.state {
                State::Text => self.text(c, out),
                State::TagName => self.tag_name(c, out),
                State::Tag(quote) => match (quote, c) {
                    (None, '>') => self.state = State::Text,
                    (None, '"' | '\'') => self.state = State::Tag(Some(c)),
                    (Some(open), _) if open == c => self.state = State::Tag(None),
                    _ => {}
                },
                State::Comment => self.comment(c),
                State::Reference => self.reference(c, out),
            }
        }
    }

    /// The HTML ends here; appends what was held back.
    pub fn finish(mut self, out: &mut String) {
        if self.state == State::Reference {
            self.end_reference(out);
        }
    }

    fn text(&mut self, c: char, out: &mut String) {
        match c {
            '<' => {
                self.name.clear();
                self.state = State::TagName;
            }
            '&' if self.hidden.is_none() => {
                self.name.clear();
                self.state = State::Reference;
            }
            _ if c.is_whitespace() => self.space = self.space.max(Space::Word),
            _ => self.put(c, out),
        }
    }

    fn put(&mut self, c: char, out: &mut String) {
        if self.hidden.is_some() {
            return;
        }
        match std::mem::take(&mut self.space) {
            Space::Word if self.begun => out.push(' '),
            Space::Line if self.begun => out.push('\n'),
            _ => {}
        }
        self.begun = true;
        out.push(c);
    }

    fn tag_name(&mut self, c: char, out: &mut String) {
        // Within a script only its own end is a tag.
        if let Some(hidden) = self.hidden {
            let end = self.name.strip_prefix('/');
            let expected = match end {
                None => Some('/'),
                Some(end) => hidden.get(end.len()..).and_then(|rest| rest.chars().next()),
            };
            if expected.is_some_and(|expected| expected != c.to_ascii_lowercase()) {
                self.state = State::Text;
                return self.text(c, out);
            }
        }
        match c {
            _ if c.is_ascii_alphanumeric() || matches!(c, '/' | '!' | '-' | ':' | '?') => {
                if self.name.is_empty() && c.is_ascii_digit() {
                    self.not_a_tag(c, out);
                } else if self.name.len() < NAME_BYTES_MAX {
                    self.name.push(c.to_ascii_lowercase());
                }
                if self.name == "!--" {
                    self.name.clear();
                    self.state = State::Comment;
                }
            }
            '>' if !self.name.is_empty() => {
                self.tag();
                self.state = State::Text;
            }
            _ if self.name.is_empty() => self.not_a_tag(c, out),
            _ => {
                self.tag();
                self.state = State::Tag(None);
            }
        }
    }

    /// `<` that begins no tag is text.
    fn not_a_tag(&mut self, next: char, out: &mut String) {
        self.state = State::Text;
        self.put('<', out);
        self.text(next, out);
    }

    fn tag(&mut self) {
        let closing = self.name.strip_prefix('/');
        let name = closing.unwrap_or(&self.name).trim_end_matches('/');
        if let Some(hidden) = self.hidden {
            if closing == Some(hidden) {
                self.hidden = None;
            }
            return;
        }
        if closing.is_none() {
            self.hidden = ["script", "style", "title", "template"]
                .into_iter()
                .find(|hidden| *hidden == name);
        }
        let is_block = matches!(
            name,
            "address"
                | "article"
                | "blockquote"
                | "br"
                | "dd"
                | "div"
                | "dl"
                | "dt"
                | "footer"
                | "form"
                | "h1"
                | "h2"
                | "h3"
                | "h4"
                | "h5"
                | "h6"
                | "header"
                | "hr"
                | "li"
                | "ol"
                | "p"
                | "pre"
                | "section"
                | "table"
                | "td"
                | "th"
                | "tr"
                | "ul"
        );
        if is_block {
            self.space = Space::Line;
        }
    }

    fn comment(&mut self, c: char) {
        match c {
            '-' if self.name.len() < 2 => self.name.push(c),
            '-' => {}
            '>' if self.name.len() == 2 => self.state = State::Text,
            _ => self.name.clear(),
        }
    }

    fn reference(&mut self, c: char, out: &mut String) {
        let part_of_it = c.is_ascii_alphanumeric() || (c == '#' && self.name.is_empty());
        if part_of_it && self.name.len() < NAME_BYTES_MAX {
            return self.name.push(c);
        }
        let resolved = self.end_reference(out);
        if !(resolved && c == ';') {
            self.text(c, out);
        }
    }

    /// Whether the reference stood for a character; else it is text.
    fn end_reference(&mut self, out: &mut String) -> bool {
        self.state = State::Text;
        let name = std::mem::take(&mut self.name);
        let resolved = resolve(&name);
        match resolved {
            Some(c) if c.is_whitespace() => self.space = self.space.max(Space::Word),
            Some(c) => self.put(c, out),
            None => {
                self.put('&', out);
                for c in name.chars() {
                    self.put(c, out);
                }
            }
        }
        resolved.is_some()
    }
}

/// The text of HTML that is all in memory.
pub fn to_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut reader = HtmlText::default();
    reader.push(html, &mut out);
    reader.finish(&mut out);
    out
}

/// The character that a reference without `&` and `;` stands for.
fn resolve(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| *c != '\0');
    }
    REFERENCES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, c)| *c)
}

/// The references that mail has in running text; Latin letters among them.
const REFERENCES: [(&str, char); 50] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("euro", '€'),
    ("pound", '£'),
    ("yen", '¥'),
    ("sect", '§'),
    ("deg", '°'),
    ("hellip", '…'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("bull", '•'),
    ("middot", '·'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("ecirc", 'ê'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("ccedil", 'ç'),
    ("iacute", 'í'),
    ("ntilde", 'ñ'),
    ("oacute", 'ó'),
    ("uacute", 'ú'),
    ("ocirc", 'ô'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("oslash", 'ø'),
    ("Eacute", 'É'),
    ("zwnj", '\u{200c}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_text_stays() {
        let cases = [
            ("<p>a  <b>b</b>c</p><div>d</div>", "a bc\nd"),
            ("x<br/>y<BR>z", "x\ny\nz"),
            (
                "<style>p > a {}</style><script>if (a<b) '</p>'</script>seen",
                "seen",
            ),
            ("<!-- no > -- no -->yes<!---->!", "yes!"),
            ("<a href=\"x>y\" title='>'>link</a>", "link"),
            (
                "a &amp; b &lt;c&gt; &#233;&#xe9; &nope; &",
                "a & b <c> éé &nope; &",
            ),
            ("1 < 2 and <3", "1 < 2 and <3"),
            ("a&nbsp;&nbsp;b", "a b"),
            ("<?xml version='1'?><!DOCTYPE html>t", "t"),
            ("<never closed", ""),
            ("", ""),
        ];
        for (html, expected) in cases {
            assert_eq!(to_text(html), expected, "{html}");
        }
    }
}
