//! A folder with a file for each message: a Maildir, or `.eml` files.
//!
//! A message is written under another name and gets its own when its octets are durable. The name is made of what never
//! changes of the message, so a second attempt writes the same file; in a Maildir, flags follow after `:2,`.
//! Source: cr.yp.to/proto/maildir.html.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs::{self, File},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use account::{FileTime, mime};

use crate::{Format, Result, durable, error::At, keyword_file::KeywordFile, marks::Marks};

/// What the names of our files have, so that what a crash left of them is known.
const OURS: &str = ".dragoman";

/// What begins the flags in a Maildir file name.
const INFO: &str = ":2,";

/// Threads that make files durable at one time.
const SYNCS_AT_ONCE: usize = 8;

/// A folder.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) format: Format,
    pub(crate) folder: PathBuf,
}

/// The files of a folder: what never changes of the name, and where they are.
pub(crate) type Files = HashMap<String, PathBuf>;

/// A file that is written and has no name of its own yet.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) file: File,
    pub(crate) temporary: PathBuf,
    pub(crate) to: PathBuf,
    /// What an earlier attempt left, under other flags.
    pub(crate) replaces: Option<PathBuf>,
}

impl Place {
    /// Makes the folder, if it is not there.
    pub(crate) fn prepare(&self) -> Result<()> {
        match self.format {
            Format::Maildir => ["tmp", "new", "cur"]
                .iter()
                .try_for_each(|name| durable::make_folder(&self.folder.join(name))),
            Format::Eml => durable::make_folder(&self.folder),
        }
    }

    /// Removes what a crash left. Only who has the journal may: what another run is writing looks the same.
    pub(crate) fn clean(&self) -> Result<()> {
        let folder = self.temporary_folder();
        for entry in fs::read_dir(&folder).at(&folder)? {
            let name = entry.at(&folder)?.file_name();
            if self.is_temporary(&name.to_string_lossy()) {
                let path = folder.join(name);
                fs::remove_file(&path).at(&path)?;
            }
        }
        Ok(())
    }

    /// Whether a file has a name as [`Self::temporary`] gives them: mail that others are writing does not.
    fn is_temporary(&self, name: &str) -> bool {
        let are_numbers = |text: &str, between: [char; 2]| {
            let is_number = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
            let mut parts = text.split(between);
            parts
                .by_ref()
                .take(3)
                .filter(|part| is_number(part) && !part.is_empty())
                .count()
                == 3
                && parts.next().is_none()
        };
        match self.format {
            Format::Maildir => {
                let parts = name.split_once(&format!("{OURS},S="));
                let numbers = parts.map(|(name, size)| (name.replacen(".E", "N", 1), size));
                numbers.is_some_and(|(name, size)| {
                    are_numbers(name.trim_start_matches('-'), ['N', 'N'])
                        && size.bytes().all(|octet| octet.is_ascii_digit())
                })
            }
            Format::Eml => {
                let inner = name
                    .strip_prefix('.')
                    .and_then(|name| name.strip_suffix(".eml.tmp"));
                let numbers = inner.and_then(|name| name.split_once('-'));
                numbers.is_some_and(|(_, rest)| are_numbers(rest, ['-', '-']))
            }
        }
    }

    /// What there is.
    pub(crate) fn files(&self) -> Result<Files> {
        let mut files = Files::new();
        self.each(|base, path| drop(files.insert(base, path)))?;
        Ok(files)
    }

