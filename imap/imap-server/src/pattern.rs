//! Patterns of LIST and LSUB: `*` is any text, `%` any text without a separator (RFC 3501 6.3.8).

use crate::{mailbox_name::SEPARATOR, work::Work};

/// A pattern, ready for many names.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// No two wildcards stand side by side.
    tokens: Box<[Token]>,
    /// How many letters a name has at least to match.
    letters: usize,
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token {
    Letter(char),
    /// `*`
    Text,
    /// `%`
    Level,
}

/// Matches names against patterns, in turns.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    work: Work,
    reached: Places,
    next: Places,
}

/// Places in a pattern up to which a name has been matched, ascending.
#[derive(Debug, Default)]
struct Places(Vec<usize>);

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Self {
        let mut tokens: Vec<Token> = Vec::with_capacity(pattern.len());
        for letter in pattern.chars() {
            let token = match letter {
                '*' => Token::Text,
                '%' => Token::Level,
                letter => Token::Letter(letter),
            };
            match (tokens.last_mut(), token) {
                // Side by side, the one that stands for more stands for both.
                (Some(last @ (Token::Text | Token::Level)), Token::Text) => *last = Token::Text,
                (Some(Token::Text | Token::Level), Token::Level) => {}
                _ => tokens.push(token),
            }
        }
        let is_letter = |token: &&Token| matches!(token, Token::Letter(_));
        Self {
            letters: tokens.iter().filter(is_letter).count(),
            tokens: tokens.into(),
        }
    }

    /// Whether everything matches that has come this far.
    fn ends_in_text(&self, place: usize) -> bool {
        place + 1 == self.tokens.len() && self.tokens.last() == Some(&Token::Text)
    }
}

impl Matcher {
    /// Whether a name matches any of the patterns.
    pub(crate) async fn matches_any(&mut self, patterns: &[Pattern], name: &str) -> bool {
        for pattern in patterns {
            if self.matches(pattern, name).await {
                return true;
            }
        }
        false
    }

    /// Whether a name matches. Takes as many steps as the name has letters, times the places reached in the pattern.
    pub(crate) async fn matches(&mut self, pattern: &Pattern, name: &str) -> bool {
        if pattern.letters > name.len() {
            self.work.done(1).await;
            return false;
        }
        self.reached.0.clear();
        self.reached.add(pattern, 0);
        for letter in name.chars() {
            if self
                .reached
                .0
                .iter()
                .any(|place| pattern.ends_in_text(*place))
            {
                return true;
            }
            self.next.0.clear();
            for &place in &self.reached.0 {
                match pattern.tokens.get(place) {
                    Some(Token::Letter(wanted)) if *wanted == letter => {
                        self.next.add(pattern, place + 1);
                    }
                    Some(Token::Text) => self.next.add(pattern, place),
                    Some(Token::Level) if letter != SEPARATOR => self.next.add(pattern, place),
                    _ => {}
                }
            }
            self.work.done(self.reached.0.len() + 1).await;
            std::mem::swap(&mut self.reached, &mut self.next);
            if self.reached.0.is_empty() {
                return false;
            }
        }
        self.reached.0.last() == Some(&pattern.tokens.len())
    }
}

impl Places {
    /// Adds a place, and the one behind it when a wildcard is there, which may stand for nothing. Places are added in
    /// ascending order, some of them twice.
    fn add(&mut self, pattern: &Pattern, place: usize) {
        self.push(place);
        if matches!(pattern.tokens.get(place), Some(Token::Text | Token::Level)) {
            self.push(place + 1);
        }
    }

    fn push(&mut self, place: usize) {
        if self.0.last().is_none_or(|last| *last < place) {
            self.0.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(pattern: &str, name: &str, expected: bool) {
        let pattern_ = Pattern::new(pattern);
        let found = Matcher::default().matches(&pattern_, name).await;
        assert_eq!(found, expected, "{pattern} {name}");
    }

    #[tokio::test]
    async fn patterns_match_as_the_standard_says() {
        for (pattern, name, expected) in [
            ("*", "a/b", true),
            ("*", "", true),
            ("%", "a", true),
            ("%", "", true),
            ("%", "a/b", false),
            ("%/%", "a/b", true),
            ("a*", "a", true),
            ("a/%", "a/b/c", false),
            ("*c", "a/b/c", true),
            ("%c", "a/b/c", false),
            ("", "", true),
            ("", "a", false),
            ("a%b*", "axxb/y", true),
            ("INBOX", "INBOX", true),
            ("INBOX", "INBO", false),
            ("***%%%*", "anything/at all", true),
            ("%%%", "any/thing", false),
            ("a%*b", "a/x/b", true),
            ("M%rz", "März", true),
        ] {
            check(pattern, name, expected).await;
        }
    }

    /// What the standard says, word for word, for short names.
    fn matches_plainly(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|at| matches_plainly(rest, &name[at..])),
            Some((b'%', rest)) => (0..=name.len())
                .take_while(|at| !name[..*at].contains(&b'/'))
                .any(|at| matches_plainly(rest, &name[at..])),
            Some((letter, rest)) => {
                name.first() == Some(letter) && matches_plainly(rest, &name[1..])
            }
        }
    }

    fn words(letters: &[u8], length_max: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut longest = all.clone();
        for _ in 0..length_max {
            longest = longest
                .iter()
                .flat_map(|word| letters.iter().map(move |l| format!("{word}{}", *l as char)))
                .collect();
            all.extend_from_slice(&longest);
        }
        all
    }

    #[tokio::test]
    async fn every_short_pattern_matches_what_it_should() {
        let names = words(b"ab/", 4);
        let mut matcher = Matcher::default();
        for pattern in words(b"ab/*%", 4) {
            let prepared = Pattern::new(&pattern);
            for name in &names {
                let expected = matches_plainly(pattern.as_bytes(), name.as_bytes());
                let found = matcher.matches(&prepared, name).await;
                assert_eq!(found, expected, "{pattern} {name}");
            }
        }
    }
}
