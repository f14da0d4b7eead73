//! The address book. Source: MS-OXNSPI 3.1.4.1.

use exchange_standin::{Config, Server};
use mapi_types::PropTag;
use mapi_wire::{
    PropValue, TaggedValue,
    nspi::{
        Bind, DnToMId, GetMatches, GetProps, GetSpecialTable, MId, QueryRows, ResolveNames, Stat,
        Unbind,
    },
    restriction::Restriction,
};

use super::client::Client;

const NAME: u32 = 0x3001_001f;
const SMTP: u32 = 0x39fe_001f;

fn bound(server: &Server) -> Client {
    let mut client = Client::of_book(server, "alice");
    let bind = Bind {
        flags: 0,
        stat: Some(Stat::default()),
    };
    assert_eq!(client.ask(&bind).0, 0);
    client
}

fn text(value: &str) -> PropValue {
    PropValue::String(value.into())
}

#[test]
fn typed_names_are_resolved_or_not() {
    let server = Server::start(Config::default()).unwrap();
    let mut client = bound(&server);
    let names = [
        "bob",
        "SMTP:carol@example.test",
        "nobody",
        "",
        "Team",
        "=Alice Adams",
    ];
    let ask = ResolveNames {
        reserved: 0,
        stat: Some(Stat::default()),
        columns: Some(vec![PropTag(NAME), PropTag(SMTP)]),
        names: Some(names.map(Into::into).into()),
    };
    let (error, answer) = client.ask(&ask);
    let answer = answer.unwrap();
    assert_eq!(error, 0);
    let resolved = MId::RESOLVED;
    let unresolved = MId::UNRESOLVED;
    let expected = [
        resolved, resolved, unresolved, unresolved, resolved, resolved,
    ];
    assert_eq!(answer.mids.unwrap(), expected);
    let rows = answer.rows.unwrap();
    assert_eq!(rows.rows.len(), 4);
    assert_eq!(
        rows.value(1, PropTag(SMTP)),
        Some(&text("carol@example.test"))
    );
    server.change_user("carol", |carol| carol.display_name = "Bob Other".into());
    let ask = ResolveNames {
        names: Some(vec!["Bo".into()]),
        ..ask
    };
    assert_eq!(client.ask(&ask).1.unwrap().mids.unwrap(), [MId::AMBIGUOUS]);
}

#[test]
fn entries_are_found_by_distinguished_name_and_condition() {
    let server = Server::start(Config::default()).unwrap();
    let mut client = bound(&server);
    let bob = server.user("bob").unwrap();
    let ask = DnToMId {
        reserved: 0,
        names: Some(vec![bob.legacy_dn.as_str().into(), "/o=No/cn=body".into()]),
    };
    assert_eq!(
        client.ask(&ask).1.unwrap().mids.unwrap(),
        [MId(bob.mid), MId(0)]
    );
    let anr = |typed: &str| GetMatches {
        reserved: 0,
        stat: Some(Stat::default()),
        mids: None,
        interface_flags: 0,
        restriction: Some(Restriction::Property {
            relation: 4,
            tag: PropTag(0x360c_001f),
            value: Box::new(TaggedValue {
                tag: PropTag(0x360c_001f),
                value: text(typed),
            }),
        }),
        property_name: None,
        row_count: 3,
        columns: Some(vec![PropTag(NAME)]),
    };
    let found = client.ask(&anr("ada")).1.unwrap();
    assert_eq!(found.mids.unwrap().len(), 1);
    assert_eq!(
        found.rows.unwrap().value(0, PropTag(NAME)),
        Some(&text("Alice Adams"))
    );
    assert_eq!(client.ask(&anr("zz")).1.unwrap().mids.unwrap(), []);
    let many = GetMatches {
        restriction: Some(Restriction::Exist(PropTag(NAME))),
        ..anr("")
    };
    assert_eq!(
        client.ask(&many).0,
        0x8004_0403,
        "more than the client takes"
    );
}

#[test]
fn the_table_of_everybody_is_read_in_pages() {
    let server = Server::start(Config::default()).unwrap();
    let mut client = bound(&server);
    let mut stat = Stat::default();
    let mut names = Vec::new();
    loop {
        let ask = QueryRows {
            flags: 0,
            stat: Some(stat),
            mids: Vec::new(),
            row_count: 2,
            columns: Some(vec![PropTag(NAME)]),
        };
        let found = client.ask(&ask).1.unwrap();
        let rows = found.rows.unwrap();
        for row in 0..rows.rows.len() {
            let Some(PropValue::String(name)) = rows.value(row, PropTag(NAME)) else {
                panic!("{rows:?}");
            };
            names.push(name.to_text());
        }
        stat = found.stat.unwrap();
        if stat.current_rec == MId::END_OF_TABLE {
            break;
        }
    }
    assert_eq!(
        names,
        [
            "Alice Adams",
            "Bob Brown",
            "Carol Clark",
            "Everybody",
            "Team Mailbox"
        ]
    );
    let bob = server.user("bob").unwrap().mid;
    let ask = GetProps {
        flags: 0,
        stat: Some(Stat {
            current_rec: MId(bob),
            ..Stat::default()
        }),
        tags: Some(vec![PropTag(SMTP), PropTag(0x3a1b_001f)]),
    };
    let (error, props) = client.ask(&ask);
    assert_eq!(error, 0x4_0380, "one of them is not there");
    let values = props.unwrap().values.unwrap();
    assert_eq!(values[0].value, Some(text("bob@example.test")));
    assert_eq!(values[1].value, Some(PropValue::Error(0x8004_010f)));
    let lists = GetSpecialTable {
        flags: 4,
        stat: Some(Stat::default()),
        version: None,
    };
    assert_eq!(client.ask(&lists).1.unwrap().rows.unwrap().len(), 1);
    assert_eq!(client.ask(&Unbind { reserved: 0 }).0, 1);
}
