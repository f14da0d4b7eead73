//! What the server makes of messages: some it does not give, some others mark or edit, and folders are not for people.

use std::sync::Arc;

use bytes::Bytes;
use exchange_standin::{
    Fault, What, When,
    model::{
        change::{Predecessors, Xid},
        draft::Draft as Sent,
    },
};
use mapi_store::{
    ByteRange, Error, ErrorKind, Expected, FolderInfo, Items, NewFolder, Object, Query,
    READ_BYTES_MAX, Role, Store, Table, Transfer,
};
use mapi_types::{
    Change, Content, ContentHash, Derived, Draft, ItemNumber, MailboxId, Message, MessageTree,
    OwnedValue, PropTag, RowSet, Version, tags, tags::message_flags,
};
use mapi_wire::PropValue;

use crate::subject::{ALICE, Standin, listing, numbers};

/// ecError: nobody knows why.
const FAILED: u32 = 0x8000_4005;

/// Rows whose bytes are asked for.
async fn complete(store: &dyn Store, folder: &FolderInfo) -> Result<RowSet, Error> {
    let columns = [
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::DERIVED_RENDERER.tag(),
        tags::ITEM_SIZE.tag(),
    ];
    let query = Query {
        table: Table::Contents(folder.id),
        columns: &columns,
        items: Items::Range(1..=u32::MAX),
        filter: None,
        sort: &[],
        limit: u32::MAX,
    };
    store.query(&query).await
}

/// How many of them have bytes.
fn sized(rows: &RowSet) -> usize {
    let sizes = rows.rows().map(|row| row.get(&tags::ITEM_SIZE));
    sizes.flatten().count()
}

async fn text(store: &dyn Store, folder: &FolderInfo, item: ItemNumber) -> String {
    let piece = ByteRange {
        item,
        tag: tags::ORIGINAL.tag(),
        offset: 0,
        len: READ_BYTES_MAX,
    };
    let read = store.read_bytes(folder.id, &[piece]).await.unwrap();
    let octets = read.into_iter().next().flatten().unwrap();
    String::from_utf8(octets.to_vec()).unwrap()
}

/// Makes downloads of messages fail.
fn refuse(standin: &Standin, times: u32) {
    standin.server.faults().add(Fault {
        when: When {
            rop: Some("FastTransferSourceCopyMessages".to_owned()),
            ..When::default()
        },
        times,
        what: What::RopError(FAILED),
    });
}

