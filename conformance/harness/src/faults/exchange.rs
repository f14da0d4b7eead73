//! Mailboxes on Exchange, by a server of our own: the gateway killed under load while the server starts anew, its disk
//! full, and secrets nowhere.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::{sleep, spawn},
    time::Duration,
};

use super::{
    Effort,
    full_disk::Disk,
    kill::{MAILBOX, append_until_broken, new_attempt},
    ledger::{Attempt, Ledger},
};
use crate::{
    failure::{Context, Failure, Outcome, ensure, failure},
    imap::Imap,
    process::free_port,
    random::Random,
    report::Report,
    subject::{Account, Kind, Options, Subject},
};

/// Shortest and longest load before a kill, in milliseconds.
const LOAD_MS: (u64, u64) = (50, 600);
/// Of so many rounds of the effort one is made here: a mailbox on Exchange takes longer.
const ROUNDS_EACH: usize = 4;
/// Messages by way of a full disk are about this large, in bytes.
const SIZE_MAX: u64 = 200_000;
/// The disk must be full before so many attempts.
const ATTEMPTS_MAX: usize = 1000;
/// Attempts while it is full.
const ATTEMPTS_WHEN_FULL: usize = 30;

/// Runs the group.
pub(super) fn run(kind: &Kind, effort: &Effort, report: &mut Report) -> Outcome {
    let Kind::Dragoman { binary } = kind else {
        report.note("only Dragoman has mailboxes on Exchange");
        return Ok(());
    };
    let server = Server::start(binary)?;
    killed(kind, &server, effort, report)?;
    let server = Server::start(binary)?;
    full(kind, &server, effort, report)?;
    let server = Server::start(binary)?;
    report.check("no password is in logs, traces, metrics or files", || {
        secrets(kind, &server)
    });
    Ok(())
}

/// SIGKILL under load.
fn killed(kind: &Kind, server: &Server, effort: &Effort, report: &mut Report) -> Outcome {
    report.note(&format!("seed {}", effort.seed));
    let mut subject = server.subject(kind, Options::default())?;
    let accounts = [subject.alice.clone(), subject.bob.clone()];
    for account in &accounts {
        Imap::login(subject.listeners.imap, account)?.expect_ok(&format!("CREATE {MAILBOX}"))?;
    }
    let mut ledgers = [Ledger::default(), Ledger::default()];
    let mut random = Random::new(effort.seed, 3);
    let rounds = (effort.rounds / ROUNDS_EACH).max(1);
    let mut failures = Vec::new();
    for round in 1..=rounds {
        let done = kill_once(&mut subject, server, &mut ledgers, &mut random);
        if let Err(why) = done.during(format!("round {round}")) {
            failures.push(why.to_string());
            break;
        }
    }
    report.tally(
        "SIGKILL under load before Exchange: nothing acknowledged lost, doubled, changed or renumbered",
        rounds,
        &failures,
    );
    let acknowledged: usize = ledgers.iter().map(Ledger::acknowledged).sum();
    report.note(&format!("{acknowledged} messages acknowledged"));
    report.check("the load before Exchange was real", || {
        ensure(acknowledged >= rounds, || format!("{acknowledged} acknowledged"))
    });
    subject.clean_up()
}

/// Load, perhaps a server that starts anew, kill, check the folder, start again, compare.
fn kill_once(
    subject: &mut Subject,
    server: &Server,
    ledgers: &mut [Ledger; 2],
    random: &mut Random,
) -> Outcome {
    let accounts = [subject.alice.clone(), subject.bob.clone()];
    let port = subject.listeners.imap;
    // Everything was marked as answered before the load: that stays.
    for account in &accounts {
        let mut session = Imap::login(port, account)?;
        if session.select(MAILBOX)? > 0 {
            session.expect_ok("STORE 1:* +FLAGS.SILENT (\\Answered)")?;
        }
    }
    let mut workers = Vec::new();
    for account in &accounts {
        let (account, random) = (account.clone(), Random::new(random.next(), 4));
        workers.push(spawn(move || {
            let mut attempts = Vec::new();
            // A broken connection is how every client ends.
            let _ = append_until_broken(port, &account, random, &mut attempts);
            attempts
        }));
    }
    let load = LOAD_MS.0 + random.below(LOAD_MS.1 - LOAD_MS.0);
    sleep(Duration::from_millis(load / 2));
    if random.percent(50) {
        server.tell("restart")?;
    }
    sleep(Duration::from_millis(load / 2));
    subject.kill()?;
    let before: Vec<_> = ledgers.iter().map(Ledger::acknowledged).collect();
    for (worker, ledger) in workers.into_iter().zip(ledgers.iter_mut()) {
        let attempts = worker
            .join()
            .map_err(|_| Failure("a client panicked".into()))?;
        ledger.add(attempts);
    }
    subject.check_data(&subject.data())?;
    subject.run()?;
    for ((account, ledger), before) in accounts.iter().zip(ledgers).zip(before) {
        ledger
            .compare(port, account, MAILBOX, false)
            .during(&account.address)?;
        let mut session = Imap::login(port, account)?;
        session.select(MAILBOX)?;
        let marked = session.expect_ok("SEARCH ANSWERED")?.found().len();
        ensure(marked >= before, || {
            format!("{marked} of {before} messages are still marked")
        })?;
    }
    Ok(())
}

