//! In whose name a message goes out, and whether its sender may do that.
//!
//! From says who wrote a message, Sender who sent it (RFC 5322 3.6.2). Exchange keeps the two apart in the same way, as
//! PidTagSentRepresenting and PidTagSender (MS-OXOMSG 2.2.1.48 to 2.2.1.58): who may send *as* another is not seen, who
//! may send *on behalf* of another is named as Sender. A missing Sender is added (RFC 6409 8.1); one that names somebody
//! else is refused and never replaced, for nobody is told of what they did not write.

use mapi_convert::{address, address::Entry, encoded_word, header};
use mapi_store::Principal;
use mapi_types::MailboxId;

use super::names;
use crate::{Accounts, SendError, SendRight};

/// The most addresses that From and Sender may name: each is looked up.
const NAMES_MAX: usize = 100;

/// What of a header follows from the rights of its sender.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Authors {
    /// The address to name as Sender, where the header must name one and does not.
    pub(super) sender: Option<String>,
    /// The address to send from, where that of the envelope is one that only From may have.
    pub(super) reverse_path: Option<String>,
    /// The mailboxes of others in whose name it is sent.
    pub(super) names: Vec<MailboxId>,
}

/// The addresses of one field.
#[derive(Debug, Default)]
struct Named {
    /// Those that some program reads out of it.
    addresses: Vec<String>,
    /// Names without a domain, to which some mail servers add one.
    bare: Vec<String>,
}

impl Named {
    fn one(address: &str) -> Self {
        Self {
            addresses: vec![address.to_owned()],
            bare: Vec::new(),
        }
    }
}

impl Accounts {
    /// Whether a user may send in every name that a header and its envelope give.
    pub(super) async fn authors(
        &self,
        principal: &Principal,
        header: &[u8],
        reverse_path: &str,
    ) -> Result<Authors, SendError> {
        names::check_lines(header).map_err(SendError::Header)?;
        let envelope = self.right(principal, reverse_path).await?;
        let author = match named(header, "from")? {
            Some(named) => named,
            // The one of the envelope is put there.
            None => Named::one(reverse_path),
        };
        let from = self.rights(principal, &author).await?;
        let sender = match named(header, "sender")? {
            Some(named) => Some(self.rights(principal, &named).await?),
            None => None,
        };
        let own = match envelope {
            SendRight::Own => reverse_path,
            _ => &principal.user,
        };
        let adds_sender = adds_sender(&from, sender.as_deref())?;
        Ok(Authors {
            sender: adds_sender.then(|| own.to_owned()),
            // Reports go to who sent, as those of Exchange do.
            reverse_path: (envelope == SendRight::OnBehalf).then(|| own.to_owned()),
            names: self.others(principal, &author),
        })
    }

    /// The mailboxes of an author's addresses that are not the user's own: they are the directory's, or nobody was given
    /// them.
    fn others(&self, principal: &Principal, author: &Named) -> Vec<MailboxId> {
        let mut others = Vec::new();
        for address in &author.addresses {
            if let Some([one]) = self.directory.resolve(address).as_deref()
                && one.as_str() != principal.user
            {
                others.push(MailboxId(one.as_str().to_owned()));
            }
        }
        others.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        others.dedup();
        others
    }

    async fn rights(
        &self,
        principal: &Principal,
        named: &Named,
    ) -> Result<Vec<SendRight>, SendError> {
        let mut rights = Vec::with_capacity(named.addresses.len());
        for address in &named.addresses {
            rights.push(self.right(principal, address).await?);
        }
        for bare in &named.bare {
            // A word that nobody here has as a name is a slip of the pen.
            if self.directory.resolve(bare).is_some() {
                rights.push(self.right(principal, bare).await?);
            }
        }
        Ok(rights)
    }

    async fn right(&self, principal: &Principal, address: &str) -> Result<SendRight, SendError> {
        let right = self.send_right(principal, address).await;
        match right.map_err(SendError::Failed)? {
            SendRight::None => Err(SendError::Forged),
            right => Ok(right),
        }
    }
}

