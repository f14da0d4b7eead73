//! Properties of mailboxes and folders, and named properties.

use std::{collections::HashSet, sync::Arc};

use mapi_types::{Change, ItemNumber, OwnedValue, PropTag, StringsChange, Version, tags};

use super::mailbox::{ALICE, Mailbox, fails, logon, set, text};
use crate::{
    Backend, ErrorKind, NAMED_ID_FIRST, Object, PS_PUBLIC_STRINGS, PSETID_COMMON, PropName,
    PropNameId,
};

/// A mailbox keeps its properties, for every store that has it open.
pub async fn mailbox_properties_are_kept(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let tags = [tags::SUBSCRIPTIONS.tag(), tags::COMMENT.tag()];
    assert!(
        alice
            .store
            .props(Object::Mailbox, &tags)
            .await
            .unwrap()
            .is_empty()
    );
    for (add, remove) in [(&["INBOX", "Küche"][..], &[][..]), (&["Work"], &["inbox"])] {
        let boxed = |strings: &[&str]| strings.iter().map(|string| Box::from(*string)).collect();
        let strings = StringsChange {
            tag: tags[0],
            add: boxed(add),
            remove: boxed(remove),
        };
        let change = Change {
            strings: vec![strings],
            ..Change::default()
        };
        alice
            .store
            .set_props(Object::Mailbox, &change)
            .await
            .unwrap();
    }
    let again = logon(&*alice.backend, ALICE).await.unwrap();
    let bag = again.props(Object::Mailbox, &tags).await.unwrap();
    let names: Vec<_> = bag
        .get(&mapi_types::tags::SUBSCRIPTIONS)
        .unwrap()
        .strs()
        .collect();
    assert_eq!(names, ["Küche", "Work"]);
    assert_eq!(bag.len(), 1);
    let delete = Change {
        delete: vec![tags[0]],
        ..Change::default()
    };
    alice
        .store
        .set_props(Object::Mailbox, &delete)
        .await
        .unwrap();
    assert!(
        again
            .props(Object::Mailbox, &tags)
            .await
            .unwrap()
            .is_empty()
    );
}

/// A folder's own properties are kept beside those it shows of itself.
pub async fn folder_properties_are_kept(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    alice.save("a").await;
    let object = Object::Folder(alice.inbox);
    let tags = [
        tags::DISPLAY_NAME.tag(),
        tags::CONTAINER_CLASS.tag(),
        tags::CONTENT_COUNT.tag(),
        tags::CONTENT_UNREAD_COUNT.tag(),
        tags::COMMENT.tag(),
        tags::SUBJECT.tag(),
    ];
    let change = set(tags::COMMENT.tag(), text("mine"));
    alice.store.set_props(object, &change).await.unwrap();
    let bag = alice.store.props(object, &tags).await.unwrap();
    assert_eq!(bag.get(&tags::DISPLAY_NAME), Some("Inbox"));
    assert_eq!(bag.get(&tags::CONTAINER_CLASS), Some("IPF.Note"));
    assert_eq!(bag.get(&tags::CONTENT_COUNT), Some(1));
    assert_eq!(bag.get(&tags::CONTENT_UNREAD_COUNT), Some(1));
    assert_eq!(bag.get(&tags::COMMENT), Some("mine"));
    assert_eq!(bag.get(&tags::SUBJECT), None);
    for tag in [tags::DISPLAY_NAME.tag(), tags::CONTENT_COUNT.tag()] {
        let change = Change {
            delete: vec![tag],
            ..Change::default()
        };
        fails(
            alice.store.set_props(object, &change).await,
            ErrorKind::Invalid,
        );
    }
}

