//! A mailbox into files.

mod content;
mod folder;
mod plan;

use std::sync::Arc;

use account::{Account, FolderId, FolderInfo, FolderTree, Rights, Role};

pub(crate) use content::patiently;

use crate::{Error, Export, Report, Result, Tally, error::Doing};

/// What the Inbox is called as a part of a path, as IMAP calls it.
pub(crate) const INBOX: &str = "INBOX";

/// How deep folders may nest to be seen.
const DEPTH_MAX: usize = 64;

/// A run.
pub(crate) struct Run<'a> {
    pub(crate) account: &'a Account,
    pub(crate) options: &'a Export,
    pub(crate) report: &'a Report,
    pub(crate) tally: Tally,
}

/// A folder to be exported.
pub(crate) struct Source {
    pub(crate) info: FolderInfo,
    /// Its names from where the export begins.
    pub(crate) path: Vec<String>,
}

/// Writes a mailbox, or a folder with what is below it, into files; what an earlier run wrote is brought up to date.
///
/// Only folders of mail. Durable when it returns. A run that is broken off loses nothing: run it again.
/// Errors: the mailbox cannot be read, or the files cannot be written.
pub async fn export(account: &Account, options: &Export, report: &Report) -> Result<Tally> {
    let tree = account
        .folders()
        .await
        .doing(|| "reading the folders".to_owned())?;
    let folders = folders(&tree, options.folder.as_deref())?;
    report.expect(
        folders
            .iter()
            .map(|source| u64::from(source.info.items))
            .sum(),
    );
    let mut run = Run {
        account,
        options,
        report,
        tally: Tally::default(),
    };
    for source in &folders {
        match folder::export(&mut run, source).await {
            // What one folder refuses, others may give.
            Err(Error::Mailbox(doing, error)) if !error.kind.is_transient() => {
                run.tally.failed += u64::from(source.info.items);
                report.remark(format!("{doing}: {error}")).await?;
            }
            done => done?,
        }
    }
    Ok(run.tally)
}

/// The folders to be exported, parents first.
fn folders(tree: &Arc<FolderTree>, from: Option<&str>) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    match from {
        Some(path) => {
            let folder = find(tree, path)
                .ok_or_else(|| Error::Invalid(format!("{path}: no such folder")))?;
            collect(tree, folder, Vec::new(), &mut sources);
        }
        None => {
            for folder in tree.children(None) {
                let is_inbox = folder.role == Some(Role::Inbox);
                let name = if is_inbox { INBOX } else { &folder.name };
                collect(tree, folder, vec![name.to_owned()], &mut sources);
            }
            for source in &mut sources {
                if source.info.role == Some(Role::Inbox) {
                    source.path.clear();
                }
            }
        }
    }
    Ok(sources)
}

fn collect(tree: &FolderTree, folder: &FolderInfo, path: Vec<String>, sources: &mut Vec<Source>) {
    if folder.hidden || path.len() > DEPTH_MAX || sources.len() >= tree.len() {
        return;
    }
    for child in tree.children(Some(folder.id)) {
        let mut path = path.clone();
        path.push(child.name.clone());
        collect(tree, child, path, sources);
    }
    if is_mail(folder) && folder.rights.allow(Rights::READ_ANY) {
        let info = folder.clone();
        sources.push(Source { info, path });
    }
}

/// Whether a folder holds mail: its container class is none or IPF.Note, or one below it. Source: MS-OXOSFLD 2.2.3.
pub(crate) fn is_mail(folder: &FolderInfo) -> bool {
    let class = folder.class.to_ascii_lowercase();
    let rest = class.strip_prefix("ipf.note");
    class.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A folder by its path; special ones at the top also by their English names.
pub(crate) fn find<'a>(tree: &'a FolderTree, path: &str) -> Option<&'a FolderInfo> {
    let mut at: Option<&FolderInfo> = None;
    for name in path.split('/') {
        let above: Option<FolderId> = at.map(|folder| folder.id);
        let special = || match at {
            None => special(tree, name),
            Some(_) => None,
        };
        at = Some(tree.child(above, name).or_else(special)?);
    }
    at
}

/// The special folder of this English name.
pub(crate) fn special<'a>(tree: &'a FolderTree, name: &str) -> Option<&'a FolderInfo> {
    let mut roles = Role::ALL.into_iter();
    tree.role(roles.find(|role| role.defaults().0.eq_ignore_ascii_case(name))?)
}
