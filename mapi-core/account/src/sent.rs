//! Copies of sent messages in Sent Items, put there by the gateway, and never beside the one that a client puts there.
//!
//! Some clients file what they sent themselves, by APPEND, before or after it; others never do. A copy is known as
//! another's double by its Message-ID, which both have. Whichever came first, the client's stays: it is what the user
//! chose to keep. The gateway's own copies have keys that say of which message and of which octets they are, so nothing
//! but such a copy, unchanged, is ever replaced: not what a client filed, nor another message that has the same
//! Message-ID by mistake. The key also makes a repeated filing one.

use std::collections::BTreeMap;

use mapi_store::{
    ByteRange, Error, ErrorKind, Items, Principal, Query, READ_BYTES_MAX, Result, Role, Saved,
    Table,
};
use mapi_types::{
    Draft, FileTime, FolderId, ItemKey, ItemNumber, MailboxId, OwnedValue, Relation, Restriction,
    tags,
};

use crate::{Account, Accounts, FlagChange, Flags, NewItem, Spooled, write};

/// How many of the newest numbers of Sent Items are looked through for a double.
const LOOKED_THROUGH_MAX: u32 = 1000;

/// What keys of copies begin with.
const KEY_MARK: &[u8] = b"sent";

/// What the hashes in keys are for; another way of making keys gets other names.
const MESSAGE_CONTEXT: &str = "dragoman 2026 message of a sent copy";
const OCTETS_CONTEXT: &str = "dragoman 2026 octets of a sent copy";

/// Octets of each hash in a key.
const HASH_BYTES: usize = 16;

/// Whose Sent Items get copies of what is sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CopyRules {
    /// For mailboxes that nothing else is said of.
    pub others: CopyRule,
    /// For single mailboxes.
    pub of: BTreeMap<MailboxId, CopyRule>,
}

/// Which copies a mailbox's Sent Items get.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CopyRule {
    /// Of what its owner sends.
    pub sent: bool,
    /// Of what others send in its name.
    pub sent_by_others: bool,
}

impl CopyRules {
    /// The rule for a mailbox.
    pub fn rule(&self, mailbox: &MailboxId) -> CopyRule {
        self.of.get(mailbox).copied().unwrap_or(self.others)
    }
}

/// What copies of one message have in their keys.
struct Mark {
    message: [u8; HASH_BYTES],
    octets: [u8; HASH_BYTES],
}

impl Mark {
    fn new(mailbox: &MailboxId, message: &Spooled, id: &str) -> Self {
        let of_message = hash(MESSAGE_CONTEXT, &[mailbox.0.as_bytes(), id.as_bytes()]);
        Self {
            message: of_message,
            octets: hash(OCTETS_CONTEXT, &[&message.hash().0]),
        }
    }

    fn key(&self) -> ItemKey {
        ItemKey([KEY_MARK, &self.message, &self.octets].concat().into())
    }

    /// The octets of the copy that a key was made for, if it is one of this message.
    fn octets_of<'k>(&self, key: &'k [u8]) -> Option<&'k [u8]> {
        key.strip_prefix(KEY_MARK)?.strip_prefix(&self.message)
    }
}

fn hash(context: &str, parts: &[&[u8]]) -> [u8; HASH_BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut hash = [0; HASH_BYTES];
    hasher.finalize_xof().fill(&mut hash);
    hash
}

/// An item that has the Message-ID looked for.
struct Double {
    number: ItemNumber,
    key: Box<[u8]>,
    size: Option<i64>,
}

