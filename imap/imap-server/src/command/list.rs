//! LIST and LSUB (RFC 3501 6.3.8 and 6.3.9, RFC 3348, RFC 5258, RFC 5819, RFC 6154).

use account::{FolderTree, Role};
use imap_wire::{
    command::list::{List, Lsub},
    response::{ListAttribute, ListItem},
};

use crate::{
    command::{status, subscribe::Subscriptions},
    mailbox_name::{self, INBOX, SEPARATOR},
    mailboxes::{self, Mailbox},
    reply::{Done, Failure, Reply},
    state::{Authenticated, Talk},
};

/// One line of the answer.
struct Line<'a> {
    name: &'a str,
    /// `None` for a name that is subscribed to without being a mailbox.
    mailbox: Option<&'a Mailbox<'a>>,
    subscribed: bool,
    /// What matched is below it.
    child_subscribed: bool,
}

/// `LIST …`
pub(super) async fn list(talk: &mut Talk<'_>, user: &mut Authenticated, command: List) -> Reply {
    status::check(&command.returns.status)?;
    let select = &command.select;
    if select.recursive_match && !select.subscribed {
        return Err(Failure::bad(
            "RECURSIVEMATCH needs another selection option",
        ));
    }
    if command.returns.my_rights {
        return Err(Failure::bad("MYRIGHTS is not supported"));
    }
    let patterns: Vec<String> = command
        .patterns
        .iter()
        .map(|pattern| full_pattern(command.reference.as_str(), pattern.as_str()))
        .collect();
    if !command.extended
        && command
            .patterns
            .iter()
            .all(|pattern| pattern.as_str().is_empty())
    {
        probe(talk);
        return Ok(Done::new("LIST completed"));
    }
    let tree = user.account.folders().await?;
    let mailboxes = mailboxes::list(&tree);
    let subscriptions = if select.subscribed || command.returns.subscribed {
        Some(Subscriptions::load(user).await?)
    } else {
        None
    };
    let lines = lines(&mailboxes, subscriptions.as_ref(), &command, &patterns);
    for line in lines {
        write_line(talk, &line, subscriptions.is_some());
        let selectable = line.mailbox.filter(|mailbox| mailbox.selectable);
        if let Some(mailbox) = selectable.filter(|_| !command.returns.status.is_empty()) {
            // RFC 5819 2: a mailbox whose status cannot be had is listed without.
            match status::answer(
                talk,
                user,
                (line.name, mailbox.folder),
                &command.returns.status,
            )
            .await
            {
                Ok(()) | Err(Failure::No(..) | Failure::Bad(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        talk.connection.flush_if_full().await?;
    }
    Ok(Done::new("LIST completed"))
}

/// `LSUB …`
pub(super) async fn lsub(talk: &mut Talk<'_>, user: &Authenticated, command: Lsub) -> Reply {
    let pattern = full_pattern(command.reference.as_str(), command.pattern.as_str());
    let tree = user.account.folders().await?;
    let mailboxes = mailboxes::list(&tree);
    let subscriptions = Subscriptions::load(user).await?;
    let mut names: Vec<(String, bool)> = Vec::new();
    for name in subscribed(&tree, &mailboxes, &subscriptions) {
        if matches(&pattern, &name) {
            names.push((name, true));
        } else if pattern.ends_with('%')
            && let Some(parent) = matching_parent(&pattern, &name)
        {
            // RFC 3501 6.3.9: with %, a parent stands for what is subscribed to below it.
            names.push((parent.to_owned(), false));
        }
    }
    names.sort_unstable_by(|(a, a_itself), (b, b_itself)| a.cmp(b).then(b_itself.cmp(a_itself)));
    names.dedup_by(|(later, _), (earlier, _)| later == earlier);
    for (name, itself) in names {
        let attributes: &[ListAttribute<'_>] = if itself {
            &[]
        } else {
            &[ListAttribute::NoSelect]
        };
        talk.connection
            .writer()
            .lsub(&item(&name, attributes, false));
        talk.connection.flush_if_full().await?;
    }
    Ok(Done::new("LSUB completed"))
}

/// Every name that is subscribed to.
fn subscribed(
    tree: &FolderTree,
    mailboxes: &[Mailbox<'_>],
    subscriptions: &Subscriptions,
) -> Vec<String> {
    let existing = mailboxes
        .iter()
        .filter(|mailbox| subscriptions.contains(&mailbox.name, mailbox.folder.role))
        .map(|mailbox| mailbox.name.clone());
    let missing = subscriptions
        .named()
        .filter(|name| mailboxes::find_exactly(tree, name).is_none());
    existing.chain(missing.map(str::to_owned)).collect()
}

/// The mailboxes an extended or plain LIST shows.
fn lines<'a>(
    mailboxes: &'a [Mailbox<'a>],
    subscriptions: Option<&'a Subscriptions>,
    command: &List,
    patterns: &[String],
) -> Vec<Line<'a>> {
    let is_subscribed = |name: &str, role: Option<Role>| {
        subscriptions.is_some_and(|subscriptions| subscriptions.contains(name, role))
    };
    let matches_any = |name: &str| patterns.iter().any(|pattern| matches(pattern, name));
    let mut lines = Vec::new();
    for mailbox in mailboxes
        .iter()
        .filter(|mailbox| matches_any(&mailbox.name))
    {
        let subscribed = is_subscribed(&mailbox.name, mailbox.folder.role);
        let fits = (!command.select.subscribed || subscribed)
            && (!command.select.special_use || mailboxes::special_use(mailbox.folder).is_some());
        let below = format!("{}{SEPARATOR}", mailbox.name);
        let child_subscribed = command.select.recursive_match
            && mailboxes.iter().any(|child| {
                child.name.starts_with(&below)
                    && is_subscribed(&child.name, child.folder.role)
                    && !matches_any(&child.name)
            });
        if fits || child_subscribed {
            let name = mailbox.name.as_str();
            lines.push(Line {
                name,
                mailbox: Some(mailbox),
                subscribed,
                child_subscribed,
            });
        }
    }
    if command.select.subscribed && !command.select.special_use {
        let named = subscriptions.into_iter().flat_map(Subscriptions::named);
        let missing = named.filter(|name| {
            !mailboxes.iter().any(|mailbox| mailbox.name == **name) && matches_any(name)
        });
        lines.extend(missing.map(|name| Line {
            name,
            mailbox: None,
            subscribed: true,
            child_subscribed: false,
        }));
    }
    lines
}

fn write_line(talk: &mut Talk<'_>, line: &Line<'_>, tell_subscribed: bool) {
    let use_ = line
        .mailbox
        .and_then(|mailbox| mailboxes::special_use(mailbox.folder));
    let mut attributes = Vec::with_capacity(4);
    match line.mailbox {
        Some(mailbox) => {
            if !mailbox.selectable {
                attributes.push(ListAttribute::NoSelect);
            }
            attributes.push(match mailbox.has_children {
                true => ListAttribute::HasChildren,
                false => ListAttribute::HasNoChildren,
            });
        }
        None => attributes.push(ListAttribute::NonExistent),
    }
    if tell_subscribed && line.subscribed {
        attributes.push(ListAttribute::Subscribed);
    }
    if let Some(special_use) = &use_ {
        attributes.push(ListAttribute::SpecialUse(special_use));
    }
    talk.connection
        .writer()
        .list(&item(line.name, &attributes, line.child_subscribed));
}

/// The answer to an empty pattern: the separator (RFC 3501 6.3.8).
fn probe(talk: &mut Talk<'_>) {
    talk.connection
        .writer()
        .list(&item("", &[ListAttribute::NoSelect], false));
}

fn item<'a>(
    mailbox: &'a str,
    attributes: &'a [ListAttribute<'a>],
    child_subscribed: bool,
) -> ListItem<'a> {
    ListItem {
        attributes,
        separator: Some(SEPARATOR as u8),
        mailbox,
        child_subscribed,
    }
}

/// Reference and pattern together, with the Inbox in its own spelling.
fn full_pattern(reference: &str, pattern: &str) -> String {
    let full = format!("{reference}{pattern}");
    let inbox = full
        .get(..INBOX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(INBOX));
    let rest = full.get(INBOX.len()..).unwrap_or_default();
    if inbox && (rest.is_empty() || rest.starts_with(['/', '*', '%'])) {
        return format!("{INBOX}{rest}");
    }
    full
}

fn matches(pattern: &str, name: &str) -> bool {
    mailbox_name::matches(pattern, name)
}

/// The nearest name above `name` that matches.
fn matching_parent<'n>(pattern: &str, name: &'n str) -> Option<&'n str> {
    let mut above = name;
    while let Some((parent, _)) = above.rsplit_once(SEPARATOR) {
        if matches(pattern, parent) {
            return Some(parent);
        }
        above = parent;
    }
    None
}
