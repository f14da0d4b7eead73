//! Dragoman beside Dovecot and Cyrus on one machine: every stage on every server in turn, several rounds, so that
//! whatever else the machine does falls on all of them alike. Results go to a file of JSON lines as they come,
//! medians and ratios to a Markdown page.

mod cyrus;
mod dovecot;
pub mod exchange;
mod page;
mod server;
pub mod submission;

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::failure::{Context, Outcome, failure};
use crate::load::{
    DeliveryLoad, FetchItemsKind, Measurement, Profile, deliver, fetch, fill, idle_latency,
    idle_mass, memory, purge, retrieve,
};
use crate::process::run as run_program;
use page::Results;
use server::{Kind, Server};

/// Users that deliveries go to and that idle.
const USERS: usize = 20;
/// Messages of the mailbox that is fetched.
const FETCH_MESSAGES: u64 = 10_000;
/// The mailbox that is fetched.
const FETCH_MAILBOX: &str = "bench10k";
/// Fetches a round, of which the best counts.
const FETCH_RUNS: usize = 4;
/// The user whose Inbox is fetched by POP3; nothing else touches it.
const POP3_USER: usize = USERS;
/// What is fetched by POP3: by name, how many messages of which size.
const POP3_INBOXES: [(&str, u64, Profile); 2] = [
    ("std", 2_000, Profile::Standard),
    ("large", 40, Profile::Fixed(2_000_000)),
];
/// Fetches of an Inbox a round, of which the best counts.
const POP3_RUNS: usize = 4;
/// Deliveries a round that an idle client waits for.
const IDLE_DELIVERIES: usize = 20;
/// Idle connections held at once.
const IDLE_CONNECTIONS: usize = 1000;

/// How long a server may take to let go of closed connections.
const SETTLE: Duration = Duration::from_secs(5);

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `lmtp`, `fetch`, `pop3`, `idle`, `mass`; empty for all.
    pub stages: Vec<String>,
    /// Servers by name; empty for all.
    pub servers: Vec<String>,
    /// How often each stage runs on each server.
    pub rounds: usize,
    /// Where JSON lines go.
    pub results: PathBuf,
    /// The page to write; `None` writes none.
    pub page: Option<PathBuf>,
}

/// Runs the whole plan.
pub fn run(plan: &Plan) -> Outcome {
    let known = ["lmtp", "fetch", "pop3", "idle", "mass"];
    if let Some(unknown) = plan
        .stages
        .iter()
        .find(|stage| !known.contains(&stage.as_str()))
    {
        return failure(format!("no stage `{unknown}`; there are {known:?}"));
    }
    raise_open_files()?;
    let mut bench = Bench::start(plan)?;
    let measured = bench.measure();
    for server in std::mem::take(&mut bench.servers) {
        server.finish()?;
    }
    measured?;
    let page = bench.results.page(&machine(), plan.rounds);
    say(&page);
    match &plan.page {
        Some(path) => {
            let before = std::fs::read_to_string(path).unwrap_or_default();
            // The table comes before all sections.
            let sections = before.find("\n## ");
            let kept = sections.and_then(|at| before.get(at + 1..));
            let kept = kept.unwrap_or_default();
            let gap = if kept.is_empty() { "" } else { "\n" };
            std::fs::write(path, format!("{page}{gap}{kept}")).during(path.display())
        }
        None => Ok(()),
    }
}

struct Bench<'a> {
    plan: &'a Plan,
    servers: Vec<Server>,
    results: Results,
    file: std::fs::File,
}

impl<'a> Bench<'a> {
    fn start(plan: &'a Plan) -> Outcome<Self> {
        if let Some(folder) = plan.results.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = std::fs::File::create(&plan.results)?;
        let mut servers = Vec::new();
        for kind in Kind::ALL {
            if plan.servers.is_empty() || plan.servers.iter().any(|name| name == kind.name()) {
                servers.push(Server::start(kind).during(kind.name())?);
            }
        }
        Ok(Self {
            plan,
            servers,
            results: Results::default(),
            file,
        })
    }

    fn wants(&self, stage: &str) -> bool {
        self.plan.stages.is_empty() || self.plan.stages.iter().any(|wanted| wanted == stage)
    }

    /// Runs one measurement on every server in turn.
    fn each(&mut self, measure: impl Fn(&mut Server) -> Outcome<Measurement>) -> Outcome {
        self.each_with(|server| measure(server).map(Some))
    }