impl Accounts {
    /// Puts a copy of a message into a mailbox's Sent Items, read, unless it is there. Durable when it returns.
    ///
    /// Errors: `NotFound` (no such mailbox, or it has no such folder), `Quota`, `TooBig`, `Unavailable`.
    pub async fn file_sent(
        &self,
        mailbox: &MailboxId,
        message: &Spooled,
        sent: FileTime,
    ) -> Result<()> {
        let owner = Principal {
            user: mailbox.0.clone(),
        };
        let account = self.open(&owner, mailbox).await?;
        let Some(folder) = account.sent_items().await? else {
            return Err(Error::new(ErrorKind::NotFound, "there are no Sent Items"));
        };
        let state = account.0.mailbox.folder(folder);
        let _turn = state.filing.lock().await;
        let mark = message_id(message).map(|id| (Mark::new(mailbox, message, id), id));
        if let Some((mark, id)) = &mark {
            let doubles = account.doubles(folder, id).await?;
            if doubles
                .iter()
                .any(|double| mark.octets_of(&double.key).is_none())
            {
                return Ok(());
            }
        }
        let props = write::copy_props(&message.0, Flags::SEEN, &[], sent);
        let draft = Draft {
            key: mark.map(|(mark, _)| mark.key()),
            message: message.0.clone(),
            props: props.into_iter().collect(),
            prefix: Default::default(),
        };
        let saved = account.save(folder, std::slice::from_ref(&draft)).await;
        saved.map(drop)
    }
}

impl Account {
    /// The folder for what was sent.
    async fn sent_items(&self) -> Result<Option<FolderId>> {
        let tree = self.folders().await?;
        Ok(tree.role(Role::SentItems).map(|folder| folder.id))
    }

    /// Files a message that a client puts into Sent Items in the place of the gateway's copy of it. `None`: there is no
    /// such copy, or none is ever made here, and it is to be filed as any other.
    pub(crate) async fn file_in_place(
        &self,
        folder: FolderId,
        item: &NewItem,
    ) -> Result<Option<Saved>> {
        let Some(id) = message_id(&item.message) else {
            return Ok(None);
        };
        let mark = Mark::new(&self.0.id, &item.message, id);
        for double in self.doubles(folder, id).await? {
            let Some(octets) = mark.octets_of(&double.key) else {
                continue;
            };
            if !self.is_unchanged(folder, &double, octets).await? {
                continue;
            }
            return match octets == mark.octets {
                true => self.recognised(folder, &double, item).await,
                false => self.replaced(folder, &double, item).await,
            };
        }
        Ok(None)
    }

    /// Whether messages put into a folder may be doubles of the gateway's copies.
    pub(crate) async fn gets_copies(&self, folder: FolderId) -> Result<bool> {
        let rule = self.0.shared.options.copies.rule(&self.0.id);
        let any = rule.sent || rule.sent_by_others;
        Ok(any && self.sent_items().await? == Some(folder))
    }

    /// The client's copy is the gateway's to the octet: it is there, and gets the client's flags.
    async fn recognised(
        &self,
        folder: FolderId,
        double: &Double,
        item: &NewItem,
    ) -> Result<Option<Saved>> {
        let change = FlagChange::Set {
            flags: item.flags,
            keywords: item.keywords.clone(),
        };
        let items = [mapi_store::Expected {
            item: double.number,
            version: None,
        }];
        self.set_flags(folder, &items, &change).await?;
        Ok(Some(Saved {
            number: double.number,
            key: ItemKey(double.key.clone()),
            version: self.folder(folder).await?.version,
            existing: true,
        }))
    }

