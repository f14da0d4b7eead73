//! `dragoman mapi freebusy`: when somebody is busy.

use account::MailboxId;
use mapi_store::Backend;
use serde_json::json;

use super::{
    moment,
    output::{Output, aligned, plain},
    session::{Session, invalid},
};
use crate::{
    cli::mapi::Span,
    failure::{Doing, Result},
};

/// Prints the times, and says what is not among them.
pub(super) async fn free_busy(session: &Session, span: &Span, out: &Output) -> Result<()> {
    let (from, to) = (span.from.time(), span.to.time());
    if to <= from {
        return Err(invalid("the span ends before it begins"));
    }
    let of = match &span.of {
        Some(address) => MailboxId(session.gateway.mapi_member(address).await?),
        None => session.mailbox.clone(),
    };
    let backends = session.gateway.backends();
    let known = backends.free_busy(&session.principal, &of, from..to).await;
    let known = known.doing(|| format!("asking when {of} is busy"))?;
    let mut rows = Vec::new();
    for busy in &known.times {
        match out.is_json {
            true => {
                let line = json!({
                    "start": moment::text(busy.start),
                    "end": moment::text(busy.end),
                    "status": busy.status.name(),
                    "subject": busy.subject,
                    "location": busy.location,
                });
                out.line(line.to_string()).await?;
            }
            false => rows.push(vec![
                moment::text(busy.start),
                moment::text(busy.end),
                busy.status.name().to_owned(),
                plain(busy.subject.as_deref().unwrap_or("")),
                plain(busy.location.as_deref().unwrap_or("")),
            ]),
        }
    }
    for line in aligned(&rows) {
        out.line(line).await?;
    }
    let series = known.series_left_out;
    if series > 0 {
        out.say(
            || format!("incomplete: {series} series are not among these times"),
            || json!({"incomplete": true, "series_left_out": series}),
        )
        .await?;
    }
    Ok(())
}
