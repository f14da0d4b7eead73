//! Making, changing, moving and deleting folders.

use mapi_wire::PropValue;

use super::{
    change::{Predecessors, Xid},
    error::{Code, Result},
    event::{Event, Happening, OldPlace},
    folder::{Folder, FolderKind, NewFolder},
    ids::Fid,
    mailbox::Mailbox,
    permission::Rights,
    props::Props,
    tags,
};

/// A folder to be made.
pub struct FolderPlan<'a> {
    /// The folder it will be in.
    pub parent: Fid,
    /// Its name.
    pub name: &'a str,
    /// Whether it is a search folder.
    pub search: bool,
    /// Who makes it: the key of a user, who becomes its owner.
    pub creator: &'a str,
    /// Its id, when a client chose it.
    pub fid: Option<Fid>,
}

/// The version that a client says an object has.
#[derive(Clone, Debug)]
pub struct Version {
    /// The identifier of the change.
    pub change_key: Xid,
    /// The versions it came after.
    pub predecessors: Predecessors,
    /// When it was made.
    pub modified: u64,
}

impl Mailbox {
    /// Makes a folder. It has the permissions of its parent, and its maker owns it.
    pub fn create_folder(&mut self, plan: &FolderPlan<'_>) -> Result<Fid> {
        if plan.name.is_empty() {
            return Err(Code::INVALID_PARAMETER);
        }
        if self.child_named(plan.parent, plan.name).is_some() {
            return Err(Code::DUPLICATE_NAME);
        }
        let mut permissions = self.folder(plan.parent)?.permissions.clone();
        if !self.is_owner(plan.creator) {
            permissions.grant(plan.creator, Rights::ALL);
        }
        let fid = plan.fid.unwrap_or_else(|| Fid(self.take_counter()));
        let (cn, change_key) = self.take_change();
        let now = self.clock.now();
        let kind = match plan.search {
            true => FolderKind::Search,
            false => FolderKind::Generic,
        };
        let new = NewFolder {
            fid,
            parent: Some(plan.parent),
            kind,
            cn,
            change_key,
        };
        let mut folder = Folder::new(new, permissions);
        folder.describe(plan.name, "");
        folder.props.set(tags::CREATION_TIME, PropValue::Time(now));
        folder
            .props
            .set(tags::LAST_MODIFICATION_TIME, PropValue::Time(now));
        folder.committed = now;
        self.folders.insert(fid, folder);
        self.hierarchy_changed(Some(plan.parent));
        self.events
            .push(Event::folder(Happening::Created, fid, Some(plan.parent)));
        Ok(fid)
    }

    /// The folder of this name in a folder; letter case does not count.
    pub fn child_named(&self, parent: Fid, name: &str) -> Option<Fid> {
        let name = name.to_lowercase();
        let mut children = self.children(parent);
        children
            .find(|child| child.name().to_lowercase() == name)
            .map(|child| child.fid)
    }

    /// Sets and removes properties of a folder, as one change of it.
    pub fn change_folder(
        &mut self,
        fid: Fid,
        set: Props,
        remove: &[mapi_types::PropTag],
    ) -> Result<()> {
        let parent = self.folder(fid)?.parent;
        if let (Some(name), Some(parent)) = (set.text(tags::DISPLAY_NAME), parent) {
            let other = self.child_named(parent, &name);
            if name.is_empty() || other.is_some_and(|other| other != fid) {
                return Err(Code::DUPLICATE_NAME);
            }
        }
        let folder = self.folder_mut(fid)?;
        folder
            .props
            .extend(set.iter().map(|(tag, value)| (tag, value.clone())));
        for tag in remove {
            folder.props.remove(*tag);
        }
        self.touch_folder(fid)?;
        self.events
            .push(Event::folder(Happening::Modified, fid, parent));
        Ok(())
    }

    /// Gives a folder a new change.
    pub fn touch_folder(&mut self, fid: Fid) -> Result<()> {
        let (cn, change_key) = self.take_change();
        let now = self.clock.now();
        let folder = self.folder_mut(fid)?;
        folder.cn = cn;
        folder.predecessors.add(&change_key);
        folder.change_key = change_key;
        folder
            .props
            .set(tags::LAST_MODIFICATION_TIME, PropValue::Time(now));
        folder.committed = now;
        let parent = folder.parent;
        self.hierarchy_changed(parent);
        Ok(())
    }

