//! The example of RFC 7677 3, and a client written here against the same formulas.

use super::*;
use crate::{Exchange, Mechanism};

/// RFC 5802 3, `Hi(password, salt, i)` and what follows from it.
struct Client {
    client_key: [u8; 32],
    verifier: ScramVerifier,
}

fn client(password: &[u8], salt: &[u8], iterations: u32) -> Client {
    fn keyed(key: &[u8], message: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("any length");
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
    let mut round = keyed(password, &[salt, &[0, 0, 0, 1]].concat());
    let mut salted = round;
    for _ in 1..iterations {
        round = keyed(password, &round);
        salted
            .iter_mut()
            .zip(round)
            .for_each(|(sum, byte)| *sum ^= byte);
    }
    let client_key = keyed(&salted, b"Client Key");
    let verifier = ScramVerifier {
        salt: salt.to_vec(),
        iterations,
        stored_key: Sha256::digest(client_key).into(),
        server_key: keyed(&salted, b"Server Key"),
    };
    Client {
        client_key,
        verifier,
    }
}

fn challenge(step: Step) -> String {
    match step {
        Step::Challenge(bytes) => String::from_utf8(bytes).expect("text"),
        other => panic!("no challenge: {other:?}"),
    }
}

fn failure(step: Step) -> Failure {
    match step {
        Step::Failed(failure) => failure,
        other => panic!("no failure: {other:?}"),
    }
}

/// Answers a server-first message with a valid client-final.
fn final_message(client: &Client, bare: &str, server_first: &str, channel: &[u8]) -> String {
    let nonce = server_first.split(',').next().expect("nonce");
    let without_proof = format!("c={},{nonce}", BASE64.encode(channel));
    let message = format!("{bare},{server_first},{without_proof}");
    let mut proof = hmac_sha256(&client.verifier.stored_key, message.as_bytes());
    proof
        .iter_mut()
        .zip(client.client_key)
        .for_each(|(byte, key)| *byte ^= key);
    format!("{without_proof},p={}", BASE64.encode(proof))
}

#[test]
fn the_example_of_rfc_7677_is_reproduced_to_the_byte() {
    let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
    let known = client(b"pencil", &salt, 4096).verifier;
    let nonce = Nonce("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".to_owned());
    let mut exchange = Exchange::new(Mechanism::ScramSha256, Options::new(nonce));
    assert!(matches!(
        exchange.start(Some(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")),
        Step::NeedScram(Identity { authzid: None, authcid }) if authcid == "user"
    ));
    assert_eq!(
        challenge(exchange.verifier(&known)),
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    let last = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                 p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    assert_eq!(
        challenge(exchange.step(last)),
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    );
    assert!(
        matches!(exchange.step(b""), Step::Done(Identity { authcid, .. }) if authcid == "user")
    );
}

/// Runs an exchange in which the client knows `password` and claims `channel` after the header.
fn run(
    mechanism: Mechanism,
    bindings: ChannelBindings,
    header: &str,
    (password, channel): (&str, &[u8]),
) -> Step {
    let options = Options {
        nonce: Nonce::from_random([9; 18]),
        channel_bindings: bindings,
    };
    let mut exchange = Exchange::new(mechanism, options);
    let bare = "n=alice,r=abcdef";
    match exchange.start(Some(format!("{header}{bare}").as_bytes())) {
        Step::NeedScram(_) => {}
        other => return other,
    }
    let known = client(b"open sesame", b"salt", 4096).verifier;
    let server_first = challenge(exchange.verifier(&known));
    let channel = [header.as_bytes(), channel].concat();
    match exchange.step(
        final_message(
            &client(password.as_bytes(), b"salt", 4096),
            bare,
            &server_first,
            &channel,
        )
        .as_bytes(),
    ) {
        Step::Challenge(_) => exchange.step(b""),
        other => other,
    }
}

fn bound() -> ChannelBindings {
    ChannelBindings {
        tls_exporter: Some(vec![5; 32]),
        tls_server_end_point: Some(vec![6; 32]),
    }
}

#[test]
fn the_right_password_is_accepted_and_a_wrong_one_refused() {
    let none = ChannelBindings::default;
    let step = run(
        Mechanism::ScramSha256,
        none(),
        "n,a=bob,",
        ("open sesame", b""),
    );
    assert!(matches!(step, Step::Done(Identity { authzid: Some(who), .. }) if who == "bob"));
    let step = run(Mechanism::ScramSha256, none(), "n,,", ("open barley", b""));
    assert_eq!(failure(step), Failure::BadProof);
}

#[test]
fn either_channel_binding_is_accepted_when_it_is_ours() {
    let plus = Mechanism::ScramSha256Plus;
    let step = run(plus, bound(), "p=tls-exporter,,", ("open sesame", &[5; 32]));
    assert!(matches!(step, Step::Done(_)));
    let step = run(
        plus,
        bound(),
        "p=tls-server-end-point,,",
        ("open sesame", &[6; 32]),
    );
    assert!(matches!(step, Step::Done(_)));
}

#[test]
fn a_foreign_channel_or_a_downgrade_is_refused() {
    let (plain, plus) = (Mechanism::ScramSha256, Mechanism::ScramSha256Plus);
    let secret = "open sesame";
    for (mechanism, bindings, header, channel) in [
        (plus, bound(), "p=tls-exporter,,", &[6; 32][..]),
        (plus, bound(), "p=tls-unique,,", &[5; 32]),
        (plus, bound(), "n,,", b""),
        (plus, ChannelBindings::default(), "p=tls-exporter,,", b""),
        (plain, bound(), "y,,", b""),
        (plain, bound(), "p=tls-exporter,,", &[5; 32]),
        (plain, ChannelBindings::default(), "n,,", b"extra"),
    ] {
        let step = run(mechanism, bindings, header, (secret, channel));
        assert!(
            matches!(failure(step), Failure::ChannelBinding(_)),
            "{header}"
        );
    }
    assert!(matches!(
        run(plain, ChannelBindings::default(), "y,,", (secret, b"")),
        Step::Done(_)
    ));
}

#[test]
fn a_final_message_with_another_nonce_is_refused() {
    let mut exchange = Exchange::new(
        Mechanism::ScramSha256,
        Options::new(Nonce::from_random([9; 18])),
    );
    exchange.step(b"n,,n=alice,r=abcdef");
    exchange.verifier(&client(b"pw", b"salt", 1).verifier);
    let step = exchange.step(format!("c=biws,r=other,p={}", BASE64.encode([0; 32])).as_bytes());
    assert_eq!(failure(step), Failure::Malformed("nonce differs"));
}

#[test]
fn steps_out_of_order_are_refused() {
    let known = client(b"pw", b"salt", 1).verifier;
    let mut exchange = Exchange::new(
        Mechanism::ScramSha256,
        Options::new(Nonce::from_random([9; 18])),
    );
    assert_eq!(failure(exchange.verifier(&known)), Failure::OutOfOrder);
    let mut exchange = Exchange::new(
        Mechanism::ScramSha256,
        Options::new(Nonce::from_random([9; 18])),
    );
    exchange.step(b"n,,n=alice,r=abcdef");
    assert_eq!(failure(exchange.step(b"")), Failure::OutOfOrder);
}
