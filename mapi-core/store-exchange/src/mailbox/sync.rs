//! Making the mirror like the server: the tree, and the index of each folder.

use bytes::Bytes;
use mapi_store::{Error, ErrorKind, Result, Role};
use mapi_types::{FolderId, ItemNumber, Version};
use mapi_wire::{Gid, ics::State};
use store_openchange::{
    ChangeKey, FirstPass, FolderSync, HierarchyBatch, ItemBatch, RemoteFolder, RemoteItem,
};

use super::{
    Mailbox, Turn, Work,
    circle::unread,
    remote_id,
    state::{self, Kept},
};
use crate::{
    fault::{Fault, code},
    remote::{ContentsPart, FolderRow, HierarchyPart, IndexRow, SpecialFolders},
};

/// How often a folder is read at once whose mirror is dropped meanwhile.
const PASSES_MAX: u32 = 3;

impl Mailbox {
    /// Makes the tree like the server's, as far as somebody who has it open sees it. One request, and one more when
    /// something changed.
    pub(crate) async fn sync_hierarchy(&self) -> Result<()> {
        self.caught_up().await?;
        if self.is_whole {
            return self.sync_whole().await;
        }
        match self.circle.whole() {
            Some(whole) => whole.feeding(whole.sync_whole().await),
            None => self.sync_part().await,
        }
    }

    async fn sync_whole(&self) -> Result<()> {
        let _turn = self.turn(Work::Hierarchy).await;
        let kept = self.mirror.hierarchy_state().await?;
        let seen = kept.as_deref().and_then(state::decode);
        let complete_list = seen.is_none();
        let seen = seen.map(|kept| kept.state).unwrap_or_default();
        let part = self.remote.hierarchy(seen).await?;
        if part.changed.is_empty() && part.removed.is_empty() && !complete_list {
            return Ok(());
        }
        let special = match part.changed.is_empty() {
            true => SpecialFolders::default(),
            false => self.remote.special_folders().await?,
        };
        self.mirror
            .apply_hierarchy(batch(part, &special, complete_list))
            .await?;
        self.circle.doubt_rights();
        Ok(())
    }

    /// Adds what a session sees that does not see everything. What it does not see may be there all the same.
    async fn sync_part(&self) -> Result<()> {
        let _turn = self.turn(Work::Hierarchy).await;
        let mut special = self.remote.special_folders().await?;
        let known = self.known_special().await?;
        special.roles.extend(known.roles);
        special.hidden.extend(known.hidden);
        let changed = self.remote.visible(&special).await?;
        let part = HierarchyPart {
            changed,
            ..HierarchyPart::default()
        };
        let batch = HierarchyBatch {
            state: None,
            ..batch(part, &special, false)
        };
        self.mirror.apply_hierarchy(batch).await?;
        self.circle.doubt_rights();
        Ok(())
    }

    /// What was known before of special folders: not everybody is told.
    async fn known_special(&self) -> Result<SpecialFolders> {
        let tree = self.inner.hierarchy(Version(0)).await?;
        let mut known = SpecialFolders::default();
        for folder in tree.changed {
            if folder.role.is_none() && !folder.hidden {
                continue;
            }
            let gid = self.folder_gid(folder.id).await?;
            known.roles.extend(folder.role.map(|role| (role, gid)));
            if folder.hidden {
                known.hidden.push(gid);
            }
        }
        Ok(known)
    }

    /// A folder was deleted on the server by this session. Who sees a part of the tree must say so.
    pub(crate) async fn deleted(&self, gid: Gid) -> Result<()> {
        let batch = HierarchyBatch {
            removed: vec![remote_id(gid)],
            ..HierarchyBatch::default()
        };
        self.mirror.apply_hierarchy(batch).await.map(drop)
    }

    /// Makes a folder's index like the server's.
    ///
    /// Goes on where it was when it is broken off. Writes to the folder wait meanwhile: what the server said before a
    /// write would undo the write here until the server says it again. Only while a whole folder is read, which may
    /// take long, they do not wait. Errors: `NotFound`, those of the server and of the mirror.
    pub(crate) async fn sync_contents(&self, folder: FolderId) -> Result<()> {
        self.caught_up().await?;
        let sync = self.mirror.folder_sync(folder).await?;
        let writes = match is_whole(&sync) {
            true => None,
            false => Some(self.turn(Work::Write(folder)).await),
        };
        // Somebody may have written while the server was away for a moment.
        self.caught_up().await?;
        self.sync_contents_with(folder, writes.as_ref()).await
    }

