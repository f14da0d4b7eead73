//! Certificates: the configured one, or a self-signed one made at the first start, and the authorities of clients'; read
//! again on SIGHUP.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use front_end::Tls;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use crate::{
    config::{ClientCertificatesConfig, Config},
    data_dir::DataDir,
    failure::{Doing, Failure, Result},
};

/// The names of listeners that take TLS handshakes.
const LISTENERS: [&str; 8] = [
    "imap",
    "imaps",
    "pop3",
    "pop3s",
    "submission",
    "submissions",
    "lmtp",
    "https",
];

/// What handshakes use now, for each listener.
pub(crate) struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    client: ClientCertificatesConfig,
    listeners: Vec<(&'static str, Arc<RwLock<Tls>>)>,
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
        let mut certificates = Self {
            certificate,
            key,
            client: config.tls.client.clone(),
            listeners: Vec::new(),
        };
        for listener in LISTENERS {
            let tls = Arc::new(RwLock::new(certificates.load(listener)?));
            certificates.listeners.push((listener, tls));
        }
        Ok(certificates)
    }

    /// What handshakes of a listener use, as it shares it: that changes when [`Self::reload`] is called. `None` for
    /// listeners without TLS.
    pub(crate) fn shared(&self, listener: &str) -> Option<Arc<RwLock<Tls>>> {
        let mut listeners = self.listeners.iter();
        let found = listeners.find(|(name, _)| *name == listener);
        found.map(|(_, tls)| Arc::clone(tls))
    }

    /// The same as it is now.
    pub(crate) fn current(&self, listener: &str) -> Option<Tls> {
        let tls = self.shared(listener)?;
        let tls = tls.read().unwrap_or_else(PoisonError::into_inner);
        Some(tls.clone())
    }

    /// Reads the files again. After an error the old ones go on being used.
    pub(crate) fn reload(&self) -> Result<()> {
        let mut loaded = Vec::with_capacity(self.listeners.len());
        for (listener, _) in &self.listeners {
            loaded.push(self.load(listener)?);
        }
        for ((_, tls), loaded) in self.listeners.iter().zip(loaded) {
            *tls.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        }
        Ok(())
    }

    fn load(&self, listener: &str) -> Result<Tls> {
        let certificate = &self.certificate;
        let doing = || format!("certificate {}", certificate.display());
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .doing(doing)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .doing(|| format!("private key {}", self.key.display()))?;
        let own = chain.first().cloned();
        let own = own.ok_or_else(|| Failure::new(format!("{}: it is empty", doing())))?;
        let builder = ServerConfig::builder();
        let authorities = self.client.authorities(listener);
        let builder = match authorities {
            [] => builder.with_no_client_auth(),
            files => builder.with_client_cert_verifier(verifier(files)?),
        };
        let mut config = builder.with_single_cert(chain, key).doing(doing)?;
        // A session in memory costs kilobytes; a ticket costs the client's memory.
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        if !authorities.is_empty() {
            // A ticket brings the client's certificate back unchecked, even when it has expired meanwhile.
            config.send_tls13_tickets = 0;
        } else if let Ok(ticketer) = rustls::crypto::ring::Ticketer::new() {
            config.ticketer = ticketer;
        }
        Ok(Tls::new(Arc::new(config), &own))
    }
}

/// Takes certificates that these authorities have signed, and clients without one.
fn verifier(files: &[PathBuf]) -> Result<Arc<dyn ClientCertVerifier>> {
    let mut authorities = RootCertStore::empty();
    for file in files {
        let doing = || format!("authorities {}", file.display());
        let certificates = CertificateDer::pem_file_iter(file).doing(doing)?;
        let mut is_empty = true;
        for certificate in certificates {
            authorities.add(certificate.doing(doing)?).doing(doing)?;
            is_empty = false;
        }
        if is_empty {
            return Err(Failure::new(format!("{}: no certificate in it", doing())));
        }
    }
    WebPkiClientVerifier::builder(Arc::new(authorities))
        .allow_unauthenticated()
        .build()
        .doing(|| "authorities of clients".to_owned())
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
