//! Where mailboxes are: in the embedded store, or on one of any number of Exchange servers, by the domain of the address.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use account::{Error, ErrorKind, FileTime, MailboxId, Principal, Quota};
use directory::{Address, Directory};
use mapi_store::{Backend, FreeBusy, Store, Task};
use sasl::TokenTerms;
use store_exchange::auth::oauth::Claims;
use store_openchange::OpenChange;

use crate::{
    config::{
        Config, ExchangeConfig,
        exchange::{ANY_DOMAIN, OauthConfig},
    },
    exchange::{LoginName, Section, Shows},
    failure::Result,
    issuers::Issuers,
    ldap::LdapUsers,
};

/// All mailboxes the gateway serves.
pub(crate) struct Backends {
    embedded: Arc<OpenChange>,
    directory: Arc<Directory>,
    ldap: LdapUsers,
    issuers: Issuers,
    sections: Vec<Arc<Section>>,
    by_domain: HashMap<String, Arc<Section>>,
    /// What the configuration says of the sections.
    configured: BTreeMap<String, ExchangeConfig>,
}

impl Backends {
    /// The embedded store, and what the configuration says of Exchange.
    pub(crate) fn open(
        config: &Config,
        embedded: Arc<OpenChange>,
        directory: Arc<Directory>,
    ) -> Result<Arc<Self>> {
        let (mut sections, mut by_domain) = (Vec::new(), HashMap::new());
        for (name, section) in &config.exchange {
            let opened = Section::open(config, (name, section), Arc::clone(&embedded))?;
            let opened = Arc::new(opened);
            for domain in &section.domains {
                by_domain.insert(domain.to_lowercase(), Arc::clone(&opened));
            }
            sections.push(opened);
        }
        Ok(Arc::new(Self {
            ldap: LdapUsers::open(config, Arc::clone(&directory))?,
            issuers: Issuers::open(config)?,
            embedded,
            directory,
            sections,
            by_domain,
            configured: config.exchange.clone(),
        }))
    }

    /// Reads the credentials of mailboxes that work although nobody signs in.
    pub(crate) fn add_accounts(&self, config: &Config) -> Result<()> {
        for section in &self.sections {
            if let Some(configured) = config.exchange.get(section.name()) {
                section.add_accounts(configured)?;
            }
        }
        Ok(())
    }

    /// The embedded store, with the mirrors too.
    pub(crate) fn embedded(&self) -> &Arc<OpenChange> {
        &self.embedded
    }

    /// The Exchange servers.
    pub(crate) fn sections(&self) -> &[Arc<Section>] {
        &self.sections
    }

    /// The mailbox that has this name in the configuration.
    pub(crate) fn named(&self, name: &str) -> Option<&MailboxId> {
        let mut sections = self.sections.iter();
        sections.find_map(|section| section.named(name))
    }

    /// Their domains, sorted.
    pub(crate) fn domains(&self) -> Vec<(&str, &Section)> {
        let mut domains: Vec<_> = self
            .by_domain
            .iter()
            .map(|(domain, section)| (domain.as_str(), &**section))
            .collect();
        domains.sort_unstable_by_key(|(domain, _)| *domain);
        domains
    }

    /// The Exchange server that has the mailboxes of an address's domain.
    pub(crate) fn of(&self, address: &Address) -> Option<&Arc<Section>> {
        self.of_domain(address.domain())
    }

    /// The same for a mailbox, or whatever else ends in `@` and a domain.
    pub(crate) fn of_mailbox(&self, mailbox: &str) -> Option<&Arc<Section>> {
        let (_, domain) = mailbox.rsplit_once('@')?;
        self.of_domain(domain)
    }

    /// Whether the passwords of all users are the directory's.
    pub(crate) const fn knows_all_passwords(&self) -> bool {
        self.sections.is_empty() && self.ldap.is_empty()
    }

    /// Whether users of a domain are on an LDAP server.
    pub(crate) fn is_on_ldap(&self, domain: &str) -> bool {
        self.ldap.has(domain)
    }

    /// Whether tokens of mail programs are taken, here or by a server.
    pub(crate) fn take_tokens(&self) -> bool {
        !self.issuers.is_empty() || self.sections.iter().any(|section| section.takes_tokens())
    }

    /// What a mail program is told whose token is not good: the terms of the server that has this user's mailbox. Of a
    /// user who is not named, those that are the same on all servers that take tokens.
    pub(crate) fn token_terms(&self, user: Option<&str>) -> TokenTerms {
        if let Some(user) = user {
            let of = self.login_name(user);
            return of
                .map(|(section, _)| self.terms_of(section))
                .unwrap_or_else(|| self.issuers.terms());
        }
        if !self.issuers.is_empty() {
            return self.issuers.terms();
        }
        let takers = self
            .sections
            .iter()
            .filter(|section| section.takes_tokens());
        let mut all = takers.map(|section| self.terms_of(section));
        let first = all.next().unwrap_or_default();
        match all.all(|terms| terms == first) {
            true => first,
            false => TokenTerms::default(),
        }
    }