    /// Every file that is a message, with what never changes of its name. Two may have that in common.
    pub(crate) fn each(&self, mut file: impl FnMut(String, PathBuf)) -> Result<()> {
        for folder in self.folders() {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.at(&folder)?,
            };
            for entry in entries {
                let name = entry.at(&folder)?.file_name();
                if let Some(base) = self.base(&name) {
                    file(base, folder.join(name));
                }
            }
        }
        Ok(())
    }

    /// Where messages are: in a Maildir, new ones as well.
    fn folders(&self) -> Vec<PathBuf> {
        match self.format {
            Format::Maildir => ["new", "cur"].map(|name| self.folder.join(name)).into(),
            Format::Eml => vec![self.folder.clone()],
        }
    }

    fn temporary_folder(&self) -> PathBuf {
        match self.format {
            Format::Maildir => self.folder.join("tmp"),
            Format::Eml => self.folder.clone(),
        }
    }

    /// Where named messages lie.
    pub(crate) fn named_folder(&self) -> PathBuf {
        match self.format {
            Format::Maildir => self.folder.join("cur"),
            Format::Eml => self.folder.clone(),
        }
    }

    /// What never changes of a file's name; `None`: it is no message.
    pub(crate) fn base(&self, name: &OsStr) -> Option<String> {
        let text = crate::record::text_of(name);
        match self.format {
            Format::Maildir if name.as_bytes().starts_with(b".") => None,
            Format::Maildir => Some(text.split(':').next().unwrap_or_default().to_owned()),
            Format::Eml => {
                let is = name.as_bytes().to_ascii_lowercase().ends_with(b".eml");
                (is && !name.as_bytes().starts_with(b".")).then_some(text)
            }
        }
    }

    /// What never changes of the name of a message.
    pub(crate) fn name(&self, (epoch, number): (u32, u32), received: i64, size: u64) -> String {
        match self.format {
            Format::Maildir => format!("{received}.E{epoch}N{number}{OURS},S={size}"),
            Format::Eml => {
                let moment = mime::date::rfc3339(received);
                let moment: String = moment.chars().filter(char::is_ascii_digit).collect();
                let (day, time) = moment.split_at_checked(8).unwrap_or((&moment, ""));
                format!("{day}-{time}-{epoch}-{number}.eml")
            }
        }
    }

    /// The path of a message with these marks.
    pub(crate) fn path(&self, base: &str, marks: &Marks, keywords: &mut KeywordFile) -> PathBuf {
        let mut name = base.to_owned();
        if self.format == Format::Maildir {
            name.push_str(INFO);
            name.push_str(marks.letters());
            let letters = marks
                .words()
                .iter()
                .filter_map(|word| keywords.letter(word));
            let mut letters: Vec<char> = letters.collect();
            letters.sort_unstable();
            name.extend(letters);
        }
        self.named_folder().join(name)
    }

    /// Where a message is written before it has its name.
    pub(crate) fn temporary(&self, base: &str) -> PathBuf {
        match self.format {
            Format::Maildir => self.temporary_folder().join(base),
            Format::Eml => self.folder.join(format!(".{base}.tmp")),
        }
    }

    /// The marks that the name of a file says.
    pub(crate) fn marks(&self, path: &Path, keywords: &KeywordFile) -> Marks {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match name.split_once(INFO) {
            Some((_, letters)) => Marks::of_letters(letters, keywords.of(letters)),
            None => Marks::default(),
        }
    }
}

/// Gives files their names, once their octets are durable. Durable when it returns.
pub(crate) fn name_all(place: &Place, written: Vec<Written>) -> Result<()> {
    let share = written.len().div_ceil(SYNCS_AT_ONCE).max(1);
    let synced = std::thread::scope(|scope| {
        let threads: Vec<_> = written
            .chunks(share)
            .map(|share| scope.spawn(|| share.iter().try_for_each(sync)))
            .collect();
        let done = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| {
                Err(crate::Error::Invalid(
                    "making files durable broke off".to_owned(),
                ))
            })
        });
        done.collect::<Result<Vec<()>>>()
    });
    synced?;
    for written in &written {
        fs::rename(&written.temporary, &written.to).at(&written.to)?;
        if let Some(old) = written.replaces.as_ref().filter(|old| **old != written.to) {
            fs::remove_file(old).at(old)?;
        }
    }
    durable::sync_folder(&place.named_folder())
}

fn sync(written: &Written) -> Result<()> {
    written.file.sync_all().at(&written.temporary)
}

/// The time of a file, which says when its message was received.
pub(crate) fn set_received(file: &File, received: i64) -> io::Result<()> {
    let seconds = Duration::from_secs(received.unsigned_abs());
    let time = match received < 0 {
        true => UNIX_EPOCH.checked_sub(seconds),
        false => UNIX_EPOCH.checked_add(seconds),
    };
    time.map_or(Ok(()), |time| file.set_modified(time))
}

/// When the message of a file was received.
pub(crate) fn received(modified: SystemTime) -> FileTime {
    FileTime::from(modified)
}

/// A file's time, as journals have it.
pub(crate) fn nanoseconds(modified: SystemTime) -> i64 {
    let since = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => since(after),
        Err(before) => -since(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_is_not_taken_for_what_a_crash_left() {
        for format in [Format::Maildir, Format::Eml] {
            let folder = PathBuf::from("folder");
            let place = Place { format, folder };
            for received in [0, 1_700_000_000, -5] {
                let name = place.name((7, 8), received, 9);
                let temporary = place.temporary(&name);
                let temporary = temporary
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                assert!(place.is_temporary(&temporary), "{temporary}");
            }
            for other in [
                "1700.M1P2.mx.dragoman.example.test",
                "1700.M1P2.mx.dragoman,S=5",
                "..eml.tmp",
                ".letter.eml.tmp",
                "",
            ] {
                assert!(!place.is_temporary(other), "{other}");
            }
        }
    }
}
