//! Passwords of Exchange users: in no log, trace, metric or file, in no form.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    failure::{Outcome, ensure},
    http::get,
    imap::Imap,
    load::base64,
    process::free_port,
    subject::{Account, Kind, Options, Subject},
};

/// A password that nobody has.
const WRONG: &str = "secret-that-is-wrong";
/// How small a log, metrics or a trace cannot be, in bytes.
const WRITTEN_MIN: usize = 500;

/// Logs in in every way, with everything switched on that says anything, and looks for the passwords.
pub(super) fn run(kind: &Kind) -> Outcome {
    let Kind::Exchange { binary, .. } = kind else {
        return Ok(());
    };
    let admin = free_port()?;
    let options = Options {
        settings: vec![
            "log.level=trace".to_owned(),
            format!("listen.admin=127.0.0.1:{admin}"),
        ],
        ..Options::default()
    };
    let mut subject = Subject::start(kind, options)?;
    let mut trace = Command::new(binary)
        .args(["trace", &subject.alice.address, "--data"])
        .arg(subject.data())
        .stdin(Stdio::null())
        .stdout(File::create(subject.work.join("trace.out"))?)
        .stderr(File::create(subject.work.join("trace.err"))?)
        .spawn()?;
    let worked = work(&subject);
    let metrics = get(admin, "/metrics");
    let _ = trace.kill();
    let _ = trace.wait();
    worked?;
    subject.stop()?;
    let mut places = vec![(PathBuf::from("metrics"), metrics?)];
    walk(&subject.work, &mut places)?;
    for name in ["server.log", "metrics", "trace.out"] {
        let of_it = places.iter().filter(|(place, _)| place.ends_with(name));
        let size: usize = of_it.map(|(_, octets)| octets.len()).sum();
        ensure(size > WRITTEN_MIN, || format!("{name} has {size} bytes"))?;
    }
    let wrong = Account::new(&subject.alice.address, WRONG);
    for account in [&subject.alice, &subject.bob, &wrong] {
        nowhere(account, &places)?;
    }
    subject.clean_up()
}

fn work(subject: &Subject) -> Outcome {
    let port = subject.listeners.imap;
    for account in [&subject.alice, &subject.bob] {
        let mut session = Imap::login(port, account)?;
        session
            .append("INBOX", "", b"Subject: x\r\n\r\nx\r\n")?
            .ok()?;
        session.select("INBOX")?;
        session.expect_ok("FETCH 1:* BODY[]")?;
        let plain = format!("\0{}\0{}", account.address, account.password);
        let plain = base64(plain.as_bytes(), 0);
        Imap::connect(port)?.expect_ok(&format!("AUTHENTICATE PLAIN {plain}"))?;
    }
    let wrong = Account::new(&subject.alice.address, WRONG);
    ensure(Imap::login(port, &wrong).is_err(), || {
        "a wrong password was taken".to_owned()
    })
}

/// Fails where a password of an account stands in one of the places.
fn nowhere(account: &Account, places: &[(PathBuf, Vec<u8>)]) -> Outcome {
    for secret in forms(account) {
        for (place, octets) in places {
            let found = octets.windows(secret.len()).any(|window| window == secret);
            ensure(!found, || {
                let form = String::from_utf8_lossy(&secret);
                let place = place.display();
                format!("{form:?} of {} is in {place}", account.address)
            })?;
        }
    }
    Ok(())
}

/// A password as it may stand somewhere.
fn forms(account: &Account) -> Vec<Vec<u8>> {
    let secret = account.password.as_bytes();
    let mut forms = vec![secret.to_vec(), secret.escape_ascii().to_string().into()];
    forms.push(secret.iter().flat_map(|octet| [*octet, 0]).collect());
    forms.push(secret.iter().flat_map(|octet| [0, *octet]).collect());
    let hex: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    forms.push(hex.into());
    for before in 0..3 {
        // Wherever it stands in what is encoded: without the signs that depend on its neighbours.
        let encoded = base64(&[vec![b'_'; before], secret.to_vec()].concat(), 0);
        let from = (before * 8).div_ceil(6);
        let to = (before + secret.len()) * 8 / 6;
        forms.push(
            encoded
                .as_bytes()
                .get(from..to)
                .unwrap_or_default()
                .to_vec(),
        );
    }
    forms
}

/// All files below a folder, but those that an administrator keeps passwords in.
fn walk(folder: &Path, places: &mut Vec<(PathBuf, Vec<u8>)>) -> Outcome {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() {
            walk(&path, places)?;
        } else if kind.is_file() && path.extension().is_none_or(|end| end != "password") {
            let octets = std::fs::read(&path)?;
            places.push((path, octets));
        }
    }
    Ok(())
}
