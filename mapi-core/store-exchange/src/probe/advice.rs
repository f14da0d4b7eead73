//! What an administrator must change, for each way in which a probe fails.

use std::{borrow::Cow, fmt::Write};

use super::Step;
use crate::{
    auth::{self, CLOCKS_DIFFER, Scheme, oauth},
    discover::{Attempt, Failure, Outcome, Reason},
    fault::{Cause, Fault, code},
    http::{self, Certificate, CertificateFault, Client, Kind, Url},
};

type Advice = Cow<'static, str>;

const MAPI_OFF: &str = "switch MAPI over HTTP on: on Exchange for this mailbox by Set-CASMailbox -MapiHttpEnabled $true \
     (and -MAPIEnabled $true), for the organisation by Set-OrganizationConfig -MapiHttpEnabled $true";
const CREDENTIALS: &str = "check name and password; if they are right, allow Basic, NTLM or Kerberos for the server's \
     MAPI or RPC virtual directory, or choose the authentication that it offers";
const TOKENS: &str = "the server takes tokens only (modern authentication): set authentication = \"oauth\", with a \
     section oauth or with mail programs that bring their tokens";
const BUSY: &str = "the server is busy or throttles this user: try again later, and see its throttling policy if that \
     goes on";
const CLOCK: &str = "set the clocks of this machine, the key distribution centre and the server by the same source: \
     Kerberos allows five minutes";
const PASS_ON: &str = "let connections from here to this host and port through";
const PROXY: &str = "let the proxy pass connections to this host and port";

/// What helps against a fault.
pub(super) fn of(step: Step, fault: &Fault) -> Option<Advice> {
    let text = match (step, fault) {
        (_, Fault::Busy(_)) => BUSY,
        (_, Fault::Unauthenticated(cause)) => return Some(of_refusal(cause)),
        (_, Fault::Away(_) | Fault::Lost(_)) => {
            "see that the virtual directory of this URL answers, and what stands between"
        }
        (_, Fault::Denied(_)) => MAPI_OFF,
        (_, Fault::Moved) => "ask again when the mailbox has been moved",
        (_, Fault::Operation { code, .. }) if *code == code::PROTOCOL_DISABLED => MAPI_OFF,
        (Step::Connect, _) => {
            "enable MAPI and MAPI over HTTP for this mailbox, and see that its name is right"
        }
        (Step::Logon, _) => "let this user open this mailbox: full access, or the owner's own",
        (_, Fault::Malformed(_)) => "see what stands between here and the server",
        _ => return None,
    };
    Some(text.into())
}

/// What helps when nobody gets in.
fn of_refusal(cause: &Cause) -> Advice {
    match cause.downcast_ref::<auth::Error>() {
        Some(auth::Error::NoScheme { offered }) => of_schemes(offered).into(),
        Some(auth::Error::Mechanism(why)) if is_of_clocks(why) => CLOCK.into(),
        Some(auth::Error::Token(oauth::Error::LoginNeeded(_))) => {
            "let the user consent: dragoman exchange login ADDRESS".into()
        }
        Some(auth::Error::Token(_)) => {
            "see the section oauth, and what the issuer says of it".into()
        }
        _ => CREDENTIALS.into(),
    }
}

fn of_schemes(offered: &[Scheme]) -> &'static str {
    match offered {
        [] => "see that the server, and not something before it, asks for the authentication",
        _ if offered.iter().all(|scheme| *scheme == Scheme::Bearer) => TOKENS,
        _ => "choose an authentication that the server offers, or allow this one on the server",
    }
}

/// The words of the Kerberos client for it.
fn is_of_clocks(why: &str) -> bool {
    why.contains(CLOCKS_DIFFER)
}