    /// Runs one measurement in turn on every server that can be measured so.
    fn each_with(
        &mut self,
        measure: impl Fn(&mut Server) -> Outcome<Option<Measurement>>,
    ) -> Outcome {
        for server in &mut self.servers {
            let Some(measurement) = measure(server).during(server.kind.name())? else {
                continue;
            };
            let line = measurement.to_json(server.kind.name());
            say(&line);
            writeln!(self.file, "{line}")?;
            self.results.add(server.kind, measurement);
        }
        Ok(())
    }

    fn measure(&mut self) -> Outcome {
        self.fill()?;
        for round in 1..=self.plan.rounds {
            self.round(round)?;
        }
        if self.wants("pop3") {
            self.pop3()?;
        }
        if self.wants("mass") {
            self.mass()
        } else {
            Ok(())
        }
    }

    fn fill(&mut self) -> Outcome {
        if !self.wants("fetch") {
            return Ok(());
        }
        self.each(|server| {
            fill(
                &server.target,
                FETCH_MAILBOX,
                FETCH_MESSAGES,
                Profile::Standard,
            )
        })
    }

    fn round(&mut self, round: usize) -> Outcome {
        say(&format!("round {round} of {}", self.plan.rounds));
        if self.wants("lmtp") {
            for size in [4096, 51_200] {
                for (connections, messages) in [(1, 400), (8, 1600)] {
                    let load = DeliveryLoad {
                        connections,
                        messages,
                        size,
                    };
                    self.each(|server| deliver(&server.target, load))?;
                }
            }
            for server in &self.servers {
                purge(&server.target, 8)?;
            }
        }
        if self.wants("fetch") {
            for what in [FetchItemsKind::Flags, FetchItemsKind::Envelope] {
                self.each(|server| fetch(&server.target, FETCH_MAILBOX, what, FETCH_RUNS))?;
            }
        }
        if self.wants("idle") {
            self.each(|server| idle_latency(&server.target, IDLE_DELIVERIES))?;
            for server in &self.servers {
                purge(&server.target, 1)?;
            }
        }
        Ok(())
    }

    /// Every Inbox in turn, several rounds each, on the servers that speak POP3.
    fn pop3(&mut self) -> Outcome {
        for (name, count, profile) in POP3_INBOXES {
            for server in self
                .servers
                .iter()
                .filter(|server| server.target.pop3.is_some())
            {
                fill(&server.target.only(POP3_USER), "INBOX", count, profile)?;
            }
            for _ in 0..self.plan.rounds {
                self.each_with(|server| match server.target.pop3 {
                    Some(_) => {
                        let target = server.target.only(POP3_USER);
                        retrieve(&target, name, POP3_RUNS).map(Some)
                    }
                    None => Ok(None),
                })?;
            }
        }
        Ok(())
    }

    /// First memory after all that was measured, with the idle connections on top and gone again; then, on freshly
    /// started servers each time, what an idle connection costs: memory kept from an earlier round would hide it.
    fn mass(&mut self) -> Outcome {
        self.each(|server| {
            idle_mass(&server.target, IDLE_CONNECTIONS)?;
            std::thread::sleep(SETTLE);
            let memory = memory(&server.target.roots);
            let figures = vec![
                ("resident_mib".into(), memory.resident_kib as f64 / 1024.0),
                (
                    "proportional_mib".into(),
                    memory.proportional_kib as f64 / 1024.0,
                ),
            ];
            Ok(Measurement {
                test: "memory after all".into(),
                figures,
            })
        })?;
        for _ in 0..self.plan.rounds {
            self.each(|server| {
                server.restart()?;
                purge(&server.target, USERS)?;
                idle_mass(&server.target, IDLE_CONNECTIONS)
            })?;
        }
        Ok(())
    }
}

/// A thousand connections want more than the usual 1,024 files, here and in the servers, which inherit it: the soft
/// limit goes up to the hard one.
fn raise_open_files() -> Outcome {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let hard = line
        .and_then(|line| line.split_whitespace().nth(4))
        .unwrap_or("unlimited");
    let mut command = Command::new("prlimit");
    command.args([
        "--pid",
        &std::process::id().to_string(),
        &format!("--nofile={hard}:{hard}"),
    ]);
    run_program(&mut command, b"", Duration::from_secs(5))?
        .success()
        .map(|_| ())
}

/// One line about the machine.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    format!("{cores} cores ({model}), load average {load} at the end")
}

#[expect(clippy::print_stdout, reason = "this program's output")]
fn say(line: &str) {
    println!("{line}");
}
