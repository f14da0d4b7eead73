//! What a synchronization brings: the difference between what a client says it has and what there is.
//! Source: MS-OXCFXICS 3.2.5.3, 3.2.5.5.

use std::{
    cmp::Reverse,
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use mapi_types::PropTag;
use mapi_wire::{
    Globcnt,
    fast_transfer::{Event, Property},
    ics::{CnSet, Deletions, Globset, IdSet, Progress, Range, ReadStates, Scope, State},
    restriction::Restriction,
    rop::synchronization_flags as sync_flags,
};

use super::{
    call::Call,
    objects::{Object, Piece, Source, Style, Sync, SyncScope, SyncStates},
    stream_value::to_stream,
};
use crate::{
    config::Manners,
    model::{
        condition::{MessageSubject, meets},
        error::{Code, Result},
        folder::Folder,
        folder_props as folder_properties,
        ids::{Fid, OWN_REPLID, own_id},
        mailbox::{Mailbox, MailboxKind},
        message::Message,
        tags,
    },
};

/// Begins the download of a synchronization whose state is complete.
pub(crate) fn begin_download(call: &mut Call<'_>, slot: u8) -> Result<()> {
    let (handle, entry) = call.entry(slot)?;
    let Object::Sync(sync) = &entry.object else {
        return Ok(());
    };
    if sync.upload.open.is_some() {
        return Err(Code::FAILED);
    }
    let mailbox = call.organisation.mailbox(&entry.mailbox)?;
    let plan = Plan {
        mailbox,
        folder: mailbox.folder(sync.fid).map_err(|_| Code::OBJECT_DELETED)?,
        state: &sync.upload.state,
        manners: call.manners,
        user: call.user(),
    };
    let (pieces, after, scope) = plan.of(sync);
    let mut source = Source::new(pieces, sync.style.clone());
    source.states = Some(SyncStates {
        before: sync.upload.state.clone(),
        after,
        scope,
    });
    call.session.objects.get_mut(handle)?.object = Object::Source(Box::new(source));
    Ok(())
}

struct Plan<'a> {
    mailbox: &'a Mailbox,
    folder: &'a Folder,
    state: &'a State,
    manners: Manners,
    /// Who asks: what they may not see does not come.
    user: &'a str,
}

/// The pieces of a download and the state after it.
type Planned = (VecDeque<Piece>, State);

