//! `harness conformance [--only NAME]…` runs the black-box checks; `harness list` names them.

use std::process::ExitCode;

use harness::checks::{GROUPS, run_group};
use harness::failure::{Outcome, failure};
use harness::report::Report;
use harness::subject::Kind;

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
            Ok(true)
        }
        ["packages"] => {
            GROUPS
                .iter()
                .flat_map(|group| group.packages)
                .for_each(|package| say(package));
            Ok(true)
        }
        ["conformance", rest @ ..] => conformance(rest),
        _ => failure("usage: harness list | packages | conformance [--only NAME]…"),
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

#[expect(clippy::print_stdout, reason = "this program's output")]
fn say(line: &str) {
    println!("{line}");
}
