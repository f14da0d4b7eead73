//! What a server has that a client has not. Source: MS-OXCFXICS 3.2.5.3.

use super::{
    id_set::IdSet,
    state::{Audience, State},
};
use crate::ids::Gid;

/// What a server knows of an object in a folder; enough to tell a client what is new.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Version {
    /// The object.
    pub id: Gid,
    /// Its last change.
    pub change: Gid,
    /// The last change of its read state alone, if there was one since.
    pub read_change: Option<Gid>,
    /// Who it is for; folders are for people.
    pub audience: Audience,
}

/// The way from the state of a client to what a server has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Difference {
    /// New and changed objects, as places in what was given.
    pub changed: Vec<usize>,
    /// Objects of which only the read state changed, as places in what was given.
    pub read: Vec<usize>,
    /// What the client has and the server has not. No list of deletions is needed for it.
    pub gone: IdSet,
    /// The state of the client after all that.
    pub state: State,
}

impl Difference {
    /// Compares a state with all objects of a folder.
    ///
    /// An object is new to the client unless it both has it and has seen its last change: an id may come back into
    /// scope without a change.
    pub fn new(state: &State, objects: &[Version]) -> Self {
        let mut gone = state.idset_given.clone();
        gone.subtract(&objects.iter().map(|object| object.id).collect());
        let mut difference = Self {
            state: state.clone(),
            gone,
            ..Self::default()
        };
        difference.state.note_gone(&difference.gone);
        for (place, object) in objects.iter().enumerate() {
            let has = state.idset_given.contains(object.id);
            if !has || !state.seen(object.audience).contains(object.change) {
                difference.changed.push(place);
            } else if object
                .read_change
                .is_some_and(|change| !state.cnset_read.contains(change))
            {
                difference.read.push(place);
            }
        }
        difference.advance(objects);
        difference
    }

    /// Makes the state that of a client which has all objects.
    fn advance(&mut self, objects: &[Version]) {
        let of = |audience| {
            objects
                .iter()
                .filter(move |object| object.audience == audience)
        };
        let changes = |audience| of(audience).map(|object| object.change).collect();
        let state = &mut self.state;
        state
            .idset_given
            .union(&objects.iter().map(|object| object.id).collect());
        state.cnset_seen.union(&changes(Audience::People));
        state
            .cnset_seen_associated
            .union(&changes(Audience::Programs));
        let reads = objects.iter().filter_map(|object| object.read_change);
        state.cnset_read.union(&reads.collect());
    }
}
