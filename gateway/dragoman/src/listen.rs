//! Sockets to accept from: bound here, or handed over by the service manager.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener as StdTcpListener},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
};

use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UnixListener};

use crate::{
    config::Config,
    failure::{Doing, Failure, Result},
};

/// Connections the kernel keeps until they are accepted.
const BACKLOG: i32 = 1024;
/// Permissions of the LMTP socket: connecting takes the right to write.
const LMTP_SOCKET_MODE: u32 = 0o666;
/// Permissions of the socket for commands.
const ADMIN_SOCKET_MODE: u32 = 0o600;

/// A listener by its name in the configuration.
pub(crate) struct Listener {
    pub(crate) name: &'static str,
    pub(crate) socket: ListenSocket,
}

pub(crate) enum ListenSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// The port; `None` for a Unix socket.
    pub(crate) fn port(&self) -> Option<u16> {
        match &self.socket {
            ListenSocket::Tcp(socket) => socket.local_addr().ok().map(|addr| addr.port()),
            ListenSocket::Unix(_) => None,
        }
    }

    /// Where it listens, for people.
    pub(crate) fn place(&self) -> String {
        match &self.socket {
            ListenSocket::Tcp(socket) => socket
                .local_addr()
                .map_or_else(|_| "?".to_owned(), |addr| addr.to_string()),
            ListenSocket::Unix(socket) => socket
                .local_addr()
                .ok()
                .and_then(|addr| addr.as_pathname().map(|path| path.display().to_string()))
                .unwrap_or_else(|| "?".to_owned()),
        }
    }
}

/// Opens every listener that is on. A socket that systemd passed under a listener's name (`FileDescriptorName=`)
/// is used instead of binding one.
pub(crate) fn open_all(config: &Config) -> Result<Vec<Listener>> {
    let mut passed = Passed::from_environment();
    let mut listeners = Vec::new();
    for (name, address) in config.listen.sockets() {
        if let Some(socket) = passed.tcp(name)? {
            listeners.push(Listener {
                name,
                socket: ListenSocket::Tcp(socket),
            });
        } else if !address.is_empty() {
            let socket = bind_tcp(address).doing(|| format!("listen.{name}: {address}"))?;
            listeners.push(Listener {
                name,
                socket: ListenSocket::Tcp(socket),
            });
        }
    }
    if !config.listen.lmtp_unix.is_empty() {
        let path = Path::new(&config.listen.lmtp_unix);
        let socket = bind_lmtp(path).doing(|| format!("listen.lmtp_unix: {}", path.display()))?;
        listeners.push(Listener {
            name: "lmtp_unix",
            socket: ListenSocket::Unix(socket),
        });
    }
    Ok(listeners)
}

fn bind_tcp(address: &str) -> io::Result<TcpListener> {
    let address: SocketAddr = address.parse().map_err(|_| io::ErrorKind::InvalidInput)?;
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // An IPv6 wildcard listens for IPv6 alone, whatever the system's default is.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(StdTcpListener::from(socket))
}

/// Binds the LMTP socket. A mail server runs as a user of its own, so anyone whom the folders above let through may
/// deliver, as anyone on the machine may through the TCP listener.
fn bind_lmtp(path: &Path) -> io::Result<UnixListener> {
    let socket = bind_unix(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(LMTP_SOCKET_MODE))?;
    Ok(socket)
}

/// Binds the socket for commands: who may connect may do everything, so only the gateway's own user may.
pub(crate) fn bind_admin(path: &Path) -> io::Result<UnixListener> {
    let socket = bind_unix(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(ADMIN_SOCKET_MODE))?;
    Ok(socket)
}

/// Binds a Unix socket, taking the place of one that nobody listens on any more.
pub(crate) fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

/// Sockets from the service manager, by name.
struct Passed {
    fds: ListenFd,
    names: Vec<String>,
}

impl Passed {
    fn from_environment() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        Self {
            fds: ListenFd::from_env(),
            names: names.split(':').map(str::to_owned).collect(),
        }
    }

    fn tcp(&mut self, name: &str) -> Result<Option<TcpListener>> {
        let Some(index) = self.names.iter().position(|passed| passed == name) else {
            return Ok(None);
        };
        if index >= self.fds.len() {
            return Ok(None);
        }
        let socket = self
            .fds
            .take_tcp_listener(index)
            .doing(|| format!("socket `{name}` passed by the service manager"))?
            .ok_or_else(|| Failure::new(format!("socket `{name}` was passed twice")))?;
        socket
            .set_nonblocking(true)
            .doing(|| format!("socket `{name}`"))?;
        TcpListener::from_std(socket)
            .doing(|| format!("socket `{name}`"))
            .map(Some)
    }
}
