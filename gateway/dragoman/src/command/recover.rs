//! What was deleted and is not gone yet: `dragoman recover`.
//!
//! An item is named by the folder it was deleted from and the number it had there, as `12.345`: both are given once.

use std::{collections::BTreeMap, sync::Arc};

use account::{FolderId, FolderTree, ItemNumber, MailboxId, Principal, Role};
use mapi_store::{Backend, DeletedFolder, ErrorKind, Items, NewFolder, Query, Store, Table};
use mapi_types::{FileTime, PropTag, Row, tags};

use super::{
    administration::Administration,
    request::{Recovery, Which},
};
use crate::{
    failure::{Doing, Failure, Result},
    folder_path,
    mapi::{moment_text, plain},
};

/// The folder in the Inbox that takes items whose folder is gone.
const RECOVERED: &str = "Recovered";

/// Items recovered or purged by one call to the store.
const BATCH: usize = 500;

/// The most lines of a list: the whole answer must fit into one message of the admin socket.
const LINES_MAX: usize = 2000;

/// The most characters of a subject in a list.
const SUBJECT_CHARS_MAX: usize = 80;

const COLUMNS: [PropTag; 7] = [
    tags::INTERNET_ARTICLE_NUMBER.tag(),
    tags::DELETED_ON.tag(),
    tags::MESSAGE_DELIVERY_TIME.tag(),
    tags::ITEM_SIZE.tag(),
    tags::SENT_REPRESENTING_SMTP_ADDRESS.tag(),
    tags::SENT_REPRESENTING_EMAIL_ADDRESS.tag(),
    tags::SUBJECT.tag(),
];

/// A mailbox whose deleted items are looked at.
struct Wastebasket {
    store: Arc<dyn Store>,
    folders: Arc<FolderTree>,
    deleted: Vec<DeletedFolder>,
}

/// A deleted item.
struct Found {
    folder: FolderId,
    number: ItemNumber,
    deleted: FileTime,
    received: Option<FileTime>,
    size: u64,
    from: String,
    subject: String,
}

impl Administration {
    pub(super) async fn recover(&self, mailbox: &str, what: &Recovery) -> Result<Vec<String>> {
        let basket = self.wastebasket(mailbox).await?;
        match what {
            Recovery::List { folder, limit } => basket.list(folder.as_deref(), *limit).await,
            Recovery::Show(id) => basket.show(id).await,
            Recovery::Restore(which) => basket.restore(which).await,
            Recovery::Purge(which) => basket.purge(which).await,
        }
    }

    async fn wastebasket(&self, mailbox: &str) -> Result<Wastebasket> {
        if let Some(section) = self.backends().of_mailbox(mailbox) {
            let what = format!(
                "{mailbox}: not for mailboxes on Exchange yet (exchange.{}); Outlook's Recover Deleted Items shows what \
                 the server keeps",
                section.name()
            );
            return Err(Failure::of(mapi_store::Error::new(
                ErrorKind::Unsupported,
                what,
            )));
        }
        let account = self.owned(mailbox).await?;
        let doing = || format!("opening {mailbox}");
        let id: &MailboxId = account.mailbox();
        let principal = Principal { user: id.0.clone() };
        let store = self.backends().logon(&principal, id).await.doing(doing)?;
        Ok(Wastebasket {
            folders: account.folders().await.doing(doing)?,
            deleted: store.deleted_folders().await.doing(doing)?,
            store,
        })
    }
}

