//! Plain HTTP: health and metrics on `admin`, a page that says how to connect on `http` and `https`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{Html, IntoResponse},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;

/// What the administrator's endpoints show.
#[derive(Clone)]
pub(crate) struct Health {
    /// Turns false at shutdown, so that a load balancer looks elsewhere.
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) metrics: PrometheusHandle,
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
