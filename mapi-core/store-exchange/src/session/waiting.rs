//! Waiting for notifications, as a task of its own beside a session's.

use std::time::Duration;

use mapi_wire::http::emsmdb;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};

use super::{Context, actor::WAIT_MAX, pace::Pace};
use crate::fault::{Fault, Result};

/// How long to pause after waiting for notifications was broken off, at first and at most.
const WAIT_AGAIN_FIRST: Duration = Duration::from_secs(1);
const WAIT_AGAIN_MAX: Duration = Duration::from_secs(60);

/// The longest silence in NotificationWait: servers answer after five minutes (MS-OXCMAPIHTTP 3.2.2).
const NOTIFICATION_SILENCE_MAX: Duration = Duration::from_secs(330);

/// There are notifications to be fetched; who wants to hear about how many messages they were is told.
pub(super) type Wake = Option<oneshot::Sender<Result<usize>>>;

/// Waits for notifications beside the other requests, until the context is gone.
///
/// It asks again when what there was has been fetched: before, the server would answer at once, for the same
/// notifications. A connection that breaks, an answer that makes no sense, or notifications that cannot be fetched cost a
/// pause: whoever uses the context finds out whether it still lives, and ends this task if not.
pub(super) async fn wait(mut context: Context, woken: mpsc::Sender<Wake>) {
    let call = emsmdb::NotificationWait { flags: 0 };
    let mut pause = WAIT_AGAIN_FIRST;
    let (mut pace, mut heard_at) = (Pace::default(), Instant::now());
    loop {
        let outcome = match context.call(&call, Some(NOTIFICATION_SILENCE_MAX)).await {
            Ok((0, Some(waited))) if waited.event_pending != 0 => {
                let (waits, collected) = oneshot::channel();
                if woken.send(Some(waits)).await.is_err() {
                    return;
                }
                match collected.await {
                    Ok(Err(Fault::Busy(wait))) => Err(Fault::Busy(wait)),
                    Ok(Ok(told)) => {
                        let wait = pace.after(told, heard_at.elapsed());
                        heard_at = Instant::now();
                        sleep(wait).await;
                        Ok(())
                    }
                    _ => Err(Fault::Away("notifications were not fetched".into())),
                }
            }
            Ok((0, Some(_))) => Ok(()),
            Ok((error, _)) => {
                tracing::debug!(error, "the server gives no notifications");
                return;
            }
            Err(fault) => Err(fault),
        };
        match outcome {
            Ok(()) => pause = WAIT_AGAIN_FIRST,
            Err(Fault::Busy(wait)) => sleep(wait.min(WAIT_MAX)).await,
            Err(fault @ (Fault::Lost(_) | Fault::Away(_) | Fault::Malformed(_))) => {
                tracing::debug!(%fault, "waiting for notifications was broken off");
                sleep(pause).await;
                pause = (pause * 2).min(WAIT_AGAIN_MAX);
            }
            Err(fault) => {
                tracing::debug!(%fault, "waiting for notifications ended");
                return;
            }
        }
    }
}
