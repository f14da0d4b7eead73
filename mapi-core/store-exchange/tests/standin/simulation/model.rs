//! What must be true of a mailbox, as far as answers and lost answers let anybody know.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

/// A message by the number in its subject; its copies have the same.
pub(super) type Token = u32;

/// A folder by its place among those of the simulation.
pub(super) type Place = usize;

/// One of the copies of a message.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) token: Token,
    /// Where it may be; `None`: nowhere. It is in one of them.
    pub(super) places: Vec<Option<Place>>,
    /// The number it was seen under, as long as it has not left that folder and nobody edited it.
    pub(super) number: Option<(Place, u32)>,
    /// Somebody else edited or marked it, and nobody knows whether the mirror has heard of it.
    pub(super) touched: bool,
    /// Whether it is read; `None`: nobody knows.
    pub(super) read: Option<bool>,
    /// Whether it is flagged.
    pub(super) flagged: Option<bool>,
}

impl Copy {
    pub(super) fn is_certainly(&self, place: Place) -> bool {
        self.places == [Some(place)]
    }

    pub(super) fn may_be(&self, place: Place) -> bool {
        self.places.contains(&Some(place))
    }

    pub(super) fn is_now(&mut self, place: Option<Place>) {
        self.leave_number(place);
        self.places = vec![place];
    }

    pub(super) fn is_perhaps(&mut self, place: Option<Place>) {
        self.leave_number(place);
        if !self.places.contains(&place) {
            self.places.push(place);
        }
    }

    /// What comes to a folder has another number there than before.
    fn leave_number(&mut self, place: Option<Place>) {
        if place.is_some() && place == self.number.map(|(place, _)| place) {
            self.number = None;
        }
    }
}

/// A message as a folder shows it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Seen {
    pub(super) token: Token,
    pub(super) read: bool,
    pub(super) flagged: bool,
}

/// All copies, and what was ever seen.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) copies: Vec<Copy>,
    /// The octets of what was stored through the gateway.
    pub(super) originals: BTreeMap<Token, Bytes>,
    /// What each number stood for.
    pub(super) numbers: BTreeMap<(Place, u32), Token>,
    /// What was done with which message, for who looks for the reason of a failure.
    pub(super) story: Vec<(Token, String)>,
    /// What others edited.
    pub(super) edited: BTreeSet<Token>,
    /// Where others have taken messages away, and the mirror may not have heard of it.
    pub(super) left: BTreeSet<(Token, Place)>,
    /// The octets that were read under a number.
    pub(super) octets: BTreeMap<(Place, u32), Bytes>,
}

impl Model {
    /// Notes what was done with a message.
    pub(super) fn tell(&mut self, token: Token, what: impl std::fmt::Debug) {
        self.story.push((token, format!("{what:?}")));
    }

    /// What was done with a message.
    pub(super) fn story_of(&self, token: Token) -> Vec<&str> {
        let story = self.story.iter().filter(|(of, _)| *of == token);
        story.map(|(_, what)| what.as_str()).collect()
    }

    pub(super) fn copy_in(&mut self, token: Token, place: Place) -> Option<&mut Copy> {
        let mut copies = self.copies.iter_mut();
        copies.find(|copy| copy.token == token && copy.may_be(place))
    }

    pub(super) fn may_be_in(&self, token: Token, place: Place) -> bool {
        let mut copies = self.copies.iter();
        copies.any(|copy| copy.token == token && copy.may_be(place))
    }

    /// A number is seen: it stands for what it always stood for.
    pub(super) fn see(&mut self, place: Place, number: u32, token: Token) {
        let known = *self.numbers.entry((place, number)).or_insert(token);
        assert_eq!(known, token, "number {number} of folder {place} was reused");
        let story = format!("{:?}", self.story_of(token));
        // One that others took away may still be shown, beside another that has come.
        if self.left.contains(&(token, place)) {
            return;
        }
        let mut copies = self.copies.iter_mut();
        let copy = copies.find(|copy| copy.token == token && copy.may_be(place));
        let Some(copy) = copy else {
            panic!("message {token} is in folder {place}: {story}");
        };
        match copy.number {
            _ if copy.touched => {}
            Some((at, known)) if at == place => {
                assert_eq!(
                    known, number,
                    "message {token} in {place} was renumbered: {story}"
                );
            }
            _ => copy.number = Some((place, number)),
        }
    }

    /// Octets are read under a number: they are what they always were.
    pub(super) fn read(&mut self, (place, number): (Place, u32), token: Token, octets: &Bytes) {
        let known = self.octets.entry((place, number));
        let known = known.or_insert_with(|| octets.clone());
        assert!(
            known == octets,
            "number {number} of folder {place}: {known:?} has become {octets:?}"
        );
        if let Some(original) = self.originals.get(&token) {
            assert!(
                original == octets,
                "message {token} is {octets:?} instead of {original:?}: {:?}",
                self.story_of(token)
            );
        }
    }

    /// Compares with what is there, and takes over what was not known.
    pub(super) fn settle(&mut self, there: &[Vec<Seen>]) {
        self.left.clear();
        let all = &self.story;
        let story = |token: Token| {
            let story = all.iter().filter(|(of, _)| *of == token);
            story.map(|(_, what)| what.as_str()).collect::<Vec<_>>()
        };
        for copy in &mut self.copies {
            let places = copy.places.iter().flatten();
            let found: Vec<_> = places
                .flat_map(|place| {
                    let all = there.get(*place).into_iter().flatten();
                    all.map(|seen| (*place, seen))
                })
                .filter(|(_, seen)| seen.token == copy.token)
                .collect();
            let may_be_gone = copy.places.contains(&None);
            match found.as_slice() {
                [] => assert!(may_be_gone, "lost: {copy:?} {:?}", story(copy.token)),
                [(place, seen)] => {
                    assert!(!copy.places.iter().all(Option::is_none), "back: {copy:?}");
                    for (known, seen) in [(copy.read, seen.read), (copy.flagged, seen.flagged)] {
                        let fair = known.is_none_or(|known| known == seen);
                        assert!(fair, "{copy:?} {seen} {:?}", story(copy.token));
                    }
                    (copy.read, copy.flagged) = (Some(seen.read), Some(seen.flagged));
                    copy.places = vec![Some(*place)];
                    // What was edited gets its new number when it is fetched.
                    copy.touched = self.edited.contains(&copy.token);
                    continue;
                }
                more => panic!("doubled: {copy:?} {more:?} {:?}", story(copy.token)),
            }
            copy.places = vec![None];
        }
        for (place, seen) in there.iter().enumerate() {
            for seen in seen {
                let expected = self.may_be_in(seen.token, place);
                let story = self.story_of(seen.token);
                assert!(expected, "{seen:?} in {place}: {story:?}");
            }
        }
        self.copies.retain(|copy| copy.places != [None]);
    }
}