impl Plan<'_> {
    fn of(&self, sync: &Sync) -> (VecDeque<Piece>, State, Scope) {
        let (mut pieces, state, scope) = match &sync.scope {
            SyncScope::Hierarchy { no_deletions } => {
                let (pieces, state) = self.hierarchy(*no_deletions, &sync.style);
                (pieces, state, Scope::Hierarchy)
            }
            SyncScope::Contents {
                flags,
                restriction,
                newest_first,
            } => {
                let contents = ContentsScope {
                    flags: *flags,
                    restriction: restriction.as_ref(),
                    newest_first: *newest_first,
                };
                let (pieces, state) = self.contents(&contents);
                (pieces, state, Scope::Contents)
            }
        };
        let state_properties = state.to_properties(scope);
        pieces.push_back(Piece::Event(Box::new(Event::State(state_properties))));
        pieces.push_back(Piece::Event(Box::new(Event::SyncEnd)));
        (pieces, state, scope)
    }

    fn contents(&self, scope: &ContentsScope<'_>) -> Planned {
        let all = scope.of(self.mailbox, self.folder);
        let public = self.mailbox.kind == MailboxKind::Public;
        let forgets = public && self.manners.forgets_public_folders;
        let mut given = self.own(&self.state.idset_given);
        let mut after = self.state.clone();
        let is_new = |message: &&Arc<Message>| {
            let seen = match message.associated {
                true => &self.state.cnset_seen_associated,
                false => &self.state.cnset_seen,
            };
            let cn = self.mailbox.gid(message.cn.0);
            forgets || !given.contains(Globcnt::from_u64(message.mid.0)) || !seen.contains(cn)
        };
        let (mut new, old): (Vec<_>, Vec<_>) = all.iter().partition(is_new);
        if scope.newest_first {
            let time = |message: &&Arc<Message>| {
                let props = &message.content.props;
                let time = props.time(tags::MESSAGE_DELIVERY_TIME);
                Reverse(time.or_else(|| props.time(tags::LAST_MODIFICATION_TIME)))
            };
            new.sort_by_key(time);
        }
        let mut pieces = VecDeque::new();
        if scope.flags & sync_flags::PROGRESS != 0 {
            pieces.push_back(Piece::Event(Box::new(Event::Progress(progress(&new)))));
        }
        let reads = self.reads(scope, &old);
        pieces.extend(new.iter().map(|message| Piece::Change(Arc::clone(message))));
        let present: Globset = all
            .iter()
            .map(|message| Globcnt::from_u64(message.mid.0))
            .collect();
        let again = given.clone();
        given.subtract(&present);
        let mut gone = self.gone(scope, &given);
        if forgets {
            gone.deleted = again
                .iter()
                .map(|counter| own_id(counter.to_u64()))
                .collect();
        }
        if !gone.all().is_empty() {
            let event = Event::Deletions(gone.to_properties());
            pieces.push_back(Piece::Event(Box::new(event)));
        }
        if !(reads.read.is_empty() && reads.unread.is_empty()) {
            let event = Event::ReadStates(reads.to_properties());
            pieces.push_back(Piece::Event(Box::new(event)));
        }
        self.advance(&mut after, &all, &gone, scope.flags);
        (pieces, after)
    }

    /// Of what the client has and this mailbox gave it.
    fn own(&self, set: &IdSet) -> Globset {
        set.get(self.mailbox.replica).cloned().unwrap_or_default()
    }

    /// What the client has and shall not keep.
    fn gone(&self, scope: &ContentsScope<'_>, missing: &Globset) -> Deletions {
        let mut gone = Deletions::default();
        if scope.flags & sync_flags::NO_DELETIONS != 0 {
            return gone;
        }
        for counter in missing.iter() {
            let id = own_id(counter.to_u64());
            match self
                .folder
                .message(crate::model::ids::Mid(counter.to_u64()))
            {
                // A message of the kind that was not asked for says nothing.
                Some(message) if !scope.shows(message.associated) => {}
                Some(_) if scope.flags & sync_flags::IGNORE_NO_LONGER_IN_SCOPE != 0 => {}
                Some(_) => {
                    gone.no_longer_in_scope.insert(id);
                }
                None => {
                    gone.deleted.insert(id);
                }
            }
        }
        gone
    }

    /// Messages of which only the read state changed.
    fn reads(&self, scope: &ContentsScope<'_>, old: &[&Arc<Message>]) -> ReadStates {
        let mut reads = ReadStates::default();
        if scope.flags & sync_flags::READ_STATE == 0 {
            return reads;
        }
        for message in old
            .iter()
            .filter(|message| !message.associated && message.read_cn.0 > 0)
        {
            if !self
                .state
                .cnset_read
                .contains(self.mailbox.gid(message.read_cn.0))
            {
                match message.read {
                    true => reads.read.insert(own_id(message.mid.0)),
                    false => reads.unread.insert(own_id(message.mid.0)),
                };
            }
        }
        reads
    }

    /// Makes a state that of a client which got everything.
    fn advance(&self, after: &mut State, all: &[Arc<Message>], gone: &Deletions, flags: u16) {
        let replica = self.mailbox.replica;
        let mut lost = IdSet::new();
        if let Some(counters) = gone.all().get(OWN_REPLID) {
            for range in counters.ranges() {
                lost.insert_range(replica, *range);
            }
        }
        after.note_gone(&lost);
        for message in all {
            after.idset_given.insert(self.mailbox.gid(message.mid.0));
            let cn = self.mailbox.gid(message.cn.0);
            match message.associated {
                true => after.cnset_seen_associated.insert(cn),
                false => after.cnset_seen.insert(cn),
            };
            if message.read_cn.0 > 0 && flags & sync_flags::READ_STATE != 0 {
                after.cnset_read.insert(self.mailbox.gid(message.read_cn.0));
            }
        }
        let wider = [
            (flags & sync_flags::NORMAL != 0, &mut after.cnset_seen),
            (
                flags & sync_flags::FAI != 0,
                &mut after.cnset_seen_associated,
            ),
            (flags & sync_flags::READ_STATE != 0, &mut after.cnset_read),
        ];
        for (asked, set) in wider {
            if asked && self.manners.widens_sets {
                self.widen(set);
            }
        }
    }

    /// Adds all numbers so far: whatever changes later has a higher one.
    fn widen(&self, set: &mut CnSet) {
        if let Some(range) = Range::new(1, self.mailbox.last_counter()) {
            set.insert_range(self.mailbox.replica, range);
        }
    }

    fn hierarchy(&self, no_deletions: bool, style: &Style) -> Planned {
        let mailbox = self.mailbox;
        let below = mailbox
            .descendants(self.folder.fid)
            .into_iter()
            .map(|(fid, _)| fid);
        let visible = |fid: &Fid| mailbox.rights(self.user, *fid).opens_folder();
        let below: Vec<_> = below.filter(visible).collect();
        let mut given = self.own(&self.state.idset_given);
        let mut after = self.state.clone();
        let mut pieces = VecDeque::new();
        for folder in below.iter().filter_map(|fid| mailbox.folder(*fid).ok()) {
            let cn = mailbox.gid(folder.cn.0);
            let has = given.contains(Globcnt::from_u64(folder.fid.0));
            if !has || !self.state.cnset_seen.contains(cn) {
                let change = folder_change(mailbox, folder, self.folder.fid, style);
                pieces.push_back(Piece::Event(Box::new(Event::FolderChange(change))));
            }
            after.idset_given.insert(mailbox.gid(folder.fid.0));
            after.cnset_seen.insert(cn);
        }
        given.subtract(&below.iter().map(|fid| Globcnt::from_u64(fid.0)).collect());
        if !given.is_empty() && !no_deletions {
            let mut gone = Deletions::default();
            for counter in given.iter() {
                gone.deleted.insert(own_id(counter.to_u64()));
                after.idset_given.remove(mailbox.gid(counter.to_u64()));
            }
            pieces.push_back(Piece::Event(Box::new(Event::Deletions(
                gone.to_properties(),
            ))));
        }
        if self.manners.widens_sets {
            self.widen(&mut after.cnset_seen);
        }
        (pieces, after)
    }
}

