//! The real programs that checks drive, as Debian packages.

use std::process::{Command, Stdio};

use crate::command::{Failure, Outcome, run};
use crate::say;

/// What the checks need.
pub(crate) const CHECKS: &[&str] = &[
    "bsdutils",
    "curl",
    "fetchmail",
    "getmail6",
    "git",
    "gnupg",
    "isync",
    "libnet-ssleay-perl",
    "mpop",
    "msmtp",
    "mutt",
    "opendkim",
    "openssl",
    "postfix",
    "python3-minimal",
    "python3",
    "python3-dkim",
    "slapd",
    "strace",
    "swaks",
    "thunderbird",
    "xvfb",
    "xz-utils",
];
/// What the benchmark needs. Cyrus' own `cyrus-imapd` conflicts with Dovecot and is unpacked by the harness.
pub(crate) const PEERS: &[&str] = &[
    "cyrus-common",
    "dovecot-core",
    "dovecot-imapd",
    "dovecot-lmtpd",
    "dovecot-pop3d",
    "sasl2-bin",
];

/// Installs those of `packages` that are missing.
pub(crate) fn install(packages: &[&str]) -> Outcome {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!(
        "installing Debian packages: {}",
        missing.join(" ")
    ));
    apt(&["update", "-q"])?;
    let options = [
        "install",
        "-y",
        "-q",
        "--no-install-recommends",
        "-o",
        "DPkg::Lock::Timeout=600",
    ];
    apt(&[&options, missing.as_slice()].concat())
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query
        .args(["-W", "-f", "${db:Status-Status}", package])
        .stderr(Stdio::null());
    query
        .output()
        .is_ok_and(|output| output.stdout == b"installed")
}

/// A command that runs as root: directly, or through sudo with the environment kept.
pub(crate) fn as_root(program: &str) -> Command {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if is_root {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .args(["-n", "--preserve-env", "env"])
        .arg(format!("PATH={path}"))
        .arg(program);
    command
}

fn apt(arguments: &[&str]) -> Outcome {
    let mut command = as_root("apt-get");
    // Packages with services must not start them: the checks run private instances.
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1");
    let finished = run(&mut command)?;
    finished
        .success()
        .map_err(|Failure(why)| Failure(format!("{why}: install {arguments:?} by hand")))
}
