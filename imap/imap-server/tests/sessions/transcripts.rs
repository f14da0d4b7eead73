//! Session transcripts: `transcripts/*.txt`, each played against a server of its own.
//!
//! | line | meaning |
//! |---|---|
//! | `C: text` | the client sends this line; `C2:` is a second client, and so on. `\r\n` and `\0` stand for those octets, `{@name}` and `{@name+}` for a message as a literal, `$name` for what was captured |
//! | `S: text` | the server's next response. `\r\n` as above, `{@name}` a message as a literal, `$name` captures any text the first time and must be the same later, `$_` any text |
//! | `S: ...` | responses up to the next one that is expected |
//! | `S: EOF` | the end of the connection |
//! | `@ login N USER` | client N connects and logs in; USER is `ann` or `bob` |
//! | `@ connect N`, `@ remote N` | client N connects from this machine, from elsewhere; its greeting is read |
//! | `@ message NAME` | a message up to the line `@ end` |
//! | `@ deliver USER NAME` | the message is delivered to the user's Inbox |
//! | `@ shutdown` | the server is told to stop |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing test may panic"
)]

use std::{collections::HashMap, fs, path::Path};

use crate::support::{Client, World};
use imap_server::Config;
use mapi_store::MemBackend;

struct Play {
    world: World,
    clients: HashMap<u32, Client>,
    messages: HashMap<String, Vec<u8>>,
    variables: HashMap<String, String>,
    skipping: bool,
}

#[tokio::test]
async fn transcripts_are_answered_as_written() {
    play_all(MemBackend::new).await;
}

#[tokio::test]
async fn transcripts_read_the_same_when_messages_are_made_as_they_are_asked_for() {
    play_all(MemBackend::lazy).await;
}

async fn play_all(backend: fn() -> MemBackend) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let only = std::env::var("TRANSCRIPT").unwrap_or_default();
    let mut failures = Vec::new();
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files
        .iter()
        .filter(|file| file.to_string_lossy().contains(&only))
    {
        if let Err(failure) = play(backend(), &fs::read_to_string(file).unwrap()).await {
            failures.push(format!("{}:{failure}", file.display()));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// Plays a transcript. Errors: line and reason.
async fn play(backend: MemBackend, script: &str) -> Result<(), String> {
    let mut play = Play {
        world: World::over(backend, Config::default(), None).await,
        clients: HashMap::new(),
        messages: HashMap::new(),
        variables: HashMap::new(),
        skipping: false,
    };
    let mut lines = script.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(name) = line.strip_prefix("@ message ") {
            let body = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| *line != "@ end");
            let message = body
                .map(|line| format!("{}\r\n", unescape(line)))
                .collect::<String>();
            play.messages.insert(name.to_owned(), message.into_bytes());
            continue;
        }
        play.line(line)
            .await
            .map_err(|failure| format!("{}: {failure}", at + 1))?;
    }
    Ok(())
}

