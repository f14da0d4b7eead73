//! Plain old XML over POST: the dialect that names the endpoints of MAPI over HTTP. Source: MS-OXDSCLI 2.2.3, 2.2.4.

use super::{
    element::{Element, Layout},
    settings::Settings,
};
use crate::cursor::Result;

/// The media type of both directions.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// Headers a client sends with its request, beside those of HTTP: without the first, a server keeps MAPI over HTTP to
/// itself. Source: MS-OXDSCLI 2.2.2.
pub const HEADERS: [(&str, &str); 2] = [
    ("X-MapiHttpCapability", "1"),
    ("X-ClientCanHandle", "Negotiate,ExHttpInfo"),
];

/// The header with the user's address that helps a front end to find the right server.
pub const ANCHOR_MAILBOX: &str = "X-AnchorMailbox";

const REQUEST_SCHEMA: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006";
const RESPONSE_SCHEMA: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
const ENVELOPE_SCHEMA: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";

/// What a client asks with.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PoxRequest {
    /// The user's address.
    pub email_address: Option<String>,
    /// The user's distinguished name, instead.
    pub legacy_dn: Option<String>,
    /// The schema of the answer; ours where absent.
    pub acceptable_schema: Option<String>,
}

impl PoxRequest {
    /// Asks for the user with this address.
    pub fn for_address(email_address: &str) -> Self {
        Self {
            email_address: Some(email_address.to_owned()),
            ..Self::default()
        }
    }

    /// Writes the document to post.
    pub fn to_xml(&self) -> String {
        let schema = self.acceptable_schema.as_deref().unwrap_or(RESPONSE_SCHEMA);
        let request = Element::new("Request")
            .field("EMailAddress", self.email_address.as_deref())
            .field("LegacyDN", self.legacy_dn.as_deref())
            .field("AcceptableResponseSchema", Some(schema));
        Element::new("Autodiscover")
            .attribute("xmlns", REQUEST_SCHEMA)
            .child(request)
            .to_document(Layout::Compact)
    }

    /// Reads what a client posted.
    pub fn parse(document: &[u8]) -> Result<Self> {
        let root = Element::parse(document)?;
        let request = root.required("Request", "a Request")?;
        let asked = Self {
            email_address: request.value("EMailAddress"),
            legacy_dn: request.value("LegacyDN"),
            acceptable_schema: request.value("AcceptableResponseSchema"),
        };
        match asked.email_address.is_some() || asked.legacy_dn.is_some() {
            true => Ok(asked),
            false => Err(request.error("an EMailAddress or a LegacyDN")),
        }
    }

    /// Whether the client reads the schema that [`PoxResponse::to_xml`] writes; others are of phones.
    pub fn accepts_ours(&self) -> bool {
        self.acceptable_schema
            .as_deref()
            .is_none_or(|schema| schema == RESPONSE_SCHEMA)
    }
}

/// What a server answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PoxResponse {
    /// What the client wants.
    Settings(Box<Settings>),
    /// Ask again with this address, beginning at its domain's places.
    RedirectAddress(String),
    /// Ask again at this URL.
    RedirectUrl(String),
    /// The server cannot say.
    Error(PoxError),
}

/// Why a server cannot say. Source: MS-OXDSCLI 2.2.4.1.1.3.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PoxError {
    /// 500 no such user, 501 bad address, 600 invalid request, 601 provider not available, 602 bad address, 603 failed.
    pub code: u32,
    /// In words.
    pub message: String,
    /// When, as the server writes it.
    pub time: Option<String>,
    /// A hash of the server's name.
    pub id: Option<String>,
}

impl PoxResponse {
    /// Reads what a server answered.
    pub fn parse(document: &[u8]) -> Result<Self> {
        let root = Element::parse(document)?;
        let response = root.required("Response", "a Response")?;
        let account = response.first("Account");
        let error = response.first("Error");
        if let Some(error) = error.or_else(|| account?.first("Error")) {
            return Ok(Self::Error(PoxError::read(error)));
        }
        let account = account.ok_or(response.error("an Account or an Error"))?;
        let target = |name, expected| account.value(name).ok_or(account.error(expected));
        match account
            .value("Action")
            .map(|action| action.to_ascii_lowercase())
            .as_deref()
        {
            Some("settings") => Ok(Self::Settings(Box::new(Settings::read(response, account)))),
            Some("redirectaddr") => {
                target("RedirectAddr", "a RedirectAddr").map(Self::RedirectAddress)
            }
            Some("redirecturl") => target("RedirectUrl", "a RedirectUrl").map(Self::RedirectUrl),
            _ => Err(account.error("an Action: settings, redirectAddr or redirectUrl")),
        }
    }

    /// Writes the answer.
    pub fn to_xml(&self) -> String {
        let response = || Element::new("Response").attribute("xmlns", RESPONSE_SCHEMA);
        let redirect = |action, name, target: &str| {
            let account = Element::new("Account")
                .field("Action", Some(action))
                .field(name, Some(target));
            response().child(account)
        };
        let response = match self {
            Self::Settings(settings) => response().child(settings.user()).child(settings.account()),
            Self::RedirectAddress(address) => redirect("redirectAddr", "RedirectAddr", address),
            Self::RedirectUrl(url) => redirect("redirectUrl", "RedirectUrl", url),
            Self::Error(error) => Element::new("Response").child(error.write()),
        };
        Element::new("Autodiscover")
            .attribute("xmlns", ENVELOPE_SCHEMA)
            .child(response)
            .to_document(Layout::Indented)
    }
}

