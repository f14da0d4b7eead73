//! One question to a key distribution centre, over TCP (RFC 4120 7.2.2).

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use url::Host;

use super::unusable;
use crate::{
    auth::{Error, Kdc},
    http::{Reach, dial},
};

/// The time that one centre has for one answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// The bound of an answer in bytes. Tickets of users in many groups reach some tens of kilobytes.
const ANSWER_BYTES_MAX: u32 = 256 << 10;

/// The centres of a realm: those that are configured, or the realm's own name, which an Active Directory domain gives
/// to all of its controllers.
pub(super) fn of(realm: &str, configured: &[Kdc]) -> Result<Vec<Kdc>, Error> {
    if !configured.is_empty() {
        return Ok(configured.to_vec());
    }
    let host = Host::parse(realm).map_err(|_| unusable(format!("{realm:?} is no realm")))?;
    Ok(vec![Kdc {
        host,
        port: Kdc::PORT,
    }])
}

/// Asks the centres in turn until one answers. Errors: `Away`.
pub(super) async fn ask(kdcs: &[Kdc], question: &[u8]) -> Result<Vec<u8>, Error> {
    let mut last = "Kerberos: no key distribution centre is known".to_owned();
    for kdc in kdcs {
        match timeout(ANSWER_TIME_MAX, exchange(kdc, question)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => last = format!("Kerberos: {} port {}: {error}", kdc.host, kdc.port),
            Err(_) => last = format!("Kerberos: {} port {}: no answer", kdc.host, kdc.port),
        }
    }
    Err(Error::Away(last))
}

/// Question and answer are preceded by their lengths.
async fn exchange(kdc: &Kdc, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = dial(&kdc.host, kdc.port, Reach::Anywhere)
        .await
        .map_err(|error| io::Error::other(error.kind.to_string()))?;
    let len = u32::try_from(question.len()).map_err(io::Error::other)?;
    stream
        .write_all(&[&len.to_be_bytes(), question].concat())
        .await?;
    let len = stream.read_u32().await?;
    if len > ANSWER_BYTES_MAX {
        return Err(io::Error::other("the answer is larger than allowed"));
    }
    let mut answer = Vec::new();
    let read = stream.take(len.into()).read_to_end(&mut answer).await?;
    if read < usize::try_from(len).unwrap_or(usize::MAX) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn centres_that_nobody_reaches_have_refused_nobody() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = nobody.local_addr().unwrap().port();
        drop(nobody);
        let kdc = Kdc {
            host: Host::parse("127.0.0.1").unwrap(),
            port,
        };
        for kdcs in [&[][..], &[kdc]] {
            let answer = ask(kdcs, b"question").await;
            assert!(matches!(answer, Err(Error::Away(_))), "{answer:?}");
        }
    }
}