    /// [`Self::sync_contents`] for who may have the turn at writing to the folder.
    pub(crate) async fn sync_contents_with(
        &self,
        folder: FolderId,
        writes: Option<&Turn>,
    ) -> Result<()> {
        if self.may_read(folder) {
            return self.sync_items(folder, writes).await;
        }
        match self.circle.reader(folder) {
            Some(reader) => reader.sync_items(folder, writes).await,
            None => Err(unread()),
        }
    }

    async fn sync_items(&self, folder: FolderId, writes: Option<&Turn>) -> Result<()> {
        let _turn = self.turn(Work::Contents(folder)).await;
        let mut left = PASSES_MAX;
        loop {
            left -= 1;
            return match self.pass(folder, writes).await {
                // The mirror was dropped meanwhile, or is to be read anew: what came was of before.
                Err(error) if error.kind == ErrorKind::Conflict && left > 0 => continue,
                Err(error) if is_gone(&error) => {
                    self.keeper.doubt_hierarchy();
                    Err(error)
                }
                done => done,
            };
        }
    }

    /// One pass over what changed.
    async fn pass(&self, folder: FolderId, writes: Option<&Turn>) -> Result<()> {
        // What comes by other ways from now on, this pass may not tell of.
        let from = self.inner.folder(folder).await?.next_number;
        let sync = self.mirror.folder_sync(folder).await?;
        let kept = sync.state.as_deref().and_then(state::decode);
        let kept_from = kept.as_ref().map_or(from, |kept| kept.from);
        let (seen, pass) = match kept {
            Some(kept) => (self.with_own(folder, kept).await?, sync.pass),
            None => (State::default(), self.mirror.restart(folder).await?),
        };
        let over_all = is_whole(&sync);
        let fid = self.folder_fid(folder).await?;
        let sessions = &self.remote.sessions;
        let session = match over_all {
            true => &sessions.fill,
            false => &sessions.back,
        };
        let seen = (seen, sync.indexed);
        let mut contents = self.remote.contents(session, fid, seen).await?;
        let running = over_all.then_some(FirstPass::Running);
        let mut part = contents.next().await?;
        while let Some(come) = part {
            let mut batch = match come {
                ContentsPart::End(seen) => last(state::encode(&seen, from), &sync.state, over_all),
                come => ItemBatch {
                    first_pass: running,
                    ..self.batch_of(folder, come, kept_from)
                },
            };
            batch.pass = Some(pass);
            self.leave_parts(folder, &mut batch, writes).await?;
            // The next part comes while this one is applied.
            let (applied, next) = tokio::join!(self.take_in(folder, batch), contents.next());
            applied?;
            part = next?;
        }
        self.keeper.synchronized(folder);
        if !sync.indexed {
            // Now what is for programs.
            self.keeper.doubt(folder);
        }
        Ok(())
    }

    /// A state that knows of every item of the folder, also of those that were written from here and that no
    /// synchronization has told of yet: the server says what is gone of those alone that it is told of.
    ///
    /// Source: MS-OXCFXICS 3.3.5.2.3 (an imported message belongs to PidTagIdsetGiven).
    async fn with_own(&self, folder: FolderId, kept: Kept) -> Result<State> {
        let mut state = kept.state;
        for id in self.mirror.ids_from(folder, kept.from).await? {
            if let Some(gid) = Gid::from_bytes(&id.0) {
                state.idset_given.insert(gid);
            }
        }
        Ok(state)
    }

    /// A part as it is applied, and how far the pass is with it. Its state may not know of items from `from` on.
    fn batch_of(&self, folder: FolderId, part: ContentsPart, from: ItemNumber) -> ItemBatch {
        match part {
            ContentsPart::Expected(count) => {
                self.keeper.expect(folder, count);
                ItemBatch::default()
            }
            ContentsPart::Rows(rows, seen) => {
                self.keeper.progress(folder, rows.len() as u32);
                ItemBatch {
                    changed: rows.into_iter().map(item).collect(),
                    state: Some(state::encode(&seen, from)),
                    ..ItemBatch::default()
                }
            }
            ContentsPart::Gone(gone) => ItemBatch {
                removed: gone.into_iter().map(remote_id).collect(),
                ..ItemBatch::default()
            },
            ContentsPart::Read(read) => ItemBatch {
                read: read
                    .into_iter()
                    .map(|(gid, is)| (remote_id(gid), is))
                    .collect(),
                ..ItemBatch::default()
            },
            ContentsPart::End(_) => ItemBatch::default(),
        }
    }

