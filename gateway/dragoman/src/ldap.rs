//! Users of LDAP servers, whose mailboxes are embedded ones: by the domains of their addresses.

use std::{collections::HashMap, sync::Arc, time::Duration};

use account::{Error, ErrorKind, MailboxId, Principal, Result as MailResult};
use directory::{Address, Directory, MailboxName};
use ldap_directory::{LdapDirectory, Naming, Options, Refused, Secret, Server, User};
use store_exchange::http::{TlsOptions, trusting};

use crate::{
    config::{Config, LdapConfig},
    failure::{Doing, Result},
    secret_file,
};

/// All LDAP servers of the configuration.
pub(crate) struct LdapUsers {
    directory: Arc<Directory>,
    sections: Vec<Arc<Section>>,
    by_domain: HashMap<String, Arc<Section>>,
}

struct Section {
    name: String,
    domains: Vec<String>,
    users: LdapDirectory,
}

impl LdapUsers {
    /// Reads passwords and certificate authorities from disk. No server is asked yet.
    pub(crate) fn open(config: &Config, directory: Arc<Directory>) -> Result<Self> {
        let (mut sections, mut by_domain) = (Vec::new(), HashMap::new());
        for (name, section) in &config.ldap {
            let what = || format!("ldap.{name}");
            let options = options(section).doing(what)?;
            let domains = section.domains.iter().map(|name| name.to_lowercase());
            let opened = Arc::new(Section {
                name: name.clone(),
                domains: domains.collect(),
                users: LdapDirectory::new(options).doing(what)?,
            });
            for domain in &opened.domains {
                by_domain.insert(domain.clone(), Arc::clone(&opened));
            }
            sections.push(opened);
        }
        Ok(Self {
            directory,
            sections,
            by_domain,
        })
    }

    /// Whether there are none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// Whether users of a domain are on one of the servers.
    pub(crate) fn has(&self, domain: &str) -> bool {
        self.by_domain.contains_key(&domain.to_lowercase())
    }

    /// Checks a password. `None`: the directory, or nobody, knows the user. Errors: `Unauthenticated`, `Unavailable`.
    pub(crate) async fn authenticate(
        &self,
        name: &str,
        password: &str,
    ) -> MailResult<Option<Principal>> {
        let sections = self.sections_of(name);
        let mut refused = None;
        for section in sections {
            let answer = section
                .users
                .authenticate(name, Secret::new(password))
                .await;
            match answer.map_err(|error| section.away(&error))? {
                Ok(user) => return self.principal(section, name, &user).await.map(Some),
                Err(Refused::WrongPassword) => refused = Some("wrong password"),
                Err(Refused::UnknownUser) => refused = refused.or(Some("unknown user")),
            }
        }
        match refused {
            Some(why) => Err(Error::new(ErrorKind::Unauthenticated, why)),
            None => Ok(None),
        }
    }

    /// Who somebody is that has proved it otherwise. As [`Self::authenticate`].
    pub(crate) async fn identify(&self, name: &str) -> MailResult<Option<Principal>> {
        let sections = self.sections_of(name);
        for section in &sections {
            let found = section.users.find(name).await;
            if let Some(user) = found.map_err(|error| section.away(&error))? {
                return self.principal(section, name, &user).await.map(Some);
            }
        }
        match sections.is_empty() {
            true => Ok(None),
            false => Err(Error::new(ErrorKind::Unauthenticated, "unknown user")),
        }
    }

    /// The mailbox that mail for an address goes to. `None`: the directory decides. Errors: `NotFound`, `Unavailable`.
    pub(crate) async fn resolve(&self, text: &str) -> MailResult<Option<Vec<MailboxId>>> {
        let Ok(address) = Address::parse(text) else {
            return Ok(None);
        };
        let Some(section) = self.by_domain.get(address.domain()) else {
            return Ok(None);
        };
        if self.directory.resolve(text).is_some() {
            return Ok(None);
        }
        for asked in [Some(address.clone()), address.without_detail()] {
            let Some(asked) = asked else { continue };
            let found = section.users.resolve(&asked.to_string()).await;
            if let Some(user) = found.map_err(|error| section.away(&error))? {
                let mailbox = self.mailbox(section, &user)?;
                return Ok(Some(vec![MailboxId(mailbox)]));
            }
        }
        Err(Error::new(ErrorKind::NotFound, "no such address"))
    }

