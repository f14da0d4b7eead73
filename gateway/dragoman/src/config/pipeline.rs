//! `[[pipeline]]`: what every message passes on its way in and out, in the order of the file.

use std::{sync::Arc, time::Duration};

use pipeline::{
    Archive, Direction, Failure, Milter, OnFailure, Pipeline, Place, Policy, Stage, Stamp, Step,
};
use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;

/// The longest time that a step may be given, in seconds: clients wait for their replies meanwhile (RFC 5321 4.5.3.2.6).
const TIMEOUT_MAX_S: u64 = 540;

/// One step. Which of the keys below `on_failure` belong to it, `step` says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepConfig {
    step: Kind,
    /// What it is called in logs and metrics; by default as `step`.
    #[serde(default)]
    name: String,
    /// Which messages pass it.
    #[serde(default = "all_ways")]
    messages: Vec<Way>,
    /// How long it may take, in seconds.
    #[serde(default = "timeout_s")]
    timeout_s: u64,
    /// What happens when it fails or takes too long.
    #[serde(default)]
    on_failure: WhenItFails,
    /// Of `stamp`: fields to put before the others.
    #[serde(default)]
    add: Vec<String>,
    /// Of `stamp`: names of fields to take out.
    #[serde(default)]
    remove: Vec<String>,
    /// Of `policy`: the largest message, in octets; 0: any.
    #[serde(default)]
    bytes_max: u64,
    /// Of `policy`: media types that may not be attached.
    #[serde(default)]
    types: Vec<String>,
    /// Of `policy`: file names that may not be attached.
    #[serde(default)]
    names: Vec<String>,
    /// Of `archive`: who gets a copy.
    #[serde(default)]
    to: String,
    /// Of `milter`: HOST:PORT, or `unix:PATH`.
    #[serde(default)]
    address: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Stamp,
    Policy,
    Archive,
    Milter,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Deliveries,
    Submissions,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum WhenItFails {
    /// The message goes on without it.
    Pass,
    /// Who hands it in is told to try again later.
    #[default]
    Defer,
}

fn all_ways() -> Vec<Way> {
    vec![Way::Deliveries, Way::Submissions]
}

const fn timeout_s() -> u64 {
    60
}

/// The pipeline of a configuration. `body_bytes_max`: the largest body that a filter may put in a message's place.
pub(crate) fn pipeline(
    steps: &[StepConfig],
    body_bytes_max: u64,
) -> Result<Arc<Pipeline>, ConfigError> {
    let stages = steps.iter().enumerate().map(|(at, step)| {
        let key = |key: &str| format!("pipeline.{}.{key}", at + 1);
        step.check(key)?;
        step.stage(key, body_bytes_max)
    });
    let stages = stages.collect::<Result<Vec<_>, _>>()?;
    for direction in [Direction::Delivery, Direction::Submission] {
        let seeing = stages.iter().filter(|stage| stage.sees(direction));
        let all: u64 = seeing.map(|stage| stage.timeout.as_secs()).sum();
        if all > TIMEOUT_MAX_S {
            let expected = format!("at most {TIMEOUT_MAX_S} for all steps of a message");
            return Err(ConfigError::value(
                "pipeline.*.timeout_s",
                &all.to_string(),
                &expected,
            ));
        }
    }
    let mut names: Vec<_> = stages.iter().map(|stage| stage.name.as_str()).collect();
    names.sort_unstable();
    if let Some([twice, _]) = names.array_windows().find(|[one, next]| one == next) {
        return Err(ConfigError::value(
            "pipeline.*.name",
            twice,
            "a name of its own for each step",
        ));
    }
    Ok(Arc::new(Pipeline::new(stages)))
}

impl StepConfig {
    fn check(&self, key: impl Fn(&str) -> String) -> Result<(), ConfigError> {
        if !(1..=TIMEOUT_MAX_S).contains(&self.timeout_s) {
            let expected = format!("1 to {TIMEOUT_MAX_S}");
            let found = self.timeout_s.to_string();
            return Err(ConfigError::value(&key("timeout_s"), &found, &expected));
        }
        if self.messages.is_empty() {
            let expected = "\"deliveries\", \"submissions\", or both";
            return Err(ConfigError::value(&key("messages"), "none", expected));
        }
        let is_idle = match self.step {
            Kind::Stamp => self.add.is_empty() && self.remove.is_empty(),
            Kind::Policy => self.bytes_max == 0 && self.types.is_empty() && self.names.is_empty(),
            Kind::Archive | Kind::Milter => false,
        };
        if is_idle {
            let expected = "what it is to do";
            return Err(ConfigError::value(&key("step"), self.step.name(), expected));
        }
        for (name, is_set, kind) in [
            ("add", !self.add.is_empty(), Kind::Stamp),
            ("remove", !self.remove.is_empty(), Kind::Stamp),
            ("bytes_max", self.bytes_max != 0, Kind::Policy),
            ("types", !self.types.is_empty(), Kind::Policy),
            ("names", !self.names.is_empty(), Kind::Policy),
            ("to", !self.to.is_empty(), Kind::Archive),
            ("address", !self.address.is_empty(), Kind::Milter),
        ] {
            if is_set && self.step != kind {
                let expected = format!("it in a step \"{}\"", kind.name());
                return Err(ConfigError::value(&key(name), "a value", &expected));
            }
        }
        Ok(())
    }

