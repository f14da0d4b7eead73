//! The folder tree as a list of mailboxes: which folders clients see, under which names.
//!
//! Mail folders only: their container class is empty or begins with `IPF.Note`, and they are not hidden. A folder of
//! another kind that holds mail folders is shown as `\Noselect`, so that their names have parents.

use account::{FolderInfo, FolderTree, Rights, Role};
use imap_wire::command::mailbox::SpecialUse;

use crate::mailbox_name::{self, INBOX, SEPARATOR};

/// How deep folders may nest to be seen; deeper ones are left out.
const DEPTH_MAX: usize = 64;

/// One mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox<'a> {
    /// Its name in UTF-8.
    pub(crate) name: String,
    /// The folder behind it.
    pub(crate) folder: &'a FolderInfo,
    /// Whether it can be selected.
    pub(crate) selectable: bool,
    /// Whether there are mailboxes below it.
    pub(crate) has_children: bool,
}

/// All mailboxes, parents before children, by name.
pub(crate) fn list(tree: &FolderTree) -> Vec<Mailbox<'_>> {
    let mut mailboxes = Vec::new();
    let inbox = tree.role(Role::Inbox);
    if let Some(inbox) = inbox {
        push(tree, inbox, INBOX.to_owned(), 0, &mut mailboxes);
    }
    for folder in tree
        .children(None)
        .filter(|folder| folder.role != Some(Role::Inbox))
    {
        push(tree, folder, top_level(folder), 0, &mut mailboxes);
    }
    mailboxes
}

/// Appends a folder and what is below it; whether anything was appended.
fn push<'a>(
    tree: &'a FolderTree,
    folder: &'a FolderInfo,
    name: String,
    depth: usize,
    out: &mut Vec<Mailbox<'a>>,
) -> bool {
    if folder.hidden || depth > DEPTH_MAX {
        return false;
    }
    let at = out.len();
    let selectable = is_mail(folder) && folder.rights.allow(Rights::READ_ANY);
    out.push(Mailbox {
        name,
        folder,
        selectable,
        has_children: false,
    });
    let mut has_children = false;
    // The Inbox stands at the top, wherever it is.
    for child in tree
        .children(Some(folder.id))
        .filter(|child| child.role != Some(Role::Inbox))
    {
        let prefix = out.get(at).map_or("", |parent| parent.name.as_str());
        let name = format!("{prefix}{SEPARATOR}{}", mailbox_name::level(&child.name));
        has_children |= push(tree, child, name, depth + 1, out);
    }
    if !has_children && !is_mail(folder) {
        out.truncate(at);
        return false;
    }
    if let Some(mailbox) = out.get_mut(at) {
        mailbox.has_children = has_children;
    }
    true
}

/// The folder of a mailbox name; a folder that clients do not see is not found.
pub(crate) fn find<'a>(tree: &'a FolderTree, name: &str) -> Option<&'a FolderInfo> {
    find_exactly(tree, name).or_else(|| find_alias(tree, name))
}

/// The folder that is listed under this very name, and can be selected.
pub(crate) fn find_exactly<'a>(tree: &'a FolderTree, name: &str) -> Option<&'a FolderInfo> {
    find_any(tree, name).filter(|folder| is_mail(folder))
}

/// The folder under this very name, of whatever kind, unless it is hidden.
pub(crate) fn find_any<'a>(tree: &'a FolderTree, name: &str) -> Option<&'a FolderInfo> {
    let mut levels = name.split(SEPARATOR);
    let first = levels.next()?;
    let mut folder = if first.eq_ignore_ascii_case(INBOX) {
        tree.role(Role::Inbox)?
    } else {
        tree.children(None)
            .find(|folder| folder.role != Some(Role::Inbox) && top_level(folder) == first)?
    };
    for level in levels {
        let name = mailbox_name::display_name(level);
        folder = tree
            .children(Some(folder.id))
            .find(|child| child.name == name)?;
    }
    (!folder.hidden).then_some(folder)
}

/// Clients that do not know special uses expect their mailboxes under these names.
fn find_alias<'a>(tree: &'a FolderTree, name: &str) -> Option<&'a FolderInfo> {
    const ALIASES: [(&str, Role); 8] = [
        ("Sent", Role::SentItems),
        ("Sent Messages", Role::SentItems),
        ("Trash", Role::DeletedItems),
        ("Deleted Messages", Role::DeletedItems),
        ("Junk", Role::Junk),
        ("Spam", Role::Junk),
        ("Drafts", Role::Drafts),
        ("Archive", Role::Archive),
    ];
    let (_, role) = ALIASES
        .into_iter()
        .find(|(alias, _)| alias.eq_ignore_ascii_case(name))?;
    tree.role(role)
}

/// What a mailbox is for (RFC 6154 2).
pub(crate) fn special_use(folder: &FolderInfo) -> Option<SpecialUse> {
    match folder.role? {
        Role::SentItems => Some(SpecialUse::Sent),
        Role::DeletedItems => Some(SpecialUse::Trash),
        Role::Drafts => Some(SpecialUse::Drafts),
        Role::Junk => Some(SpecialUse::Junk),
        Role::Archive => Some(SpecialUse::Archive),
        Role::Inbox
        | Role::Outbox
        | Role::Calendar
        | Role::Contacts
        | Role::Tasks
        | Role::Notes
        | Role::Journal => None,
    }
}

/// Whether a folder holds mail.
fn is_mail(folder: &FolderInfo) -> bool {
    const CLASS: &str = "IPF.Note";
    let class = folder.class.as_str();
    match class.get(..CLASS.len()) {
        Some(start) => {
            let rest = class.get(CLASS.len()..).unwrap_or_default();
            start.eq_ignore_ascii_case(CLASS) && (rest.is_empty() || rest.starts_with('.'))
        }
        None => class.is_empty(),
    }
}

/// The name of a folder at the top. One that is called like the Inbox without being it gets its first letter escaped,
/// else nobody could reach it.
fn top_level(folder: &FolderInfo) -> String {
    let level = mailbox_name::level(&folder.name);
    if !level.eq_ignore_ascii_case(INBOX) {
        return level;
    }
    let mut letters = level.chars();
    let first = letters.next().map_or(0, u32::from);
    format!("={first:02X}{}", letters.as_str())
}
