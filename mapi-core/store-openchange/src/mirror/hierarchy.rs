//! Applying what a synchronization of the folder tree brought.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use mapi_store::Notice;
use mapi_types::FolderId;
use rusqlite::{Connection, params};

use super::{
    HierarchyBatch, RemoteFolder, RemoteId, folder_attributes,
    folder_names::{Sibling, names},
    ledger,
    remote_row::check_id,
};
use crate::{
    fail::Result,
    write::{Tx, bump, drop_folder, insert_folder, touch_trees},
};

pub(super) fn apply(
    tx: &mut Tx<'_>,
    batch: &HierarchyBatch,
) -> Result<HashMap<RemoteId, FolderId>> {
    let mut ids = HashMap::new();
    if !batch.changed.is_empty() || !batch.removed.is_empty() || batch.complete_list {
        ids = apply_folders(tx, batch)?;
    }
    if let Some(state) = &batch.state {
        ledger::set_hierarchy_state(tx.conn, state)?;
    }
    Ok(ids)
}

fn apply_folders(tx: &mut Tx<'_>, batch: &HierarchyBatch) -> Result<HashMap<RemoteId, FolderId>> {
    // The last word on a folder counts.
    let mut changed: BTreeMap<&RemoteId, &RemoteFolder> = BTreeMap::new();
    for folder in &batch.changed {
        check_id(&folder.id)?;
        changed.insert(&folder.id, folder);
    }
    let mut tree = Tree::load(tx.conn)?;
    let mut ids = HashMap::with_capacity(changed.len());
    // In the order of the batch, so that folder ids are given in an order the remote chose.
    for folder in &batch.changed {
        if let Some(last) = changed.get(&folder.id)
            && !ids.contains_key(&folder.id)
        {
            let id = tree.take_in(tx, last)?;
            ids.insert(folder.id.clone(), FolderId(id as u64));
        }
    }
    tree.remove(tx, batch, &changed)?;
    tree.place()?;
    let Tree {
        by_remote,
        mut touched,
        removed,
        ..
    } = tree;
    let present: Vec<(i64, &RemoteFolder)> = changed
        .values()
        .filter_map(|folder| Some((*by_remote.get(&folder.id)?, *folder)))
        .collect();
    folder_attributes::set(tx.conn, &present, &mut touched)?;
    touched.log(tx, removed)?;
    Ok(ids)
}

/// The folders while a batch is applied.
struct Tree<'c> {
    conn: &'c Connection,
    nodes: BTreeMap<i64, Node>,
    by_remote: HashMap<RemoteId, i64>,
    touched: Touched,
    /// Whether a folder went.
    removed: bool,
}

struct Node {
    /// `None`: the folder is none of the remote.
    remote: Option<Remote>,
    parent: Option<i64>,
    /// `None`: the folder is new.
    name: Option<String>,
}

struct Remote {
    parent: Option<RemoteId>,
    name: String,
}

/// What the tree's log has to say.
#[derive(Default)]
pub(super) struct Touched {
    /// Folders that changed with all below them.
    pub(super) trees: BTreeSet<i64>,
    /// Folders that changed themselves.
    pub(super) folders: BTreeSet<i64>,
}

impl Touched {
    pub(super) fn log(self, tx: &mut Tx<'_>, removed: bool) -> Result<()> {
        if self.trees.is_empty() && self.folders.is_empty() {
            if removed {
                tx.notify(Notice::Hierarchy);
            }
            return Ok(());
        }
        let version = bump(tx.conn)?;
        let mut update = tx
            .conn
            .prepare_cached("UPDATE folders SET changed = ?2 WHERE id = ?1")?;
        for id in &self.folders {
            update.execute([*id, version])?;
        }
        touch_trees(tx.conn, self.trees, version)?;
        tx.notify(Notice::Hierarchy);
        Ok(())
    }
}

