//! What every message passes on its way in and out: an ordered list of stages, each with a step that may pass it,
//! change it, divert it, refuse it, or take it and let it go no further.
//!
//! A step sees a message and says what should become of it; the [`Pipeline`] does it. So a step that takes too long,
//! fails or says what cannot be has changed nothing, and its stage says what happens then: the message goes on, or its
//! sender is told to try again. Rules and Sieve will be steps, too.

mod answer;
mod archive;
mod change;
mod milter;
mod passing;
mod policy;
mod stamp;

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

pub use answer::Answer;
pub use archive::Archive;
pub use change::{Changes, HeaderEdit};
pub use milter::{Milter, Place};
pub use passing::{Added, Client, Direction, Passing};
pub use policy::Policy;
pub use stamp::Stamp;
use tokio::time::timeout;

/// What a step returns.
pub type Judging<'a> = Pin<Box<dyn Future<Output = Result<Verdict, Failure>> + Send + 'a>>;

/// Something that looks at messages.
pub trait Step: Send + Sync {
    /// Says what should become of a message. It may be abandoned at any await.
    fn judge<'a>(&'a self, passing: &'a Passing) -> Judging<'a>;
}

/// What should become of a message.
#[derive(Debug)]
pub enum Verdict {
    /// It goes on as it is.
    Pass,
    /// It goes on with changes.
    Change(Changes),
    /// Its sender is told that it is not taken: for now (4xx) or for good (5xx).
    Refuse(Answer),
    /// It is taken, and goes nowhere.
    Drop,
}

/// Why a step said nothing.
#[derive(Debug)]
pub struct Failure(pub String);

/// What happens to a message when a step fails.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnFailure {
    /// It goes on without the step.
    Pass,
    /// Its sender is told to try again later.
    #[default]
    Defer,
}

/// A step, and when it is asked.
pub struct Stage {
    /// What it is called in logs and metrics.
    pub name: String,
    /// Messages on their way in.
    pub deliveries: bool,
    /// Messages on their way out.
    pub submissions: bool,
    /// How long the step may take.
    pub timeout: Duration,
    /// What happens when it fails.
    pub on_failure: OnFailure,
    /// The step.
    pub step: Box<dyn Step>,
}

/// How a message came out.
#[derive(Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It goes on.
    Passed,
    /// Its sender is told this.
    Refused(Answer),
    /// It is taken, and goes nowhere.
    Dropped,
}

/// All stages, in their order.
#[derive(Default)]
pub struct Pipeline(Vec<Stage>);

impl Pipeline {
    /// Stages in this order.
    pub const fn new(stages: Vec<Stage>) -> Self {
        Self(stages)
    }

    /// Whether messages of a direction pass nothing.
    pub fn is_empty(&self, direction: Direction) -> bool {
        !self.0.iter().any(|stage| stage.sees(direction))
    }

    /// Lets a message pass all stages. What is left of a refused or dropped one is of no use.
    pub async fn run(&self, passing: &mut Passing) -> Outcome {
        for stage in &self.0 {
            if !stage.sees(passing.direction) {
                continue;
            }
            if let Some(ended) = stage.run(passing).await {
                return ended;
            }
            if passing.is_over() {
                passing.added.clear();
                break;
            }
        }
        Outcome::Passed
    }
}

impl Stage {
    /// Whether messages of a direction pass it.
    pub const fn sees(&self, direction: Direction) -> bool {
        match direction {
            Direction::Delivery => self.deliveries,
            Direction::Submission => self.submissions,
        }
    }

    /// One stage; `None`: the message goes on.
    async fn run(&self, passing: &mut Passing) -> Option<Outcome> {
        let began = Instant::now();
        let judged = timeout(self.timeout, self.step.judge(passing)).await;
        let judged = judged.unwrap_or_else(|_| Err(Failure("it took too long".to_owned())));
        let (what, ended) = match judged.and_then(|verdict| self.apply(verdict, passing)) {
            Ok(done) => done,
            Err(Failure(why)) => {
                let (name, id) = (&self.name, &passing.id);
                tracing::warn!(step = name, id, why, "a step failed");
                match self.on_failure {
                    OnFailure::Pass => ("failed", None),
                    OnFailure::Defer => ("failed", Some(Outcome::Refused(Answer::later()))),
                }
            }
        };
        let took = began.elapsed();
        let labels = [("step", self.name.clone()), ("outcome", what.to_owned())];
        metrics::counter!("pipeline_messages_total", &labels).increment(1);
        metrics::histogram!("pipeline_seconds", "step" => self.name.clone()).record(took);
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(step = self.name, id = passing.id, what, took_ms, "step");
        ended
    }

    fn apply(
        &self,
        verdict: Verdict,
        passing: &mut Passing,
    ) -> Result<(&'static str, Option<Outcome>), Failure> {
        Ok(match verdict {
            Verdict::Pass => ("passed", None),
            Verdict::Change(changes) => {
                changes.apply(passing, self.on_failure)?;
                ("changed", None)
            }
            Verdict::Refuse(answer) => {
                tracing::info!(step = self.name, id = passing.id, %answer, "refused");
                ("refused", Some(Outcome::Refused(answer)))
            }
            Verdict::Drop => {
                tracing::info!(step = self.name, id = passing.id, "dropped");
                ("dropped", Some(Outcome::Dropped))
            }
        })
    }
}
