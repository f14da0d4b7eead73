//! OAuth against an issuer: every way to a first token, and keeping it fresh.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::Value;
use sha2::{Digest, Sha256};
use store_exchange::{
    auth::{
        Secret,
        oauth::{Algorithm, App, Certificate, ClientAuth, Endpoints, Error, Issuer},
    },
    http::Url,
};
use tokio::time::Instant;

use crate::peer::{client, listen, plain, url};

/// An issuer that answers what it is told, in order, and the last for ever; it remembers what it was asked.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) form: HashMap<String, String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: String,
    body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: String::new(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(mut self, line: &str) -> Self {
        self.headers.push_str(line);
        self.headers.push_str("\r\n");
        self
    }

    /// A token that lasts for an hour.
    pub(crate) fn token(access: &str) -> Self {
        Self::new(
            200,
            &format!(r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":3600}}"#),
        )
    }

    pub(crate) fn both(access: &str, refresh: &str) -> Self {
        Self::new(
            200,
            &format!(
                r#"{{"access_token":"{access}","token_type":"bearer","expires_in":"3600","refresh_token":"{refresh}"}}"#
            ),
        )
    }

    pub(crate) fn error(code: &str) -> Self {
        let description = "AADSTS70000: what was sent is wrong";
        Self::new(
            400,
            &format!(r#"{{"error":"{code}","error_description":"{description}"}}"#),
        )
    }
}

impl Fake {
    pub(crate) async fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<Vec<_>>()));
        let (asks, says) = (asked.clone(), answers.clone());
        let (address, _task) = listen(move |_, mut peer| {
            let (asks, says) = (asks.clone(), says.clone());
            async move {
                while let Some(request) = peer.request().await {
                    let form = url::form_urlencoded::parse(&request.body)
                        .into_owned()
                        .collect();
                    let path = request.line().split(' ').nth(1).unwrap().to_owned();
                    asks.lock().unwrap().push(Asked { path, form });
                    let answer = {
                        let mut says = says.lock().unwrap();
                        if says.len() > 1 {
                            says.remove(0)
                        } else {
                            says[0].clone()
                        }
                    };
                    peer.answer(answer.status, &answer.headers, &answer.body)
                        .await;
                }
            }
        })
        .await;
        Self {
            url: url(address, "/"),
            asked,
            answers,
        }
    }

    pub(crate) fn will_say(&self, answers: impl IntoIterator<Item = Answer>) {
        *self.answers.lock().unwrap() = answers.into_iter().collect();
    }

    /// What it was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    pub(crate) fn app(&self, client_auth: ClientAuth) -> App {
        App {
            client: client(plain()),
            issuer: Issuer::fixed(Endpoints {
                token: self.at("/token"),
                authorization: Some(self.at("/authorize?tenant=t")),
                device: Some(self.at("/device")),
            }),
            client_id: "gateway".to_owned(),
            client_auth,
            scope: "mail offline_access".to_owned(),
        }
    }
}

fn form(asked: &Asked) -> Vec<(&str, &str)> {
    let mut form: Vec<_> = asked
        .form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    form.sort_unstable();
    form
}

#[tokio::test]
async fn a_gateway_gets_tokens_by_its_own_right_with_a_secret() {
    let issuer = Fake::new([Answer::token("t1")]).await;
    let app = issuer.app(ClientAuth::Secret("s&cret".into()));
    let tokens = app.client_credentials().await.unwrap();
    assert_eq!(tokens.access, Secret::new("t1"));
    assert_eq!(tokens.lifetime, Duration::from_secs(3600));
    assert_eq!(tokens.refresh, None);
    let [asked] = &issuer.asked()[..] else {
        panic!();
    };
    assert_eq!(asked.path, "/token");
    assert_eq!(
        form(asked),
        [
            ("client_id", "gateway"),
            ("client_secret", "s&cret"),
            ("grant_type", "client_credentials"),
            ("scope", "mail offline_access"),
        ]
    );
}

