//! Connections cut at every byte of what is asked and of what is answered, for every kind of work: it is done once, and
//! nothing else has changed.
//!
//! A run cuts at every so many bytes, and begins elsewhere for each kind of work; with `EVERY_BYTE=1` it leaves none out.

use std::{collections::BTreeMap, sync::Arc};

use exchange_standin::{Fault, NotificationFault, What, When, model::draft::Draft as Sent};
use mapi_store::{
    Deletion, ErrorKind, Expected, FolderInfo, NewFolder, Result, Role, Store, Transfer,
};
use mapi_types::{
    BitChange, Change, ItemKey, ItemNumber, MailboxId, OwnedValue, Version, tags,
    tags::message_flags,
};

use crate::{
    faults::{bytes, draft, original, save},
    sending::letter,
    subject::{ALICE, Standin, listing, numbers},
};

/// Bytes between two cuts of a run that leaves some out.
const STRIDE: u64 = 97;

/// Requests of a piece of work that are cut, and bytes of one: more than any has.
const REQUESTS_MAX: u32 = 8;
const BYTES_MAX: u64 = 1 << 16;

/// How often somebody asks again.
const TRIES: u32 = 6;

/// A kind of work.
#[derive(Clone, Copy, Debug)]
enum Work {
    Save,
    Read,
    Flag,
    Edit,
    Move,
    Copy,
    Delete,
    MakeFolder,
    RenameFolder,
    DeleteFolder,
    Submit,
    Fetch,
    Synchronize,
}

/// A mailbox with some messages that nothing must happen to.
struct Mailbox {
    standin: Standin,
    store: Arc<dyn Store>,
    inbox: FolderInfo,
    target: FolderInfo,
    sent: FolderInfo,
    witnesses: BTreeMap<ItemNumber, String>,
    serial: u32,
}

/// A message, or a folder, that work is done with.
struct Subject {
    name: String,
    item: ItemNumber,
    folder: Option<FolderInfo>,
}

impl Mailbox {
    async fn new() -> Self {
        let standin = Standin::start();
        let (store, inbox) = standin.alice().await;
        let mut witnesses = BTreeMap::new();
        for number in 0..4 {
            let name = format!("witness {number}");
            witnesses.insert(save(&*store, &inbox, &name).await, name);
        }
        let target = folder(&*store, "Target").await;
        let tree = store.hierarchy(Version(0)).await.unwrap().changed;
        let mut tree = tree.into_iter();
        let sent = tree.find(|one| one.role == Some(Role::SentItems)).unwrap();
        let faults = standin.server.faults();
        faults.notifications(NotificationFault::Drop);
        Self {
            standin,
            store,
            inbox,
            target,
            sent,
            witnesses,
            serial: 0,
        }
    }

    /// What is there before the work.
    async fn prepare(&mut self, work: Work) -> Subject {
        self.serial += 1;
        let name = format!("work {}", self.serial);
        let store = &*self.store;
        let mut subject = Subject {
            name: name.clone(),
            item: ItemNumber(0),
            folder: None,
        };
        match work {
            Work::Save | Work::MakeFolder | Work::Submit => {}
            Work::RenameFolder | Work::DeleteFolder => {
                subject.folder = Some(folder(store, &name).await);
            }
            Work::Fetch | Work::Synchronize => {
                let mailbox = self.standin.server.mailbox(ALICE);
                let there = Sent::about(&name).text("from elsewhere");
                mailbox.deliver(there).unwrap();
                if let Work::Fetch = work {
                    self.synchronize().await.unwrap();
                    subject.item = self.number_of(&name).await.unwrap();
                }
            }
            _ => subject.item = save(store, &self.inbox, &name).await,
        }
        subject
    }

    async fn synchronize(&self) -> Result<()> {
        let alice = MailboxId(ALICE.to_owned());
        self.standin
            .exchange
            .synchronize(&alice, self.inbox.id)
            .await
    }

    async fn number_of(&self, name: &str) -> Option<ItemNumber> {
        let rows = listing(&*self.store, &self.inbox).await;
        let found = numbers(&rows).into_iter().zip(rows.rows());
        let mut found = found.filter(|(_, row)| row.get(&tags::SUBJECT) == Some(name));
        let number = found.next().map(|(number, _)| number);
        assert_eq!(found.count(), 0, "{name} is doubled");
        number
    }

