//! Domains on Exchange servers: what the configuration says of them, made ready to use.
//!
//! A [`Section`] is one organisation: it checks its users' passwords by signing in as them, knows their addresses, and
//! opens their mailboxes. [`Settings`] is configuration turned into what the Exchange backend wants.

mod addresses;
pub(crate) mod consent;
mod keep_open;
mod login_name;
pub(crate) mod login_page;
mod proof;
mod section;
mod settings;
mod sign_ins;
mod tokens;
mod watch;

pub(crate) use self::{
    keep_open::keep_open,
    login_name::LoginName,
    proof::{Proof, Shows},
    section::Section,
    settings::Settings,
    watch::watch,
};
use crate::{
    config::Config,
    failure::{Doing, Result},
    secret_file,
};

/// Reads every file that the configuration of Exchange names. Nothing is asked of a server, and nothing is made.
pub(crate) fn verify(config: &Config) -> Result<()> {
    for (name, section) in &config.exchange {
        let key = || format!("exchange.{name}");
        settings::client(section).doing(key)?;
        if let Some(oauth) = &section.oauth {
            tokens::verify(oauth).doing(key)?;
        }
        for (address, account) in &section.accounts {
            let paths = [&account.password_file, &account.keytab];
            for path in paths.iter().filter(|path| !path.as_os_str().is_empty()) {
                secret_file::check(path)
                    .doing(|| format!("exchange.{name}.accounts.\"{address}\""))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
