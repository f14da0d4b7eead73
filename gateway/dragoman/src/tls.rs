//! Certificates: the configured one, or a self-signed one made at the first start; read again on SIGHUP.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    config::Config,
    data_dir::DataDir,
    failure::{Doing, Result},
};

/// The acceptor in force, shared by every listener.
pub(crate) struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    acceptor: Arc<RwLock<TlsAcceptor>>,
}

impl Certificates {
    /// Loads the configured certificate, or the self-signed one, which is made when it is not there.
    pub(crate) fn open(config: &Config, data: &DataDir) -> Result<Self> {
        let (certificate, key) = if config.tls.certificate.as_os_str().is_empty() {
            let (certificate, key) = data.certificate();
            if !certificate.exists() || !key.exists() {
                make_self_signed(&config.hostname, &certificate, &key)?;
            }
            (certificate, key)
        } else {
            (config.tls.certificate.clone(), config.tls.key.clone())
        };
        let acceptor = load(&certificate, &key)?;
        Ok(Self {
            certificate,
            key,
            acceptor: Arc::new(RwLock::new(acceptor)),
        })
    }

    /// The acceptor, as listeners share it: it changes when [`Self::reload`] does.
    pub(crate) fn shared(&self) -> Arc<RwLock<TlsAcceptor>> {
        self.acceptor.clone()
    }

    /// The acceptor as it is now.
    pub(crate) fn current(&self) -> TlsAcceptor {
        self.acceptor
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the files again. After an error the old certificate goes on being used.
    pub(crate) fn reload(&self) -> Result<()> {
        let acceptor = load(&self.certificate, &self.key)?;
        *self
            .acceptor
            .write()
            .unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }
}

fn load(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .doing(|| format!("certificate {}", certificate.display()))?;
    let key =
        PrivateKeyDer::from_pem_file(key).doing(|| format!("private key {}", key.display()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .doing(|| format!("certificate {}", certificate.display()))?;
    // A session in memory costs kilobytes; a ticket costs the client's memory.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    if let Ok(ticketer) = rustls::crypto::ring::Ticketer::new() {
        config.ticketer = ticketer;
    }
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn make_self_signed(hostname: &str, certificate: &Path, key: &Path) -> Result<()> {
    let mut names = vec![hostname.to_owned()];
    for name in ["localhost", "127.0.0.1", "::1"] {
        if name != hostname {
            names.push(name.to_owned());
        }
    }
    let made = rcgen::generate_simple_self_signed(names)
        .doing(|| "making a self-signed certificate".to_owned())?;
    write_private(key, made.signing_key.serialize_pem().as_bytes())?;
    write_private(certificate, made.cert.pem().as_bytes())
}

/// Writes a file for its owner alone: after a crash it is there whole, or not at all.
fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let new = path.with_extension("new");
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        path.parent()
            .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().doing(|| format!("writing {}", path.display()))
}