/// What helps when a mailbox was not found. Looks at the certificate that was not trusted, if one was not.
pub(super) async fn of_failure(client: &Client, failure: &Failure) -> Option<Advice> {
    let attempts = &failure.trail.attempts;
    let outcomes = || attempts.iter().map(|attempt| &attempt.outcome);
    match &failure.reason {
        Reason::NoTransport => Some(MAPI_OFF.into()),
        Reason::Refused(_) => Some(CREDENTIALS.into()),
        Reason::Busy(_) => Some(BUSY.into()),
        Reason::NoScheme(_) => {
            let advice = outcomes().find_map(|outcome| match outcome {
                Outcome::NoScheme(offered) => Some(of_schemes(offered)),
                Outcome::Stuck(why) if is_of_clocks(why) => Some(CLOCK),
                _ => None,
            });
            Some(advice.unwrap_or(CREDENTIALS).into())
        }
        Reason::NoAnswer => {
            let untrusted = attempts.iter().find_map(place_without_trust)?;
            Some(of_certificate(
                &untrusted,
                client.examine(&untrusted).await.ok()?,
            ))
        }
        // The others say themselves what to change.
        _ => None,
    }
}

/// Where an attempt ended at the certificate.
fn place_without_trust(attempt: &Attempt) -> Option<Url> {
    let Outcome::Failed(Kind::Tls, _) = attempt.outcome else {
        return None;
    };
    let place = Url::parse(&attempt.place);
    place
        .or_else(|_| Url::parse(&format!("https://{}/", attempt.place)))
        .ok()
}

/// What helps when a host is not reached.
pub(super) async fn of_connection(
    client: &Client,
    url: &Url,
    error: &http::Error,
) -> Option<Advice> {
    match error.kind {
        Kind::Tls => match client.examine(url).await {
            Ok(certificate) => Some(of_certificate(url, certificate)),
            Err(_) => Some("see that the server speaks TLS 1.2 or 1.3 on this port".into()),
        },
        Kind::Proxy(_) => Some(PROXY.into()),
        _ => Some(PASS_ON.into()),
    }
}

/// What helps against a certificate.
fn of_certificate(url: &Url, certificate: Certificate) -> Advice {
    let sha256 = hex(&certificate.sha256);
    let pin = format!("pinned_certificate = \"{sha256}\"");
    let host = url.host_str().unwrap_or_default();
    match certificate.fault {
        Some(CertificateFault::AnAuthoritys) => format!(
            "{host} shows the certificate of an authority, which no server may have even if it is in ca_files: after \
             comparing it with the server's, set {pin}"
        ),
        Some(CertificateFault::UnknownIssuer) => format!(
            "add the authority that issued the certificate of {host} to ca_files; if the certificate is self-signed, \
             compare it with the server's and set {pin}"
        ),
        Some(CertificateFault::Expired) => format!(
            "have the certificate of {host} renewed: its time is over by the clock of this machine"
        ),
        Some(CertificateFault::NotYetValid) => format!(
            "set the clock of this machine: by it the certificate of {host} is not valid yet"
        ),
        Some(CertificateFault::WrongName(names)) => {
            let mut whose = String::new();
            if !names.is_empty() {
                // Writing into a String cannot fail.
                let _ = write!(whose, " (it is for {})", names.join(", "));
            }
            format!(
                "use a URL with a name that the certificate has{whose}, or have one made for {host}"
            )
        }
        Some(CertificateFault::NotPinned) => format!(
            "{host} shows another certificate than the pinned one: if it was renewed, compare it with the server's and \
             set {pin}"
        ),
        Some(CertificateFault::Other(why)) => {
            format!("the certificate of {host} (SHA-256 {sha256}) cannot be used: {why}")
        }
        None => format!("see that {host} speaks TLS 1.2 or 1.3 in one way with all of its machines"),
    }
    .into()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: auth::Error, expected: &str) {
        let advice = of(Step::Authentication, &Fault::from(error)).unwrap();
        assert!(advice.contains(expected), "{advice}");
    }

    #[test]
    fn a_refusal_says_what_would_be_taken() {
        let no_scheme = |offered: &[Scheme]| auth::Error::NoScheme {
            offered: offered.into(),
        };
        check(auth::Error::Unauthenticated, "name and password");
        check(no_scheme(&[Scheme::Bearer]), "authentication = \"oauth\"");
        check(
            no_scheme(&[Scheme::Ntlm, Scheme::Bearer]),
            "choose an authentication",
        );
        check(no_scheme(&[]), "something before it");
        let skew = format!("Kerberos: {CLOCKS_DIFFER}");
        check(auth::Error::Mechanism(skew), "clocks");
        let ended = oauth::Error::LoginNeeded("invalid_grant".to_owned());
        check(ended.into(), "dragoman exchange login");
    }
}
