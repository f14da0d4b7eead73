//! What Autodiscover says of a user and of the servers that hold the mailbox. Source: MS-OXDSCLI 2.2.4.1.

use super::element::Element;

/// Everything a client needs to connect.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// AutoDiscoverSMTPAddress: the address to ask with from now on.
    pub smtp_address: Option<String>,
    /// The user's name.
    pub display_name: Option<String>,
    /// LegacyDN: the distinguished name to connect with.
    pub legacy_dn: Option<String>,
    /// DeploymentId: the forest.
    pub deployment_id: Option<String>,
    /// MicrosoftOnline: the mailbox is in the cloud.
    pub is_microsoft_online: bool,
    /// Ways to the mailbox, in the server's order.
    pub protocols: Vec<Protocol>,
    /// Other mailboxes the user may open: archive, delegated, team.
    pub alternative_mailboxes: Vec<AlternativeMailbox>,
    /// The address of the mailbox that holds the public folders.
    pub public_folders: Option<String>,
}

/// A way to a mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// MAPI over HTTP.
    MapiHttp(MapiHttp),
    /// RPC, over HTTP or not.
    Rpc(RpcProtocol),
    /// Another one, by its type.
    Other(String),
}

/// The two endpoints of MAPI over HTTP. Source: MS-OXDSCLI 2.2.4.1.1.2.6.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MapiHttp {
    /// MailStore: the mailbox.
    pub mail_store: Urls,
    /// AddressBook.
    pub address_book: Urls,
}

/// The URLs of an endpoint.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Urls {
    /// For those in the same network.
    pub internal: Option<String>,
    /// For everybody else.
    pub external: Option<String>,
}

/// Which way RPC goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RpcKind {
    /// EXCH: RPC over TCP, or the internal name of the server.
    Exch,
    /// EXPR: RPC over HTTP from outside.
    Expr,
    /// EXHTTP: RPC over HTTP, of servers that no longer speak it over TCP.
    Exhttp,
}

/// RPC to a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RpcProtocol {
    /// Which way.
    pub kind: RpcKind,
    /// The server: a host name, with a port perhaps; for EXCH the mailbox GUID at its domain.
    pub server: Option<String>,
    /// The server's distinguished name.
    pub server_dn: Option<String>,
    /// The database's distinguished name.
    pub mdb_dn: Option<String>,
    /// How to authenticate: `basic`, `kerb`, `ntlm`, `negotiate`, `certificate`, `anonymous`.
    pub auth_package: Option<String>,
    /// Whether TLS is needed.
    pub is_ssl: bool,
    /// The name the server's certificate must have (`msstd:name`), or `none`.
    pub cert_principal_name: Option<String>,
    /// Exchange Web Services.
    pub ews_url: Option<String>,
    /// The offline address book.
    pub oab_url: Option<String>,
}

/// Another mailbox the user may open. Source: MS-OXDSCLI 2.2.4.1.1.2.5.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AlternativeMailbox {
    /// `Archive`, `Delegate` or `TeamMailbox`.
    pub kind: Option<String>,
    /// Its name.
    pub display_name: Option<String>,
    /// Its distinguished name.
    pub legacy_dn: Option<String>,
    /// Its server.
    pub server: Option<String>,
    /// Its address: ask Autodiscover again with it.
    pub smtp_address: Option<String>,
    /// The address of its owner.
    pub owner_smtp_address: Option<String>,
}

impl Settings {
    /// The endpoints of MAPI over HTTP, if the server offers them.
    pub fn mapi_http(&self) -> Option<&MapiHttp> {
        self.protocols.iter().find_map(|protocol| match protocol {
            Protocol::MapiHttp(endpoints) => Some(endpoints),
            Protocol::Rpc(_) | Protocol::Other(_) => None,
        })
    }

    /// RPC of one kind, if the server offers it.
    pub fn rpc(&self, kind: RpcKind) -> Option<&RpcProtocol> {
        self.protocols.iter().find_map(|protocol| match protocol {
            Protocol::Rpc(rpc) if rpc.kind == kind => Some(rpc),
            _ => None,
        })
    }

    /// Reads them from a response with a User and an Account.
    pub(super) fn read(response: &Element, account: &Element) -> Self {
        let user = response.first("User");
        let of_user = |name| user.and_then(|user| user.value(name));
        let public_folders = account.first("PublicFolderInformation");
        Self {
            smtp_address: of_user("AutoDiscoverSMTPAddress"),
            display_name: of_user("DisplayName"),
            legacy_dn: of_user("LegacyDN"),
            deployment_id: of_user("DeploymentId"),
            is_microsoft_online: account
                .value("MicrosoftOnline")
                .is_some_and(|value| is_yes(&value)),
            protocols: account.all("Protocol").map(Protocol::read).collect(),
            alternative_mailboxes: account
                .all("AlternativeMailbox")
                .map(AlternativeMailbox::read)
                .collect(),
            public_folders: public_folders.and_then(|mailbox| mailbox.value("SmtpAddress")),
        }
    }

    /// The User element.
    pub(super) fn user(&self) -> Element {
        Element::new("User")
            .field("DisplayName", self.display_name.as_deref())
            .field("LegacyDN", self.legacy_dn.as_deref())
            .field("AutoDiscoverSMTPAddress", self.smtp_address.as_deref())
            .field("DeploymentId", self.deployment_id.as_deref())
    }

