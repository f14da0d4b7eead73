//! Short ways to the ROPs that most tests need.

use mapi_types::PropTag;
use mapi_wire::TaggedValue;
use mapi_wire::{
    Id, PropValue,
    fast_transfer::Event,
    ics::{Scope, State},
    rop::{
        GetPropertiesSpecific, OpenFolder, OpenMessage, Request, Response, SetProperties,
        SynchronizationConfigure, SynchronizationUploadStateStreamBegin,
        SynchronizationUploadStateStreamContinue, SynchronizationUploadStateStreamEnd, open_mode,
        send_options, synchronization_extra_flags as extra, synchronization_flags as flags,
    },
};

use super::client::Client;

/// What an index synchronization asks for.
pub(crate) const INDEX_FLAGS: u16 = flags::UNICODE
    | flags::READ_STATE
    | flags::NORMAL
    | flags::ONLY_SPECIFIED_PROPERTIES
    | flags::NO_FOREIGN_IDENTIFIERS;

impl Client {
    pub(crate) fn open_folder(&mut self, folder_id: Id, from: u32) -> u32 {
        let ask = OpenFolder {
            logon_id: 0,
            input: 0,
            output: 1,
            folder_id,
            open_mode_flags: 0,
        };
        self.good(ask, from).1
    }

    pub(crate) fn open_message(&mut self, folder_id: Id, message_id: Id, folder: u32) -> u32 {
        let ask = open_message(folder_id, message_id, open_mode::READ_WRITE);
        self.good(ask, folder).1
    }

    /// Properties of an object; none where the answer says why not.
    pub(crate) fn props(&mut self, object: u32, tags: &[u32]) -> Vec<Option<PropValue>> {
        let ask = GetPropertiesSpecific {
            logon_id: 0,
            input: 0,
            property_size_limit: 0,
            want_unicode: 1,
            property_tags: tags.iter().map(|tag| PropTag(*tag)).collect(),
        };
        match self.good(ask, object).0 {
            Response::GetPropertiesSpecific(got) => got
                .row
                .cells
                .iter()
                .map(|cell| cell.value().cloned())
                .collect(),
            response => panic!("{response:?}"),
        }
    }

    pub(crate) fn set_props(&mut self, object: u32, values: &[(u32, PropValue)]) {
        let values = values.iter().map(|(tag, value)| TaggedValue {
            tag: PropTag(*tag),
            value: value.clone(),
        });
        let ask = SetProperties {
            logon_id: 0,
            input: 0,
            property_values: values.collect(),
        };
        match self.good(ask, object).0 {
            Response::SetProperties(done) => assert_eq!(done.property_problems, []),
            response => panic!("{response:?}"),
        }
    }

    /// Synchronizes the messages of a folder from a state on.
    pub(crate) fn sync_contents(&mut self, folder: u32, state: &State) -> (Vec<Event>, State) {
        self.sync_with(folder, state, contents(INDEX_FLAGS, INDEX_TAGS))
    }

    /// Synchronizes the folders below a folder from a state on.
    pub(crate) fn sync_hierarchy(&mut self, folder: u32, state: &State) -> (Vec<Event>, State) {
        self.sync_with(folder, state, hierarchy())
    }

    pub(crate) fn sync_with(
        &mut self,
        folder: u32,
        state: &State,
        configure: SynchronizationConfigure,
    ) -> (Vec<Event>, State) {
        let scope = match configure.synchronization_type {
            SynchronizationConfigure::CONTENTS => Scope::Contents,
            _ => Scope::Hierarchy,
        };
        let (_, context) = self.good(configure, folder);
        self.upload_state(context, state, scope);
        let events = self.download(context);
        let after = events.iter().find_map(|event| match event {
            Event::State(props) => Some(State::from_properties(props).unwrap()),
            _ => None,
        });
        self.release(context);
        (events, after.unwrap())
    }

