//! What strace saw: the calls that change files, the syncs, and what went out on sockets, in one order.
//!
//! Understands `strace -f -yy -xx -s BIG -o FILE`: every string in hexadecimal, every descriptor with its path.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome, shown};

/// The calls that must be traced for this.
pub(super) const CALLS: &str = "trace=openat,creat,lseek,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync,\
    syncfs,rename,renameat,renameat2,unlink,unlinkat,rmdir,ftruncate,fallocate,mkdir,mkdirat,link,linkat,\
    copy_file_range,sendto,sendmsg";

/// One call that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Create {
        path: PathBuf,
        truncate: bool,
    },
    Write {
        path: PathBuf,
        offset: u64,
        data: Vec<u8>,
    },
    SetLength {
        path: PathBuf,
        length: u64,
    },
    Grow {
        path: PathBuf,
        length: u64,
    },
    Sync {
        path: PathBuf,
    },
    SyncAll,
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    MakeFolder {
        path: PathBuf,
    },
    Link {
        from: PathBuf,
        to: PathBuf,
    },
    /// To the client on this port of its own.
    Send {
        client: u16,
        data: Vec<u8>,
    },
}

/// Where in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The call with this index began.
    Enter(usize),
    /// It ended.
    Exit(usize),
}

/// A whole trace.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Calls that succeeded, or had not ended when the process did.
    pub(super) calls: Vec<Call>,
    pub(super) steps: Vec<Step>,
}

/// Reads a trace; only files below `root` count.
pub(super) fn parse(text: &str, root: &Path) -> Outcome<Trace> {
    let mut raw = RawTrace::default();
    for line in text.lines() {
        raw.line(line);
    }
    raw.finish(root)
}

/// Call texts in the order they began, before they are understood.
#[derive(Default)]
struct RawTrace {
    texts: Vec<String>,
    steps: Vec<Step>,
    open: BTreeMap<String, usize>,
}

impl RawTrace {
    fn line(&mut self, line: &str) {
        let Some((pid, rest)) = line.split_once(' ') else {
            return;
        };
        let rest = rest.trim_start();
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let tail = resumed.split_once(" resumed>").map_or("", |(_, tail)| tail);
            if let Some(index) = self.open.remove(pid) {
                if let Some(text) = self.texts.get_mut(index) {
                    text.push_str(tail);
                }
                self.steps.push(Step::Exit(index));
            }
        } else if rest.starts_with(|first: char| first.is_ascii_lowercase()) {
            let index = self.texts.len();
            self.steps.push(Step::Enter(index));
            match rest.strip_suffix(" <unfinished ...>") {
                Some(begun) => {
                    self.texts.push(begun.to_owned());
                    self.open.insert(pid.to_owned(), index);
                }
                None => {
                    self.texts.push(rest.to_owned());
                    self.steps.push(Step::Exit(index));
                }
            }
        }
    }

    fn finish(self, root: &Path) -> Outcome<Trace> {
        let mut trace = Trace::default();
        let mut positions = Positions::default();
        let mut kept = BTreeMap::new();
        for (index, text) in self.texts.iter().enumerate() {
            if let Some(call) = understood(text, root, &mut positions)? {
                kept.insert(index, trace.calls.len());
                trace.calls.push(call);
            }
        }
        trace.steps = self
            .steps
            .iter()
            .filter_map(|step| step.renumbered(&kept))
            .collect();
        Ok(trace)
    }
}

impl Step {
    fn renumbered(self, kept: &BTreeMap<usize, usize>) -> Option<Self> {
        match self {
            Self::Enter(index) => kept.get(&index).copied().map(Self::Enter),
            Self::Exit(index) => kept.get(&index).copied().map(Self::Exit),
        }
    }
}

/// File positions of descriptors, for plain `write`.
#[derive(Default)]
struct Positions(BTreeMap<String, u64>);

/// A call's name, arguments and result.
struct Parsed<'a> {
    name: &'a str,
    arguments: Vec<&'a str>,
    result: Option<&'a str>,
}

