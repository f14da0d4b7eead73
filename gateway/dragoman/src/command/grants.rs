//! `dragoman grant`: rights in folders of mailboxes of the embedded store.

use account::{Member, Permission, Rights};

use super::administration::Administration;
use crate::failure::{Doing, Failure, Result};

/// Rights by the names people give them.
const RIGHTS: [(&str, Rights); 5] = [
    ("none", Rights::NONE),
    ("visible", Rights::VISIBLE),
    ("reviewer", Rights::REVIEWER),
    ("editor", Rights::EDITOR),
    ("owner", Rights::ALL),
];

impl Administration {
    pub(super) async fn grant(
        &self,
        mailbox: &str,
        member: &str,
        rights: &str,
        folder: &str,
    ) -> Result<()> {
        let (_, rights) = RIGHTS
            .iter()
            .find(|(name, _)| *name == rights)
            .ok_or_else(|| {
                let names: Vec<_> = RIGHTS.iter().map(|(name, _)| *name).collect();
                Failure::new(format!(
                    "rights `{rights}`: expected one of {}",
                    names.join(", ")
                ))
            })?;
        let member = match member {
            "default" => Member::Default,
            user => {
                let user = self
                    .directory()
                    .user(user)
                    .ok_or_else(|| Failure::new(format!("{user}: no such user")))?;
                Member::User(user.mailbox.as_str().to_owned())
            }
        };
        let account = self.owned(mailbox).await?;
        let folder = self.folder(&account, folder).await?.id;
        let mut permissions = account
            .permissions(folder)
            .await
            .doing(|| "reading the rights".to_owned())?;
        permissions.retain(|permission| permission.member != member);
        permissions.push(Permission {
            member,
            rights: *rights,
        });
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
            let member = match &permission.member {
                Member::Default => "default",
                Member::Anonymous => "anonymous",
                Member::User(user) => user,
            };
            let known = RIGHTS
                .iter()
                .find(|(_, rights)| *rights == permission.rights);
            match known {
                Some((name, _)) => format!("{member} {name}"),
                None => format!("{member} {:#x}", permission.rights.0),
            }
        };
        Ok(permissions.iter().map(line).collect())
    }
}