/// A copy of a test's certificate and key, for a key file must be private and a checkout's is not.
fn install(folder: &Path, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transport/rsa");
    fs::copy(from.join(format!("{name}.pem")), folder.join("pem")).unwrap();
    fs::copy(from.join(format!("{name}.key")), folder.join("key")).unwrap();
    fs::set_permissions(folder.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
}

/// The claims of an assertion, after its signature was checked with the certificate in the folder.
fn verified(assertion: &str, folder: &Path, algorithm: Algorithm) -> Value {
    let [head, claims, signature] = assertion.split('.').collect::<Vec<_>>()[..] else {
        panic!("{assertion}");
    };
    let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
    let head: Value = serde_json::from_slice(&decode(head)).unwrap();
    let certificate = CertificateDer::from_pem_file(folder.join("pem")).unwrap();
    let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate));
    assert_eq!(head["x5t#S256"], hash);
    let (name, verification): (_, &dyn ring::signature::VerificationAlgorithm) = match algorithm {
        Algorithm::Ps256 => ("PS256", &RSA_PSS_2048_8192_SHA256),
        Algorithm::Rs256 => ("RS256", &RSA_PKCS1_2048_8192_SHA256),
    };
    assert_eq!(head["alg"], name);
    // The key stands at the end of what precedes the extensions: found by the head of an RSA key of 2048 bits.
    let at = certificate
        .windows(4)
        .position(|w| w == b"\x30\x82\x01\x0a")
        .unwrap();
    let signed = assertion.rsplit_once('.').unwrap().0;
    UnparsedPublicKey::new(verification, &certificate[at..at + 270])
        .verify(signed.as_bytes(), &decode(signature))
        .unwrap();
    serde_json::from_slice(&decode(claims)).unwrap()
}

#[tokio::test]
async fn a_gateway_gets_tokens_by_its_own_right_with_a_certificate_that_may_change() {
    for algorithm in [Algorithm::Ps256, Algorithm::Rs256] {
        let issuer = Fake::new([Answer::token("t1")]).await;
        let folder = tempfile::tempdir().unwrap();
        let app = issuer.app(ClientAuth::Certificate(Certificate {
            certificate: folder.path().join("pem"),
            key: folder.path().join("key"),
            algorithm,
        }));
        let mut ids = Vec::new();
        for name in ["one", "two"] {
            install(folder.path(), name);
            app.client_credentials().await.unwrap();
            let asked = issuer.asked().remove(0);
            assert_eq!(
                asked.form["client_assertion_type"],
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            );
            let claims = verified(&asked.form["client_assertion"], folder.path(), algorithm);
            assert_eq!(claims["iss"], "gateway");
            assert_eq!(claims["sub"], "gateway");
            assert_eq!(claims["aud"], issuer.at("/token").as_str());
            assert_eq!(
                claims["exp"].as_u64().unwrap() - claims["nbf"].as_u64().unwrap(),
                600
            );
            ids.push(claims["jti"].clone());
        }
        assert_ne!(ids[0], ids[1]);
    }
}

#[tokio::test]
async fn a_key_that_others_can_read_or_that_is_none_is_not_used() {
    let issuer = Fake::new([Answer::token("t1")]).await;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let app = issuer.app(ClientAuth::Certificate(Certificate {
        certificate: folder.path().join("pem"),
        key: key.clone(),
        algorithm: Algorithm::Ps256,
    }));
    assert!(matches!(
        app.client_credentials().await,
        Err(Error::Config(_))
    ));
    install(folder.path(), "one");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        app.client_credentials().await,
        Err(Error::Config(_))
    ));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(
        &key,
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    assert!(matches!(
        app.client_credentials().await,
        Err(Error::Config(_))
    ));
    assert!(issuer.asked().is_empty());
}