impl Wastebasket {
    /// A line for each deleted item, those that were deleted last first; folders that were deleted after them.
    async fn list(&self, folder: Option<&str>, limit: usize) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for id in self.chosen(folder)? {
            found.extend(self.items(id).await?);
        }
        found.sort_by_key(|item| (std::cmp::Reverse(item.deleted), item.folder, item.number));
        let octets: u64 = found.iter().map(|item| item.size).sum();
        let total = format!("{} items, {octets} octets", found.len());
        let mut lines: Vec<_> = found
            .iter()
            .take(limit.min(LINES_MAX))
            .map(|item| self.line(item))
            .collect();
        lines.push(total);
        for folder in &self.deleted {
            lines.push(format!(
                "the folder {} was deleted {} with {} items",
                plain(&self.path(folder.id)),
                moment_text(folder.deleted),
                folder.items
            ));
        }
        Ok(lines)
    }

    /// What is known of one deleted item.
    async fn show(&self, id: &str) -> Result<Vec<String>> {
        let (folder, number) = name(id)?;
        let found = self.items(folder).await?;
        let found = found.into_iter().find(|item| item.number == number);
        let item = found.ok_or_else(|| no_item(id))?;
        let received = item.received.map_or_else(|| "-".to_owned(), moment_text);
        Ok(vec![
            format!("folder    {}", plain(&self.path(item.folder))),
            format!("deleted   {}", moment_text(item.deleted)),
            format!("received  {received}"),
            format!("size      {}", item.size),
            format!("from      {}", item.from),
            format!("subject   {}", item.subject),
        ])
    }

    /// Brings items back: into their folder; those of a folder that is gone into one for such in the Inbox, or, when whole
    /// folders are asked for, into a folder of that name at its place.
    async fn restore(&self, which: &Which) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for (from, items) in self.asked(which).await? {
            let to = match self.gone(from) {
                None => from,
                Some(_) if matches!(which, Which::Items(_)) => self.recovered_folder().await?,
                Some(folder) => self.folder_again(folder).await?,
            };
            let mut count = 0;
            for batch in items.chunks(BATCH) {
                let done = self.store.recover(from, batch, to).await;
                count += done
                    .doing(|| format!("recovering into folder {to}", to = to.0))?
                    .len();
            }
            let info = self.store.folder(to).await;
            let to = info.map_or_else(|_| String::new(), |info| info.name);
            lines.push(format!("{count} items recovered into {}", plain(&to)));
        }
        match lines.is_empty() {
            true => Ok(vec!["nothing to recover".to_owned()]),
            false => Ok(lines),
        }
    }

    /// Deletes items for good.
    async fn purge(&self, which: &Which) -> Result<Vec<String>> {
        let mut count = 0;
        for (folder, items) in self.asked(which).await? {
            for batch in items.chunks(BATCH) {
                let gone = self.store.purge(folder, batch).await;
                count += gone
                    .doing(|| format!("purging in folder {}", folder.0))?
                    .len();
            }
        }
        Ok(vec![format!("{count} items purged")])
    }
}