    fn terms_of(&self, section: &Section) -> TokenTerms {
        let configured = self.configured.get(section.name());
        let oauth = configured.and_then(|configured| configured.oauth.as_ref());
        oauth
            .filter(|_| section.takes_tokens())
            .map(OauthConfig::terms)
            .unwrap_or_default()
    }

    fn of_domain(&self, domain: &str) -> Option<&Arc<Section>> {
        let named = self.by_domain.get(&domain.to_lowercase());
        let any = || self.by_domain.get(ANY_DOMAIN);
        named.or_else(|| any().filter(|_| !self.ldap.has(domain)))
    }

    /// Whose login name this is on which server; `None`: the directory decides. A name without a domain is first one of
    /// the directory's.
    fn login_name(&self, text: &str) -> Option<(&Arc<Section>, LoginName)> {
        if let Ok(address) = Address::parse(text) {
            return Some((self.of(&address)?, LoginName::of(address)));
        }
        if self.directory.user(text).is_some() {
            return None;
        }
        self.sections.iter().find_map(|section| {
            let configured = self.configured.get(section.name())?;
            Some((section, LoginName::parse(text, configured)?))
        })
    }

    /// Checks what somebody shows at the server that has their mailbox. See [`Section::sign_in`]; `Denied` when the
    /// server names a mailbox that is not its own.
    pub(crate) async fn sign_in(
        &self,
        section: &Section,
        name: &LoginName,
        shows: Shows<'_>,
    ) -> mapi_store::Result<Principal> {
        let principal = section.sign_in(name, shows).await?;
        // A server speaks for its own domains alone.
        let of = self.of_mailbox(&principal.user);
        match of.is_some_and(|of| of.name() == section.name()) {
            true => Ok(principal),
            false => Err(Error::new(
                ErrorKind::Denied,
                "the mailbox's address is of another server",
            )),
        }
    }

    /// The mailbox that somebody means by an address: an alias is its owner's mailbox, as far as anybody can tell now.
    pub(crate) async fn owner_of(&self, asked: MailboxId) -> MailboxId {
        let Ok(address) = Address::parse(&asked.0) else {
            return asked;
        };
        let Some(section) = self.of(&address) else {
            return asked;
        };
        if section.tokens().is_some()
            && let Some([name]) = self.directory.resolve(&asked.0).as_deref()
        {
            return MailboxId(name.as_str().to_owned());
        }
        let owner = section.owner_of(&address).await;
        let of = self.of_mailbox(&owner.0);
        match of.is_some_and(|of| of.name() == section.name()) {
            true => owner,
            false => asked,
        }
    }

    /// Opens an embedded mailbox by a token of an issuer of the configuration. `None`: there is no issuer. Errors:
    /// `Unauthenticated`, `Unavailable`.
    async fn by_issued_token(
        &self,
        user: Option<&str>,
        token: &str,
    ) -> mapi_store::Result<Option<Principal>> {
        if self.issuers.is_empty() {
            return Ok(None);
        }
        let address = self.issuers.address(token).await?;
        let principal = self.known(&address).await?;
        if let Some(user) = user.filter(|user| !user.eq_ignore_ascii_case(&address)) {
            let named = self.known(user).await?;
            if named != principal {
                let why = "token of another user";
                return Err(Error::new(ErrorKind::Unauthenticated, why));
            }
        }
        Ok(Some(principal))
    }

    /// The user of an embedded mailbox who has this name.
    async fn known(&self, user: &str) -> mapi_store::Result<Principal> {
        if let Some(principal) = self.identify(user).await? {
            return Ok(principal);
        }
        let refused = |why| Err(Error::new(ErrorKind::Unauthenticated, why));
        match self.directory.user(user) {
            Some(user) if user.disabled => refused("user is disabled"),
            Some(user) => Ok(Principal {
                user: user.mailbox.to_string(),
            }),
            None => refused("unknown user"),
        }
    }

    /// Opens an embedded mailbox, which is made when it is that of a user on an LDAP server and is not there yet.
    async fn logon_made(
        &self,
        principal: &Principal,
        mailbox: &MailboxId,
    ) -> mapi_store::Result<Arc<dyn Store>> {
        match self.embedded.logon(principal, mailbox).await {
            Err(error) if error.kind == ErrorKind::NotFound => {}
            opened => return opened,
        }
        if !self.ldap.is_users(mailbox).await? {
            return Err(Error::new(ErrorKind::NotFound, "no such mailbox"));
        }
        match self.embedded.provision(mailbox).await {
            // Somebody else came first.
            Err(error) if error.kind == ErrorKind::Exists => {}
            made => made?,
        }
        self.embedded.logon(principal, mailbox).await
    }

