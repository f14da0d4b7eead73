//! A private LDAP server, from the Debian package, with two users.

use std::fs::{create_dir_all, write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{LIMIT, authority::Authority};
use crate::failure::Outcome;
use crate::process::{eventually, free_port, require, run as run_program};
use crate::subject::Account;

/// Below which entry everything is.
const SUFFIX: &str = "dc=example,dc=test";
/// The gateway's own password.
pub(super) const OWN_PASSWORD: &str = "the-gateways-own-password";

/// The server.
pub(super) struct Slapd {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
    authority: PathBuf,
    /// Its user.
    pub(super) dora: Account,
    /// Another address of hers.
    pub(super) alias: &'static str,
}

impl Slapd {
    pub(super) fn start(folder: &Path, authority: &Authority) -> Outcome<Self> {
        create_dir_all(folder.join("data"))?;
        let (certificate, key) = authority.issue("ldap", "DNS:localhost")?;
        let configuration = format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
             pidfile {0}/pid\nTLSCACertificateFile {1}\nTLSCertificateFile {2}\nTLSCertificateKeyFile {3}\n\
             database mdb\nsuffix \"{SUFFIX}\"\nrootdn \"cn=dragoman,{SUFFIX}\"\nrootpw {OWN_PASSWORD}\n\
             directory {0}/data\naccess to attrs=userPassword by anonymous auth by * none\naccess to * by * none\n",
            folder.display(),
            authority.certificate().display(),
            certificate.display(),
            key.display()
        );
        write(folder.join("slapd.conf"), configuration)?;
        let slapd = Self {
            folder: folder.to_owned(),
            port: free_port()?,
            child: None,
            authority: authority.certificate(),
            dora: Account::new("dora@people.example.test", "doras-secret-word"),
            alias: "dora.d@people.example.test",
        };
        let (alias, Account { address, password }) = (slapd.alias, &slapd.dora);
        let person = |name: &str, mail: &str, rest: &str| {
            format!(
                "dn: uid={name},{SUFFIX}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n\
                 mail: {mail}\n{rest}\n"
            )
        };
        let entries = format!(
            "dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: example\ndc: example\n\n{}{}",
            person(
                "dora",
                address,
                &format!("userPassword: {password}\ndescription: {alias}\n")
            ),
            // Says to be somebody whom the gateway knows by itself.
            person(
                "mallory",
                "alice@example.test",
                &format!("userPassword: {password}\n")
            ),
        );
        let mut add = Command::new(require("slapadd")?);
        add.arg("-f").arg(folder.join("slapd.conf"));
        run_program(&mut add, entries.as_bytes(), LIMIT)?.success()?;
        Ok(slapd)
    }

    pub(super) fn run(&mut self) -> Outcome {
        let mut command = Command::new(require("slapd")?);
        command
            .arg("-f")
            .arg(self.folder.join("slapd.conf"))
            .arg("-h")
            .arg(format!("ldaps://localhost:{}", self.port))
            .args(["-d", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.child = Some(command.spawn()?);
        eventually(LIMIT, "slapd answers", || {
            Ok(TcpStream::connect(("localhost", self.port)).is_ok())
        })
    }

    pub(super) fn stop(&mut self) -> Outcome {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// What the gateway is told of it.
    pub(super) fn settings(&self, password_file: &Path) -> Vec<String> {
        let of = |key: &str, value: String| format!("ldap.people.{key}={value}");
        vec![
            of("domains", "[\"people.example.test\"]".to_owned()),
            of("url", format!("ldaps://localhost:{}", self.port)),
            of("ca_files", format!("[\"{}\"]", self.authority.display())),
            of("system_authorities", "false".to_owned()),
            of("base", format!("\"{SUFFIX}\"")),
            of("bind_dn", format!("\"cn=dragoman,{SUFFIX}\"")),
            of("bind_password_file", password_file.display().to_string()),
            of("alias_attributes", "[\"description\"]".to_owned()),
            of("cache_s", "0".to_owned()),
        ]
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}
