//! Making, moving and deleting folders: on the server, and then the tree is synchronized.

use mapi_store::{Error, ErrorKind, FolderInfo, NewFolder, Result, Rights};
use mapi_types::{FolderId, Version};
use mapi_wire::Id;

use super::ExchangeStore;
use crate::{fault::code, mailbox::remote_id, remote::Deleting};

impl ExchangeStore {
    pub(super) async fn make_folder(&self, folder: &NewFolder) -> Result<FolderInfo> {
        let mailbox = &self.mailbox;
        self.refuse_name(&folder.name)?;
        let parent = self.parent(folder.parent).await?;
        self.refuse_taken(folder.parent, &folder.name, None).await?;
        let id = self.made(parent, folder).await?;
        self.admit(id, Rights::VISIBLE).await?;
        // It is new, so its index is one request that brings nothing.
        mailbox.indexed(id).await?;
        if let (None, Some(parent)) = (&self.guest, folder.parent) {
            self.take_over_permissions(id, parent).await?;
        }
        self.inner.folder(id).await
    }

    /// Has a folder made. An answer that is lost is found out.
    async fn made(&self, parent: Id, folder: &NewFolder) -> Result<FolderId> {
        let mailbox = &self.mailbox;
        let making = mailbox
            .remote
            .create_folder(parent, &folder.name, &folder.class);
        let fault = match making.await {
            Ok(made) => {
                self.look_at_tree().await?;
                let gid = mailbox.remote.gid(made).await?;
                let id = mailbox.mirror.folder_of(&remote_id(gid)).await?;
                let gone = || Error::new(ErrorKind::NotFound, "the new folder is gone");
                return id.ok_or_else(gone);
            }
            Err(fault) => fault,
        };
        if fault.outcome_is_unknown() || fault.code() == Some(code::DUPLICATE_NAME) {
            self.look_at_tree().await?;
        }
        // It was not there before.
        match self.taken(folder.parent, &folder.name, None).await? {
            Some(there) if fault.outcome_is_unknown() => Ok(there),
            _ => Err(fault.into()),
        }
    }

    /// Synchronizes the tree after something was done to it; later, if that fails now.
    async fn look_at_tree(&self) -> Result<()> {
        let mailbox = &self.mailbox;
        let done = mailbox.sync_hierarchy().await;
        done.inspect_err(|_| mailbox.keeper.doubt_hierarchy())
    }

    pub(super) async fn put_folder(
        &self,
        folder: FolderId,
        parent: Option<FolderId>,
        name: &str,
    ) -> Result<()> {
        let mailbox = &self.mailbox;
        self.refuse_name(name)?;
        let info = self.inner.folder(folder).await?;
        if info.role.is_some() {
            return Err(Error::new(
                ErrorKind::Invalid,
                "a special folder stays where it is",
            ));
        }
        let (is_in, parent) = match info.parent == parent {
            true if info.name == name => return Ok(()),
            true => {
                let is_in = self.place(folder).await?;
                (is_in, is_in)
            }
            false => {
                self.admit_below(parent).await?;
                (self.place(folder).await?, parent)
            }
        };
        self.refuse_cycle(folder, parent).await?;
        self.refuse_taken(parent, name, Some(folder)).await?;
        let fid = mailbox.folder_fid(folder).await?;
        let old_parent = self.parent(is_in).await?;
        let new_parent = self.parent(parent).await?;
        let put = match old_parent == new_parent {
            true => mailbox.remote.rename_folder(fid, name).await,
            false => {
                let way = (old_parent, new_parent);
                mailbox.remote.move_folder(way, fid, name).await
            }
        };
        // Also after a failure: it may have been done, now or by an earlier try.
        self.look_at_tree().await?;
        match put {
            Ok(()) => Ok(()),
            Err(fault) => {
                let now = self.inner.folder(folder).await?;
                match fault.outcome_is_unknown() && (now.parent, &*now.name) == (parent, name) {
                    true => Ok(()),
                    false => Err(fault.into()),
                }
            }
        }
    }

