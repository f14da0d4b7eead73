//! A small issuer of tokens: keys made by openssl, a discovery document and a key set over HTTP on loopback.

use std::fs::write;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{LIMIT, authority::openssl};
use crate::failure::{Failure, Outcome};
use crate::load::base64;
use crate::process::{require, run as run_program};

/// Octets of a public key of Ed25519, at the end of what openssl writes of it.
const PUBLIC_KEY_BYTES: usize = 32;

/// The issuer.
pub(super) struct Issuer {
    folder: PathBuf,
    /// Its URL.
    pub(super) url: String,
    /// The name of the key that signs now.
    key: String,
    keys: Arc<Mutex<String>>,
}

/// What a token says.
#[derive(Clone, Debug)]
pub(super) struct Claims<'c> {
    pub(super) issuer: &'c str,
    pub(super) audience: &'c str,
    pub(super) scope: &'c str,
    pub(super) address: &'c str,
    /// Seconds from now on; may be over.
    pub(super) lasts: i64,
}

impl Issuer {
    pub(super) fn start(folder: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        let socket = TcpListener::bind(("127.0.0.1", 0))?;
        let url = format!("http://{}", socket.local_addr()?);
        let keys = Arc::default();
        let mut issuer = Self {
            folder: folder.to_owned(),
            url: url.clone(),
            key: String::new(),
            keys: Arc::clone(&keys),
        };
        issuer.rotate("first")?;
        std::thread::spawn(move || {
            for stream in socket.incoming().map_while(Result::ok) {
                let _ = answer(&stream, &url, &keys);
            }
        });
        Ok(issuer)
    }

    /// Has another key from now on, and the one before no more.
    pub(super) fn rotate(&mut self, name: &str) -> Outcome {
        let file = self.folder.join(name).display().to_string();
        openssl(&["genpkey", "-algorithm", "ED25519", "-out", &file])?;
        let public = openssl(&["pkey", "-in", &file, "-pubout", "-outform", "DER"])?;
        let at = public.len().saturating_sub(PUBLIC_KEY_BYTES);
        let x = url_safe(public.get(at..).unwrap_or_default());
        let set = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","use":"sig","kid":"{name}","x":"{x}"}}]}}"#
        );
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = set;
        self.key = name.to_owned();
        Ok(())
    }

    /// Claims that are good.
    pub(super) fn claims<'c>(&'c self, address: &'c str) -> Claims<'c> {
        Claims {
            issuer: &self.url,
            audience: "dragoman",
            scope: "mail",
            address,
            lasts: 300,
        }
    }

    /// A token signed by the key of now.
    pub(super) fn token(&self, claims: &Claims<'_>) -> Outcome<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_err(|error| Failure(error.to_string()))?.as_secs();
        let expires = now.saturating_add_signed(claims.lasts);
        let Claims {
            issuer,
            audience,
            scope,
            address,
            ..
        } = claims;
        let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{}"}}"#, self.key);
        let payload = format!(
            r#"{{"iss":"{issuer}","aud":"{audience}","scope":"{scope}","email":"{address}","exp":{expires}}}"#
        );
        let signed = format!(
            "{}.{}",
            url_safe(header.as_bytes()),
            url_safe(payload.as_bytes())
        );
        let file = self.folder.join("signed");
        write(&file, &signed)?;
        let mut command = Command::new(require("openssl")?);
        command.args(["pkeyutl", "-sign", "-rawin", "-inkey"]);
        command
            .arg(self.folder.join(&self.key))
            .arg("-in")
            .arg(&file);
        let signature = run_program(&mut command, b"", LIMIT)?.success()?;
        Ok(format!("{signed}.{}", url_safe(&signature)))
    }
}

/// Answers one request.
fn answer(mut stream: &TcpStream, url: &str, keys: &Mutex<String>) -> Outcome {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut line = request.clone();
    while line.trim_end() != "" {
        line.clear();
        reader.read_line(&mut line)?;
    }
    let (status, body) = match request.split(' ').nth(1) {
        Some("/.well-known/openid-configuration") => (
            "200 OK",
            format!(r#"{{"issuer":"{url}","jwks_uri":"{url}/keys"}}"#),
        ),
        Some("/keys") => (
            "200 OK",
            keys.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        ),
        _ => ("404 Not Found", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes())?;
    Ok(())
}

/// Base64 as tokens have it. Source: RFC 4648 5.
fn url_safe(octets: &[u8]) -> String {
    let text = base64(octets, 0).replace('+', "-").replace('/', "_");
    text.trim_end_matches('=').to_owned()
}
