//! Telling owners that their mailboxes are nearly full: one message in each interval, which is filed although a mailbox
//! is full.

use std::{
    io::Read,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use account::{Copy, ErrorKind, FileTime, MailboxId, Quota, mime::date};
use store_openchange::MailboxQuota;
use tokio::{sync::watch, time::sleep};

use crate::{
    command::administration::Administration,
    config::{Config, quota::TEMPLATE_BYTES_MAX},
    failure::{Doing, Failure, Result},
    serve::stopped,
};

/// What owners are told unless somebody configures something else.
const TEMPLATE: &str = "Subject: Your mailbox is almost full

Your mailbox {mailbox} holds {used} MB in {messages} messages.

You are told so from {warn} on. Beyond {send} you cannot send mail any more,
and beyond {receive} nothing is taken in.

To make room, delete messages that you do not need any more, and empty the
folders for deleted mail and for spam.
";

/// See the module.
pub(crate) struct Warnings {
    hostname: String,
    template: String,
    /// The least time between two warnings of a mailbox.
    every: Duration,
    /// How often mailboxes are looked at.
    pause: Duration,
}

impl Warnings {
    /// Reads the template. Errors: it cannot be read, or is no message.
    pub(crate) fn open(config: &Config) -> Result<Self> {
        let template = match config.quota.warning_template.as_os_str().is_empty() {
            true => TEMPLATE.to_owned(),
            false => read(&config.quota.warning_template)?,
        };
        Ok(Self {
            hostname: config.hostname.clone(),
            template,
            every: Duration::from_secs(config.quota.warning_every_h * 3600),
            pause: config.retention.pause(),
        })
    }

    /// Looks at all mailboxes now and then, until shutdown.
    pub(crate) async fn run(
        self,
        administration: Arc<Administration>,
        mut stopping: watch::Receiver<bool>,
    ) {
        loop {
            tokio::select! {
                () = stopped(&mut stopping) => return,
                done = self.look(&administration) => if let Err(failure) = done {
                    tracing::warn!(%failure, "owners of full mailboxes are not warned; next time again");
                },
            }
            tokio::select! {
                () = stopped(&mut stopping) => return,
                () = sleep(self.pause) => {}
            }
        }
    }

    async fn look(&self, administration: &Administration) -> Result<()> {
        let store = Arc::clone(administration.backends().embedded());
        let listing = tokio::task::spawn_blocking({
            let store = store.clone();
            move || store.mailboxes()
        });
        let doing = || "reading the mailboxes".to_owned();
        for mailbox in listing.await.doing(doing)?.doing(doing)? {
            let now = SystemTime::now();
            let quota = match store.mailbox_quota(&mailbox).await {
                Ok(quota) => quota,
                Err(error) => {
                    // A mirror has no quota here.
                    if error.kind != ErrorKind::NotFound {
                        tracing::warn!(%mailbox, %error, "the quota of a mailbox cannot be read");
                    }
                    continue;
                }
            };
            if !self.is_due(&quota, now) {
                continue;
            }
            match self
                .warn(administration, &mailbox, (&quota.quota, now))
                .await
            {
                Ok(()) => {
                    let when = FileTime::from(now);
                    let noted = store.quota_warned(&mailbox, when).await;
                    noted.doing(|| format!("noting that {mailbox} was warned"))?;
                    metrics::counter!("quota_warnings_total").increment(1);
                }
                Err(error) => {
                    tracing::warn!(%mailbox, %error, "the owner of a mailbox is not warned")
                }
            }
        }
        Ok(())
    }

    fn is_due(&self, quota: &MailboxQuota, now: SystemTime) -> bool {
        let since = now
            .checked_sub(self.every)
            .unwrap_or(SystemTime::UNIX_EPOCH);
        let exceeded = quota.quota.limits.warn.is_exceeded(&quota.quota.usage);
        exceeded && quota.warned <= FileTime::from(since)
    }

    /// Files a warning. If that is not noted, because of a crash, the next one of the same interval is the same message.
    async fn warn(
        &self,
        administration: &Administration,
        mailbox: &MailboxId,
        (quota, now): (&Quota, SystemTime),
    ) -> account::Result<()> {
        let accounts = administration.accounts();
        let mut spool = accounts.spool();
        spool
            .write(self.message(mailbox, quota, now).as_bytes())
            .await?;
        let message = spool.finish().await?;
        let received = FileTime::from(now);
        let interval = received.unix().unsigned_abs() / self.every.as_secs().max(1);
        let copy = Copy {
            mailbox: mailbox.clone(),
            prefix: "Return-Path: <>\r\n".into(),
            once: Some(format!("quota warning {interval}").into()),
        };
        accounts.deliver_notice(&message, &copy, received).await
    }

    fn message(&self, mailbox: &MailboxId, quota: &Quota, now: SystemTime) -> String {
        let (usage, limits) = (&quota.usage, &quota.limits);
        let bound = |bytes: Option<u64>, items: Option<u64>| match (bytes, items) {
            (Some(bytes), _) => format!("{} MB", megabytes(bytes)),
            (None, Some(items)) => format!("{items} messages"),
            (None, None) => "no limit".to_owned(),
        };
        let values = [
            ("{mailbox}", mailbox.to_string()),
            ("{used}", megabytes(usage.bytes).to_string()),
            ("{messages}", usage.items.to_string()),
            ("{warn}", bound(limits.warn.bytes, limits.warn.items)),
            ("{send}", bound(limits.send.bytes, limits.send.items)),
            (
                "{receive}",
                bound(limits.receive.bytes, limits.receive.items),
            ),
        ];
        let mut text = self.template.clone();
        for (name, value) in values {
            text = text.replace(name, &value);
        }
        let host = &self.hostname;
        let unix = FileTime::from(now).unix();
        let date = date::text(unix);
        let id = blake3::hash(format!("{mailbox} {unix}").as_bytes());
        let id: String = id.to_hex().chars().take(32).collect();
        let header = format!(
            "From: Mail system <postmaster@{host}>\nTo: <{mailbox}>\nDate: {date}\nMessage-ID: <{id}@{host}>\n\
             Auto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: 8bit\n"
        );
        format!("{header}{text}")
            .replace("\r\n", "\n")
            .replace('\n', "\r\n")
    }
}

const fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Errors: it cannot be read, is too large, or has no header and text.
fn read(path: &Path) -> Result<String> {
    let doing = || format!("quota.warning_template {}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).doing(doing)?;
    file.take(TEMPLATE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .doing(doing)?;
    let lines = text.replace("\r\n", "\n");
    let header = lines.split_once("\n\n").map(|(header, _)| header);
    let is_field = |line: &str| {
        let name = line.split_once(':').map_or("", |(name, _)| name);
        line.starts_with([' ', '\t'])
            || !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic())
    };
    match header {
        _ if text.len() as u64 > TEMPLATE_BYTES_MAX => Err(Failure::new(format!(
            "{}: longer than {TEMPLATE_BYTES_MAX} octets",
            doing()
        ))),
        Some(header) if header.lines().all(is_field) => Ok(lines),
        _ => Err(Failure::new(format!(
            "{}: expected header fields, an empty line and text",
            doing()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use account::{QuotaLimit, QuotaLimits, QuotaUsage};

    use super::*;

    fn warnings() -> Warnings {
        Warnings::open(&Config::default()).unwrap()
    }

    fn quota(warned: FileTime) -> MailboxQuota {
        let limit = |megabytes: u64| QuotaLimit {
            bytes: Some(megabytes << 20),
            items: None,
        };
        MailboxQuota {
            quota: Quota {
                limits: QuotaLimits {
                    warn: limit(1),
                    send: limit(2),
                    receive: QuotaLimit::default(),
                },
                usage: QuotaUsage {
                    bytes: (1 << 20) + 1,
                    items: 12,
                    ..QuotaUsage::default()
                },
            },
            own: false,
            warned,
        }
    }

    #[test]
    fn a_warning_names_what_is_used_and_what_there_is() {
        let warnings = warnings();
        let mailbox = MailboxId("alice@example.test".into());
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let message = warnings.message(&mailbox, &quota(FileTime(0)).quota, now);
        for part in [
            "To: <alice@example.test>\r\n",
            "Subject: Your mailbox is almost full\r\n\r\n",
            "holds 2 MB in 12 messages",
            "from 1 MB on. Beyond 2 MB you",
            "beyond no limit nothing",
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(!message.contains('{') && !message.replace("\r\n", "").contains('\n'));
    }

    #[test]
    fn one_warning_is_due_in_each_interval_while_the_bound_is_exceeded() {
        let warnings = warnings();
        let now = SystemTime::now();
        let ago = |hours: u64| FileTime::from(now - Duration::from_secs(hours * 3600));
        assert!(warnings.is_due(&quota(FileTime(0)), now));
        assert!(warnings.is_due(&quota(ago(25)), now));
        assert!(!warnings.is_due(&quota(ago(23)), now));
        let mut less = quota(FileTime(0));
        less.quota.usage.bytes = 1 << 20;
        assert!(!warnings.is_due(&less, now));
    }
}
