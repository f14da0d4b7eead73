//! What works through the queue: a lane for each mail server and one for what stays inside, so that none waits for another.

mod attempt;
mod lane;
mod settle;

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::watch;

use self::lane::Lane;
use crate::{
    Hop, Origin, Result,
    hop::Pool,
    journal,
    queue::{INSIDE, Shared},
};

/// Works through a queue. One a queue.
pub struct Runner {
    shared: Arc<Shared>,
    hops: Vec<Hop>,
}

impl Runner {
    pub(crate) const fn new(shared: Arc<Shared>, hops: Vec<Hop>) -> Self {
        Self { shared, hops }
    }

    /// Works until `shutdown` turns true; attempts that are being made are then brought to their end.
    pub async fn run(self, shutdown: watch::Receiver<bool>) {
        self.adopt().await;
        let Self { shared, hops } = self;
        let mut lanes = vec![Lane::new(Arc::clone(&shared), None)];
        for hop in hops {
            let pool = Pool::new(hop, shared.options.hostname.clone());
            lanes.push(Lane::new(Arc::clone(&shared), Some(pool)));
        }
        join_all(lanes.into_iter().map(|lane| lane.run(shutdown.clone()))).await;
    }

    /// Gives recipients another hop whose own is not there any more.
    async fn adopt(&self) {
        if let Err(error) = self.adopt_all().await {
            tracing::error!(%error, "recipients without a mail server cannot be looked up");
        }
    }

    async fn adopt_all(&self) -> Result<()> {
        let known = |name: &str| name == INSIDE || self.hops.iter().any(|hop| &*hop.name == name);
        let journal = &self.shared.journal;
        for hop in journal.read(journal::hops).await? {
            if known(&hop) {
                continue;
            }
            tracing::warn!(
                hop,
                "the queue has mail for a mail server that is not configured any more"
            );
            let orphans = journal
                .read(move |connection| journal::of_hop(connection, &hop))
                .await?;
            for orphan in orphans {
                let origin = Origin {
                    sender: &orphan.sender,
                    submitter: orphan.submitter.as_deref(),
                };
                // Who cannot be looked up now is asked for inside, and looked up again when that fails.
                let route = self.shared.hop_for(origin, &orphan.address).await;
                let hop = route.unwrap_or_else(|_| INSIDE.to_owned());
                let place = (orphan.id, orphan.ordinal);
                journal
                    .write(move |connection| journal::reroute(connection, place, &hop))
                    .await?;
            }
        }
        Ok(())
    }
}
