//! `dragoman mapi accounts`: which mailboxes there are to open, as a MAPI program's list of profiles.

use std::sync::Arc;

use serde_json::json;

use super::output::{Output, aligned};
use crate::{command::administration::Administration, failure::Result};

/// One that can be opened.
struct Entry {
    address: String,
    name: Option<String>,
    /// Where it is.
    place: String,
    /// What opens it.
    by: &'static str,
}

/// Prints them: those of this gateway, then those of each Exchange server.
pub(super) async fn accounts(gateway: &Arc<Administration>, out: &Output) -> Result<()> {
    let directory = gateway.directory();
    let mut entries = Vec::new();
    let is_here = |address: &str| gateway.backends().of_mailbox(address).is_none();
    for user in directory.users() {
        let address = user.mailbox.as_str();
        if is_here(address) {
            entries.push(here(address, "nothing"));
        }
    }
    for shared in directory.shared() {
        let address = shared.mailbox.as_str();
        if is_here(address) {
            entries.push(here(address, "nothing"));
        }
    }
    for section in gateway.backends().sections() {
        let mut accounts: Vec<_> = section.accounts().collect();
        accounts.sort_unstable();
        for account in accounts {
            let name = section.name_of(account).map(str::to_owned);
            let place = format!("exchange.{}", section.name());
            entries.push(Entry {
                address: account.0.clone(),
                name,
                place,
                by: "configured credentials",
            });
        }
    }
    let mut rows = Vec::new();
    for entry in entries {
        match out.is_json {
            true => {
                let line = json!({
                    "address": entry.address,
                    "name": entry.name,
                    "place": entry.place,
                    "opened_by": entry.by,
                });
                out.line(line.to_string()).await?;
            }
            false => rows.push(vec![
                entry.address,
                entry.name.unwrap_or_else(|| "-".to_owned()),
                entry.place,
                entry.by.to_owned(),
            ]),
        }
    }
    for line in aligned(&rows) {
        out.line(line).await?;
    }
    Ok(())
}

fn here(address: &str, by: &'static str) -> Entry {
    Entry {
        address: address.to_owned(),
        name: None,
        place: "here".to_owned(),
        by,
    }
}
