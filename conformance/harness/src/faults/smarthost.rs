//! Mail for others through a Postfix that refuses, greylists, dawdles, breaks off and is killed, while Dragoman is
//! killed as well: every recipient gets each message or its sender one report, and a second copy comes about only
//! where an answer was lost.

mod attempts;
mod clients;
mod lossy_proxy;
mod policy;
mod reckoning;
mod sink;

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::Effort;
use crate::failure::{Outcome, ensure};
use crate::postfix::{Plan, Postfix};
use crate::process::eventually;
use crate::random::Random;
use crate::report::Report;
use crate::subject::{Kind, Options, Subject};
use attempts::Attempts;
use clients::Clients;
use lossy_proxy::LossyProxy;
use policy::Policy;
use reckoning::{Reckoning, reports};
use sink::Sink;

/// Messages between two kills.
const MESSAGES_PER_ROUND: usize = 100;
/// Postfix is killed, too, in one round of so many.
const RELAY_KILLED_EVERY: usize = 8;
/// How long Postfix stays away then.
const RELAY_AWAY: Duration = Duration::from_millis(300);
/// The longest time from a round's last message to the kill, in milliseconds.
const KILL_WITHIN_MS: u64 = 300;
/// How long the messages of one round may take.
const ROUND_LIMIT: Duration = Duration::from_secs(120);
/// How long all that waits may take when nothing is broken any more.
const DRAIN_LIMIT: Duration = Duration::from_secs(600);

/// Runs the group.
pub(super) fn run(kind: &Kind, effort: &Effort, report: &mut Report) -> Outcome {
    let scene = Scene::start(kind, effort)?;
    report.note(&format!("seed {}", effort.seed));
    let (reckoning, subject) = scene.play(effort)?;
    report.note(&reckoning.figures());
    report.check(
        "every recipient got each message, or its sender one report",
        || ensure(reckoning.wrong.is_empty(), || reckoning.wrong.join("; ")),
    );
    report.check("no second copy but where an answer was lost", || {
        ensure(reckoning.doubled.is_empty(), || {
            reckoning.doubled.join("; ")
        })
    });
    report.check("the smarthost got every byte as it was sent", || {
        ensure(reckoning.altered.is_empty(), || {
            reckoning.altered.join("; ")
        })
    });
    report.check("the load was real", || {
        ensure(reckoning.is_real(), || reckoning.figures())
    });
    report.check("the folder is sound", || {
        subject.check_data(&subject.data())
    });
    subject.clean_up()
}

/// Everything that stands.
struct Scene {
    subject: Subject,
    postfix: Postfix,
    proxy: LossyProxy,
    sink: Sink,
    attempts: Arc<Attempts>,
    random: Random,
}

impl Scene {
    fn start(kind: &Kind, effort: &Effort) -> Outcome<Self> {
        let mut random = Random::new(effort.seed, 3);
        let attempts = Arc::new(Attempts::default());
        let sink = Sink::start(Arc::clone(&attempts))?;
        let policy = Policy::start()?;
        // The relay's folder is in the subject's, which is known only when the proxy in front of the relay is.
        let proxy = LossyProxy::start(random.next())?;
        let options = Options {
            settings: settings(proxy.port),
            ..Options::default()
        };
        let subject = Subject::start(kind, options)?;
        let plan = Plan {
            domain: attempts::DOMAIN,
            transport: &format!("inet:127.0.0.1:{}", sink.port),
            settings: &format!(
                "smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:{}, permit\n\
                 smtpd_error_sleep_time = 0\nsmtpd_hard_error_limit = 1000\nsmtpd_soft_error_limit = 1000\n",
                policy.port
            ),
        };
        let postfix = Postfix::start(&subject.work.join("smarthost"), plan)?;
        proxy.to(postfix.port);
        Ok(Self {
            subject,
            postfix,
            proxy,
            sink,
            attempts,
            random,
        })
    }

    /// All rounds, then the wait until nothing waits, then the reckoning.
    fn play(mut self, effort: &Effort) -> Outcome<(Reckoning, Subject)> {
        let port = self.subject.listeners.submission.unwrap_or_default();
        let clients = Clients::start(
            port,
            &self.subject.alice,
            (&self.attempts, &self.proxy.seen),
            &mut self.random,
        );
        for round in 1..=effort.rounds {
            let wanted = round * MESSAGES_PER_ROUND;
            eventually(ROUND_LIMIT, "the messages of a round are taken", || {
                Ok(self.attempts.acknowledged() >= wanted)
            })?;
            if round % RELAY_KILLED_EVERY == 0 {
                self.postfix.kill()?;
                sleep(RELAY_AWAY);
                self.postfix.run()?;
            }
            sleep(Duration::from_millis(self.random.below(KILL_WITHIN_MS)));
            self.subject.kill()?;
            self.proxy.seen.killed();
            self.subject.run()?;
        }
        clients.finish()?;
        self.proxy.mend();
        let drained = eventually(DRAIN_LIMIT, "all that waited has gone", || {
            Ok(self.sink.misses(&self.attempts) == 0 && self.postfix.is_empty()?)
        });
        let reports = self.all_reports();
        self.postfix.stop()?;
        self.subject.stop()?;
        let reckoning = Reckoning::make(
            &self.attempts,
            (&self.sink, &self.proxy.seen),
            &reports?,
            effort.rounds * MESSAGES_PER_ROUND,
        );
        // What is missing is named by the reckoning; that it took too long is told when nothing else is.
        if reckoning.wrong.is_empty() {
            drained?;
        }
        Ok((reckoning, self.subject))
    }

    /// Waits until no further report arrives, and gives all there are.
    fn all_reports(&self) -> Outcome<reckoning::Reports> {
        let wanted = self.attempts.refused();
        let mut found = reckoning::Reports::new();
        let waited = eventually(DRAIN_LIMIT, "all reports arrive", || {
            found = reports(&self.subject)?;
            Ok(found.len() >= wanted)
        });
        // Too few are told one by one.
        waited.or(Ok(())).map(|()| found)
    }
}

/// Where mail for others goes, and that it is tried often.
fn settings(port: u16) -> Vec<String> {
    [
        "outbound.server.relay.host=127.0.0.1",
        &format!("outbound.server.relay.port={port}"),
        "outbound.server.relay.tls=none",
        "outbound.retry_after_min_s=1",
        "outbound.retry_after_max_s=5",
    ]
    .map(str::to_owned)
    .into()
}
