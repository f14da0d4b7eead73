//! A folder of files against the journal of earlier imports: what is to be done.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::{self, File, OpenOptions},
    path::PathBuf,
};

use account::FileTime;

use crate::{
    Result, durable,
    error::At,
    journal::Journal,
    keyword_file::KeywordFile,
    marks::Marks,
    message_files::{self, Place},
    record::{Imported, ImportedMessage},
    source::{self, SourceFolder, is_gone},
};

/// A journal of this many lines a message is written anew.
const WEAR: usize = 4;

/// Digits of a content's hash that tell files of one name apart.
const HASH_DIGITS: usize = 16;

/// Messages that have been filed, by file.
type Known = HashMap<String, ImportedMessage>;

/// A folder of files that is open for an import.
pub(super) struct Opened {
    pub(super) journal: Journal,
    /// Messages that have been filed, by file.
    pub(super) known: Known,
    /// Messages to be looked at, in the order in which they were received.
    pub(super) files: Vec<MessageFile>,
}

/// A message in a file.
#[derive(Clone, Debug)]
pub(super) struct MessageFile {
    pub(super) path: PathBuf,
    /// What never changes of its name.
    pub(super) base: String,
    pub(super) stamp: (u64, i64),
    pub(super) received: FileTime,
    pub(super) marks: Marks,
}

/// What is to be done.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) file: Vec<MessageFile>,
    /// Messages whose marks changed: what they were, and the files.
    pub(super) mark: Vec<(ImportedMessage, MessageFile)>,
    pub(super) skipped: u64,
    /// Files that are gone, with the numbers of their messages.
    pub(super) gone: Vec<(String, u32)>,
}

impl Opened {
    /// Opens a folder. `target`: the folder the messages go into, and what numbers are valid for there.
    pub(super) fn new(source: &SourceFolder, journal: PathBuf, target: (u64, u32)) -> Result<Self> {
        // What went into one folder of the mailbox says nothing of another one.
        let mut targets: BTreeMap<(u64, u32), Known> = BTreeMap::new();
        let (mut last, mut lines) = (None, 0_usize);
        let mut journal = Journal::open(&journal, |record| {
            lines += 1;
            match record {
                Imported::Folder(folder, epoch) => {
                    // A folder that has begun anew: keys tell what is still in it.
                    targets.retain(|known, _| known.0 != folder || known.1 == epoch);
                    last = Some((folder, epoch));
                }
                Imported::Message(message) => {
                    let known = targets.entry(last.unwrap_or(target)).or_default();
                    known.insert(message.file.clone(), message);
                }
                Imported::Gone(file) => {
                    let known = targets.entry(last.unwrap_or(target)).or_default();
                    known.remove(&file);
                }
            }
        })?;
        let known = targets.remove(&target).unwrap_or_default();
        let kept: usize = known.len() + targets.values().map(HashMap::len).sum::<usize>();
        let begin = Imported::Folder(target.0, target.1);
        if lines > WEAR * (kept + WEAR) {
            let mut records = Vec::new();
            targets.retain(|other, _| other.0 != target.0);
            for ((folder, epoch), messages) in targets {
                records.push(Imported::Folder(folder, epoch));
                records.extend(messages.into_values().map(Imported::Message));
            }
            records.push(begin);
            records.extend(known.values().cloned().map(Imported::Message));
            journal.rewrite(&records)?;
        } else if last != Some(target) {
            journal.add(&[begin])?;
        }
        let files = files(source)?;
        Ok(Self {
            journal,
            known,
            files,
        })
    }

    /// What is to be done.
    pub(super) fn plan(&mut self) -> Plan {
        let mut plan = Plan::default();
        let mut there = HashSet::new();
        for file in std::mem::take(&mut self.files) {
            there.insert(file.base.clone());
            match self.known.get(&file.base) {
                Some(known) if known.stamp == file.stamp => {
                    plan.skipped += 1;
                    if known.marks != file.marks {
                        plan.mark.push((known.clone(), file));
                    }
                }
                _ => plan.file.push(file),
            }
        }
        let gone = self
            .known
            .values()
            .filter(|known| !there.contains(&known.file));
        plan.gone = gone
            .map(|known| (known.file.clone(), known.number))
            .collect();
        plan.gone.sort_unstable();
        plan
    }
}

