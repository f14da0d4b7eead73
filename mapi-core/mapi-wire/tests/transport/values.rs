//! What some recorded bodies say.

use mapi_types::PropTag;
use mapi_wire::{
    PropValue,
    http::{
        Outcome, Request, ResponseHead, aux, decode_request, decode_response,
        emsmdb::{Connect, Execute, NotificationWait},
        framing,
    },
    nspi::{
        Bind, CompareMIds, DnToMId, EntryId, GetAddressBookUrl, GetMailboxUrl, GetMatches,
        GetPropList, GetProps, GetSpecialTable, GetTemplateInfo, MId, QueryColumns, QueryRows,
        ResolveNames, ResortRestriction, Rows, SeekEntries, Tagged, Unbind, UpdateStat,
    },
};

use crate::corpus;

const DISPLAY_NAME: PropTag = PropTag(0x3001_001f);
const SMTP_ADDRESS: PropTag = PropTag(0x39fe_001f);
const EMAIL_ADDRESS: PropTag = PropTag(0x3003_001f);
const ENTRY_ID: PropTag = PropTag(0x0fff_0102);
const ALICE: &str = "/o=Gromox default/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=0100000001000000-alice";
const BOB: &str = "/o=Gromox default/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=0100000002000000-bob";

fn request<T: Request>(number: u32) -> T {
    decode_request(&corpus::body("main", number, false))
        .unwrap()
        .0
}

fn response<T: Request>(number: u32) -> (u32, T::Response) {
    let framed = framing::read(&corpus::body("main", number, true)).unwrap();
    let response = decode_response::<T>(&framed.body).unwrap();
    let Outcome::Done { error, body } = response.outcome else {
        panic!("{number}: not done");
    };
    (error, body)
}

fn text(value: Option<&PropValue>) -> String {
    match value {
        Some(PropValue::String(text)) => text.to_text(),
        Some(PropValue::String8(text)) => String::from_utf8_lossy(text).into_owned(),
        other => panic!("{other:?} is no text"),
    }
}

fn names(rows: &Rows) -> Vec<(String, String)> {
    let row = |row| {
        (
            text(rows.value(row, DISPLAY_NAME)),
            text(rows.value(row, SMTP_ADDRESS)),
        )
    };
    (0..rows.rows.len()).map(row).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = expected
        .iter()
        .map(|(name, address)| ((*name).to_owned(), (*address).to_owned()));
    pairs.collect()
}

fn value(values: &[Tagged], tag: u32) -> Option<&PropValue> {
    values
        .iter()
        .find(|tagged| tagged.tag.0 == tag)
        .unwrap()
        .value
        .as_ref()
}

#[test]
fn connect_says_who_and_how_often() {
    let connect: Connect = request(2);
    assert_eq!(connect.user_dn.to_text(), ALICE);
    assert_eq!(
        (connect.default_code_page, connect.lcid_sort),
        (1252, 0x409)
    );
    let framed = framing::read(&corpus::body("main", 2, true)).unwrap();
    let mut head = ResponseHead::default();
    framed
        .headers
        .iter()
        .for_each(|(name, value)| head.apply(name, value));
    assert_eq!(head.elapsed_ms, Some(0));
    assert_eq!(
        head.start_time.as_deref(),
        Some("Sun, 22 Nov 2026 04:25:43 GMT")
    );
    let response = decode_response::<Connect>(&framed.body).unwrap();
    let blocks = aux::decode(&response.aux).unwrap();
    let kinds: Vec<_> = blocks
        .iter()
        .map(|block| (block.version, block.kind, block.body.len()))
        .collect();
    assert_eq!(kinds, [(1, 0x17, 4), (1, 0x0a, 8), (1, 0x48, 4)]);
    assert_eq!(aux::server_capabilities(&blocks), None);
    let Outcome::Done { error: 0, body } = response.outcome else {
        panic!("not connected");
    };
    assert_eq!(body.display_name.to_text(), "Alice Liddell");
    assert_eq!(
        (body.polls_max, body.retry_count, body.retry_delay),
        (60_000, 6, 10_000)
    );
    assert_eq!(body.dn_prefix.to_text(), "");
}