/// Whether Sender must be added. Source: RFC 5322 3.6.2.
fn adds_sender(from: &[SendRight], sender: Option<&[SendRight]>) -> Result<bool, SendError> {
    let on_behalf = from.contains(&SendRight::OnBehalf);
    match sender {
        None => Ok(on_behalf || from.len() > 1),
        // Who sends on behalf says so in their own name; else also in one that they may take for their own.
        Some(sender) if on_behalf => match sender {
            [SendRight::Own] => Ok(false),
            _ => Err(SendError::Forged),
        },
        Some(sender) if sender.contains(&SendRight::OnBehalf) => Err(SendError::Forged),
        Some(_) => Ok(false),
    }
}

/// Whom a field names, whoever reads it; `None`: there is no such field.
fn named(header: &[u8], name: &str) -> Result<Option<Named>, SendError> {
    // RFC 5322 3.6 has one of each, and readers differ on which of two they show.
    let mut fields = header::fields(header).filter(|field| field.is(name));
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    if fields.next().is_some() {
        let why = "a field occurs twice that may occur once";
        return Err(SendError::Header(why));
    }
    let mut named = Named::default();
    for entry in address::parse_list(field.value) {
        match entry {
            Entry::Mailbox(mailbox) if mailbox.domain.is_some() => {
                named.addresses.push(mailbox.address());
            }
            Entry::Mailbox(mailbox) => named.bare.push(mailbox.address()),
            Entry::GroupStart(_) | Entry::GroupEnd => {}
        }
    }
    if named.addresses.is_empty() {
        return Err(SendError::Header("From or Sender names nobody"));
    }
    // Some programs decode words before they look for addresses, although no word can hold one (RFC 2047 5).
    let decoded = encoded_word::decode(field.value);
    for value in [field.value, decoded.as_bytes()] {
        named.addresses.extend(names::shown(value));
    }
    for list in [&mut named.addresses, &mut named.bare] {
        list.sort_unstable();
        list.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
        if list.len() > NAMES_MAX {
            return Err(SendError::Header("From or Sender names too many"));
        }
    }
    Ok(Some(named))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use directory::{Directory, SendGrant};
    use mapi_store::MemBackend;

    use super::*;
    use crate::Options;

    const ALICE: &str = "alice@example.test";

    fn accounts() -> Arc<Accounts> {
        let directory = Directory::in_memory().unwrap();
        for user in [
            ALICE,
            "boss@example.test",
            "bob@example.test",
            "j\u{fc}rgen@m\u{fc}nchen.test",
        ] {
            directory.add_user(user, "open sesame").unwrap();
        }
        directory.add_shared("info@example.test").unwrap();
        directory
            .add_alias("liddell@example.test", &[ALICE])
            .unwrap();
        for (name, grant) in [
            ("boss@example.test", SendGrant::OnBehalf),
            ("info@example.test", SendGrant::As),
        ] {
            directory.grant_sending(name, ALICE, Some(grant)).unwrap();
        }
        let backend = Arc::new(MemBackend::default());
        Accounts::new(backend, Arc::new(directory), Options::default())
    }

    /// What becomes of a header: `550` and `554` are refusals, else the Sender that is added.
    async fn judged(accounts: &Accounts, header: &str) -> String {
        let principal = Principal {
            user: ALICE.to_owned(),
        };
        let authors = accounts.authors(&principal, header.as_bytes(), ALICE);
        match authors.await {
            Ok(authors) => authors.sender.unwrap_or_default(),
            Err(SendError::Forged) => "550".to_owned(),
            Err(SendError::Header(_)) => "554".to_owned(),
            Err(error) => panic!("{error:?}"),
        }
    }

    #[tokio::test]
    async fn names_are_ones_own_or_given() {
        let accounts = accounts();
        for (header, expected) in [
            ("From: alice@example.test", ""),
            (
                "From: liddell+x@example.test\r\nSender: alice@example.test",
                "",
            ),
            ("From: info@example.test", ""),
            ("From: info@example.test\r\nSender: info@example.test", ""),
            ("From: alice@example.test\r\nSender: info@example.test", ""),
            ("Subject: no author", ""),
            ("From: boss@example.test", ALICE),
            ("From: The Boss <boss+x@example.test>", ALICE),
            (
                "From: boss@example.test\r\nSender: liddell@example.test",
                "",
            ),
            // Several authors need a Sender.
            ("From: alice@example.test, info@example.test", ALICE),
            ("From: info@example.test, boss@example.test", ALICE),
            ("From: Wonder, Alice <alice@example.test>", ""),
            (
                "From: boss@example.test\r\nSender: boss@example.test",
                "550",
            ),
            (
                "From: boss@example.test\r\nSender: info@example.test",
                "550",
            ),
            (
                "From: boss@example.test\r\nSender: alice@example.test, info@example.test",
                "550",
            ),
            (
                "From: alice@example.test\r\nSender: boss@example.test",
                "550",
            ),
            (
                "From: bob@example.test\r\nSender: alice@example.test",
                "550",
            ),
        ] {
            assert_eq!(judged(&accounts, header).await, expected, "{header}");
        }
    }

    #[tokio::test]
    async fn forged_names_are_seen_however_they_are_written() {
        let accounts = accounts();
        for header in [
            "From: alice@example.test, bob@example.test",
            "From: alice@example.test, bob",
            "From: team: alice@example.test, bob@example.test;",
            "From: alice@example.test (Alice), \"bob\"@example.test",
            "From: bob@example.test (alice@example.test)",
            "From: <@alice@example.test:bob@example.test>",
            "From: bob@\r\n example.test",
            "From: BOB@EXAMPLE.TEST",
            "From: =?utf-8?q?bob=40example=2Etest?= <alice@example.test>",
            "From: =?utf-8?b?Ym9iQGV4YW1wbGUudGVzdA==?= <alice@example.test>",
            "From: alice@example.test, =?utf-8?q?bob?=@example.test",
            "From: Alice <alice@example.test> bob\u{ff20}example.test",
            "From: j\u{fc}rgen@m\u{fc}nchen.test",
            "From: j\u{fc}rgen@xn--mnchen-3ya.test",
            "From: alice@xn--example-.test",
            "From : bob@example.test",
            "Sender: bob@example.test\r\nFrom: alice@example.test",
        ] {
            assert_eq!(judged(&accounts, header).await, "550", "{header}");
        }
        let many = "a@example.test, ".repeat(2)
            + &(0..200)
                .map(|n| format!("u{n}@x.test,"))
                .collect::<String>();
        for header in [
            "From: nobody",
            "From:",
            "From: team:;",
            "From: =?utf-8?q?bob=40example=2Etest?=",
            "From: alice@example.test\r\nSender: nobody",
            "From: alice@example.test\r\nFrom: bob@example.test",
            "From: alice@example.test\r\nfrom : alice@example.test",
            &format!("From: {many}"),
        ] {
            assert_eq!(judged(&accounts, header).await, "554", "{header}");
        }
    }

    #[tokio::test]
    async fn who_sends_on_behalf_gets_the_reports() {
        let principal = Principal {
            user: ALICE.to_owned(),
        };
        let accounts = accounts();
        for (reverse_path, expected) in [
            (ALICE, None),
            ("liddell@example.test", None),
            ("info@example.test", None),
            ("boss@example.test", Some(ALICE)),
        ] {
            let authors = accounts.authors(&principal, b"Subject: x\r\n", reverse_path);
            let authors = authors.await.unwrap();
            assert_eq!(authors.reverse_path.as_deref(), expected, "{reverse_path}");
            // The author that is added is the one of the envelope.
            let sender = (reverse_path == "boss@example.test").then_some(ALICE);
            assert_eq!(authors.sender.as_deref(), sender, "{reverse_path}");
        }
    }
}
