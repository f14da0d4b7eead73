//! Signing in at a mail server. Source: RFC 4954, 4616 (PLAIN), 7628 (OAUTHBEARER).

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{
    Credentials, HopTls, Secret,
    connection::{Connection, Fault},
    greeting::expect,
};
use crate::{Answer, Enhanced};

/// Signs in by the best mechanism that both know. A refusal is about the connection: mail waits until it is put right.
pub(super) async fn authenticate(
    connection: &mut Connection,
    credentials: &Credentials,
    tls: HopTls,
) -> Result<(), Fault> {
    // Who is in between can hide that TLS is offered, and would be told the secret.
    if !connection.is_encrypted && tls != HopTls::Never {
        let text = "the server offers no TLS, and without it nobody signs in";
        return Err(Fault(Answer::own(Enhanced(4, 7, 11), text)));
    }
    let offered = |mechanism: &str| {
        let mechanisms = &connection.offers.mechanisms;
        mechanisms.iter().any(|one| one == mechanism)
    };
    let user = &credentials.user;
    match &credentials.secret {
        Secret::Password(password) if offered("PLAIN") => {
            let response = Zeroizing::new(format!("\0{user}\0{}", password.as_str()));
            let answer = initial(connection, "PLAIN", &response).await?;
            expect(answer, 235).map(drop)
        }
        Secret::Password(password) if offered("LOGIN") => {
            expect(connection.ask("AUTH LOGIN").await?, 334)?;
            let name = STANDARD.encode(user);
            expect(connection.ask(&name).await?, 334)?;
            let password = Zeroizing::new(STANDARD.encode(password.as_bytes()));
            expect(connection.ask(&password).await?, 235).map(drop)
        }
        Secret::Token(token) if offered("OAUTHBEARER") => {
            let response = Zeroizing::new(format!(
                "n,a={user},\u{1}auth=Bearer {}\u{1}\u{1}",
                token.as_str()
            ));
            bearer(connection, ("OAUTHBEARER", "AQ=="), &response).await
        }
        Secret::Token(token) if offered("XOAUTH2") => {
            let response = Zeroizing::new(format!(
                "user={user}\u{1}auth=Bearer {}\u{1}\u{1}",
                token.as_str()
            ));
            bearer(connection, ("XOAUTH2", ""), &response).await
        }
        _ => Err(Fault(Answer::own(
            Enhanced(4, 7, 4),
            "the server offers no mechanism to sign in with",
        ))),
    }
}

async fn initial(
    connection: &mut Connection,
    mechanism: &str,
    response: &str,
) -> Result<Answer, Fault> {
    let encoded = Zeroizing::new(STANDARD.encode(response));
    let command = Zeroizing::new(format!("AUTH {mechanism} {}", encoded.as_str()));
    connection.ask(&command).await
}

/// What a token mechanism refuses it explains in a challenge, which has to be answered (RFC 7628 3.2.3).
async fn bearer(
    connection: &mut Connection,
    (mechanism, acknowledgement): (&str, &str),
    response: &str,
) -> Result<(), Fault> {
    let mut answer = initial(connection, mechanism, response).await?;
    if answer.code == 334 {
        answer = connection.ask(acknowledgement).await?;
    }
    expect(answer, 235).map(drop)
}
