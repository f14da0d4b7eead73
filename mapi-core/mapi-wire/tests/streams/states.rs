//! States of clients, and what a server makes of them.

use std::collections::HashSet;

use mapi_wire::{
    Gid, Globcnt, Guid,
    fast_transfer::{Property, meta},
    ics::{Audience, Difference, Scope, State, Version},
};
use proptest::prelude::*;

fn gid(counter: u64) -> Gid {
    Gid {
        replguid: Guid([7; 16]),
        globcnt: Globcnt::from_u64(counter),
    }
}

fn state() -> State {
    State {
        idset_given: [gid(1)].into_iter().collect(),
        cnset_seen: [gid(2)].into_iter().collect(),
        cnset_seen_associated: [gid(3)].into_iter().collect(),
        cnset_read: [gid(4)].into_iter().collect(),
    }
}

#[test]
fn a_state_is_four_properties_and_two_for_folders() {
    let props = state().to_properties(Scope::Contents);
    let tags: Vec<u32> = props.iter().map(|property| property.tag.0).collect();
    assert_eq!(tags, [0x4017_0003, 0x6796_0102, 0x67da_0102, 0x67d2_0102]);
    let first = [&[7; 16][..], &[6, 0, 0, 0, 0, 0, 1, 0]].concat();
    assert_eq!(props[0].as_octets(), Some(first.as_slice()));
    assert_eq!(State::from_properties(&props), Ok(state()));
    assert_eq!(state().to_properties(Scope::Hierarchy), props[..2]);
}

#[test]
fn a_state_comes_property_by_property_as_well() {
    let mut uploaded = State::new();
    for property in state().to_properties(Scope::Contents) {
        let octets = property.as_octets().unwrap();
        assert_eq!(uploaded.set(property.tag, octets), Ok(true));
    }
    assert_eq!(uploaded, state());
    assert_eq!(uploaded.set(meta::IDSET_DELETED, &[]), Ok(false));
    assert!(uploaded.set(meta::CNSET_READ, &[1]).is_err());
}

/// Some write the type that the value has.
#[test]
fn the_given_ids_may_come_with_either_type() {
    let octets = state().idset_given.to_bytes();
    let props = [Property::binary(meta::IDSET_GIVEN_BINARY.0, &octets)];
    let given = State::from_properties(&props).unwrap().idset_given;
    assert_eq!(given, state().idset_given);
}

#[test]
fn a_broken_synchronization_goes_on_where_it_was() {
    let mut noted = State::new();
    noted.note_change(gid(1), gid(2), Audience::People);
    noted.note_change(gid(5), gid(3), Audience::Programs);
    noted.note_gone(&[gid(5)].into_iter().collect());
    noted.note_read(&[gid(4)].into_iter().collect());
    assert_eq!(noted, state());
}

/// What happens to a folder between two synchronizations.
#[derive(Clone, Debug)]
enum Step {
    Create(bool),
    Change(usize),
    Read(usize),
    Delete(usize),
    Synchronize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => any::<bool>().prop_map(Step::Create),
        3 => any::<usize>().prop_map(Step::Change),
        3 => any::<usize>().prop_map(Step::Read),
        2 => any::<usize>().prop_map(Step::Delete),
        2 => Just(Step::Synchronize),
    ];
    prop::collection::vec(step, 0..80)
}

/// A folder on a server and a client that follows it.
#[derive(Default)]
struct Folder {
    objects: Vec<Version>,
    last: u64,
    state: State,
    /// What the client has: object, change, read change.
    client: HashSet<(Gid, Gid, Option<Gid>)>,
}

impl Folder {
    fn next(&mut self) -> Gid {
        self.last += 1;
        gid(self.last)
    }

    fn step(&mut self, step: &Step) {
        let count = self.objects.len().max(1);
        match step {
            Step::Create(for_people) => {
                let (id, change) = (self.next(), self.next());
                self.objects.push(Version {
                    id,
                    change,
                    read_change: None,
                    audience: if *for_people {
                        Audience::People
                    } else {
                        Audience::Programs
                    },
                });
            }
            Step::Change(which) => {
                let change = self.next();
                if let Some(object) = self.objects.get_mut(which % count) {
                    object.change = change;
                }
            }
            Step::Read(which) => {
                let change = self.next();
                if let Some(object) = self.objects.get_mut(which % count) {
                    object.read_change = Some(change);
                }
            }
            Step::Delete(which) if !self.objects.is_empty() => {
                self.objects.remove(which % count);
            }
            Step::Delete(_) => {}
            Step::Synchronize => self.synchronize(),
        }
    }

    fn synchronize(&mut self) {
        let difference = Difference::new(&self.state, &self.objects);
        self.client
            .retain(|(id, ..)| !difference.gone.contains(*id));
        for place in difference.changed.iter().chain(&difference.read) {
            let object = self.objects[*place];
            self.client.retain(|(id, ..)| *id != object.id);
            self.client
                .insert((object.id, object.change, object.read_change));
        }
        // MS-OXCFXICS 3.2.5.3: what the lists of one stream must not do.
        for place in &difference.changed {
            assert!(!difference.gone.contains(self.objects[*place].id));
        }
        for place in &difference.read {
            assert!(self.state.idset_given.contains(self.objects[*place].id));
            assert!(!difference.changed.contains(place));
        }
        self.state = difference.state;
    }
}

proptest! {
    #[test]
    fn a_client_that_follows_has_what_the_server_has(steps in steps()) {
        let mut folder = Folder::default();
        steps.iter().for_each(|step| folder.step(step));
        folder.synchronize();
        let server = folder.objects.iter();
        let server = server.map(|object| (object.id, object.change, object.read_change));
        prop_assert_eq!(&folder.client, &server.collect::<HashSet<_>>());
        let again = Difference::new(&folder.state, &folder.objects);
        prop_assert!(again.changed.is_empty() && again.read.is_empty() && again.gone.is_empty());
        prop_assert_eq!(again.state, folder.state);
    }
}
