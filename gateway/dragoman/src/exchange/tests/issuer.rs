//! An issuer of tokens for tests: it gives one token to whoever proves to be the gateway, or has consented.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::AbortHandle,
};

/// The token that is given.
pub(super) const TOKEN: &str = "token-of-the-issuer";

pub(super) struct Issuer {
    pub(super) url: String,
    /// Tokens given so far.
    pub(super) given: Arc<AtomicU32>,
    task: AbortHandle,
}

impl Issuer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let given = Arc::new(AtomicU32::new(0));
        let (base, count) = (url.clone(), Arc::clone(&given));
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 1 << 14];
                let mut len = 0;
                while !is_whole(&request[..len]) {
                    len += stream.read(&mut request[len..]).await.unwrap();
                }
                let request = String::from_utf8_lossy(&request[..len]).into_owned();
                let answer = answer(&base, &request);
                if answer.contains(TOKEN) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    answer.len()
                );
                let _ = stream.write_all((head + &answer).as_bytes()).await;
            }
        });
        Self {
            url,
            given,
            task: task.abort_handle(),
        }
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer(base: &str, request: &str) -> String {
    match request.split(' ').nth(1).unwrap() {
        "/device" => format!(
            "{{\"device_code\":\"d\",\"user_code\":\"ABC\",\"verification_uri\":\"{base}/go\",\"expires_in\":60,\"interval\":1}}"
        ),
        "/token" => {
            assert!(request.contains("client_id=gateway"), "{request}");
            let own = request.contains("grant_type=client_credentials");
            assert!(
                !own || request.contains("client_secret=s3cret"),
                "{request}"
            );
            let refresh = if own { "" } else { ",\"refresh_token\":\"r\"" };
            format!(
                "{{\"access_token\":\"{TOKEN}\",\"token_type\":\"Bearer\",\"expires_in\":3600{refresh}}}"
            )
        }
        _ => format!(
            "{{\"issuer\":\"{base}\",\"token_endpoint\":\"{base}/token\",\"authorization_endpoint\":\"{base}/authorize\",\"device_authorization_endpoint\":\"{base}/device\"}}"
        ),
    }
}

/// Whether a request has come to its end.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().unwrap())
    });
    body.len() >= length.unwrap_or(0)
}
