//! Recorded bodies, and what their names say.

use mapi_wire::http::RequestType;

/// One recorded body.
#[derive(Clone, Copy, Debug)]
pub struct Recording<'a> {
    /// The name of its file: `NNN-endpoint-RequestType-label.req.bin` or `.rsp.bin`. Another name will do where the
    /// octets say what they are.
    pub name: &'a str,
    /// The body.
    pub octets: &'a [u8],
    /// What an index says of it: status, headers.
    pub note: Option<&'a str>,
}

/// Which way a body went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Direction {
    /// To the server.
    Request,
    /// From the server.
    Response,
}

impl Direction {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// What kind of body it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Of MAPI over HTTP.
    Mapi(RequestType),
    /// A document of Autodiscover.
    Autodiscover,
    /// A stub of RPC over HTTP.
    Rpc(Call),
    /// A FastTransfer stream.
    Stream,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Mapi(kind) => kind.name(),
            Self::Autodiscover => "Autodiscover",
            Self::Rpc(call) => call.name(),
            Self::Stream => "FastTransfer stream",
        }
    }
}

/// A call of RPC. Source: MS-OXCRPC 3.1.4.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    ConnectEx,
    RpcExt2,
    Disconnect,
    AsyncConnectEx,
    AsyncWaitEx,
}

impl Call {
    const ALL: [Self; 5] = [
        Self::ConnectEx,
        Self::RpcExt2,
        Self::Disconnect,
        Self::AsyncConnectEx,
        Self::AsyncWaitEx,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ConnectEx => "EcDoConnectEx",
            Self::RpcExt2 => "EcDoRpcExt2",
            Self::Disconnect => "EcDoDisconnect",
            Self::AsyncConnectEx => "EcDoAsyncConnectEx",
            Self::AsyncWaitEx => "EcDoAsyncWaitEx",
        }
    }
}

/// What the name of a file says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Label {
    /// The name without what says the direction: request and response have the same.
    pub(crate) stem: String,
    pub(crate) direction: Option<Direction>,
    /// `emsmdb`, `nspi`.
    pub(crate) endpoint: Option<String>,
    pub(crate) kind: Option<Kind>,
}

impl Label {
    /// Reads a name.
    pub(crate) fn parse(name: &str) -> Self {
        let (stem, direction) = split(name);
        let mut parts = stem.split('-').peekable();
        let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        parts.next_if(is_number);
        let endpoint = parts.next_if(|part| {
            part.eq_ignore_ascii_case("emsmdb") || part.eq_ignore_ascii_case("nspi")
        });
        let kind = parts.next().and_then(kind);
        Self {
            stem: stem.to_owned(),
            direction,
            endpoint: endpoint.map(str::to_ascii_lowercase),
            kind,
        }
    }
}

/// The part of a name that request and response share, and which of both it is.
fn split(name: &str) -> (&str, Option<Direction>) {
    for (end, direction) in [
        (".req.bin", Direction::Request),
        (".rsp.bin", Direction::Response),
        (".req", Direction::Request),
        (".rsp", Direction::Response),
    ] {
        if let Some(stem) = name.strip_suffix(end) {
            return (stem, Some(direction));
        }
    }
    (name.strip_suffix(".bin").unwrap_or(name), None)
}

fn kind(part: &str) -> Option<Kind> {
    if part.eq_ignore_ascii_case("autodiscover") {
        return Some(Kind::Autodiscover);
    }
    // A call has its label behind an underscore.
    let call = part.split('_').next().unwrap_or_default();
    let mut calls = Call::ALL.into_iter();
    match calls.find(|known| known.name().eq_ignore_ascii_case(call)) {
        Some(call) => Some(Kind::Rpc(call)),
        None => part.parse().ok().map(Kind::Mapi),
    }
}

/// Whether `given` names a recording: by its file name, without what says the direction, and with or without folders.
pub fn is_named(name: &str, given: &str) -> bool {
    let given = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    name == given || name.strip_suffix(".bin") == Some(given) || split(name).0 == given
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str) -> (String, Option<Direction>, Option<Kind>) {
        let label = Label::parse(name);
        (label.stem, label.direction, label.kind)
    }

    #[test]
    fn a_name_says_what_is_in_a_file() {
        let execute = Some(Kind::Mapi(RequestType::Execute));
        let cases = [
            (
                "003-emsmdb-Execute-Logon.req.bin",
                (
                    "003-emsmdb-Execute-Logon",
                    Some(Direction::Request),
                    execute,
                ),
            ),
            (
                "9-emsmdb-PING.rsp.bin",
                (
                    "9-emsmdb-PING",
                    Some(Direction::Response),
                    Some(Kind::Mapi(RequestType::Ping)),
                ),
            ),
            (
                "001-autodiscover.rsp.bin",
                (
                    "001-autodiscover",
                    Some(Direction::Response),
                    Some(Kind::Autodiscover),
                ),
            ),
            (
                "002-EcDoRpcExt2_Logon.req.bin",
                (
                    "002-EcDoRpcExt2_Logon",
                    Some(Direction::Request),
                    Some(Kind::Rpc(Call::RpcExt2)),
                ),
            ),
            (
                "Execute-x.req.bin",
                ("Execute-x", Some(Direction::Request), execute),
            ),
            ("body.bin", ("body", None, None)),
        ];
        for (name, (stem, direction, kind)) in cases {
            assert_eq!(label(name), (stem.to_owned(), direction, kind), "{name}");
        }
    }

    #[test]
    fn a_recording_may_be_named_in_several_ways() {
        let name = "427-nspi-QueryColumns.rsp.bin";
        for given in [
            "427-nspi-QueryColumns.rsp.bin",
            "427-nspi-QueryColumns.rsp",
            "427-nspi-QueryColumns",
            "main/427-nspi-QueryColumns",
        ] {
            assert!(is_named(name, given), "{given}");
        }
        for given in ["427-nspi-QueryColumns.req.bin", "427-nspi", "", "main/"] {
            assert!(!is_named(name, given), "{given}");
        }
    }
}
