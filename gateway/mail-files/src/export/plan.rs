//! What is to be done with a folder: what its index says, against what the journal and the files say.

use std::{collections::HashMap, path::PathBuf};

use account::{FolderIndex, ItemState};

use crate::{
    Result, durable,
    error::At,
    journal::Journal,
    keyword_file::KeywordFile,
    marks::Marks,
    message_files::{Files, Place},
    record::{Exported, ExportedMessage, FolderHead},
};

/// A journal of this many lines a message is written anew.
const WEAR: usize = 4;

/// A folder of files that is open for an export.
pub(super) struct Opened {
    pub(super) place: Place,
    pub(super) journal: Journal,
    /// Messages that have been written, by number.
    pub(super) known: HashMap<u32, ExportedMessage>,
    pub(super) files: Files,
    pub(super) keywords: KeywordFile,
    /// Those of an earlier epoch.
    pub(super) outdated: Vec<ExportedMessage>,
}

/// What is to be done.
#[derive(Default)]
pub(super) struct Plan {
    /// Messages to be written.
    pub(super) copy: Vec<ItemState>,
    /// Messages whose marks differ, with those they have.
    pub(super) mark: Vec<(u32, u64, Marks)>,
    /// Messages that are there, and right.
    pub(super) skipped: u64,
    /// Numbers that are no longer in the folder.
    pub(super) gone: Vec<u32>,
}

impl Opened {
    /// Opens a folder, which is made when it is not there.
    pub(super) fn new(place: Place, journal: PathBuf, head: FolderHead) -> Result<Self> {
        place.prepare()?;
        let (mut known, mut outdated, mut last) = (HashMap::new(), Vec::new(), None::<FolderHead>);
        let mut lines = 0_usize;
        let journal = Journal::open(&journal, |record| {
            lines += 1;
            match record {
                Exported::Folder(new) => {
                    if last.as_ref().is_some_and(|last| last.epoch != new.epoch) {
                        outdated.extend(known.drain().map(|(_, message)| message));
                    }
                    last = Some(new);
                }
                Exported::Message(message) => {
                    known.insert(message.number, message);
                }
                Exported::Marks(number, version, marks) => {
                    if let Some(message) = known.get_mut(&number) {
                        (message.version, message.marks) = (version, marks);
                    }
                }
                Exported::Gone(number) => drop(known.remove(&number)),
            }
        })?;
        let files = place.files()?;
        let keywords = KeywordFile::read(&place.folder)?;
        let mut opened = Self {
            place,
            journal,
            known,
            files,
            keywords,
            outdated,
        };
        opened.begin(head, last, lines)?;
        Ok(opened)
    }

    /// Says which folder it is, unless the journal says so.
    fn begin(&mut self, head: FolderHead, last: Option<FolderHead>, lines: usize) -> Result<()> {
        if let Some(last) = &last
            && last.mailbox != head.mailbox
        {
            return Err(crate::Error::Invalid(format!(
                "{}: holds an export of {}, not of {}",
                self.place.folder.display(),
                last.mailbox,
                head.mailbox
            )));
        }
        if last.as_ref().is_some_and(|last| last.epoch != head.epoch) {
            self.outdated
                .extend(self.known.drain().map(|(_, message)| message));
        }
        // What an earlier epoch left, only the lines before tell.
        if self.outdated.is_empty() && lines > WEAR * (self.known.len() + WEAR) {
            let mut records = vec![Exported::Folder(head)];
            let mut messages: Vec<_> = self.known.values().cloned().collect();
            messages.sort_unstable_by_key(|message| message.number);
            records.extend(messages.into_iter().map(Exported::Message));
            return self.journal.rewrite(&records);
        }
        match last.as_ref() == Some(&head) {
            true => Ok(()),
            false => self.journal.add(&[Exported::Folder(head)]),
        }
    }

    /// What is to be done.
    pub(super) fn plan(&self, index: &FolderIndex) -> Plan {
        let mut plan = Plan::default();
        for item in index.iter() {
            let known = self.known.get(&item.number.0);
            let known = known.filter(|known| self.files.contains_key(&known.file));
            let Some(known) = known else {
                plan.copy.push(*item);
                continue;
            };
            plan.skipped += 1;
            if known.version != item.version.0 {
                let marks = marks(item, index);
                plan.mark.push((item.number.0, item.version.0, marks));
            }
        }
        let gone = self
            .known
            .keys()
            .filter(|number| index.item(account::ItemNumber(**number)).is_none());
        plan.gone = gone.copied().collect();
        plan.gone.sort_unstable();
        plan
    }

    /// Brings the marks of messages up to date; returns how many differed. Durable when it returns.
    pub(super) fn mark(&mut self, changed: Vec<(u32, u64, Marks)>) -> Result<u64> {
        let (mut marked, mut renames) = (0, Vec::new());
        for (number, _, marks) in &changed {
            let Some(known) = self.known.get(number).filter(|known| known.marks != *marks) else {
                continue;
            };
            marked += 1;
            let to = self.place.path(&known.file, marks, &mut self.keywords);
            renames.push((known.file.clone(), to));
        }
        self.keywords.save(&self.place.folder)?;
        for (file, to) in renames {
            if let Some(from) = self.files.get(&file).filter(|from| **from != to) {
                std::fs::rename(from, &to).at(from)?;
                self.files.insert(file, to);
            }
        }
        if marked > 0 {
            durable::sync_folder(&self.place.named_folder())?;
        }
        let records = changed.into_iter().map(|(number, version, marks)| {
            if let Some(known) = self.known.get_mut(&number) {
                (known.version, known.marks) = (version, marks.clone());
            }
            Exported::Marks(number, version, marks)
        });
        let records: Vec<_> = records.collect();
        self.journal.add(&records)?;
        Ok(marked)
    }

    /// Deletes the files of messages that are gone; returns how many. Durable when it returns.
    pub(super) fn delete(&mut self, gone: &[u32]) -> Result<u64> {
        let files: Vec<String> = gone
            .iter()
            .filter_map(|number| self.known.remove(number))
            .chain(self.outdated.drain(..))
            .map(|message| message.file)
            .collect();
        for file in &files {
            if let Some(path) = self.files.remove(file) {
                std::fs::remove_file(&path).at(&path)?;
            }
        }
        if !files.is_empty() {
            durable::sync_folder(&self.place.named_folder())?;
        }
        let records: Vec<_> = gone.iter().map(|number| Exported::Gone(*number)).collect();
        self.journal.add(&records)?;
        Ok(files.len() as u64)
    }
}

/// The marks of an item.
pub(super) fn marks(item: &ItemState, index: &FolderIndex) -> Marks {
    Marks::new(item.flags, index.keywords().set(item.keywords))
}