    /// The Account element.
    pub(super) fn account(&self) -> Element {
        let online = if self.is_microsoft_online {
            "True"
        } else {
            "False"
        };
        let mut account = Element::new("Account")
            .field("AccountType", Some("email"))
            .field("Action", Some("settings"))
            .field("MicrosoftOnline", Some(online));
        let protocols = self.protocols.iter().map(Protocol::write);
        let mailboxes = self.alternative_mailboxes.iter();
        account.children.extend(protocols);
        account
            .children
            .extend(mailboxes.map(|mailbox| mailbox.write("AlternativeMailbox")));
        match self.public_folders.as_deref() {
            Some(address) => account
                .child(Element::new("PublicFolderInformation").field("SmtpAddress", Some(address))),
            None => account,
        }
    }
}

impl Protocol {
    /// The type stands in an attribute or, in the older style, in an element.
    fn read(element: &Element) -> Self {
        let in_attribute = element.attribute_value("Type").map(str::to_owned);
        let kind = in_attribute
            .or_else(|| element.value("Type"))
            .unwrap_or_default();
        let rpc = |kind| Self::Rpc(RpcProtocol::read(element, kind));
        match kind.to_ascii_lowercase().as_str() {
            "mapihttp" => Self::MapiHttp(MapiHttp {
                mail_store: Urls::read(element.first("MailStore")),
                address_book: Urls::read(element.first("AddressBook")),
            }),
            "exch" => rpc(RpcKind::Exch),
            "expr" => rpc(RpcKind::Expr),
            "exhttp" => rpc(RpcKind::Exhttp),
            _ => Self::Other(kind),
        }
    }

    fn write(&self) -> Element {
        match self {
            Self::MapiHttp(endpoints) => Element::new("Protocol")
                .attribute("Type", "mapiHttp")
                .attribute("Version", "1")
                .child(endpoints.mail_store.write("MailStore"))
                .child(endpoints.address_book.write("AddressBook")),
            Self::Rpc(rpc) => rpc.write(),
            Self::Other(kind) => Element::new("Protocol").field("Type", Some(kind)),
        }
    }
}

impl Urls {
    /// The one to use: the external URL, unless there is only the internal one. A gateway cannot know where it stands,
    /// and mostly both are the same.
    pub fn preferred(&self) -> Option<&str> {
        self.external.as_deref().or(self.internal.as_deref())
    }

    fn read(element: Option<&Element>) -> Self {
        let url = |name| element.and_then(|element| element.value(name));
        Self {
            internal: url("InternalUrl"),
            external: url("ExternalUrl"),
        }
    }

    fn write(&self, name: &str) -> Element {
        Element::new(name)
            .field("InternalUrl", self.internal.as_deref())
            .field("ExternalUrl", self.external.as_deref())
    }
}

impl RpcProtocol {
    fn read(element: &Element, kind: RpcKind) -> Self {
        Self {
            kind,
            server: element.value("Server"),
            server_dn: element.value("ServerDN"),
            mdb_dn: element.value("MdbDN"),
            auth_package: element.value("AuthPackage"),
            is_ssl: element.value("SSL").is_none_or(|value| is_yes(&value)),
            cert_principal_name: element.value("CertPrincipalName"),
            ews_url: element.value("EwsUrl"),
            oab_url: element.value("OABUrl"),
        }
    }

    fn write(&self) -> Element {
        let kind = match self.kind {
            RpcKind::Exch => "EXCH",
            RpcKind::Expr => "EXPR",
            RpcKind::Exhttp => "EXHTTP",
        };
        Element::new("Protocol")
            .field("Type", Some(kind))
            .field("Server", self.server.as_deref())
            .field("ServerDN", self.server_dn.as_deref())
            .field("MdbDN", self.mdb_dn.as_deref())
            .field("SSL", Some(if self.is_ssl { "On" } else { "Off" }))
            .field("CertPrincipalName", self.cert_principal_name.as_deref())
            .field("AuthPackage", self.auth_package.as_deref())
            .field("EwsUrl", self.ews_url.as_deref())
            .field("OABUrl", self.oab_url.as_deref())
    }
}

impl AlternativeMailbox {
    pub(super) fn read(element: &Element) -> Self {
        Self {
            kind: element.value("Type"),
            display_name: element.value("DisplayName"),
            legacy_dn: element.value("LegacyDN"),
            server: element.value("Server"),
            smtp_address: element.value("SmtpAddress"),
            owner_smtp_address: element.value("OwnerSmtpAddress"),
        }
    }

    pub(super) fn write(&self, name: &str) -> Element {
        Element::new(name)
            .field("Type", self.kind.as_deref())
            .field("DisplayName", self.display_name.as_deref())
            .field("LegacyDN", self.legacy_dn.as_deref())
            .field("Server", self.server.as_deref())
            .field("SmtpAddress", self.smtp_address.as_deref())
            .field("OwnerSmtpAddress", self.owner_smtp_address.as_deref())
    }
}

fn is_yes(value: &str) -> bool {
    value.eq_ignore_ascii_case("on") || value.eq_ignore_ascii_case("true")
}