#[tokio::test]
async fn a_person_consents_in_a_browser() {
    let issuer = Fake::new([Answer::both("t1", "r1")]).await;
    let app = issuer.app(ClientAuth::Public);
    let back = Url::parse("https://gateway.example.test/oauth/back").unwrap();
    let login = app
        .authorize(back.clone(), "anna@example.test")
        .await
        .unwrap();
    let query: HashMap<_, _> = login.url.query_pairs().into_owned().collect();
    assert_eq!(login.url.path(), "/authorize");
    for (name, value) in [
        ("tenant", "t"),
        ("response_type", "code"),
        ("client_id", "gateway"),
        ("redirect_uri", back.as_str()),
        ("scope", "mail offline_access"),
        ("code_challenge_method", "S256"),
        ("login_hint", "anna@example.test"),
    ] {
        assert_eq!(query[name], value, "{name}");
    }

    let state = &query["state"];
    let came_back = |query: &str| Url::parse(&format!("{back}?{query}")).unwrap();
    let tokens = app
        .exchange(&login, &came_back(&format!("code=c%2F1&state={state}")))
        .await
        .unwrap();
    assert_eq!(tokens.access, Secret::new("t1"));
    assert_eq!(tokens.refresh, Some(Secret::new("r1")));
    let asked = issuer.asked().remove(0);
    assert_eq!(asked.form["code"], "c/1");
    assert_eq!(asked.form["redirect_uri"], back.as_str());
    let verifier = &asked.form["code_verifier"];
    assert_eq!(verifier.len(), 43);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    assert_eq!(query["code_challenge"], challenge);

    let malformed = Error::Malformed("it belongs to another login");
    for (query, expected) in [
        ("code=c1".to_owned(), malformed.clone()),
        ("code=c1&state=other".to_owned(), malformed.clone()),
        (format!("code=c1&state={state}&state={state}"), malformed),
        (format!("state={state}"), Error::Malformed("no code")),
        (
            format!("state={state}&error=access_denied&error_description=no"),
            Error::Declined,
        ),
    ] {
        let got = app.exchange(&login, &came_back(&query)).await;
        assert_eq!(got.unwrap_err(), expected, "{query}");
    }
    assert!(issuer.asked().is_empty());
}

const DEVICE: &str = r#"{"device_code":"d1","user_code":"ABCD-EFGH",
    "verification_uri":"https://login.example.test/device","expires_in":900,"interval":5}"#;

