//! `dragoman mapi folders`: the tree.

use account::{FolderId, FolderInfo, FolderTree};
use mapi_store::Object;
use mapi_types::{PropTag, tags};
use serde_json::json;

use super::{
    output::{Output, aligned, plain},
    session::Session,
};
use crate::{
    command::mirror::size,
    failure::{Doing, Result},
    folder_path,
};

/// A folder and how deep it lies.
struct Place<'a> {
    folder: &'a FolderInfo,
    depth: usize,
}

/// What the messages of a folder take at most that were not fetched.
const BOUND: [PropTag; 1] = [tags::UNRENDERED_SIZE_MAX.tag()];

/// Prints the tree, parents before what is in them.
pub(super) async fn folders(session: &Session, out: &Output) -> Result<()> {
    session.renew_tree().await?;
    for folder in session.folders().await?.iter() {
        session.renew(folder).await?;
    }
    let folders = session.folders().await?;
    let mut places = Vec::with_capacity(folders.len());
    collect(&folders, None, 0, &mut places);
    let mut rows = Vec::new();
    for place in &places {
        let folder = place.folder;
        let object = Object::Folder(folder.id);
        let bound = session.store.props(object, &BOUND);
        let bound = bound.await.doing(|| folder.name.clone())?;
        let bound = bound.get(&tags::UNRENDERED_SIZE_MAX);
        match out.is_json {
            true => {
                out.line(as_json(&folders, folder, bound).to_string())
                    .await?
            }
            false => rows.push(as_row(place, bound)),
        }
    }
    for line in aligned(&rows) {
        out.line(line).await?;
    }
    Ok(())
}

/// The folders in a folder with all below them: special ones first, then by name.
fn collect<'a>(
    folders: &'a FolderTree,
    parent: Option<FolderId>,
    depth: usize,
    places: &mut Vec<Place<'a>>,
) {
    let mut inside: Vec<_> = folders.children(parent).collect();
    // They are sorted by name already.
    inside.sort_by_key(|folder| (folder.role.is_none(), folder.role));
    for folder in inside {
        // A damaged tree may lead to itself; every folder is shown once.
        if places.len() < folders.len() {
            places.push(Place { folder, depth });
            collect(folders, Some(folder.id), depth + 1, places);
        }
    }
}

fn as_row(place: &Place<'_>, bound: Option<i64>) -> Vec<String> {
    let folder = place.folder;
    let mut size = size(folder.size);
    if let Some(bound) = bound {
        let bound = crate::command::mirror::size(bound.cast_unsigned());
        size.push_str(&format!(" + at most {bound} not fetched"));
    }
    let hidden = if folder.hidden { "hidden" } else { "" };
    vec![
        format!("{}{}", "  ".repeat(place.depth), plain(&folder.name)),
        plain(&folder.class),
        format!("{} items", folder.items),
        format!("{} unread", folder.unread),
        size,
        hidden.to_owned(),
    ]
}

fn as_json(folders: &FolderTree, folder: &FolderInfo, bound: Option<i64>) -> serde_json::Value {
    json!({
        "path": folder_path::of(folders, folder.id),
        "name": folder.name,
        "id": folder.id.0,
        "class": folder.class,
        "role": folder.role.map(|role| role.defaults().0),
        "hidden": folder.hidden,
        "items": folder.items,
        "unread": folder.unread,
        "size": folder.size,
        "size_not_fetched_max": bound,
        "rights": folder.rights.0,
    })
}
