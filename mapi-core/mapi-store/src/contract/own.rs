//! What only a store promises that keeps everything itself: its mailboxes are its own, its items are what was given to
//! it and nothing else, and no server in between makes something of them.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use mapi_types::{
    Attachment, AttachmentData, BusyStatus, Change, Draft, FileTime, Message, OwnedValue, PropBag,
    PropTag, TransferEncoding, Version, tags, tags::message_flags,
};

use super::{
    mailbox::{ALICE, BOB, Mailbox, any, content, draft, fails, mailbox, set, special, text},
    originals::{original, piece, sizes},
    renumbering::{FACTS, full_draft},
    values::{exact_tree, read_rows},
};
use crate::{Backend, ErrorKind, FreeBusy, Member, Object, Permission, Principal, Rights, Role};

/// A new mailbox has a folder for every role, under its usual name.
pub async fn a_new_mailbox_has_a_folder_for_every_role(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let tree = alice.store.hierarchy(Version(0)).await.unwrap();
    for role in Role::ALL {
        let mut folders = tree.changed.iter();
        let folder = folders.find(|folder| folder.role == Some(role)).unwrap();
        assert_eq!(
            (folder.name.as_str(), folder.class.as_str()),
            role.defaults()
        );
    }
}

/// Values of every type come back as they were, and nothing beside them.
pub async fn a_message_comes_back_as_it_was_given(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let tree = exact_tree();
    let message = Message {
        tree: tree.clone(),
        ..Message::default()
    };
    let draft = Draft {
        message: Arc::new(message),
        ..draft("a")
    };
    let saved = alice.save_draft(alice.inbox, draft).await;
    let whole = alice.store.read_message(alice.inbox, saved.number).await;
    assert_eq!(whole.unwrap(), tree);
    let columns: Vec<PropTag> = tree.props.iter().map(|(tag, _)| tag).collect();
    let object = Object::Item(alice.inbox, saved.number);
    let bag = alice.store.props(object, &columns).await.unwrap();
    assert_eq!(bag, tree.props);
    let rows = read_rows(&alice, &columns).await;
    assert!(rows.row(0).unwrap().values().eq(tree.props.iter()));
}

/// A message without an original has none afterwards.
pub async fn no_original_is_made_of_properties(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut draft = draft("a");
    Arc::make_mut(&mut draft.message).original = None;
    let saved = alice.save_draft(alice.inbox, draft).await;
    let bag = sizes(&alice, saved.number).await;
    assert_eq!(bag.get(&tags::ORIGINAL_SIZE), None);
    let piece = piece(saved.number, tags::ORIGINAL.tag(), 0, 10);
    let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
    assert_eq!(read, [None]);
}

/// Facts about an original go when the content changes.
pub async fn a_content_change_leaves_no_facts(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let old = alice.save_draft(alice.inbox, full_draft()).await;
    let change = Change {
        set: vec![
            (tags::SUBJECT.tag(), text("new")),
            (tags::BODY.tag(), text("body")),
        ],
        ..Change::default()
    };
    let items = [any(old.number)];
    let updated = alice.store.update(alice.inbox, &items, &change).await;
    let new = updated.unwrap().renumbered[0].1;
    let object = Object::Item(alice.inbox, new);
    let bag = alice.store.props(object, &FACTS).await.unwrap();
    assert!(bag.get(&tags::ITEM_SIZE).unwrap() > 0);
    assert_eq!(bag.get(&tags::MESSAGE_FLAGS), Some(message_flags::READ));
    let left: Vec<PropTag> = bag.iter().map(|(tag, _)| tag).collect();
    assert_eq!(
        left.len(),
        4,
        "facts about the original are gone: {left:x?}"
    );
}

/// Attachments of an edited message are where they were, and so are their octets.
pub async fn parts_of_an_edited_message_stay_where_they_were(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let attachment = Attachment {
        props: PropBag::default(),
        data: AttachmentData::Part {
            range: 14..18,
            encoding: TransferEncoding::Base64,
        },
    };
    let mut draft = original(content("Subject: a\r\n\r\nQUJD\r\n"));
    Arc::make_mut(&mut draft.message).tree.attachments = vec![attachment.clone()];
    let saved = alice.save_draft(alice.inbox, draft).await;
    let change = set(tags::SUBJECT.tag(), text("edited"));
    let items = [any(saved.number)];
    let updated = alice.store.update(alice.inbox, &items, &change).await;
    let item = updated.unwrap().renumbered[0].1;
    let whole = alice.store.read_message(alice.inbox, item).await.unwrap();
    assert_eq!(whole.attachments, [attachment]);
    let piece = piece(item, tags::ORIGINAL.tag(), 14, 4);
    let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
    assert_eq!(read, [Some(Bytes::from_static(b"QUJD"))]);
}

