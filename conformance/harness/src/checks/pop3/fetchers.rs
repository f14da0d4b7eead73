//! Programs that fetch what they have not fetched yet, and know it by its UIDL: fetchmail, getmail, mpop.

use std::fs::{Permissions, create_dir_all, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{SESSIONS, port};
use crate::checks::mailboxes::{bodies, maildir, same_messages};
use crate::failure::{Failure, Outcome, ensure};
use crate::mail::{Message, with_lf, without_trace};
use crate::process::{require, run as run_program};
use crate::report::Report;
use crate::subject::Subject;

/// How long one session may take.
const SESSION_LIMIT: Duration = Duration::from_secs(120);

/// A program.
struct Fetcher {
    name: &'static str,
    /// Writes its configuration for what is asked for.
    configure: fn(&Subject, &Settings<'_>) -> Outcome,
    /// Its command line.
    arguments: fn(&Path) -> Vec<String>,
    /// A message without what the program changes.
    tidied: fn(&[u8]) -> Vec<u8>,
    /// The exit status that says that there was nothing new.
    nothing_new: i32,
}

/// How a program is to fetch.
struct Settings<'a> {
    folder: &'a Path,
    port: u16,
    /// TLS from the beginning.
    tls: bool,
    /// What was fetched stays on the server.
    keep: bool,
}

const FETCHERS: [Fetcher; 3] = [
    Fetcher {
        name: "fetchmail",
        configure: fetchmail,
        arguments: |folder| {
            let file = |name: &str| folder.join(name).display().to_string();
            let mut words = ["-f", &file("fetchmailrc"), "-i", &file("ids")]
                .map(str::to_owned)
                .to_vec();
            words.extend(
                ["--pidfile", &file("pid"), "--nosyslog", "--invisible"].map(str::to_owned),
            );
            words
        },
        tidied: |message| with_lf(without_trace(message)),
        nothing_new: 1,
    },
    Fetcher {
        name: "getmail",
        configure: getmail,
        arguments: |folder| {
            let file = folder.join("getmailrc").display().to_string();
            let folder = folder.display().to_string();
            vec!["-g".into(), folder, "-r".into(), file, "-q".into()]
        },
        tidied: reserialised,
        nothing_new: 0,
    },
    Fetcher {
        name: "mpop",
        configure: mpop,
        arguments: |folder| {
            vec![
                "-C".into(),
                folder.join("mpoprc").display().to_string(),
                "-q".into(),
            ]
        },
        tidied: |message| with_lf(without_trace(message)),
        nothing_new: 0,
    },
];

/// Runs the checks.
pub(super) fn run(subject: &mut Subject, messages: &[Message], report: &mut Report) -> Outcome {
    let mut running = Vec::new();
    for fetcher in &FETCHERS {
        let run = Run::prepare(fetcher, subject)?;
        let name = fetcher.name;
        report.check(&format!("{name}: every message, bytes equal"), || {
            run.session()?;
            run.has(messages)
        });
        report.check(&format!("{name}: further sessions bring nothing"), || {
            for _ in 2..SESSIONS {
                run.session()?;
            }
            run.has(messages)
        });
        running.push(run);
    }
    subject.stop()?;
    subject.run()?;
    for run in &running {
        let name = run.fetcher.name;
        report.check(
            &format!("{name}: a session after a restart brings nothing"),
            || {
                run.session()?;
                run.has(messages)
            },
        );
        report.check(&format!("{name}: over TLS"), || {
            run.over_tls(subject, messages)
        });
    }
    // The last one empties the Inbox.
    if let Some(run) = running.last() {
        let name = run.fetcher.name;
        report.check(&format!("{name}: deletes what it has fetched"), || {
            run.and_delete(subject)
        });
    }
    Ok(())
}

struct Run {
    fetcher: &'static Fetcher,
    program: PathBuf,
    folder: PathBuf,
}

impl Run {
    fn prepare(fetcher: &'static Fetcher, subject: &Subject) -> Outcome<Self> {
        let run = Self {
            fetcher,
            program: require(fetcher.name)?,
            folder: subject.work.join(fetcher.name),
        };
        run.configure(subject, port(subject)?, |_| {})?;
        Ok(run)
    }

    fn configure(
        &self,
        subject: &Subject,
        port: u16,
        change: impl FnOnce(&mut Settings<'_>),
    ) -> Outcome {
        for part in ["cur", "new", "tmp"] {
            create_dir_all(self.folder.join("mail").join(part))?;
        }
        let mut settings = Settings {
            folder: &self.folder,
            port,
            tls: false,
            keep: true,
        };
        change(&mut settings);
        (self.fetcher.configure)(subject, &settings)
    }

    fn session(&self) -> Outcome {
        let mut command = Command::new(&self.program);
        command.args((self.fetcher.arguments)(&self.folder));
        command
            .env("HOME", &self.folder)
            .env("FETCHMAILHOME", &self.folder);
        let finished = run_program(&mut command, b"", SESSION_LIMIT)?;
        if finished.status.code() == Some(self.fetcher.nothing_new) {
            return Ok(());
        }
        finished.success().map(|_| ())
    }

    fn has(&self, messages: &[Message]) -> Outcome {
        let tidied = |message: &[u8]| (self.fetcher.tidied)(message);
        let got = maildir(&self.folder.join("mail"))?;
        let got: Vec<Vec<u8>> = got.iter().map(|message| tidied(message)).collect();
        let want: Vec<Vec<u8>> = messages
            .iter()
            .map(|message| tidied(&message.bytes))
            .collect();
        same_messages(
            got.iter().map(Vec::as_slice),
            want.iter().map(Vec::as_slice),
        )
    }

    /// Fetches all once more, into a folder of its own.
    fn over_tls(&self, subject: &Subject, messages: &[Message]) -> Outcome {
        let none = || Failure("the subject has no POP3 over TLS".into());
        let port = subject.listeners.pop3s.ok_or_else(none)?;
        let again = Self {
            fetcher: self.fetcher,
            program: self.program.clone(),
            folder: self.folder.join("tls"),
        };
        again.configure(subject, port, |settings| settings.tls = true)?;
        again.session()?;
        again.has(messages)
    }

    fn and_delete(&self, subject: &Subject) -> Outcome {
        let again = Self {
            fetcher: self.fetcher,
            program: self.program.clone(),
            folder: self.folder.join("delete"),
        };
        again.configure(subject, port(subject)?, |settings| settings.keep = false)?;
        again.session()?;
        let left = bodies(subject, "INBOX")?.len();
        ensure(left == 0, || format!("{left} messages left"))
    }
}

/// A program that takes a message and files it: fetchmail wants one, and so does getmail for root.
fn agent(settings: &Settings<'_>) -> Outcome<String> {
    let folder = settings.folder.display();
    let agent = settings.folder.join("agent.sh");
    let script = format!("#!/bin/sh\nexec cat > {folder}/mail/new/$$.$(date +%s%N)\n");
    write(&agent, script)?;
    set_permissions(&agent, Permissions::from_mode(0o755))?;
    Ok(agent.display().to_string())
}

/// Its configuration must be a file that nobody else can read.
fn fetchmail(subject: &Subject, settings: &Settings<'_>) -> Outcome {
    let file = settings.folder.join("fetchmailrc");
    let text = format!(
        "poll 127.0.0.1 service {} protocol pop3 auth password uidl username \"{}\" password \"{}\" {} {} no rewrite no mimedecode mda \"{}\"\n",
        settings.port,
        subject.alice.address,
        subject.alice.password,
        if settings.tls {
            "ssl no sslcertck"
        } else {
            "sslproto \"\""
        },
        if settings.keep { "keep" } else { "nokeep" },
        agent(settings)?,
    );
    write(&file, text)?;
    set_permissions(&file, Permissions::from_mode(0o600))?;
    Ok(())
}

fn getmail(subject: &Subject, settings: &Settings<'_>) -> Outcome {
    let kind = if settings.tls {
        "SimplePOP3SSLRetriever"
    } else {
        "SimplePOP3Retriever"
    };
    let text = format!(
        "[retriever]\ntype = {kind}\nserver = 127.0.0.1\nport = {}\nusername = {}\npassword = {}\n\
         [destination]\ntype = MDA_external\npath = {}\nallow_root_commands = true\n\
         [options]\nread_all = false\ndelete = {}\ndelivered_to = false\nreceived = false\n",
        settings.port,
        subject.alice.address,
        subject.alice.password,
        agent(settings)?,
        !settings.keep,
    );
    write(settings.folder.join("getmailrc"), text)?;
    Ok(())
}

fn mpop(subject: &Subject, settings: &Settings<'_>) -> Outcome {
    let file = settings.folder.join("mpoprc");
    let tls = if settings.tls {
        "tls on\ntls_starttls off\ntls_certcheck off"
    } else {
        "tls off"
    };
    let text = format!(
        "account a\nhost 127.0.0.1\nport {}\nuser {}\npassword {}\n{tls}\nauth plain\nkeep {}\nreceived_header off\n\
         uidls_file {folder}/uidls\ndelivery maildir {folder}/mail\naccount default : a\n",
        settings.port,
        subject.alice.address,
        subject.alice.password,
        if settings.keep { "on" } else { "off" },
        folder = settings.folder.display(),
    );
    write(&file, text)?;
    set_permissions(&file, Permissions::from_mode(0o600))?;
    Ok(())
}

/// getmail writes header fields anew: white space in them may differ, and there are some of its own.
fn reserialised(message: &[u8]) -> Vec<u8> {
    let text = with_lf(message);
    let end = text.windows(2).position(|pair| pair == b"\n\n");
    let (header, body) = text.split_at(end.unwrap_or(text.len()));
    let mut words: Vec<&[u8]> = Vec::new();
    let mut own = false;
    for line in header.split(|byte| *byte == b'\n') {
        let folded = line.first().is_some_and(u8::is_ascii_whitespace);
        own = match folded {
            true => own,
            false => [&b"Return-Path:"[..], b"X-getmail-"]
                .iter()
                .any(|name| line.starts_with(name)),
        };
        if !own {
            words.extend(
                line.split(|byte| byte.is_ascii_whitespace() || *byte == b':')
                    .filter(|word| !word.is_empty()),
            );
        }
    }
    [
        words.join(&b' '),
        b"\n\n".to_vec(),
        body.trim_ascii().to_vec(),
    ]
    .concat()
}
