//! Kerberos: a realm with one key distribution centre, and a server that accepts its tickets.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt};

use base64::{Engine, prelude::BASE64_STANDARD};
use md5::{Digest as _, Md5};
use picky_asn1::{
    bit_string::BitString,
    wrapper::{
        Asn1SequenceOf, ExplicitContextTag0, ExplicitContextTag1, ExplicitContextTag2,
        ExplicitContextTag3, ExplicitContextTag4, ExplicitContextTag5, ExplicitContextTag6,
        ExplicitContextTag7, ExplicitContextTag9, ExplicitContextTag10, ExplicitContextTag12,
        IntegerAsn1, OctetStringAsn1, Optional,
    },
};
use picky_asn1_der::{from_bytes, to_vec};
use picky_krb::{
    crypto::CipherSuite,
    data_types::{
        Authenticator, EncryptedData, EncryptionKey, EtypeInfo2, EtypeInfo2Entry, KerberosFlags,
        KerberosStringAsn1, LastReq, PaData, PrincipalName, Ticket, TicketInner,
    },
    messages::{
        ApReq, AsRep, AsReq, EncAsRepPart, EncKdcRepPart, EncTgsRepPart, KdcRep, KdcReqBody,
        KrbError, KrbErrorInner, TgsRep, TgsReq,
    },
};
use sha2::Sha256;
use store_exchange::{
    auth::{Channel, Credentials, Error, Kdc, Kerberos, KerberosKey, Policy},
    http::{Request, Url},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    login::says,
    peer::{Authority, Peer, client, listen, listen_tls},
};

const REALM: &str = "EXAMPLE.TEST";
const PASSWORD: &str = "open sesame";
const SALT: &str = "a salt of its own";
/// What the centre, and the server, keep to themselves.
const GRANTING_KEY: [u8; 32] = [1; 32];
const SERVICE_KEY: [u8; 32] = [2; 32];
/// The keys that it gives out.
const GRANTED_KEY: [u8; 32] = [3; 32];
const SESSION_KEY: [u8; 32] = [4; 32];

const AES256: CipherSuite = CipherSuite::Aes256CtsHmacSha196;

fn sealed(key: &[u8], usage: i32, plain: &[u8]) -> EncryptedData {
    let cipher = AES256.cipher().encrypt(key, usage, plain).unwrap();
    EncryptedData {
        etype: ExplicitContextTag0::from(IntegerAsn1::from(vec![18])),
        kvno: Optional::from(None),
        cipher: ExplicitContextTag2::from(OctetStringAsn1::from(cipher)),
    }
}

fn opened(key: &[u8], usage: i32, data: &EncryptedData) -> Option<Vec<u8>> {
    AES256.cipher().decrypt(key, usage, &data.cipher.0.0).ok()
}

/// How the centre treats the principal.
#[derive(Clone, Copy, PartialEq)]
enum Centre {
    /// It wants a proof first, as Active Directory does.
    Proof,
    /// It gives a ticket that only the principal can open.
    NoProof,
    /// It answers these bytes to everything.
    Nonsense(&'static [u8]),
}

fn user_key() -> Vec<u8> {
    AES256
        .cipher()
        .generate_key_from_password(PASSWORD.as_bytes(), SALT.as_bytes())
        .unwrap()
}

impl Centre {
    /// Listens on loopback.
    async fn listen(self) -> SocketAddr {
        let (address, _task) = listen(move |_, mut peer| async move {
            let len = peer.stream.read_u32().await.unwrap();
            let mut question = vec![0; len.try_into().unwrap()];
            peer.stream.read_exact(&mut question).await.unwrap();
            let answer = self.answer(&question);
            let len = u32::try_from(answer.len()).unwrap();
            peer.stream.write_u32(len).await.unwrap();
            peer.stream.write_all(&answer).await.unwrap();
        })
        .await;
        address
    }

