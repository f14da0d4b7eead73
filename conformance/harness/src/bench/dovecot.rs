//! Dovecot 2.3 from Debian as a peer: a private instance, its defaults but for limits and paths.

use std::fs::{File, write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::USERS;
use super::server::{Kind, PASSWORD, Peer, Server};
use crate::failure::Outcome;
use crate::imap::Imap;
use crate::process::{eventually, free_port, require, run};

/// The system user that owns the mail.
const OWNER: &str = "dragoman-check";
/// How long preparations and the start may take.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Starts an instance below `folder` with mail in `location`.
pub(super) fn start(kind: Kind, folder: &Path, location: &str) -> Outcome<Server> {
    let program = require("dovecot")?;
    if !std::fs::read_to_string("/etc/passwd")?
        .lines()
        .any(|line| line.starts_with(&format!("{OWNER}:")))
    {
        run(
            Command::new("useradd").args(["-r", "-s", "/usr/sbin/nologin", OWNER]),
            b"",
            START_LIMIT,
        )?
        .success()?;
    }
    for part in ["run", "log", "mail"] {
        std::fs::create_dir_all(folder.join(part))?;
    }
    run(
        Command::new("chown").arg(OWNER).arg(folder.join("mail")),
        b"",
        START_LIMIT,
    )?
    .success()?;
    // Every idle connection is a process with an inotify instance of its own; the kernel's default is 128.
    // Where it cannot be raised, Dovecot says so by falling back to polling.
    let _ = write("/proc/sys/fs/inotify/max_user_instances", "8192");
    let mail = folder.join("mail");
    let users: String = (1..=USERS)
        .map(|n| {
            format!(
                "user{n}:{{PLAIN}}{PASSWORD}::::{}/user{n}\n",
                mail.display()
            )
        })
        .collect();
    write(folder.join("passwd"), users)?;
    let (ports, pop3) = ((free_port()?, free_port()?), free_port()?);
    let file = folder.join("dovecot.conf");
    write(&file, configuration((kind, folder), location, ports, pop3))?;
    let log = folder.join("output.log");
    let again = Box::new(move || {
        let log = File::options().create(true).append(true).open(&log)?;
        let mut command = Command::new(&program);
        command
            .arg("-F")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command.spawn()?;
        eventually(START_LIMIT, "Dovecot answers", || {
            Ok(Imap::connect(ports.0).is_ok())
        })?;
        Ok(child)
    });
    let child = again()?;
    let mut server = Server::peer(kind, ports, Peer { child, again }, folder);
    server.target.pop3 = Some(pop3);
    Ok(server)
}

fn configuration(
    (kind, folder): (Kind, &Path),
    location: &str,
    (imap, lmtp): (u16, u16),
    pop3: u16,
) -> String {
    let name = kind.name();
    let folder = folder.display();
    format!(
        "base_dir = {folder}/run\nstate_dir = {folder}/run\ninstance_name = {name}\nprotocols = imap lmtp pop3\n\
         listen = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nauth_mechanisms = plain login\n\
         log_path = {folder}/log/dovecot.log\nmail_location = {location}\nmail_uid = {OWNER}\nmail_gid = {OWNER}\n\
         first_valid_uid = 1\nmail_max_userip_connections = 5000\ndefault_process_limit = 3000\n\
         default_client_limit = 12000\nnamespace inbox {{\n  inbox = yes\n  separator = /\n}}\n\
         passdb {{\n  driver = passwd-file\n  args = scheme=PLAIN username_format=%n {folder}/passwd\n}}\n\
         userdb {{\n  driver = passwd-file\n  args = username_format=%n {folder}/passwd\n  override_fields = uid={OWNER} gid={OWNER}\n}}\n\
         service imap-login {{\n  inet_listener imap {{\n    address = 127.0.0.1\n    port = {imap}\n  }}\n  inet_listener imaps {{\n    port = 0\n  }}\n}}\n\
         service pop3-login {{\n  inet_listener pop3 {{\n    address = 127.0.0.1\n    port = {pop3}\n  }}\n  inet_listener pop3s {{\n    port = 0\n  }}\n}}\n\
         service imap {{\n  process_limit = 3000\n}}\n\
         service lmtp {{\n  inet_listener lmtp {{\n    address = 127.0.0.1\n    port = {lmtp}\n  }}\n}}\n"
    )
}
