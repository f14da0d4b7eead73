//! The token for the server: the ticket, with a proof that is bound to the channel, in SPNEGO (RFC 4121 section 4.1,
//! RFC 4178 section 4.2, MS-KILE 3.2.5.8).

use md5::{Digest, Md5};
use picky_asn1::wrapper::{
    ExplicitContextTag0, ExplicitContextTag1, ExplicitContextTag8, IntegerAsn1, OctetStringAsn1,
    Optional,
};
use picky_asn1_der::to_vec;
use picky_krb::{
    constants::gss_api::{AP_REQ_TOKEN_ID, AUTHENTICATOR_CHECKSUM_TYPE},
    data_types::{AuthorizationData, AuthorizationDataInner},
};
use sspi::kerberos::{
    client::generators::{
        ChecksumOptions, GenerateAuthenticatorOptions, generate_ap_req, generate_authenticator,
    },
    flags::ApOptions,
};

use super::{
    super::{failed, quietly},
    exchange::encryption,
    message::Session,
};
use crate::{auth::Error, http::ChannelBinding};

/// 1.2.840.113554.1.2.2, Kerberos 5, in DER.
const KERBEROS: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x12\x01\x02\x02";
/// 1.3.6.1.5.5.2, SPNEGO, in DER.
const SPNEGO: &[u8] = b"\x06\x06\x2B\x06\x01\x05\x05\x02";

/// AD-IF-RELEVANT (RFC 4120 5.2.6.1): who does not know what is in it may pass it over.
const IF_RELEVANT: &[u8] = &[1];
/// KERB-AP-OPTIONS (MS-KILE 3.2.5.8), 143 as a DER integer.
const AP_OPTIONS: &[u8] = &[0, 143];
/// KERB_AP_OPTIONS_CBT: the client binds to channels, so that a token without a binding is known to be tampered with.
const BINDS_CHANNELS: u32 = 0x4000;
/// The flag GSS_C_INTEG_FLAG (RFC 4121 4.1.1.1). HTTP uses none of the services, but some acceptors want one.
const INTEGRITY: u32 = 0x20;

/// The token that a ticket makes.
pub(super) fn token(session: Session, binding: Option<&ChannelBinding>) -> Result<Vec<u8>, Error> {
    let ap_req =
        quietly(|| ap_req(session, binding)).map_err(|error| failed("Kerberos", &error))?;
    let initial = der(0x60, &[KERBEROS, &AP_REQ_TOKEN_ID, &ap_req]);
    let mechanisms = der(0xA0, &[&der(0x30, &[KERBEROS])]);
    let token = der(0xA2, &[&der(0x04, &[&initial])]);
    let negotiation = der(0xA0, &[&der(0x30, &[&mechanisms, &token])]);
    Ok(der(0x60, &[SPNEGO, &negotiation]))
}

fn ap_req(session: Session, binding: Option<&ChannelBinding>) -> sspi::Result<Vec<u8>> {
    let mut authenticator = generate_authenticator(GenerateAuthenticatorOptions {
        kdc_rep: &session.rep,
        seq_num: None,
        sub_key: None,
        checksum: Some(ChecksumOptions {
            checksum_type: AUTHENTICATOR_CHECKSUM_TYPE.to_vec(),
            checksum_value: checksum(binding).into(),
        }),
        channel_bindings: None,
        extensions: Vec::new(),
    })?;
    if binding.is_some() {
        let options = data(AP_OPTIONS, BINDS_CHANNELS.to_le_bytes().to_vec());
        let relevant = data(IF_RELEVANT, to_vec(&options)?);
        authenticator.0.authorization_data =
            Optional::from(Some(ExplicitContextTag8::from(relevant)));
    }
    let encryption = encryption(&session);
    let ticket = session.rep.ticket.0;
    let options = ApOptions::empty();
    let request = generate_ap_req(ticket, &session.key, &authenticator, &encryption, options)?;
    Ok(to_vec(&request)?)
}

/// The length of the binding, the binding, and the flags (RFC 4121 4.1.1).
fn checksum(binding: Option<&ChannelBinding>) -> [u8; 24] {
    let mut checksum = [0; 24];
    let (len, rest) = checksum.split_at_mut(4);
    let (bound, flags) = rest.split_at_mut(16);
    len.copy_from_slice(&16_u32.to_le_bytes());
    if let Some(binding) = binding {
        bound.copy_from_slice(&gss_hash(binding));
    }
    flags.copy_from_slice(&INTEGRITY.to_le_bytes());
    checksum
}

/// MD5 of the bindings: no addresses, and the application data (RFC 4121 4.1.1.2).
fn gss_hash(binding: &ChannelBinding) -> [u8; 16] {
    let data = binding.application_data();
    let len = u32::try_from(data.len()).unwrap_or_default();
    Md5::new()
        .chain_update([0; 16])
        .chain_update(len.to_le_bytes())
        .chain_update(data)
        .finalize()
        .into()
}

fn data(kind: &[u8], content: Vec<u8>) -> AuthorizationData {
    AuthorizationData::from(vec![AuthorizationDataInner {
        ad_type: ExplicitContextTag0::from(IntegerAsn1::from(kind.to_vec())),
        ad_data: ExplicitContextTag1::from(OctetStringAsn1::from(content)),
    }])
}

/// One DER element (X.690 8.1).
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut element = vec![tag];
    match u8::try_from(content.len()) {
        Ok(len @ 0..=0x7F) => element.push(len),
        _ => {
            let len = content.len().to_be_bytes();
            let zeros = len.iter().take_while(|byte| **byte == 0).count();
            let len = len.get(zeros..).unwrap_or_default();
            element.push(0x80 | u8::try_from(len.len()).unwrap_or_default());
            element.extend_from_slice(len);
        }
    }
    element.extend_from_slice(&content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_the_shortest_length() {
        for (len, head) in [
            (0, &b"\x04\x00"[..]),
            (0x7F, b"\x04\x7F"),
            (0x80, b"\x04\x81\x80"),
            (0x100, b"\x04\x82\x01\x00"),
            (0x1_0000, b"\x04\x83\x01\x00\x00"),
        ] {
            let content = vec![7; len];
            assert_eq!(der(0x04, &[&content]), [head, &content].concat());
        }
    }
}