    async fn replaced(
        &self,
        folder: FolderId,
        double: &Double,
        item: &NewItem,
    ) -> Result<Option<Saved>> {
        let expected = mapi_store::Expected {
            item: double.number,
            version: None,
        };
        let draft = write::draft(item.clone(), &self.0.id);
        match self.0.store.replace(folder, expected, &draft).await {
            Ok(saved) => {
                let state = self.0.mailbox.folder(folder);
                state.hear_number(saved.number);
                state.hear(saved.version);
                Ok(Some(saved))
            }
            // It was moved or deleted meanwhile.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Conflict) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The newest items of a folder that have a Message-ID.
    async fn doubles(&self, folder: FolderId, id: &str) -> Result<Vec<Double>> {
        let next = self.folder(folder).await?.next_number.0;
        let next = next.max(self.0.mailbox.folder(folder).next_number().0);
        let tag = tags::INTERNET_MESSAGE_ID.tag();
        let same = Restriction::Property(Relation::Equal, tag, OwnedValue::Str(id.into()));
        let columns = [
            tags::INTERNET_ARTICLE_NUMBER.tag(),
            tags::SOURCE_KEY.tag(),
            tags::ORIGINAL_SIZE.tag(),
        ];
        let query = Query {
            table: Table::Contents(folder),
            columns: &columns,
            items: Items::Range(next.saturating_sub(LOOKED_THROUGH_MAX)..=u32::MAX),
            filter: Some(&same),
            sort: &[],
            limit: LOOKED_THROUGH_MAX,
        };
        let rows = self.0.store.query(&query).await?;
        let double = |row: mapi_types::Row<'_>| {
            Some(Double {
                number: ItemNumber(row.get(&tags::INTERNET_ARTICLE_NUMBER)?.cast_unsigned()),
                key: row.get(&tags::SOURCE_KEY)?.into(),
                size: row.get(&tags::ORIGINAL_SIZE),
            })
        };
        Ok(rows.rows().filter_map(double).collect())
    }

    /// Whether an item has the octets that its key was made for.
    async fn is_unchanged(&self, folder: FolderId, double: &Double, octets: &[u8]) -> Result<bool> {
        let mut hasher = blake3::Hasher::new();
        let len = double.size.map_or(0, i64::cast_unsigned);
        let mut offset = 0;
        while offset < len {
            let piece = ByteRange {
                item: double.number,
                tag: tags::ORIGINAL.tag(),
                offset,
                len: READ_BYTES_MAX,
            };
            let read = self.0.store.read_bytes(folder, &[piece]).await?;
            let Some(read) = read
                .into_iter()
                .flatten()
                .next()
                .filter(|read| !read.is_empty())
            else {
                return Ok(false);
            };
            offset += read.len() as u64;
            hasher.update(&read);
        }
        Ok(hash(OCTETS_CONTEXT, &[hasher.finalize().as_bytes()]) == octets)
    }
}

/// What two copies of a message have in common.
fn message_id(message: &Spooled) -> Option<&str> {
    let id = message.0.tree.props.get(&tags::INTERNET_MESSAGE_ID)?;
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use directory::Directory;
    use mapi_store::{Backend, MemBackend};

    use super::*;
    use crate::{Options, Piece};

    const SENT: &str = "Message-ID: <1@x.test>\r\nBcc: bob@example.test\r\n\r\ntext\r\n";
    const FILED: &str = "Message-ID: <1@x.test>\r\nX-Client: yes\r\n\r\ntext\r\n";

    /// What is put into the Sent Items of somebody, and by whom.
    enum Put {
        Gateway(&'static str),
        Client(&'static str),
    }
    use Put::{Client, Gateway};

    struct World {
        accounts: Arc<Accounts>,
        account: Account,
        sent_items: FolderId,
    }

    impl World {
        async fn new(copies: CopyRule) -> Self {
            let backend = Arc::new(MemBackend::default());
            let mailbox = MailboxId("alice@example.test".to_owned());
            backend.provision(&mailbox).await.unwrap();
            let options = Options {
                copies: CopyRules {
                    others: copies,
                    ..CopyRules::default()
                },
                ..Options::default()
            };
            let directory = Arc::new(Directory::in_memory().unwrap());
            let accounts = Accounts::new(backend, directory, options);
            let principal = Principal {
                user: mailbox.0.clone(),
            };
            let account = accounts.open(&principal, &mailbox).await.unwrap();
            let sent_items = account.sent_items().await.unwrap().unwrap();
            Self {
                accounts,
                account,
                sent_items,
            }
        }

        async fn put(&self, put: &Put) -> Option<Saved> {
            let (Gateway(text) | Client(text)) = put;
            let mut spool = self.accounts.spool();
            spool.write(text.as_bytes()).await.unwrap();
            let message = spool.finish().await.unwrap();
            let sent = FileTime::from_unix(1_800_000_000);
            match put {
                Gateway(_) => {
                    let mailbox = self.account.mailbox();
                    let filed = self.accounts.file_sent(mailbox, &message, sent).await;
                    filed.unwrap();
                    None
                }
                Client(_) => {
                    let item = NewItem {
                        message,
                        flags: Flags::SEEN | Flags::FLAGGED,
                        keywords: Vec::new(),
                        received: sent,
                        once: None,
                    };
                    let saved = self.account.append(self.sent_items, vec![item]).await;
                    saved.unwrap().pop()
                }
            }
        }

        /// What is there, in order, and the flags of the first.
        async fn there(&self) -> (Vec<String>, Flags) {
            let index = self.account.index(self.sent_items).await.unwrap();
            let pieces: Vec<_> = index
                .iter()
                .map(|item| Piece {
                    item: item.number,
                    range: 0..1000,
                })
                .collect();
            let read = self.account.read(self.sent_items, &pieces).await.unwrap();
            let text =
                |octets: Option<bytes::Bytes>| String::from_utf8(octets.unwrap().to_vec()).unwrap();
            let flags = index.iter().next().map_or(Flags::NONE, |item| item.flags);
            (read.into_iter().map(text).collect(), flags)
        }
    }

    #[tokio::test]
    async fn a_message_is_in_sent_items_once_whoever_comes_first() {
        let other = "Message-ID: <1@x.test>\r\n\r\nanother\r\n";
        let nameless = "Subject: x\r\n\r\n";
        for (puts, expected) in [
            (&[Gateway(SENT)][..], &[SENT][..]),
            (&[Gateway(SENT), Gateway(SENT)], &[SENT]),
            (&[Gateway(SENT), Client(FILED)], &[FILED]),
            (&[Gateway(SENT), Client(SENT)], &[SENT]),
            (&[Client(FILED), Gateway(SENT)], &[FILED]),
            (&[Gateway(SENT), Client(FILED), Gateway(SENT)], &[FILED]),
            // Nothing that a client filed is ever replaced.
            (
                &[Gateway(SENT), Client(FILED), Client(other)],
                &[FILED, other],
            ),
            (&[Client(FILED), Client(other)], &[FILED, other]),
            // Nor a message that only has the name of another.
            (&[Gateway(SENT), Gateway(other)], &[SENT, other]),
            (&[Gateway(SENT), Client(nameless)], &[SENT, nameless]),
            (
                &[Gateway(nameless), Gateway(nameless)],
                &[nameless, nameless],
            ),
        ] {
            let world = World::new(CopyRule {
                sent: true,
                sent_by_others: false,
            })
            .await;
            for put in puts {
                world.put(put).await;
            }
            assert_eq!(world.there().await.0, expected);
        }
    }

    #[tokio::test]
    async fn a_client_is_told_where_its_copy_is_and_its_flags_count() {
        let world = World::new(CopyRule {
            sent: true,
            sent_by_others: false,
        })
        .await;
        world.put(&Gateway(SENT)).await;
        assert_eq!(world.there().await.1, Flags::SEEN);
        let same = world.put(&Client(SENT)).await.unwrap();
        assert!(same.existing && same.number == ItemNumber(1));
        assert_eq!(world.there().await.1, Flags::SEEN | Flags::FLAGGED);
        let world = World::new(CopyRule {
            sent: false,
            sent_by_others: true,
        })
        .await;
        world.put(&Gateway(SENT)).await;
        let other = world.put(&Client(FILED)).await.unwrap();
        assert!(!other.existing && other.number == ItemNumber(2));
        assert_eq!(
            world.there().await,
            (vec![FILED.to_owned()], Flags::SEEN | Flags::FLAGGED)
        );
    }
}
