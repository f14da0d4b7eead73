//! The stand-in for an Exchange server, as a process: started, told what to do, asked what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{remote, run_program};
use crate::failure::{Context, Failure, Outcome, failure};

/// How long one pass over the index may take.
const PASS_LIMIT: Duration = Duration::from_secs(600);

/// A running stand-in.
pub(super) struct Standin {
    child: Child,
    /// Address and port.
    host: String,
}

/// What it was asked since the counters were reset.
pub(super) struct Counters {
    pub(super) requests: f64,
    /// In both directions.
    pub(super) octets: f64,
}

/// What reading the index alone takes.
pub(super) struct Pass {
    pub(super) seconds: f64,
    pub(super) requests: f64,
}

fn beside(name: &str) -> Outcome<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

impl Standin {
    pub(super) fn start() -> Outcome<Self> {
        let mut child = Command::new(beside("exchange-standin")?)
            .args(["--domain", "exchange.test"])
            .stdout(Stdio::piped())
            .spawn()
            .during("exchange-standin")?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut url)?;
        }
        let host = url.trim().strip_prefix("http://").unwrap_or_default();
        let host = host.trim_end_matches('/').to_owned();
        Ok(Self { child, host })
    }

    pub(super) fn autodiscover(&self) -> String {
        format!("http://{}/autodiscover/autodiscover.xml", self.host)
    }

    /// Reads the index without making anything of it.
    pub(super) fn index_pass(&self) -> Outcome<Pass> {
        let account = remote();
        let mut command = Command::new(beside("index-pass")?);
        command.args([self.autodiscover(), account.address, account.password]);
        let output = run_program(&mut command, b"", PASS_LIMIT)?.success()?;
        let output = String::from_utf8_lossy(&output).into_owned();
        Ok(Pass {
            seconds: number(&output, "seconds")?,
            requests: number(&output, "requests")?,
        })
    }

    pub(super) fn fill(&self, count: u32) -> Outcome {
        let user = remote().address;
        let body = format!("{{\"user\":\"{user}\",\"count\":{count}}}");
        self.ask("POST", "fill", &body).map(drop)
    }

    /// Lets mail arrive, all of it at once.
    pub(super) fn deliver(&self, count: u32) -> Outcome {
        let user = remote().address;
        let body = format!(
            "{{\"user\":\"{user}\",\"from\":\"dana@elsewhere.test\",\"subject\":\"news\",\"text\":\"Short.\",\"count\":{count}}}"
        );
        self.ask("POST", "deliver", &body).map(drop)
    }

    pub(super) fn reset_counters(&self) -> Outcome {
        self.ask("POST", "reset", "").map(drop)
    }

    pub(super) fn counters(&self) -> Outcome<Counters> {
        let counters = self.ask("GET", "counters", "")?;
        Ok(Counters {
            requests: number(&counters, "requests")?,
            octets: number(&counters, "bytes_in")? + number(&counters, "bytes_out")?,
        })
    }

    /// When it last said that something had happened, since 1970.
    pub(super) fn notified_at(&self) -> Outcome<Duration> {
        let counters = self.ask("GET", "counters", "")?;
        Ok(Duration::from_micros(
            number(&counters, "notified_at_us")? as u64
        ))
    }

    /// What no client may do, and ours did.
    pub(super) fn violations(&self) -> Outcome<String> {
        self.ask("GET", "violations", "")
    }

    /// Waits until nobody has asked anything for a while.
    pub(super) fn quiet(&self, long: Duration, limit: Duration) -> Outcome {
        let deadline = Instant::now() + limit;
        let mut before = self.counters()?.requests;
        while Instant::now() < deadline {
            std::thread::sleep(long);
            let now = self.counters()?.requests;
            if now == before {
                return Ok(());
            }
            before = now;
        }
        failure("the gateway goes on asking")
    }

    /// One request, not among those that are counted. Returns the body of its answer.
    fn ask(&self, method: &str, path: &str, body: &str) -> Outcome<String> {
        let mut stream = TcpStream::connect(&self.host)?;
        let len = body.len();
        let head = format!(
            "{method} /standin/{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n",
            self.host
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.contains(" 200 ") => Ok(body.to_owned()),
            _ => failure(format!("{path}: {answer}")),
        }
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A number by its name in an object of JSON.
fn number(json: &str, name: &str) -> Outcome<f64> {
    let rest = json.split_once(&format!("\"{name}\":"));
    let digits = rest.map(|(_, rest)| {
        let end = rest.find(|c: char| c != '.' && !c.is_ascii_digit());
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    });
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| Failure(format!("no number `{name}` in {json}")))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_found_by_their_whole_name() {
        let json = r#"{"last_requests":1,"requests":25,"seconds":1.5}"#;
        assert_eq!(number(json, "requests").ok(), Some(25.0));
        assert_eq!(number(json, "seconds").ok(), Some(1.5));
        assert!(number(json, "octets").is_err());
    }
}
