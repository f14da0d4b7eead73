//! `dragoman mapi show`: an item with everything it has.

use std::collections::HashMap;

use account::{FolderId, FolderInfo, ItemNumber};
use bytes::Bytes;
use mapi_store::{ByteRange, NAMED_ID_LOWEST, Object, PropName, PropNameId, READ_BYTES_MAX};
use mapi_trace::{Detail, Named, NamedBy};
use mapi_types::{AttachmentData, MessageTree, PropTag, tags};

use super::{
    output::Output,
    session::{Session, missing},
};
use crate::{
    cli::mapi::Show,
    failure::{Doing, Result},
};

/// Prints an item.
pub(super) async fn show(session: &Session, what: &Show, out: &Output) -> Result<()> {
    let folder = session.folder(&what.folder).await?;
    let item = ItemNumber(what.number);
    match what.raw {
        true => raw(session, folder.id, item, out).await,
        false => {
            let detail = match what.octets {
                true => Detail::Octets,
                false => Detail::Short,
            };
            whole(session, &folder, item, (detail, out)).await
        }
    }
}

/// Prints every property by its name.
pub(super) async fn whole(
    session: &Session,
    folder: &FolderInfo,
    item: ItemNumber,
    (detail, out): (Detail, &Output),
) -> Result<()> {
    let doing = || format!("{} {}", folder.name, item.0);
    let tree = session.store.read_message(folder.id, item).await;
    let tree = tree.doing(doing)?;
    let names = names(session, &tree).await?;
    let name_of = |id: u16| names.get(&id).cloned();
    let facts = [tags::SOURCE_KEY.tag(), tags::ORIGINAL_SIZE.tag()];
    let facts = session.store.props(Object::Item(folder.id, item), &facts);
    let facts = facts.await.doing(doing)?;
    let key = facts.get(&tags::SOURCE_KEY).unwrap_or_default();
    let key: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
    let mut head = vec![
        ("folder", folder.name.clone()),
        ("number", item.0.to_string()),
        ("key", key),
    ];
    if let Some(size) = facts.get(&tags::ORIGINAL_SIZE) {
        head.push(("original", format!("{size} octets")));
    }
    let message = mapi_trace::Message::new(&head, &tree, &name_of);
    let shown = match out.is_json {
        true => message.to_json(detail),
        false => message.to_text(detail),
    };
    // An attachment may be larger than memory should hold as digits.
    drop((message, tree));
    for piece in shown {
        out.octets(piece.into()).await?;
    }
    out.octets(Bytes::from_static(b"\n")).await
}

/// What the local ids of a message stand for.
async fn names(session: &Session, tree: &MessageTree) -> Result<HashMap<u16, Named>> {
    let mut ids = Vec::new();
    collect_ids(tree, &mut ids);
    ids.sort_unstable();
    ids.dedup();
    let names = session.store.property_names(&ids).await;
    let names = names.doing(|| "reading the names of properties".to_owned())?;
    let known = ids.into_iter().zip(names);
    Ok(known
        .filter_map(|(id, name)| Some((id, named(name?))))
        .collect())
}

fn named(name: PropName) -> Named {
    Named {
        set: name.set,
        name: match name.id {
            PropNameId::Lid(lid) => NamedBy::Lid(lid),
            PropNameId::Name(text) => NamedBy::Text(text),
        },
    }
}

fn collect_ids(tree: &MessageTree, ids: &mut Vec<u16>) {
    let attachments = tree.attachments.iter().map(|one| &one.props);
    let bags = std::iter::once(&tree.props).chain(&tree.recipients);
    for bag in bags.chain(attachments) {
        let all = bag.iter().map(|(tag, _)| tag.id());
        ids.extend(all.filter(|id| *id >= NAMED_ID_LOWEST));
    }
    for attachment in &tree.attachments {
        if let AttachmentData::Message(tree) = &attachment.data {
            collect_ids(tree, ids);
        }
    }
}

/// Prints the octets that the message came as.
async fn raw(session: &Session, folder: FolderId, item: ItemNumber, out: &Output) -> Result<()> {
    let mut said = false;
    for tag in [tags::ORIGINAL_PREFIX.tag(), tags::ORIGINAL.tag()] {
        let mut offset = 0;
        while let Some(piece) = piece(session, folder, (item, tag), offset).await? {
            let is_last = (piece.len() as u64) < u64::from(READ_BYTES_MAX);
            offset += piece.len() as u64;
            said |= tag == tags::ORIGINAL.tag();
            out.octets(piece).await?;
            if is_last {
                break;
            }
        }
    }
    match said {
        true => Ok(()),
        false => Err(missing(format!(
            "{}: no such item, or it has no original octets",
            item.0
        ))),
    }
}

async fn piece(
    session: &Session,
    folder: FolderId,
    (item, tag): (ItemNumber, PropTag),
    offset: u64,
) -> Result<Option<Bytes>> {
    let range = ByteRange {
        item,
        tag,
        offset,
        len: READ_BYTES_MAX,
    };
    let pieces = session.store.read_bytes(folder, &[range]).await;
    let pieces = pieces.doing(|| format!("reading item {}", item.0))?;
    Ok(pieces.into_iter().next().flatten())
}