impl Play {
    async fn line(&mut self, line: &str) -> Result<(), String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(directive) = line.strip_prefix("@ ") {
            return self
                .directive(&directive.split(' ').collect::<Vec<_>>())
                .await;
        }
        let (who, text) = line.split_once(": ").ok_or("not a line of a transcript")?;
        let (kind, number) = who.split_at(1);
        let number = if number.is_empty() {
            1
        } else {
            number.parse().map_err(|_| "who?")?
        };
        match kind {
            "C" => self.send(number, text).await,
            "S" => self.expect(number, text).await,
            _ => Err("neither C nor S".to_owned()),
        }
    }

    async fn directive(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["login", number, user] => {
                self.connect(number, true).await;
                let client = self.client(number.parse().unwrap());
                let answer = client
                    .command("login", &format!("LOGIN {user}@example.test secret"))
                    .await;
                let last = String::from_utf8_lossy(answer.last().unwrap()).into_owned();
                if last.starts_with("login OK") {
                    Ok(())
                } else {
                    Err(last)
                }
            }
            ["connect", number] => {
                self.connect(number, true).await;
                Ok(())
            }
            ["remote", number] => {
                self.connect(number, false).await;
                Ok(())
            }
            ["deliver", user, name] => {
                let message = self.messages.get(*name).ok_or("no such message")?;
                self.world
                    .deliver(&format!("{user}@example.test"), message)
                    .await;
                Ok(())
            }
            ["shutdown"] => {
                self.world.stop.send_replace(true);
                Ok(())
            }
            _ => Err("unknown directive".to_owned()),
        }
    }

    async fn connect(&mut self, number: &str, loopback: bool) {
        let mut client = self.world.connect(loopback);
        client.response().await;
        self.clients.insert(number.parse().unwrap(), client);
    }

    fn client(&mut self, number: u32) -> &mut Client {
        self.clients
            .get_mut(&number)
            .expect("a client that has connected")
    }

    async fn send(&mut self, number: u32, text: &str) -> Result<(), String> {
        let text = unescape(&self.substitute(text));
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("{@") {
            let (name, after) = after.split_once('}').ok_or("an unclosed literal")?;
            let (name, sync) = match name.strip_suffix('+') {
                Some(name) => (name, false),
                None => (name, true),
            };
            let message = self.messages.get(name).ok_or("no such message")?.clone();
            let plus = if sync { "" } else { "+" };
            let client = self.client(number);
            client
                .send(format!("{before}{{{}{plus}}}\r\n", message.len()).as_bytes())
                .await;
            if sync {
                let answer = client.response().await.unwrap_or_default();
                if !answer.starts_with(b"+") {
                    return Err(format!(
                        "no continuation: {}",
                        String::from_utf8_lossy(&answer)
                    ));
                }
            }
            client.send(&message).await;
            rest = after;
        }
        self.client(number)
            .send(format!("{rest}\r\n").as_bytes())
            .await;
        Ok(())
    }

    async fn expect(&mut self, number: u32, pattern: &str) -> Result<(), String> {
        if pattern == "..." {
            self.skipping = true;
            return Ok(());
        }
        let pattern = self.literals(pattern)?;
        let mut skipped = Vec::new();
        loop {
            let Some(response) = self.client(number).response().await else {
                return match pattern.as_str() {
                    "EOF" => Ok(()),
                    _ => Err(format!(
                        "expected {pattern}\n  got the end after {skipped:#?}"
                    )),
                };
            };
            let response = String::from_utf8_lossy(&response).replace("\r\n", "\\r\\n");
            if self.matches(&pattern, &response) {
                self.skipping = false;
                return Ok(());
            }
            if !self.skipping || skipped.len() > 1000 {
                return Err(format!(
                    "expected {pattern}\n  got      {response}\n  after {skipped:#?}"
                ));
            }
            skipped.push(response);
        }
    }

    /// Puts messages in the place of `{@name}`, as they look in a response.
    fn literals(&self, pattern: &str) -> Result<String, String> {
        let mut whole = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("{@") {
            let (name, after) = after.split_once('}').ok_or("an unclosed literal")?;
            let message = self.messages.get(name).ok_or("no such message")?;
            let text = String::from_utf8_lossy(message).replace("\r\n", "\\r\\n");
            whole += &format!("{before}{{{}}}\\r\\n{text}", message.len());
            rest = after;
        }
        Ok(whole + rest)
    }

    fn substitute(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.variables {
            text = text.replace(&format!("${name}$"), value);
            text = text.replace(&format!("${name}"), value);
        }
        text
    }

    /// Whether a response matches; captures variables if it does.
    fn matches(&mut self, pattern: &str, response: &str) -> bool {
        let mut captured = HashMap::new();
        let mut rest = response;
        let mut pattern = pattern;
        loop {
            let Some(at) = variable_at(pattern) else {
                if rest != pattern {
                    return false;
                }
                self.variables.extend(captured);
                return true;
            };
            let (literal, variable) = pattern.split_at(at);
            let Some(after) = rest.strip_prefix(literal) else {
                return false;
            };
            let end = variable[1..]
                .find(|letter: char| !letter.is_ascii_lowercase() && letter != '_')
                .map_or(variable.len(), |end| end + 1);
            let (name, next) = (&variable[1..end], &variable[end..]);
            let stop = variable_at(next).map_or(next, |stop| &next[..stop]);
            let len = if stop.is_empty() {
                Some(after.len())
            } else {
                after.find(stop)
            };
            let Some(len) = len else { return false };
            let value = &after[..len];
            let known = self.variables.get(name).or_else(|| captured.get(name));
            if name != "_" && known.is_some_and(|known| known != value) {
                return false;
            }
            captured.insert(name.to_owned(), value.to_owned());
            (rest, pattern) = (&after[len..], next);
        }
    }
}

/// Where the first `$variable` is; `$Forwarded` and its like are not variables.
fn variable_at(pattern: &str) -> Option<usize> {
    let is_variable = |at: &usize| {
        pattern[at + 1..].starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
    };
    pattern
        .match_indices('$')
        .map(|(at, _)| at)
        .find(is_variable)
}

fn unescape(text: &str) -> String {
    text.replace("\\r\\n", "\r\n")
        .replace("\\0", "\0")
        .replace("\\n", "\n")
}