    async fn take_in(&self, folder: FolderId, batch: ItemBatch) -> Result<()> {
        if is_empty(&batch) {
            return Ok(());
        }
        let applied = self.mirror.apply_items(folder, batch).await?;
        if applied.added > 0 {
            self.keeper.more_to_render();
        }
        if applied.stale > 0 {
            self.keeper.more_to_verify();
        }
        Ok(())
    }

    /// Waits until a folder has an index.
    ///
    /// A folder that has one costs no request. Errors: those of [`Self::sync_contents`].
    pub(crate) async fn indexed(&self, folder: FolderId) -> Result<()> {
        if self.keeper.is_indexed(folder) {
            return Ok(());
        }
        let sync = self.mirror.folder_sync(folder).await?;
        if !sync.indexed || sync.dropped {
            self.sync_contents(folder).await?;
        }
        self.keeper.note_indexed(folder);
        Ok(())
    }
}

/// The end of a pass. When nothing was new, nothing is written.
fn last(seen: Bytes, kept: &Option<Bytes>, over_all: bool) -> ItemBatch {
    let new = kept.as_ref() != Some(&seen);
    ItemBatch {
        state: (new || over_all).then_some(seen),
        first_pass: over_all.then_some(FirstPass::Complete),
        ..ItemBatch::default()
    }
}

/// Whether what comes next is a pass over all items of a folder, or the rest of one.
pub(super) fn is_whole(sync: &FolderSync) -> bool {
    let seen = sync.state.as_deref().and_then(state::decode);
    !sync.indexed || sync.passing || seen.is_none()
}

fn is_empty(batch: &ItemBatch) -> bool {
    batch.changed.is_empty()
        && batch.removed.is_empty()
        && batch.read.is_empty()
        && batch.state.is_none()
        && batch.first_pass != Some(FirstPass::Complete)
}

fn batch(part: HierarchyPart, special: &SpecialFolders, complete_list: bool) -> HierarchyBatch {
    let role = |gid: Gid| {
        special
            .roles
            .iter()
            .find(|(_, of)| *of == gid)
            .map(|(role, _)| *role)
    };
    HierarchyBatch {
        changed: part
            .changed
            .into_iter()
            .map(|mut row| {
                row.hidden |= special.hidden.contains(&row.gid) || is_of_programs(&row.class);
                folder(row, &role)
            })
            .collect(),
        removed: part.removed.into_iter().map(remote_id).collect(),
        state: Some(state::encode(&part.state, ItemNumber(1))),
        complete_list,
    }
}

/// Whether folders of this class hold what programs keep: settings, feeds shown as a page.
fn is_of_programs(class: &str) -> bool {
    const CLASSES: [&str; 2] = ["IPF.Configuration", "IPF.Note.OutlookHomepage"];
    CLASSES.iter().any(|of| class.eq_ignore_ascii_case(of))
}

fn folder(row: FolderRow, role: &dyn Fn(Gid) -> Option<Role>) -> RemoteFolder {
    let role = role(row.gid);
    let class = match (role, row.class.is_empty()) {
        // Servers leave it out where it says nothing new.
        (Some(role), true) => role.defaults().1.to_owned(),
        (None, true) => "IPF.Note".to_owned(),
        (_, false) => row.class,
    };
    RemoteFolder {
        id: remote_id(row.gid),
        parent: row.parent.map(remote_id),
        name: row.name,
        class,
        role,
        hidden: row.hidden,
        props: row.props,
        permissions: None,
    }
}

fn item(row: IndexRow) -> RemoteItem {
    RemoteItem {
        id: remote_id(row.gid),
        change_key: ChangeKey(row.change_key),
        props: row.props,
        number_hint: row.article,
    }
}

/// Whether the server says that a folder does not exist.
fn is_gone(error: &Error) -> bool {
    let fault = error
        .source
        .as_ref()
        .and_then(|source| source.downcast_ref::<Fault>());
    error.kind == ErrorKind::NotFound
        || fault
            .and_then(Fault::code)
            .is_some_and(|code| code == code::NOT_FOUND || code == code::OBJECT_DELETED)
}