    /// Gives a folder the version a client says it has; the server numbers it all the same.
    pub fn adopt_folder_version(&mut self, fid: Fid, version: &Version) -> Result<()> {
        let (cn, _) = self.take_change();
        let folder = self.folder_mut(fid)?;
        folder.cn = cn;
        folder.change_key = version.change_key.clone();
        folder.predecessors = version.predecessors.clone();
        folder.props.set(
            tags::LAST_MODIFICATION_TIME,
            PropValue::Time(version.modified),
        );
        Ok(())
    }

    /// Moves a folder into another, under another name.
    pub fn move_folder(&mut self, fid: Fid, target: Fid, name: &str) -> Result<()> {
        if self.special.contains(fid) {
            return Err(Code::ACCESS_DENIED);
        }
        self.folder(target)?;
        if fid == target
            || self
                .descendants(fid)
                .iter()
                .any(|(below, _)| *below == target)
        {
            return Err(Code::FOLDER_CYCLE);
        }
        if self
            .child_named(target, name)
            .is_some_and(|other| other != fid)
        {
            return Err(Code::DUPLICATE_NAME);
        }
        let folder = self.folder_mut(fid)?;
        let old_parent = folder.parent.replace(target);
        folder.props.set_text(tags::DISPLAY_NAME, name);
        self.touch_folder(fid)?;
        self.hierarchy_changed(old_parent);
        let mut event = Event::folder(Happening::Moved, fid, Some(target));
        event.old = Some(OldPlace {
            folder: fid,
            message: None,
            parent: old_parent,
        });
        self.events.push(event);
        Ok(())
    }

    /// Copies a folder with its messages into another; with `recursive` also what is below it.
    pub fn copy_folder(&mut self, fid: Fid, plan: &FolderPlan<'_>, recursive: bool) -> Result<Fid> {
        let below = self.descendants(fid);
        if fid == plan.parent || below.iter().any(|(below, _)| *below == plan.parent) {
            return Err(Code::FOLDER_CYCLE);
        }
        let copy = self.create_folder(plan)?;
        let source = self.folder(fid)?;
        let mut props = source.props.clone();
        props.remove(tags::DISPLAY_NAME);
        let messages: Vec<_> = source.all().map(|message| message.mid).collect();
        self.change_folder(copy, props, &[])?;
        self.copy_messages(fid, copy, &messages, plan.creator)?;
        if recursive {
            let children: Vec<_> = self.children(fid).map(|c| (c.fid, c.name())).collect();
            for (child, name) in children {
                let plan = FolderPlan {
                    parent: copy,
                    name: &name,
                    search: false,
                    creator: plan.creator,
                    fid: None,
                };
                self.copy_folder(child, &plan, true)?;
            }
        }
        Ok(copy)
    }

    /// Deletes a folder with all that is in it.
    pub fn delete_folder(&mut self, fid: Fid) -> Result<()> {
        if self.special.contains(fid) {
            return Err(Code::ACCESS_DENIED);
        }
        let parent = self.folder(fid)?.parent;
        let mut doomed: Vec<_> = self
            .descendants(fid)
            .into_iter()
            .map(|(fid, _)| fid)
            .collect();
        doomed.insert(0, fid);
        for fid in doomed.into_iter().rev() {
            let Some(folder) = self.folders.remove(&fid) else {
                continue;
            };
            for message in folder.all() {
                self.places.remove(&message.mid);
                self.gone.insert(message.mid);
            }
            self.gone_folders.insert(fid);
            self.events
                .push(Event::folder(Happening::Deleted, fid, folder.parent));
        }
        self.hierarchy_changed(parent);
        Ok(())
    }

    /// Remembers that a folder was deleted that never was here.
    pub fn remember_folder_gone(&mut self, fid: Fid) {
        self.gone_folders.insert(fid);
    }

    fn hierarchy_changed(&mut self, parent: Option<Fid>) {
        self.hierarchy_generation += 1;
        let mut next = parent;
        while let Some(folder) = next.and_then(|fid| self.folders.get_mut(&fid)) {
            folder.hierarchy_changes += 1;
            next = folder.parent;
        }
    }
}
