//! LIST and LSUB (RFC 3501 6.3.8 and 6.3.9, RFC 3348, RFC 5258, RFC 5819, RFC 6154).

use std::collections::HashSet;

use imap_wire::{
    command::list::{List, Lsub},
    response::{ListAttribute, ListItem},
};

use crate::{
    command::{status, subscribe::Subscriptions},
    mailbox_name::{INBOX, SEPARATOR},
    mailboxes::{self, Mailbox},
    pattern::{Matcher, Pattern},
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
    let patterns: Vec<Pattern> = command
        .patterns
        .iter()
        .map(|pattern| full_pattern(command.reference.as_str(), pattern.as_str()))
        .map(|pattern| Pattern::new(&pattern))
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
    let lines = lines(&mailboxes, subscriptions.as_ref(), &command, &patterns).await;
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
    let text = full_pattern(command.reference.as_str(), command.pattern.as_str());
    let pattern = Pattern::new(&text);
    let tree = user.account.folders().await?;
    let mailboxes = mailboxes::list(&tree);
    let subscriptions = Subscriptions::load(user).await?;
    let mut matcher = Matcher::default();
    let mut names: Vec<(&str, bool)> = Vec::new();
    for name in subscribed(&mailboxes, &subscriptions) {
        if matcher.matches(&pattern, name).await {
            names.push((name, true));
        } else if text.ends_with('%')
            && let Some(parent) = matching_parent(&mut matcher, &pattern, name).await
        {
            // RFC 3501 6.3.9: with %, a parent stands for what is subscribed to below it.
            names.push((parent, false));
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
            .lsub(&item(name, attributes, false));
        talk.connection.flush_if_full().await?;
    }
    Ok(Done::new("LSUB completed"))
}

/// Every name that is subscribed to.
fn subscribed<'a>(
    mailboxes: &'a [Mailbox<'a>],
    subscriptions: &'a Subscriptions,
) -> impl Iterator<Item = &'a str> {
    let existing = mailboxes
        .iter()
        .filter(|mailbox| subscriptions.contains(&mailbox.name, mailbox.folder.role))
        .map(|mailbox| mailbox.name.as_str());
    existing.chain(missing(mailboxes, subscriptions))
}

/// Names that are subscribed to without being mailboxes.
fn missing<'a>(
    mailboxes: &'a [Mailbox<'a>],
    subscriptions: &'a Subscriptions,
) -> impl Iterator<Item = &'a str> {
    let names = mailboxes.iter().map(|mailbox| &mailbox.name);
    let names: HashSet<String> = names.map(|name| name.to_ascii_lowercase()).collect();
    subscriptions
        .named()
        .filter(move |name| !names.contains(&name.to_ascii_lowercase()))
}

/// The mailboxes an extended or plain LIST shows.
async fn lines<'a>(
    mailboxes: &'a [Mailbox<'a>],
    subscriptions: Option<&'a Subscriptions>,
    command: &List,
    patterns: &[Pattern],
) -> Vec<Line<'a>> {
    let select = &command.select;
    let mut matcher = Matcher::default();
    let mut seen: Vec<Seen> = Vec::with_capacity(mailboxes.len());
    for mailbox in mailboxes {
        let (name, role) = (&mailbox.name, mailbox.folder.role);
        seen.push(Seen {
            matches: matcher.matches_any(patterns, name).await,
            subscribed: subscriptions.is_some_and(|all| all.contains(name, role)),
            child_subscribed: false,
        });
    }
    if select.recursive_match {
        find_children(mailboxes, &mut seen);
    }
    let mut lines = Vec::new();
    for (mailbox, seen) in mailboxes.iter().zip(seen).filter(|(_, seen)| seen.matches) {
        let fits = (!select.subscribed || seen.subscribed)
            && (!select.special_use || mailboxes::special_use(mailbox.folder).is_some());
        if fits || seen.child_subscribed {
            lines.push(Line {
                name: mailbox.name.as_str(),
                mailbox: Some(mailbox),
                subscribed: seen.subscribed,
                child_subscribed: seen.child_subscribed,
            });
        }
    }
    if let Some(subscriptions) = subscriptions.filter(|_| select.subscribed && !select.special_use)
    {
        for name in missing(mailboxes, subscriptions) {
            if matcher.matches_any(patterns, name).await {
                lines.push(Line {
                    name,
                    mailbox: None,
                    subscribed: true,
                    child_subscribed: false,
                });
            }
        }
    }
    lines
}

/// What a LIST finds out about a mailbox.
struct Seen {
    matches: bool,
    subscribed: bool,
    /// A mailbox below it is subscribed to and does not match itself (RFC 5258 3.5).
    child_subscribed: bool,
}

/// Tells the mailboxes above what is below them. One pass: every mailbox comes right after what is above and beside it.
fn find_children(mailboxes: &[Mailbox<'_>], seen: &mut [Seen]) {
    let mut above: Vec<(usize, &str)> = Vec::new();
    for (at, mailbox) in mailboxes.iter().enumerate() {
        let name = mailbox.name.as_str();
        while above
            .pop_if(|(_, parent)| !is_below(name, parent))
            .is_some()
        {}
        let untold = seen
            .get(at)
            .is_some_and(|seen| seen.subscribed && !seen.matches);
        if untold {
            for (parent, _) in above.iter().rev() {
                let Some(parent) = seen.get_mut(*parent) else {
                    continue;
                };
                if std::mem::replace(&mut parent.child_subscribed, true) {
                    // Those above it have been told before.
                    break;
                }
            }
        }
        above.push((at, name));
    }
}

fn is_below(name: &str, parent: &str) -> bool {
    let rest = name.strip_prefix(parent);
    rest.is_some_and(|rest| rest.starts_with(SEPARATOR))
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

/// The nearest name above `name` that matches.
async fn matching_parent<'n>(
    matcher: &mut Matcher,
    pattern: &Pattern,
    name: &'n str,
) -> Option<&'n str> {
    let mut above = name;
    while let Some((parent, _)) = above.rsplit_once(SEPARATOR) {
        if matcher.matches(pattern, parent).await {
            return Some(parent);
        }
        above = parent;
    }
    None
}
