//! `cargo xtask`: one door to every check. Each command says what it runs, and those that count checks end with
//! the plain line `N passed, N failed`.

mod command;
mod fuzz;
mod packages;
mod score;

use std::process::ExitCode;

use command::{Failure, Finished, Outcome, cargo, harness, harness_with};
use score::Score;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test                          everything: unit and integration tests, conformance, faults; conformance in short
                                also with mailboxes on an Exchange server
  conformance [--only NAME]…    real programs and raw clients against the built server
  faults [--only NAME] [--rounds N] [--seed N]
                                SIGKILL under load, full disk, rebuilt sync points, syncs before answers
  bench [--stages lmtp,fetch,pop3,idle,mass] [--rounds N] [--servers NAME,NAME]
                                Dragoman beside Dovecot and Cyrus; writes docs/performance.md
  bench exchange [--messages N] [--rounds N]
  bench submission [--rounds N]
                                a mailbox on the stand-in for Exchange beside an embedded one; writes its section there
  fuzz [--seconds N] [--target NAME]
                                every fuzz target, N seconds each (default 60)
  ci                            format, lints, test, and a short fuzz run

SUBJECT=dragoman-exchange in the environment: conformance, in full, with mailboxes on an Exchange server, which is the
stand-in, or one that runs: EXCHANGE_AUTODISCOVER (URL), EXCHANGE_PIN (SHA-256 of its certificate), EXCHANGE_ADD_USER
(a program that makes NAME@example.test, called with NAME and password).

Real programs come from Debian packages and are installed when missing (as root or through sudo).";

/// Seconds a fuzz target gets in `ci`.
const CI_FUZZ_SECONDS: u64 = 15;
/// SIGKILL rounds of `test`; `faults --rounds 200` is the long run.
const TEST_KILL_ROUNDS: &str = "20";
/// What `test` checks with mailboxes on an Exchange server: groups whose outcome depends on where mailboxes are.
const ON_EXCHANGE: &[&str] = &[
    "lmtp-states",
    "imaplib",
    "mbsync",
    "mutt",
    "curl",
    "pop3",
    "submission",
    "signed",
    "thunderbird",
    "swaks",
    "postfix",
    "apple-mail",
    "corpus",
];
/// Messages of the corpus in that run.
const ON_EXCHANGE_CORPUS_MAX: &str = "200";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test"] => test(),
        ["conformance", rest @ ..] => conformance(rest),
        ["faults", rest @ ..] => faults(rest),
        ["bench", "exchange", rest @ ..] => bench_section("exchange", rest),
        ["bench", "submission", rest @ ..] => bench_section("submission", rest),
        ["bench", rest @ ..] => bench(rest),
        ["fuzz", rest @ ..] => fuzz_with(rest),
        ["ci"] => ci(),
        _ => Err(Failure(USAGE.to_owned())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(why)) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

/// Unit and integration tests, conformance, faults; one score.
fn test() -> Outcome {
    packages::install(packages::CHECKS)?;
    let mut score = Score::default();
    score.add(
        "cargo test",
        cargo(&["test", "--workspace", "--no-fail-fast"])?.scored(),
    );
    build()?;
    score.add("conformance", harness(&["conformance"])?.scored());
    score.add("conformance on Exchange", on_exchange()?.scored());
    score.add(
        "faults",
        harness(&["faults", "--rounds", TEST_KILL_ROUNDS])?.scored(),
    );
    score.close()
}

/// The short conformance run with mailboxes on the stand-in.
fn on_exchange() -> Outcome<Finished> {
    let mut arguments = vec!["conformance"];
    for group in ON_EXCHANGE {
        arguments.extend(["--only", group]);
    }
    let environment = [
        ("SUBJECT", "dragoman-exchange"),
        ("CORPUS_MAX", ON_EXCHANGE_CORPUS_MAX),
    ];
    harness_with(&environment, &arguments)
}

fn conformance(options: &[&str]) -> Outcome {
    packages::install(packages::CHECKS)?;
    if std::env::var_os("SUBJECT").is_some_and(|subject| subject == "dovecot") {
        packages::install(packages::PEERS)?;
    }
    build()?;
    let arguments = [&["conformance"], options].concat();
    harness(&arguments)?.success()
}

fn faults(options: &[&str]) -> Outcome {
    packages::install(packages::CHECKS)?;
    build()?;
    let arguments = [&["faults"], options].concat();
    harness(&arguments)?.success()
}

fn bench(options: &[&str]) -> Outcome {
    packages::install(packages::PEERS)?;
    build()?;
    let whole = !options
        .iter()
        .any(|word| *word == "--stages" || *word == "--servers");
    // A part of the stages is for looking; only a whole run replaces the page.
    let page: &[&str] = if whole {
        &["--page", "docs/performance.md"]
    } else {
        &[]
    };
    let arguments = [&["bench"], page, options].concat();
    harness(&arguments)?.success()
}

fn bench_section(name: &str, options: &[&str]) -> Outcome {
    packages::install(packages::CHECKS)?;
    build()?;
    let page = ["bench", name, "--page", "docs/performance.md"];
    harness(&[&page, options].concat())?.success()
}

fn fuzz_with(options: &[&str]) -> Outcome {
    let (mut seconds, mut target) = (60, None);
    for pair in options.chunks(2) {
        match pair {
            ["--seconds", count] => {
                seconds = count
                    .parse()
                    .map_err(|_| Failure(format!("--seconds {count}: a number is wanted")))?;
            }
            ["--target", name] => target = Some(*name),
            other => return Err(Failure(format!("unknown option {other:?}\n{USAGE}"))),
        }
    }
    let mut score = Score::default();
    fuzz::run(seconds, target, &mut score)?;
    score.close()
}

fn ci() -> Outcome {
    cargo(&["fmt", "--all", "--check"])?.success()?;
    cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])?
    .success()?;
    let mut fuzzed = Score::default();
    fuzz::run(CI_FUZZ_SECONDS, None, &mut fuzzed)?;
    fuzzed.close()?;
    test()
}

/// The server and the harness, optimised: conformance and benchmarks look at what users run.
fn build() -> Outcome {
    cargo(&[
        "build",
        "--release",
        "--package",
        "dragoman",
        "--package",
        "harness",
        "--package",
        "exchange-standin",
    ])?
    .success()
}

#[expect(clippy::print_stdout, reason = "this program's output")]
fn say(line: &str) {
    println!("{line}");
}