/// Which messages of a folder a synchronization is about.
struct ContentsScope<'a> {
    flags: u16,
    restriction: Option<&'a Restriction>,
    newest_first: bool,
}

impl ContentsScope<'_> {
    const fn shows(&self, associated: bool) -> bool {
        let flag = match associated {
            true => sync_flags::FAI,
            false => sync_flags::NORMAL,
        };
        self.flags & flag != 0
    }

    fn of(&self, mailbox: &Mailbox, folder: &Folder) -> Vec<Arc<Message>> {
        let wanted = |message: &&Arc<Message>| {
            let meets = |restriction| meets(&MessageSubject(mailbox, message), restriction);
            self.shows(message.associated) && self.restriction.is_none_or(meets)
        };
        folder.all().filter(wanted).cloned().collect()
    }
}

fn progress(new: &[&Arc<Message>]) -> Vec<Property> {
    let mut progress = Progress::default();
    for message in new {
        let (count, octets) = match message.associated {
            true => (
                &mut progress.associated_count,
                &mut progress.associated_octets,
            ),
            false => (&mut progress.normal_count, &mut progress.normal_octets),
        };
        *count += 1;
        *octets += message.size as u64;
    }
    progress.to_properties()
}

/// A folder of a synchronization. Source: MS-OXCFXICS 2.2.4.3.5.
fn folder_change(mailbox: &Mailbox, folder: &Folder, root: Fid, style: &Style) -> Vec<Property> {
    let parent = match folder.parent {
        Some(parent) if parent != root => mailbox.gid(parent.0).to_bytes().to_vec(),
        _ => Vec::new(),
    };
    let modified = folder
        .props
        .time(tags::LAST_MODIFICATION_TIME)
        .unwrap_or_default();
    let name = folder.props.get(tags::DISPLAY_NAME);
    let name =
        name.and_then(|name| to_stream(tags::DISPLAY_NAME, name, &mailbox.named, style.unicode));
    let mut props = vec![
        Property::binary(tags::PARENT_SOURCE_KEY.0, &parent),
        Property::binary(tags::SOURCE_KEY.0, &mailbox.gid(folder.fid.0).to_bytes()),
        Property::i64(tags::LAST_MODIFICATION_TIME.0, modified as i64),
        Property::binary(tags::CHANGE_KEY.0, &folder.change_key.to_bytes()),
        Property::binary(
            tags::PREDECESSOR_CHANGE_LIST.0,
            &folder.predecessors.to_bytes(),
        ),
    ];
    props.extend(name);
    let id = |tag: PropTag, fid: Fid| Property::i64(tag.0, fid.to_wire().to_u64() as i64);
    if style.with_id {
        props.push(id(tags::FOLDER_ID, folder.fid));
        props.extend(
            folder
                .parent
                .map(|parent| id(tags::PARENT_FOLDER_ID, parent)),
        );
    }
    let others = folder_props(mailbox, folder, style);
    let in_header = |property: &Property| FOLDER_HEADER.contains(&property.tag);
    props.extend(others.into_iter().filter(|property| !in_header(property)));
    props
}

/// Computed properties of a folder that come with it.
const FOLDER_COMPUTED: [PropTag; 6] = [
    tags::FOLDER_TYPE,
    tags::ACCESS,
    tags::RIGHTS,
    tags::CONTENT_COUNT,
    tags::CONTENT_UNREAD_COUNT,
    tags::SUBFOLDERS,
];

/// Properties of a folder that the head of its change has already.
const FOLDER_HEADER: [PropTag; 2] = [tags::DISPLAY_NAME, tags::LAST_MODIFICATION_TIME];

/// The properties of a folder.
pub(crate) fn folder_props(mailbox: &Mailbox, folder: &Folder, style: &Style) -> Vec<Property> {
    let named: HashSet<u16> = style.tags.iter().map(|tag| tag.id()).collect();
    let tags = mailbox.folder_tags(folder).into_iter().filter(|tag| {
        let shown = !folder_properties::is_computed(*tag) || FOLDER_COMPUTED.contains(tag);
        shown && named.contains(&tag.id()) == style.only
    });
    let property = |tag| {
        let value = mailbox.folder_prop(folder, &mailbox.key, tag)?;
        to_stream(tag, &value, &mailbox.named, style.unicode)
    };
    tags.filter_map(property).collect()
}
