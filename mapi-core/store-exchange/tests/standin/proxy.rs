//! A proxy between a backend and its server that does to the octets what networks and hostile servers do.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::random::Random;

/// What becomes of what a server answers.
#[derive(Clone, Debug)]
pub(crate) enum Mode {
    /// It arrives.
    Pass,
    /// One segment in so many is late, in both directions; what follows it waits.
    Delay { one_in: u64, ms: u64 },
    /// One octet in so many is another one.
    Flip { one_in: u64 },
    /// This comes instead.
    Instead(Vec<u8>),
    /// This comes instead, and then that again and again.
    Endless(Vec<u8>, Vec<u8>),
}

/// Octets of endless answers after which somebody should have had enough: some answers of two mebibytes, and what lies
/// in buffers on the way.
pub(crate) const ENOUGH: u64 = 128 << 20;

/// A proxy on a port of its own, for as long as its runtime runs.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    mode: Arc<Mutex<Mode>>,
    random: Arc<Mutex<Random>>,
    sent: Arc<AtomicU64>,
    harmed: Arc<AtomicU64>,
}

impl Proxy {
    pub(crate) async fn before(server: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            mode: Arc::new(Mutex::new(Mode::Pass)),
            random: Arc::new(Mutex::new(Random::new(seed))),
            sent: Arc::default(),
            harmed: Arc::default(),
        };
        let serving = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let proxy = serving.clone();
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else {
                        return;
                    };
                    client.set_nodelay(true).unwrap();
                    server.set_nodelay(true).unwrap();
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    tokio::select! {
                        () = proxy.ask(&mut from_client, &mut to_server) => {}
                        () = proxy.answer(&mut from_server, &mut to_client) => {}
                    }
                });
            }
        });
        proxy
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    /// Octets that went to clients.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How often something was done to octets.
    pub(crate) fn harmed(&self) -> u64 {
        self.harmed.load(Ordering::Relaxed)
    }

    fn mode(&self) -> Mode {
        self.mode.lock().unwrap().clone()
    }

    fn once_in(&self, times: u64) -> bool {
        let happens = self.random.lock().unwrap().once_in(times);
        self.harmed.fetch_add(u64::from(happens), Ordering::Relaxed);
        happens
    }

    async fn delay(&self) {
        if let Mode::Delay { one_in, ms } = self.mode()
            && self.once_in(one_in)
        {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }

    async fn ask(
        &self,
        from: &mut (impl AsyncReadExt + Unpin),
        to: &mut (impl AsyncWriteExt + Unpin),
    ) {
        let mut octets = [0; 1400];
        while let Ok(count) = from.read(&mut octets).await {
            self.delay().await;
            if count == 0 || to.write_all(&octets[..count]).await.is_err() {
                return;
            }
        }
    }

    async fn answer(
        &self,
        from: &mut (impl AsyncReadExt + Unpin),
        to: &mut (impl AsyncWriteExt + Unpin),
    ) {
        let mut octets = [0; 1400];
        while let Ok(count) = from.read(&mut octets).await {
            self.delay().await;
            let octets = &mut octets[..count];
            let done = match self.mode() {
                _ if count == 0 => return,
                Mode::Pass | Mode::Delay { .. } => self.send(to, octets).await,
                Mode::Flip { one_in } => {
                    for octet in octets.iter_mut() {
                        if self.once_in(one_in) {
                            *octet ^= 1 + self.random.lock().unwrap().below(255) as u8;
                        }
                    }
                    self.send(to, octets).await
                }
                Mode::Instead(answer) => {
                    self.harmed.fetch_add(1, Ordering::Relaxed);
                    let _ = self.send(to, &answer).await;
                    return;
                }
                Mode::Endless(first, again) => {
                    self.harmed.fetch_add(1, Ordering::Relaxed);
                    let mut done = self.send(to, &first).await;
                    let until = self.sent() + ENOUGH;
                    while done.is_ok() && self.sent() < until {
                        done = self.send(to, &again).await;
                    }
                    return;
                }
            };
            if done.is_err() {
                return;
            }
        }
    }

    async fn send(
        &self,
        to: &mut (impl AsyncWriteExt + Unpin),
        octets: &[u8],
    ) -> std::io::Result<()> {
        self.sent.fetch_add(octets.len() as u64, Ordering::Relaxed);
        to.write_all(octets).await
    }
}