#[test]
fn execute_may_fail_as_a_whole() {
    let (error, body) = response::<Execute>(83);
    assert_eq!((error, body.rop_buffer.len()), (0x3f0, 0));
}

#[test]
fn waiting_ends_with_an_event() {
    let (error, body) = response::<NotificationWait>(409);
    assert_eq!((error, body.event_pending), (0, 1));
    let framed = framing::read(&corpus::body("main", 409, true)).unwrap();
    assert_eq!((framed.processing, framed.pending), (2, 0));
}

#[test]
fn bind_names_the_server() {
    let bind: Bind = request(416);
    assert_eq!(bind.stat.unwrap().code_page, 1252);
    let (error, bound) = response::<Bind>(416);
    assert_eq!(error, 0);
    assert_eq!(
        bound.server_guid.to_string(),
        "9ec58208-99f5-4fda-b34c-a500201c85ef"
    );
    assert_eq!(response::<Unbind>(437).0, 1);
}

#[test]
fn the_special_table_is_the_tree_of_address_lists() {
    let (_, table) = response::<GetSpecialTable>(417);
    assert_eq!((table.code_page, table.version), (1252, Some(1)));
    let rows = table.rows.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(value(&rows[0], DISPLAY_NAME.0), None);
    assert_eq!(text(value(&rows[1], DISPLAY_NAME.0)), "example.test");
    assert_eq!(
        value(&rows[1], 0xfffd_0003),
        Some(&PropValue::I32(0x4000_0011))
    );
    let Some(PropValue::Binary(id)) = value(&rows[0], ENTRY_ID.0) else {
        panic!("no entry id");
    };
    let EntryId::Permanent(list) = EntryId::from_bytes(id).unwrap() else {
        panic!("not permanent");
    };
    assert_eq!((list.kind, &*list.dn), (0x100, b"/".as_slice()));
    assert_eq!(EntryId::Permanent(list).to_bytes(), **id);
}

#[test]
fn the_global_address_list_has_three_people() {
    let query: QueryRows = request(418);
    assert_eq!((query.row_count, query.mids.len()), (50, 0));
    let (_, found) = response::<QueryRows>(418);
    let rows = found.rows.unwrap();
    assert_eq!(
        names(&rows),
        pairs(&[
            ("Alice Liddell", "alice@example.test"),
            ("Bob Builder", "bob@example.test"),
            ("Carol Danvers", "carol@example.test"),
        ])
    );
    assert_eq!(text(rows.value(1, EMAIL_ADDRESS)), BOB);
    let stat = found.stat.unwrap();
    assert_eq!(
        (stat.current_rec, stat.num_pos, stat.total_recs),
        (MId::END_OF_TABLE, 3, 3)
    );
    let explicit: QueryRows = request(426);
    assert_eq!(explicit.mids, [MId(0x11), MId(0x12)]);
    assert_eq!(response::<QueryRows>(426).1.rows.unwrap().rows.len(), 2);
}

#[test]
fn names_that_a_user_typed() {
    let typed: ResolveNames = request(419);
    let typed: Vec<_> = typed
        .names
        .unwrap()
        .iter()
        .map(|name| name.to_text())
        .collect();
    assert_eq!(typed, ["bob", "alice@example.test", "nobody-here"]);
    let (_, resolved) = response::<ResolveNames>(419);
    assert_eq!(
        resolved.mids.unwrap(),
        [MId::RESOLVED, MId::RESOLVED, MId::AMBIGUOUS]
    );
    assert_eq!(
        names(&resolved.rows.unwrap()),
        pairs(&[
            ("Bob Builder", "bob@example.test"),
            ("Alice Liddell", "alice@example.test")
        ])
    );
}

