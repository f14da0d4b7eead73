//! Autodiscover in plain XML (POX), for programs that set up IMAP and POP3 by it. Source: MS-OXDSCLI 2.2.3, 2.2.4.

use mapi_wire::autodiscover::pox::PoxRequest;

use super::Autoconfig;
use crate::http::escape;

/// What Outlook asks for; programs for phones ask for another, which is not spoken here.
const OUTLOOK: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
/// The longest address, in octets.
const ADDRESS_BYTES_MAX: usize = 320;

impl Autoconfig {
    /// The answer to a question.
    pub(super) fn autodiscover(&self, body: &[u8]) -> String {
        match PoxRequest::parse(body) {
            Ok(asked) if !asked.accepts_ours() => refusal(601, "Provider is not available"),
            Ok(PoxRequest {
                email_address: Some(address),
                ..
            }) if is_address(&address) => self.settings(&address),
            Ok(_) | Err(_) => refusal(600, "Invalid Request"),
        }
    }

    fn settings(&self, address: &str) -> String {
        let (address, host) = (escape(address), escape(&self.host));
        let protocols: String = self
            .services
            .iter()
            .map(|service| service.autodiscover((&host, &address)))
            .collect();
        document(&format!(
            " <Response xmlns=\"{OUTLOOK}\">\n  <Account>\n   <AccountType>email</AccountType>\n   <Action>settings</Action>\n\
             {protocols}  </Account>\n </Response>\n"
        ))
    }
}

/// An answer that settles nothing. Source: MS-OXDSCLI 2.2.4.1.1.1.
fn refusal(code: u16, message: &str) -> String {
    document(&format!(
        " <Response>\n  <Error Time=\"00:00:00.0000000\" Id=\"0\">\n   <ErrorCode>{code}</ErrorCode>\n   \
         <Message>{message}</Message>\n   <DebugData />\n  </Error>\n </Response>\n"
    ))
}

fn document(response: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n{response}</Autodiscover>\n"
    )
}

fn is_address(address: &str) -> bool {
    let parts = address.rsplit_once('@');
    address.len() <= ADDRESS_BYTES_MAX
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && !address.contains(|one: char| one.is_control() || one.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::{super::service::services, *};

    fn ask(body: &str) -> String {
        let told = Autoconfig {
            name: "Mail".to_owned(),
            host: "mail.example.test".to_owned(),
            services: services(&[("imaps", 993), ("submission", 587)], &Default::default()),
        };
        told.autodiscover(body.as_bytes())
    }

    fn question(address: &str, schema: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">\
             <Request><EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
        )
    }

    #[test]
    fn outlook_is_told_where_to_read_and_to_send() {
        let expected = "<?xml version=\"1.0\" encoding=\"utf-8\"?>
<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">
 <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">
  <Account>
   <AccountType>email</AccountType>
   <Action>settings</Action>
   <Protocol><Type>IMAP</Type><Server>mail.example.test</Server><Port>993</Port><DomainRequired>off</DomainRequired><LoginName>anna@example.test</LoginName><SPA>off</SPA><SSL>on</SSL><Encryption>SSL</Encryption><AuthRequired>on</AuthRequired></Protocol>
   <Protocol><Type>SMTP</Type><Server>mail.example.test</Server><Port>587</Port><DomainRequired>off</DomainRequired><LoginName>anna@example.test</LoginName><SPA>off</SPA><SSL>on</SSL><Encryption>TLS</Encryption><AuthRequired>on</AuthRequired></Protocol>
  </Account>
 </Response>
</Autodiscover>
";
        assert_eq!(ask(&question("anna@example.test", OUTLOOK)), expected);
    }

    #[test]
    fn other_questions_get_the_protocols_own_error() {
        let phone =
            "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";
        for (body, code) in [
            (question("anna@example.test", phone), "601"),
            (question("anna", OUTLOOK), "600"),
            (question("", OUTLOOK), "600"),
            ("<a><b></a>".to_owned(), "600"),
            ("".to_owned(), "600"),
            ("no XML".to_owned(), "600"),
        ] {
            assert!(
                ask(&body).contains(&format!("<ErrorCode>{code}</ErrorCode>")),
                "{body}"
            );
        }
    }
}
