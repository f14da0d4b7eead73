//! What becomes of a call whose proxy hangs up, says no, or never stops talking.

use mapi_wire::rpc::{
    BindAck, Body, ContextResult, Pdu, interfaces::NDR, pdu::FRAGMENT_BYTES, rts::Rts,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use super::{
    super::{
        channels::Route,
        link::{CONTROL_MAX, LIFETIME, Link},
    },
    *,
};
use crate::auth::oauth;

/// A window that a large call does not fit into.
const WINDOW: u32 = 0x2000;

/// A proxy of which each test does the rest itself.
struct Proxy {
    listener: TcpListener,
    server: Server,
}

/// Both channels of a virtual connection, as the proxy has them.
struct Channels {
    inward: TcpStream,
    out: TcpStream,
}

impl Proxy {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/rpc/rpcproxy.dll?a@example.test:6001");
        let token = oauth::Fixed(Secret::from("token"));
        let server = Server {
            client: Client::new(Options::default()).unwrap(),
            transport: Transport::RpcHttp,
            url: url.parse().unwrap(),
            credentials: Credentials::Bearer(std::sync::Arc::new(token)),
            policy: Policy {
                schemes: vec![Scheme::Bearer],
            },
        };
        Self { listener, server }
    }

    /// Shakes hands.
    async fn meet(&self) -> Channels {
        let mut out = self.accept().await;
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/rpc\r\nContent-Length: 1000000000\r\n\r\n";
        out.write_all(head).await.unwrap();
        for rts in [Rts::conn_a3(120_000), Rts::conn_c2(WINDOW, 120_000)] {
            out.write_all(&control(rts)).await.unwrap();
        }
        let mut inward = self.accept().await;
        let first = packet(&mut inward).await;
        assert!(matches!(first.body, Body::Rts(_)));
        Channels { inward, out }
    }

    async fn accept(&self) -> TcpStream {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream
    }

    async fn link(&self) -> (Link, Channels) {
        let opening = Link::open(Route(self.server.clone()), LIFETIME);
        let (link, channels) = tokio::join!(opening, self.meet());
        (link.unwrap(), channels)
    }
}

fn control(rts: Rts) -> Vec<u8> {
    Pdu::whole(0, Body::Rts(rts), None).encode()
}

/// The next packet on a channel.
async fn packet(stream: &mut TcpStream) -> Pdu {
    let mut octets = vec![0; 16];
    stream.read_exact(&mut octets).await.unwrap();
    let length = u16::from_le_bytes([octets[8], octets[9]]);
    octets.resize(length.into(), 0);
    stream.read_exact(&mut octets[16..]).await.unwrap();
    Pdu::decode(&octets).unwrap()
}

/// What is found out about a connection, as soon as anything is.
async fn found_out(link: &mut Link) -> Fault {
    let found = async {
        loop {
            match link.catch_up().await {
                Ok(()) => tokio::task::yield_now().await,
                Err(fault) => return fault,
            }
        }
    };
    timeout(SILENCE, found).await.unwrap()
}

#[tokio::test]
async fn a_connection_that_ended_between_calls_is_found_out_before_the_next() {
    let proxy = Proxy::new().await;
    let (mut link, channels) = proxy.link().await;
    assert!(link.catch_up().await.is_ok());
    drop(channels.out);
    let fault = found_out(&mut link).await;
    assert!(matches!(fault, Fault::Away(_)), "{fault:?}");

    let (mut link, mut channels) = proxy.link().await;
    let refusal = b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    channels.inward.write_all(refusal).await.unwrap();
    let fault = found_out(&mut link).await;
    assert!(
        matches!(fault, Fault::Busy(wait) if wait.as_secs() == 7),
        "{fault:?}"
    );
}

#[tokio::test]
async fn what_was_not_handed_over_was_not_done() {
    let proxy = Proxy::new().await;
    let (mut link, mut channels) = proxy.link().await;
    // A call before, whose packet arrived as a whole.
    link.send(control(Rts::ping()));
    assert!(link.receive(Some(Instant::now())).await.is_err());
    packet(&mut channels.inward).await;
    drop(channels.inward);
    found_out(&mut link).await;
    link.send(control(Rts::ping()));
    let fault = link.receive(None).await.unwrap_err();
    assert!(matches!(fault, Fault::Away(_)), "{fault:?}");
}

#[tokio::test]
async fn a_proxy_that_never_stops_talking_keeps_no_call_waiting() {
    let proxy = Proxy::new().await;
    let (mut link, mut channels) = proxy.link().await;
    let talking = tokio::spawn(async move {
        let pings = control(Rts::ping()).repeat(100);
        while channels.out.write_all(&pings).await.is_ok() {}
    });
    link.send(control(Rts::ping()));
    let received = timeout(SILENCE, link.receive(Some(Instant::now()))).await;
    assert!(received.unwrap().is_err());
    talking.abort();
}

#[tokio::test]
async fn no_more_is_kept_for_a_proxy_than_it_may_want() {
    let proxy = Proxy::new().await;
    let (mut link, _channels) = proxy.link().await;
    for _ in 0..CONTROL_MAX {
        link.say(control(Rts::ping()).into()).unwrap();
    }
    assert!(link.say(control(Rts::ping()).into()).is_err());
}

#[tokio::test]
async fn a_proxy_that_refuses_in_the_middle_of_a_call_spends_the_connection() {
    let proxy = Proxy::new().await;
    let served = async {
        let mut channels = proxy.meet().await;
        let bind = packet(&mut channels.inward).await;
        let ack = BindAck {
            xmit_fragment_max: FRAGMENT_BYTES,
            receive_fragment_max: FRAGMENT_BYTES,
            association_group: 1,
            secondary_address: b"6001\0".as_slice().into(),
            results: vec![ContextResult {
                result: 0,
                reason: 0,
                transfer: NDR,
            }],
        };
        let ack = Pdu::whole(bind.call_id, Body::BindAck(ack), None).encode();
        channels.out.write_all(&ack).await.unwrap();
        // More of the call is to come, so nothing has been done.
        packet(&mut channels.inward).await;
        let refusal = b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
        channels.inward.write_all(refusal).await.unwrap();
        channels
    };
    let called = async {
        let opened = Association::open(proxy.server.clone(), EMSMDB, 0).await;
        let mut association = opened.unwrap();
        let stub = vec![0; 8 * WINDOW as usize];
        let called = association
            .call(EMSMDB, opnums::RPC_EXT2, &stub, SILENCE)
            .await;
        assert!(matches!(called, Err(Fault::Busy(_))), "{called:?}");
        assert!(!association.is_intact());
    };
    tokio::join!(served, called);
}
