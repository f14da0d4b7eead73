//! Whether the servers are there, and how much is kept of their mailboxes: looked at now and then, for metrics, for the
//! log, and for mail servers that want to know before they send a message.

use std::{sync::Arc, time::Duration};

use store_openchange::{MirrorStatus, OpenChange};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::Section;
use crate::{backends::Backends, command::administration::Administration, serve::stopped};

/// How often servers are looked at.
const REACH_EVERY: Duration = Duration::from_secs(30);
/// How often mirrors are measured: every row of each is read.
const MEASURE_EVERY: Duration = Duration::from_secs(15 * 60);

/// Looks after the servers until shutdown.
pub(crate) fn watch(
    administration: &Administration,
    tasks: &mut JoinSet<()>,
    stopping: &watch::Receiver<bool>,
) {
    for section in administration.backends().sections() {
        let (section, mut stopping) = (Arc::clone(section), stopping.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stopped(&mut stopping) => {}
                () = reach(&section) => {}
            }
        });
    }
    if administration.backends().sections().is_empty() {
        return;
    }
    let backends = Arc::clone(administration.backends());
    let mut stopping = stopping.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = stopped(&mut stopping) => {}
            () = measure(&backends) => {}
        }
    });
}

async fn reach(section: &Section) {
    let mut ticks = interval(REACH_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        section.look().await;
    }
}

async fn measure(backends: &Backends) {
    let mut ticks = interval(MEASURE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for section in backends.sections() {
            let size = size(backends, section).await;
            let server = || section.name().to_owned();
            metrics::gauge!("exchange_mirrors", "server" => server()).set(size.mirrors);
            metrics::gauge!("exchange_mirror_messages", "server" => server()).set(size.messages);
            metrics::gauge!("exchange_mirror_pending", "server" => server()).set(size.pending);
            for (kind, bytes) in [("fetched", size.fetched), ("kept", size.kept)] {
                metrics::gauge!("exchange_mirror_bytes", "server" => server(), "kind" => kind)
                    .set(bytes);
            }
        }
    }
}

/// What is kept of one server's mailboxes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) mirrors: f64,
    pub(super) messages: f64,
    pub(super) pending: f64,
    pub(super) fetched: f64,
    pub(super) kept: f64,
}

pub(super) async fn size(backends: &Backends, section: &Section) -> Size {
    let store: &OpenChange = backends.embedded();
    let mut size = Size::default();
    let mirrors = match store.mirrors().await {
        Ok(mirrors) => mirrors,
        Err(error) => {
            tracing::warn!(%error, "mirrors cannot be measured");
            return size;
        }
    };
    for id in mirrors {
        let of = backends.of_mailbox(&id.0);
        if of.is_none_or(|of| of.name() != section.name()) {
            continue;
        }
        let Ok(mirror) = store.find_mirror(&id).await else {
            continue;
        };
        match mirror.status().await {
            Ok(status) => {
                section.exchange().note_queue(&id, &status.queue);
                size.add(&status);
            }
            Err(error) => tracing::warn!(mailbox = %id, %error, "a mirror cannot be measured"),
        }
    }
    size
}

impl Size {
    fn add(&mut self, status: &MirrorStatus) {
        self.mirrors += 1.0;
        self.pending += f64::from(status.pending);
        for folder in &status.folders {
            self.messages += f64::from(folder.items);
            self.fetched += folder.bytes_rendered as f64;
            self.kept += folder.bytes_kept as f64;
        }
    }
}
