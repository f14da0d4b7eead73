//! What goes wrong on demand.

use serde::{Deserialize, Serialize};

/// Something that goes wrong with requests to come.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Fault {
    /// With which requests.
    #[serde(default)]
    pub when: When,
    /// With how many of them.
    #[serde(default = "once")]
    pub times: u32,
    /// What.
    pub what: What,
}

const fn once() -> u32 {
    1
}

/// Which requests a fault is for: all, unless something is named.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Those of this user.
    pub user: Option<String>,
    /// Those of this X-RequestType; `autodiscover` names those of that service.
    pub request: Option<String>,
    /// Those with this ROP, by its name without `Rop`.
    pub rop: Option<String>,
    /// After so many that it would have been for.
    pub after: u32,
}

/// What goes wrong.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// HTTP status 401.
    Unauthorized,
    /// HTTP status 503, with Retry-After in seconds.
    Unavailable {
        /// The seconds; without them, no such header.
        retry_after_s: Option<u32>,
    },
    /// HTTP status 302 to here.
    Redirect {
        /// Where to.
        location: String,
    },
    /// X-ResponseCode; the request is not carried out.
    ResponseCode(u32),
    /// ErrorCode of the body; the request is not carried out.
    ErrorCode(u32),
    /// Connect answers that the server is too busy.
    ConnectBusy {
        /// How long the client shall wait between tries.
        retry_delay_ms: u32,
    },
    /// RopFastTransferSourceGetBuffer answers that the server is busy.
    GetBufferBusy {
        /// How long the client shall wait.
        backoff_ms: u32,
    },
    /// RopBackoff comes with the answer, for all ROPs of the logon; the ROPs of the request are not carried out.
    Backoff {
        /// How long the client shall wait.
        duration_ms: u32,
    },
    /// The ROP named in [`When`] fails with this code; it is not carried out.
    RopError(u32),
    /// The connection is cut when so many octets of the request have come; it is not carried out. A shorter request is
    /// left alone, and the fault waits on.
    CutRequest {
        /// The octets.
        after: u64,
    },
    /// The connection is cut when so many octets of the response have gone. The request is carried out. With a shorter
    /// response nothing is cut, and the fault is spent all the same.
    CutResponse {
        /// The octets.
        after: u64,
    },
    /// The answer comes late.
    Delay {
        /// By how much.
        ms: u64,
    },
}

impl What {
    /// The request is carried out, and its answer lost.
    pub const LOSE_ANSWER: Self = Self::CutResponse { after: 0 };
}

/// What happens to notifications.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationFault {
    /// Nothing.
    #[default]
    None,
    /// They are lost.
    Drop,
    /// Each comes twice.
    Double,
    /// They are kept back until this changes.
    Delay,
}

/// A request as faults see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen<'a> {
    /// Who sends it, when that is known.
    pub(crate) user: Option<&'a str>,
    /// Its X-RequestType.
    pub(crate) request: Option<&'a str>,
    /// The names of its ROPs.
    pub(crate) rops: &'a [&'static str],
}

/// Faults to come, and how many have happened.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
    happened: u64,
    /// What happens to notifications.
    pub(crate) notifications: NotificationFault,
}

impl Faults {
    /// Adds a fault.
    pub(crate) fn add(&mut self, fault: Fault) {
        if fault.times > 0 {
            self.waiting.push(fault);
        }
    }

    /// Nothing goes wrong any more.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.notifications = NotificationFault::None;
    }

    /// Faults that have not happened as often as they shall.
    pub(crate) fn waiting(&self) -> &[Fault] {
        &self.waiting
    }

    /// How many have happened.
    pub(crate) const fn happened(&self) -> u64 {
        self.happened
    }

    /// Takes the first fault for this request that `wanted` says yes to.
    pub(crate) fn take(&mut self, seen: &Seen<'_>, wanted: impl Fn(&What) -> bool) -> Option<What> {
        let fits = |fault: &Fault| wanted(&fault.what) && fault.when.is_for(seen);
        let place = self.waiting.iter().position(fits)?;
        let fault = self.waiting.get_mut(place)?;
        if fault.when.after > 0 {
            fault.when.after -= 1;
            return None;
        }
        let what = fault.what.clone();
        fault.times -= 1;
        if fault.times == 0 {
            self.waiting.remove(place);
        }
        self.happened += 1;
        Some(what)
    }

    /// The octets after which this request is cut, if it has more. The fault happens with [`Faults::cut`].
    pub(crate) fn cut_request_after(&mut self, seen: &Seen<'_>) -> Option<u64> {
        let cuts = |fault: &&mut Fault| matches!(fault.what, What::CutRequest { .. });
        let mut cuts = self.waiting.iter_mut().filter(cuts);
        let fault = cuts.find(|fault| fault.when.is_for(seen))?;
        match (&fault.what, fault.when.after) {
            (What::CutRequest { after }, 0) => Some(*after),
            _ => {
                fault.when.after -= 1;
                None
            }
        }
    }

    /// The request was cut.
    pub(crate) fn cut(&mut self, seen: &Seen<'_>) {
        self.take(seen, |what| matches!(what, What::CutRequest { .. }));
    }
}

impl When {
    fn is_for(&self, seen: &Seen<'_>) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted
                .as_deref()
                .is_none_or(|wanted| found.is_some_and(|found| found.eq_ignore_ascii_case(wanted)))
        };
        let rop = self.rop.as_deref();
        let rop = rop.is_none_or(|rop| seen.rops.iter().any(|name| name.eq_ignore_ascii_case(rop)));
        same(&self.user, seen.user) && same(&self.request, seen.request) && rop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<'a>(request: &'a str, rops: &'a [&'static str]) -> Seen<'a> {
        Seen {
            user: Some("alice"),
            request: Some(request),
            rops,
        }
    }

    #[test]
    fn a_fault_happens_as_often_as_asked_and_only_where_it_fits() {
        let mut faults = Faults::default();
        faults.add(Fault {
            when: When {
                request: Some("Execute".into()),
                rop: Some("OpenFolder".into()),
                after: 1,
                ..When::default()
            },
            times: 2,
            what: What::Unauthorized,
        });
        let mut hit = |request, rops| faults.take(&seen(request, rops), |_| true).is_some();
        assert!(!hit("Connect", &[]));
        assert!(!hit("Execute", &["Logon"]));
        assert!(!hit("Execute", &["OpenFolder"]), "the first is let through");
        assert!(hit("Execute", &["Logon", "OpenFolder"]));
        assert!(hit("Execute", &["OpenFolder"]));
        assert!(!hit("Execute", &["OpenFolder"]));
        assert_eq!(faults.happened(), 2);
    }

    #[test]
    fn faults_are_written_as_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"when": {"request": "Execute"}, "what": {"cut_response": {"after": 7}}}"#,
        )
        .unwrap();
        assert_eq!(fault.times, 1);
        assert_eq!(fault.what, What::CutResponse { after: 7 });
    }
}
