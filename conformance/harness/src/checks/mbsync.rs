//! mbsync (package isync): two-way synchronisation with a Maildir, every byte compared.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::mailboxes::{bodies, filled_inbox, flags_of, maildir, same_messages};
use crate::failure::{Failure, Outcome, ensure};
use crate::imap::Imap;
use crate::mail::{Message, with_lf};
use crate::process::{require, run as run_program};
use crate::report::Report;
use crate::subject::Subject;

/// How long one synchronisation may take.
const SYNC_LIMIT: Duration = Duration::from_secs(120);

/// Runs the group.
pub(super) fn run(subject: &Subject, report: &mut Report) -> Outcome {
    let sync = Sync::prepare(subject)?;
    let wanted: Vec<&[u8]> = sync
        .messages
        .iter()
        .map(|message| message.bytes.as_slice())
        .collect();
    report.check("pull: every byte equal", || {
        sync.run()?;
        same_messages(
            sync.local("INBOX")?.iter().map(Vec::as_slice),
            wanted.iter().copied(),
        )
    });
    report.check("push: new message, new folder, flags, deletion", || {
        sync.push()
    });
    report.check("pull: new message and expunge", || sync.pull_changes());
    report.check("another run changes nothing", || {
        let before = bodies(subject, "INBOX")?;
        sync.run()?;
        ensure(bodies(subject, "INBOX")? == before, || {
            "the mailbox changed".into()
        })
    });
    report.check("pull over TLS", || sync.over_tls());
    Ok(())
}

struct Sync<'a> {
    subject: &'a Subject,
    messages: Vec<Message>,
    program: PathBuf,
    folder: PathBuf,
}

impl<'a> Sync<'a> {
    fn prepare(subject: &'a Subject) -> Outcome<Self> {
        let program = require("mbsync")?;
        let messages = filled_inbox(subject)?;
        let folder = subject.work.join("mbsync");
        std::fs::create_dir_all(&folder)?;
        let tls = format!(
            "Port {}\nSSLType None\nAuthMechs LOGIN",
            subject.listeners.imap
        );
        std::fs::write(
            folder.join("mbsyncrc"),
            configuration(subject, &folder, &tls),
        )?;
        Ok(Self {
            subject,
            messages,
            program,
            folder,
        })
    }

    fn run(&self) -> Outcome {
        self.run_with("mbsyncrc")
    }

    fn run_with(&self, configuration: &str) -> Outcome {
        let mut command = Command::new(&self.program);
        command
            .arg("-c")
            .arg(self.folder.join(configuration))
            .arg("all")
            .env("HOME", &self.folder);
        run_program(&mut command, b"", SYNC_LIMIT)?
            .success()
            .map(|_| ())
    }

    /// The local messages without the field that mbsync adds to those it uploads.
    fn local(&self, mailbox: &str) -> Outcome<Vec<Vec<u8>>> {
        Ok(maildir(&self.folder.join(mailbox))?
            .iter()
            .map(|bytes| without_tuid(bytes))
            .collect())
    }

    fn file_with(&self, needle: &str) -> Outcome<PathBuf> {
        for part in ["cur", "new"] {
            for entry in std::fs::read_dir(self.folder.join("INBOX").join(part))? {
                let path = entry?.path();
                if String::from_utf8_lossy(&std::fs::read(&path)?).contains(needle) {
                    return Ok(path);
                }
            }
        }
        Err(Failure(format!("no local message with {needle}")))
    }

    fn set_local_flags(&self, needle: &str, flags: &str) -> Outcome {
        let path = self.file_with(needle)?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let base = name.split(":2,").next().unwrap_or_default();
        std::fs::rename(
            &path,
            self.folder
                .join("INBOX/cur")
                .join(format!("{base}:2,{flags}")),
        )?;
        Ok(())
    }

