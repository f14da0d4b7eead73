//! Plain HTTP: health and metrics on `admin`, a page that says how to connect on `http` and `https`.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{Html, IntoResponse},
    routing::get,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};

use crate::serve::stopped;

/// How long a client may take for a request's header, and how long it may stay idle before the next one.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What the administrator's endpoints show.
#[derive(Clone)]
pub(crate) struct Health {
    /// Turns false at shutdown, so that a load balancer looks elsewhere.
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) metrics: PrometheusHandle,
}

/// Answers one connection's requests until the client is done, stays silent for too long, or the gateway stops.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    // HTTP/1 alone: to find out which version a client speaks would be to wait for it without a bound.
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIMEOUT);
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    served.map_err(io::Error::other)
}

/// `/healthz`: the process lives. `/readyz`: it takes connections. `/metrics`: Prometheus text.
pub(crate) fn admin(health: Health) -> Router {
    let ready = health.ready.clone();
    let readyz = move || async move {
        if ready.load(Ordering::Relaxed) {
            (StatusCode::OK, "ready\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    };
    let metrics = move || async move {
        health.metrics.run_upkeep();
        (
            [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
            health.metrics.render(),
        )
    };
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
}

/// The page at the server's root: what to enter in a mail program.
pub(crate) fn front_page(settings: &[(String, String)]) -> Router {
    let mut rows = String::new();
    for (what, place) in settings {
        rows.push_str(&format!(
            "<tr><th>{}</th><td><code>{}</code></td></tr>\n",
            escape(what),
            escape(place)
        ));
    }
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Dragoman</title>\n\
         <style>body{{font:16px system-ui;margin:4em auto;max-width:40em;padding:0 1em}}th{{text-align:left;padding-right:2em}}</style>\n\
         <h1>Dragoman</h1><p>Mail programs reach your mailbox here. Sign in with your whole address.</p>\n\
         <table>{rows}</table></html>\n"
    );
    let page = move || async move {
        let policy = "default-src 'none'; style-src 'unsafe-inline'";
        ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
    };
    Router::new().route("/", get(page))
}

/// Text as XML and HTML have it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Says `words`, then nothing more, and returns what came until the server closed the connection.
    async fn heard(words: &[u8]) -> String {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let (_stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(serve(server, front_page(&[]), stopping));
        client.write_all(words).await.unwrap();
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.unwrap();
        drop(serving.await.unwrap());
        String::from_utf8(heard).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stays_silent_is_let_go() {
        heard(b"").await;
        heard(b"GET / HTTP/1.1\r\nHost: x").await;
        let answered = heard(b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n").await;
        assert!(answered.starts_with("HTTP/1.1 200"));
    }
}
