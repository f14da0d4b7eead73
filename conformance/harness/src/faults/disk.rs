//! A disk that keeps only what was synced: what a folder may look like after the power went.
//!
//! Contents become durable by fsync or fdatasync of the file, names by fsync of their folder (POSIX promises no
//! more). What was begun after the sync is pending: at a crash each pending change may be there, not there, or
//! there in part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::trace::Call;
use crate::failure::{Outcome, failure};
use crate::random::Random;

/// Files (contents) and folders (`None`) of a folder.
pub(super) type Image = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// What becomes of pending changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// None of them is there.
    Dropped,
    /// Those up to a random moment are there, the last one in part.
    Torn,
    /// Each write is there, in part or not at all, whatever became of earlier ones; names of a folder in order.
    Scattered,
}

/// Disk state: what is durable and what is pending.
#[derive(Default)]
pub(super) struct Disk {
    files: Vec<File>,
    names: BTreeMap<PathBuf, Entry>,
    durable_names: BTreeMap<PathBuf, Entry>,
    pending_names: Vec<Pending<NameChanges>>,
}

#[derive(Default)]
struct File {
    durable: Vec<u8>,
    length: u64,
    pending: Vec<Pending<Change>>,
}

#[derive(Clone, Copy)]
enum Entry {
    File(usize),
    Folder,
}

/// Names that one call sets or removes.
type NameChanges = Vec<(PathBuf, Option<Entry>)>;

/// A change that no sync has covered yet.
struct Pending<T> {
    call: usize,
    /// When the call ended, in steps of the trace.
    ended: Option<usize>,
    change: T,
}

#[derive(Clone)]
enum Change {
    Write { offset: u64, data: Vec<u8> },
    SetLength(u64),
}

impl Disk {
    /// A disk on which all of `image` is durable.
    pub(super) fn holding(image: &Image) -> Self {
        let mut disk = Self::default();
        for (path, contents) in image {
            let entry = match contents {
                None => Entry::Folder,
                Some(bytes) => {
                    let length = bytes.len() as u64;
                    disk.files.push(File {
                        durable: bytes.clone(),
                        length,
                        pending: Vec::new(),
                    });
                    Entry::File(disk.files.len() - 1)
                }
            };
            disk.names.insert(path.clone(), entry);
        }
        disk.durable_names = disk.names.clone();
        disk
    }

    /// A call begins: from now on its change may reach the disk.
    pub(super) fn enter(&mut self, index: usize, call: &Call) -> Outcome {
        match call {
            Call::Create { path, truncate } => self.create(index, path, *truncate),
            Call::Write { path, offset, data } => {
                self.change(
                    index,
                    path,
                    Change::Write {
                        offset: *offset,
                        data: data.clone(),
                    },
                )?;
            }
            Call::SetLength { path, length } => {
                self.change(index, path, Change::SetLength(*length))?
            }
            Call::Grow { path, length } => {
                if self.length(path)? < *length {
                    self.change(index, path, Change::SetLength(*length))?;
                }
            }
            Call::MakeFolder { path } => {
                self.rename_entries(index, vec![(path.clone(), Some(Entry::Folder))])
            }
            Call::Remove { path } => self.rename_entries(index, vec![(path.clone(), None)]),
            Call::Rename { from, to } => {
                let entry = self.names.get(from).copied();
                self.rename_entries(index, vec![(from.clone(), None), (to.clone(), entry)]);
            }
            Call::Link { from, to } => {
                let entry = self.names.get(from).copied();
                self.rename_entries(index, vec![(to.clone(), entry)]);
            }
            Call::Sync { .. } | Call::SyncAll | Call::Send { .. } => {}
        }
        Ok(())
    }

    /// A call ends.
    pub(super) fn exit(&mut self, index: usize, step: usize) {
        for pending in self
            .pending_names
            .iter_mut()
            .filter(|pending| pending.call == index)
        {
            pending.ended = Some(step);
        }
        for pending in self
            .files
            .iter_mut()
            .flat_map(|file| &mut file.pending)
            .filter(|pending| pending.call == index)
        {
            pending.ended = Some(step);
        }
    }

