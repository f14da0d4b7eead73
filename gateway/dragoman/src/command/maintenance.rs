//! Restoring needs the data folder for itself: no client may watch a folder begin a new epoch half-way.

use std::path::Path;

use super::administration::Administration;
use crate::{config::Config, data_dir::DataDir, failure::Result};

/// Brings a backup, or one folder of it, back into a mailbox.
pub(crate) async fn restore(
    config: &Config,
    mailbox: &str,
    from: &Path,
    folder: Option<&str>,
) -> Result<()> {
    let data = DataDir::create(&config.data)?;
    let _lock = data.lock_alone()?;
    let administration = Administration::open(config, &data).await?;
    administration.restore(mailbox, from, folder).await
}
