//! A TCP proxy that breaks connections where it is told to.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::failure::Outcome;

/// Where a connection breaks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// Before anything is passed on.
    AtOnce,
    /// After so many bytes from the client.
    After(u64),
}

/// A running proxy; it ends with the process.
pub(super) struct CuttingProxy {
    pub(super) port: u16,
    plan: Arc<Mutex<VecDeque<Cut>>>,
}

impl CuttingProxy {
    /// Listens on a free port and passes connections on to `target`.
    pub(super) fn start(target: u16) -> Outcome<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let plan = Arc::new(Mutex::new(VecDeque::new()));
        let shared = Arc::clone(&plan);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let cut = shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front();
                std::thread::spawn(move || pass(client, target, cut));
            }
        });
        Ok(Self { port, plan })
    }

    /// The next connections break like this; those after them do not.
    pub(super) fn plan(&self, cuts: &[Cut]) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = cuts.iter().copied().collect();
    }

    /// How many planned cuts have not met a connection yet.
    pub(super) fn cuts_left(&self) -> usize {
        self.plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

/// Both directions of one connection; an error on either side ends it, as a broken network would.
fn pass(client: TcpStream, target: u16, cut: Option<Cut>) {
    if matches!(cut, Some(Cut::AtOnce)) {
        let _ = client.shutdown(Shutdown::Both);
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else {
        return;
    };
    let (Ok(client_in), Ok(server_in)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let limit = match cut {
        Some(Cut::After(bytes)) => bytes,
        Some(Cut::AtOnce) | None => u64::MAX,
    };
    std::thread::spawn(move || copy(server_in, client, u64::MAX));
    copy(client_in, server, limit);
}

fn copy(mut from: TcpStream, mut to: TcpStream, limit: u64) {
    let mut buffer = [0; 4096];
    let mut passed = 0;
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        passed += count as u64;
        if passed > limit
            || to
                .write_all(buffer.get(..count).unwrap_or_default())
                .is_err()
        {
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
    }
    let _ = to.shutdown(if passed > limit {
        Shutdown::Both
    } else {
        Shutdown::Write
    });
}
