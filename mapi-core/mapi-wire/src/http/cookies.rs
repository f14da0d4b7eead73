//! The cookies of one session context. They are opaque; a client sends back all it was given.
//!
//! Source: MS-OXCMAPIHTTP 3.2.5.1; syntax RFC 6265 4.1 and 4.2.

/// The most cookies kept for one session context.
pub const COOKIES_MAX: usize = 32;

/// The most octets of a cookie's name and value.
pub const COOKIE_BYTES_MAX: usize = 4096;

/// The cookies of one session context, oldest first.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Cookies {
    pairs: Vec<(String, String)>,
}

impl Cookies {
    /// None.
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// Takes the value of a Set-Cookie header: adds or replaces; with `Max-Age` of 0 or less, removes.
    ///
    /// Other attributes do not count: a session context has one server. What is too long, or one too many, is ignored.
    pub fn store(&mut self, set_cookie: &str) {
        let mut parts = set_cookie.split(';');
        let Some((name, value)) = parts.next().and_then(pair) else {
            return;
        };
        let is_gone = parts
            .filter_map(|part| part.split_once('='))
            .any(|(name, value)| {
                name.trim().eq_ignore_ascii_case("max-age")
                    && value.trim().parse::<i64>().is_ok_and(|age| age <= 0)
            });
        let place = self.pairs.iter().position(|(known, _)| known == name);
        match place {
            Some(place) if is_gone => {
                self.pairs.remove(place);
            }
            Some(place) => {
                if let Some((_, known)) = self.pairs.get_mut(place) {
                    value.clone_into(known);
                }
            }
            None if is_gone || self.pairs.len() >= COOKIES_MAX => {}
            None => self.pairs.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Reads the value of a Cookie header: the server's side.
    pub fn from_header(cookie: &str) -> Self {
        let pairs = cookie.split(';').filter_map(pair).take(COOKIES_MAX);
        Self {
            pairs: pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    /// The value of the Cookie header; `None` without cookies.
    pub fn to_header(&self) -> Option<String> {
        let pairs = self
            .pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let header = pairs.collect::<Vec<_>>().join("; ");
        (!header.is_empty()).then_some(header)
    }

    /// The value of one cookie.
    pub fn value(&self, name: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl std::fmt::Debug for Cookies {
    /// Names only: the values are as good as a password while the session context lives.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.pairs.iter().map(|(name, _)| name))
            .finish()
    }
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_sound = !name.is_empty()
        && name.len() + value.len() <= COOKIE_BYTES_MAX
        && !text.contains(|c: char| c.is_control());
    is_sound.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_value_takes_the_place_of_the_older() {
        let mut cookies = Cookies::new();
        assert_eq!(cookies.to_header(), None);
        for line in [
            "sid=abc; path=/mapi; secure; HttpOnly",
            "sequence=1",
            "sequence=2; path=/",
            "gone=; Max-Age=0",
            "nameless",
            "=empty",
        ] {
            cookies.store(line);
        }
        assert_eq!(cookies.to_header().as_deref(), Some("sid=abc; sequence=2"));
        cookies.store("sid=; Max-Age=-1");
        assert_eq!(cookies.to_header().as_deref(), Some("sequence=2"));
    }

    #[test]
    fn a_server_reads_what_a_client_sent() {
        let cookies = Cookies::from_header("sid=abc; sequence=a=b;x");
        assert_eq!(cookies.value("sid"), Some("abc"));
        assert_eq!(cookies.value("sequence"), Some("a=b"));
        assert_eq!(cookies.value("x"), None);
    }

    #[test]
    fn a_server_cannot_fill_the_memory_or_break_the_header() {
        let mut cookies = Cookies::new();
        for number in 0..100 {
            cookies.store(&format!("c{number}=1"));
        }
        cookies.store(&format!("c1={}", "x".repeat(COOKIE_BYTES_MAX)));
        cookies.store("c1=2\r\nX-Evil: 1");
        assert_eq!(cookies.pairs.len(), COOKIES_MAX);
        assert_eq!(cookies.value("c1"), Some("1"));
    }

    #[test]
    fn values_are_not_printed() {
        assert_eq!(
            format!("{:?}", Cookies::from_header("sid=secret")),
            "[\"sid\"]"
        );
    }
}
