//! Which way ROPs go to the server: over MAPI/HTTP, or over RPC where a server has nothing else.

use mapi_wire::{
    autodiscover::{Protocol, RpcKind, RpcProtocol, Settings, Urls},
    rpc::interfaces::PROXY_PATH,
};

use crate::http::Url;

/// Which way ROPs go to the server.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Transport {
    /// MAPI over HTTP (MS-OXCMAPIHTTP).
    MapiHttp,
    /// RPC over HTTP, which Exchange calls Outlook Anywhere (MS-RPCH, MS-OXCRPC).
    RpcHttp,
}

/// Which ways may be taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TransportChoice {
    /// MAPI over HTTP where the server offers it, else RPC over HTTP.
    #[default]
    Auto,
    /// This one alone.
    Only(Transport),
}

impl Transport {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MapiHttp => "MAPI over HTTP",
            Self::RpcHttp => "RPC over HTTP",
        }
    }
}

impl TransportChoice {
    /// The way to a URL that was configured: by its path, unless there is only one.
    pub(super) fn to(self, url: &Url) -> Transport {
        match self {
            Self::Only(transport) => transport,
            Self::Auto if url.path().eq_ignore_ascii_case(PROXY_PATH) => Transport::RpcHttp,
            Self::Auto => Transport::MapiHttp,
        }
    }

    /// Whether this way may be taken.
    pub(super) fn allows(self, transport: Transport) -> bool {
        match self {
            Self::Auto => true,
            Self::Only(only) => only == transport,
        }
    }
}

/// The URLs of a service behind the RPC proxies that Autodiscover names, by the service's port.
///
/// The proxies are the servers of EXHTTP, of which the first is the internal one, and of EXPR; which server they lead to
/// says EXCH: its name, or the mailbox GUID at its domain. Source: MS-OXDSCLI 2.2.4.1.1.2.6; MS-OXCRPC 2.1, 3.2.3.
pub(super) fn rpc_urls(settings: &Settings, port: u16) -> Urls {
    let of_kind = |wanted: RpcKind| {
        settings
            .protocols
            .iter()
            .filter_map(move |protocol| match protocol {
                Protocol::Rpc(rpc) if rpc.kind == wanted => Some(rpc),
                _ => None,
            })
    };
    let target = settings
        .rpc(RpcKind::Exch)
        .and_then(|exch| exch.server.as_deref());
    let url = |proxy: &RpcProtocol| {
        let host = proxy.server.as_deref()?;
        let target = target.unwrap_or_else(|| host.split(':').next().unwrap_or(host));
        let scheme = if proxy.is_ssl { "https" } else { "http" };
        Some(format!("{scheme}://{host}{PROXY_PATH}?{target}:{port}"))
    };
    let mut own = of_kind(RpcKind::Exhttp).filter_map(url);
    let internal = own.next();
    let external = own
        .next()
        .or_else(|| of_kind(RpcKind::Expr).find_map(url))
        .or_else(|| internal.clone());
    Urls { internal, external }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rpc(kind: RpcKind, server: &str, is_ssl: bool) -> Protocol {
        Protocol::Rpc(RpcProtocol {
            kind,
            server: Some(server.to_owned()),
            server_dn: None,
            mdb_dn: None,
            auth_package: None,
            is_ssl,
            cert_principal_name: None,
            ews_url: None,
            oab_url: None,
        })
    }

    #[test]
    fn proxies_and_what_is_behind_them_become_urls() {
        use RpcKind::{Exch, Exhttp, Expr};
        let check = |protocols: Vec<Protocol>, internal: Option<&str>, external: Option<&str>| {
            let settings = Settings {
                protocols,
                ..Settings::default()
            };
            let urls = rpc_urls(&settings, 6001);
            assert_eq!(urls.internal.as_deref(), internal, "{settings:?}");
            assert_eq!(urls.external.as_deref(), external, "{settings:?}");
        };
        // Exchange 2010: the internal name behind a proxy.
        check(
            vec![
                rpc(Exch, "cas.corp.test", false),
                rpc(Expr, "mail.example.test", true),
            ],
            None,
            Some("https://mail.example.test/rpc/rpcproxy.dll?cas.corp.test:6001"),
        );
        // Exchange 2013: a mailbox GUID behind two.
        check(
            vec![
                rpc(Exhttp, "in.example.test", true),
                rpc(Exch, "guid@example.test", false),
                rpc(Exhttp, "out.example.test:444", true),
            ],
            Some("https://in.example.test/rpc/rpcproxy.dll?guid@example.test:6001"),
            Some("https://out.example.test:444/rpc/rpcproxy.dll?guid@example.test:6001"),
        );
        check(
            vec![rpc(Expr, "mail.example.test:443", false)],
            None,
            Some("http://mail.example.test:443/rpc/rpcproxy.dll?mail.example.test:6001"),
        );
        check(vec![rpc(Exch, "cas.corp.test", false)], None, None);
    }

    #[test]
    fn a_configured_url_says_by_its_path_which_way_it_is() {
        let check = |choice: TransportChoice, url: &str, expected| {
            assert_eq!(choice.to(&url.parse().unwrap()), expected, "{url}");
        };
        let (mapi, rpc) = (Transport::MapiHttp, Transport::RpcHttp);
        check(TransportChoice::Auto, "https://a.test/mapi/emsmdb/?b", mapi);
        check(
            TransportChoice::Auto,
            "https://a.test/RPC/rpcproxy.dll?b:6001",
            rpc,
        );
        check(TransportChoice::Only(rpc), "https://a.test/x", rpc);
    }
}