    /// A sync of `path` that began at step `began` has ended: what had ended before it began is durable.
    pub(super) fn synced(&mut self, path: &Path, began: usize) {
        match self.names.get(path).copied() {
            Some(Entry::File(id)) => self.sync_file(id, began),
            // The root of the image is a folder without an entry of its own.
            Some(Entry::Folder) | None => {
                self.sync_names(began, |changed| changed.parent() == Some(path))
            }
        }
    }

    /// A sync of everything.
    pub(super) fn synced_all(&mut self, began: usize) {
        for id in 0..self.files.len() {
            self.sync_file(id, began);
        }
        self.sync_names(began, |_| true);
    }

    /// What the disk may hold after a crash now.
    pub(super) fn crash(&self, loss: Loss, random: &mut Random) -> Image {
        let cut = match loss {
            Loss::Torn => self.random_pending(random),
            Loss::Dropped | Loss::Scattered => 0,
        };
        let mut names = self.durable_names.clone();
        let mut names_left = if loss == Loss::Scattered {
            random.below(self.pending_names.len() as u64 + 1)
        } else {
            0
        };
        for pending in &self.pending_names {
            let kept = match loss {
                Loss::Dropped => false,
                Loss::Torn => pending.call < cut,
                Loss::Scattered => {
                    let kept = names_left > 0;
                    names_left = names_left.saturating_sub(1);
                    kept
                }
            };
            if kept {
                apply_names(&mut names, &pending.change);
            }
        }
        let contents: Vec<Vec<u8>> = self
            .files
            .iter()
            .map(|file| file.after_crash(loss, cut, random))
            .collect();
        let with_contents = names.into_iter().map(|(path, entry)| match entry {
            Entry::Folder => (path, None),
            Entry::File(id) => (path, Some(contents.get(id).cloned().unwrap_or_default())),
        });
        with_contents.collect()
    }

    fn random_pending(&self, random: &mut Random) -> usize {
        let of_files = self
            .files
            .iter()
            .flat_map(|file| file.pending.iter().map(|pending| pending.call));
        let calls: Vec<usize> = self
            .pending_names
            .iter()
            .map(|pending| pending.call)
            .chain(of_files)
            .collect();
        random.pick(&calls).copied().unwrap_or(0)
    }

    fn create(&mut self, index: usize, path: &Path, truncate: bool) {
        match self.names.get(path).copied() {
            Some(Entry::File(id)) if truncate => self.push(id, index, Change::SetLength(0)),
            Some(_) => {}
            None => {
                self.files.push(File::default());
                let entry = Entry::File(self.files.len() - 1);
                self.rename_entries(index, vec![(path.to_path_buf(), Some(entry))]);
            }
        }
    }

    fn file(&self, path: &Path) -> Outcome<usize> {
        match self.names.get(path) {
            Some(Entry::File(id)) => Ok(*id),
            _ => failure(format!(
                "the trace writes to {}, which it never created",
                path.display()
            )),
        }
    }

    fn length(&self, path: &Path) -> Outcome<u64> {
        let id = self.file(path)?;
        Ok(self.files.get(id).map_or(0, |file| file.length))
    }

    fn change(&mut self, index: usize, path: &Path, change: Change) -> Outcome {
        let id = self.file(path)?;
        self.push(id, index, change);
        Ok(())
    }

    fn push(&mut self, id: usize, call: usize, change: Change) {
        if let Some(file) = self.files.get_mut(id) {
            file.length = match &change {
                Change::Write { offset, data } => file.length.max(offset + data.len() as u64),
                Change::SetLength(length) => *length,
            };
            file.pending.push(Pending {
                call,
                ended: None,
                change,
            });
        }
    }

    fn rename_entries(&mut self, call: usize, change: NameChanges) {
        apply_names(&mut self.names, &change);
        self.pending_names.push(Pending {
            call,
            ended: None,
            change,
        });
    }

    fn sync_file(&mut self, id: usize, began: usize) {
        let Some(file) = self.files.get_mut(id) else {
            return;
        };
        let (covered, left) = split(std::mem::take(&mut file.pending), |pending| {
            covers(pending.ended, began)
        });
        covered
            .iter()
            .for_each(|pending| apply(&mut file.durable, &pending.change));
        file.pending = left;
    }

