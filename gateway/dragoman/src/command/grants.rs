//! `dragoman grant`: rights in folders of mailboxes of the embedded store.

use account::{Member, Permission, Rights};

use super::administration::Administration;
use crate::{
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