/// Who may hear of a calendar hears of its times, and of no more than that, and who may not, of nothing.
pub async fn free_busy_times_are_told_by_permission(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let calendar = special(&*alice.store, Role::Calendar).await.id;
    for draft in events() {
        alice.save_draft(calendar, draft).await;
    }
    let ask = async |who: &str| {
        let principal = Principal { user: who.into() };
        let span = hour_of_day(9)..hour_of_day(18);
        let asked = alice.backend.free_busy(&principal, &mailbox(), span).await;
        asked.map(told)
    };
    assert_eq!(ask(ALICE).await.unwrap(), expected([true; 3]));
    fails(ask(BOB).await, ErrorKind::Denied);
    let bob = Member::User(BOB.to_owned());
    for (member, rights, shown) in [
        (&bob, Rights::FREE_BUSY_SIMPLE, Some([false; 3])),
        (&bob, Rights::FREE_BUSY, Some([true, false, true])),
        (&bob, Rights::REVIEWER, Some([true, false, true])),
        (&bob, Rights::VISIBLE, None),
        (&Member::Default, Rights::FREE_BUSY_SIMPLE, Some([false; 3])),
        (&Member::Anonymous, Rights::FREE_BUSY_SIMPLE, None),
    ] {
        let member = member.clone();
        let table = [Permission { member, rights }];
        let set = alice.store.set_permissions(calendar, &table).await;
        set.unwrap();
        match shown {
            Some(shown) => assert_eq!(ask(BOB).await.unwrap(), expected(shown)),
            None => fails(ask(BOB).await, ErrorKind::Denied),
        }
    }
}

/// A calendar: what is busy between 9 and 18 o'clock, and what is not.
fn events() -> Vec<Draft> {
    let long = |tag: PropTag, value| (tag, OwnedValue::I32(value));
    let status = |status: BusyStatus| long(tags::BUSY_STATUS.tag(), status.number());
    let series = (tags::RECURRING.tag(), OwnedValue::Bool(true));
    let over = (tags::CLIP_END.tag(), OwnedValue::Time(hour_of_day(2)));
    vec![
        event("late", 15..16, &[status(BusyStatus::OutOfOffice)]),
        event("early", 8..10, &[status(BusyStatus::Busy)]),
        event("secret", 12..13, &[long(tags::SENSITIVITY.tag(), 2)]),
        event("free", 12..13, &[status(BusyStatus::Free)]),
        event(
            "off",
            12..13,
            &[long(tags::APPOINTMENT_STATE_FLAGS.tag(), 4)],
        ),
        event("before", 6..9, &[]),
        event("after", 18..19, &[]),
        event("series", 9..10, std::slice::from_ref(&series)),
        event("over", 1..2, &[series.clone(), over]),
    ]
}

fn event(subject: &str, hours: Range<i64>, more: &[(PropTag, OwnedValue)]) -> Draft {
    let time = |hour| OwnedValue::Time(hour_of_day(hour));
    let props = [
        (tags::MESSAGE_CLASS.tag(), text("IPM.Appointment")),
        (tags::APPOINTMENT_START_WHOLE.tag(), time(hours.start)),
        (tags::APPOINTMENT_END_WHOLE.tag(), time(hours.end)),
        (tags::LOCATION.tag(), text("room")),
    ];
    let draft = draft(subject);
    let props: Vec<_> = props.iter().chain(more).cloned().collect();
    Draft {
        props: draft.props.with(&props, &[]),
        ..draft
    }
}

/// Hours, status, subject and location of a time.
type Told = ((i64, i64), BusyStatus, Option<String>, Option<String>);

fn told(answer: FreeBusy) -> (Vec<Told>, u32) {
    let times = answer.times.into_iter().map(|time| {
        let hours = (time.start.unix() / 3600 % 24, time.end.unix() / 3600 % 24);
        (hours, time.status, time.subject, time.location)
    });
    (times.collect(), answer.series_left_out)
}

/// What is told of [`events`] to somebody who hears of some what they are.
fn expected(shown: [bool; 3]) -> (Vec<Told>, u32) {
    let all = [
        ((8, 10), BusyStatus::Busy, "early"),
        ((12, 13), BusyStatus::Busy, "secret"),
        ((15, 16), BusyStatus::OutOfOffice, "late"),
    ];
    let times = all.into_iter().zip(shown);
    let times = times.map(|((hours, status, subject), shown)| {
        let told = |text: &str| shown.then(|| text.to_owned());
        (hours, status, told(subject), told("room"))
    });
    (times.collect(), 1)
}

/// An hour of a day.
fn hour_of_day(hour: i64) -> FileTime {
    FileTime::from_unix(1_800_057_600 + hour * 3600)
}