/// The disk of the mirrors is full.
fn full(kind: &Kind, server: &Server, effort: &Effort, report: &mut Report) -> Outcome {
    let disk = Disk::mount()?;
    let options = Options {
        data: Some(disk.folder.join("data")),
        ..Options::default()
    };
    let mut subject = server.subject(kind, options)?;
    let alice = subject.alice.clone();
    let port = subject.listeners.imap;
    Imap::login(port, &alice)?.expect_ok(&format!("CREATE {MAILBOX}"))?;
    let mut ledger = Ledger::default();
    let mut random = Random::new(effort.seed, 5);
    report.check("APPEND to Exchange answers NO when the disk is full", || {
        let mut left = None;
        for _ in 0..ATTEMPTS_MAX {
            if append(port, &alice, &mut ledger, &mut random)? {
                continue;
            }
            let left = left.get_or_insert(ATTEMPTS_WHEN_FULL);
            *left -= 1;
            if *left == 0 {
                return Ok(());
            }
        }
        failure("the disk was never full")
    });
    report.check("synchronizing and fetching answer OK or NO while it is full", || {
        server.post("fill", "{\"user\": \"alice\", \"count\": 3000}")?;
        let mut session = Imap::login(port, &alice)?;
        for command in ["SELECT INBOX", "FETCH 1:* BODY.PEEK[]", "NOOP"] {
            let said = session.command(command)?;
            // Without a selected mailbox FETCH is out of place.
            ensure(!said.tagged.contains("BYE"), || said.tagged.clone())?;
        }
        Ok(())
    });
    report.check("everything acknowledged before Exchange can still be read", || {
        ledger.compare(port, &alice, MAILBOX, true).map(|_| ())
    });
    report.check("when there is space again, everything goes on without a restart", || {
        std::fs::remove_file(disk.folder.join("ballast"))?;
        for _ in 0..10 {
            let taken = append(port, &alice, &mut ledger, &mut random)?;
            ensure(taken, || "APPEND is still refused".to_owned())?;
        }
        let mut session = Imap::login(port, &alice)?;
        ensure(session.select("INBOX")? == 3000, || "mail is missing".to_owned())?;
        session.expect_ok("FETCH 2990:3000 BODY.PEEK[]").map(|_| ())
    });
    report.check("after a restart nothing acknowledged is lost, and fsck finds no fault", || {
        subject.stop()?;
        subject.check_data(&subject.data())?;
        subject.run()?;
        ledger.compare(port, &alice, MAILBOX, true).map(|_| ())
    });
    subject.clean_up()
}

/// One APPEND on a connection of its own; whether it was taken. Another answer than OK and NO is a failure.
fn append(
    port: u16,
    account: &Account,
    ledger: &mut Ledger,
    random: &mut Random,
) -> Outcome<bool> {
    let id = new_attempt(random).id;
    let mut attempt = Attempt::new(id, SIZE_MAX, random);
    let mut session = Imap::login(port, account)?;
    let said = session.append(MAILBOX, "", &attempt.bytes)?;
    attempt.acknowledged = said.is_ok();
    let fair = said.is_ok() || said.is_no();
    ledger.add([attempt]);
    ensure(fair, || said.tagged.clone())?;
    Ok(said.is_ok())
}