    fn stage(
        &self,
        key: impl Fn(&str) -> String,
        body_bytes_max: u64,
    ) -> Result<Stage, ConfigError> {
        let step: Box<dyn Step> = match self.step {
            Kind::Stamp => {
                let stamp = Stamp::new(&self.add, &self.remove);
                Box::new(stamp.map_err(|Failure(why)| {
                    ConfigError::value(
                        &key("add, remove"),
                        &why,
                        "fields such as \"X-A: b\", and names",
                    )
                })?)
            }
            Kind::Policy => Box::new(Policy {
                bytes_max: (self.bytes_max != 0).then_some(self.bytes_max),
                types: self.types.clone(),
                names: self.names.clone(),
            }),
            Kind::Archive => {
                let archive = Archive::new(&self.to);
                let none = |_| ConfigError::value(&key("to"), &self.to, "an address");
                Box::new(archive.map_err(none)?)
            }
            Kind::Milter => {
                let none = || {
                    let expected = "HOST:PORT, or unix:PATH";
                    ConfigError::value(&key("address"), &self.address, expected)
                };
                Box::new(Milter {
                    place: place(&self.address).ok_or_else(none)?,
                    body_bytes_max: usize::try_from(body_bytes_max).unwrap_or(usize::MAX),
                })
            }
        };
        let name = match self.name.is_empty() {
            true => self.step.name().to_owned(),
            false => self.name.clone(),
        };
        Ok(Stage {
            name,
            deliveries: self.messages.contains(&Way::Deliveries),
            submissions: self.messages.contains(&Way::Submissions),
            timeout: Duration::from_secs(self.timeout_s),
            on_failure: match self.on_failure {
                WhenItFails::Pass => OnFailure::Pass,
                WhenItFails::Defer => OnFailure::Defer,
            },
            step,
        })
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Stamp => "stamp",
            Self::Policy => "policy",
            Self::Archive => "archive",
            Self::Milter => "milter",
        }
    }
}

fn place(text: &str) -> Option<Place> {
    if let Some(path) = text.strip_prefix("unix:") {
        return (!path.is_empty()).then(|| Place::Unix(path.into()));
    }
    let (host, port) = text.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    (!host.is_empty()).then(|| Place::Tcp(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        pipeline: Vec<StepConfig>,
    }

    fn load(text: &str) -> Result<(), String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        pipeline(&file.pipeline, 1 << 20)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn steps_are_read_in_their_order_and_misunderstandings_told() {
        let good = "[[pipeline]]\nstep = \"milter\"\naddress = \"unix:/run/spam.sock\"\nmessages = [\"deliveries\"]\n\
                    on_failure = \"pass\"\n[[pipeline]]\nstep = \"stamp\"\nadd = [\"X-A: b\"]\n";
        load(good).unwrap();
        for (text, fault) in [
            ("step = \"milter\"", "pipeline.1.address"),
            (
                "step = \"milter\"\naddress = \"here\"",
                "pipeline.1.address",
            ),
            (
                "step = \"milter\"\nto = \"a@b\"\naddress = \"a:1\"",
                "pipeline.1.to",
            ),
            ("step = \"archive\"", "pipeline.1.to"),
            ("step = \"stamp\"\nadd = [\"no field\"]", "pipeline.1.add"),
            (
                "step = \"stamp\"\nadd = [\"A: b\\r\\nC: d\"]",
                "pipeline.1.add",
            ),
            ("step = \"policy\"", "pipeline.1.step"),
            ("step = \"archive\"\nto = \"<a@b>\"", "pipeline.1.to"),
            (
                "step = \"archive\"\nto = \"a@b\"\nmessages = []",
                "pipeline.1.messages",
            ),
            (
                "step = \"archive\"\nto = \"a@b\"\n[[pipeline]]\nstep = \"archive\"\nto = \"c@d\"",
                "pipeline.*.name",
            ),
            (
                "step = \"archive\"\nto = \"a@b\"\ntimeout_s = 300\n[[pipeline]]\nname = \"b\"\nstep = \"archive\"\nto = \"c@d\"\ntimeout_s = 300",
                "pipeline.*.timeout_s",
            ),
            ("step = \"policy\"\ntimeout_s = 0", "pipeline.1.timeout_s"),
            ("step = \"sieve\"", "unknown variant"),
            ("step = \"policy\"\nmax = 1", "unknown field"),
        ] {
            let said = load(&format!("[[pipeline]]\n{text}\n")).unwrap_err();
            assert!(said.contains(fault), "{text}: {said}");
        }
    }
}
