//! `dovecot-keywords`: which keywords the letters `a` to `z` in the file names of a Maildir stand for.
//!
//! A line has a number from 0 and a keyword. Keywords beyond the twenty-sixth have no letter.
//! Source: Dovecot's documentation of its Maildir format.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Read},
    path::Path,
};

use imap_wire::keyword::{category, keyword};

use crate::{Error, Result, durable};

/// The file's name.
const NAME: &str = "dovecot-keywords";

/// How many keywords have a letter.
const LETTERS: usize = 26;

/// The longest file that is read.
const BYTES_MAX: u64 = 1 << 20;

/// The keywords that have a letter, in the order of the letters.
#[derive(Debug, Default)]
pub(crate) struct KeywordFile {
    names: Vec<Option<Box<str>>>,
    is_changed: bool,
}

impl KeywordFile {
    /// Those of a Maildir; none if it has no file.
    pub(crate) fn read(maildir: &Path) -> Result<Self> {
        let path = maildir.join(NAME);
        let read = durable::open_plain(&path, OpenOptions::new().read(true)).and_then(|file| {
            let mut octets = Vec::new();
            file.take(BYTES_MAX).read_to_end(&mut octets)?;
            Ok(octets)
        });
        match read {
            Ok(octets) => Ok(Self::parse(&octets)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::File(path, error)),
        }
    }

    fn parse(octets: &[u8]) -> Self {
        let mut names = Vec::new();
        for line in String::from_utf8_lossy(octets).lines() {
            let Some((number, name)) = line.split_once(' ') else {
                continue;
            };
            let Some(number) = number.parse().ok().filter(|number| *number < LETTERS) else {
                continue;
            };
            if names.len() <= number {
                names.resize(number + 1, None);
            }
            if let Some(place) = names.get_mut(number).filter(|_| !name.is_empty()) {
                *place = Some(Box::from(category(name)));
            }
        }
        Self {
            names,
            is_changed: false,
        }
    }

    /// The letter of a keyword, which gets one if one is left.
    pub(crate) fn letter(&mut self, name: &str) -> Option<char> {
        let is = |known: &Option<Box<str>>| known.as_deref() == Some(name);
        let number = self.names.iter().position(is).or_else(|| {
            let free = self.names.iter().position(Option::is_none);
            let number = free.unwrap_or(self.names.len());
            if number >= LETTERS {
                return None;
            }
            self.names.resize(self.names.len().max(number + 1), None);
            *self.names.get_mut(number)? = Some(name.into());
            self.is_changed = true;
            Some(number)
        })?;
        u8::try_from(number)
            .ok()
            .map(|number| char::from(b'a' + number))
    }

    /// The keywords that letters stand for.
    pub(crate) fn of<'a>(&'a self, letters: &'a str) -> impl Iterator<Item = Box<str>> + 'a {
        letters.bytes().filter_map(|letter| {
            let number = letter.checked_sub(b'a')?;
            self.names.get(usize::from(number))?.clone()
        })
    }

    /// Whether a keyword has a letter.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.names.iter().flatten().any(|known| &**known == name)
    }

    /// Writes the file anew if there are more keywords than before. Names of files may have the letters then.
    pub(crate) fn save(&mut self, maildir: &Path) -> Result<()> {
        if !self.is_changed {
            return Ok(());
        }
        let lines = self.names.iter().enumerate().filter_map(|(number, name)| {
            let name = keyword(name.as_deref()?);
            Some(format!("{number} {name}\n"))
        });
        let text: String = lines.collect();
        durable::replace(&maildir.join(NAME), text.as_bytes())?;
        self.is_changed = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stay_with_their_keywords() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join(NAME),
            "0 $Work\n2 Red=20one\nx y\n99 z\n",
        )
        .unwrap();
        let mut file = KeywordFile::read(folder.path()).unwrap();
        let letters: Vec<_> = ["$Work", "Red one", "new", "newer", "new"]
            .map(|name| file.letter(name))
            .into();
        assert_eq!(
            letters,
            [Some('a'), Some('c'), Some('b'), Some('d'), Some('b')]
        );
        file.save(folder.path()).unwrap();
        let file = KeywordFile::read(folder.path()).unwrap();
        let names: Vec<_> = file.of("FSabcdz").collect();
        assert_eq!(names, ["$Work", "new", "Red one", "newer"].map(Box::from));
    }

    #[test]
    fn the_twenty_seventh_keyword_has_no_letter() {
        let mut file = KeywordFile::default();
        let letters: Vec<_> = (0..27).map(|n| file.letter(&n.to_string())).collect();
        assert_eq!((letters[25], letters[26]), (Some('z'), None));
        assert!(file.knows("25") && !file.knows("26"));
    }
}