    fn push(&self) -> Outcome {
        let named = |name: &str| {
            self.messages
                .iter()
                .find(|message| message.name == name)
                .map(|m| m.bytes.clone())
                .unwrap_or_default()
        };
        let pushed = String::from_utf8_lossy(&named("multipart"))
            .replace("Subject: multi", "Subject: pushed");
        std::fs::write(
            self.folder.join("INBOX/new/1.pushed.host"),
            with_lf(pushed.as_bytes()),
        )?;
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(self.folder.join("Fresh").join(part))?;
        }
        std::fs::write(
            self.folder.join("Fresh/new/2.fresh.host"),
            with_lf(&named("dots")),
        )?;
        self.set_local_flags("Subject: dots", "FRS")?;
        self.set_local_flags("Subject: latin1", "T")?;
        self.run()?;
        let server: Vec<Vec<u8>> = bodies(self.subject, "INBOX")?
            .iter()
            .map(|bytes| without_tuid(bytes))
            .collect();
        let kept = self
            .messages
            .iter()
            .filter(|message| message.name != "latin1-8bit");
        let wanted = kept
            .map(|message| message.bytes.as_slice())
            .chain([pushed.as_bytes()]);
        same_messages(server.iter().map(Vec::as_slice), wanted)?;
        let flags = flags_of(self.subject, "dots")?.unwrap_or_default();
        for flag in ["\\Flagged", "\\Answered", "\\Seen"] {
            ensure(flags.contains(flag), || format!("no {flag} in {flags}"))?;
        }
        let fresh: Vec<Vec<u8>> = bodies(self.subject, "Fresh")?
            .iter()
            .map(|bytes| without_tuid(bytes))
            .collect();
        same_messages(fresh.iter().map(Vec::as_slice), [named("dots").as_slice()])
    }

    fn pull_changes(&self) -> Outcome {
        let mut session = Imap::login(self.subject.listeners.imap, &self.subject.alice)?;
        session
            .append(
                "INBOX",
                "(\\Flagged)",
                b"Subject: from the server\r\n\r\nnew\r\n",
            )?
            .ok()?;
        session.select("INBOX")?;
        session.expect_ok("STORE 1 +FLAGS (\\Deleted)")?;
        session.expect_ok("EXPUNGE")?;
        self.run()?;
        let local = self.local("INBOX")?;
        let server = bodies(self.subject, "INBOX")?;
        let server: Vec<Vec<u8>> = server.iter().map(|bytes| without_tuid(bytes)).collect();
        same_messages(
            local.iter().map(Vec::as_slice),
            server.iter().map(Vec::as_slice),
        )
    }

    fn over_tls(&self) -> Outcome {
        let Some(port) = self.subject.listeners.imaps else {
            return Ok(());
        };
        let folder = self.folder.join("tls");
        std::fs::create_dir_all(&folder)?;
        // A self-signed certificate is trusted by its own file.
        let certificate = folder.join("certificate.pem");
        fetch_certificate(port, &certificate)?;
        let tls = format!(
            "Port {port}\nSSLType IMAPS\nCertificateFile {}\nAuthMechs LOGIN",
            certificate.display()
        );
        std::fs::write(
            self.folder.join("tlsrc"),
            configuration(self.subject, &folder, &tls),
        )?;
        self.run_with("tlsrc")?;
        let local: Vec<Vec<u8>> = maildir(&folder.join("INBOX"))?
            .iter()
            .map(|bytes| without_tuid(bytes))
            .collect();
        let server = bodies(self.subject, "INBOX")?;
        let server: Vec<Vec<u8>> = server.iter().map(|bytes| without_tuid(bytes)).collect();
        same_messages(
            local.iter().map(Vec::as_slice),
            server.iter().map(Vec::as_slice),
        )
    }
}

fn fetch_certificate(port: u16, file: &Path) -> Outcome {
    let mut command = Command::new(require("openssl")?);
    command.args([
        "s_client",
        "-showcerts",
        "-connect",
        &format!("127.0.0.1:{port}"),
    ]);
    let output = run_program(&mut command, b"", SYNC_LIMIT)?.output;
    let text = String::from_utf8_lossy(&output).into_owned();
    let end = "-----END CERTIFICATE-----";
    let from = text
        .find("-----BEGIN CERTIFICATE-----")
        .ok_or_else(|| Failure("no certificate shown".into()))?;
    let to = text.find(end).map_or(text.len(), |at| at + end.len());
    std::fs::write(
        file,
        format!("{}\n", text.get(from..to).unwrap_or_default()),
    )?;
    Ok(())
}

fn configuration(subject: &Subject, folder: &Path, connection: &str) -> String {
    format!(
        "IMAPAccount server\nHost localhost\n{connection}\nUser {user}\nPass \"{password}\"\n\n\
         IMAPStore far\nAccount server\n\nMaildirStore near\nPath {folder}/\nInbox {folder}/INBOX\nSubFolders Verbatim\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nRemove Both\nExpunge Both\nSyncState *\nCopyArrivalDate yes\n",
        user = subject.alice.address,
        password = subject.alice.password,
        folder = folder.display(),
    )
}

fn without_tuid(message: &[u8]) -> Vec<u8> {
    let Some(start) = message.windows(8).position(|part| part == b"X-TUID: ") else {
        return message.to_vec();
    };
    let rest = message.get(start..).unwrap_or_default();
    let end = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(message.len(), |at| start + at + 1);
    [
        message.get(..start).unwrap_or_default(),
        message.get(end..).unwrap_or_default(),
    ]
    .concat()
}
