//! Real-world messages, collected at test time and never committed: the data of Debian packages and Debian
//! source packages, the resources of the `mail-parser` crate, and, when `CORPUS_MIRRORS` names a folder of git
//! mirrors (`OWNER+NAME/repo`), the test data of public repositories.
//!
//! A file counts when it begins like an RFC 5322 header and has a well-known field; mbox files are split;
//! equal messages count once.

mod sources;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::failure::{Outcome, shown};
use crate::mail::{Message, sha256, with_crlf};
use sources::{File, SOURCES, Source};

/// Larger files are not taken, in bytes.
const FILE_MAX: u64 = 30_000_000;
/// A reason why a source is missing is shortened to this many bytes.
const REASON_MAX: usize = 80;
/// Smaller ones say nothing.
const FILE_MIN: usize = 20;
/// Fields of which a message has at least one.
const KNOWN_FIELDS: [&str; 11] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "received",
    "return-path",
    "delivered-to",
    "reply-to",
];

/// What was collected.
#[derive(Debug, Default)]
pub struct Corpus {
    /// Every distinct message, with CRLF line ends and a CRLF at its end; lone CRs stay.
    pub messages: Vec<Message>,
    /// One line per source: how many messages, or why none.
    pub sources: Vec<String>,
}

/// Collects from every source that is at hand. `cache` keeps downloads between runs.
pub fn collect(cache: &Path) -> Outcome<Corpus> {
    std::fs::create_dir_all(cache)?;
    let mut corpus = Corpus::default();
    let mut seen = HashSet::new();
    let mirrors = std::env::var_os("CORPUS_MIRRORS").map(PathBuf::from);
    for source in SOURCES {
        let before = corpus.messages.len();
        let remark = match sources::fetch(source, cache, mirrors.as_deref()) {
            Ok(files) => {
                take(source, &files, &mut seen, &mut corpus);
                source.licence.to_owned()
            }
            Err(why) => {
                let reason = why
                    .0
                    .lines()
                    .find(|line| line.contains("404"))
                    .unwrap_or(&why.0)
                    .trim();
                format!("not at hand: {}", shown(reason.as_bytes(), REASON_MAX))
            }
        };
        corpus.sources.push(format!(
            "{:<18} {:>5}  {remark}",
            source.name,
            corpus.messages.len() - before
        ));
    }
    Ok(corpus)
}

fn take(source: &Source, files: &[File], seen: &mut HashSet<String>, corpus: &mut Corpus) {
    for (path, bytes) in files.iter().filter(|(path, _)| !is_program(path)) {
        for message in split_mbox(bytes) {
            let message = without_from_line(message);
            if message.len() < FILE_MIN || !looks_like_mail(message) {
                continue;
            }
            let mut bytes = with_crlf(message);
            if !bytes.ends_with(b"\r\n") {
                bytes.extend_from_slice(b"\r\n");
            }
            if seen.insert(sha256(&bytes)) {
                corpus.messages.push(Message {
                    name: format!("{}: {path}", source.name),
                    bytes,
                });
            }
        }
    }
}

/// Every file below a folder as (path within it, contents), in order of path; symbolic links are not followed.
fn files_below(folder: &Path) -> Outcome<Vec<File>> {
    let mut folders = vec![folder.to_path_buf()];
    let mut paths = Vec::new();
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.metadata()?.len() <= FILE_MAX {
                paths.push(entry.path());
            }
        }
    }
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let name = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        files.push((name, std::fs::read(&path)?));
    }
    Ok(files)
}

/// Program text can begin like a header (`name: value`); it is no mail.
fn is_program(path: &str) -> bool {
    const SUFFIXES: [&str; 12] = [
        ".py", ".pl", ".pm", ".go", ".rb", ".c", ".h", ".sh", ".java", ".rs", ".json", ".yml",
    ];
    SUFFIXES.iter().any(|suffix| path.ends_with(suffix))
}

fn without_from_line(message: &[u8]) -> &[u8] {
    if !message.starts_with(b"From ") {
        return message;
    }
    let end = message
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(message.len(), |at| at + 1);
    message.get(end..).unwrap_or_default()
}

/// The messages of an mbox file, or the file itself: a new one starts at `From ` behind an empty line when a
/// year ends that line.
fn split_mbox(bytes: &[u8]) -> Vec<&[u8]> {
    if !is_from_line(bytes) {
        return vec![bytes];
    }
    let mut starts = vec![0];
    for at in 2..bytes.len() {
        let after_empty_line = bytes
            .get(..at)
            .is_some_and(|b| b.ends_with(b"\n\n") || b.ends_with(b"\n\r\n"));
        if after_empty_line && is_from_line(bytes.get(at..).unwrap_or_default()) {
            starts.push(at);
        }
    }
    starts.push(bytes.len());
    starts
        .windows(2)
        .filter_map(|pair| bytes.get(*pair.first()?..*pair.get(1)?))
        .collect()
}

fn is_from_line(bytes: &[u8]) -> bool {
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let digits = line
        .rsplit(|byte| *byte == b' ')
        .map(<[u8]>::trim_ascii)
        .find(|word| !word.is_empty());
    let year = |word: &[u8]| word.len() == 4 && word.iter().all(u8::is_ascii_digit);
    line.starts_with(b"From ") && digits.is_some_and(|word| year(word) || word.starts_with(b"+"))
}

fn looks_like_mail(bytes: &[u8]) -> bool {
    let mut known = false;
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || (index > 0 && line.starts_with(b" ")) {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(0);
        let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
        let is_field = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        if index == 0 && !is_field {
            return false;
        }
        known |= KNOWN_FIELDS
            .iter()
            .any(|field| name.eq_ignore_ascii_case(field.as_bytes()));
        if known {
            return true;
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::{looks_like_mail, split_mbox};

    #[test]
    fn an_mbox_is_split_at_its_from_lines() {
        let mbox = b"From a Mon Jan  1 00:00:00 2024\nSubject: 1\n\nFrom here\n\nFrom b Mon Jan  1 00:00:00 2024\nSubject: 2\n\n";
        assert_eq!(split_mbox(mbox).len(), 2);
        assert_eq!(
            split_mbox(b"Subject: x\n\nFrom b Mon Jan  1 00:00:00 2024\n").len(),
            1
        );
    }

    #[test]
    fn text_that_only_resembles_a_header_is_no_mail() {
        assert!(looks_like_mail(b"X-A: 1\r\nSubject: x\r\n\r\n"));
        assert!(!looks_like_mail(b"# comment: no\nSubject: x\n"));
        assert!(!looks_like_mail(
            b"key: value\nother: value\n\nSubject: in the body\n"
        ));
    }
}
