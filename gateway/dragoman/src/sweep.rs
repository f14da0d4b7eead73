//! Purging, now and then, what was deleted and has been kept long enough.

use std::{sync::Arc, time::SystemTime};

use account::FileTime;
use store_openchange::OpenChange;
use tokio::{sync::watch, time::sleep};

use crate::{config::RetentionConfig, serve::stopped};

/// Sweeps until shutdown: at the start, and after each pause.
pub(crate) async fn run(
    store: Arc<OpenChange>,
    retention: RetentionConfig,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let now = SystemTime::now();
        let before = now
            .checked_sub(retention.kept())
            .unwrap_or(SystemTime::UNIX_EPOCH);
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = sweep(&store, before) => {}
        }
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = sleep(retention.pause()) => {}
        }
    }
}

async fn sweep(store: &OpenChange, before: SystemTime) {
    match store.purge_deleted(FileTime::from(before)).await {
        Ok(purged) => {
            metrics::counter!("deleted_items_purged_total").increment(purged.items);
            metrics::counter!("deleted_bytes_purged_total").increment(purged.octets);
            if purged.items > 0 {
                let (items, octets) = (purged.items, purged.octets);
                tracing::info!(items, octets, "purged what was deleted long enough ago");
            }
        }
        Err(error) => tracing::warn!(%error, "what was deleted is not purged; next time again"),
    }
}
