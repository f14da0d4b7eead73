//! Structured logs on standard error: text or JSON, with connection ids, never secrets or content.

use std::{io::IsTerminal, sync::Arc};

use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    config::{LogConfig, LogFormat},
    failure::{Doing, Result},
    trace::{self, Traces},
};

/// Starts logging as configured, and makes traces possible. What is for traces is never logged.
pub(crate) fn start(config: &LogConfig) -> Result<Arc<Traces>> {
    let filter = EnvFilter::try_new(&config.level)
        .doing(|| format!("key `log.level`: `{}`", config.level))?;
    let not_traces = format!("{}=off", trace::TARGET);
    let filter = filter.add_directive(
        not_traces
            .parse()
            .doing(|| "filter of the log".to_owned())?,
    );
    let traces = Arc::new(Traces::default());
    let registry = tracing_subscriber::registry().with(trace::layer(&traces));
    let log = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => registry
            .with(log.with_target(false).with_filter(filter))
            .try_init(),
        LogFormat::Json => registry.with(log.json().with_filter(filter)).try_init(),
    }
    .doing(|| "starting the log".to_owned())?;
    Ok(traces)
}