    /// Whether a mailbox is that of somebody who is on a server now.
    pub(crate) async fn is_users(&self, mailbox: &MailboxId) -> MailResult<bool> {
        let resolved = self.resolve(&mailbox.0).await?;
        Ok(resolved.is_some_and(|all| all == [mailbox.clone()]))
    }

    /// The servers that may know a name: none where the directory knows it.
    fn sections_of(&self, name: &str) -> Vec<&Section> {
        if self.sections.is_empty() || self.directory.user(name).is_some() {
            return Vec::new();
        }
        match name.rsplit_once('@') {
            Some((_, domain)) => {
                let found = self.by_domain.get(&domain.to_lowercase());
                found.map(|section| &**section).into_iter().collect()
            }
            None => self.sections.iter().map(|section| &**section).collect(),
        }
    }

    /// The principal of a user who goes by a name. What the server says the address is must be the user's alone: else
    /// whoever can change an attribute of their own could become somebody else.
    async fn principal(&self, section: &Section, name: &str, user: &User) -> MailResult<Principal> {
        let mailbox = self.mailbox(section, user)?;
        if !name.eq_ignore_ascii_case(&mailbox) {
            let found = section.users.find(&mailbox).await;
            let found = found.map_err(|error| section.away(&error))?;
            if found.as_ref() != Some(user) {
                let why = "the address in the LDAP entry is another's";
                return Err(Error::new(ErrorKind::Unauthenticated, why));
            }
        }
        Ok(Principal { user: mailbox })
    }

    /// The mailbox of a user. Errors: `Unavailable` for addresses that are not the server's to give.
    fn mailbox(&self, section: &Section, user: &User) -> MailResult<String> {
        let fault = |why| {
            tracing::warn!(section = section.name, why, "LDAP entry cannot be used");
            Err(Error::new(ErrorKind::Unavailable, why))
        };
        let Ok(address) = Address::parse(&user.address) else {
            return fault("an LDAP entry has no usable address");
        };
        if !section
            .domains
            .iter()
            .any(|domain| domain == address.domain())
        {
            return fault("an LDAP entry has an address of another domain");
        }
        let Ok(mailbox) = MailboxName::of(&address) else {
            return fault("an LDAP entry has an address that no mailbox can have");
        };
        if self.directory.resolve(mailbox.as_str()).is_some() {
            return fault("an LDAP entry has an address of the directory's");
        }
        Ok(mailbox.as_str().to_owned())
    }
}

impl Section {
    /// What a server that cannot be asked is: never a wrong password.
    fn away(&self, error: &ldap_directory::Error) -> Error {
        tracing::warn!(section = self.name, %error, "LDAP server cannot be asked");
        Error::new(ErrorKind::Unavailable, "LDAP server cannot be asked")
    }
}

fn options(config: &LdapConfig) -> Result<Options> {
    let trust = TlsOptions {
        system_roots: config.system_authorities,
        ca_files: config.ca_files.clone(),
        ..TlsOptions::default()
    };
    let tls = trusting(&trust).doing(|| "certificate authorities".to_owned())?;
    let bind_password = match config.bind_dn.is_empty() {
        true => Secret::new(""),
        false => Secret::new(secret_file::read(&config.bind_password_file)?.expose()),
    };
    Ok(Options {
        server: Server {
            url: config.url.clone(),
            starttls: config.starttls,
            tls: Arc::new(tls),
            bind_dn: config.bind_dn.clone(),
            bind_password,
            timeout: Duration::from_secs(config.timeout_s),
            connections_max: config.connections_max,
        },
        base: config.base.clone(),
        filter: config.filter.clone(),
        naming: Naming {
            address: config.address_attribute.clone(),
            aliases: config.alias_attributes.clone(),
            logins: config.login_attributes.clone(),
        },
        cache_for: Duration::from_secs(config.cache_s),
        cache_entries_max: config.cache_entries_max,
    })
}
