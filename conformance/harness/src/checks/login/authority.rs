//! Authorities of certificates, by openssl.

use std::fs::write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::LIMIT;
use crate::failure::Outcome;
use crate::process::{require, run as run_program};

/// An authority of certificates.
pub(super) struct Authority(PathBuf);

impl Authority {
    pub(super) fn make(folder: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        let authority = Self(folder.to_owned());
        let (certificate, key) = (text(&authority.certificate()), text(&folder.join("ca.key")));
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=Test authority",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ])?;
        Ok(authority)
    }

    pub(super) fn certificate(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// A certificate that says this of its owner, and its key.
    pub(super) fn issue(&self, name: &str, alternative: &str) -> Outcome<(PathBuf, PathBuf)> {
        let file = |ending: &str| self.0.join(format!("{name}.{ending}"));
        let (certificate, key, extensions) = (file("pem"), file("key"), file("ext"));
        write(&extensions, format!("subjectAltName={alternative}\n"))?;
        openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            &format!("/CN={name}"),
            "-keyout",
            &text(&key),
            "-out",
            &text(&file("csr")),
        ])?;
        openssl(&[
            "x509",
            "-req",
            "-in",
            &text(&file("csr")),
            "-CA",
            &text(&self.certificate()),
            "-CAkey",
            &text(&self.0.join("ca.key")),
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            &text(&extensions),
            "-out",
            &text(&certificate),
        ])?;
        Ok((certificate, key))
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Runs openssl.
pub(super) fn openssl(arguments: &[&str]) -> Outcome<Vec<u8>> {
    let mut command = Command::new(require("openssl")?);
    run_program(command.args(arguments), b"", LIMIT)?.success()
}
