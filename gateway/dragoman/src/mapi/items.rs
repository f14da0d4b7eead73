//! `dragoman mapi appointment|contact|task|note`: items of a class, made of what is said of them.

mod appointment;
mod contact;
mod note;
mod task;

use std::{sync::Arc, time::SystemTime};

use account::{FileTime, FolderInfo, ItemNumber, Role};
use bytes::Bytes;
use clap::Args;
use mapi_convert::{Common, Importance};
use mapi_store::{Deletion, Error, ErrorKind};
use mapi_trace::Detail;
use mapi_types::{
    Draft, Message, MessageTree, OwnedValue, PropBag, PropTag, Restriction, Row, TextMatch, tags,
};
use serde_json::{Value, json};

use super::{
    list,
    output::{Output, aligned},
    rows,
    session::{Session, missing},
    show,
};
use crate::{
    cli::mapi::{self as cli, Action, Items},
    failure::{Doing, Failure, Result},
};

/// A class of items.
pub(super) trait Class {
    /// The special folder in which they are.
    const ROLE: Role;
    /// PidTagMessageClass, and how those of derived classes begin.
    const CLASS: &'static str;
    /// What a list asks for, beside the number.
    const COLUMNS: &'static [PropTag];

    /// The properties of a new one.
    fn props(&self, session: &Session) -> Result<PropBag>;

    /// One in a list.
    fn cells(row: Row<'_>) -> Vec<String>;

    /// One in a list, as an object.
    fn json(row: Row<'_>) -> Value;
}

/// Does what is asked with items of a class.
pub(super) async fn run<C: Class + Args>(
    session: &Session,
    items: Items<C>,
    out: &Output,
) -> Result<()> {
    let folder = match &items.folder {
        Some(path) => session.folder(path).await?,
        None => session.special(C::ROLE).await?,
    };
    match items.action {
        Action::Add(new) => add(session, &folder, new.props(session)?, out).await,
        Action::List => list_all::<C>(session, &folder, out).await,
        Action::Show { number } => {
            let item = ItemNumber(number);
            show::whole(session, &folder, item, (Detail::Short, out)).await
        }
        Action::Remove { numbers } => remove(session, &folder, &numbers, out).await,
    }
}

async fn add(session: &Session, folder: &FolderInfo, props: PropBag, out: &Output) -> Result<()> {
    let now = OwnedValue::Time(FileTime::from(SystemTime::now()));
    let props = props.with(
        &[
            (tags::CREATION_TIME.tag(), now.clone()),
            (tags::LAST_MODIFICATION_TIME.tag(), now),
        ],
        &[],
    );
    let tree = MessageTree {
        props,
        ..MessageTree::default()
    };
    let draft = Draft {
        key: None,
        message: Arc::new(Message {
            tree,
            ..Message::default()
        }),
        props: PropBag::default(),
        prefix: Bytes::new(),
    };
    let saved = session.store.save(folder.id, std::slice::from_ref(&draft));
    let saved = saved.await.doing(|| format!("saving in {}", folder.name))?;
    for saved in saved {
        let number = saved.number.0;
        out.say(
            || number.to_string(),
            || json!({"number": number, "folder": folder.name}),
        )
        .await?;
    }
    Ok(())
}

async fn list_all<C: Class>(session: &Session, folder: &FolderInfo, out: &Output) -> Result<()> {
    let class = tags::MESSAGE_CLASS.tag();
    let filter = Restriction::Text(TextMatch::Prefix, class, C::CLASS.into());
    let table = list::contents(folder.id);
    let numbers = list::numbers(session, table, Some(&filter)).await?;
    let fixed = [
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::SUBJECT.tag(),
        tags::DERIVED_RENDERER.tag(),
    ];
    let columns: Vec<_> = fixed
        .into_iter()
        .chain(C::COLUMNS.iter().copied())
        .collect();
    for page in numbers.chunks(list::PAGE) {
        let found = list::page_of(session, table, &columns, page).await?;
        let mut cells = Vec::new();
        for row in found.rows() {
            let number = rows::number(row).map(|number| number.0);
            match out.is_json {
                true => {
                    let mut object = C::json(row);
                    object["number"] = json!(number);
                    out.line(object.to_string()).await?;
                }
                false => {
                    let number = number.map(|number| number.to_string());
                    let first = std::iter::once(number.unwrap_or_default());
                    cells.push(first.chain(C::cells(row)).collect());
                }
            }
        }
        for line in aligned(&cells) {
            out.line(line).await?;
        }
    }
    Ok(())
}

async fn remove(
    session: &Session,
    folder: &FolderInfo,
    numbers: &[u32],
    out: &Output,
) -> Result<()> {
    let mut items: Vec<_> = numbers.iter().copied().map(ItemNumber).collect();
    items.sort_unstable();
    items.dedup();
    let removed = session
        .store
        .delete(folder.id, &items, Deletion::Soft)
        .await;
    let removed = removed.doing(|| format!("removing from {}", folder.name))?;
    for number in &removed {
        let number = number.0;
        out.say(
            || format!("removed {number}"),
            || json!({"removed": number, "folder": folder.name}),
        )
        .await?;
    }
    items.retain(|item| !removed.contains(item));
    let table = list::contents(folder.id);
    let columns = [tags::INTERNET_ARTICLE_NUMBER.tag()];
    let there = list::page_of(session, table, &columns, &items).await?;
    match (items.first(), there.rows().find_map(rows::number)) {
        (None, _) => Ok(()),
        (_, Some(kept)) => {
            let what = format!("{}: the server keeps it in {}", kept.0, folder.name);
            Err(Failure::of(Error::new(ErrorKind::Conflict, what)))
        }
        (Some(gone), None) => {
            let what = format!("{}: no such item in {}", gone.0, folder.name);
            Err(missing(what))
        }
    }
}

/// What every new item has.
fn common(subject: &str, about: &cli::About) -> Common {
    Common {
        subject: subject.to_owned(),
        body: about.body.clone(),
        categories: about.categories.clone(),
        importance: match about.importance {
            cli::Importance::Low => Importance::Low,
            cli::Importance::Normal => Importance::Normal,
            cli::Importance::High => Importance::High,
        },
        private: about.private,
    }
}