    pub(crate) fn upload_state(&mut self, context: u32, state: &State, scope: Scope) {
        let mut requests = Vec::new();
        for property in state.to_properties(scope) {
            let octets = property.as_octets().unwrap();
            requests.push(Request::from(SynchronizationUploadStateStreamBegin {
                logon_id: 0,
                input: 0,
                state_property: property.tag,
                transfer_buffer_size: octets.len() as u32,
            }));
            requests.push(Request::from(SynchronizationUploadStateStreamContinue {
                logon_id: 0,
                input: 0,
                stream_data: octets.into(),
            }));
            requests.push(Request::from(SynchronizationUploadStateStreamEnd {
                logon_id: 0,
                input: 0,
            }));
        }
        let (responses, _) = self.rops(requests, vec![context]);
        assert!(
            !responses
                .iter()
                .any(|one| matches!(one, Response::Failed(_))),
            "{responses:?}"
        );
    }

    pub(crate) fn release(&mut self, handle: u32) {
        let ask = mapi_wire::rop::Release {
            logon_id: 0,
            input: 0,
        };
        self.rops(vec![ask.into()], vec![handle]);
    }
}

pub(crate) fn open_message(folder_id: Id, message_id: Id, open_mode_flags: u8) -> OpenMessage {
    OpenMessage {
        logon_id: 0,
        input: 0,
        output: 1,
        code_page_id: 0x0fff,
        folder_id,
        open_mode_flags,
        message_id,
    }
}

/// Subject, flags, article number.
pub(crate) const INDEX_TAGS: &[u32] = &[0x0037_001f, 0x0e07_0003, 0x0e23_0003];

pub(crate) fn contents(synchronization_flags: u16, tags: &[u32]) -> SynchronizationConfigure {
    SynchronizationConfigure {
        logon_id: 0,
        input: 0,
        output: 1,
        synchronization_type: SynchronizationConfigure::CONTENTS,
        send_options: send_options::UNICODE
            | send_options::FORCE_UNICODE
            | send_options::RECOVER_MODE,
        synchronization_flags,
        restriction: None,
        synchronization_extra_flags: extra::EID | extra::CN | extra::MESSAGE_SIZE,
        property_tags: tags.iter().map(|tag| PropTag(*tag)).collect(),
    }
}

pub(crate) fn hierarchy() -> SynchronizationConfigure {
    SynchronizationConfigure {
        synchronization_type: SynchronizationConfigure::HIERARCHY,
        synchronization_flags: flags::UNICODE | flags::NO_FOREIGN_IDENTIFIERS,
        synchronization_extra_flags: extra::EID,
        ..contents(0, &[])
    }
}

/// The text of a property of a stream.
pub(crate) fn text(props: &[mapi_wire::fast_transfer::Property], tag: u32) -> Option<String> {
    let found = props.iter().find(|property| property.tag == PropTag(tag));
    found?.to_text(mapi_wire::code_page::CodePage::WESTERN)
}

/// The subjects of the messages that a synchronization brought.
pub(crate) fn subjects(events: &[Event]) -> Vec<String> {
    let subject = |event: &Event| match event {
        Event::Change(change) => text(&change.message.props, 0x0037_001f),
        _ => None,
    };
    events.iter().filter_map(subject).collect()
}

/// How many ids a synchronization said are gone.
pub(crate) fn gone(events: &[Event]) -> u64 {
    let count = |event: &Event| match event {
        Event::Deletions(props) => mapi_wire::ics::Deletions::from_properties(props)
            .unwrap()
            .all()
            .len(),
        _ => 0,
    };
    events.iter().map(count).sum()
}

/// How many messages a synchronization said were read, and how many were unread.
pub(crate) fn reads(events: &[Event]) -> (u64, u64) {
    let count = |event: &Event| match event {
        Event::ReadStates(props) => {
            let states = mapi_wire::ics::ReadStates::from_properties(props).unwrap();
            Some((states.read.len(), states.unread.len()))
        }
        _ => None,
    };
    events.iter().find_map(count).unwrap_or_default()
}
