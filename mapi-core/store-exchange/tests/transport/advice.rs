//! What a probe tells an administrator to change, by servers with which something is wrong.

use rcgen::{CertificateParams, date_time_ymd};
use sha2::{Digest, Sha256};
use store_exchange::{
    auth::{Credentials, Password, Policy},
    discover,
    http::{Options, TlsOptions, Url},
    probe::{Finding, Verdict, probe},
};

use crate::peer::{Authority, Peer, client, listen, listen_tls, plain, url};

const PATH: &str = "/autodiscover/autodiscover.xml";

/// Probes, and gives what the failing step says is to be done.
async fn advice(options: Options, discover: discover::Options) -> String {
    let user = discover::User {
        address: "anna@example.test".to_owned(),
        credentials: Credentials::Password(Password {
            user: "anna@example.test".to_owned(),
            domain: None,
            secret: "secret".into(),
        }),
        policy: Policy::default(),
    };
    let mut told = Vec::new();
    let tell = |finding: &Finding| {
        if finding.verdict == Verdict::Fails {
            let advice = finding.advice.clone().unwrap_or_default();
            told.push(format!("{}: {}; {advice}", finding.step, finding.text));
        }
    };
    assert!(!probe(&client(options), user, discover, tell).await);
    told.join("\n")
}

fn at(url: Url) -> discover::Options {
    discover::Options {
        autodiscover: Some(url),
        ..discover::Options::default()
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A certificate is what is wrong: how the server shows it, and what is told of it beside its SHA-256 where that is to
/// be pinned.
async fn check_certificate(authority: &Authority, options: Options, host: &str, expected: &[&str]) {
    let address = listen_tls(authority, |_, mut peer: Peer<_>| async move {
        while peer.request().await.is_some() {
            peer.answer(404, "", "").await;
        }
    })
    .await;
    let url = Url::parse(&format!("https://{host}:{}{PATH}", address.port())).unwrap();
    let told = advice(options, at(url)).await;
    for words in expected {
        assert!(told.contains(words), "{told}");
    }
}

fn of(names: &[&str], years: (i32, i32)) -> Authority {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    Authority::with(params)
}

#[tokio::test]
async fn an_authoritys_own_certificate_is_to_be_pinned() {
    let authority = Authority::itself();
    let pin = hex(&Sha256::digest(&authority.certificate));
    let pin = format!("pinned_certificate = \"{pin}\"");
    let expected = ["certificate of an authority", pin.as_str()];
    check_certificate(&authority, authority.trusted(), "127.0.0.1", &expected).await;
}

#[tokio::test]
async fn an_unknown_authority_is_to_be_added_or_the_certificate_pinned() {
    let authority = Authority::new();
    let pin = hex(&Sha256::digest(&authority.certificate));
    let other = Authority::new();
    check_certificate(
        &authority,
        other.trusted(),
        "127.0.0.1",
        &["ca_files", &pin],
    )
    .await;
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_told_from_a_wrong_clock() {
    let expired = of(&["127.0.0.1"], (2000, 2001));
    check_certificate(&expired, expired.trusted(), "127.0.0.1", &["renewed"]).await;
    let future = of(&["127.0.0.1"], (4000, 4001));
    check_certificate(
        &future,
        future.trusted(),
        "127.0.0.1",
        &["clock of this machine"],
    )
    .await;
}

#[tokio::test]
async fn a_certificate_for_others_says_for_whom_it_is() {
    let others = of(&["mail.example.test"], (2000, 4000));
    let expected = ["(it is for mail.example.test)", "127.0.0.1"];
    check_certificate(&others, others.trusted(), "127.0.0.1", &expected).await;
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_told() {
    let authority = Authority::new();
    let pin = hex(&Sha256::digest(&authority.certificate));
    let options = Options {
        tls: TlsOptions {
            system_roots: false,
            ca_files: Vec::new(),
            pinned: Some([7; 32]),
        },
        ..Options::default()
    };
    let expected = ["another certificate than the pinned one", &pin];
    check_certificate(&authority, options, "127.0.0.1", &expected).await;
}

/// A server that answers every request so, as far as Autodiscover.
async fn check_answer(answer: (u16, &'static str, &'static str), expected: &str) {
    let (address, _task) = listen(move |_, mut peer: Peer| async move {
        while peer.request().await.is_some() {
            peer.answer(answer.0, answer.1, answer.2).await;
        }
    })
    .await;
    let told = advice(plain(), at(url(address, PATH))).await;
    assert!(told.contains(expected), "{told}");
}

#[tokio::test]
async fn a_server_that_takes_tokens_only_is_told_from_a_wrong_password() {
    let bearer = "WWW-Authenticate: Bearer client_id=\"x\"\r\n";
    check_answer((401, bearer, ""), "authentication = \"oauth\"").await;
    let basic = "WWW-Authenticate: Basic realm=\"r\"\r\n";
    check_answer((401, basic, ""), "name and password").await;
    let digest = "WWW-Authenticate: Digest realm=\"r\"\r\n";
    check_answer((401, digest, ""), "something before it").await;
}

#[tokio::test]
async fn a_server_that_throttles_is_told() {
    check_answer((503, "Retry-After: 7\r\n", ""), "throttl").await;
}

#[tokio::test]
async fn mapi_over_http_that_is_switched_off_is_told_with_the_commands() {
    const SETTINGS: &str = "<Autodiscover><Response><User><LegacyDN>/o=T/cn=anna</LegacyDN></User><Account>\
        <Action>settings</Action><Protocol><Type>WEB</Type></Protocol>\
        </Account></Response></Autodiscover>";
    check_answer(
        (200, "Content-Type: text/xml\r\n", SETTINGS),
        "Set-CASMailbox",
    )
    .await;
}

#[tokio::test]
async fn a_mailbox_whose_endpoint_is_switched_off_is_told_with_the_commands() {
    for (status, headers) in [
        (403, ""),
        (200, "Content-Type: text/html\r\nX-ResponseCode: 16\r\n"),
    ] {
        let (address, _task) = listen(move |_, mut peer: Peer| async move {
            while peer.request().await.is_some() {
                peer.answer(status, headers, "").await;
            }
        })
        .await;
        let discover = discover::Options {
            url: Some(url(address, "/mapi/emsmdb/")),
            user_dn: Some("/o=T/cn=anna".to_owned()),
            ..discover::Options::default()
        };
        let told = advice(plain(), discover).await;
        assert!(told.contains("Set-OrganizationConfig"), "{told}");
    }
}
