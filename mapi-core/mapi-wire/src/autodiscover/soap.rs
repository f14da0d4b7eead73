//! GetUserSettings over SOAP. It names web services, servers and other mailboxes, but mostly not the endpoints of MAPI
//! over HTTP. Source: MS-OXWSADISC 3.1.4.3.

use super::{
    element::{Element, Layout},
    settings::AlternativeMailbox,
};
use crate::cursor::Result;

/// The path on every host.
pub const PATH: &str = "/autodiscover/autodiscover.svc";

/// The media type of both directions.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const AUTODISCOVER: &str = "http://schemas.microsoft.com/exchange/2010/Autodiscover";

/// The SOAP action of the request, also for the header SOAPAction.
pub const ACTION: &str =
    "http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettings";

/// What went well. Source: MS-OXWSADISC 2.2.4.3.
pub const NO_ERROR: &str = "NoError";

/// A request for settings of one user. (The protocol allows several; nobody needs them.)
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettingsRequest {
    /// The URL it is posted to.
    pub url: String,
    /// The user's address.
    pub mailbox: String,
    /// The names of the settings wanted, such as `UserDN` or `ExternalEwsUrl`.
    pub settings: Vec<String>,
}

/// What a server answers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SettingsResponse {
    /// [`NO_ERROR`], `RedirectAddress`, `RedirectUrl`, `InvalidUser`, `ServerBusy`, …
    pub error_code: String,
    /// In words.
    pub error_message: Option<String>,
    /// Where to ask instead, with `RedirectAddress` or `RedirectUrl`.
    pub redirect_target: Option<String>,
    /// Settings that are text: name and value.
    pub settings: Vec<(String, String)>,
    /// Other mailboxes the user may open.
    pub alternate_mailboxes: Vec<AlternativeMailbox>,
    /// Settings the server did not give: name and why.
    pub setting_errors: Vec<(String, String)>,
}

impl SettingsRequest {
    /// Writes the document to post.
    pub fn to_xml(&self) -> String {
        let header = Element::new("soap:Header")
            .field("a:RequestedServerVersion", Some("Exchange2013"))
            .field("wsa:Action", Some(ACTION))
            .field("wsa:To", Some(&self.url));
        let user = Element::new("a:User").field("a:Mailbox", Some(&self.mailbox));
        let mut settings = Element::new("a:RequestedSettings");
        let names = self.settings.iter();
        settings
            .children
            .extend(names.map(|name| Element::with_text("a:Setting", name)));
        let request = Element::new("a:Request")
            .child(Element::new("a:Users").child(user))
            .child(settings);
        let message = Element::new("a:GetUserSettingsRequestMessage").child(request);
        Element::new("soap:Envelope")
            .attribute("xmlns:a", AUTODISCOVER)
            .attribute("xmlns:wsa", ADDRESSING)
            .attribute("xmlns:soap", SOAP)
            .child(header)
            .child(Element::new("soap:Body").child(message))
            .to_document(Layout::Compact)
    }

    /// Reads what a client posted; only its first user.
    pub fn parse(document: &[u8]) -> Result<Self> {
        let root = Element::parse(document)?;
        let to = root.first("Header").and_then(|header| header.value("To"));
        let body = root.required("Body", "a Body")?;
        let message = body.required(
            "GetUserSettingsRequestMessage",
            "a GetUserSettingsRequestMessage",
        )?;
        let request = message.required("Request", "a Request")?;
        let users = request.required("Users", "Users")?;
        let user = users.required("User", "a User")?;
        let settings = request.required("RequestedSettings", "RequestedSettings")?;
        Ok(Self {
            url: to.unwrap_or_default(),
            mailbox: user.value("Mailbox").ok_or(user.error("a Mailbox"))?,
            settings: settings
                .all("Setting")
                .map(|setting| setting.text.trim().to_owned())
                .collect(),
        })
    }
}

impl SettingsResponse {
    /// The value of a setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        let mut settings = self.settings.iter();
        settings
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Reads what a server answered. An error of the whole request counts as that of the user; a SOAP fault is one too.
    pub fn parse(document: &[u8]) -> Result<Self> {
        let root = Element::parse(document)?;
        let body = root.required("Body", "a Body")?;
        if let Some(fault) = body.first("Fault") {
            return Ok(Self {
                error_code: fault
                    .value("faultcode")
                    .unwrap_or_else(|| "Fault".to_owned()),
                error_message: fault.value("faultstring"),
                ..Self::default()
            });
        }
        let message = body.required(
            "GetUserSettingsResponseMessage",
            "a GetUserSettingsResponseMessage",
        )?;
        let response = message.required("Response", "a Response")?;
        let users = response.first("UserResponses");
        let user = users
            .and_then(|users| users.first("UserResponse"))
            .unwrap_or(response);
        let error_code = user.value("ErrorCode").ok_or(user.error("an ErrorCode"))?;
        let mut answer = Self {
            error_code,
            error_message: user.value("ErrorMessage"),
            redirect_target: user.value("RedirectTarget"),
            ..Self::default()
        };
        for setting in user
            .first("UserSettings")
            .into_iter()
            .flat_map(|all| all.all("UserSetting"))
        {
            answer.read_setting(setting);
        }
        for error in user
            .first("UserSettingErrors")
            .into_iter()
            .flat_map(|all| all.all("UserSettingError"))
        {
            let name = error.value("SettingName").unwrap_or_default();
            let code = error.value("ErrorCode").unwrap_or_default();
            answer.setting_errors.push((name, code));
        }
        Ok(answer)
    }