/// The messages of a folder, as they were received.
fn files(source: &SourceFolder) -> Result<Vec<MessageFile>> {
    let place = Place {
        format: source.format,
        folder: source.folder.clone(),
    };
    let keywords = KeywordFile::read(&source.folder)?;
    let exported = source::exported(source)?;
    let mut files = Vec::new();
    for (base, path) in named(&place)? {
        let metadata = match fs::symlink_metadata(&path).at(&path) {
            // It has been renamed just now: the next run finds it.
            Err(error) if is_gone(&error) => continue,
            metadata => metadata?,
        };
        if !metadata.is_file() {
            continue;
        }
        let modified = metadata.modified().at(&path)?;
        let exported = exported.get(&base);
        let marks = marks(
            &place,
            &path,
            &keywords,
            exported.map(|message| &message.marks),
        );
        files.push(MessageFile {
            received: match exported {
                Some(message) => FileTime::from_unix(message.received),
                None => message_files::received(modified),
            },
            stamp: (metadata.len(), message_files::nanoseconds(modified)),
            path,
            base,
            marks,
        });
    }
    files.sort_unstable_by(|a, b| (a.received.0, &a.base).cmp(&(b.received.0, &b.base)));
    Ok(files)
}

/// Every message by a name of its own. Where several files have what never changes of a name in common, those that differ
/// are told apart by what they hold: the first of them by that has the name alone. A file that is there twice counts once.
fn named(place: &Place) -> Result<Vec<(String, PathBuf)>> {
    let mut all: HashMap<String, Vec<PathBuf>> = HashMap::new();
    place.each(|base, path| all.entry(base).or_default().push(path))?;
    let mut named = Vec::with_capacity(all.len());
    for (base, mut paths) in all {
        if paths.len() < 2 {
            named.extend(paths.pop().map(|path| (base, path)));
            continue;
        }
        let mut by_content = BTreeMap::new();
        for path in paths {
            match hash(&path) {
                // It has been renamed just now: the other name stands for it.
                Err(error) if is_gone(&error) => {}
                found => drop(by_content.insert(found?, path)),
            }
        }
        for (place, (hash, path)) in by_content.into_iter().enumerate() {
            let start: String = hash.chars().take(HASH_DIGITS).collect();
            let name = match place {
                0 => base.clone(),
                _ => format!("{base}/{start}"),
            };
            named.push((name, path));
        }
    }
    Ok(named)
}

/// What a file holds, as hexadecimal digits.
fn hash(path: &std::path::Path) -> Result<String> {
    let file = durable::open_plain(path, OpenOptions::new().read(true)).at(path)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).at(path)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The marks of a message. The name of its file says them as far as it can; what it cannot say, the export did.
fn marks(
    place: &Place,
    path: &std::path::Path,
    keywords: &KeywordFile,
    exported: Option<&Marks>,
) -> Marks {
    if place.format == crate::Format::Eml {
        return exported.cloned().unwrap_or_default();
    }
    let named = place.marks(path, keywords);
    let Some(exported) = exported else {
        return named;
    };
    let unnamed = exported.words().iter().filter(|word| !keywords.knows(word));
    let words = named.words().iter().chain(unnamed).cloned();
    Marks::of_letters(named.letters(), words)
}

/// Those files that are still not there: one may have been renamed while its folder was listed.
pub(super) fn still_gone(
    source: &SourceFolder,
    gone: Vec<(String, u32)>,
) -> Result<Vec<(String, u32)>> {
    let place = Place {
        format: source.format,
        folder: source.folder.clone(),
    };
    let there = place.files()?;
    Ok(gone
        .into_iter()
        .filter(|(file, _)| !there.contains_key(file))
        .collect())
}

/// Opens a message.
pub(super) fn open(file: &MessageFile) -> Result<File> {
    durable::open_plain(&file.path, OpenOptions::new().read(true)).at(&file.path)
}