    async fn work(&self, work: Work, subject: &Subject) -> Result<()> {
        let store = &*self.store;
        let one = [subject.item];
        let expected = [Expected {
            item: subject.item,
            version: None,
        }];
        let (inbox, target) = (self.inbox.id, self.target.id);
        let new = format!("new {}", subject.name);
        match work {
            Work::Save => store.save(inbox, &[draft(&subject.name)]).await.map(drop),
            Work::Read => store.update(inbox, &expected, &read()).await.map(drop),
            Work::Flag => store.update(inbox, &expected, &flag()).await.map(drop),
            Work::Edit => {
                let text = OwnedValue::Str("edited".into());
                let change = Change {
                    set: vec![(tags::BODY.tag(), text)],
                    ..Change::default()
                };
                store.update(inbox, &expected, &change).await.map(drop)
            }
            Work::Move | Work::Copy => {
                let how = match work {
                    Work::Move => Transfer::Move,
                    _ => Transfer::Copy,
                };
                store.transfer(inbox, &one, target, how).await.map(drop)
            }
            Work::Delete => store.delete(inbox, &one, Deletion::Hard).await.map(drop),
            Work::MakeFolder => {
                let made = store.create_folder(&new_folder(&subject.name)).await;
                is_there(made.map(drop))
            }
            Work::RenameFolder => {
                let folder = subject.folder.as_ref().unwrap().id;
                store.move_folder(folder, None, &new).await
            }
            Work::DeleteFolder => {
                let folder = subject.folder.as_ref().unwrap().id;
                is_there(store.delete_folder(folder).await)
            }
            Work::Submit => {
                let mut letter = letter(ALICE, &["bob@example.test"], &subject.name);
                letter.key = Some(ItemKey(subject.name.as_bytes().into()));
                store.submit(&letter, Some(self.sent.id)).await
            }
            Work::Fetch => {
                let octets = bytes(store, &self.inbox, subject.item).await;
                let octets = String::from_utf8(octets.to_vec()).unwrap();
                assert!(octets.contains("from elsewhere"));
                Ok(())
            }
            Work::Synchronize => self.synchronize().await,
        }
    }

    /// The work is done, once.
    async fn check(&self, work: Work, subject: &Subject) {
        let name = &subject.name;
        let there = |user: &str, path: &str| {
            let mailbox = self.standin.server.mailbox(user);
            let subjects = mailbox.subjects(mailbox.folder(path).unwrap()).unwrap();
            subjects.iter().filter(|known| *known == name).count()
        };
        let here = self.number_of(name).await;
        let row = async |tag| {
            let object = mapi_store::Object::Item(self.inbox.id, subject.item);
            let bag = self.store.props(object, &[tag]).await.unwrap();
            bag.iter().next().map(|(_, value)| value.to_owned())
        };
        match work {
            Work::Save => {
                assert_eq!(there(ALICE, "Inbox"), 1);
                let octets = bytes(&*self.store, &self.inbox, here.unwrap()).await;
                assert_eq!(octets, original(name));
            }
            Work::Read => {
                let flags = row(tags::MESSAGE_FLAGS.tag()).await;
                assert_eq!(flags, Some(OwnedValue::I32(message_flags::READ)));
                assert_eq!(here, Some(subject.item));
            }
            Work::Flag => {
                let flagged = row(tags::FLAG_STATUS.tag()).await;
                assert_eq!(flagged, Some(OwnedValue::I32(2)));
                assert_eq!(here, Some(subject.item));
            }
            Work::Edit => {
                assert!(here.unwrap() > subject.item);
                assert_eq!(there(ALICE, "Inbox"), 1);
            }
            Work::Move | Work::Copy => {
                let stays = usize::from(matches!(work, Work::Copy));
                let found = (there(ALICE, "Inbox"), there(ALICE, "Target"));
                assert_eq!(found, (stays, 1));
                let rows = listing(&*self.store, &self.target).await;
                let moved = numbers(&rows).pop().unwrap();
                let octets = bytes(&*self.store, &self.target, moved).await;
                assert_eq!(octets, original(name));
            }
            Work::Delete => assert_eq!((there(ALICE, "Inbox"), here), (0, None)),
            Work::MakeFolder => assert_eq!(self.folders(name).await, (1, 1)),
            Work::RenameFolder => {
                assert_eq!(self.folders(&format!("new {name}")).await, (1, 1));
                assert_eq!(self.folders(name).await, (0, 0));
            }
            Work::DeleteFolder => assert_eq!(self.folders(name).await, (0, 0)),
            Work::Submit => {
                assert_eq!(there("bob@example.test", "Inbox"), 1);
                assert_eq!(there(ALICE, &self.sent.name), 1);
            }
            Work::Fetch => assert_eq!(here, Some(subject.item)),
            Work::Synchronize => assert_eq!(here.is_some(), there(ALICE, "Inbox") == 1),
        }
    }

    /// How many folders have this name: here, and on the server.
    async fn folders(&self, name: &str) -> (usize, usize) {
        let tree = self.store.hierarchy(Version(0)).await.unwrap().changed;
        let there = self.standin.server.mailbox(ALICE).folders().unwrap();
        (
            tree.iter().filter(|folder| folder.name == name).count(),
            there.iter().filter(|(_, known)| known == name).count(),
        )
    }

