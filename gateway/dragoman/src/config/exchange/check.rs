//! What must be right in `[exchange.NAME]` beyond the types of its values.

use std::collections::{BTreeMap, HashSet};

use store_exchange::{
    discover::HostPattern,
    http::{NoProxy, Proxy},
};

use super::{ANY_DOMAIN, Authentication, ExchangeConfig, is_private, url};
use crate::config_error::ConfigError;

/// What types alone cannot say of all sections.
pub(in crate::config) fn check(
    sections: &BTreeMap<String, ExchangeConfig>,
) -> Result<(), ConfigError> {
    let mut taken = HashSet::new();
    let mut windows = HashSet::new();
    let mut default = None;
    for (name, section) in sections {
        let faults = Faults(name);
        section.check(&faults)?;
        for domain in &section.domains {
            if !taken.insert(domain.to_lowercase()) {
                return Err(faults.value("domains", domain, "a domain of one section only"));
            }
        }
        for domain in &section.windows_domains {
            if !windows.insert(domain.to_lowercase()) {
                let expected = "a Windows domain of one section only";
                return Err(faults.value("windows_domains", domain, expected));
            }
        }
        if !section.default_domain.is_empty()
            && let Some(other) = default.replace(name)
        {
            let expected = format!("in one section only, and {other} has it");
            return Err(faults.value("default_domain", &section.default_domain, &expected));
        }
    }
    Ok(())
}

/// Errors of one section.
pub(super) struct Faults<'a>(pub(super) &'a str);

impl Faults<'_> {
    pub(super) fn value(&self, key: &str, found: &str, expected: &str) -> ConfigError {
        ConfigError::value(&format!("exchange.{}.{key}", self.0), found, expected)
    }
}

impl ExchangeConfig {
    fn check(&self, faults: &Faults<'_>) -> Result<(), ConfigError> {
        if self.domains.is_empty() {
            return Err(faults.value("domains", "none", "one at least, or \"*\""));
        }
        for domain in &self.domains {
            let whole = directory::Address::parse(&format!("user@{domain}"));
            if domain != ANY_DOMAIN && whole.is_err() {
                return Err(faults.value("domains", domain, "a domain such as example.test"));
            }
        }
        if self.takes_any_domain() && self.url.is_empty() && self.autodiscover.is_empty() {
            // Else whoever has a domain had a mailbox here, and decided whom the gateway asks.
            return Err(faults.value(
                "domains",
                ANY_DOMAIN,
                "named domains, unless `url` or `autodiscover` says which server to ask",
            ));
        }
        for (key, text) in [
            ("url", &self.url),
            ("address_book_url", &self.address_book_url),
            ("autodiscover", &self.autodiscover),
        ] {
            if !text.is_empty() && url(text).is_none_or(|url| !is_private(&url)) {
                return Err(faults.value(key, text, "an https URL (http on this machine only)"));
            }
        }
        for host in &self.allowed_hosts {
            host.parse::<HostPattern>().map_err(|error| {
                faults.value(
                    "allowed_hosts",
                    host,
                    &format!("a host or *.DOMAIN: {error}"),
                )
            })?;
        }
        if !self.pinned_certificate.is_empty() && self.pinned().is_none() {
            return Err(faults.value(
                "pinned_certificate",
                &self.pinned_certificate,
                "a SHA-256 in hexadecimal, 64 digits",
            ));
        }
        self.check_names(faults)?;
        self.check_proxy(faults)?;
        self.check_authentication(faults)?;
        self.check_accounts(faults)?;
        let positive = [
            ("poll_interval_s", self.poll_interval_s),
            ("render_ahead_per_s", self.render_ahead_per_s.into()),
        ];
        match positive.iter().find(|(_, value)| *value == 0) {
            Some((key, _)) => Err(faults.value(key, "0", "a number from 1")),
            None => Ok(()),
        }
    }

    fn check_names(&self, faults: &Faults<'_>) -> Result<(), ConfigError> {
        if !self.default_domain.is_empty() && !self.names(&self.default_domain) {
            let expected = "one of the section's domains";
            return Err(faults.value("default_domain", &self.default_domain, expected));
        }
        for domain in &self.windows_domains {
            if domain.is_empty() || domain.contains(['\\', '@', '/', ' ']) {
                return Err(faults.value("windows_domains", domain, "a name such as EXAMPLE"));
            }
        }
        if !self.windows_domains.is_empty() && self.name_domain().is_none() {
            let expected = "`default_domain` too, for which addresses to ask";
            return Err(faults.value("windows_domains", "no domain by name", expected));
        }
        Ok(())
    }

    fn check_proxy(&self, faults: &Faults<'_>) -> Result<(), ConfigError> {
        NoProxy::parse(&self.no_proxy)
            .map_err(|error| faults.value("no_proxy", &self.no_proxy, &error.to_string()))?;
        if self.proxy.is_empty() {
            return Ok(());
        }
        let secret = url(&self.proxy)
            .is_some_and(|url| !url.username().is_empty() || url.password().is_some());
        if secret {
            let found = "a URL with a user name in it";
            return Err(faults.value("proxy", found, "`proxy_user` and `proxy_password_file`"));
        }
        if self.proxy_user.is_empty() != self.proxy_password_file.as_os_str().is_empty() {
            let found = "only one of proxy_user and proxy_password_file";
            return Err(faults.value("proxy_user", found, "both, or neither"));
        }
        Proxy::parse(&self.proxy)
            .map(drop)
            .map_err(|error| faults.value("proxy", &self.proxy, &error.to_string()))
    }

