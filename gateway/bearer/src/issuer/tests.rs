//! Tokens of an issuer with keys made here: which are good, which are not, and how often it is asked.

use std::sync::{
    Mutex as StdMutex,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use proptest::prelude::*;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use tokio::time::advance;

use super::*;
use crate::{Algorithm, issuer_of};

const ISSUER: &str = "https://issuer.example.test";
const NOW: Duration = Duration::from_secs(1_800_000_000);

/// An issuer of which the test has the keys.
struct Mint {
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Mint {
    fn new() -> Self {
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            p256: EcdsaKeyPair::from_pkcs8(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                p256.as_ref(),
                &random,
            )
            .unwrap(),
            ed25519: Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).unwrap(),
        }
    }

    fn jwks(&self, name: &str) -> Value {
        let point = self.p256.public_key().as_ref();
        json!({"keys": [
            {"kty": "EC", "crv": "P-256", "kid": format!("{name}-p256"), "use": "sig", "alg": "ES256",
             "x": BASE64URL.encode(&point[1..33]), "y": BASE64URL.encode(&point[33..])},
            {"kty": "OKP", "crv": "Ed25519", "kid": format!("{name}-ed"),
             "x": BASE64URL.encode(self.ed25519.public_key())},
            {"kty": "oct", "kid": "secret", "k": "AAAA"},
            {"kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB"},
            "no key",
        ]})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            BASE64URL.encode(header.to_string()),
            BASE64URL.encode(claims.to_string())
        );
        let signature = match header["alg"].as_str() {
            Some("ES256") => {
                let random = SystemRandom::new();
                let signature = self.p256.sign(&random, signed.as_bytes()).unwrap();
                signature.as_ref().to_vec()
            }
            Some("EdDSA") => self.ed25519.sign(signed.as_bytes()).as_ref().to_vec(),
            // A public key taken for a secret.
            Some("HS256") => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.p256.public_key().as_ref());
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{signed}.{}", BASE64URL.encode(signature))
    }
}

fn terms() -> Terms {
    Terms {
        issuer: ISSUER.to_owned(),
        audiences: vec!["mail".to_owned(), "https://mail.example.test".to_owned()],
        scopes: vec!["imap".to_owned(), "smtp".to_owned()],
        address_claim: "email".to_owned(),
        algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
        clock_skew: Duration::from_secs(60),
    }
}

/// What an issuer says, or nothing while it is away; and how often it was asked.
#[derive(Clone, Default)]
struct Source(Arc<StdMutex<Option<Value>>>, Arc<AtomicUsize>);

impl Source {
    fn say(&self, keys: Option<Value>) {
        *self.0.lock().unwrap() = keys;
    }

    fn asked(&self) -> usize {
        self.1.load(Ordering::Relaxed)
    }

    fn issuer(&self) -> Issuer {
        let source = self.clone();
        Issuer::new(
            terms(),
            Arc::new(move || {
                source.1.fetch_add(1, Ordering::Relaxed);
                let keys = source.0.lock().unwrap().clone();
                Box::pin(async move {
                    let keys = keys.ok_or("away")?;
                    KeySet::parse(keys.to_string().as_bytes()).ok_or_else(|| "no keys".to_owned())
                })
            }),
        )
    }
}

fn header(algorithm: &str, id: &str) -> Value {
    json!({"alg": algorithm, "kid": id, "typ": "at+jwt"})
}

fn claims() -> Value {
    let now = NOW.as_secs();
    json!({
        "iss": ISSUER, "aud": ["other", "mail"], "scope": "openid imap smtp",
        "email": "alice@example.test", "exp": now + 300, "nbf": now - 1, "iat": now - 1,
    })
}

/// The claims with others in their place; null takes one away.
fn with(changes: &Value) -> Value {
    let mut all = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(all.as_object_mut().unwrap().remove(name)),
            value => all[name] = value.clone(),
        }
    }
    all
}

