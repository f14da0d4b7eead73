//! Logins by everything but a password of one's own: app passwords, tokens of an issuer, certificates, LDAP. What is
//! refused leaves one line in the log, with a reason, and no secret is ever there.

mod authority;
mod gateway;
mod issuer;
mod slapd;
mod wire;

use std::fs::{Permissions, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use self::authority::Authority;
use self::gateway::Gateway;
use self::issuer::{Claims, Issuer};
use self::slapd::{OWN_PASSWORD, Slapd};
use crate::failure::{Failure, Outcome, ensure};
use crate::load::base64;
use crate::process::{eventually, require, run as run_program};
use crate::report::Report;
use crate::smtp::Smtp;
use crate::subject::{Account, Kind, Options, Subject};

/// How long one program may take, and what takes its time.
const LIMIT: Duration = Duration::from_secs(90);

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    if !matches!(subject.kind, Kind::Dragoman { .. }) {
        report.note("these logins are to embedded mailboxes: nothing to check here");
        return Ok(());
    }
    let authority = Authority::make(&subject.work.join("authority"))?;
    let mut issuer = Issuer::start(&subject.work.join("issuer"))?;
    let mut slapd = Slapd::start(&subject.work.join("slapd"), &authority)?;
    slapd.run()?;
    let own_password = subject.work.join("ldap-password");
    write(&own_password, OWN_PASSWORD)?;
    set_permissions(&own_password, Permissions::from_mode(0o600))?;
    let mut settings = slapd.settings(&own_password);
    settings.push(format!("issuer.local.issuer=\"{}\"", issuer.url));
    settings.push("issuer.local.audiences=[\"dragoman\"]".to_owned());
    settings.push("issuer.local.scopes=[\"mail\"]".to_owned());
    let authorities = authority.certificate().display().to_string();
    settings.push(format!("tls.client.ca_files=[\"{authorities}\"]"));
    let options = Options {
        settings,
        ..Options::default()
    };
    let gateway = Gateway::new(Subject::start(&subject.kind, options)?)?;
    app_passwords(&gateway, report);
    tokens(&gateway, &issuer, report);
    refused_tokens(&gateway, &issuer, report);
    certificates(&gateway, &authority, report)?;
    ldap(&gateway, &slapd, report);
    ldap_mail(&gateway, &mut slapd, report);
    rotated(&gateway, &mut issuer, report);
    report.check("no secret is in the log", || gateway.has_no_secrets());
    gateway.subject.clean_up()
}

fn plain(account: &Account) -> String {
    format!("\0{}\0{}", account.address, account.password)
}

fn app_passwords(gateway: &Gateway, report: &mut Report) {
    let alice = &gateway.subject.alice.address;
    let [imap, pop3, smtp] = gateway.services;
    let mut app = Account::new(alice, "");
    report.check("an app password opens what it is for", || {
        let made = gateway.dragoman(&[
            "app-password",
            "add",
            alice,
            "--name",
            "Phone",
            "--protocols",
            "imap,smtp",
        ])?;
        let secret = made
            .lines()
            .find_map(|line| line.strip_prefix("app password: "));
        app.password = secret.ok_or_else(|| Failure(made.clone()))?.to_owned();
        gateway.keep_secret(&app.password);
        gateway.keep_secret(&app.password.replace('-', ""));
        gateway.accepted(imap, ("PLAIN", &plain(&app)))?;
        gateway.refused(
            pop3,
            ("PLAIN", &plain(&app)),
            "app password for other protocols",
        )?;
        gateway.accepted(smtp, ("PLAIN", &plain(&app)))?;
        let listed = gateway.dragoman(&["app-password", "list", alice])?;
        ensure(
            listed.contains("Phone") && listed.contains("  used 2"),
            || listed.clone(),
        )
    });
    report.check(
        "where app passwords are required, the own one is refused",
        || {
            gateway.dragoman(&["app-password", "require", alice])?;
            for service in gateway.services {
                let own = plain(&gateway.subject.alice);
                gateway.refused(service, ("PLAIN", &own), "not an app password")?;
                gateway.accepted(imap, ("PLAIN", &plain(&app)))?;
            }
            gateway.dragoman(&["app-password", "require", alice, "--off"])?;
            gateway.accepted(pop3, ("PLAIN", &plain(&gateway.subject.alice)))
        },
    );
    report.check("a removed one opens nothing from then on", || {
        gateway.dragoman(&["app-password", "remove", alice, "Phone"])?;
        for service in [imap, smtp] {
            gateway.refused(service, ("PLAIN", &plain(&app)), "wrong password")?;
            gateway.accepted(service, ("PLAIN", &plain(&gateway.subject.alice)))?;
        }
        Ok(())
    });
    report.check("of somebody unknown the name is not in the log", || {
        let secret = "a-password-in-the-wrong-place";
        gateway.keep_secret(secret);
        let nobody = Account::new(secret, "x");
        for service in gateway.services {
            gateway.refused(service, ("PLAIN", &plain(&nobody)), "unknown user")?;
        }
        Ok(())
    });
}

