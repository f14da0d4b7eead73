//! `dragoman grant`: rights in folders of mailboxes of the embedded store, and to send in their names.

use account::{Member, Permission, Rights};

use directory::{SendGrant, Sender};

use super::administration::Administration;
use crate::{
    cli::SendHow,
    failure::{Doing, Failure, Result},
    rights,
};

impl Administration {
    pub(super) async fn grant(
        &self,
        mailbox: &str,
        member: &str,
        rights: &str,
        folder: &str,
    ) -> Result<()> {
        let rights = rights::parse(rights)?;
        let account = self.owned(mailbox).await?;
        let folder = self.folder(&account, folder).await?.id;
        let mut permissions = account
            .permissions(folder)
            .await
            .doing(|| "reading the rights".to_owned())?;
        let user = self.directory().user(member);
        let named = rights::member_in(&permissions, member);
        let is_known = user.is_some() || !matches!(named, Some(Member::User(_)));
        let user = user.map(|user| Member::User(user.mailbox.as_str().to_owned()));
        let member = user
            .or(named)
            .ok_or_else(|| Failure::new(format!("{member}: no such user")))?;
        permissions.retain(|permission| permission.member != member);
        // Of somebody who is no user any more no row is needed.
        if is_known || rights != Rights::NONE {
            permissions.push(Permission { member, rights });
        }
        account
            .set_permissions(folder, &permissions)
            .await
            .doing(|| "changing the rights".to_owned())
    }

    /// Whoever is given a right must be somebody: a user here, or of a domain on Exchange.
    pub(super) fn grant_sending(&self, address: &str, member: &str, how: SendHow) -> Result<()> {
        let grant = match how {
            SendHow::As => Some(SendGrant::As),
            SendHow::OnBehalf => Some(SendGrant::OnBehalf),
            SendHow::None => None,
        };
        let user = self.directory().user(member);
        let user = user.map(|user| user.mailbox.to_string());
        let known = user.or_else(|| {
            let elsewhere = self.backends().of_mailbox(member).is_some();
            (elsewhere || grant.is_none()).then(|| member.to_owned())
        });
        let member = known.ok_or_else(|| Failure::new(format!("{member}: no such user")))?;
        self.directory()
            .grant_sending(address, &member, grant)
            .doing(|| address.to_owned())
    }

    pub(super) fn senders(&self, address: Option<&str>) -> Vec<String> {
        let meant = |sender: &Sender| {
            address.is_none_or(|address| {
                let names = [&sender.name, &sender.member];
                names
                    .map(ToString::to_string)
                    .contains(&address.to_lowercase())
            })
        };
        let line = |sender: &Sender| {
            let how = match sender.grant {
                SendGrant::As => "as",
                SendGrant::OnBehalf => "on-behalf",
            };
            format!("{} {how} {}", sender.member, sender.name)
        };
        let senders = self.directory().senders();
        senders.iter().filter(|one| meant(one)).map(line).collect()
    }

    pub(super) async fn grants(&self, mailbox: &str, folder: &str) -> Result<Vec<String>> {
        let account = self.owned(mailbox).await?;
        let folder = self.folder(&account, folder).await?.id;
        let permissions = account
            .permissions(folder)
            .await
            .doing(|| "reading the rights".to_owned())?;
        let line = |permission: &Permission| {
            let member = rights::member_name(&permission.member);
            match rights::role(permission.rights) {
                Some(name) => format!("{member} {name}"),
                None => format!("{member} {:#x}", permission.rights.0),
            }
        };
        Ok(permissions.iter().map(line).collect())
    }
}