#[test]
fn distinguished_names_have_ids() {
    let asked: DnToMId = request(420);
    let asked: Vec<_> = asked
        .names
        .unwrap()
        .iter()
        .map(|name| name.to_text())
        .collect();
    assert_eq!(asked, [ALICE, BOB]);
    assert_eq!(
        response::<DnToMId>(420).1.mids.unwrap(),
        [MId(0x11), MId(0x12)]
    );
}

#[test]
fn a_condition_finds_bob_twice() {
    for number in [421, 422] {
        let asked: GetMatches = request(number);
        assert_eq!(
            (asked.row_count, asked.columns.map(|tags| tags.len())),
            (50, Some(7))
        );
        assert!(asked.restriction.is_some());
        let (_, matches) = response::<GetMatches>(number);
        assert_eq!(matches.mids.unwrap(), [MId(0x12)]);
        let rows = matches.rows.unwrap();
        assert_eq!(names(&rows), pairs(&[("Bob Builder", "bob@example.test")]));
        let Some(PropValue::Binary(id)) = rows.value(0, ENTRY_ID) else {
            panic!("no entry id");
        };
        let EntryId::Ephemeral { server, mid, .. } = EntryId::from_bytes(id).unwrap() else {
            panic!("not ephemeral");
        };
        assert_eq!(
            (server, mid),
            (response::<Bind>(416).1.server_guid, MId(0x12))
        );
    }
}

#[test]
fn properties_of_alice_and_one_she_lacks() {
    let (error, props) = response::<GetProps>(424);
    assert_eq!((error, props.code_page), (0x4_0380, 1252));
    let values = props.values.unwrap();
    assert_eq!(values.len(), 9);
    assert_eq!(text(value(&values, EMAIL_ADDRESS.0)), ALICE);
    let Some(PropValue::Strings(addresses)) = value(&values, 0x800f_101f) else {
        panic!("no addresses");
    };
    assert_eq!(addresses[0].to_text(), "SMTP:alice@example.test");
    assert_eq!(
        value(&values, 0x3a18_000a),
        Some(&PropValue::Error(0x8004_010f))
    );
    assert_eq!(response::<GetPropList>(425).1.tags.unwrap().len(), 22);
    assert_eq!(response::<QueryColumns>(429).1.columns.unwrap().len(), 30);
}

#[test]
fn places_in_the_table() {
    let (_, updated) = response::<UpdateStat>(430);
    assert_eq!(
        (updated.stat.unwrap().current_rec, updated.delta),
        (MId(0x12), Some(1))
    );
    let sought: SeekEntries = request(431);
    assert_eq!(text(sought.target.unwrap().value.as_ref()), "B");
    assert_eq!(
        names(&response::<SeekEntries>(431).1.rows.unwrap()),
        pairs(&[("Bob Builder", "bob@example.test")])
    );
    assert_eq!(
        response::<ResortRestriction>(435).1.mids.unwrap(),
        [MId(0x11)]
    );
    let compared: CompareMIds = request(434);
    assert_eq!((compared.first, compared.second), (MId(0x11), MId(0x12)));
    // The server writes result and error the other way round.
    let (error, answer) = response::<CompareMIds>(434);
    assert_eq!((error, answer.result), (1, 0));
}

#[test]
fn endpoints_and_a_template() {
    let asked: GetMailboxUrl = request(432);
    assert_eq!(asked.server_dn.to_text(), ALICE);
    let (_, url) = response::<GetMailboxUrl>(432);
    assert_eq!(
        url.server_url.to_text(),
        "https://localhost/mapi/emsmdb/?MailboxId=Recipients"
    );
    let (_, url) = response::<GetAddressBookUrl>(433);
    assert!(
        url.server_url
            .to_text()
            .starts_with("https://localhost/mapi/nspi/?MailboxId=")
    );
    let (_, template) = response::<GetTemplateInfo>(436);
    let values = template.values.unwrap();
    let Some(PropValue::Binary(script)) = value(&values, 0x0001_0102) else {
        panic!("no template");
    };
    assert_eq!(script.len(), 0x0ae2);
}