/// Hiding a folder, and its class, show in what is told of it, and are changes of the tree.
pub async fn a_folders_class_and_hiding_show_in_the_tree(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let folder = alice.make_folder("folder").await;
    let before = alice.store.hierarchy(Version(0)).await.unwrap().to;
    let change = Change {
        set: vec![
            (tags::ATTRIBUTE_HIDDEN.tag(), OwnedValue::Bool(true)),
            (tags::CONTAINER_CLASS.tag(), text("IPF.Appointment")),
        ],
        ..Change::default()
    };
    alice
        .store
        .set_props(Object::Folder(folder), &change)
        .await
        .unwrap();
    let info = alice.store.folder(folder).await.unwrap();
    assert_eq!(
        (info.hidden, info.class.as_str()),
        (true, "IPF.Appointment")
    );
    let delta = alice.store.hierarchy(before).await.unwrap();
    assert_eq!(delta.changed, [info]);
    alice
        .store
        .set_props(Object::Folder(folder), &change)
        .await
        .unwrap();
    assert_eq!(
        alice.store.hierarchy(before).await.unwrap().to,
        delta.to,
        "no change, no version"
    );
}

/// Properties of an item are read, and changed only by updates.
pub async fn item_properties_are_read_but_not_set(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let item = alice.save("a").await.number;
    let object = Object::Item(alice.inbox, item);
    let tags = [tags::SUBJECT.tag(), tags::BODY.tag(), PropTag(0x6801_0003)];
    let bag = alice.store.props(object, &tags).await.unwrap();
    assert_eq!((bag.get(&tags::SUBJECT), bag.len()), (Some("a"), 1));
    let change = set(tags::SUBJECT.tag(), text("b"));
    fails(
        alice.store.set_props(object, &change).await,
        ErrorKind::Invalid,
    );
    let missing = Object::Item(alice.inbox, ItemNumber(999));
    fails(alice.store.props(missing, &tags).await, ErrorKind::NotFound);
}

/// A named property has one id, the same whenever and through whichever store it is asked for.
pub async fn named_properties_are_stable(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let name = |set: u8, id| PropName { set: [set; 16], id };
    let names = [
        name(1, PropNameId::Lid(0x8101)),
        name(1, PropNameId::Name("Colour".into())),
        name(2, PropNameId::Lid(0x8101)),
        name(1, PropNameId::Name("33025".into())),
        name(1, PropNameId::Lid(0x8101)),
    ];
    let unknown = alice.store.named_properties(&names, false).await.unwrap();
    assert_eq!(unknown, [None; 5]);
    let ids = alice.store.named_properties(&names, true).await.unwrap();
    let distinct: HashSet<_> = ids.iter().map(|id| id.expect("an id")).collect();
    assert_eq!(distinct.len(), 4);
    assert_eq!(ids[0], ids[4], "a name given twice has one id");
    assert!(
        distinct.iter().all(|id| *id >= NAMED_ID_FIRST),
        "fixed ids stay free: {distinct:x?}"
    );
    let again = logon(&*alice.backend, ALICE).await.unwrap();
    for create in [false, true] {
        assert_eq!(again.named_properties(&names, create).await.unwrap(), ids);
    }
    let asked: Vec<_> = ids.iter().flatten().copied().chain([0xfff0]).collect();
    let expected = names.into_iter().map(Some).chain([None]);
    let found = again.property_names(&asked).await.unwrap();
    assert_eq!(found, expected.collect::<Vec<_>>());
}

/// Named properties that the converters know have the same id in every mailbox.
pub async fn known_named_properties_have_fixed_ids(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let names = [
        PropName {
            set: PS_PUBLIC_STRINGS,
            id: PropNameId::Name("Keywords".into()),
        },
        PropName {
            set: PSETID_COMMON,
            id: PropNameId::Lid(0x8530),
        },
    ];
    let ids = alice.store.named_properties(&names, false).await.unwrap();
    let expected = [tags::KEYWORDS.tag().id(), tags::FLAG_REQUEST.tag().id()];
    assert_eq!(ids, expected.map(Some));
    let found = alice.store.property_names(&expected).await.unwrap();
    assert_eq!(found, names.map(Some));
}