/// A token, which must not be in the log.
fn token(gateway: &Gateway, issuer: &Issuer, claims: &Claims<'_>) -> Outcome<String> {
    let token = issuer.token(claims)?;
    gateway.keep_secret(&token);
    Ok(token)
}

fn bearer(user: &str, token: &str) -> String {
    format!("n,a={user},\x01auth=Bearer {token}\x01\x01")
}

fn tokens(gateway: &Gateway, issuer: &Issuer, report: &mut Report) {
    let bob = &gateway.subject.bob.address;
    let good = issuer.claims(bob);
    report.check("a token of the issuer opens its user's mailbox", || {
        for service in gateway.services {
            let said = bearer(bob, &token(gateway, issuer, &good)?);
            gateway.accepted(service, ("OAUTHBEARER", &said))?;
            let said = format!(
                "user={bob}\x01auth=Bearer {}\x01\x01",
                token(gateway, issuer, &good)?
            );
            gateway.accepted(service, ("XOAUTH2", &said))?;
        }
        Ok(())
    });
}

/// Tokens that are not good: each is told why, in the log alone.
fn refused_tokens(gateway: &Gateway, issuer: &Issuer, report: &mut Report) {
    let (alice, bob) = (&gateway.subject.alice.address, &gateway.subject.bob.address);
    let good = issuer.claims(bob);
    let elsewhere = "http://127.0.0.1:1";
    for (name, claims, user, why) in [
        (
            "another audience",
            Claims {
                audience: "other",
                ..good.clone()
            },
            bob,
            "token for another audience",
        ),
        (
            "another issuer",
            Claims {
                issuer: elsewhere,
                ..good.clone()
            },
            bob,
            "token of another issuer",
        ),
        (
            "no scope",
            Claims {
                scope: "openid",
                ..good.clone()
            },
            bob,
            "token without the scope",
        ),
        (
            "its time over",
            Claims {
                lasts: -120,
                ..good.clone()
            },
            bob,
            "token has expired",
        ),
        ("another user", good.clone(), alice, "token of another user"),
        (
            "nobody here",
            Claims {
                address: "nobody@example.test",
                ..good.clone()
            },
            bob,
            "unknown user",
        ),
    ] {
        report.check(&format!("a token of {name} is refused"), || {
            for service in gateway.services {
                let said = bearer(user, &token(gateway, issuer, &claims)?);
                let answer = gateway.refused(service, ("OAUTHBEARER", &said), why)?;
                let told = answer.challenge.unwrap_or_default();
                let status = base64(br#"{"status":"invalid_token","scope":"mail","#, 0);
                ensure(
                    told.starts_with(status.trim_end_matches('=').get(..40).unwrap_or("-")),
                    || told.clone(),
                )?;
                // Who gets in is not slowed for what others tried.
                for user in [alice, bob] {
                    let said = bearer(user, &token(gateway, issuer, &issuer.claims(user))?);
                    gateway.accepted(service, ("OAUTHBEARER", &said))?;
                }
            }
            Ok(())
        });
    }
}

/// The issuer has another key: found after a while, and the old one is not taken any more.
fn rotated(gateway: &Gateway, issuer: &mut Issuer, report: &mut Report) {
    let bob = &gateway.subject.bob.address;
    let [imap, ..] = gateway.services;
    report.check(
        "a new key of the issuer is found, and the old one refused",
        || {
            let old = bearer(bob, &issuer.token(&issuer.claims(bob))?);
            issuer.rotate("second")?;
            let new = bearer(bob, &issuer.token(&issuer.claims(bob))?);
            eventually(LIMIT, "the new key is found", || {
                Ok(gateway.accepted(imap, ("OAUTHBEARER", &new)).is_ok())
            })?;
            let why = "token signed by a key the issuer does not have";
            gateway.refused(imap, ("OAUTHBEARER", &old), why).map(drop)
        },
    );
}

fn certificates(gateway: &Gateway, authority: &Authority, report: &mut Report) -> Outcome {
    let listeners = &gateway.subject.listeners;
    let bob = &gateway.subject.bob.address;
    let stranger = Authority::make(&gateway.subject.work.join("stranger"))?;
    let named = authority.issue("bob", &format!("email:{bob}"))?;
    let nobody = authority.issue("nobody", "email:nobody@example.test")?;
    let untrusted = stranger.issue("bob", &format!("email:{bob}"))?;
    for (scheme, port) in [
        ("imaps", listeners.imaps),
        ("pop3s", listeners.pop3s),
        ("smtps", listeners.submissions),
    ] {
        let Some(port) = port else { continue };
        let log_in = |(certificate, key): &(PathBuf, PathBuf)| {
            let mut command = Command::new(require("curl")?);
            command.args([
                "--silent",
                "--show-error",
                "--insecure",
                "--login-options",
                "AUTH=EXTERNAL",
            ]);
            command.args(["--user", &format!("{bob}:")]);
            command.arg("--cert").arg(certificate).arg("--key").arg(key);
            if scheme == "smtps" {
                command.args(["--mail-from", bob, "--mail-rcpt", bob, "--upload-file", "-"]);
            }
            command.arg(format!("{scheme}://localhost:{port}/"));
            let message = format!("From: {bob}\r\n\r\nby certificate\r\n");
            run_program(&mut command, message.as_bytes(), LIMIT)
        };
        report.check(
            &format!("{scheme}: a certificate opens its user's mailbox"),
            || log_in(&named)?.success().map(drop),
        );
        report.check(
            &format!("{scheme}: one of nobody here, or of another authority, opens nothing"),
            || {
                let before = gateway.log()?.len();
                for wrong in [&nobody, &untrusted] {
                    ensure(log_in(wrong)?.success().is_err(), || {
                        "it was accepted".into()
                    })?;
                }
                let log = gateway.log()?;
                let new = log.get(before..).unwrap_or_default();
                let count = new.matches("client certificate refused").count();
                ensure(count == 1 && !new.contains("logged in"), || new.to_owned())
            },
        );
    }
    Ok(())
}

fn ldap(gateway: &Gateway, slapd: &Slapd, report: &mut Report) {
    let dora = slapd.dora.clone();
    gateway.keep_secret(&dora.password);
    let named = |name: &str, password: &str| plain(&Account::new(name, password));
    report.check(
        "a user of the LDAP server logs in, by any of her names",
        || {
            for service in gateway.services {
                for name in [&dora.address, "dora", slapd.alias] {
                    gateway.accepted(service, ("PLAIN", &named(name, &dora.password)))?;
                }
            }
            Ok(())
        },
    );
    report.check(
        "wrong passwords, wild names and borrowed addresses are refused",
        || {
            for service in gateway.services {
                for (name, password, why) in [
                    (dora.address.as_str(), "wrong", "wrong password"),
                    ("nobody@people.example.test", "x", "unknown user"),
                    ("*@people.example.test", &dora.password, "unknown user"),
                    ("dora)(uid=*", &dora.password, "unknown user"),
                ] {
                    gateway.refused(service, ("PLAIN", &named(name, password)), why)?;
                }
                let said = named("mallory", &dora.password);
                let answer = service.try_login("PLAIN", &base64(said.as_bytes(), 0))?;
                ensure(!answer.accepted, || "mallory is somebody else".into())?;
                gateway.accepted(service, ("PLAIN", &plain(&dora)))?;
            }
            Ok(())
        },
    );
}

/// Mail for users of the LDAP server, and what happens while it is away.
fn ldap_mail(gateway: &Gateway, slapd: &mut Slapd, report: &mut Report) {
    let dora = slapd.dora.clone();
    let send = |recipient: &str| {
        let alice = &gateway.subject.alice;
        let mut session = Smtp::login(gateway.services[2].port, alice)?;
        let text = format!("From: {}\r\n\r\nhello\r\n.\r\n", alice.address);
        session.send(&alice.address, &[recipient], text.as_bytes())
    };
    report.check(
        "mail reaches her by each address, and nobody by another",
        || {
            send(&dora.address)?;
            send(slapd.alias)?;
            let refused = send("nobody@people.example.test");
            ensure(refused.is_err_and(|why| why.0.starts_with("550")), || {
                "it was taken".into()
            })?;
            eventually(LIMIT, "both messages arrive", || {
                let mut session = crate::imap::Imap::login(gateway.subject.listeners.imap, &dora)?;
                Ok(session.all_messages("INBOX")?.len() == 2)
            })
        },
    );
    report.check(
        "while the server is away, logins and recipients fail for now",
        || {
            slapd.stop()?;
            for (service, expected) in
                gateway
                    .services
                    .into_iter()
                    .zip(["a NO [UNAVAILABLE]", "-ERR [SYS/TEMP]", "454"])
            {
                let why = "LDAP server cannot be asked";
                let answer = gateway.refused(service, ("PLAIN", &plain(&dora)), why)?;
                ensure(answer.line.starts_with(expected), || answer.line.clone())?;
            }
            let refused = send(&dora.address);
            ensure(refused.is_err_and(|why| why.0.starts_with("451")), || {
                "it was not 451".into()
            })?;
            slapd.run()?;
            gateway.accepted(gateway.services[0], ("PLAIN", &plain(&dora)))
        },
    );
}
