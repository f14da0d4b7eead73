//! Dovecot as the subject: a private instance, everything in the scratch folder. It shows that a check is right
//! before Dragoman is judged by it.

use std::fs::{File, write};
use std::process::{Child, Command, Stdio};

use super::{START_LIMIT, Subject};
use crate::failure::Outcome;
use crate::imap::Imap;
use crate::process::{eventually, require, run};

/// The system user that owns the mail.
const OWNER: &str = "dragoman-check";

/// Writes users, certificate and configuration.
pub(super) fn prepare(subject: &Subject) -> Outcome {
    let work = &subject.work;
    let limit = START_LIMIT;
    if !std::fs::read_to_string("/etc/passwd")?
        .lines()
        .any(|line| line.starts_with(&format!("{OWNER}:")))
    {
        run(
            Command::new("useradd").args(["-r", "-s", "/usr/sbin/nologin", OWNER]),
            b"",
            limit,
        )?
        .success()?;
    }
    for folder in ["run", "state", "mail", "data"] {
        std::fs::create_dir_all(work.join(folder))?;
    }
    run(
        Command::new("chown").arg(OWNER).arg(work.join("mail")),
        b"",
        limit,
    )?
    .success()?;
    let users = [&subject.alice, &subject.bob]
        .map(|user| format!("{}:{{PLAIN}}{}::::::\n", user.address, user.password));
    write(work.join("users"), users.concat())?;
    let mut certificate = Command::new(require("openssl")?);
    certificate.args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "30",
        "-subj",
        "/CN=localhost",
    ]);
    certificate.args([
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]);
    run(certificate.current_dir(work), b"", limit)?.success()?;
    write(work.join("dovecot.conf"), configuration(subject))?;
    Ok(())
}

/// Starts the master process in the foreground and waits for a greeting.
pub(super) fn serve(subject: &Subject) -> Outcome<Child> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(subject.work.join("server.log"))?;
    let mut command = Command::new(require("dovecot")?);
    command
        .args(["-F", "-c"])
        .arg(subject.work.join("dovecot.conf"));
    let child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    let port = subject.listeners.imap;
    eventually(START_LIMIT, "Dovecot answers", || {
        Ok(Imap::connect(port).is_ok())
    })?;
    Ok(child)
}

fn configuration(subject: &Subject) -> String {
    let listeners = &subject.listeners;
    let imaps = listeners.imaps.unwrap_or_default();
    let (pop3, pop3s) = (
        listeners.pop3.unwrap_or_default(),
        listeners.pop3s.unwrap_or_default(),
    );
    let special: String = ["Drafts", "Sent", "Trash", "Junk", "Archive"]
        .map(|name| {
            format!("  mailbox {name} {{\n    special_use = \\{name}\n    auto = subscribe\n  }}\n")
        })
        .concat();
    format!(
        "base_dir = {work}/run\nstate_dir = {work}/state\ninstance_name = {name}\nlog_path = {work}/server.log\n\
         protocols = imap lmtp pop3\nlisten = 127.0.0.1\nssl = yes\nssl_cert = <{work}/cert.pem\nssl_key = <{work}/key.pem\n\
         disable_plaintext_auth = no\nauth_mechanisms = plain login\nmail_max_userip_connections = 100\n\
         mail_location = sdbox:{work}/mail/%u\nmail_uid = {OWNER}\nmail_gid = {OWNER}\nfirst_valid_uid = 1\n\
         recipient_delimiter = +\nlmtp_save_to_detail_mailbox = no\npostmaster_address = postmaster@example.test\n\
         passdb {{\n  driver = passwd-file\n  args = {work}/users\n}}\n\
         userdb {{\n  driver = passwd-file\n  args = {work}/users\n  default_fields = uid={OWNER} gid={OWNER} home={work}/mail/%u\n}}\n\
         namespace inbox {{\n  inbox = yes\n  separator = /\n{special}}}\n\
         service imap-login {{\n  inet_listener imap {{\n    port = {imap}\n  }}\n  inet_listener imaps {{\n    port = {imaps}\n    ssl = yes\n  }}\n}}\n\
         service pop3-login {{\n  inet_listener pop3 {{\n    port = {pop3}\n  }}\n  inet_listener pop3s {{\n    port = {pop3s}\n    ssl = yes\n  }}\n}}\n\
         service lmtp {{\n  inet_listener lmtp {{\n    address = 127.0.0.1\n    port = {lmtp}\n  }}\n  unix_listener {socket} {{\n    mode = 0666\n  }}\n}}\n\
         service stats {{\n  unix_listener stats-writer {{\n    mode = 0666\n  }}\n}}\n",
        work = subject.work.display(),
        name = subject
            .work
            .file_name()
            .unwrap_or_default()
            .to_string_lossy(),
        imap = listeners.imap,
        lmtp = listeners.lmtp,
        socket = listeners
            .lmtp_unix
            .as_deref()
            .unwrap_or(&subject.work.join("lmtp.sock"))
            .display(),
    )
}
