//! No secret reaches a log, an error or a debug output: every way to log in is gone, well and badly, with all traces on.

use std::{
    error::Error,
    fmt::Debug,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use store_exchange::{
    auth::{
        Channel, Credentials, Kdc, Kerberos, KerberosKey, Password, Policy,
        oauth::{ClientAuth, Fixed, Grant, Renewing, TokenSource, TokenStore, Vault},
    },
    http::{NoProxy, Options, Proxy, Url},
};
use tokio::time::advance;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    oauth::{Answer, Fake},
    peer::{client, listen, plain, post},
};

/// What must not be seen; in the forms that travel, too.
const SECRETS: &[&str] = &[
    "Passw0rd-7Q",
    "UGFzc3cwcmQtN1E",
    // base64 of "anna:Passw0rd-7Q"
    "YW5uYTpQYXNzdzByZC03UQ",
    "client-Secret-9X",
    "refresh-Token-4Z",
    "access-Token-2W",
    "device-Code-1V",
    "proxy-Pass-3U",
];

/// Everything that was said.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Said {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Said {
    fn debug(&mut self, value: impl Debug) {
        writeln!(self, "{value:?} {value:#?}").unwrap();
    }

    fn error(&mut self, error: &(dyn Error + 'static)) {
        let mut error = Some(error);
        while let Some(link) = error {
            writeln!(self, "{link} {link:?}").unwrap();
            error = link.source();
        }
    }

    fn check(&self) {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        assert!(
            text.contains("HTTP connection opened"),
            "nothing was traced"
        );
        // It traces the keys of its sessions.
        assert!(!text.contains("sspi::"), "the library was not kept quiet");
        // From the answer to a challenge a password can be guessed; "NTLMSSP" in its three forms.
        for token in [
            "TlRMTVNTUAAD",
            "NTLMSSP",
            "78, 84, 76, 77, 83, 83, 80, 0, 3",
        ] {
            assert!(!text.contains(token), "a token is shown");
        }
        for secret in SECRETS {
            if let Some(at) = text.find(secret) {
                let from = text.floor_char_boundary(at.saturating_sub(200));
                panic!("{secret} in {}", &text[from..at + secret.len()]);
            }
            let utf16: String = secret.bytes().map(|byte| format!("{byte:02X}00")).collect();
            assert!(!text.contains(&utf16), "{secret} in UTF-16");
        }
    }
}

/// Says the next line of a script to each request; the last one for ever.
async fn server(script: &'static [&'static str]) -> std::net::SocketAddr {
    let (address, _task) = listen(move |_, mut peer| async move {
        let mut script = script.iter().peekable();
        while peer.request().await.is_some() {
            let line = script.next_if(|_| true).or(script.peek().copied());
            match line {
                Some(&"silence") => std::future::pending().await,
                Some(&"200") | None => peer.answer(200, "", "").await,
                Some(offer) => {
                    let offer = format!("WWW-Authenticate: {offer}\r\n");
                    peer.answer(401, &offer, "").await;
                }
            }
        }
    })
    .await;
    address
}

/// A challenge of NTLM, with nothing in it but the end of its target information.
const CHALLENGE: &str =
    "NTLM TlRMTVNTUAACAAAAAAAAADgAAAABAoAAAQIDBAUGBwgAAAAAAAAAAAQABAA4AAAAAAAAAAAAAAAAAAAA";

async fn logged_in(said: &mut Said, credentials: Credentials, script: &'static [&'static str]) {
    said.debug(&credentials);
    let address = server(script).await;
    let mut channel = Channel::new(client(plain()), credentials, Policy::default());
    for _ in 0..2 {
        match channel.send(&post(address, b"x")).await {
            Ok(response) => {
                said.debug(&response);
                response.body.collect().await.unwrap();
            }
            Err(error) => said.error(&error),
        }
        said.debug(&channel);
    }
}

async fn issued(said: &mut Said) {
    let echo = r#"{"error":"invalid_client","error_description":"client-Secret-9X is not it"}"#;
    let odd = r#"{"error":"refresh-Token-4Z","error_description":"AADSTS1"}"#;
    let device = r#"{"device_code":"device-Code-1V","user_code":"A","expires_in":60,
        "verification_uri":"https://login.example.test/"}"#;
    let issuer = Fake::new([
        Answer::both("access-Token-2W", "refresh-Token-4Z"),
        Answer::new(200, device),
        Answer::error("expired_token"),
        Answer::new(400, echo),
        Answer::new(400, odd),
        Answer::new(200, "access-Token-2W"),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    Vault::create_key_file(&key).unwrap();
    let vault = Arc::new(Vault::open(&folder.path().join("tokens"), &key).unwrap());
    let app = Arc::new(issuer.app(ClientAuth::Secret("client-Secret-9X".into())));
    let grant = Grant::Consent {
        store: vault.clone(),
        account: "anna".to_owned(),
    };
    let source = Renewing::new(app.clone(), grant);
    let tokens = app.client_credentials().await.unwrap();
    said.debug((&app, &tokens, &source));
    source.login(tokens).await.unwrap();
    said.debug(&source);
    let login = app.device_login().await.unwrap();
    said.debug(&login);
    said.error(&app.device_tokens(&login).await.unwrap_err());
    let back = Url::parse("https://gateway.example.test/").unwrap();
    said.debug(app.authorize(back, "anna").await.unwrap());
    for _ in 0..3 {
        advance(Duration::from_secs(4000)).await;
        said.error(&source.token().await.unwrap_err());
        said.debug((&source, source.health()));
    }
    std::fs::write(&key, "client-Secret-9X").unwrap();
    said.error(&Vault::open(&folder.path().join("tokens"), &key).unwrap_err());
    said.debug(vault.load("anna").await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn no_way_to_log_in_shows_a_secret() {
    let mut said = Said::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(said.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let password = || {
        Credentials::Password(Password {
            user: "anna".to_owned(),
            domain: None,
            secret: "Passw0rd-7Q".into(),
        })
    };
    for script in [
        &["Basic", "200"] as &[_],
        &["Basic", "Basic"],
        &["NTLM", CHALLENGE, "200"],
        // The channel is looked at in the midst of it.
        &["NTLM", CHALLENGE, "silence"],
        &["NTLM", CHALLENGE, "NTLM"],
        &["NTLM", "NTLM bm9uc2Vuc2U="],
        &["Digest"],
    ] {
        logged_in(&mut said, password(), script).await;
    }
    let kdc = listen(|_, peer| async move { drop(peer) }).await.0;
    let kerberos = Credentials::Kerberos(Kerberos {
        user: "anna".to_owned(),
        realm: "EXAMPLE.TEST".to_owned(),
        kdcs: vec![Kdc::parse(&kdc.to_string()).unwrap()],
        key: KerberosKey::Password("Passw0rd-7Q".into()),
    });
    logged_in(&mut said, kerberos, &["Negotiate"]).await;
    for script in [&["200"] as &[_], &["Bearer"]] {
        let token = Fixed("access-Token-2W".into());
        logged_in(&mut said, Credentials::Bearer(Arc::new(token)), script).await;
    }
    issued(&mut said).await;
    let options = Options {
        proxy: Some(Proxy::parse("http://user:proxy-Pass-3U@127.0.0.1:1").unwrap()),
        no_proxy: NoProxy::default(),
        ..plain()
    };
    said.debug(&options);
    let url = Url::parse("https://mail.example.test/").unwrap();
    let client = client(options);
    said.debug(&client);
    said.error(&client.connect(&url).await.unwrap_err());
    said.check();
}
