//! `dragoman app-password`: passwords for single programs of a user.

use std::collections::BTreeSet;

use account::Service;
use directory::AppPassword;

use super::{
    AppPasswordChange,
    administration::{Administration, blocking},
};
use crate::failure::{Doing, Failure, Result};

impl Administration {
    pub(super) async fn change_app_passwords(
        &self,
        address: &str,
        change: &AppPasswordChange,
    ) -> Result<Vec<String>> {
        match change {
            AppPasswordChange::Add { name, services } => {
                self.add_app_password(address, name, services).await
            }
            AppPasswordChange::List => self.app_passwords(address),
            AppPasswordChange::Remove { which } => self.remove_app_password(address, which).await,
            AppPasswordChange::Require { required } => {
                self.require_app_passwords(address, *required).await
            }
        }
    }

    /// Makes one. The secret is in the first line of the answer, and nowhere else.
    async fn add_app_password(
        &self,
        address: &str,
        name: &str,
        services: &[String],
    ) -> Result<Vec<String>> {
        let services = services.iter().map(|name| {
            Service::parse(name)
                .ok_or_else(|| Failure::new(format!("{name}: not imap, pop3, smtp or http")))
        });
        let services = services.collect::<Result<BTreeSet<_>>>()?;
        let (directory, owned) = (
            self.directory().clone(),
            (address.to_owned(), name.to_owned()),
        );
        let made = blocking(move || directory.add_app_password(&owned.0, &owned.1, &services));
        let (made, secret) = made.await?.doing(|| address.to_owned())?;
        Ok(vec![format!("app password: {secret}"), line(&made)])
    }

    fn app_passwords(&self, address: &str) -> Result<Vec<String>> {
        let all = self.directory().app_passwords(address);
        let all = all.doing(|| address.to_owned())?;
        Ok(all.iter().map(line).collect())
    }

    async fn remove_app_password(&self, address: &str, which: &str) -> Result<Vec<String>> {
        let (directory, owned) = (
            self.directory().clone(),
            (address.to_owned(), which.to_owned()),
        );
        blocking(move || directory.remove_app_password(&owned.0, &owned.1))
            .await?
            .doing(|| format!("{address}: {which}"))?;
        Ok(vec![])
    }

    async fn require_app_passwords(&self, address: &str, required: bool) -> Result<Vec<String>> {
        let (directory, owned) = (self.directory().clone(), address.to_owned());
        blocking(move || directory.require_app_passwords(&owned, required))
            .await?
            .doing(|| address.to_owned())?;
        Ok(vec![])
    }
}

fn line(one: &AppPassword) -> String {
    let services: Vec<_> = one.services.iter().map(|service| service.name()).collect();
    let used = match &one.last_used {
        Some(time) => format!("used {time}"),
        None => "never used".to_owned(),
    };
    let name = match one.name.as_str() {
        "" => String::new(),
        name => format!("  {name}"),
    };
    format!(
        "{}  {}  made {}  {used}{name}",
        one.id,
        services.join(","),
        one.created
    )
}