#[tokio::test]
async fn a_token_is_good_by_what_it_says() {
    let (mint, source) = (Mint::new(), Source::default());
    source.say(Some(mint.jwks("a")));
    let issuer = source.issuer();
    let now = NOW.as_secs();
    let none = Value::Null;
    for (changes, expected) in [
        (json!({}), Ok(())),
        (json!({"aud": "https://mail.example.test"}), Ok(())),
        (json!({"aud": "mail "}), Err(Refusal::Audience)),
        (json!({"aud": []}), Err(Refusal::Audience)),
        (json!({"aud": none}), Err(Refusal::Audience)),
        (
            json!({"iss": "https://issuer.example.test/"}),
            Err(Refusal::Issuer),
        ),
        (json!({"iss": none}), Err(Refusal::Issuer)),
        (json!({"scope": none, "scp": ["imap", "smtp"]}), Ok(())),
        (json!({"scope": none, "scp": "smtp imap"}), Ok(())),
        (json!({"scope": "imap"}), Err(Refusal::Scope)),
        (json!({"scope": "imapsmtp imap"}), Err(Refusal::Scope)),
        (json!({"scope": none}), Err(Refusal::Scope)),
        // Within the bound by which clocks may differ.
        (json!({"exp": now - 59}), Ok(())),
        (json!({"exp": now - 60}), Err(Refusal::Expired)),
        (json!({"exp": now as f64 + 0.5}), Ok(())),
        (
            json!({"exp": none}),
            Err(Refusal::Malformed("token without an end")),
        ),
        (
            json!({"exp": "tomorrow"}),
            Err(Refusal::Malformed("token with a time that is no number")),
        ),
        (
            json!({"nbf": "tomorrow"}),
            Err(Refusal::Malformed("token with a time that is no number")),
        ),
        (json!({"nbf": now + 60, "iat": none}), Ok(())),
        (json!({"nbf": now + 61}), Err(Refusal::NotYet)),
        (json!({"nbf": none, "iat": now + 61}), Err(Refusal::NotYet)),
        (json!({"email": none}), Err(Refusal::Address)),
        (
            json!({"email": ["alice@example.test"]}),
            Err(Refusal::Address),
        ),
        (json!({"email_verified": true}), Ok(())),
        (json!({"email_verified": false}), Err(Refusal::Address)),
        (json!({"email_verified": "true"}), Err(Refusal::Address)),
    ] {
        for (algorithm, id) in [("ES256", "a-p256"), ("EdDSA", "a-ed")] {
            let token = mint.sign(&header(algorithm, id), &with(&changes));
            let answer = issuer.check(&token, NOW).await;
            let expected = expected.map(|()| "alice@example.test".to_owned());
            assert_eq!(answer, expected, "{changes} {algorithm}");
        }
    }
    assert_eq!(source.asked(), 1);
}

/// Tokens of an issuer and of somebody else, and why they are not good.
#[expect(clippy::too_many_lines, reason = "cases are data")]
fn signed_tokens(mint: &Mint, other: &Mint) -> Vec<(String, Option<Refusal>)> {
    let good = mint.sign(&header("ES256", "a-p256"), &claims());
    assert_eq!(issuer_of(&good).as_deref(), Some(ISSUER));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (first, rest) = good.split_once('.').unwrap();
    let changed = BASE64URL.encode(with(&json!({"email": "bob@example.test"})).to_string());
    let last = rest.rsplit_once('.').unwrap().1;
    let not_a_token = Refusal::Malformed("not a signed token");
    vec![
        (good.clone(), None),
        (mint.sign(&json!({"alg": "ES256"}), &claims()), None),
        (
            mint.sign(
                &json!({"alg": "EdDSA", "typ": "application/JWT"}),
                &claims(),
            ),
            None,
        ),
        (
            other.sign(&header("ES256", "a-p256"), &claims()),
            Some(Refusal::Signature),
        ),
        (
            other.sign(&json!({"alg": "ES256"}), &claims()),
            Some(Refusal::UnknownKey),
        ),
        (
            other.sign(&header("ES256", "b-p256"), &claims()),
            Some(Refusal::UnknownKey),
        ),
        // The key of that id is for another algorithm.
        (
            mint.sign(&header("EdDSA", "a-p256"), &claims()),
            Some(Refusal::UnknownKey),
        ),
        (
            mint.sign(&header("HS256", "a-p256"), &claims()),
            Some(Refusal::Algorithm),
        ),
        (
            mint.sign(&header("none", "a-p256"), &claims()),
            Some(Refusal::Algorithm),
        ),
        (
            mint.sign(&header("es256", "a-p256"), &claims()),
            Some(Refusal::Algorithm),
        ),
        (
            mint.sign(&header("RS256", "a-p256"), &claims()),
            Some(Refusal::Algorithm),
        ),
        (format!("{signed}."), Some(Refusal::Signature)),
        (
            format!("{first}.{changed}.{last}"),
            Some(Refusal::Signature),
        ),
        (
            mint.sign(
                &json!({"alg": "ES256", "crit": ["b64"], "b64": false}),
                &claims(),
            ),
            Some(Refusal::Malformed("token with an unknown extension")),
        ),
        (
            mint.sign(&json!({"alg": "ES256", "typ": "logout+jwt"}), &claims()),
            Some(Refusal::Malformed("token of another type")),
        ),
        (signed.to_owned(), Some(not_a_token)),
        (format!("{good}."), Some(not_a_token)),
        (format!("{good}="), Some(not_a_token)),
        (String::new(), Some(not_a_token)),
        ("ya29.opaque".to_owned(), Some(not_a_token)),
    ]
}

