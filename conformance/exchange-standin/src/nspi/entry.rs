//! Entries of the address book and their properties. Source: MS-OXOABK 2.2, MS-OXNSPI 3.1.4.1.6, 3.1.4.1.7.

use mapi_types::PropTag;
use mapi_wire::{
    PropValue, Utf16,
    nspi::{
        Cell, CellState, GetPropList, GetProps, MId, PropList, Props as Listed, Row, Rows, Tagged,
    },
    restriction::Restriction,
    value::types,
};

use crate::{
    mapi_http::body,
    model::{
        condition::{Subject, meets},
        draft::search_key,
        error::Code,
        organisation::Organisation,
        props::{Props, as_type, type_of, type_of_value, with_type},
        tags,
        user::User,
    },
};

/// The code page of 8-bit strings.
pub(super) const CODE_PAGE: u32 = 1252;

/// The columns of rows when a client names none. Source: MS-OXNSPI 3.1.4.1.8.
pub(super) const DEFAULT_COLUMNS: [PropTag; 7] = [
    tags::INSTANCE_KEY,
    tags::OBJECT_TYPE,
    tags::DISPLAY_TYPE,
    tags::DISPLAY_NAME,
    tags::EMAIL_ADDRESS,
    tags::SMTP_ADDRESS,
    tags::ENTRY_ID,
];

/// PidTagObjectType: a mail user, a distribution list.
const MAIL_USER: i32 = 6;
const LIST: i32 = 8;

/// An entry as restrictions and rows ask it.
pub(super) struct Entry {
    user: User,
    props: Props,
}

impl Subject for Entry {
    fn prop(&self, tag: PropTag) -> Option<PropValue> {
        self.props.read(tag)
    }
}

impl Entry {
    /// The entry of somebody.
    pub(super) fn new(user: &User) -> Self {
        let mut props = Props::default();
        let words: Vec<_> = user.display_name.split_whitespace().collect();
        let texts = [
            (tags::DISPLAY_NAME, user.display_name.as_str()),
            (tags::TRANSMITTABLE_DISPLAY_NAME, user.display_name.as_str()),
            (tags::ADDRESS_TYPE, "EX"),
            (tags::EMAIL_ADDRESS, user.legacy_dn.as_str()),
            (tags::SMTP_ADDRESS, user.smtp.as_str()),
            (tags::ACCOUNT, user.key.as_str()),
            (tags::GIVEN_NAME, words.first().copied().unwrap_or_default()),
            (tags::SURNAME, words.last().copied().unwrap_or_default()),
            (
                tags::EMS_AB_HOME_MDB,
                "/o=Standin/cn=Servers/cn=site0/cn=Microsoft Private MDB",
            ),
        ];
        for (tag, text) in texts {
            props.set_text(tag, text);
        }
        let kind = if user.display_type() == 1 {
            LIST
        } else {
            MAIL_USER
        };
        props.set(tags::OBJECT_TYPE, PropValue::I32(kind));
        props.set(
            tags::DISPLAY_TYPE,
            PropValue::I32(user.display_type() as i32),
        );
        props.set(tags::SEND_RICH_INFO, PropValue::Bool(true));
        props.set(tags::ENTRY_ID, PropValue::Binary(user.entry_id()));
        props.set(tags::RECORD_KEY, PropValue::Binary(user.entry_id()));
        props.set(
            tags::INSTANCE_KEY,
            PropValue::Binary(user.mid.to_le_bytes().into()),
        );
        props.set(
            tags::SEARCH_KEY,
            PropValue::Binary(search_key("EX", &user.legacy_dn)),
        );
        let proxies = user.aliases.iter().map(|alias| format!("smtp:{alias}"));
        let proxies = [format!("SMTP:{}", user.smtp)].into_iter().chain(proxies);
        let proxies = proxies.map(|proxy| Utf16::from(proxy.as_str())).collect();
        props.set(tags::EMS_AB_PROXY_ADDRESSES, PropValue::Strings(proxies));
        Self {
            user: user.clone(),
            props,
        }
    }

    /// Its id.
    pub(super) const fn mid(&self) -> MId {
        MId(self.user.mid)
    }