async fn three(standin: &Standin) -> (Arc<dyn Store>, FolderInfo) {
    let mailbox = standin.server.mailbox(ALICE);
    for subject in ["one", "two", "three"] {
        let draft = Sent::about(subject).text("what it says");
        mailbox.deliver(draft).unwrap();
    }
    let (store, inbox) = standin.alice().await;
    assert_eq!(listing(&*store, &inbox).await.len(), 3);
    (store, inbox)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_fail_in_company_are_fetched_alone() {
    let standin = Standin::start();
    let (store, inbox) = three(&standin).await;
    refuse(&standin, 1);
    let rows = complete(&*store, &inbox).await.unwrap();
    assert_eq!((rows.len(), sized(&rows)), (3, 3));
    for number in numbers(&rows) {
        assert!(text(&*store, &inbox, number).await.contains("what it says"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_had_does_not_keep_back_the_others_and_is_given_up_in_the_end() {
    let standin = Standin::start();
    let (store, inbox) = three(&standin).await;
    // The page, and then the first message by itself.
    refuse(&standin, 2);
    let error = complete(&*store, &inbox).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    let rows = listing(&*store, &inbox).await;
    let columns = [tags::ITEM_SIZE.tag()];
    let mut known = 0;
    for number in numbers(&rows) {
        let object = Object::Item(inbox.id, number);
        known += store.props(object, &columns).await.unwrap().len();
    }
    assert_eq!(known, 2, "the others are there");
    // Twice in each of two more calls.
    refuse(&standin, 4);
    assert!(complete(&*store, &inbox).await.is_err());
    let rows = complete(&*store, &inbox).await.unwrap();
    assert_eq!(sized(&rows), 3);
    let mut given_up = 0;
    for number in numbers(&rows) {
        let text = text(&*store, &inbox, number).await;
        given_up += usize::from(text.contains("could not be read"));
        assert!(text.contains("Subject: "));
    }
    assert_eq!(given_up, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_bounds_what_its_unread_messages_take() {
    let standin = Standin::start();
    let (store, inbox) = three(&standin).await;
    let tag = tags::UNRENDERED_SIZE_MAX;
    let bound = async || {
        let object = Object::Folder(inbox.id);
        let bag = store.props(object, &[tag.tag()]).await.unwrap();
        bag.get(&tag)
    };
    assert_eq!(store.folder(inbox.id).await.unwrap().size, 0);
    let before = bound().await.unwrap();
    complete(&*store, &inbox).await.unwrap();
    let size = store.folder(inbox.id).await.unwrap().size;
    assert!(size > 0 && size as i64 <= before, "{size} {before}");
    assert_eq!(bound().await, None);
}

/// A message whose bytes no converter would make.
fn odd() -> Draft {
    odd_with(None)
}

fn odd_with(body: Option<String>) -> Draft {
    let body = body.map(|body| (tags::BODY.tag(), OwnedValue::Str(body.into())));
    let original = Bytes::from_static(b"Subject: odd\r\nX-Odd:   kept \r\n\r\nbody\n");
    let hash = ContentHash(blake3::hash(&original).into());
    let len = original.len() as u64;
    let props = [
        (tags::SUBJECT.tag(), OwnedValue::Str("odd".into())),
        (
            tags::MESSAGE_CLASS.tag(),
            OwnedValue::Str("IPM.Note".into()),
        ),
    ];
    Draft {
        key: None,
        message: Arc::new(Message {
            tree: MessageTree {
                props: props.into_iter().chain(body).collect(),
                ..MessageTree::default()
            },
            original: Some(Content::new(Arc::new(original), len, hash)),
            derived: Derived::default(),
        }),
        props: [(
            tags::MESSAGE_FLAGS.tag(),
            OwnedValue::I32(message_flags::READ),
        )]
        .into_iter()
        .collect(),
        prefix: Bytes::new(),
    }
}

/// Waits until an item of the folder says so.
async fn until(
    store: &dyn Store,
    folder: &FolderInfo,
    is_it: impl AsyncFn(ItemNumber) -> bool,
) -> ItemNumber {
    let mut notices = store.notices();
    loop {
        for number in numbers(&listing(store, folder).await) {
            if is_it(number).await {
                return number;
            }
        }
        // A lag is a notice, too.
        let _ = notices.recv().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_of_others_leave_an_original_alone_and_edits_replace_it() {
    let standin = Standin::start();
    let mailbox = standin.server.mailbox(ALICE);
    let (store, inbox) = standin.alice().await;
    let saved = store.save(inbox.id, &[odd()]).await.unwrap();
    let number = saved[0].number;
    let folder = mailbox.inbox().unwrap();
    let mid = mailbox.messages(folder).unwrap()[0].mid;
    mailbox.set_flagged(mid, true).unwrap();
    let flagged = until(&*store, &inbox, async |item| {
        let object = Object::Item(inbox.id, item);
        let columns = [tags::FLAG_STATUS.tag()];
        let bag = store.props(object, &columns).await;
        bag.is_ok_and(|bag| bag.get(&tags::FLAG_STATUS) == Some(2))
    });
    assert_eq!(flagged.await, number);
    // By then what may have changed has been looked at.
    while !standin.exchange.is_up_to_date(&MailboxId(ALICE.to_owned())) {
        tokio::task::yield_now().await;
    }
    assert_eq!(numbers(&listing(&*store, &inbox).await), [number]);
    let original = text(&*store, &inbox, number).await;
    assert!(original.contains("X-Odd:   kept \r\n"), "{original}");
    let body: PropTag = tags::BODY.tag();
    let edited = PropValue::String("edited by another".into());
    mailbox.set_props(mid, &[(body, edited)]).unwrap();
    let edited = until(&*store, &inbox, async |item| item != number).await;
    assert!(
        text(&*store, &inbox, edited)
            .await
            .contains("edited by another")
    );
}

/// A server that is set up anew gives out lower numbers, and an old change is not made again.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_made_although_the_numbers_of_changes_begin_anew() {
    let standin = Standin::start();
    let mailbox = standin.server.mailbox(ALICE);
    let (store, inbox) = standin.alice().await;
    let saved = store.save(inbox.id, &[odd()]).await.unwrap();
    let there = mailbox.messages(mailbox.inbox().unwrap()).unwrap();
    let later = Xid {
        namespace: there[0].change_key.namespace,
        local: 0x00ff_ffff_ffff_u64.to_be_bytes().into(),
    };
    let later = Predecessors::of(&later);
    let absorbed = mailbox.change(|mailbox| mailbox.absorb_version(there[0].mid, &later));
    absorbed.unwrap();
    for (cut, body) in [(None, "first"), (Some(What::LOSE_ANSWER), "second")] {
        if let Some(what) = cut {
            standin.server.faults().next_rop("SaveChangesMessage", what);
        }
        let numbers = numbers(&listing(&*store, &inbox).await);
        let expected = Expected {
            item: numbers[0],
            version: None,
        };
        let draft = odd_with(Some(body.to_owned()));
        let edited = store.replace(inbox.id, expected, &draft).await.unwrap();
        assert!(edited.number > saved[0].number);
        let there = mailbox.messages(mailbox.inbox().unwrap()).unwrap();
        assert_eq!(there.len(), 1);
        let written = there[0].content.props.text(tags::BODY.tag());
        assert_eq!(written.as_deref(), Some(body));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_keeps_its_key_and_bytes_wherever_the_answer_is_cut() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    let target = NewFolder {
        parent: None,
        name: "Target".to_owned(),
        class: "IPF.Note".to_owned(),
    };
    let target = store.create_folder(&target).await.unwrap();
    let mailbox = standin.server.mailbox(ALICE);
    for (count, after) in (0..700).step_by(23).enumerate() {
        let saved = store.save(inbox.id, &[odd()]).await.unwrap();
        standin.server.faults().add(Fault {
            when: When {
                rop: Some("SynchronizationImportMessageMove".to_owned()),
                ..When::default()
            },
            times: 1,
            what: What::CutResponse { after },
        });
        let one = [saved[0].number];
        let moved = store
            .transfer(inbox.id, &one, target.id, Transfer::Move)
            .await
            .unwrap();
        standin.server.faults().clear();
        assert_eq!(moved.len(), 1, "cut at {after}");
        assert_eq!(moved[0].target.key, saved[0].key);
        let text = text(&*store, &target, moved[0].target.number).await;
        assert!(text.contains("X-Odd:   kept "), "cut at {after}: {text}");
        let (from, to) = (mailbox.inbox().unwrap(), mailbox.folder("Target").unwrap());
        assert_eq!(mailbox.messages(from).unwrap().len(), 0);
        assert_eq!(mailbox.messages(to).unwrap().len(), count + 1);
    }
    assert_eq!(listing(&*store, &inbox).await.len(), 0);
}

/// A server has room for 250 streams and 500 folders of a session (MS-OXCRPC 3.1.4.2 and what Exchange allows).
#[tokio::test(flavor = "multi_thread")]
async fn uploads_in_several_pieces_leave_nothing_open() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    let logons = standin.server.counters().rop("Logon");
    for number in 0..280 {
        let body = format!("{number} ").repeat(10_000);
        let saved = store.save(inbox.id, &[odd_with(Some(body))]).await;
        assert!(saved.is_ok(), "message {number}: {saved:?}");
    }
    let now = standin.server.counters().rop("Logon");
    assert_eq!(now, logons, "no context was left for another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_value_is_written_although_the_context_is_lost_on_the_way() {
    let standin = Standin::start();
    let (store, inbox) = standin.alice().await;
    let saved = store.save(inbox.id, &[odd()]).await.unwrap();
    standin.server.faults().add(Fault {
        when: When {
            rop: Some("FastTransferDestinationPutBuffer".to_owned()),
            after: 2,
            ..When::default()
        },
        times: 1,
        what: What::CutResponse { after: 10 },
    });
    let body = "ü".repeat(100_000);
    let change = Change {
        set: vec![(tags::BODY.tag(), OwnedValue::Str(body.as_str().into()))],
        ..Change::default()
    };
    let item = Expected {
        item: saved[0].number,
        version: None,
    };
    let updated = store.update(inbox.id, &[item], &change).await.unwrap();
    let new = updated.renumbered[0].1;
    let mailbox = standin.server.mailbox(ALICE);
    let there = mailbox.messages(mailbox.inbox().unwrap()).unwrap();
    let written = there[0].content.props.text(tags::BODY.tag());
    assert_eq!(written.as_deref(), Some(&*body));
    // Made of what the server has now, and decoded again.
    let object = Object::Item(inbox.id, new);
    let columns = [tags::DERIVED_RENDERER.tag()];
    store.props(object, &columns).await.unwrap();
    let piece = ByteRange {
        item: new,
        tag: tags::BODY.tag(),
        offset: 199_998,
        len: 10,
    };
    let read = store.read_bytes(inbox.id, &[piece]).await.unwrap();
    assert_eq!(read[0].as_deref(), Some("ü".as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_in_which_programs_keep_their_affairs_are_hidden() {
    let standin = Standin::start();
    let (store, _) = standin.alice().await;
    let tree = store.hierarchy(Version(0)).await.unwrap();
    let hidden: Vec<_> = tree
        .changed
        .iter()
        .filter(|folder| folder.hidden)
        .map(|folder| folder.name.as_str())
        .collect();
    for name in [
        "Sync Issues",
        "Conflicts",
        "Local Failures",
        "Server Failures",
    ] {
        assert!(hidden.contains(&name), "{hidden:?}");
    }
    let special = tree.changed.iter().filter(|folder| folder.role.is_some());
    assert!(special.clone().all(|folder| !folder.hidden));
    assert!(special.count() >= Role::ALL.len() - 1);
}