impl<'a> Parsed<'a> {
    fn new(text: &'a str) -> Option<Self> {
        let (name, rest) = text.split_once('(')?;
        // The result follows the last bracket; a call cut short has neither.
        let (inside, result) = match rest.rfind(") = ").or_else(|| rest.rfind(")  = ")) {
            Some(at) => (
                rest.get(..at)?,
                rest.get(at..)?
                    .split_once("= ")
                    .map(|(_, result)| result.trim()),
            ),
            None => match rest.rfind(')') {
                Some(at) if rest.get(at..)?.contains('=') => {
                    (rest.get(..at)?, rest.rsplit("= ").next().map(str::trim))
                }
                _ => (rest, None),
            },
        };
        Some(Self {
            name,
            arguments: split_arguments(inside),
            result,
        })
    }

    fn failed(&self) -> bool {
        self.result
            .is_some_and(|result| result.starts_with('-') || result.starts_with('?'))
    }

    fn argument(&self, index: usize) -> &'a str {
        self.arguments.get(index).copied().unwrap_or_default()
    }

    fn number(&self, index: usize) -> u64 {
        self.argument(index).parse().unwrap_or(0)
    }

    /// How many bytes were written; all when the call had not ended.
    fn written(&self, data: &[u8]) -> usize {
        self.result
            .and_then(|result| result.parse().ok())
            .unwrap_or(data.len())
    }

    /// The path of a path argument, relative to the descriptor before it.
    fn path(&self, index: usize) -> PathBuf {
        let path =
            PathBuf::from(String::from_utf8_lossy(&strings(self.argument(index))).into_owned());
        if path.is_absolute() || index == 0 {
            return path;
        }
        described(self.argument(index - 1)).map_or(path.clone(), |folder| folder.join(path))
    }
}

fn understood(text: &str, root: &Path, positions: &mut Positions) -> Outcome<Option<Call>> {
    let Some(parsed) = Parsed::new(text).filter(|parsed| !parsed.failed()) else {
        return Ok(None);
    };
    let call = match parsed.name {
        "sendto" | "sendmsg" | "write" | "writev" if parsed.argument(0).contains("<TCP:") => {
            return Ok(sent(&parsed));
        }
        "sync" | "syncfs" => return Ok(Some(Call::SyncAll)),
        "lseek" => {
            let position = parsed
                .result
                .and_then(|result| result.parse().ok())
                .unwrap_or(0);
            positions.0.insert(number_of(parsed.argument(0)), position);
            None
        }
        "openat" => opened(&parsed, positions),
        "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2" => {
            written(&parsed, positions, text)?
        }
        "copy_file_range" | "creat" => {
            let concerned =
                described(parsed.argument(2)).is_some_and(|path| path.starts_with(root));
            return if concerned {
                Err(Failure(format!("the replay does not know {}", parsed.name)))
            } else {
                Ok(None)
            };
        }
        _ => on_descriptor(&parsed).or_else(|| on_names(&parsed)),
    };
    Ok(call.filter(|call| call.path().starts_with(root) && !is_shared_memory(call.path())))
}

fn on_descriptor(parsed: &Parsed<'_>) -> Option<Call> {
    let path = described(parsed.argument(0))?;
    match parsed.name {
        "fsync" | "fdatasync" => Some(Call::Sync { path }),
        "ftruncate" => Some(Call::SetLength {
            path,
            length: parsed.number(1),
        }),
        "fallocate" => Some(Call::Grow {
            path,
            length: parsed.number(2) + parsed.number(3),
        }),
        _ => None,
    }
}

