//! The folder tree by incremental synchronization. Source: MS-OXCFXICS 2.2.4.3.9 (hierarchySync).

use mapi_types::{PropBag, PropTag, tags};
use mapi_wire::{
    DecodeError, Gid,
    fast_transfer::Event,
    ics::{Deletions, FolderHeader, Scope, State},
    rop::{
        SynchronizationConfigure, send_options, synchronization_extra_flags, synchronization_flags,
    },
};

use super::{
    Download, FOLDERS_MAX, Remote,
    download::{HIERARCHY_LIMITS, SOURCE},
};
use crate::{
    fault::{Fault, Result},
    message::{SESSION_PAGE, bag},
    session::Batch,
    values::Names,
};

/// What a synchronization of the tree brought.
#[derive(Debug, Default)]
pub(crate) struct HierarchyPart {
    /// New and changed folders; parents come before their children.
    pub(crate) changed: Vec<FolderRow>,
    /// Folders that are gone.
    pub(crate) removed: Vec<Gid>,
    /// What has been seen now.
    pub(crate) state: State,
}

/// A folder as the server has it.
#[derive(Clone, Debug)]
pub(crate) struct FolderRow {
    pub(crate) gid: Gid,
    /// `None`: the top.
    pub(crate) parent: Option<Gid>,
    pub(crate) name: String,
    pub(crate) class: String,
    pub(crate) hidden: bool,
    pub(crate) props: PropBag,
}

/// Properties of folders that a mirror keeps.
const KEPT: [PropTag; 2] = [tags::COMMENT.tag(), tags::LAST_MODIFICATION_TIME.tag()];

impl Remote {
    /// What changed in the tree below the folder whose children people see.
    pub(crate) async fn hierarchy(&self, state: State) -> Result<HierarchyPart> {
        let given = state.idset_given.clone();
        let seen = (state, Scope::Hierarchy);
        let session = &self.sessions.back;
        let how = (Some(seen), HIERARCHY_LIMITS);
        let mut download = Download::start(self, session, how, |logon, batch| {
            let input = batch.open_folder(logon.top());
            configure(batch, input);
        })
        .await?;
        let mut part = HierarchyPart::default();
        while let Some(event) = download.next().await? {
            match event {
                Event::FolderChange(_) if part.changed.len() >= FOLDERS_MAX => {
                    return Err(Fault::Malformed(DecodeError {
                        at: part.changed.len(),
                        expected: "no more folders than a mailbox may have",
                    }));
                }
                Event::FolderChange(props) => part.changed.extend(row(&props)?),
                Event::Deletions(props) => {
                    let gone = Deletions::from_properties(&props)?.all();
                    part.removed.extend(self.gids(&gone, &given).await?);
                }
                Event::State(props) => part.state = State::from_properties(&props)?,
                _ => {}
            }
        }
        Ok(part)
    }
}

fn configure(batch: &mut Batch, input: u8) {
    let output = batch.slot();
    debug_assert_eq!(output, SOURCE);
    batch.push(SynchronizationConfigure {
        logon_id: batch.logon_id,
        input,
        output,
        synchronization_type: SynchronizationConfigure::HIERARCHY,
        send_options: send_options::UNICODE | send_options::FORCE_UNICODE,
        synchronization_flags: synchronization_flags::UNICODE
            | synchronization_flags::NO_FOREIGN_IDENTIFIERS,
        restriction: None,
        synchronization_extra_flags: synchronization_extra_flags::EID,
        property_tags: Vec::new(),
    });
}

/// A folder; `None` for one whose source key no server made, which no later change could name.
fn row(props: &[mapi_wire::fast_transfer::Property]) -> Result<Option<FolderRow>> {
    let header = FolderHeader::from_properties(props, SESSION_PAGE)?;
    let Some(gid) = Gid::from_bytes(&header.identity.source_key) else {
        return Ok(None);
    };
    let place = (gid, Gid::from_bytes(&header.parent_source_key));
    let known = bag(props, &Names::default());
    Ok(Some(FolderRow::of(place, header.display_name, &known)))
}

impl FolderRow {
    /// A folder that has these properties.
    pub(super) fn of((gid, parent): (Gid, Option<Gid>), name: String, known: &PropBag) -> Self {
        let kept = known.iter().filter(|(tag, _)| KEPT.contains(tag));
        Self {
            gid,
            parent,
            name,
            class: known
                .get(&tags::CONTAINER_CLASS)
                .unwrap_or_default()
                .to_owned(),
            hidden: known.get(&tags::ATTRIBUTE_HIDDEN) == Some(true),
            props: kept.map(|(tag, value)| (tag, value.to_owned())).collect(),
        }
    }
}