    /// What it is sorted by.
    pub(super) fn sort_key(&self) -> String {
        self.user.display_name.to_lowercase()
    }

    /// Whether it meets a restriction. PidTagAnr stands for what a user typed.
    pub(super) fn meets(&self, restriction: &Restriction) -> bool {
        match restriction {
            Restriction::And(all) => all.iter().all(|one| self.meets(one)),
            Restriction::Or(all) => all.iter().any(|one| self.meets(one)),
            Restriction::Not(one) => !self.meets(one),
            Restriction::Content { tag, value, .. } | Restriction::Property { tag, value, .. }
                if tag.id() == tags::ANR.id() =>
            {
                match &value.value {
                    PropValue::String(text) => self.user.answers_to(&text.to_text()),
                    PropValue::String8(text) => {
                        self.user.answers_to(&String::from_utf8_lossy(text))
                    }
                    _ => false,
                }
            }
            restriction => meets(self, restriction),
        }
    }

    /// Its row.
    fn row(&self, columns: &[PropTag]) -> Row {
        let cell = |tag: &PropTag| match self.props.read(*tag) {
            Some(value) => Cell {
                kind: type_of_value(&value),
                state: CellState::Value(Some(value)),
            },
            None => Cell {
                kind: types::ERROR,
                state: CellState::Error(Code::NOT_FOUND.0),
            },
        };
        let cells: Vec<_> = columns.iter().map(cell).collect();
        Row {
            is_flagged: cells
                .iter()
                .any(|cell| !matches!(cell.state, CellState::Value(_))),
            cells,
        }
    }
}

/// Everybody, in the order of the table.
pub(super) fn everybody(organisation: &Organisation) -> Vec<Entry> {
    let mut all: Vec<_> = organisation.users.values().map(Entry::new).collect();
    all.sort_by_key(Entry::sort_key);
    all
}

/// Rows of entries.
pub(super) fn rows(entries: &[Entry], columns: Option<Vec<PropTag>>) -> Rows {
    let columns = columns.unwrap_or_else(|| DEFAULT_COLUMNS.to_vec());
    Rows {
        rows: entries.iter().map(|entry| entry.row(&columns)).collect(),
        columns,
    }
}

/// Which properties an entry has.
pub(super) fn prop_list(organisation: &Organisation, ask: &GetPropList) -> Vec<u8> {
    let found = organisation.by_mid(ask.mid.0).map(Entry::new);
    let error = if found.is_some() {
        Code::OK
    } else {
        Code::NOT_FOUND
    };
    let tags = found.map(|entry| entry.props.iter().map(|(tag, _)| tag).collect());
    body(error.0, PropList { tags }, Vec::new())
}

/// Properties of an entry: the one that the place of the table names.
pub(super) fn props(organisation: &Organisation, ask: &GetProps) -> Vec<u8> {
    let mid = ask.stat.unwrap_or_default().current_rec;
    let Some(entry) = organisation.by_mid(mid.0).map(Entry::new) else {
        let nothing = Listed {
            code_page: CODE_PAGE,
            values: None,
        };
        return body(Code::NOT_FOUND.0, nothing, Vec::new());
    };
    let wanted = ask.tags.clone();
    let wanted = wanted.unwrap_or_else(|| entry.props.iter().map(|(tag, _)| tag).collect());
    let mut complete = true;
    let values = wanted.into_iter().map(|tag| match entry.props.read(tag) {
        Some(value) => Tagged {
            tag: with_type(tag, typed(tag, &value)),
            value: as_type(&value, typed(tag, &value)),
        },
        None => {
            complete = false;
            Tagged {
                tag: with_type(tag, types::ERROR),
                value: Some(PropValue::Error(Code::NOT_FOUND.0)),
            }
        }
    });
    let values = Some(values.collect());
    let error = if complete {
        Code::OK
    } else {
        Code::WARN_WITH_ERRORS
    };
    let listed = Listed {
        code_page: CODE_PAGE,
        values,
    };
    body(error.0, listed, Vec::new())
}

/// The type of a value whose type may have been left open.
fn typed(tag: PropTag, value: &PropValue) -> u16 {
    match type_of(tag) {
        types::UNSPECIFIED => type_of_value(value),
        kind => kind,
    }
}
