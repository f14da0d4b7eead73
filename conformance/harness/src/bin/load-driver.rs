//! `load-driver COMMAND --imap PORT --pop3 PORT --lmtp PORT …`: measures any IMAP, POP3 and LMTP server; one JSON line a result.
//!
//! Commands: `fill`, `fetch`, `retr`, `lmtp`, `purge`, `idle-latency`, `idle-mass`, `dump`. Options with their defaults:
//! `--user 'user{n}' --recipient 'user{n}@localhost' --password pass --name server --pids PID[,PID]`,
//! `--mailbox bench --count N --profile std|small|BYTES` (fill), `--what flags|dates|sizes|envelope|structure|body --runs 4`
//! (fetch), `--runs 4` (retr), `--conns 1 --count 400 --size 4096` (lmtp), `--count 20` (idle-latency), `--count 1000` (idle-mass),
//! `--users 20` (purge), `--seed 1 --index 0` (dump: one message to standard output).

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::str::FromStr;

use harness::failure::{Failure, Outcome, failure};
use harness::load::{
    DeliveryLoad, FetchItemsKind, Profile, Target, deliver, fetch, fill, idle_latency, idle_mass,
    message, purge, retrieve,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&format!("load-driver: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    let Some((command, options)) = arguments.split_first() else {
        return failure(
            "usage: load-driver fill|fetch|retr|lmtp|purge|idle-latency|idle-mass|dump [--option value]…",
        );
    };
    let options = Options::parse(options)?;
    let profile = || {
        let text = options.text("profile", "std");
        Profile::parse(&text)
            .ok_or_else(|| Failure(format!("--profile {text}: std, small or a number of bytes")))
    };
    if command == "dump" {
        let bytes = message(
            options.number("seed", 1)?,
            options.number("index", 0)?,
            profile()?,
        );
        std::io::stdout().write_all(&bytes)?;
        return Ok(());
    }
    let target = options.target()?;
    let mailbox = options.text("mailbox", "bench");
    let measurement = match command.as_str() {
        "fill" => fill(
            &target,
            &mailbox,
            options.number("count", 10_000)?,
            profile()?,
        )?,
        "fetch" => {
            let what = options.text("what", "flags");
            let kind =
                FetchItemsKind::parse(&what).ok_or_else(|| Failure(format!("--what {what}")))?;
            fetch(&target, &mailbox, kind, options.number("runs", 4)?)?
        }
        "retr" => retrieve(
            &target,
            &options.text("profile", "std"),
            options.number("runs", 4)?,
        )?,
        "lmtp" => {
            let connections = options.number("conns", 1)?;
            let messages = options.number("count", 400)?;
            deliver(
                &target,
                DeliveryLoad {
                    connections,
                    messages,
                    size: options.number("size", 4096)?,
                },
            )?
        }
        "purge" => return purge(&target, options.number("users", 20)?),
        "idle-latency" => idle_latency(&target, options.number("count", 20)?)?,
        "idle-mass" => idle_mass(&target, options.number("count", 1000)?)?,
        other => return failure(format!("unknown command {other}")),
    };
    say(&measurement.to_json(&options.text("name", "server")));
    Ok(())
}

struct Options(BTreeMap<String, String>);

impl Options {
    fn parse(words: &[String]) -> Outcome<Self> {
        let mut options = BTreeMap::new();
        for pair in words.chunks(2) {
            match pair {
                [name, value] if name.starts_with("--") => {
                    options.insert(name.trim_start_matches('-').to_owned(), value.clone());
                }
                other => return failure(format!("expected --option value, got {other:?}")),
            }
        }
        Ok(Self(options))
    }

    fn text(&self, name: &str, default: &str) -> String {
        self.0
            .get(name)
            .cloned()
            .unwrap_or_else(|| default.to_owned())
    }

    fn number<T: FromStr>(&self, name: &str, default: T) -> Outcome<T> {
        match self.0.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| Failure(format!("--{name} {text}: a number is wanted"))),
        }
    }

    fn target(&self) -> Outcome<Target> {
        let pids = self.text("pids", "");
        Ok(Target {
            imap: self.number("imap", 143)?,
            pop3: Some(self.number("pop3", 110)?),
            lmtp: self.number("lmtp", 24)?,
            user: self.text("user", "user{n}"),
            recipient: self.text("recipient", "user{n}@localhost"),
            password: self.text("password", "pass"),
            roots: pids.split(',').filter_map(|pid| pid.parse().ok()).collect(),
        })
    }
}

#[expect(clippy::print_stdout, reason = "this program's output")]
fn say(line: &str) {
    println!("{line}");
}
