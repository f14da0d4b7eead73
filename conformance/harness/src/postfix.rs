//! A Postfix of our own: every file in one folder, SMTP in on loopback, everything for one domain out by LMTP.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::failure::{Context, Outcome, ensure};
use crate::lmtp::dot_stuffed;
use crate::process::{self, eventually, free_port, open_to_all, require, run};
use crate::smtp::Smtp;

/// How long a Postfix command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// What an instance is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    /// The domain whose mail it takes.
    pub(crate) domain: &'a str,
    /// Where that mail goes by LMTP: `inet:…` or `unix:…`.
    pub(crate) transport: &'a str,
    /// Further lines of `main.cf`.
    pub(crate) settings: &'a str,
}

/// A running instance.
pub(crate) struct Postfix {
    folder: PathBuf,
    configuration: PathBuf,
    pub(crate) port: u16,
}

impl Postfix {
    /// Starts an instance below `folder`.
    pub(crate) fn start(folder: &Path, plan: Plan<'_>) -> Outcome<Self> {
        require("postfix")?;
        let configuration = folder.join("etc");
        for part in ["etc", "spool", "data"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
        open_to_all(folder)?;
        run(
            Command::new("chown")
                .arg("postfix")
                .arg(folder.join("data")),
            b"",
            COMMAND_LIMIT,
        )?
        .success()?;
        let port = free_port()?;
        std::fs::write(configuration.join("main.cf"), main_cf(folder, plan))?;
        std::fs::write(configuration.join("master.cf"), master_cf(port))?;
        let instance = Self {
            folder: folder.to_owned(),
            configuration,
            port,
        };
        instance.run()?;
        Ok(instance)
    }

    /// Starts it, or starts it again, and waits until it answers.
    pub(crate) fn run(&self) -> Outcome {
        self.command("postfix", &["start"])?;
        eventually(COMMAND_LIMIT, "Postfix answers", || {
            Ok(Smtp::connect(self.port).is_ok())
        })
    }

    /// Kills all its processes at once (SIGKILL).
    pub(crate) fn kill(&self) -> Outcome {
        let master = std::fs::read_to_string(self.folder.join("spool/pid/master.pid"))?;
        process::signal_group(master.trim().parse()?, "KILL")
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Outcome<Vec<u8>> {
        let mut command = Command::new(require(program)?);
        command.arg("-c").arg(&self.configuration).args(arguments);
        run(&mut command, b"", COMMAND_LIMIT)?
            .success()
            .during(program)
    }

    /// Hands a message in by SMTP.
    pub(crate) fn submit(&self, from: &str, recipients: &[&str], message: &[u8]) -> Outcome {
        Smtp::connect(self.port)?.send(from, recipients, &dot_stuffed(message))
    }

    /// Hands in `count` messages of 5 KB over 10 sessions.
    pub(crate) fn load(&self, count: usize, recipient: &str) -> Outcome {
        let mut command = Command::new(require("smtp-source")?);
        command.args([
            "-s",
            "10",
            "-m",
            &count.to_string(),
            "-l",
            "5000",
            "-f",
            "sender@example.org",
            "-t",
            recipient,
        ]);
        command.arg(format!("127.0.0.1:{}", self.port));
        run(&mut command, b"", COMMAND_LIMIT)?.success().map(|_| ())
    }

    /// Tries everything in the queue now.
    pub(crate) fn flush(&self) -> Outcome {
        self.command("postqueue", &["-f"]).map(|_| ())
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> Outcome<bool> {
        Ok(
            String::from_utf8_lossy(&self.command("postqueue", &["-p"])?)
                .contains("queue is empty"),
        )
    }

    /// Waits for an empty queue.
    pub(crate) fn wait_until_empty(&self, limit: Duration) -> Outcome {
        eventually(limit, "the queue is empty", || self.is_empty())
    }

    /// Ends the instance.
    pub(crate) fn stop(&self) -> Outcome {
        let stopped = self.command("postfix", &["stop"])?;
        ensure(!stopped.starts_with(b"fatal"), || {
            String::from_utf8_lossy(&stopped).into_owned()
        })
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // Stopping twice is harmless; not at all would leave daemons behind.
        let _ = self.command("postfix", &["stop"]);
    }
}

fn main_cf(folder: &Path, plan: Plan<'_>) -> String {
    let folder = folder.display();
    let Plan {
        domain,
        transport,
        settings,
    } = plan;
    format!(
        "compatibility_level = 3.6\nqueue_directory = {folder}/spool\ndata_directory = {folder}/data\n\
         command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmaillog_file = {folder}/log\n\
         maillog_file_prefixes = /\nmail_owner = postfix\nsetgid_group = postdrop\ninet_interfaces = 127.0.0.1\n\
         inet_protocols = ipv4\nmyhostname = relay.example.test\nmydestination =\nlocal_recipient_maps =\nalias_maps =\n\
         mynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = permit_mynetworks, reject\nmessage_size_limit = 60000000\n\
         mailbox_size_limit = 0\ndefault_transport = error:nothing leaves this machine\n\
         transport_maps = inline:{{{{{domain}=lmtp:{transport}}}}}\nlmtp_destination_recipient_limit = 50\n\
         smtputf8_enable = yes\nsmtputf8_autodetect_classes = all\nlmtp_dns_support_level = disabled\n\
         lmtp_host_lookup = native\nminimal_backoff_time = 5s\nmaximal_backoff_time = 10s\nqueue_run_delay = 5s\n\
         biff = no\nlmtp_connection_cache_on_demand = no\n{settings}"
    )
}

fn master_cf(port: u16) -> String {
    format!(
        "127.0.0.1:{port} inet n - n - - smtpd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n\
         qmgr unix n - n 300 1 qmgr\ntlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n\
         bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
         verify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\n\
         smtp unix - - n - - smtp\nshowq unix n - n - - showq\nerror unix - - n - - error\nretry unix - - n - - error\n\
         lmtp unix - - n - - lmtp\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
         postlog unix-dgram n - n - 1 postlogd\n"
    )
}
