//! Domains on Exchange servers: what the configuration says of them, made ready to use.
//!
//! A [`Section`] is one organisation: it checks its users' passwords by signing in as them, knows their addresses, and
//! opens their mailboxes. [`Settings`] is configuration turned into what the Exchange backend wants.

mod addresses;
mod keep_open;
mod section;
mod settings;
mod sign_ins;
mod watch;

pub(crate) use self::{
    keep_open::keep_open,
    section::Section,
    settings::{Settings, account_credentials, credentials},
    watch::watch,
};
use crate::{
    config::Config,
    failure::{Doing, Result},
};

/// Reads every file that the configuration of Exchange names. Nothing is asked of a server.
pub(crate) fn verify(config: &Config) -> Result<()> {
    for (name, section) in &config.exchange {
        Settings::of(config, (name, section)).doing(|| format!("exchange.{name}"))?;
        for (address, account) in &section.accounts {
            settings::account_credentials(address, account)
                .doing(|| format!("exchange.{name}.accounts.\"{address}\""))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
