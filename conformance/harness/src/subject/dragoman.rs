//! Dragoman as the subject: its command line is the contract.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{Account, Kind, START_LIMIT, Subject, exchange};
use crate::failure::{Context, Outcome, failure};
use crate::process::run;

/// How long a short command (`user add`) may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
/// How long `fsck` may take.
const FSCK_LIMIT: Duration = Duration::from_secs(300);

/// Creates the users in the subject's data folder.
pub(super) fn prepare(subject: &Subject, binary: &Path) -> Outcome {
    std::fs::create_dir_all(subject.data())?;
    for account in [&subject.alice, &subject.bob]
        .into_iter()
        .chain(&subject.options.accounts)
    {
        add_user(binary, &subject.data(), account)?;
    }
    Ok(())
}

fn add_user(binary: &Path, data: &Path, account: &Account) -> Outcome {
    let mut command = Command::new(binary);
    command
        .args(["user", "add", &account.address, "--data"])
        .arg(data);
    let input = format!("{}\n", account.password);
    run(&mut command, input.as_bytes(), COMMAND_LIMIT)?
        .success()
        .during("dragoman user add")
        .map(|_| ())
}

/// Starts the server and waits for its line `ready`.
pub(super) fn serve(subject: &Subject, binary: &Path) -> Outcome<Child> {
    let listeners = &subject.listeners;
    let mut settings = vec![
        format!("listen.imap=127.0.0.1:{}", listeners.imap),
        format!("listen.lmtp=127.0.0.1:{}", listeners.lmtp),
        "listen.http=".to_owned(),
        "listen.https=".to_owned(),
        "listen.admin=".to_owned(),
    ];
    for (name, port) in [
        ("imaps", listeners.imaps),
        ("pop3", listeners.pop3),
        ("pop3s", listeners.pop3s),
        ("submission", listeners.submission),
        ("submissions", listeners.submissions),
    ] {
        let place = port.map(|port| format!("127.0.0.1:{port}"));
        settings.push(format!("listen.{name}={}", place.unwrap_or_default()));
    }
    if let Some(path) = &listeners.lmtp_unix {
        settings.push(format!("listen.lmtp_unix={}", path.display()));
    }
    settings.extend(subject.options.settings.iter().cloned());
    let mut words: Vec<String> = subject.options.wrapper.clone();
    words.push(binary.display().to_string());
    let (program, arguments) = words
        .split_first()
        .map(|(first, rest)| (first.clone(), rest.to_vec()))
        .unwrap_or_default();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg("serve")
        .arg("--data")
        .arg(subject.data());
    if matches!(subject.kind, Kind::Exchange { .. }) {
        command
            .arg("--config")
            .arg(exchange::configuration(subject));
    }
    settings.iter().for_each(|setting| {
        command.arg("--set").arg(setting);
    });
    let log = File::options()
        .create(true)
        .append(true)
        .open(subject.work.join("server.log"))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let ready = wait_until_ready(&mut child);
    if ready.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    ready.during(subject.log_tail()).map(|()| child)
}

/// Reads standard output until `ready`; a thread goes on reading so that the pipe never fills.
fn wait_until_ready(child: &mut Child) -> Outcome {
    let Some(stdout) = child.stdout.take() else {
        return failure("no standard output");
    };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let mut seen = Vec::new();
    while seen.last().is_none_or(|line| line != "ready") {
        match receiver.recv_timeout(START_LIMIT) {
            Ok(line) => seen.push(line),
            Err(_) => return failure(format!("no line `ready`; printed {seen:?}")),
        }
    }
    Ok(())
}

/// `dragoman mirror status`.
pub(super) fn mirror_status(binary: &Path, data: &Path, address: &str) -> Outcome<String> {
    let mut command = Command::new(binary);
    command
        .args(["mirror", "status", address, "--data"])
        .arg(data);
    let output = run(&mut command, b"", COMMAND_LIMIT)?.success()?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

/// `dragoman fsck`: every fault it names is a failure.
pub(super) fn fsck(binary: &Path, data: &Path) -> Outcome {
    let mut command = Command::new(binary);
    command.args(["fsck", "--data"]).arg(data);
    run(&mut command, b"", FSCK_LIMIT)?
        .success()
        .during("fsck")
        .map(|_| ())
}