    fn check_authentication(&self, faults: &Faults<'_>) -> Result<(), ConfigError> {
        let is = |authentication| self.authentication == authentication;
        if self.oauth.is_some() && !is(Authentication::Oauth) {
            let found = "a section oauth, but another authentication";
            return Err(faults.value("authentication", found, "\"oauth\""));
        }
        if self.kerberos.is_some() && !is(Authentication::Kerberos) {
            let found = "a section kerberos, but another authentication";
            return Err(faults.value("authentication", found, "\"kerberos\""));
        }
        if let Some(kerberos) = &self.kerberos {
            kerberos.check(faults)?;
        }
        match &self.oauth {
            Some(oauth) => oauth.check(faults),
            None => Ok(()),
        }
    }

    fn check_accounts(&self, faults: &Faults<'_>) -> Result<(), ConfigError> {
        for (address, account) in &self.accounts {
            let key = format!("accounts.\"{address}\"");
            match directory::Address::parse(address) {
                Ok(parsed) if self.names(parsed.domain()) => {}
                Ok(parsed) => {
                    return Err(faults.value(
                        &key,
                        parsed.domain(),
                        "one of the section's domains",
                    ));
                }
                Err(error) => return Err(faults.value(&key, address, &error.to_string())),
            }
            if self.authentication == Authentication::Oauth && self.oauth.is_none() {
                let found = "no section oauth";
                return Err(faults.value(&key, found, "one, for tokens of the gateway's own"));
            }
            let given = [&account.password_file, &account.keytab];
            let given = given.map(|path| !path.as_os_str().is_empty());
            let expected = match (self.authentication, given) {
                (Authentication::Oauth, [false, false])
                | (Authentication::Kerberos, [true, false] | [false, true])
                | (_, [true, false]) => continue,
                (Authentication::Oauth, _) => "neither password_file nor keytab with oauth",
                (Authentication::Kerberos, _) => "one of password_file and keytab",
                (_, [_, true]) => "a keytab with kerberos only",
                _ => "a file",
            };
            let found = if given == [false, false] {
                "nothing"
            } else {
                "something"
            };
            return Err(faults.value(&format!("{key}.password_file"), found, expected));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Result<(), String> {
        let sections: BTreeMap<String, ExchangeConfig> =
            toml::from_str(text).map_err(|error| error.to_string())?;
        check(&sections).map_err(|error| error.to_string())
    }

    fn check_faults(cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            let error = check_text(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_domain_is_enough() {
        check_text("[main]\ndomains = [\"example.test\"]\n").unwrap();
        // Then mail programs bring the tokens.
        check_text("[main]\ndomains = [\"example.test\"]\nauthentication = \"oauth\"\n").unwrap();
    }

    #[test]
    fn faults_name_the_key_and_what_was_expected() {
        let cases = [
            ("[m]\n", "exchange.m.domains"),
            ("[m]\ndomains = [\"a b\"]\n", "exchange.m.domains"),
            ("[m]\ndomains = [\"*\"]\n", "autodiscover"),
            (
                "[m]\ndomains = [\"a.test\"]\n[n]\ndomains = [\"A.test\"]\n",
                "exchange.n.domains",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nurl = \"http://mail.a.test/mapi\"\n",
                "https",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\npinned_certificate = \"ab:cd\"\n",
                "64 digits",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nproxy = \"http://me:secret@proxy.a.test\"\n",
                "proxy_password_file",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nauthentication = \"digest\"\n",
                "basic",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\n[m.accounts.\"x@b.test\"]\npassword_file = \"p\"\n",
                "one of the section's domains",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\n[m.accounts.\"x@a.test\"]\n",
                "password_file",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\n[m.oauth]\nclient_id = \"x\"\n",
                "exchange.m.authentication",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nauthentication = \"oauth\"\n[m.accounts.\"x@a.test\"]\n",
                "no section oauth",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\n[m.accounts.\"x@a.test\"]\nkeytab = \"k\"\n",
                "kerberos only",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nauthentication = \"kerberos\"\n[m.kerberos]\nkdcs = [\"a b\"]\n",
                "exchange.m.kerberos.kdcs",
            ),
            ("[m]\ndomains = [\"a.test\"]\nurls = \"x\"\n", "urls"),
            (
                "[m]\ndomains = [\"a.test\"]\npoll_interval_s = 0\n",
                "poll_interval_s",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nrender_ahead_per_s = 0\n",
                "render_ahead_per_s",
            ),
        ];
        check_faults(&cases);
    }

    #[test]
    fn names_without_a_domain_belong_to_one_section() {
        check_faults(&[
            (
                "[m]\ndomains = [\"a.test\"]\ndefault_domain = \"b.test\"\n",
                "exchange.m.default_domain",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\ndefault_domain = \"a.test\"\n[n]\ndomains = [\"b.test\"]\ndefault_domain = \"b.test\"\n",
                "exchange.n.default_domain",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nwindows_domains = [\"A\\\\B\"]\n",
                "exchange.m.windows_domains",
            ),
            (
                "[m]\ndomains = [\"*\"]\nautodiscover = \"https://a.test/\"\nwindows_domains = [\"A\"]\n",
                "default_domain",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nwindows_domains = [\"A\"]\n[n]\ndomains = [\"b.test\"]\nwindows_domains = [\"a\"]\n",
                "exchange.n.windows_domains",
            ),
        ]);
    }
}
