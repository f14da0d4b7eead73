//! Running other programs: with a time limit, by name, and with a clear word when one is missing.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::failure::{Context, Failure, Outcome, failure, shown};

/// How often a condition is looked at again while waiting for another process.
const POLL: Duration = Duration::from_millis(20);

/// What a finished program left behind.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// Standard output and standard error, in the order written.
    pub output: Vec<u8>,
}

impl Finished {
    /// The output when the program succeeded, else a failure that quotes the end of it.
    pub fn success(self) -> Outcome<Vec<u8>> {
        if self.status.success() {
            return Ok(self.output);
        }
        let tail = self
            .output
            .get(self.output.len().saturating_sub(500)..)
            .unwrap_or_default();
        failure(format!("{}: {}", self.status, shown(tail, 500)))
    }
}

/// Where `program` is, or a failure that names it: a real program that is absent fails its checks.
pub fn require(program: &str) -> Outcome<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = [
        "/usr/sbin",
        "/usr/lib/postfix/sbin",
        "/usr/local/sbin",
        "/sbin",
    ];
    std::env::split_paths(&path)
        .chain(system.iter().map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| Failure(format!("program `{program}` is not installed")))
}

/// Runs a program to its end with `input` on standard input; both outputs are collected through one file,
/// so a full pipe can never block it.
pub fn run(command: &mut Command, input: &[u8], limit: Duration) -> Outcome<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    let path = scratch_file("output");
    let file = File::create(&path)?;
    command
        .stdout(file.try_clone()?)
        .stderr(file)
        .stdin(Stdio::piped());
    let mut child = command.spawn().during(&name)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input may close it early; its exit status tells the rest.
        let _ = stdin.write_all(input);
    }
    let status = wait(&mut child, limit);
    let mut output = Vec::new();
    File::open(&path)?.read_to_end(&mut output)?;
    let _ = std::fs::remove_file(&path);
    let status = status.during(format!("{name}: {}", shown(&output, 300)))?;
    Ok(Finished { status, output })
}

/// Waits for a child; one that outlives `limit` is killed and reported.
pub fn wait(child: &mut Child, limit: Duration) -> Outcome<ExitStatus> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return failure(format!("still running after {} s, killed", limit.as_secs()));
        }
        sleep(POLL);
    }
}

/// Looks at a condition until it holds; `what` names it in the failure.
pub fn eventually(
    limit: Duration,
    what: &str,
    mut holds: impl FnMut() -> Outcome<bool>,
) -> Outcome {
    let deadline = Instant::now() + limit;
    loop {
        if holds()? {
            return Ok(());
        }
        if Instant::now() > deadline {
            return failure(format!("{what}: not within {} s", limit.as_secs()));
        }
        sleep(POLL);
    }
}

/// A loopback port that was free a moment ago.
///
/// It lies below the range from which the kernel serves outgoing connections, or a client of the run could be given
/// the port before the server binds it, or while a killed server starts again.
pub fn free_port() -> Outcome<u16> {
    const PORTS: std::ops::Range<u64> = 20_000..32_000;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Every run begins elsewhere, and within a run no port comes twice before all have come.
    let begin = u64::from(std::process::id()).wrapping_mul(61);
    for _ in PORTS {
        let turn = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + begin.wrapping_add(turn) % (PORTS.end - PORTS.start);
        let port = u16::try_from(port)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    failure("no free port")
}

/// Sends a signal by name (`TERM`, `KILL`, `STOP` …) to one process.
pub fn signal(pid: u32, name: &str) -> Outcome {
    kill(name, &pid.to_string())
}

/// Sends a signal by name to all processes of a group.
pub fn signal_group(leader: u32, name: &str) -> Outcome {
    kill(name, &format!("-{leader}"))
}

fn kill(name: &str, target: &str) -> Outcome {
    // The shell's own: a program of that name is not on every machine.
    let mut kill = Command::new("sh");
    kill.args(["-c", &format!("kill -s {name} -- {target}")]);
    run(&mut kill, b"", Duration::from_secs(5))?
        .success()
        .map(|_| ())
}

/// An empty folder for one run, under the system's temporary folder, readable by the users that mail servers run as.
pub fn scratch_folder(name: &str) -> Outcome<PathBuf> {
    let path = scratch_file(name);
    if path.exists() {
        std::fs::remove_dir_all(&path)?;
    }
    std::fs::create_dir_all(&path)?;
    open_to_all(&path)?;
    Ok(path)
}

/// Lets every user read and enter a folder.
pub fn open_to_all(folder: &Path) -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn scratch_file(name: &str) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("dragoman-{}-{number}-{name}", std::process::id()))
}
