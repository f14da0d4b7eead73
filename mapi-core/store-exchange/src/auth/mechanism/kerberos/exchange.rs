//! From a principal to a ticket for a server: the AS and the TGS exchange (RFC 4120 sections 3.1 and 3.3).

use picky_asn1::wrapper::Optional;
use picky_asn1_der::{from_bytes, to_vec};
use picky_krb::{
    constants::{
        key_usages::{AS_REP_ENC, TGS_REP_ENC_SESSION_KEY},
        types::NT_PRINCIPAL,
    },
    crypto::CipherSuite,
    data_types::PaData,
    messages::{AsRep, KdcReqBody, TgsRep},
};
use sspi::{
    ClientRequestFlags, Secret,
    kerberos::{
        EncryptionParams,
        client::generators::{
            GenerateAsReqOptions, GenerateAuthenticatorOptions, GenerateKeytabPaDataOptions,
            GenerateTgsReqOptions, generate_as_req, generate_as_req_kdc_body,
            generate_authenticator, generate_pa_datas_for_as_req_with_key, generate_tgs_req,
        },
    },
};

use super::{
    super::{failed, quietly},
    kdc, keytab,
    message::{Refusal, Session, hinted, known, opened, refusal},
    unusable,
};
use crate::auth::{Error, Kdc, Kerberos, KerberosKey};

/// How many realms a ticket may lead through (RFC 6806 section 8).
const REFERRALS_MAX: usize = 4;
/// The service that gives tickets.
const TICKET_GRANTING: &str = "krbtgt";

/// The principal's own key.
struct LongTerm {
    kind: CipherSuite,
    key: Secret<Vec<u8>>,
}

/// A ticket for `HTTP/host`.
///
/// Errors: `Unauthenticated` when the realm does not believe the principal, `Mechanism` for everything else.
pub(super) async fn ticket(principal: &Kerberos, host: &str) -> Result<Session, Error> {
    let mut realm = principal.realm.clone();
    let mut kdcs = kdc::of(&realm, &principal.kdcs)?;
    let mut session = log_in(principal, &kdcs).await?;
    for _ in 0..REFERRALS_MAX {
        session = exchanged(&kdcs, session, &realm, host).await?;
        let Some(next) = referral(&session) else {
            return Ok(session);
        };
        kdcs = kdc::of(&next, &[])?;
        realm = next;
    }
    Err(unusable("the ticket leads through too many realms"))
}

/// The ticket for tickets.
async fn log_in(principal: &Kerberos, kdcs: &[Kdc]) -> Result<Session, Error> {
    let body = quietly(|| body(principal)).map_err(|error| failed("Kerberos", &error))?;
    let nonce = body.nonce.0.as_unsigned_bytes_be().to_vec();
    let question = as_req(&body, None)?;
    let mut answer = kdc::ask(kdcs, &question).await?;
    let mut key = None;
    if from_bytes::<AsRep>(&answer).is_err() {
        let hints = match refusal(&answer) {
            Refusal::Prove(hints) => hints,
            Refusal::Final(error) => return Err(error),
        };
        let proof = long_term(principal, &hints)?;
        let question = as_req(&body, Some(&proof))?;
        key = Some(proof);
        answer = kdc::ask(kdcs, &question).await?;
    }
    let rep = match from_bytes::<AsRep>(&answer) {
        Ok(rep) => rep.0,
        Err(_) => {
            return Err(match refusal(&answer) {
                Refusal::Prove(_) => Error::Unauthenticated,
                Refusal::Final(error) => error,
            });
        }
    };
    let key = match key {
        Some(key) => key,
        None => {
            let hints = rep.padata.0.as_ref();
            long_term(principal, hints.map_or(&[], |hints| &hints.0.0))?
        }
    };
    opened(rep, key.key.as_ref(), AS_REP_ENC, &nonce).ok_or(Error::Unauthenticated)
}

/// A ticket for the server, or for another realm's centre, by a ticket of this one's.
async fn exchanged(
    kdcs: &[Kdc],
    session: Session,
    realm: &str,
    host: &str,
) -> Result<Session, Error> {
    let (question, nonce) =
        quietly(|| tgs_req(&session, realm, host)).map_err(|error| failed("Kerberos", &error))?;
    let answer = kdc::ask(kdcs, &question).await?;
    let rep = match from_bytes::<TgsRep>(&answer) {
        Ok(rep) => rep.0,
        Err(_) => {
            return Err(match refusal(&answer) {
                Refusal::Prove(_) => unusable("the realm wants a proof for a ticket"),
                Refusal::Final(error) => error,
            });
        }
    };
    opened(rep, session.key.as_ref(), TGS_REP_ENC_SESSION_KEY, &nonce)
        .ok_or_else(|| unusable("the ticket does not open"))
}