    /// Deletes a folder with its messages. The server keeps them for as long as it keeps what was deleted.
    pub(super) async fn remove_folder(&self, folder: FolderId) -> Result<()> {
        let mailbox = &self.mailbox;
        let info = self.inner.folder(folder).await?;
        self.refuse_indelible(&info).await?;
        let fid = mailbox.folder_fid(folder).await?;
        let parent = self.parent(self.place(folder).await?).await?;
        let gid = mailbox.folder_gid(folder).await?;
        if !mailbox
            .remote
            .delete_folder(parent, fid, Deleting::Softly)
            .await?
        {
            // gromox 3.10 lets folders that were deleted softly stand in the way of the one they were in.
            mailbox.sync_hierarchy().await?;
            self.refuse_indelible(&info).await?;
            let how = Deleting::ForGood;
            if !mailbox.remote.delete_folder(parent, fid, how).await? {
                mailbox.keeper.doubt(folder);
                return Err(Error::new(
                    ErrorKind::Denied,
                    "the server deleted a part of the folder",
                ));
            }
        }
        self.look_at_tree().await?;
        mailbox.deleted(gid).await
    }

    /// Errors: `Invalid` when the folder is special, or has folders in it.
    async fn refuse_indelible(&self, folder: &FolderInfo) -> Result<()> {
        let tree = self.mailbox.inner.hierarchy(Version(0)).await?;
        let mut others = tree.changed.iter();
        let has_children = others.any(|other| other.parent == Some(folder.id));
        match folder.role.is_some() || has_children {
            true => Err(Error::new(
                ErrorKind::Invalid,
                "the folder is special, or has folders in it",
            )),
            false => Ok(()),
        }
    }

    /// Servers compare names as they like. Errors: `Exists` when a sibling has the name, compared without case.
    async fn refuse_taken(
        &self,
        parent: Option<FolderId>,
        name: &str,
        except: Option<FolderId>,
    ) -> Result<()> {
        match self.taken(parent, name, except).await? {
            Some(_) => Err(Error::new(ErrorKind::Exists, "a folder has this name")),
            None => Ok(()),
        }
    }

    /// The sibling that has a name, compared without case.
    async fn taken(
        &self,
        parent: Option<FolderId>,
        name: &str,
        except: Option<FolderId>,
    ) -> Result<Option<FolderId>> {
        let tree = self.mailbox.inner.hierarchy(Version(0)).await?;
        let lower = name.to_lowercase();
        let mut tree = tree.changed.iter();
        let taken = tree.find(|sibling| {
            sibling.parent == parent
                && Some(sibling.id) != except
                && sibling.name.to_lowercase() == lower
        });
        Ok(taken.map(|sibling| sibling.id))
    }

    /// The folder in which a folder is; who does not see that one sees the folder elsewhere.
    async fn place(&self, folder: FolderId) -> Result<Option<FolderId>> {
        Ok(self.mailbox.inner.folder(folder).await?.parent)
    }

    /// The folder above; the top is the folder whose children people see.
    async fn parent(&self, parent: Option<FolderId>) -> Result<Id> {
        match parent {
            Some(parent) => self.mailbox.folder_fid(parent).await,
            None => Ok(self.mailbox.remote.logon().await?.top()),
        }
    }

    fn refuse_name(&self, name: &str) -> Result<()> {
        let fits = !name.is_empty()
            && name.len() <= mapi_store::FOLDER_NAME_BYTES_MAX
            && !name.chars().any(char::is_control);
        match fits {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Invalid,
                "no folder can have this name",
            )),
        }
    }

    async fn refuse_cycle(&self, folder: FolderId, parent: Option<FolderId>) -> Result<()> {
        let tree = self.mailbox.inner.hierarchy(Version(0)).await?;
        let mut above = parent;
        // Every step goes up, and the tree has no loop.
        while let Some(id) = above {
            if id == folder {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    "a folder cannot be moved into itself",
                ));
            }
            above = tree
                .changed
                .iter()
                .find(|one| one.id == id)
                .and_then(|one| one.parent);
        }
        Ok(())
    }
}