/// Logs in in every way, with everything switched on that says anything, and looks for the passwords.
fn secrets(kind: &Kind, server: &Server) -> Outcome {
    let Kind::Dragoman { binary } = kind else {
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
    let mut subject = server.subject(kind, options)?;
    let traced = subject.work.join("trace.out");
    let mut trace = Command::new(binary)
        .args(["trace", &subject.alice.address, "--data"])
        .arg(subject.data())
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&traced)?)
        .stderr(std::fs::File::create(subject.work.join("trace.err"))?)
        .spawn()?;
    let port = subject.listeners.imap;
    let wrong = Account::new(&subject.alice.address, "secret-that-is-wrong");
    let work = || -> Outcome {
        for account in [&subject.alice, &subject.bob] {
            let mut session = Imap::login(port, account)?;
            session.append("INBOX", "", b"Subject: x\r\n\r\nx\r\n")?.ok()?;
            session.select("INBOX")?;
            session.expect_ok("FETCH 1:* BODY[]")?;
            let plain = format!("\0{}\0{}", account.address, account.password);
            let plain = base64(plain.as_bytes());
            let mut other = Imap::connect(port)?;
            other.expect_ok(&format!("AUTHENTICATE PLAIN {plain}"))?;
        }
        ensure(Imap::login(port, &wrong).is_err(), || {
            "a wrong password was taken".to_owned()
        })
    };
    let worked = work();
    let metrics = get(admin, "/metrics")?;
    let _ = trace.kill();
    let _ = trace.wait();
    worked?;
    subject.stop()?;
    let mut files = Vec::new();
    walk(&subject.work, &mut files)?;
    let mut places: Vec<(String, Vec<u8>)> = vec![("metrics".into(), metrics)];
    for file in files {
        places.push((file.display().to_string(), std::fs::read(&file)?));
    }
    let size = |name: &str| {
        let of_it = places.iter().filter(|(place, _)| place.ends_with(name));
        of_it.map(|(_, octets)| octets.len()).sum::<usize>()
    };
    ensure(size("server.log") > 10_000, || "the log is short".to_owned())?;
    ensure(size("metrics") > 500, || "there are no metrics".to_owned())?;
    ensure(size("trace.out") > 500, || "there is no trace".to_owned())?;
    for account in [&subject.alice, &subject.bob, &wrong] {
        for secret in forms(account) {
            for (place, octets) in &places {
                let found = octets.windows(secret.len()).any(|window| window == secret);
                ensure(!found, || {
                    let form = String::from_utf8_lossy(&secret);
                    format!("{form:?} of {} is in {place}", account.address)
                })?;
            }
        }
    }
    subject.clean_up()
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
        let encoded = base64(&[&b"___"[..before], secret].concat());
        let from = (before * 8).div_ceil(6);
        let to = (before + secret.len()) * 8 / 6;
        forms.push(encoded.as_bytes().get(from..to).unwrap_or_default().to_vec());
    }
    forms
}

fn base64(octets: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let octet = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        for at in 0..4 {
            let sign = SIGNS.get((bits >> (18 - 6 * at)) as usize & 63);
            match sign.filter(|_| at <= group.len()) {
                Some(sign) => text.push(char::from(*sign)),
                None => text.push('='),
            }
        }
    }
    text
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn get(port: u16, path: &str) -> Outcome<Vec<u8>> {
    http(port, &format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
}

fn http(port: u16, request: &str) -> Outcome<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure(answer.starts_with(b"HTTP/1.1 200"), || {
        format!("{request:?}: {:?}", String::from_utf8_lossy(&answer))
    })?;
    Ok(answer)
}

/// The server of our own, in a process of its own.
struct Server {
    child: Child,
    url: String,
    port: u16,
}

impl Server {
    /// Starts it: `exchange-standin` beside the gateway's binary.
    fn start(gateway: &Path) -> Outcome<Self> {
        let binary = gateway.with_file_name("exchange-standin");
        let mut child = Command::new(&binary)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .during(binary.display().to_string())?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut url)?;
        }
        let url = url.trim().to_owned();
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.ok_or_else(|| Failure(format!("{url:?} is no URL")))?;
        Ok(Self { child, url, port })
    }

    /// A gateway before it, for two of its users.
    fn subject(&self, kind: &Kind, mut options: Options) -> Outcome<Subject> {
        let autodiscover = format!("{}/autodiscover/autodiscover.xml", self.url);
        options.settings.extend([
            "exchange.own.domains=[\"example.test\"]".to_owned(),
            format!("exchange.own.autodiscover={autodiscover}"),
        ]);
        let mut subject = Subject::on_data(kind, options)?;
        subject.alice = Account::new("alice@example.test", "secret-alice");
        subject.bob = Account::new("bob@example.test", "secret-bob");
        std::fs::create_dir_all(subject.data())?;
        subject.run()?;
        Ok(subject)
    }

    fn tell(&self, what: &str) -> Outcome {
        self.post(what, "")
    }

    fn post(&self, what: &str, body: &str) -> Outcome {
        let len = body.len();
        let head = format!("POST /standin/{what} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        let request = format!("{head}Content-Length: {len}\r\n\r\n{body}");
        http(self.port, &request).map(|_| ())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
