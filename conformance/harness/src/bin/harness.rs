//! The checks and the benchmark, run by `cargo xtask`; see USAGE.

use std::path::PathBuf;
use std::process::ExitCode;

use harness::bench::{Plan, exchange, submission};
use harness::checks::{GROUPS, run_group};
use harness::failure::{Outcome, failure};
use harness::faults::{self, Effort};
use harness::random::Random;
use harness::report::Report;
use harness::subject::Kind;

const USAGE: &str = "\
usage: harness list
       harness conformance [--only NAME]…
       harness faults [--only NAME] [--rounds N] [--seed N] [--points N] [--messages N]
       harness bench [--stages A,B] [--servers A,B] [--rounds N] [--results FILE] [--page FILE]
       harness bench exchange [--messages N] [--rounds N] [--page FILE]
       harness bench submission [--rounds N] [--page FILE]
SUBJECT, DRAGOMAN_BIN, CORPUS_MIRRORS, CORPUS_MAX in the environment: see the crate's documentation";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            say(&format!("harness: {why}"));
            say("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome<bool> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["list"] => {
            GROUPS.iter().for_each(|group| say(group.name));
            faults::GROUPS.iter().for_each(|group| say(group.name));
            Ok(true)
        }
        ["conformance", rest @ ..] => conformance(rest),
        ["faults", rest @ ..] => faults(rest),
        ["bench", "exchange", rest @ ..] => bench_exchange(rest).map(|()| true),
        ["bench", "submission", rest @ ..] => bench_submission(rest).map(|()| true),
        ["bench", rest @ ..] => bench(rest).map(|()| true),
        _ => failure(USAGE),
    }
}

fn conformance(options: &[&str]) -> Outcome<bool> {
    let mut only = Vec::new();
    for pair in options.chunks(2) {
        match pair {
            ["--only", name] if GROUPS.iter().any(|group| group.name == *name) => only.push(*name),
            ["--only", name] => return failure(format!("no group `{name}`")),
            other => return failure(format!("unknown option {other:?}")),
        }
    }
    let kind = Kind::from_environment()?;
    let mut report = Report::new();
    for group in GROUPS
        .iter()
        .filter(|group| only.is_empty() || only.contains(&group.name))
    {
        run_group(group, &kind, &mut report);
    }
    Ok(report.close())
}

fn faults(options: &[&str]) -> Outcome<bool> {
    let mut effort = Effort {
        rounds: 200,
        seed: Random::fresh_seed(),
        points: usize::MAX,
        messages: 10_000,
    };
    let mut only = None;
    for pair in options.chunks(2) {
        match pair {
            ["--only", name] if faults::GROUPS.iter().any(|group| group.name == *name) => {
                only = Some(*name)
            }
            ["--only", name] => return failure(format!("no group `{name}`")),
            ["--rounds", count] => effort.rounds = count.parse()?,
            ["--seed", seed] => effort.seed = seed.parse()?,
            ["--points", count] => effort.points = count.parse()?,
            ["--messages", count] => effort.messages = count.parse()?,
            other => return failure(format!("unknown option {other:?}")),
        }
    }
    let kind = Kind::from_environment()?;
    let mut report = Report::new();
    for group in faults::GROUPS
        .iter()
        .filter(|group| only.is_none_or(|name| name == group.name))
    {
        faults::run_group(group, &kind, &effort, &mut report);
    }
    Ok(report.close())
}

fn bench(options: &[&str]) -> Outcome {
    let names = |list: &str| list.split(',').map(str::to_owned).collect();
    let results = PathBuf::from("target/bench/results.jsonl");
    let mut plan = Plan {
        stages: Vec::new(),
        servers: Vec::new(),
        rounds: 5,
        results,
        page: None,
    };
    for pair in options.chunks(2) {
        match pair {
            ["--stages", list] => plan.stages = names(list),
            ["--servers", list] => plan.servers = names(list),
            ["--rounds", count] => plan.rounds = count.parse()?,
            ["--results", path] => plan.results = PathBuf::from(path),
            ["--page", path] => plan.page = Some(PathBuf::from(path)),
            other => return failure(format!("unknown option {other:?}")),
        }
    }
    harness::bench::run(&plan)
}

fn bench_submission(options: &[&str]) -> Outcome {
    let mut plan = submission::Plan {
        rounds: 5,
        page: None,
    };
    for pair in options.chunks(2) {
        match pair {
            ["--rounds", count] => plan.rounds = count.parse()?,
            ["--page", path] => plan.page = Some(PathBuf::from(path)),
            other => return failure(format!("unknown option {other:?}")),
        }
    }
    submission::run(&plan)
}

fn bench_exchange(options: &[&str]) -> Outcome {
    let mut plan = exchange::Plan {
        messages: 100_000,
        rounds: 3,
        page: None,
    };
    for pair in options.chunks(2) {
        match pair {
            ["--messages", count] => plan.messages = count.parse()?,
            ["--rounds", count] => plan.rounds = count.parse()?,
            ["--page", path] => plan.page = Some(PathBuf::from(path)),
            other => return failure(format!("unknown option {other:?}")),
        }
    }
    exchange::run(&plan)
}

#[expect(clippy::print_stdout, reason = "this program's output")]
fn say(line: &str) {
    println!("{line}");
}
