//! Virtual connections with a server of our own.

mod verdicts;

use std::time::Duration;

use exchange_standin::{Config, Server as Standin};
use mapi_wire::{
    buffer,
    http::emsmdb,
    rop::RequestBuffer,
    rpc::{Call, Caller, ContextHandle, interfaces::EMSMDB, interfaces::opnums},
};
use tokio::time::timeout;

use super::Association;
use crate::{
    auth::{Credentials, Password, Policy, Scheme, Secret},
    discover::Transport,
    fault::{Fault, Result},
    http::{Client, Options},
    identity::CLIENT_VERSION,
    session::Server,
};

const SILENCE: Duration = Duration::from_secs(30);

fn server_of(standin: &Standin, secret: &str) -> Server {
    let url = format!("{}/rpc/rpcproxy.dll?a@example.test:6001", standin.url());
    Server {
        client: Client::new(Options::default()).unwrap(),
        transport: Transport::RpcHttp,
        url: url.parse().unwrap(),
        credentials: Credentials::Password(Password {
            user: "alice@example.test".to_owned(),
            domain: None,
            secret: Secret::from(secret),
        }),
        policy: Policy {
            schemes: vec![Scheme::Basic],
        },
    }
}

fn caller(handle: ContextHandle) -> Caller {
    Caller {
        handle,
        version: CLIENT_VERSION,
    }
}

async fn connected(standin: &Standin, association: &mut Association) -> ContextHandle {
    let dn = standin.user("alice").unwrap().legacy_dn;
    let connect = emsmdb::Connect {
        user_dn: dn.as_str().into(),
        flags: 0,
        default_code_page: 1252,
        lcid_sort: 0x409,
        lcid_string: 0x409,
    };
    let stub = connect.to_stub(&caller(ContextHandle::default()));
    let called = association.call(EMSMDB, opnums::CONNECT_EX, &stub, SILENCE);
    let returned = emsmdb::Connect::from_stub(&called.await.unwrap()).unwrap();
    assert_eq!(returned.error, 0);
    returned.handle.unwrap()
}

/// Has an empty batch carried out.
async fn nothing(association: &mut Association, handle: ContextHandle) -> Result<u32> {
    let batch = RequestBuffer::default().encode();
    let packed = buffer::join(&[batch], buffer::Packing::default()).unwrap();
    let execute = emsmdb::Execute {
        flags: 0,
        rop_buffer: packed.into(),
        rop_out_max: 0x8008,
    };
    let stub = execute.to_stub(&caller(handle));
    let stub = association
        .call(EMSMDB, opnums::RPC_EXT2, &stub, SILENCE)
        .await?;
    Ok(emsmdb::Execute::from_stub(&stub)?.error)
}

async fn called_through_replacements(other_proxy: bool) {
    let mut config = Config::default();
    config.rpc.other_proxy = other_proxy;
    config.rpc.out_bytes = 128 << 10;
    let standin = Standin::start(config).unwrap();
    let server = server_of(&standin, "secret-alice");
    let opened = Association::with_lifetime(server, EMSMDB, 0, 16 << 10).await;
    let mut association = opened.unwrap();
    let handle = connected(&standin, &mut association).await;
    for number in 0..1000 {
        let called = nothing(&mut association, handle).await;
        assert_eq!(called.unwrap(), 0, "{number}");
    }
    assert_eq!(standin.violations(), Vec::<String>::new());
    // Two at first, and one for each time that one was full.
    assert!(standin.counters().connections > 8);
}

#[tokio::test]
async fn channels_are_replaced_at_the_same_proxy() {
    called_through_replacements(false).await;
}

#[tokio::test]
async fn channels_are_replaced_at_another_proxy() {
    called_through_replacements(true).await;
}

#[tokio::test]
async fn a_session_is_shared_by_associations_of_its_group_alone() {
    let standin = Standin::start(Config::default()).unwrap();
    let server = server_of(&standin, "secret-alice");
    let mut first = Association::open(server.clone(), EMSMDB, 0).await.unwrap();
    let handle = connected(&standin, &mut first).await;
    let group = first.group();
    let mut second = Association::open(server.clone(), EMSMDB, group)
        .await
        .unwrap();
    assert_eq!(nothing(&mut second, handle).await.unwrap(), 0);
    let mut stranger = Association::open(server, EMSMDB, 0).await.unwrap();
    let refused = nothing(&mut stranger, handle).await;
    assert!(matches!(refused, Err(Fault::Expired)), "{refused:?}");
    // A refusal leaves the connection as it is.
    assert!(stranger.is_intact());
    drop(first);
    assert_eq!(nothing(&mut second, handle).await.unwrap(), 0);
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    let standin = Standin::start(Config::default()).unwrap();
    let server = server_of(&standin, "wrong");
    let refused = Association::open(server, EMSMDB, 0).await.err();
    assert!(matches!(refused, Some(Fault::Unauthenticated(_))));
    assert_eq!(standin.counters().connections, 1);
}

#[tokio::test]
async fn a_call_that_is_given_up_spends_the_connection() {
    let standin = Standin::start(Config::default()).unwrap();
    let server = server_of(&standin, "secret-alice");
    let mut association = Association::open(server, EMSMDB, 0).await.unwrap();
    let handle = connected(&standin, &mut association).await;
    // It is begun, and not waited for.
    let given_up = timeout(Duration::ZERO, nothing(&mut association, handle));
    assert!(given_up.await.is_err());
    assert!(!association.is_intact());
    let refused = nothing(&mut association, handle).await;
    assert!(matches!(refused, Err(Fault::Away(_))), "{refused:?}");
}