fn body(principal: &Kerberos) -> sspi::Result<KdcReqBody> {
    let mut nonce = [0; 4];
    getrandom::fill(&mut nonce)
        .map_err(|error| sspi::Error::new(sspi::ErrorKind::InternalError, error.to_string()))?;
    let mut body = generate_as_req_kdc_body(&GenerateAsReqOptions {
        realm: &principal.realm,
        username: &principal.user,
        cname_type: NT_PRINCIPAL,
        snames: &[TICKET_GRANTING, &principal.realm],
        // Positive, for both readings of its first bit.
        nonce: u32::from_be_bytes(nonce) >> 1,
        hostname: "",
        context_requirements: ClientRequestFlags::empty(),
    })?;
    // The ticket is not tied to an address: a gateway may have many.
    body.addresses = Optional::from(None);
    Ok(body)
}

fn as_req(body: &KdcReqBody, proof: Option<&LongTerm>) -> Result<Vec<u8>, Error> {
    let made = quietly(|| {
        let options = GenerateKeytabPaDataOptions {
            key: proof.map_or_else(|| Vec::new().into(), |proof| proof.key.clone()),
            key_enctype: proof.map_or(CipherSuite::Aes256CtsHmacSha196, |proof| proof.kind.clone()),
            with_pre_auth: proof.is_some(),
        };
        let proofs = generate_pa_datas_for_as_req_with_key(&options)?;
        Ok(to_vec(&generate_as_req(proofs, body.clone()))?)
    });
    made.map_err(|error| failed("Kerberos", &error))
}

/// The question for a ticket, and what tells its answer from another's.
fn tgs_req(session: &Session, realm: &str, host: &str) -> sspi::Result<(Vec<u8>, Vec<u8>)> {
    let mut authenticator = generate_authenticator(GenerateAuthenticatorOptions {
        kdc_rep: &session.rep,
        seq_num: None,
        sub_key: None,
        checksum: None,
        channel_bindings: None,
        extensions: Vec::new(),
    })?;
    let request = generate_tgs_req(GenerateTgsReqOptions {
        realm,
        service_principal: &format!("HTTP/{host}"),
        session_key: &session.key,
        ticket: session.rep.ticket.0.clone(),
        authenticator: &mut authenticator,
        additional_tickets: None,
        enc_params: &encryption(session),
        context_requirements: ClientRequestFlags::empty(),
    })?;
    let nonce = request.0.req_body.0.nonce.0.as_unsigned_bytes_be().to_vec();
    Ok((to_vec(&request)?, nonce))
}

/// A session's kind of key, as the library takes it.
pub(super) fn encryption(session: &Session) -> EncryptionParams {
    EncryptionParams {
        encryption_type: Some(session.kind.clone()),
        ..EncryptionParams::default_for_client()
    }
}

/// The realm that a ticket leads to instead of the server.
fn referral(session: &Session) -> Option<String> {
    let ticket = &session.rep.ticket.0.0;
    let [service, realm] = &ticket.sname.0.name_string.0.0[..] else {
        return None;
    };
    (service.to_string() == TICKET_GRANTING).then(|| realm.to_string())
}

/// The principal's key: from its keytab, or from its password in the way the centre hints at.
fn long_term(principal: &Kerberos, hints: &[PaData]) -> Result<LongTerm, Error> {
    let password = match &principal.key {
        KerberosKey::Password(password) => password,
        KerberosKey::Keytab(path) => {
            let entry =
                keytab::key(path, &principal.user, &principal.realm).map_err(Error::Mechanism)?;
            let kind = u8::try_from(entry.kind)
                .ok()
                .and_then(|kind| known(&[kind]));
            return Ok(LongTerm {
                kind: kind.ok_or_else(|| unusable("the keytab's key is of an unknown kind"))?,
                key: entry.key.to_vec().into(),
            });
        }
    };
    let (kind, salt) = hinted(hints).unwrap_or((CipherSuite::Aes256CtsHmacSha196, None));
    // RFC 4120 section 4: the realm and the components of the name, with nothing between.
    let salt =
        salt.unwrap_or_else(|| format!("{}{}", principal.realm, principal.user.replace('/', "")));
    let key = kind
        .cipher()
        .generate_key_from_password(password.expose().as_bytes(), salt.as_bytes())
        .map_err(|_| unusable("the password makes no key"))?;
    Ok(LongTerm {
        kind,
        key: key.into(),
    })
}
