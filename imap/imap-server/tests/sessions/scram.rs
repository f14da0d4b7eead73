//! AUTHENTICATE SCRAM-SHA-256, with a client of its own (RFC 5802, RFC 7677).
use crate::support::{Client, World};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use imap_server::Config;
use sha2::{Digest as _, Sha256};

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// PBKDF2 with one block (RFC 5802 2.2, `Hi`).
fn salted_password(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut block = hmac(password, &[salt, &[0, 0, 0, 1]].concat());
    let mut result = block;
    for _ in 1..iterations {
        block = hmac(password, &block);
        for (to, from) in result.iter_mut().zip(block) {
            *to ^= from;
        }
    }
    result
}

async fn challenge(client: &mut Client) -> String {
    let line = String::from_utf8(client.response().await.unwrap()).unwrap();
    let decoded = STANDARD
        .decode(line.strip_prefix("+ ").expect("a challenge"))
        .unwrap();
    String::from_utf8(decoded).unwrap()
}

/// Logs in and gives back the last answer.
async fn authenticate(client: &mut Client, user: &str, password: &str) -> String {
    let bare = format!("n={user},r=client");
    let first = STANDARD.encode(format!("n,,{bare}"));
    client
        .send(format!("a AUTHENTICATE SCRAM-SHA-256 {first}\r\n").as_bytes())
        .await;
    let server_first = challenge(client).await;
    let fields: Vec<&str> = server_first.split(',').map(|field| &field[2..]).collect();
    let salt = STANDARD.decode(fields[1]).unwrap();
    let salted = salted_password(password.as_bytes(), &salt, fields[2].parse().unwrap());
    let without_proof = format!("c=biws,r={}", fields[0]);
    let message = format!("{bare},{server_first},{without_proof}");
    let client_key = hmac(&salted, b"Client Key");
    let signature = hmac(&Sha256::digest(client_key), message.as_bytes());
    let proof: Vec<u8> = client_key
        .iter()
        .zip(signature)
        .map(|(key, bit)| key ^ bit)
        .collect();
    let last = format!("{without_proof},p={}", STANDARD.encode(proof));
    client
        .send(format!("{}\r\n", STANDARD.encode(last)).as_bytes())
        .await;
    let answer = String::from_utf8(client.response().await.unwrap()).unwrap();
    let Some(verifier) = answer.strip_prefix("+ ") else {
        return answer;
    };
    let expected = hmac(&hmac(&salted, b"Server Key"), message.as_bytes());
    let verifier = STANDARD.decode(verifier).unwrap();
    assert_eq!(
        verifier,
        format!("v={}", STANDARD.encode(expected)).into_bytes()
    );
    client.send(b"\r\n").await;
    String::from_utf8(client.response().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_user_proves_knowledge_of_the_password_without_sending_it() {
    let world = World::new(Config::default(), None).await;
    let mut client = world.connect(false);
    client.response().await;
    let answer = authenticate(&mut client, "ann@example.test", "secret").await;
    assert!(answer.starts_with("a OK [CAPABILITY "), "{answer}");
    let selected = client.command("b", "SELECT INBOX").await;
    assert!(selected.last().unwrap().starts_with(b"b OK"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_refused_alike() {
    let world = World::new(Config::default(), None).await;
    for (user, password) in [
        ("ann@example.test", "Secret"),
        ("nobody@example.test", "secret"),
    ] {
        let mut client = world.connect(false);
        client.response().await;
        let answer = authenticate(&mut client, user, password).await;
        assert_eq!(
            answer,
            "a NO [AUTHENTICATIONFAILED] wrong user name or password"
        );
    }
}
