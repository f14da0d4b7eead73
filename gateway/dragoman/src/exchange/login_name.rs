//! What users call themselves when they log in: an address, a name without a domain, or `DOMAIN\user`.

use directory::Address;

use crate::config::ExchangeConfig;

/// A name that belongs to a section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LoginName {
    /// What the server is asked for; whose mailbox it is, the server says.
    address: Address,
    /// Domain and user, as Windows names them.
    windows: Option<(String, String)>,
}

impl LoginName {
    /// A name that is an address.
    pub(crate) const fn of(address: Address) -> Self {
        Self {
            address,
            windows: None,
        }
    }

    /// A name that is no address, if it is one of this section: `DOMAIN\user` of its Windows domains, or a name without
    /// a domain where it takes these.
    pub(crate) fn parse(text: &str, section: &ExchangeConfig) -> Option<Self> {
        let (windows, user) = match text.split_once('\\') {
            Some((domain, user)) => {
                let is = |own: &&String| own.eq_ignore_ascii_case(domain);
                let domain = section.windows_domains.iter().find(is)?;
                (Some((domain.clone(), user.to_owned())), user)
            }
            None if section.default_domain.is_empty() => return None,
            None => (None, text),
        };
        // A separator further on belongs to no name.
        if user.contains(['@', '\\']) {
            return None;
        }
        let address = Address::parse(&format!("{user}@{}", section.name_domain()?)).ok()?;
        Some(Self { address, windows })
    }

    /// The address that the server is asked for.
    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// The Windows domain, if the name has one.
    pub(crate) fn windows_domain(&self) -> Option<&str> {
        self.windows.as_ref().map(|(domain, _)| domain.as_str())
    }

    /// The user in it.
    pub(crate) fn windows_user(&self) -> Option<&str> {
        self.windows.as_ref().map(|(_, user)| user.as_str())
    }

    /// One text for one name, however it is spelt.
    pub(super) fn key(&self) -> String {
        match &self.windows {
            Some((domain, _)) => format!("{domain}\\{}", self.address),
            None => self.address.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(default_domain: &str, windows_domains: &[&str]) -> ExchangeConfig {
        ExchangeConfig {
            domains: vec!["example.test".to_owned(), "corp.test".to_owned()],
            default_domain: default_domain.to_owned(),
            windows_domains: windows_domains.iter().map(|of| (*of).to_owned()).collect(),
            ..ExchangeConfig::default()
        }
    }

    fn check(text: &str, section: &ExchangeConfig, expected: Option<(&str, Option<(&str, &str)>)>) {
        let name = LoginName::parse(text, section);
        let got = name.as_ref().map(|name| {
            let windows = name.windows_domain().zip(name.windows_user());
            (name.address().to_string(), windows)
        });
        let got = got
            .as_ref()
            .map(|(address, windows)| (address.as_str(), *windows));
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn a_name_without_a_domain_is_of_the_default_one() {
        let with = section("corp.test", &[]);
        check("Anna", &with, Some(("anna@corp.test", None)));
        check("", &with, None);
        check("anna@corp.test", &with, None);
        check("CORP\\anna", &with, None);
        check("anna", &section("", &["CORP"]), None);
    }

    #[test]
    fn a_windows_name_is_of_the_section_that_names_its_domain() {
        let with = section("", &["CORP"]);
        let windows = Some(("CORP", "Anna"));
        check("corp\\Anna", &with, Some(("anna@example.test", windows)));
        check("OTHER\\anna", &with, None);
        for broken in ["CORP\\", "CORP\\a\\b", "CORP\\anna@x.test", "\\anna"] {
            check(broken, &with, None);
        }
        let both = section("corp.test", &["CORP"]);
        check("CORP\\Anna", &both, Some(("anna@corp.test", windows)));
    }

    #[test]
    fn spellings_of_one_name_are_one() {
        let with = section("corp.test", &["CORP"]);
        let key = |text| LoginName::parse(text, &with).unwrap().key();
        assert_eq!(key("corp\\ANNA"), key("Corp\\anna"));
        assert_ne!(key("CORP\\anna"), key("anna"));
    }
}
