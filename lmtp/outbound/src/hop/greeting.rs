//! From the greeting to the moment when mail can be sent: EHLO, STARTTLS, AUTH.

use super::{
    Authentication, Credentials, Hop, HopTls, Protocol,
    authenticate::authenticate,
    connection::{Connection, Fault},
};
use crate::{Answer, Enhanced};

/// What a server offers in its answer to EHLO. Source: RFC 5321 4.1.1.1 and the extensions named.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Offers {
    /// RFC 2920.
    pub(super) pipelining: bool,
    /// RFC 6152.
    pub(super) eight_bit: bool,
    /// RFC 3030.
    pub(super) chunking: bool,
    /// RFC 3030.
    pub(super) binary: bool,
    /// RFC 6531.
    pub(super) utf8: bool,
    /// RFC 3461.
    pub(super) dsn: bool,
    /// RFC 3207.
    pub(super) start_tls: bool,
    /// RFC 8689.
    pub(super) require_tls: bool,
    /// RFC 1870: whether SIZE is understood.
    pub(super) size: bool,
    /// The largest message; `None` when the server does not say.
    pub(super) size_max: Option<u64>,
    /// RFC 4954: mechanisms, in capitals.
    pub(super) mechanisms: Vec<String>,
}

impl Offers {
    /// Reads the lines of an answer to EHLO or LHLO.
    pub(super) fn from_lines(text: &str) -> Self {
        let mut offers = Self::default();
        for line in text.lines().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
            match keyword.as_str() {
                "PIPELINING" => offers.pipelining = true,
                "8BITMIME" => offers.eight_bit = true,
                "CHUNKING" => offers.chunking = true,
                "BINARYMIME" => offers.binary = true,
                "SMTPUTF8" => offers.utf8 = true,
                "DSN" => offers.dsn = true,
                "STARTTLS" => offers.start_tls = true,
                "REQUIRETLS" => offers.require_tls = true,
                "SIZE" => {
                    offers.size = true;
                    let max = words.next().and_then(|digits| digits.parse().ok());
                    offers.size_max = max.filter(|max| *max > 0);
                }
                "AUTH" => offers.mechanisms = words.map(str::to_ascii_uppercase).collect(),
                _ => {}
            }
        }
        offers
    }
}

impl Connection {
    /// Connects and goes as far as MAIL. `credentials` as [`Authentication::Submitter`] wants them.
    pub(super) async fn open(
        hop: &Hop,
        hostname: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Self, Fault> {
        let mut connection = Self::dial(hop).await?;
        let greeting = connection.reply(hop.command_timeout).await?;
        expect(greeting, 220)?;
        connection.greet(hop, hostname).await?;
        let wants_tls = match hop.tls {
            HopTls::Never | HopTls::Implicit => false,
            HopTls::IfOffered => connection.offers.start_tls,
            HopTls::StartTls => true,
        };
        if wants_tls {
            if !connection.offers.start_tls {
                let missing = "the server does not offer STARTTLS";
                return Err(Fault(Answer::own(Enhanced(4, 7, 4), missing)));
            }
            expect(connection.ask("STARTTLS").await?, 220)?;
            connection = connection.encrypt(hop).await?;
            connection.greet(hop, hostname).await?;
        }
        let credentials = match &hop.authentication {
            Authentication::None => None,
            Authentication::Gateway(credentials) => Some(credentials),
            Authentication::Submitter => credentials,
        };
        if let Some(credentials) = credentials {
            authenticate(&mut connection, credentials, hop.tls).await?;
        }
        Ok(connection)
    }

    async fn greet(&mut self, hop: &Hop, hostname: &str) -> Result<(), Fault> {
        let verb = match hop.protocol {
            Protocol::Smtp => "EHLO",
            Protocol::Lmtp => "LHLO",
        };
        let answer = self.ask(&format!("{verb} {hostname}")).await?;
        if hop.protocol == Protocol::Smtp && matches!(answer.code, 500..=504) {
            // RFC 5321 3.2: a server that knows no extensions.
            expect(self.ask(&format!("HELO {hostname}")).await?, 250)?;
            return Ok(());
        }
        let answer = expect(answer, 250)?;
        self.offers = Offers::from_lines(&answer.text);
        Ok(())
    }
}

/// The answer, when it is the one that is waited for. Whatever else a server says before MAIL is about the connection, not
/// about a message: it decides nothing about one, so it is no reply with a code of its own any more.
pub(super) fn expect(answer: Answer, code: u16) -> Result<Answer, Fault> {
    if answer.code == code {
        return Ok(answer);
    }
    let Enhanced(_, subject, detail) = answer.status;
    let said = answer.to_string();
    Err(Fault(Answer::own(Enhanced(4, subject, detail), &said)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    #[test]
    fn offers_are_read() {
        let offers = Offers::from_lines(
            "mx.example.test at your service\nPIPELINING\nsize 1000\nAUTH plain LOGIN\n8BITMIME\nX-OTHER\nDSN",
        );
        let expected = Offers {
            pipelining: true,
            size: true,
            size_max: Some(1000),
            eight_bit: true,
            dsn: true,
            mechanisms: vec!["PLAIN".to_owned(), "LOGIN".to_owned()],
            ..Offers::default()
        };
        assert_eq!(offers, expected);
        for unbounded in ["x\nSIZE", "x\nSIZE 0", "x\nSIZE many"] {
            let offers = Offers::from_lines(unbounded);
            assert!(offers.size && offers.size_max.is_none(), "{unbounded}");
        }
    }

    #[test]
    fn what_is_said_before_mail_decides_nothing_about_a_message() {
        for (code, status, expected) in [
            (554, Enhanced(5, 7, 1), 220),
            (535, Enhanced(5, 7, 8), 235),
            (250, Enhanced(2, 0, 0), 235),
            (421, Enhanced(4, 3, 2), 220),
        ] {
            let fault = expect(Answer::new(code, status, "words"), expected).unwrap_err();
            assert_eq!(fault.0.verdict(), Verdict::Deferred, "{code}");
            assert!(fault.0.text.contains(&code.to_string()));
        }
    }
}