#[tokio::test]
async fn a_token_is_good_only_under_its_issuers_signature() {
    let (mint, other, source) = (Mint::new(), Mint::new(), Source::default());
    source.say(Some(mint.jwks("a")));
    let issuer = source.issuer();
    for (token, expected) in signed_tokens(&mint, &other) {
        let answer = issuer.check(&token, NOW).await;
        assert_eq!(answer.err(), expected, "{token}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_found_and_the_issuer_is_not_asked_too_often() {
    let (old, new, source) = (Mint::new(), Mint::new(), Source::default());
    source.say(Some(old.jwks("old")));
    let issuer = source.issuer();
    let of = |mint: &Mint, id| mint.sign(&header("ES256", id), &claims());
    let before = of(&old, "old-p256");
    let after = of(&new, "new-p256");
    assert!(issuer.check(&before, NOW).await.is_ok());
    // It was asked just now, and tokens of nobody must not make it be asked again.
    for _ in 0..100 {
        assert_eq!(issuer.check(&after, NOW).await, Err(Refusal::UnknownKey));
    }
    assert_eq!(source.asked(), 1);
    source.say(Some(new.jwks("new")));
    advance(REFRESH_EVERY_MIN).await;
    assert!(issuer.check(&after, NOW).await.is_ok());
    assert_eq!(source.asked(), 2);
    // The old key was taken back.
    assert_eq!(issuer.check(&before, NOW).await, Err(Refusal::UnknownKey));
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn while_the_issuer_is_away_known_keys_are_used_for_a_day() {
    let (mint, source) = (Mint::new(), Source::default());
    let issuer = source.issuer();
    let token = mint.sign(&header("EdDSA", "a-ed"), &claims());
    for _ in 0..10 {
        assert_eq!(
            issuer.check(&token, NOW).await,
            Err(Refusal::KeysUnavailable)
        );
    }
    assert_eq!(source.asked(), 1);
    source.say(Some(mint.jwks("a")));
    advance(REFRESH_EVERY_MIN).await;
    assert!(issuer.check(&token, NOW).await.is_ok());
    source.say(None);
    advance(KEYS_FRESH).await;
    assert!(issuer.check(&token, NOW).await.is_ok());
    assert_eq!(source.asked(), 3);
    // A key that is not known may be a new one: nobody can tell.
    let other = mint.sign(&header("EdDSA", "b-ed"), &claims());
    assert_eq!(
        issuer.check(&other, NOW).await,
        Err(Refusal::KeysUnavailable)
    );
    advance(KEYS_STALE_MAX - KEYS_FRESH).await;
    assert_eq!(
        issuer.check(&token, NOW).await,
        Err(Refusal::KeysUnavailable)
    );
}

#[test]
fn the_example_of_rfc_8037_is_verified() {
    // A.2 and A.4: the key, and what it has signed.
    let keys = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let keys = KeySet::parse(keys).unwrap();
    let signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let signature = BASE64URL.decode(signature).unwrap();
    let by = (None, Algorithm::EdDsa);
    assert_eq!(keys.verify(by, signed, &signature), Ok(()));
    assert!(keys.verify(by, &signed[1..], &signature).is_err());
}

#[test]
fn what_is_no_key_set_is_not_taken_for_an_empty_one() {
    for bad in ["", "[]", "{}", "{\"keys\": {}}"] {
        assert_eq!(KeySet::parse(bad.as_bytes()), None, "{bad}");
    }
    assert_eq!(KeySet::parse(b"{\"keys\":[]}"), Some(KeySet::default()));
}

proptest! {
    #[test]
    fn no_text_panics_or_passes(text in "([a-zA-Z0-9_=-]{0,60}\\.?){0,5}", payload in ".{0,80}") {
        let keys = Mint::new().jwks("a").to_string();
        let keys = KeySet::parse(keys.as_bytes()).unwrap();
        let header = BASE64URL.encode(r#"{"alg":"ES256"}"#);
        let shaped = format!("{header}.{}.AAAA", BASE64URL.encode(payload));
        for text in [text, shaped] {
            let _ = issuer_of(&text);
            if let Ok(token) = Token::parse(&text) {
                prop_assert!(token.verified(&keys, &Algorithm::ALL).is_err());
            }
        }
    }
}