impl PoxError {
    fn read(element: &Element) -> Self {
        let attribute = |name| element.attribute_value(name).map(str::to_owned);
        let code = element
            .value("ErrorCode")
            .and_then(|code| code.parse().ok());
        Self {
            code: code.unwrap_or_default(),
            message: element.value("Message").unwrap_or_default(),
            time: attribute("Time"),
            id: attribute("Id"),
        }
    }

    fn write(&self) -> Element {
        let mut error = Element::new("Error");
        for (name, value) in [("Time", &self.time), ("Id", &self.id)] {
            if let Some(value) = value {
                error = error.attribute(name, value);
            }
        }
        error
            .field("ErrorCode", Some(&self.code.to_string()))
            .field("Message", Some(&self.message))
            .child(Element::new("DebugData"))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::settings::{AlternativeMailbox, MapiHttp, Protocol, RpcKind, RpcProtocol, Urls},
        *,
    };

    fn check(response: &PoxResponse) {
        let xml = response.to_xml();
        assert_eq!(
            &PoxResponse::parse(xml.as_bytes()).unwrap(),
            response,
            "{xml}"
        );
    }

    fn settings() -> Settings {
        let urls = |path: &str| Urls {
            internal: Some(format!(
                "https://mail.example.test/mapi/{path}/?MailboxId=1&x=2"
            )),
            external: None,
        };
        Settings {
            smtp_address: Some("alice@example.test".into()),
            display_name: Some("Alice & Co".into()),
            legacy_dn: Some("/o=T/cn=alice".into()),
            deployment_id: Some("eeeeeeee-eeee-eeee-eeee-eeeeeeeeeeee".into()),
            is_microsoft_online: true,
            protocols: vec![
                Protocol::Rpc(RpcProtocol {
                    kind: RpcKind::Expr,
                    server: Some("mail.example.test".into()),
                    server_dn: None,
                    mdb_dn: None,
                    auth_package: Some("ntlm".into()),
                    is_ssl: false,
                    cert_principal_name: Some("msstd:mail.example.test".into()),
                    ews_url: None,
                    oab_url: None,
                }),
                Protocol::MapiHttp(MapiHttp {
                    mail_store: urls("emsmdb"),
                    address_book: urls("nspi"),
                }),
                Protocol::Other("WEB".into()),
            ],
            alternative_mailboxes: vec![AlternativeMailbox {
                kind: Some("Delegate".into()),
                smtp_address: Some("bob@example.test".into()),
                ..AlternativeMailbox::default()
            }],
            public_folders: Some("public@example.test".into()),
        }
    }

    #[test]
    fn every_answer_reads_back() {
        check(&PoxResponse::Settings(Box::new(settings())));
        check(&PoxResponse::RedirectAddress("alice@other.test".into()));
        check(&PoxResponse::RedirectUrl(
            "https://other.test/autodiscover/autodiscover.xml".into(),
        ));
        check(&PoxResponse::Error(PoxError {
            code: 600,
            message: "Invalid Request".into(),
            time: Some("12:00:00".into()),
            id: None,
        }));
    }

    #[test]
    fn the_ways_to_a_mailbox_are_found_by_kind() {
        let settings = settings();
        let endpoints = settings.mapi_http().unwrap();
        assert!(
            endpoints
                .mail_store
                .preferred()
                .unwrap()
                .ends_with("?MailboxId=1&x=2")
        );
        assert!(settings.rpc(RpcKind::Expr).is_some_and(|rpc| !rpc.is_ssl));
        assert_eq!(settings.rpc(RpcKind::Exch), None);
    }

    #[test]
    fn the_older_style_and_other_letter_case_are_read() {
        let xml = b"<autodiscover><response><account><action>Settings</action>\
            <protocol><type>EXCH</type><server>s1</server></protocol></account></response></autodiscover>";
        let PoxResponse::Settings(settings) = PoxResponse::parse(xml).unwrap() else {
            panic!("no settings");
        };
        let rpc = settings.rpc(RpcKind::Exch).unwrap();
        assert_eq!((rpc.server.as_deref(), rpc.is_ssl), (Some("s1"), true));
    }

    #[test]
    fn a_request_reads_back() {
        let request = PoxRequest::for_address("alice@example.test");
        let parsed = PoxRequest::parse(request.to_xml().as_bytes()).unwrap();
        assert_eq!(parsed.email_address.as_deref(), Some("alice@example.test"));
        assert!(parsed.accepts_ours());
        let mobile =
            "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";
        let request = PoxRequest {
            acceptable_schema: Some(mobile.into()),
            ..request
        };
        assert!(
            !PoxRequest::parse(request.to_xml().as_bytes())
                .unwrap()
                .accepts_ours()
        );
    }

    #[test]
    fn what_is_missing_is_named_where_it_was_expected() {
        let cases: [(&str, usize, &str); 5] = [
            ("<A/>", 0, "a Response"),
            ("<A><Response/></A>", 3, "an Account or an Error"),
            (
                "<A><Response><Account/></Response></A>",
                13,
                "an Action: settings, redirectAddr or redirectUrl",
            ),
            (
                "<A><Response><Account><Action>redirectUrl</Action></Account></Response></A>",
                13,
                "a RedirectUrl",
            ),
            (
                "<A><Response><Account><Action>redirectAddr</Action><RedirectAddr/></Account></Response></A>",
                13,
                "a RedirectAddr",
            ),
        ];
        for (xml, at, expected) in cases {
            let error = PoxResponse::parse(xml.as_bytes()).unwrap_err();
            assert_eq!((error.at, error.expected), (at, expected), "{xml}");
        }
        let error = PoxRequest::parse(b"<A><Request/></A>").unwrap_err();
        assert_eq!(error.expected, "an EMailAddress or a LegacyDN");
    }
}