    fn answer(self, question: &[u8]) -> Vec<u8> {
        if let Self::Nonsense(bytes) = self {
            return bytes.to_vec();
        }
        if let Ok(request) = from_bytes::<AsReq>(question) {
            let request = request.0;
            let name = &request
                .req_body
                .0
                .cname
                .0
                .as_ref()
                .unwrap()
                .0
                .name_string
                .0
                .0;
            if name[0].to_string() != "anna" {
                return error(&request.req_body.0, 6, Vec::new());
            }
            let proof = request.padata.0.as_ref().unwrap().0.0.iter();
            let mut proof = proof.filter(|data| data.padata_type.0.0 == [2]);
            return match proof.next() {
                None if self == Self::Proof => error(&request.req_body.0, 25, hints()),
                Some(data) => {
                    let data: EncryptedData = from_bytes(&data.padata_data.0.0).unwrap();
                    match opened(&user_key(), 1, &data) {
                        Some(_) => as_rep(&request.req_body.0),
                        None => error(&request.req_body.0, 24, Vec::new()),
                    }
                }
                None => as_rep(&request.req_body.0),
            };
        }
        let request = from_bytes::<TgsReq>(question).unwrap().0;
        let proof = &request.padata.0.as_ref().unwrap().0.0[0];
        assert_eq!(proof.padata_type.0.0, [1]);
        let ap_req: ApReq = from_bytes(&proof.padata_data.0.0).unwrap();
        let ticket = &ap_req.0.ticket.0.0.enc_part.0;
        assert_eq!(opened(&GRANTING_KEY, 2, ticket).unwrap(), GRANTED_KEY);
        opened(&GRANTED_KEY, 7, &ap_req.0.authenticator.0).unwrap();
        let body = &request.req_body.0;
        let service: Vec<_> = body
            .sname
            .0
            .as_ref()
            .unwrap()
            .0
            .name_string
            .0
            .0
            .iter()
            .collect();
        if service[0].to_string() != "HTTP" || service[1].to_string() != "127.0.0.1" {
            return error(body, 7, Vec::new());
        }
        let (rep, part) = reply(body, (&SERVICE_KEY, &SESSION_KEY));
        let part = to_vec(&EncTgsRepPart::from(part)).unwrap();
        let enc_part = ExplicitContextTag6::from(sealed(&GRANTED_KEY, 8, &part));
        to_vec(&TgsRep::from(KdcRep { enc_part, ..rep })).unwrap()
    }
}

fn as_rep(body: &KdcReqBody) -> Vec<u8> {
    let (rep, part) = reply(body, (&GRANTING_KEY, &GRANTED_KEY));
    let part = to_vec(&EncAsRepPart::from(part)).unwrap();
    let rep = KdcRep {
        padata: Optional::from(Some(ExplicitContextTag2::from(
            from_bytes::<Asn1SequenceOf<PaData>>(&hints()).unwrap(),
        ))),
        enc_part: ExplicitContextTag6::from(sealed(&user_key(), 3, &part)),
        ..rep
    };
    to_vec(&AsRep::from(rep)).unwrap()
}

fn hints() -> Vec<u8> {
    let info = EtypeInfo2::from(vec![EtypeInfo2Entry {
        etype: ExplicitContextTag0::from(IntegerAsn1::from(vec![18])),
        salt: Optional::from(Some(ExplicitContextTag1::from(text(SALT)))),
        s2kparams: Optional::from(None),
    }]);
    to_vec(&Asn1SequenceOf::from(vec![PaData {
        padata_type: ExplicitContextTag1::from(IntegerAsn1::from(vec![19])),
        padata_data: ExplicitContextTag2::from(OctetStringAsn1::from(to_vec(&info).unwrap())),
    }]))
    .unwrap()
}

fn text(text: &str) -> KerberosStringAsn1 {
    KerberosStringAsn1::from(
        picky_asn1::restricted_string::IA5String::from_string(text.to_owned()).unwrap(),
    )
}

/// A ticket and what its owner is told. The tickets of this realm hold nothing but the session's key.
fn reply(body: &KdcReqBody, (ticket_key, key): (&[u8], &[u8])) -> (KdcRep, EncKdcRepPart) {
    let sname = body.sname.0.as_ref().unwrap().0.clone();
    let cname = PrincipalName {
        name_type: ExplicitContextTag0::from(IntegerAsn1::from(vec![1])),
        name_string: ExplicitContextTag1::from(Asn1SequenceOf::from(vec![text("anna")])),
    };
    let ticket = Ticket::from(TicketInner {
        tkt_vno: ExplicitContextTag0::from(IntegerAsn1::from(vec![5])),
        realm: ExplicitContextTag1::from(text(REALM)),
        sname: ExplicitContextTag2::from(sname.clone()),
        enc_part: ExplicitContextTag3::from(sealed(ticket_key, 2, key)),
    });
    let rep = KdcRep {
        pvno: ExplicitContextTag0::from(IntegerAsn1::from(vec![5])),
        msg_type: ExplicitContextTag1::from(IntegerAsn1::from(vec![11])),
        padata: Optional::from(None),
        crealm: ExplicitContextTag3::from(text(REALM)),
        cname: ExplicitContextTag4::from(cname),
        ticket: ExplicitContextTag5::from(ticket),
        enc_part: ExplicitContextTag6::from(sealed(key, 0, b"")),
    };
    let flags = KerberosFlags::from(BitString::with_bytes(vec![0; 4]));
    let part = EncKdcRepPart {
        key: ExplicitContextTag0::from(EncryptionKey {
            key_type: ExplicitContextTag0::from(IntegerAsn1::from(vec![18])),
            key_value: ExplicitContextTag1::from(OctetStringAsn1::from(key.to_vec())),
        }),
        last_req: ExplicitContextTag1::from(LastReq::from(Vec::new())),
        nonce: ExplicitContextTag2::from(body.nonce.0.clone()),
        key_expiration: Optional::from(None),
        flags: ExplicitContextTag4::from(flags),
        auth_time: ExplicitContextTag5::from(body.till.0.clone()),
        start_time: Optional::from(None),
        end_time: ExplicitContextTag7::from(body.till.0.clone()),
        renew_till: Optional::from(None),
        srealm: ExplicitContextTag9::from(text(REALM)),
        sname: ExplicitContextTag10::from(sname),
        caddr: Optional::from(None),
        encrypted_pa_data: Optional::from(None),
    };
    (rep, part)
}

fn error(body: &KdcReqBody, code: u32, data: Vec<u8>) -> Vec<u8> {
    to_vec(&KrbError::from(KrbErrorInner {
        pvno: ExplicitContextTag0::from(IntegerAsn1::from(vec![5])),
        msg_type: ExplicitContextTag1::from(IntegerAsn1::from(vec![30])),
        ctime: Optional::from(None),
        cusec: Optional::from(None),
        stime: ExplicitContextTag4::from(body.till.0.clone()),
        susec: ExplicitContextTag5::from(IntegerAsn1::from(vec![0])),
        error_code: ExplicitContextTag6::from(code),
        crealm: Optional::from(None),
        cname: Optional::from(None),
        realm: ExplicitContextTag9::from(text(REALM)),
        sname: ExplicitContextTag10::from(body.sname.0.as_ref().unwrap().0.clone()),
        e_text: Optional::from(None),
        e_data: Optional::from(Some(ExplicitContextTag12::from(OctetStringAsn1::from(
            data,
        )))),
    }))
    .unwrap()
}

/// The binding that a token carries, once the token has proved its sender.
fn accepted(token: &[u8]) -> Option<(Vec<u8>, Authenticator)> {
    // The ticket follows the mechanism's name and the mark of its kind (RFC 4121 4.1).
    let mark = b"\x06\x09\x2A\x86\x48\x86\xF7\x12\x01\x02\x02\x01\x00";
    let at = token.windows(mark.len()).position(|w| w == mark)?;
    let ap_req: ApReq = from_bytes(&token[at + mark.len()..]).ok()?;
    let key = opened(&SERVICE_KEY, 2, &ap_req.0.ticket.0.0.enc_part.0)?;
    let authenticator = opened(&key, 11, &ap_req.0.authenticator.0)?;
    let authenticator: Authenticator = from_bytes(&authenticator).ok()?;
    let checksum = authenticator.0.cksum.0.as_ref()?.0.clone();
    assert_eq!(checksum.cksumtype.0.0, [0, 0x80, 0x03]);
    assert_eq!(checksum.checksum.0.0[..4], [16, 0, 0, 0]);
    Some((checksum.checksum.0.0[4..20].to_vec(), authenticator))
}

/// A server that wants the binding to its certificate.
async fn server(authority: &Authority) -> Url {
    let certificate: &'static [u8] = authority.certificate.clone().leak();
    let address = listen_tls(authority, move |_, mut peer: Peer<_>| async move {
        // MD5 of gss_channel_bindings_struct: no addresses, then the data (RFC 4121 4.1.1.2).
        let hash = Sha256::digest(certificate);
        let data = [b"tls-server-end-point:".as_slice(), hash.as_slice()].concat();
        let len = u32::try_from(data.len()).unwrap().to_le_bytes();
        let expected = Md5::digest([[0; 16].as_slice(), len.as_slice(), &data].concat());
        let mut who = None;
        for number in 1.. {
            let Some(request) = peer.request().await else {
                return;
            };
            if let Some(value) = request.header("authorization") {
                let token = value.strip_prefix("Negotiate ").unwrap();
                let token = BASE64_STANDARD.decode(token).unwrap();
                if let Some((binding, authenticator)) = accepted(&token) {
                    assert_eq!(binding, expected.as_slice());
                    // KERB_AP_OPTIONS_CBT, in what may be passed over (MS-KILE 3.2.5.8).
                    let data = &authenticator.0.authorization_data.0.as_ref().unwrap().0.0[0];
                    assert_eq!(data.ad_type.0.0, [1]);
                    let options = b"\x02\x02\x00\x8F\xA1\x06\x04\x04\x00\x40\x00\x00";
                    assert!(data.ad_data.0.0.ends_with(options));
                    who = Some(authenticator.0.cname.0.name_string.0.0[0].to_string());
                }
            }
            match &who {
                Some(who) => peer.answer(200, "", &format!("{who} {number}")).await,
                None => {
                    peer.answer(401, "WWW-Authenticate: Negotiate\r\n", "")
                        .await
                }
            }
        }
    })
    .await;
    Url::parse(&format!("https://{address}/mapi/emsmdb/")).unwrap()
}

fn principal(user: &str, key: KerberosKey, centre: SocketAddr) -> Credentials {
    Credentials::Kerberos(Kerberos {
        user: user.to_owned(),
        realm: REALM.to_owned(),
        kdcs: vec![
            Kdc::parse("127.0.0.1:1").unwrap(),
            Kdc::parse(&centre.to_string()).unwrap(),
        ],
        key,
    })
}

async fn login(centre: Centre, user: &str, key: KerberosKey) -> Result<String, Error> {
    let authority = Authority::new();
    let url = server(&authority).await;
    let credentials = principal(user, key, centre.listen().await);
    let mut channel = Channel::new(client(authority.trusted()), credentials, Policy::default());
    let request = Request::post(url, "x");
    let first = says(&mut channel, &request).await?;
    let second = says(&mut channel, &request).await?;
    Ok(format!("{first}, {second}"))
}

#[tokio::test]
async fn a_password_becomes_a_ticket_that_authenticates_a_connection() {
    for centre in [Centre::Proof, Centre::NoProof] {
        let key = KerberosKey::Password(PASSWORD.into());
        let got = login(centre, "anna", key).await.unwrap();
        assert_eq!(got, "200 anna 1, 200 anna 2");
    }
}

#[tokio::test]
async fn a_keytab_serves_like_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keytab");
    // Version, size, components, realm, name, type, time, version, kind, key (MIT, keytab file format).
    let entry = [
        &[0, 1, 0, 12],
        REALM.as_bytes(),
        &[0, 4],
        b"anna",
        &[0, 0, 0, 1, 0, 0, 0, 0, 7, 0, 18, 0, 32],
        &user_key(),
    ]
    .concat();
    let size = u32::try_from(entry.len()).unwrap().to_be_bytes();
    fs::write(&path, [&[5, 2], size.as_slice(), &entry].concat()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let got = login(Centre::Proof, "anna", KerberosKey::Keytab(path.clone())).await;
    let error = got.unwrap_err().to_string();
    assert!(error.contains("others can read it"), "{error}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let got = login(Centre::Proof, "anna", KerberosKey::Keytab(path)).await;
    assert_eq!(got.unwrap(), "200 anna 1, 200 anna 2");
}

#[tokio::test]
async fn a_realm_that_does_not_believe_the_principal_is_told_from_one_that_fails() {
    let wrong = || KerberosKey::Password("wrong".into());
    for (centre, user) in [
        (Centre::Proof, "anna"),
        (Centre::NoProof, "anna"),
        (Centre::Proof, "nobody"),
    ] {
        let error = login(centre, user, wrong()).await.unwrap_err();
        assert!(matches!(error, Error::Unauthenticated), "{error:?}");
    }
    for bytes in [
        b"" as &[u8],
        b"\x7E\x03\x02\x01\x01",
        b"\x6B\x84\xFF\xFF\xFF\xFF\x30",
    ] {
        let error = login(Centre::Nonsense(bytes), "anna", wrong())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Mechanism(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_the_realm_does_not_know_is_named() {
    let authority = Authority::new();
    let address = listen_tls(&authority, |_, mut peer: Peer<_>| async move {
        while peer.request().await.is_some() {
            peer.answer(401, "WWW-Authenticate: Negotiate\r\n", "")
                .await;
        }
    })
    .await;
    let credentials = principal(
        "anna",
        KerberosKey::Password(PASSWORD.into()),
        Centre::Proof.listen().await,
    );
    // The same machine by another name; its certificate is pinned, for it does not bear the name.
    let mut options = authority.trusted();
    options.tls.pinned = Some(Sha256::digest(&authority.certificate).into());
    let mut channel = Channel::new(client(options), credentials, Policy::default());
    let url = Url::parse(&format!("https://localhost:{}/", address.port())).unwrap();
    let error = channel.send(&Request::post(url, "x")).await.unwrap_err();
    assert!(
        error.to_string().contains("does not know the server"),
        "{error}"
    );
}
