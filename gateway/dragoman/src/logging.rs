//! Structured logs on standard error: text or JSON, with connection ids, never secrets or content.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

use crate::{
    config::{LogConfig, LogFormat},
    failure::{Doing, Result},
};

/// Starts logging as configured.
pub(crate) fn start(config: &LogConfig) -> Result<()> {
    let filter = EnvFilter::try_new(&config.level)
        .doing(|| format!("key `log.level`: `{}`", config.level))?;
    let log = fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    }
    .doing(|| "starting the log".to_owned())
}