    fn backend(&self, mailbox: &MailboxId) -> &dyn Backend {
        match self.of_mailbox(&mailbox.0) {
            Some(section) => &**section.exchange(),
            None => &*self.embedded,
        }
    }
}

impl Backend for Backends {
    fn authenticate<'a>(&'a self, user: &'a str, password: &'a str) -> Task<'a, Option<Principal>> {
        Box::pin(async move {
            let Some((section, name)) = self.login_name(user) else {
                return self.ldap.authenticate(user, password).await;
            };
            // With tokens of the gateway's own, so are the passwords.
            if section.tokens().is_some() {
                return Ok(None);
            }
            let shows = Shows::Password(password);
            self.sign_in(section, &name, shows).await.map(Some)
        })
    }

    fn authenticate_by_token<'a>(
        &'a self,
        user: Option<&'a str>,
        token: &'a str,
    ) -> Task<'a, Option<Principal>> {
        Box::pin(async move {
            let claimed = match user {
                Some(user) => Some(user.to_owned()),
                None => Claims::of(&token.into()).names.into_iter().next(),
            };
            match claimed.as_deref().and_then(|user| self.login_name(user)) {
                Some((section, name)) if section.takes_tokens() => {
                    let shows = Shows::Token(token);
                    self.sign_in(section, &name, shows).await.map(Some)
                }
                Some((section, _)) if section.tokens().is_none() => Ok(None),
                _ => self.by_issued_token(user, token).await,
            }
        })
    }

    fn identify<'a>(&'a self, user: &'a str) -> Task<'a, Option<Principal>> {
        Box::pin(async move {
            match self.login_name(user) {
                // What opens the mailbox is the password, which nobody has shown.
                Some((section, _)) if section.tokens().is_none() => Err(Error::new(
                    ErrorKind::Unauthenticated,
                    "the mailbox's server takes passwords alone",
                )),
                Some(_) => Ok(None),
                None => self.ldap.identify(user).await,
            }
        })
    }

    fn identifies(&self, domain: &str) -> bool {
        self.ldap.has(domain)
    }

    fn serves(&self, domain: &str) -> bool {
        // Not what a section for all other domains serves: whoever is there may also be nobody.
        self.ldap.has(domain) || self.by_domain.contains_key(&domain.to_lowercase())
    }

    fn resolve<'a>(&'a self, text: &'a str) -> Task<'a, Option<Vec<MailboxId>>> {
        Box::pin(async move {
            let Ok(address) = Address::parse(text) else {
                return Ok(None);
            };
            let Some(section) = self.of(&address) else {
                return self.ldap.resolve(text).await;
            };
            // With tokens the directory knows some of the users, and the server all of them.
            if section.tokens().is_some() && self.directory.resolve(text).is_some() {
                return Ok(None);
            }
            section.resolve(&address).await.map(Some)
        })
    }

    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>> {
        let owner = self.of_mailbox(&mailbox.0).map(|section| section.name());
        let guest = self
            .of_mailbox(&principal.user)
            .map(|section| section.name());
        // Nobody is known on a server other than their own. Who did not log in is nobody everywhere.
        if !principal.user.is_empty() && owner != guest {
            let denied = "the mailbox is on another server than the user's";
            return Box::pin(async move { Err(Error::new(ErrorKind::Denied, denied)) });
        }
        if let Some(section) = self.of_mailbox(&mailbox.0) {
            section.give_tokens(principal);
        }
        let domain = mailbox.0.rsplit_once('@').map(|(_, domain)| domain);
        if domain.is_some_and(|domain| self.ldap.has(domain)) {
            return Box::pin(self.logon_made(principal, mailbox));
        }
        self.backend(mailbox).logon(principal, mailbox)
    }

    fn free_busy<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
        span: Range<FileTime>,
    ) -> Task<'a, FreeBusy> {
        let place = |address: &str| self.of_mailbox(address).map(|section| section.name());
        if place(&mailbox.0) != place(&principal.user) {
            let denied = "the calendar is on another server than the user's";
            return Box::pin(async move { Err(Error::new(ErrorKind::Denied, denied)) });
        }
        if let Some(section) = self.of_mailbox(&mailbox.0) {
            section.give_tokens(principal);
        }
        self.backend(mailbox).free_busy(principal, mailbox, span)
    }

    fn quota<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, Option<Quota>> {
        self.backend(mailbox).quota(mailbox)
    }

    fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        self.backend(mailbox).provision(mailbox)
    }

    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        if let Some(section) = self.of_mailbox(&mailbox.0) {
            section.forget(&mailbox.0);
        }
        self.backend(mailbox).remove(mailbox)
    }
}