fn on_names(parsed: &Parsed<'_>) -> Option<Call> {
    Some(match parsed.name {
        "rename" => Call::Rename {
            from: parsed.path(0),
            to: parsed.path(1),
        },
        "renameat" | "renameat2" => Call::Rename {
            from: parsed.path(1),
            to: parsed.path(3),
        },
        "link" => Call::Link {
            from: parsed.path(0),
            to: parsed.path(1),
        },
        "linkat" => Call::Link {
            from: parsed.path(1),
            to: parsed.path(3),
        },
        "unlink" | "rmdir" => Call::Remove {
            path: parsed.path(0),
        },
        "unlinkat" => Call::Remove {
            path: parsed.path(1),
        },
        "mkdir" => Call::MakeFolder {
            path: parsed.path(0),
        },
        "mkdirat" => Call::MakeFolder {
            path: parsed.path(1),
        },
        _ => return None,
    })
}

impl Call {
    /// What it changes; of a new name, the new name.
    fn path(&self) -> &Path {
        match self {
            Self::Create { path, .. }
            | Self::Write { path, .. }
            | Self::SetLength { path, .. }
            | Self::Grow { path, .. }
            | Self::Sync { path }
            | Self::Remove { path }
            | Self::MakeFolder { path } => path,
            Self::Rename { to, .. } | Self::Link { to, .. } => to,
            Self::SyncAll | Self::Send { .. } => Path::new(""),
        }
    }
}

/// SQLite's shared memory is no storage: it is rebuilt by whoever opens the database first.
fn is_shared_memory(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-shm")
}

fn opened(parsed: &Parsed<'_>, positions: &mut Positions) -> Option<Call> {
    let descriptor = number_of(parsed.result.unwrap_or_default());
    positions.0.insert(descriptor, 0);
    let flags = parsed.argument(2);
    let writes = flags.contains("O_WRONLY") || flags.contains("O_RDWR");
    let truncate = flags.contains("O_TRUNC");
    // Whether O_CREAT creates depends on what is there: the disk knows.
    (writes && (flags.contains("O_CREAT") || truncate)).then(|| Call::Create {
        path: parsed.path(1),
        truncate,
    })
}

fn written(parsed: &Parsed<'_>, positions: &mut Positions, text: &str) -> Outcome<Option<Call>> {
    let Some(path) = described(parsed.argument(0)) else {
        return Ok(None);
    };
    if text.contains("\"...") {
        return Err(Failure(format!(
            "strace cut a write short: {}",
            shown(text.as_bytes(), 100)
        )));
    }
    let mut data = strings(parsed.argument(1));
    data.truncate(parsed.written(&data));
    let offset = if parsed.name == "pwrite64" || parsed.name.starts_with("pwritev") {
        parsed.number(3)
    } else {
        let position = positions
            .0
            .entry(number_of(parsed.argument(0)))
            .or_insert(0);
        let offset = *position;
        *position += data.len() as u64;
        offset
    };
    Ok(Some(Call::Write { path, offset, data }))
}

fn sent(parsed: &Parsed<'_>) -> Option<Call> {
    let peer = parsed.argument(0).split_once("->")?.1.split(']').next()?;
    let client = peer.rsplit(':').next()?.parse().ok()?;
    let data = strings(parsed.argument(1));
    Some(Call::Send { client, data })
}

/// The digits before `<`.
fn number_of(descriptor: &str) -> String {
    descriptor
        .split('<')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The path in `7<…>`; none for a file that was deleted, which nothing can reach any more.
fn described(descriptor: &str) -> Option<PathBuf> {
    let (inside, after) = descriptor.split_once('<')?.1.rsplit_once('>')?;
    if after.starts_with("(deleted)") {
        return None;
    }
    let path = String::from_utf8_lossy(&unescaped(inside)).into_owned();
    (!path.ends_with(" (deleted)")).then(|| PathBuf::from(path))
}

/// Arguments at the top level: commas within quotes, brackets and braces do not count.
fn split_arguments(inside: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0usize, false, 0);
    let mut arguments = Vec::new();
    let bytes = inside.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            // Strings are hexadecimal, so a quotation mark never stands inside one.
            b'"' => quoted = !quoted,
            b'[' | b'{' | b'(' if !quoted => depth += 1,
            b']' | b'}' | b')' if !quoted => depth = depth.saturating_sub(1),
            b',' if !quoted && depth == 0 => {
                arguments.extend(inside.get(start..at).map(str::trim));
                start = at + 1;
            }
            _ => {}
        }
    }
    arguments.extend(inside.get(start..).map(str::trim));
    arguments
}

