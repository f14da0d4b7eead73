//! Cyrus 3.6 from Debian as a peer. Its package `cyrus-imapd` conflicts with Dovecot's, so its programs are
//! unpacked beside the others of `cyrus-common` instead of being installed.

use std::fs::{File, write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::USERS;
use super::server::{Kind, PASSWORD, Peer, Server};
use crate::failure::{Context, Outcome};
use crate::imap::Imap;
use crate::process::{eventually, free_port, open_to_all, require, run};
use crate::subject::Account;

/// How long preparations and the start may take.
const START_LIMIT: Duration = Duration::from_secs(120);
/// Where `cyrus-common` keeps its programs.
const PROGRAMS: &str = "/usr/lib/cyrus/bin";

/// Starts an instance below `folder`.
pub(super) fn start(folder: &Path) -> Outcome<Server> {
    let unpacked = unpack(folder)?;
    for part in [
        "conf/socket",
        "spool",
        "sieve",
        "run/proc",
        "run/lock",
        "run/socket",
    ] {
        std::fs::create_dir_all(folder.join(part))?;
    }
    let ports = (free_port()?, free_port()?);
    write(folder.join("imapd.conf"), imapd_conf(folder))?;
    write(
        folder.join("cyrus.conf"),
        cyrus_conf(folder, &unpacked, ports),
    )?;
    create_passwords(folder)?;
    run(
        Command::new("chown").args(["-R", "cyrus"]).arg(folder),
        b"",
        START_LIMIT,
    )?
    .success()?;
    open_to_all(folder)?;
    let place = folder.to_path_buf();
    let again = Box::new(move || {
        let log = File::options()
            .create(true)
            .append(true)
            .open(place.join("output.log"))?;
        let mut command = Command::new(Path::new(PROGRAMS).join("master"));
        command
            .arg("-C")
            .arg(place.join("imapd.conf"))
            .arg("-M")
            .arg(place.join("cyrus.conf"));
        command
            .arg("-p")
            .arg(place.join("run/master.pid"))
            .args(["-l", "1024"]);
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        eventually(START_LIMIT, "Cyrus answers", || {
            Ok(Imap::connect(ports.0).is_ok())
        })?;
        Ok(child)
    });
    let child = again()?;
    // The first login creates a user's mailboxes.
    for n in 1..=USERS {
        let account = Account {
            address: format!("user{n}"),
            password: PASSWORD.into(),
        };
        Imap::login(ports.0, &account)?.expect_ok("LIST \"\" *")?;
    }
    Ok(Server::peer(
        Kind::Cyrus,
        ports,
        Peer { child, again },
        folder,
    ))
}

fn create_passwords(folder: &Path) -> Outcome {
    for n in 1..=USERS {
        let mut password = Command::new(require("saslpasswd2")?);
        password
            .args(["-c", "-p", "-f"])
            .arg(folder.join("sasldb2"))
            .args(["-u", "localhost", &format!("user{n}")]);
        run(&mut password, PASSWORD.as_bytes(), START_LIMIT)?
            .success()
            .during("saslpasswd2")?;
    }
    Ok(())
}

fn unpack(folder: &Path) -> Outcome<PathBuf> {
    let unpacked = folder.join("package");
    std::fs::create_dir_all(&unpacked)?;
    let mut download = Command::new(require("apt-get")?);
    run(
        download
            .args(["download", "-q", "cyrus-imapd"])
            .current_dir(&unpacked),
        b"",
        START_LIMIT,
    )?
    .success()?;
    for entry in std::fs::read_dir(&unpacked)? {
        let package = entry?.path();
        run(
            Command::new(require("dpkg-deb")?)
                .arg("-x")
                .arg(package)
                .arg(&unpacked),
            b"",
            START_LIMIT,
        )?
        .success()?;
    }
    Ok(unpacked.join("usr/lib/cyrus/bin"))
}

fn imapd_conf(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "configdirectory: {folder}/conf\nproc_path: {folder}/run/proc\nmboxname_lockpath: {folder}/run/lock\n\
         defaultpartition: default\npartition-default: {folder}/spool\nsievedir: {folder}/sieve\n\
         lmtpsocket: {folder}/run/socket/lmtp\nidlesocket: {folder}/run/socket/idle\nnotifysocket: {folder}/run/socket/notify\n\
         servername: localhost\nadmins: cyrus\naltnamespace: yes\nunixhierarchysep: yes\nallowplaintext: yes\n\
         sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sasldb\nsasl_sasldb_path: {folder}/sasldb2\n\
         sasl_mech_list: PLAIN LOGIN\nsasl_auto_transition: no\nautocreate_quota: 0\nautocreate_post: yes\n\
         autocreate_inbox_folders: Drafts | Sent | Trash | Junk\nsyslog_prefix: cyrusbench\n"
    )
}

fn cyrus_conf(folder: &Path, unpacked: &Path, (imap, lmtp): (u16, u16)) -> String {
    let configuration = folder.join("imapd.conf");
    let (configuration, unpacked, folder) = (
        configuration.display(),
        unpacked.display(),
        folder.display(),
    );
    format!(
        "START {{\n  recover cmd=\"/usr/sbin/cyrus ctl_cyrusdb -C {configuration} -r\"\n  idled cmd=\"{unpacked}/idled -C {configuration}\"\n}}\n\
         SERVICES {{\n  imap cmd=\"{unpacked}/imapd -C {configuration} -U 30\" listen=\"127.0.0.1:{imap}\" prefork=0 maxchild=3000\n  \
         lmtp cmd=\"lmtpd -C {configuration} -a\" listen=\"127.0.0.1:{lmtp}\" prefork=0 maxchild=20\n  \
         lmtpunix cmd=\"lmtpd -C {configuration}\" listen=\"{folder}/run/socket/lmtp\" prefork=0 maxchild=20\n}}\n\
         EVENTS {{\n  checkpoint cmd=\"/usr/sbin/cyrus ctl_cyrusdb -C {configuration} -c\" period=30\n}}\n"
    )
}
