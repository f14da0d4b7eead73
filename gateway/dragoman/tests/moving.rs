//! Imports and exports that are killed at any moment, and run again.

#![expect(clippy::unwrap_used, reason = "assertions of tests")]

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, UNIX_EPOCH},
};

const MAILBOX: &str = "alice@example.test";

/// Messages of the mailbox.
const MESSAGES: u64 = 600;

/// How often each run is killed.
const KILLS: u64 = 6;

/// A run is killed within this time after it began.
const KILL_WITHIN_MS: u64 = 400;

/// A message: octets, and date and flags.
type Messages = BTreeMap<(Vec<u8>, u64, String), usize>;

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dragoman"));
    command.args(arguments).arg("--data").arg(data);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn finish(mut command: Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    output
}

/// Runs it to its end after it has been killed some times.
fn run_and_kill(data: &Path, arguments: &[&str], seed: &mut u64) {
    for _ in 0..KILLS {
        let mut child = command(data, arguments).spawn().unwrap();
        // The only use of time: when it is killed does not matter to what must come of it.
        std::thread::sleep(Duration::from_millis(next(seed) % KILL_WITHIN_MS));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    finish(command(data, arguments), "");
    let again = finish(command(data, arguments), "");
    let last = format!("0 messages, 0 bytes, {MESSAGES} skipped, 0 failed\n");
    assert_eq!(String::from_utf8_lossy(&again.stdout), last);
}

/// Xorshift, so that a seed can be tried again.
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

fn write_maildir(place: &Path, seed: &mut u64) {
    for n in 0..MESSAGES {
        let folder = place.join(if n % 3 == 0 { ".Projects" } else { "" });
        for sub in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join(sub)).unwrap();
        }
        let mut octets = format!("Subject: {n}\n\nFrom here on:\n").into_bytes();
        let len = if n % 50 == 0 {
            400_000
        } else {
            next(seed) % 9_000
        };
        octets.extend((0..len).map(|at| (at.wrapping_mul(*seed) >> 8) as u8));
        let flags = ["", "S", "FS", "RS", "DT"][(next(seed) % 5) as usize];
        let path = folder.join("cur").join(format!("{n}.M1.host:2,{flags}"));
        fs::write(&path, octets).unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(1_600_000_000 + n * 61);
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
}

fn read_maildir(place: &Path) -> Messages {
    let mut messages = Messages::new();
    for entry in fs::read_dir(place.join("cur")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (_, flags) = name.split_once(":2,").unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let seconds = modified.duration_since(UNIX_EPOCH).unwrap().as_secs();
        let message = (fs::read(&path).unwrap(), seconds, flags.to_owned());
        *messages.entry(message).or_default() += 1;
    }
    messages
}

#[test]
fn what_is_killed_at_any_moment_loses_and_doubles_nothing() {
    for first in [1, 0x9E37_79B9_7F4A_7C15] {
        let mut seed = first;
        let world = tempfile::tempdir().unwrap();
        let (data, from, to) = (
            world.path().join("data"),
            world.path().join("from"),
            world.path().join("to"),
        );
        write_maildir(&from, &mut seed);
        finish(command(&data, &["user", "add", MAILBOX]), "secret\n");
        let import = ["import", MAILBOX, from.to_str().unwrap()];
        run_and_kill(&data, &import, &mut seed);
        let export = ["export", MAILBOX, to.to_str().unwrap()];
        run_and_kill(&data, &export, &mut seed);
        for folder in ["", ".Projects"] {
            let (before, after) = (
                read_maildir(&from.join(folder)),
                read_maildir(&to.join(folder)),
            );
            assert!(before == after, "seed {first}: {folder:?} differs");
        }
    }
}
