//! Peace: nothing goes wrong any more, and all must agree.

use exchange_standin::{NotificationFault, model::ids::Fid};
use mapi_store::NewFolder;
use mapi_types::{MailboxId, Version, tags, tags::message_flags};

use super::{
    Simulation,
    model::{Place, Seen},
    work::{FLAGGED, token},
};
use crate::subject::{ALICE, try_listing};

impl Simulation {
    /// Lets everything that is under way end, and compares.
    pub(super) async fn settle(&mut self) {
        let faults = self.standin.server.faults();
        faults.clear();
        faults.notifications(NotificationFault::None);
        self.open().await;
        // What was asked for before comes before this, and it brings the tree.
        let new = NewFolder {
            parent: None,
            name: format!("peace {}", self.new_token()),
            class: "IPF.Note".to_owned(),
        };
        let made = self.store.create_folder(&new).await.unwrap();
        self.store.delete_folder(made.id).await.unwrap();
        let mailbox = MailboxId(ALICE.to_owned());
        for folder in &self.folders {
            let synchronizing = self.standin.exchange.synchronize(&mailbox, folder.id);
            synchronizing.await.unwrap();
        }
        self.compare_tree().await;
        let there: Vec<_> = (0..self.folders.len())
            .map(|place| self.seen_there(place))
            .collect();
        for (place, there) in there.iter().enumerate() {
            assert_eq!(&self.seen_here(place).await, there, "folder {place}");
        }
        for place in 0..self.folders.len() {
            let mailbox = self.standin.server.mailbox(ALICE);
            for message in mailbox.messages(self.there(place)).unwrap() {
                let subject = message.content.props.text(tags::SUBJECT.tag());
                let there = ("there", place, message.mid, message.cn, &message.creator);
                self.model.tell(token(&subject.unwrap_or_default()), there);
            }
        }
        self.model.settle(&there);
        for copy in 0..self.model.copies.len() {
            let token = self.model.copies[copy].token;
            self.model.tell(token, "peace");
        }
        for place in 0..self.folders.len() {
            for (item, token) in self.list(place).await.unwrap() {
                let octets = self.octets(place, item).await;
                let Some(octets) = octets else {
                    // It has got another number meanwhile, which only what was edited may.
                    let again = self.list(place).await.unwrap();
                    let story = self.model.story_of(token);
                    let gone = !again.contains(&(item, token));
                    assert!(gone, "{token} cannot be read in {place}: {story:?}");
                    continue;
                };
                self.model.read((place, item.0), token, &octets);
            }
        }
        self.compare_sent();
        assert_eq!(self.standin.violations(), [""; 0]);
        if self.random.once_in(3) {
            self.begin_anew().await;
        }
    }

    /// Nothing but the ledger is left; or the gateway starts anew.
    async fn begin_anew(&mut self) {
        for copy in 0..self.model.copies.len() {
            let token = self.model.copies[copy].token;
            self.model.tell(token, "anew");
        }
        let mailbox = MailboxId(ALICE.to_owned());
        while !self.standin.exchange.is_up_to_date(&mailbox) {
            tokio::task::yield_now().await;
        }
        match self.random.once_in(2) {
            true => self.standin.exchange.drop_mirror(&mailbox).await.unwrap(),
            false => {
                self.standin.restart();
                self.open().await;
            }
        }
    }

    /// A folder on the server.
    pub(super) fn there(&self, place: Place) -> Fid {
        let mailbox = self.standin.server.mailbox(ALICE);
        if place == 0 {
            return mailbox.inbox().unwrap();
        }
        let folders = mailbox.folders().unwrap();
        let names = &self.folders[place].names;
        let mut folders = folders.into_iter();
        let folder = folders.find(|(_, name)| names.contains(name));
        folder.unwrap_or_else(|| panic!("no folder is {names:?}")).0
    }

    fn seen_there(&self, place: Place) -> Vec<Seen> {
        let mailbox = self.standin.server.mailbox(ALICE);
        let messages = mailbox.messages(self.there(place)).unwrap();
        let mut all: Vec<_> = messages
            .iter()
            .map(|message| {
                let props = &message.content.props;
                Seen {
                    token: token(&props.text(tags::SUBJECT.tag()).unwrap_or_default()),
                    read: message.read,
                    flagged: props.i32(tags::FLAG_STATUS.tag()) == Some(FLAGGED),
                }
            })
            .collect();
        all.sort();
        all
    }

    async fn seen_here(&self, place: Place) -> Vec<Seen> {
        let folder = self.folders[place].id;
        let rows = try_listing(&*self.store, folder).await.unwrap();
        let mut all: Vec<_> = rows
            .rows()
            .map(|row| Seen {
                token: token(row.get(&tags::SUBJECT).unwrap_or_default()),
                read: row.get(&tags::MESSAGE_FLAGS).unwrap_or(0) & message_flags::READ != 0,
                flagged: row.get(&tags::FLAG_STATUS) == Some(FLAGGED),
            })
            .collect();
        all.sort();
        all
    }

    /// Folders are what they were: the same ids, the same epochs, and one of the names they may have.
    async fn compare_tree(&mut self) {
        let tree = self.store.hierarchy(Version(0)).await.unwrap().changed;
        let names = self.standin.server.mailbox(ALICE).folders().unwrap();
        let there = |name: &str| names.iter().filter(|(_, known)| known == name).count();
        for folder in &mut self.folders {
            let known = tree.iter().find(|known| known.id == folder.id);
            let known = known.unwrap_or_else(|| panic!("{:?} is gone", folder.names));
            assert_eq!(known.epoch, folder.epoch);
            assert!(folder.names.contains(&known.name), "{known:?}");
            assert_eq!(there(&known.name), 1, "{}", known.name);
            folder.names = vec![known.name.clone()];
        }
        for (name, expected) in &mut self.empty {
            let here = tree.iter().filter(|known| known.name == *name).count();
            assert_eq!(here, there(name), "{name}");
            assert!(here <= 1, "{name} is doubled");
            assert!(
                expected.is_none_or(|expected| expected == (here == 1)),
                "{name}"
            );
            *expected = Some(here == 1);
        }
    }

    fn compare_sent(&mut self) {
        let subjects = |user: &str, path: &str| {
            let mailbox = self.standin.server.mailbox(user);
            mailbox.subjects(mailbox.folder(path).unwrap()).unwrap()
        };
        let arrived = subjects("bob@example.test", "Inbox");
        let kept = subjects(ALICE, "Sent Items");
        for (subject, sent) in &mut self.sent {
            let count = |all: &[String]| all.iter().filter(|known| *known == subject).count();
            let (arrived, kept) = (count(&arrived), count(&kept));
            assert_eq!(arrived, kept, "{subject}");
            assert!(arrived <= 1, "{subject} was sent twice");
            assert!(sent.is_none_or(|sent| sent == (arrived == 1)), "{subject}");
        }
    }
}
