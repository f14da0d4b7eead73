//! What somebody does with folders.

use mapi_store::{ErrorKind, NewFolder, Role};
use mapi_types::{FolderId, Version};

use super::{Outcome, Simulation, unexpected};

impl Simulation {
    /// Makes, renames or deletes a folder.
    pub(super) async fn folder(&mut self) {
        match self.random.below(3) {
            0 => self.make().await,
            1 => self.rename().await,
            _ => self.remove().await,
        }
    }

    async fn make(&mut self) {
        let name = format!("empty {}", self.new_token());
        let new = NewFolder {
            parent: None,
            name: name.clone(),
            class: "IPF.Note".to_owned(),
        };
        let making = self.insist(async |store| store.create_folder(&new).await);
        let there = match making.await {
            (_, Ok(Outcome::Done(_))) => Some(true),
            (_, Ok(Outcome::Unknown)) => None,
            // The first try made it.
            (2.., Err(error)) if error.kind == ErrorKind::Exists => Some(true),
            // It was made, and the tree cannot be had.
            (2.., Err(error)) if error.kind == ErrorKind::NotFound => None,
            (_, Err(error)) => unexpected("making a folder", &error),
        };
        self.empty.insert(name, there);
    }

    async fn rename(&mut self) {
        let place = 1 + self.random.below(self.folders.len() as u64 - 1) as usize;
        let name = format!("folder {}", self.new_token());
        let folder = self.folders[place].id;
        let renaming = self.insist(async |store| store.move_folder(folder, None, &name).await);
        let renamed = renaming.await.1;
        let names = &mut self.folders[place].names;
        match renamed {
            Ok(Outcome::Done(())) => *names = vec![name],
            Ok(Outcome::Unknown) => names.push(name),
            Err(error) => unexpected("renaming a folder", &error),
        }
    }

    async fn remove(&mut self) {
        let known = self.tree().await;
        let empty: Vec<_> = known
            .into_iter()
            .filter(|(_, name)| self.empty.get(name) == Some(&Some(true)))
            .collect();
        let Some((id, name)) = self.random.pick(&empty).cloned() else {
            return;
        };
        let removing = self.insist(async |store| store.delete_folder(id).await);
        let there = match removing.await {
            (_, Ok(Outcome::Done(()))) => Some(false),
            (_, Ok(Outcome::Unknown)) => None,
            // The first try removed it.
            (2.., Err(error)) if error.kind == ErrorKind::NotFound => Some(false),
            (_, Err(error)) => unexpected("removing a folder", &error),
        };
        self.empty.insert(name, there);
    }

    async fn tree(&mut self) -> Vec<(FolderId, String)> {
        let listing = self.insist(async |store| store.hierarchy(Version(0)).await);
        match listing.await.1 {
            Ok(Outcome::Done(tree)) => {
                let folders = tree.changed.into_iter();
                folders.map(|folder| (folder.id, folder.name)).collect()
            }
            Ok(Outcome::Unknown) => Vec::new(),
            Err(error) => unexpected("the tree", &error),
        }
    }

    /// Where what was sent is kept, if that can be said now.
    pub(super) async fn sent_items(&mut self) -> Option<FolderId> {
        let tree = self.store.hierarchy(Version(0)).await.unwrap();
        let mut folders = tree.changed.into_iter();
        let sent = folders.find(|folder| folder.role == Some(Role::SentItems));
        sent.map(|folder| folder.id)
    }
}
