//! Fuzz targets: every `*/*/fuzz` of the workspace, each target for some seconds. Crashes stay in the target's
//! `artifacts` folder, from where they become named regression files.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command::{Finished, Outcome, cargo, root};
use crate::score::Score;

/// The version that was tried with this toolchain.
const CARGO_FUZZ: &str = "cargo-fuzz@0.13.2";
/// Memory a target may use, in MiB, before libFuzzer reports it.
const MEMORY_MIB: u32 = 2048;

/// Runs all targets, or the one of this name.
pub(crate) fn run(seconds: u64, only: Option<&str>, score: &mut Score) -> Outcome {
    if !is_available() {
        cargo(&["install", "--locked", CARGO_FUZZ])?.success()?;
    }
    for folder in fuzz_folders()? {
        for target in targets(&folder)? {
            if only.is_none_or(|name| name == target) {
                let finished = fuzz(&folder, &target, seconds)?;
                let passed = finished.success().is_ok();
                score.add(
                    &format!("fuzz {target}, {seconds} s"),
                    (u64::from(passed), u64::from(!passed)),
                );
            }
        }
    }
    Ok(())
}

fn is_available() -> bool {
    let mut probe = Command::new("cargo");
    let probe = probe
        .args(["fuzz", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

/// The sanitizer flags are unstable: RUSTC_BOOTSTRAP lets the stable compiler take them.
fn fuzz(folder: &Path, target: &str, seconds: u64) -> Outcome<Finished> {
    let mut command = Command::new("cargo");
    // libFuzzer writes what it finds to the first corpus: the committed one stays as it is.
    let found = folder.join("target/found").join(target);
    std::fs::create_dir_all(&found)?;
    command
        .args(["fuzz", "run", "--fuzz-dir"])
        .arg(folder)
        .arg(target)
        .arg(found);
    let committed = folder.join("corpus").join(target);
    if committed.is_dir() {
        command.arg(committed);
    }
    command.arg("--");
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"));
    command.arg("-print_final_stats=1").arg("-timeout=10");
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(folder.parent().unwrap_or(folder));
    crate::command::run(&mut command)
}

fn fuzz_folders() -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for area in folders(&root())? {
        for member in folders(&area)? {
            let folder = member.join("fuzz");
            if folder.join("Cargo.toml").is_file() {
                found.push(folder.canonicalize()?);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn folders(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && entry.file_name() != "target" {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn targets(folder: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.join("fuzz_targets"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == "rs") {
            names.extend(
                path.file_stem()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    Ok(names)
}
