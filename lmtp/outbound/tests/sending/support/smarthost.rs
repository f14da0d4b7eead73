//! A mail server that takes what comes, unless its script says otherwise.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// A message it took.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Received {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) octets: Vec<u8>,
}

/// What a script says to a command.
pub(crate) enum Do {
    /// What the server does by itself.
    Usual,
    /// This reply.
    Say(&'static str),
    /// Nothing: the connection ends.
    Hang,
    /// The command is done, and the connection ends before the reply.
    HangAfter,
}

type Script = dyn Fn(&str) -> Do + Send + Sync;

#[derive(Clone)]
pub(crate) struct Smarthost {
    pub(crate) port: u16,
    state: Arc<State>,
    task: Arc<JoinHandle<()>>,
}

struct State {
    /// Lines after the first of the answer to EHLO.
    offers: Vec<&'static str>,
    lmtp: bool,
    tls: Option<TlsAcceptor>,
    script: Box<Script>,
    received: Mutex<Vec<Received>>,
    lines: Mutex<Vec<String>>,
    connections: Mutex<usize>,
}

pub(crate) const ALL: &[&str] = &["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 1000000", "DSN"];

impl Smarthost {
    pub(crate) async fn start(
        offers: &[&'static str],
        script: impl Fn(&str) -> Do + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(0, offers, script).await
    }

    pub(crate) async fn start_at(
        port: u16,
        offers: &[&'static str],
        script: impl Fn(&str) -> Do + Send + Sync + 'static,
    ) -> Self {
        Self::with(port, (offers, false, None), script).await
    }

    pub(crate) async fn with(
        port: u16,
        (offers, lmtp, tls): (&[&'static str], bool, Option<TlsAcceptor>),
        script: impl Fn(&str) -> Do + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            offers: offers.to_vec(),
            lmtp,
            tls,
            script: Box::new(script),
            received: Mutex::default(),
            lines: Mutex::default(),
            connections: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut sessions = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                *serving.connections.lock().unwrap() += 1;
                let state = Arc::clone(&serving);
                sessions.spawn(async move { drop(session(state, stream).await) });
            }
        });
        Self {
            port,
            state,
            task: Arc::new(task),
        }
    }

    /// Everything it took.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// The commands it saw.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.state.lines.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }

    /// Ends it, with all its connections.
    pub(crate) async fn stop(&self) {
        self.task.abort();
        super::until(|| self.task.is_finished()).await;
    }
}

async fn session(state: Arc<State>, stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    if let Do::Say(greeting) = (state.script)("") {
        return say(&mut stream, greeting).await;
    }
    say(&mut stream, "220 mx.other.test").await?;
    if !talk(&state, &mut stream).await? {
        return Ok(());
    }
    let acceptor = state.tls.clone().unwrap();
    let stream = acceptor.accept(stream.into_inner()).await?;
    talk(&state, &mut BufReader::new(stream)).await.map(drop)
}

/// Whether TLS comes next.
async fn talk<S: AsyncBufRead + AsyncWrite + Unpin>(
    state: &State,
    stream: &mut S,
) -> std::io::Result<bool> {
    let mut mail = Received {
        from: String::new(),
        to: Vec::new(),
        octets: Vec::new(),
    };
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let line = line.trim_end().to_owned();
        state.lines.lock().unwrap().push(line.clone());
        let verb = line.split(' ').next().unwrap().to_uppercase();
        let mut hang = false;
        match (state.script)(&line) {
            Do::Usual => {}
            Do::Say(reply) => {
                say(stream, reply).await?;
                continue;
            }
            Do::Hang => return Ok(false),
            Do::HangAfter => hang = true,
        }
        match verb.as_str() {
            "EHLO" | "LHLO" => greet(state, stream).await?,
            "MAIL" => {
                mail.from = line;
                mail.to.clear();
                say(stream, "250 2.1.0 ok").await?;
            }
            "RCPT" => {
                mail.to.push(line);
                say(stream, "250 2.1.5 ok").await?;
            }
            "DATA" => {
                say(stream, "354 go on").await?;
                mail.octets = data(stream).await?;
                if hang {
                    state.received.lock().unwrap().push(mail);
                    return Ok(false);
                }
                take(state, stream, &mail).await?;
            }
            "BDAT" => {
                let count = line.split(' ').nth(1).unwrap().parse().unwrap();
                mail.octets = vec![0; count];
                stream.read_exact(&mut mail.octets).await?;
                take(state, stream, &mail).await?;
            }
            "STARTTLS" => {
                say(stream, "220 go on").await?;
                return Ok(true);
            }
            "AUTH" => say(stream, "235 2.7.0 welcome").await?,
            "QUIT" => return say(stream, "221 bye").await.map(|()| false),
            _ => say(stream, "250 ok").await?,
        }
    }
}

async fn greet(state: &State, stream: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
    let mut reply = "250-mx.other.test".to_owned();
    for offer in &state.offers {
        reply += &format!("\r\n250-{offer}");
    }
    say(stream, &format!("{reply}\r\n250 HELP")).await
}

/// The end of a message: the script is asked what to say for each recipient, as `.` and the RCPT line.
async fn take(
    state: &State,
    stream: &mut (impl AsyncWrite + Unpin),
    mail: &Received,
) -> std::io::Result<()> {
    let mut taken = mail.clone();
    if state.lmtp {
        taken.to.clear();
        for to in &mail.to {
            match (state.script)(&format!(". {to}")) {
                Do::Say(reply) => say(stream, reply).await?,
                _ => {
                    taken.to.push(to.clone());
                    say(stream, "250 2.0.0 taken").await?;
                }
            }
        }
    } else if let Do::Say(reply) = (state.script)(".") {
        return say(stream, reply).await;
    }
    state.received.lock().unwrap().push(taken);
    match state.lmtp {
        true => Ok(()),
        false => say(stream, "250 2.0.0 taken").await,
    }
}

async fn data(stream: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(octets);
        }
        octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), reply: &str) -> std::io::Result<()> {
    stream.write_all(format!("{reply}\r\n").as_bytes()).await
}