    /// The witnesses are what and where they were, and everything agrees.
    async fn compare(&self) {
        self.synchronize().await.unwrap();
        let rows = listing(&*self.store, &self.inbox).await;
        let all = numbers(&rows);
        assert!(all.is_sorted());
        let mailbox = self.standin.server.mailbox(ALICE);
        let there = mailbox.messages(mailbox.inbox().unwrap()).unwrap();
        assert_eq!(all.len(), there.len());
        for (number, name) in &self.witnesses {
            assert!(all.contains(number));
            let octets = bytes(&*self.store, &self.inbox, *number).await;
            assert_eq!(octets, original(name));
        }
        assert_eq!(self.standin.violations(), [""; 0]);
    }

    /// Does a piece of work with a cut in one of its requests; whether there was one.
    async fn cut(&mut self, work: Work, (request, what): (u32, What)) -> bool {
        let subject = self.prepare(work).await;
        let faults = self.standin.server.faults();
        let before = (faults.happened(), self.standin.server.counters().sessions);
        let cuts_answer = matches!(what, What::CutResponse { .. });
        faults.add(Fault {
            when: When {
                request: Some("Execute".to_owned()),
                after: request,
                ..When::default()
            },
            times: 1,
            what: what.clone(),
        });
        let mut done = Ok(());
        for _ in 0..TRIES {
            done = self.work(work, &subject).await;
            match &done {
                Err(error) if error.kind.is_transient() => {}
                _ => break,
            }
        }
        let happened = faults.happened() > before.0;
        let anew = self.standin.server.counters().sessions > before.1;
        faults.clear();
        faults.notifications(NotificationFault::Drop);
        assert!(done.is_ok(), "{work:?} {request} {what:?}: {done:?}");
        self.check(work, &subject).await;
        happened && (anew || !cuts_answer)
    }
}

fn new_folder(name: &str) -> NewFolder {
    NewFolder {
        parent: None,
        name: name.to_owned(),
        class: "IPF.Note".to_owned(),
    }
}

async fn folder(store: &dyn Store, name: &str) -> FolderInfo {
    store.create_folder(&new_folder(name)).await.unwrap()
}

/// What an earlier try had done is done.
fn is_there(done: Result<()>) -> Result<()> {
    match done {
        Err(error) if matches!(error.kind, ErrorKind::Exists | ErrorKind::NotFound) => Ok(()),
        done => done,
    }
}

fn read() -> Change {
    Change {
        bits: vec![BitChange {
            tag: tags::MESSAGE_FLAGS.tag(),
            set: message_flags::READ,
            clear: 0,
        }],
        ..Change::default()
    }
}

fn flag() -> Change {
    Change {
        set: vec![(tags::FLAG_STATUS.tag(), OwnedValue::I32(2))],
        ..Change::default()
    }
}

/// Cuts everywhere in the requests of a kind of work, and in the answers to them.
async fn check(work: Work) {
    let stride = match std::env::var_os("EVERY_BYTE") {
        Some(_) => 1,
        None => STRIDE,
    };
    let mut mailbox = Mailbox::new().await;
    let whats: [fn(u64) -> What; 2] = [
        |after| What::CutRequest { after },
        |after| What::CutResponse { after },
    ];
    let mut cuts = 0;
    for what in whats {
        for request in 0..REQUESTS_MAX {
            let begin = (work as u64 * 5 + u64::from(request) * 11) % stride;
            let mut after = begin;
            while after < BYTES_MAX && mailbox.cut(work, (request, what(after))).await {
                cuts += 1;
                after += stride;
            }
            // The work has no more requests.
            if after == begin {
                break;
            }
        }
        mailbox.compare().await;
    }
    assert!(cuts > 8, "{work:?} was cut {cuts} times");
}

macro_rules! cuts {
    ($($name:ident: $work:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                check(Work::$work).await;
            }
        )*
    };
}

cuts! {
    saving_is_done_once_wherever_it_is_cut: Save,
    reading_is_marked_wherever_it_is_cut: Read,
    flags_are_set_wherever_it_is_cut: Flag,
    an_edit_is_done_once_wherever_it_is_cut: Edit,
    moving_is_done_once_wherever_it_is_cut: Move,
    copying_is_done_once_wherever_it_is_cut: Copy,
    deleting_is_done_wherever_it_is_cut: Delete,
    a_folder_is_made_once_wherever_it_is_cut: MakeFolder,
    a_folder_is_renamed_wherever_it_is_cut: RenameFolder,
    a_folder_is_deleted_wherever_it_is_cut: DeleteFolder,
    sending_is_done_once_wherever_it_is_cut: Submit,
    bytes_are_fetched_wherever_it_is_cut: Fetch,
    what_is_new_is_found_wherever_it_is_cut: Synchronize,
}