    fn sync_names(&mut self, began: usize, concerns: impl Fn(&Path) -> bool) {
        let pending = std::mem::take(&mut self.pending_names);
        let (covered, left) = split(pending, |pending| {
            covers(pending.ended, began) && pending.change.iter().any(|(path, _)| concerns(path))
        });
        covered
            .iter()
            .for_each(|pending| apply_names(&mut self.durable_names, &pending.change));
        self.pending_names = left;
    }
}

impl File {
    fn after_crash(&self, loss: Loss, cut: usize, random: &mut Random) -> Vec<u8> {
        let mut contents = self.durable.clone();
        for pending in &self.pending {
            let share = match loss {
                Loss::Dropped => 0,
                Loss::Torn if pending.call < cut => 100,
                Loss::Torn if pending.call == cut => random.below(100),
                Loss::Torn => 0,
                Loss::Scattered => match random.below(4) {
                    0 => 0,
                    1 => random.below(100),
                    _ => 100,
                },
            };
            apply_share(&mut contents, &pending.change, share);
        }
        contents
    }
}

fn covers(ended: Option<usize>, began: usize) -> bool {
    ended.is_some_and(|ended| ended < began)
}

fn split<T>(all: Vec<T>, is_first: impl Fn(&T) -> bool) -> (Vec<T>, Vec<T>) {
    all.into_iter().partition(is_first)
}

fn apply_names(names: &mut BTreeMap<PathBuf, Entry>, changes: &[(PathBuf, Option<Entry>)]) {
    for (path, entry) in changes {
        match entry {
            Some(entry) => {
                names.insert(path.clone(), *entry);
            }
            None => {
                names.remove(path);
            }
        }
    }
}

fn apply(contents: &mut Vec<u8>, change: &Change) {
    apply_share(contents, change, 100);
}

/// Applies the first `percent` of a write; a change of length happens or does not.
fn apply_share(contents: &mut Vec<u8>, change: &Change, percent: u64) {
    match change {
        Change::SetLength(length) if percent >= 50 => contents.resize(*length as usize, 0),
        Change::SetLength(_) => {}
        Change::Write { offset, data } => {
            let data = data
                .get(..(data.len() as u64 * percent / 100) as usize)
                .unwrap_or_default();
            let (start, end) = (*offset as usize, *offset as usize + data.len());
            if data.is_empty() {
                return;
            }
            if contents.len() < end {
                contents.resize(end, 0);
            }
            if let Some(place) = contents.get_mut(start..end) {
                place.copy_from_slice(data);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Disk, Image, Loss};
    use crate::random::Random;
    use std::path::{Path, PathBuf};

    fn write(path: &Path, offset: u64, data: &[u8]) -> Call {
        Call::Write {
            path: path.into(),
            offset,
            data: data.to_vec(),
        }
    }

    #[test]
    fn only_what_ended_before_a_sync_began_survives() {
        let path = PathBuf::from("/d/a");
        let image = Image::from([(path.clone(), Some(b"....".to_vec()))]);
        let mut disk = Disk::holding(&image);
        disk.enter(0, &write(&path, 0, b"AA")).unwrap();
        disk.exit(0, 1);
        disk.enter(1, &write(&path, 2, b"BB")).unwrap();
        disk.synced(&path, 2);
        let mut random = Random::new(1, 1);
        let held = disk.crash(Loss::Dropped, &mut random);
        assert_eq!(held[&path].as_deref(), Some(b"AA..".as_slice()));
    }

    #[test]
    fn a_new_name_needs_its_folder_synced() {
        let path = PathBuf::from("/d/new");
        let mut disk = Disk::holding(&Image::new());
        disk.enter(
            0,
            &Call::Create {
                path: path.clone(),
                truncate: false,
            },
        )
        .unwrap();
        disk.exit(0, 1);
        disk.enter(1, &write(&path, 0, b"x")).unwrap();
        disk.exit(1, 3);
        disk.synced(&path, 4);
        let mut random = Random::new(1, 1);
        assert!(disk.crash(Loss::Dropped, &mut random).is_empty());
        disk.synced(Path::new("/d"), 6);
        assert_eq!(
            disk.crash(Loss::Dropped, &mut random)[&path].as_deref(),
            Some(b"x".as_slice())
        );
    }
}