#[tokio::test(start_paused = true)]
async fn a_person_consents_on_another_device() {
    let issuer = Fake::new([
        Answer::new(200, DEVICE),
        Answer::error("authorization_pending"),
        Answer::error("slow_down"),
        Answer::new(503, "busy"),
        Answer::both("t1", "r1"),
    ])
    .await;
    let app = issuer.app(ClientAuth::Public);
    let login = app.device_login().await.unwrap();
    assert_eq!(login.user_code, "ABCD-EFGH");
    assert_eq!(
        login.verification_url.as_str(),
        "https://login.example.test/device"
    );
    let asked = issuer.asked().remove(0);
    assert_eq!(asked.path, "/device");
    assert_eq!(asked.form["scope"], "mail offline_access");

    let started = Instant::now();
    let tokens = app.device_tokens(&login).await.unwrap();
    assert_eq!(tokens.refresh, Some(Secret::new("r1")));
    // 5 s each until told to slow down, then 10 s, and 15 s after the failure.
    assert_eq!(started.elapsed().as_secs(), 5 + 5 + 10 + 15);
    for asked in issuer.asked() {
        assert_eq!(asked.form["device_code"], "d1");
        assert_eq!(
            asked.form["grant_type"],
            "urn:ietf:params:oauth:grant-type:device_code"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_login_ends_with_a_refusal_or_with_its_time() {
    for (code, expected) in [
        ("access_denied", Error::Declined),
        ("expired_token", Error::Expired),
        ("authorization_pending", Error::Expired),
    ] {
        let issuer = Fake::new([Answer::new(200, DEVICE), Answer::error(code)]).await;
        let app = issuer.app(ClientAuth::Public);
        let login = app.device_login().await.unwrap();
        let started = Instant::now();
        let got = app.device_tokens(&login).await.unwrap_err();
        assert_eq!(got, expected, "{code}");
        assert!(started.elapsed() <= Duration::from_secs(900));
    }
}

#[tokio::test]
async fn an_issuer_is_found_by_its_name_once() {
    let issuer = Fake::new([]).await;
    let metadata = |name: &Url| {
        let token = issuer.at("/token");
        Answer::new(
            200,
            &format!(r#"{{"issuer":"{name}","token_endpoint":"{token}","other":[1]}}"#),
        )
    };
    let named = issuer.at("/tenant/v2.0");
    issuer.will_say([metadata(&issuer.at("/number/v2.0")), Answer::token("t1")]);
    let mut app = issuer.app(ClientAuth::Secret("s".into()));
    app.issuer = Issuer::named(named.clone());
    app.client_credentials().await.unwrap();
    app.client_credentials().await.unwrap();
    let paths: Vec<_> = issuer.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(
        paths,
        [
            "/tenant/v2.0/.well-known/openid-configuration",
            "/token",
            "/token"
        ]
    );
    assert!(matches!(app.device_login().await, Err(Error::Config(_))));
    let back = Url::parse("https://gateway.example.test/").unwrap();
    assert!(matches!(
        app.authorize(back, "").await,
        Err(Error::Config(_))
    ));

    let foreign = Url::parse("https://other.example.test/").unwrap();
    issuer.will_say([metadata(&foreign)]);
    app.issuer = Issuer::named(named);
    let got = app.client_credentials().await.unwrap_err();
    assert_eq!(got, Error::Malformed("the metadata are another issuer's"));
}

#[tokio::test]
async fn answers_that_are_no_tokens_are_told_apart() {
    let malformed = |what| Error::Malformed(what);
    let unavailable = |why: &str, retry_after: Option<u64>| Error::Unavailable {
        why: why.to_owned(),
        retry_after: retry_after.map(Duration::from_secs),
    };
    let refused = |why: &str| Error::Refused(why.to_owned());
    let cases = [
        (Answer::new(200, "<html>"), malformed("no token in it")),
        (Answer::new(200, "{}"), malformed("no token in it")),
        (
            Answer::new(200, &"[".repeat(10_000)),
            malformed("no token in it"),
        ),
        (
            Answer::new(200, r#"{"access_token":"t","token_type":"mac"}"#),
            malformed("the token is not a bearer token"),
        ),
        (
            Answer::token(""),
            malformed("the token does not fit into a header"),
        ),
        (
            Answer::token("a b"),
            malformed("the token does not fit into a header"),
        ),
        (
            Answer::token("a\\nb"),
            malformed("the token does not fit into a header"),
        ),
        (
            Answer::token(&"t".repeat(70_000)),
            malformed("the token does not fit into a header"),
        ),
        (
            Answer::error("invalid_client"),
            refused("invalid_client (AADSTS70000)"),
        ),
        (
            Answer::new(404, "not here"),
            refused("it answers 404 Not Found"),
        ),
        (
            Answer::new(302, "").header("Location: https://other.example.test/"),
            refused("it answers 302 Found"),
        ),
        (
            Answer::new(429, "{}").header("Retry-After: 7"),
            unavailable("it answers 429 Too Many Requests", Some(7)),
        ),
        (
            Answer::new(500, r#"{"error":"invalid_grant"}"#),
            unavailable("it answers 500 Internal Server Error", None),
        ),
        (
            Answer::new(200, &" ".repeat(300_000)),
            unavailable("the answer is larger than allowed", None),
        ),
    ];
    for (answer, expected) in cases {
        let issuer = Fake::new([answer]).await;
        let app = issuer.app(ClientAuth::Secret("s".into()));
        let got = app.client_credentials().await.unwrap_err();
        assert_eq!(got, expected);
    }
}