/// Every quoted string of an argument, one after another: a vector's parts make one write.
fn strings(argument: &str) -> Vec<u8> {
    argument
        .split('"')
        .skip(1)
        .step_by(2)
        .flat_map(unescaped)
        .collect()
}

/// `\xNN` escapes undone; other characters stand for themselves.
fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4);
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = text
            .get(at + 2..at + 4)
            .filter(|_| *byte == b'\\' && bytes.get(at + 1) == Some(&b'x'));
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 4;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Call, Step, parse};
    use std::path::{Path, PathBuf};

    #[test]
    fn interrupted_calls_are_put_together_and_keep_their_order() {
        let text = "1 openat(AT_FDCWD<\\x2f>, \"\\x2f\\x64\\x2f\\x61\", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3<\\x2f\\x64\\x2f\\x61>\n\
            1 pwrite64(3<\\x2f\\x64\\x2f\\x61>, \"\\x41\\x42\", 2, 7 <unfinished ...>\n\
            2 fdatasync(3<\\x2f\\x64\\x2f\\x61> <unfinished ...>\n\
            1 <... pwrite64 resumed>) = 2\n\
            2 <... fdatasync resumed>) = 0\n\
            2 sendto(5<TCP:[127.0.0.1:24->127.0.0.1:4000]>, \"\\x32\\x35\\x30\", 3, MSG_NOSIGNAL, NULL, 0) = 3\n\
            2 unlink(\"\\x2f\\x64\\x2f\\x62\") = -1 ENOENT (No such file or directory)\n\
            1 +++ killed by SIGKILL +++\n";
        let trace = parse(text, Path::new("/d")).unwrap();
        let path = PathBuf::from("/d/a");
        let expected = [
            Call::Create {
                path: path.clone(),
                truncate: false,
            },
            Call::Write {
                path: path.clone(),
                offset: 7,
                data: b"AB".to_vec(),
            },
            Call::Sync { path },
            Call::Send {
                client: 4000,
                data: b"250".to_vec(),
            },
        ];
        assert_eq!(trace.calls, expected);
        let order = [
            Step::Enter(0),
            Step::Exit(0),
            Step::Enter(1),
            Step::Enter(2),
            Step::Exit(1),
            Step::Exit(2),
            Step::Enter(3),
            Step::Exit(3),
        ];
        assert_eq!(trace.steps, order);
    }

    #[test]
    fn plain_writes_follow_the_file_position() {
        let text = "1 openat(AT_FDCWD<\\x2f>, \"\\x2f\\x64\\x2f\\x61\", O_WRONLY|O_CREAT, 0644) = 3<\\x2f\\x64\\x2f\\x61>\n\
            1 write(3<\\x2f\\x64\\x2f\\x61>, \"\\x41\\x42\", 2) = 2\n\
            1 writev(3<\\x2f\\x64\\x2f\\x61>, [{iov_base=\"\\x43\", iov_len=1}, {iov_base=\"\\x44\", iov_len=1}], 2) = 2\n\
            1 lseek(3<\\x2f\\x64\\x2f\\x61>, 0, SEEK_END) = 10\n\
            1 write(3<\\x2f\\x64\\x2f\\x61>, \"\\x45\", 1) = 1\n";
        let trace = parse(text, Path::new("/d")).unwrap();
        let writes: Vec<(u64, &[u8])> = trace
            .calls
            .iter()
            .filter_map(|call| match call {
                Call::Write { offset, data, .. } => Some((*offset, data.as_slice())),
                _ => None,
            })
            .collect();
        assert_eq!(writes, [(0, b"AB".as_slice()), (2, b"CD"), (10, b"E")]);
    }
}