impl Wastebasket {
    /// The folders whose deleted items are meant: all, or one that is there or was, with those below it that were deleted.
    fn chosen(&self, path: Option<&str>) -> Result<Vec<FolderId>> {
        let there = self.folders.iter().map(|folder| folder.id);
        let gone = self.deleted.iter().map(|folder| folder.id);
        let Some(path) = path else {
            return Ok(there.chain(gone).collect());
        };
        let mut chosen: Vec<FolderId> = folder_path::find(&self.folders, path)
            .map(|folder| folder.id)
            .into_iter()
            .collect();
        let is_below = |id: FolderId| {
            let own = self.path(id).to_lowercase();
            let asked = path.to_lowercase();
            own == asked
                || own
                    .strip_prefix(&asked)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        chosen.extend(gone.filter(|id| is_below(*id)));
        match chosen.is_empty() {
            true => Err(Failure::of(mapi_store::Error::new(
                ErrorKind::NotFound,
                format!("{path}: no such folder, and none was deleted"),
            ))),
            false => Ok(chosen),
        }
    }

    /// The items that are meant, by folder.
    async fn asked(&self, which: &Which) -> Result<BTreeMap<FolderId, Vec<ItemNumber>>> {
        let mut asked: BTreeMap<FolderId, Vec<ItemNumber>> = BTreeMap::new();
        match which {
            Which::Items(ids) => {
                for id in ids {
                    let (folder, number) = name(id)?;
                    asked.entry(folder).or_default().push(number);
                }
                // Whatever cannot be found is said before anything is done.
                for (folder, numbers) in &asked {
                    let there = self.items(*folder).await?;
                    let missing =
                        |number: &&ItemNumber| there.iter().all(|item| item.number != **number);
                    if let Some(number) = numbers.iter().find(missing) {
                        return Err(no_item(&format!("{}.{}", folder.0, number.0)));
                    }
                }
            }
            Which::Folder(path) => self.gather(&mut asked, Some(path)).await?,
            Which::All => self.gather(&mut asked, None).await?,
        }
        Ok(asked)
    }

    async fn gather(
        &self,
        asked: &mut BTreeMap<FolderId, Vec<ItemNumber>>,
        path: Option<&str>,
    ) -> Result<()> {
        for folder in self.chosen(path)? {
            let items = self.items(folder).await?;
            if !items.is_empty() {
                let numbers = items.into_iter().map(|item| item.number).collect();
                asked.insert(folder, numbers);
            }
        }
        Ok(())
    }

    async fn items(&self, folder: FolderId) -> Result<Vec<Found>> {
        let query = Query {
            table: Table::SoftDeleted(folder),
            columns: &COLUMNS,
            items: Items::Range(1..=u32::MAX),
            filter: None,
            sort: &[],
            limit: u32::MAX,
        };
        let rows = self.store.query(&query).await;
        let rows = rows.doing(|| format!("reading what was deleted in folder {}", folder.0))?;
        Ok(rows.rows().filter_map(|row| found(folder, row)).collect())
    }

    fn gone(&self, id: FolderId) -> Option<&DeletedFolder> {
        self.deleted.iter().find(|folder| folder.id == id)
    }

    /// Where a folder is, or was.
    fn path(&self, id: FolderId) -> String {
        let mut names = Vec::new();
        let mut at = id;
        // Ids of deleted folders lead upwards, and each is looked at once.
        for _ in 0..=self.deleted.len() {
            match self.gone(at) {
                Some(folder) => {
                    names.push(folder.name.clone());
                    match folder.parent {
                        Some(parent) => at = parent,
                        None => break,
                    }
                }
                None => {
                    let path = folder_path::of(&self.folders, at);
                    names.extend((!path.is_empty()).then_some(path));
                    break;
                }
            }
        }
        names.reverse();
        names.join("/")
    }

    fn line(&self, item: &Found) -> String {
        let subject: String = item.subject.chars().take(SUBJECT_CHARS_MAX).collect();
        format!(
            "{}.{}  {}  {} octets  {}  {}  {subject}",
            item.folder.0,
            item.number.0,
            moment_text(item.deleted),
            item.size,
            plain(&self.path(item.folder)),
            item.from,
        )
    }

    /// The folder for what has none any more.
    async fn recovered_folder(&self) -> Result<FolderId> {
        let inbox = self.folders.role(Role::Inbox).map(|inbox| inbox.id);
        self.folder_named(inbox, RECOVERED, "IPF.Note").await
    }

    /// A folder of a deleted one's name at its place, or at the top when that is gone.
    async fn folder_again(&self, folder: &DeletedFolder) -> Result<FolderId> {
        let mut above = vec![folder];
        while let Some(parent) = above.last().and_then(|folder| self.gone(folder.parent?))
            && above.len() <= self.deleted.len()
        {
            above.push(parent);
        }
        let mut at = above
            .last()
            .and_then(|top| top.parent)
            .filter(|parent| self.folders.get(*parent).is_some());
        for folder in above.into_iter().rev() {
            at = Some(self.folder_named(at, &folder.name, &folder.class).await?);
        }
        at.ok_or_else(|| Failure::new("a folder without a name"))
    }

    /// The child of that name, made if it is not there.
    async fn folder_named(
        &self,
        parent: Option<FolderId>,
        name: &str,
        class: &str,
    ) -> Result<FolderId> {
        let new = NewFolder {
            parent,
            name: name.to_owned(),
            class: class.to_owned(),
        };
        let doing = || format!("making the folder {name}");
        match self.store.create_folder(&new).await {
            Err(error) if error.kind == ErrorKind::Exists => {
                let tree = self
                    .store
                    .hierarchy(account::Version(0))
                    .await
                    .doing(doing)?;
                let lower = name.to_lowercase();
                let found = tree
                    .changed
                    .iter()
                    .find(|info| info.parent == parent && info.name.to_lowercase() == lower);
                found.map(|info| info.id).ok_or_else(|| Failure::of(error))
            }
            made => Ok(made.doing(doing)?.id),
        }
    }
}

fn found(folder: FolderId, row: Row<'_>) -> Option<Found> {
    let from = row
        .get(&tags::SENT_REPRESENTING_SMTP_ADDRESS)
        .or_else(|| row.get(&tags::SENT_REPRESENTING_EMAIL_ADDRESS));
    Some(Found {
        folder,
        number: ItemNumber(row.get(&tags::INTERNET_ARTICLE_NUMBER)?.cast_unsigned()),
        deleted: row.get(&tags::DELETED_ON)?,
        received: row.get(&tags::MESSAGE_DELIVERY_TIME),
        size: row.get(&tags::ITEM_SIZE).unwrap_or(0).cast_unsigned(),
        from: plain(from.unwrap_or("-")),
        subject: plain(row.get(&tags::SUBJECT).unwrap_or("")),
    })
}

/// Folder and number of an item as lists name it.
fn name(id: &str) -> Result<(FolderId, ItemNumber)> {
    let parts = id.split_once('.');
    let parsed = parts.and_then(|(folder, number)| {
        Some((
            FolderId(folder.parse().ok()?),
            ItemNumber(number.parse().ok()?),
        ))
    });
    parsed.ok_or_else(|| {
        Failure::new(format!(
            "{id}: not the name of a deleted item, such as 12.345"
        ))
    })
}

fn no_item(id: &str) -> Failure {
    let what = format!("{id}: no such deleted item");
    Failure::of(mapi_store::Error::new(ErrorKind::NotFound, what))
}