impl<'c> Tree<'c> {
    fn load(conn: &'c Connection) -> Result<Self> {
        let mut select = conn.prepare_cached(
            "SELECT f.id, f.parent, f.name, r.remote, r.parent, r.name
             FROM folders f LEFT JOIN remote_folders r ON r.folder = f.id",
        )?;
        let mut rows = select.query([])?;
        let (mut nodes, mut by_remote) = (BTreeMap::new(), HashMap::new());
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let remote: Option<Vec<u8>> = row.get(3)?;
            let parent: Option<Vec<u8>> = row.get(4)?;
            let remote = match remote {
                Some(remote) => {
                    by_remote.insert(RemoteId(remote.into()), id);
                    Some(Remote {
                        parent: parent.map(|parent| RemoteId(parent.into())),
                        name: row.get(5)?,
                    })
                }
                None => None,
            };
            let node = Node {
                remote,
                parent: row.get(1)?,
                name: Some(row.get(2)?),
            };
            nodes.insert(id, node);
        }
        Ok(Self {
            conn,
            nodes,
            by_remote,
            touched: Touched::default(),
            removed: false,
        })
    }

    /// Notes what the remote says of a folder's place; makes the folder if it is new.
    fn take_in(&mut self, tx: &Tx<'_>, folder: &RemoteFolder) -> Result<i64> {
        let parent = folder.parent.as_ref().map(|parent| &parent.0);
        let remote = Remote {
            parent: folder.parent.clone(),
            name: folder.name.clone(),
        };
        if let Some(&id) = self.by_remote.get(&folder.id) {
            self.conn
                .prepare_cached(
                    "UPDATE remote_folders SET parent = ?2, name = ?3
                     WHERE folder = ?1 AND (parent IS NOT ?2 OR name IS NOT ?3)",
                )?
                .execute(params![id, parent, folder.name])?;
            if let Some(node) = self.nodes.get_mut(&id) {
                node.remote = Some(remote);
            }
            return Ok(id);
        }
        let passing_name = format!("\u{1}new {}", self.nodes.len());
        let id = insert_folder(tx, None, (&passing_name, &folder.class), None)?;
        self.conn
            .prepare_cached(
                "INSERT INTO remote_folders(folder, remote, parent, name, props, indexed, passing, pass)
                 VALUES (?1, ?2, ?3, ?4, x'', 0, 1, 1)",
            )?
            .execute(params![id, folder.id.0, parent, folder.name])?;
        self.by_remote.insert(folder.id.clone(), id);
        let node = Node {
            remote: Some(remote),
            parent: None,
            name: None,
        };
        self.nodes.insert(id, node);
        Ok(id)
    }

    /// Removes the folders that are gone, unless the same batch says that they are there.
    fn remove(
        &mut self,
        tx: &Tx<'_>,
        batch: &HierarchyBatch,
        changed: &BTreeMap<&RemoteId, &RemoteFolder>,
    ) -> Result<()> {
        let mut gone: BTreeSet<RemoteId> = batch.removed.iter().cloned().collect();
        if batch.complete_list {
            gone.extend(self.by_remote.keys().cloned());
        }
        gone.retain(|id| !changed.contains_key(id));
        for remote in gone {
            if let Some(id) = self.by_remote.remove(&remote) {
                drop_folder(tx.conn, id, bump(tx.conn)?)?;
                self.nodes.remove(&id);
                self.removed = true;
            }
        }
        Ok(())
    }

    /// Gives every folder its place and its name.
    fn place(&mut self) -> Result<()> {
        let parents = self.parents();
        let mut siblings: BTreeMap<Option<i64>, Vec<Sibling<'_>>> = BTreeMap::new();
        for (id, node) in &self.nodes {
            let parent = parents.get(id).copied().flatten();
            let here = node.parent == parent;
            siblings.entry(parent).or_default().push(Sibling {
                id: *id,
                wanted: node.remote.as_ref().map(|remote| &*remote.name),
                name: node.name.as_deref().filter(|_| here),
            });
        }
        let mut moved: Vec<(i64, Option<i64>, String)> = Vec::new();
        for (parent, siblings) in siblings {
            for (id, name) in names(&siblings) {
                let same = self
                    .nodes
                    .get(&id)
                    .is_some_and(|node| node.parent == parent && node.name.as_ref() == Some(&name));
                if !same {
                    moved.push((id, parent, name));
                }
            }
        }
        self.move_all(&moved)
    }

    /// Where every folder goes. One whose parent is not there goes to the top, and so does the first of a loop.
    fn parents(&self) -> HashMap<i64, Option<i64>> {
        let mut parents: HashMap<i64, Option<i64>> = self
            .nodes
            .iter()
            .map(|(id, node)| {
                let parent = match &node.remote {
                    Some(remote) => remote
                        .parent
                        .as_ref()
                        .and_then(|parent| self.by_remote.get(parent).copied()),
                    None => node.parent.filter(|parent| self.nodes.contains_key(parent)),
                };
                (*id, parent)
            })
            .collect();
        let mut rooted: HashSet<i64> = HashSet::new();
        for &id in self.nodes.keys() {
            let (mut path, mut next) = (HashSet::new(), Some(id));
            while let Some(at) = next.filter(|at| !rooted.contains(at)) {
                if !path.insert(at) {
                    parents.insert(at, None);
                    break;
                }
                next = parents.get(&at).copied().flatten();
            }
            rooted.extend(path);
        }
        parents
    }

    /// Two steps, so that folders can take each other's names.
    fn move_all(&mut self, moved: &[(i64, Option<i64>, String)]) -> Result<()> {
        let mut aside = self
            .conn
            .prepare_cached("UPDATE folders SET parent = NULL, name_lower = ?2 WHERE id = ?1")?;
        for (id, ..) in moved {
            aside.execute(params![id, format!("\u{1}{id}")])?;
        }
        let mut update = self.conn.prepare_cached(
            "UPDATE folders SET parent = ?2, name = ?3, name_lower = ?4 WHERE id = ?1",
        )?;
        for (id, parent, name) in moved {
            update.execute(params![id, parent, name, name.to_lowercase()])?;
            self.touched.trees.insert(*id);
        }
        Ok(())
    }
}