    fn read_setting(&mut self, setting: &Element) {
        if let Some(mailboxes) = setting.first("AlternateMailboxes") {
            let mailboxes = mailboxes
                .all("AlternateMailbox")
                .map(AlternativeMailbox::read);
            self.alternate_mailboxes.extend(mailboxes);
        } else if let (Some(name), Some(value)) = (setting.value("Name"), setting.value("Value")) {
            self.settings.push((name, value));
        }
    }

    /// Writes the answer.
    pub fn to_xml(&self) -> String {
        let mut errors = Element::new("UserSettingErrors");
        for (name, code) in &self.setting_errors {
            let error = Element::new("UserSettingError")
                .field("ErrorCode", Some(code))
                .field("SettingName", Some(name));
            errors.children.push(error);
        }
        let mut settings = Element::new("UserSettings");
        for (name, value) in &self.settings {
            let setting = Element::new("UserSetting")
                .attribute("i:type", "StringSetting")
                .field("Name", Some(name))
                .field("Value", Some(value));
            settings.children.push(setting);
        }
        if !self.alternate_mailboxes.is_empty() {
            settings.children.push(self.write_mailboxes());
        }
        let user = Element::new("UserResponse")
            .field("ErrorCode", Some(&self.error_code))
            .field("ErrorMessage", self.error_message.as_deref())
            .field("RedirectTarget", self.redirect_target.as_deref())
            .child(errors)
            .child(settings);
        let response = Element::new("Response")
            .field("ErrorCode", Some(NO_ERROR))
            .child(Element::new("ErrorMessage"))
            .child(Element::new("UserResponses").child(user));
        let message = Element::new("GetUserSettingsResponseMessage")
            .attribute("xmlns", AUTODISCOVER)
            .attribute("xmlns:i", INSTANCE)
            .child(response);
        Element::new("s:Envelope")
            .attribute("xmlns:s", SOAP)
            .child(Element::new("s:Body").child(message))
            .to_document(Layout::Compact)
    }

    fn write_mailboxes(&self) -> Element {
        let mut mailboxes = Element::new("AlternateMailboxes");
        let all = self.alternate_mailboxes.iter();
        mailboxes
            .children
            .extend(all.map(|mailbox| mailbox.write("AlternateMailbox")));
        Element::new("UserSetting")
            .attribute("i:type", "AlternateMailboxCollectionSetting")
            .field("Name", Some("AlternateMailboxes"))
            .child(mailboxes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back() {
        let request = SettingsRequest {
            url: "https://autodiscover.example.test/autodiscover/autodiscover.svc".into(),
            mailbox: "alice@example.test".into(),
            settings: vec!["UserDN".into(), "ExternalEwsUrl".into()],
        };
        assert_eq!(
            SettingsRequest::parse(request.to_xml().as_bytes()),
            Ok(request)
        );
    }

    #[test]
    fn an_answer_reads_back() {
        let response = SettingsResponse {
            error_code: NO_ERROR.into(),
            error_message: Some("No error.".into()),
            redirect_target: None,
            settings: vec![
                ("UserDN".into(), "/o=T/cn=alice".into()),
                ("EwsUrl".into(), "https://a/?b&c".into()),
            ],
            alternate_mailboxes: vec![AlternativeMailbox {
                kind: Some("Archive".into()),
                smtp_address: Some("archive@example.test".into()),
                ..AlternativeMailbox::default()
            }],
            setting_errors: vec![("MapiHttpEnabled".into(), "SettingIsNotAvailable".into())],
        };
        let parsed = SettingsResponse::parse(response.to_xml().as_bytes()).unwrap();
        assert_eq!(parsed, response);
        assert_eq!(parsed.setting("UserDN"), Some("/o=T/cn=alice"));
    }

    #[test]
    fn an_answer_as_exchange_writes_it() {
        let xml = br#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>
            <h:ServerVersionInfo xmlns:h="u"><h:MajorVersion>15</h:MajorVersion></h:ServerVersionInfo></s:Header>
            <s:Body><GetUserSettingsResponseMessage xmlns="u"><Response xmlns:i="v">
            <ErrorCode>NoError</ErrorCode><ErrorMessage/><UserResponses><UserResponse>
            <ErrorCode>RedirectUrl</ErrorCode><ErrorMessage>elsewhere</ErrorMessage>
            <RedirectTarget>https://other.example.test/</RedirectTarget><UserSettingErrors/>
            <UserSettings><UserSetting i:type="WebClientUrlCollectionSetting"><Name>ExternalWebClientUrls</Name>
            <WebClientUrls><WebClientUrl><Url>https://x</Url></WebClientUrl></WebClientUrls></UserSetting></UserSettings>
            </UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>"#;
        let response = SettingsResponse::parse(xml).unwrap();
        assert_eq!(response.error_code, "RedirectUrl");
        assert_eq!(
            response.redirect_target.as_deref(),
            Some("https://other.example.test/")
        );
        assert!(response.settings.is_empty());
    }

    #[test]
    fn errors_of_all_and_faults_are_errors_of_the_user() {
        let xml = b"<E><Body><GetUserSettingsResponseMessage><Response><ErrorCode>ServerBusy</ErrorCode></Response></GetUserSettingsResponseMessage></Body></E>";
        assert_eq!(
            SettingsResponse::parse(xml).unwrap().error_code,
            "ServerBusy"
        );
        let xml = b"<E><Body><s:Fault><faultcode>a:ErrorAccessDenied</faultcode><faultstring>no</faultstring></s:Fault></Body></E>";
        let fault = SettingsResponse::parse(xml).unwrap();
        assert_eq!(
            (fault.error_code.as_str(), fault.error_message.as_deref()),
            ("a:ErrorAccessDenied", Some("no"))
        );
        let error = SettingsResponse::parse(b"<E><Body/></E>").unwrap_err();
        assert_eq!(
            (error.at, error.expected),
            (3, "a GetUserSettingsResponseMessage")
        );
    }
}
