//! What is to be done with a folder: what its index says, against what the journal and the files say.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

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
    head: FolderHead,
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
    /// Opens a folder, which is made when it is not there. `may_delete`: whether what an earlier epoch left may go.
    pub(super) fn new(
        place: Place,
        journal: PathBuf,
        head: FolderHead,
        may_delete: bool,
    ) -> Result<Self> {
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
        place.clean()?;
        let files = place.files()?;
        let keywords = KeywordFile::read(&place.folder)?;
        let mut opened = Self {
            place,
            journal,
            known,
            files,
            keywords,
            outdated,
            head: head.clone(),
        };
        opened.begin(head, last, (lines, may_delete))?;
        Ok(opened)
    }

    /// Says which folder it is, unless the journal says so.
    fn begin(
        &mut self,
        head: FolderHead,
        last: Option<FolderHead>,
        (lines, may_delete): (usize, bool),
    ) -> Result<()> {
        let place = self.place.folder.display();
        if let Some(last) = last.as_ref().filter(|last| !last.is_same(&head)) {
            let what = |head: &FolderHead| match head.path.is_empty() {
                true => head.mailbox.clone(),
                false => format!("{} of {}", head.path.join("/"), head.mailbox),
            };
            let (was, is) = (what(last), what(&head));
            return Err(crate::Error::Invalid(format!(
                "{place}: holds an export of {was}, not of {is}"
            )));
        }
        if last.as_ref().is_some_and(|last| last.epoch != head.epoch) {
            self.outdated
                .extend(self.known.drain().map(|(_, message)| message));
        }
        if !self.outdated.is_empty() && !may_delete {
            return Err(crate::Error::Invalid(format!(
                "{place}: the folder has been restored or made anew since it was exported, and all its messages have new \
                 numbers: export it to another place, or with --delete, which deletes the old files once the new ones are there"
            )));
        }
        // What an earlier epoch left, only the lines before tell.
        if self.outdated.is_empty() && lines > WEAR * (self.known.len() + WEAR) {
            return self.rewrite();
        }
        match last.as_ref() == Some(&head) {
            true => Ok(()),
            false => self.journal.add(&[Exported::Folder(head)]),
        }
    }

    /// Writes the journal anew, without what is out of date.
    fn rewrite(&mut self) -> Result<()> {
        let mut records = vec![Exported::Folder(self.head.clone())];
        let mut messages: Vec<_> = self.known.values().cloned().collect();
        messages.sort_unstable_by_key(|message| message.number);
        records.extend(messages.into_iter().map(Exported::Message));
        self.journal.rewrite(&records)
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
        let had_outdated = !self.outdated.is_empty();
        let old: Vec<_> = gone
            .iter()
            .filter_map(|number| self.known.remove(number))
            .chain(self.outdated.drain(..))
            .collect();
        // A message of today may have the file of one of before.
        let kept: HashSet<&str> = self.known.values().map(|message| &*message.file).collect();
        let old: Vec<_> = old
            .iter()
            .filter(|message| !kept.contains(&*message.file))
            .collect();
        for message in &old {
            if let Some(path) = self.files.remove(&message.file) {
                std::fs::remove_file(&path).at(&path)?;
            }
        }
        let deleted = old.len() as u64;
        if deleted > 0 {
            durable::sync_folder(&self.place.named_folder())?;
        }
        if had_outdated {
            self.rewrite()?;
        } else {
            let records: Vec<_> = gone.iter().map(|number| Exported::Gone(*number)).collect();
            self.journal.add(&records)?;
        }
        Ok(deleted)
    }
}

/// The marks of an item.
pub(super) fn marks(item: &ItemState, index: &FolderIndex) -> Marks {
    Marks::new(item.flags, index.keywords().set(item.keywords))
}
