//! `dragoman exchange probe`: what works between here and a mailbox on Exchange.

use std::path::Path;

use directory::Address;
use serde_json::json;
use store_exchange::{
    auth::Credentials,
    discover,
    probe::{Finding, Verdict, probe},
};

use super::password;
use crate::{
    config::{Config, ExchangeConfig},
    exchange::{LoginName, Proof, Settings},
    failure::{Doing, Failure, Result},
    secret_file, serve,
};

/// A probe about to run.
pub(crate) struct Probe {
    settings: Settings,
    user: discover::User,
    /// What the configuration says of the domain.
    section: String,
}

impl Probe {
    /// Reads what the configuration says of a user, and a password where none is configured or given.
    pub(crate) fn new(config: &Config, user: &str, password_file: Option<&Path>) -> Result<Self> {
        let address = Address::parse(user).doing(|| user.to_owned())?;
        let defaults = ExchangeConfig::default();
        let found = config.exchange_of(address.domain());
        let section = match found {
            Some((name, _)) => format!("exchange.{name}"),
            None => "no section names this domain: with defaults".to_owned(),
        };
        let (name, configured) = found.unwrap_or(("probe", &defaults));
        let settings = Settings::of(config, (name, configured))?;
        let name = LoginName::of(address);
        let credentials = give_credentials(&settings.proof, configured, &name, password_file)?;
        let address = name.address().to_string();
        Ok(Self {
            user: discover::User {
                address,
                credentials,
                policy: settings.policy.clone(),
            },
            settings,
            section,
        })
    }

    /// Tells each finding as it comes. Errors: when something does not work.
    pub(crate) async fn run(self, json: bool) -> Result<()> {
        if !json {
            serve::say(&format!("{}: {}", self.user.address, self.section))?;
        }
        let mut told = Ok(());
        let tell = |finding: &Finding| {
            let line = if json {
                as_json(finding)
            } else {
                as_text(finding)
            };
            if told.is_ok() {
                told = serve::say(&line);
            }
        };
        let all = probe(
            &self.settings.client,
            self.user,
            self.settings.discover,
            tell,
        )
        .await;
        told?;
        match all {
            true => Ok(()),
            false => Err(Failure::new("the mailbox cannot be used yet")),
        }
    }
}

/// The password of a file, else what is configured for the mailbox, else what somebody types; tokens need none.
fn give_credentials(
    proof: &Proof,
    section: &ExchangeConfig,
    name: &LoginName,
    password_file: Option<&Path>,
) -> Result<Credentials> {
    let address = &name.address().to_string();
    let is = |of: &String| Address::parse(of).is_ok_and(|of| of.to_string() == *address);
    let account = section.accounts.iter().find(|(of, _)| is(of));
    match (password_file, account) {
        (Some(file), _) => Ok(proof.typed(name, secret_file::read(file)?.expose())),
        (None, Some((_, account))) => proof.configured(address, account),
        (None, None) if proof.tokens().is_some() => Ok(proof.typed(name, "")),
        (None, None) => {
            let what = match proof {
                Proof::Brought => "token",
                _ => "password",
            };
            let password = password::ask(&format!("{what} of {address}"))?;
            Ok(proof.typed(name, password.expose()))
        }
    }
}

fn as_text(finding: &Finding) -> String {
    let verdict = match finding.verdict {
        Verdict::Works => "ok",
        Verdict::Tried => "-",
        Verdict::Fails => "FAILED",
    };
    let (step, took) = (finding.step.to_string(), finding.took.as_millis());
    let mut text = format!("{verdict:<7} {step:<15} {} ({took} ms)", finding.text);
    if let Some(advice) = &finding.advice {
        text.push_str(&format!("\n        {:<15} {advice}", "to do:"));
    }
    text
}

fn as_json(finding: &Finding) -> String {
    json!({
        "step": finding.step.to_string(),
        "verdict": match finding.verdict {
            Verdict::Works => "ok",
            Verdict::Tried => "tried",
            Verdict::Fails => "failed",
        },
        "text": finding.text,
        "advice": finding.advice,
        "took_ms": u64::try_from(finding.took.as_millis()).unwrap_or(u64::MAX),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use store_exchange::probe::Step;

    use super::*;

    fn finding(verdict: Verdict, advice: Option<&'static str>) -> Finding {
        Finding {
            step: Step::Logon,
            verdict,
            text: "mailbox \"x\"".to_owned(),
            advice: advice.map(Into::into),
            took: Duration::from_millis(12),
        }
    }

    #[test]
    fn a_finding_is_a_line_and_what_to_do_another() {
        assert_eq!(
            as_text(&finding(Verdict::Works, None)),
            "ok      logon           mailbox \"x\" (12 ms)"
        );
        let failed = as_text(&finding(Verdict::Fails, Some("call somebody")));
        assert!(failed.starts_with("FAILED  logon"));
        assert!(failed.ends_with("\n        to do:          call somebody"));
    }

    #[test]
    fn a_finding_as_json_is_one_line() {
        assert_eq!(
            as_json(&finding(Verdict::Fails, None)),
            r#"{"advice":null,"step":"logon","text":"mailbox \"x\"","took_ms":12,"verdict":"failed"}"#
        );
    }
}
