//! Channel binding: ties an authentication to the TLS connection it runs over (RFC 5929 section 4).

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// The binding `tls-server-end-point`: a hash of the server's certificate.
///
/// A server with Extended Protection refuses NTLM and Kerberos without it, for then somebody between client and
/// server could be passing the authentication on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelBinding(Vec<u8>);

/// What precedes the hash (RFC 5929 section 4).
const PREFIX: &[u8] = b"tls-server-end-point:";

impl ChannelBinding {
    /// The binding to a server's certificate, in DER.
    ///
    /// The hash is the one of the certificate's signature algorithm, and SHA-256 instead of MD5 and SHA-1. Nothing
    /// when the algorithm has no hash of its own (Ed25519), for which RFC 5929 defines no binding.
    pub fn tls_server_end_point(certificate: &[u8]) -> Option<Self> {
        let hash = match signature_hash(certificate)? {
            Hash::Sha224 => Sha224::digest(certificate).to_vec(),
            Hash::Sha256 => Sha256::digest(certificate).to_vec(),
            Hash::Sha384 => Sha384::digest(certificate).to_vec(),
            Hash::Sha512 => Sha512::digest(certificate).to_vec(),
        };
        Some(Self([PREFIX, &hash].concat()))
    }

    /// The application data of the GSS channel bindings: the prefix and the hash (RFC 2744 3.11).
    pub fn application_data(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature }` (RFC 5280 4.1).
fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (_, after_tbs) = element(certificate, SEQUENCE)?;
    let (algorithm, _) = element(after_tbs, SEQUENCE)?;
    let (oid, parameters) = element(algorithm, OBJECT_IDENTIFIER)?;
    if oid == RSASSA_PSS {
        return pss_hash(parameters);
    }
    hash_named(oid, SIGNATURES)
}

/// `RSASSA-PSS-params ::= SEQUENCE { [0] hashAlgorithm DEFAULT sha1, … }` (RFC 4055 3.1).
fn pss_hash(parameters: &[u8]) -> Option<Hash> {
    let (parameters, _) = element(parameters, SEQUENCE)?;
    let Some((explicit, _)) = element(parameters, CONTEXT_0) else {
        return Some(Hash::Sha256);
    };
    let (algorithm, _) = element(explicit, SEQUENCE)?;
    let (oid, _) = element(algorithm, OBJECT_IDENTIFIER)?;
    hash_named(oid, DIGESTS)
}

fn hash_named(oid: &[u8], names: &[(&[u8], Hash)]) -> Option<Hash> {
    names
        .iter()
        .find(|(name, _)| *name == oid)
        .map(|(_, hash)| *hash)
}

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const CONTEXT_0: u8 = 0xA0;

/// 1.2.840.113549.1.1.10
const RSASSA_PSS: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A";

/// Signature algorithms with the hash of the binding (RFC 5929 4.1; names: RFC 4055 section 5, RFC 5758 3.2).
const SIGNATURES: &[(&[u8], Hash)] = &[
    (b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x04", Hash::Sha256), // md5WithRSAEncryption
    (b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x05", Hash::Sha256), // sha1WithRSAEncryption
    (b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0E", Hash::Sha224), // sha224WithRSAEncryption
    (b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B", Hash::Sha256), // sha256WithRSAEncryption
    (b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0C", Hash::Sha384), // sha384WithRSAEncryption
    (b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0D", Hash::Sha512), // sha512WithRSAEncryption
    (b"\x2A\x86\x48\xCE\x3D\x04\x01", Hash::Sha256),         // ecdsa-with-SHA1
    (b"\x2A\x86\x48\xCE\x3D\x04\x03\x01", Hash::Sha224),     // ecdsa-with-SHA224
    (b"\x2A\x86\x48\xCE\x3D\x04\x03\x02", Hash::Sha256),     // ecdsa-with-SHA256
    (b"\x2A\x86\x48\xCE\x3D\x04\x03\x03", Hash::Sha384),     // ecdsa-with-SHA384
    (b"\x2A\x86\x48\xCE\x3D\x04\x03\x04", Hash::Sha512),     // ecdsa-with-SHA512
];

/// Hash algorithms, as the parameters of RSASSA-PSS name them (RFC 4055 2.1).
const DIGESTS: &[(&[u8], Hash)] = &[
    (b"\x2B\x0E\x03\x02\x1A", Hash::Sha256), // id-sha1
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x04", Hash::Sha224),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x01", Hash::Sha256),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x02", Hash::Sha384),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x03", Hash::Sha512),
];

/// The content of the first DER element, which must have this tag, and what follows it (X.690 8.1).
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            let len = octets
                .iter()
                .fold(0_u64, |len, &octet| len << 8 | u64::from(octet));
            (usize::try_from(len).ok()?, rest)
        }
        _ => return None,
    };
    (found == tag).then_some(rest.split_at_checked(len)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &len[..], content].concat()
    }

    /// A certificate of nothing but its signature algorithm.
    fn certificate(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
        let algorithm = [wrap(OBJECT_IDENTIFIER, oid), parameters.to_vec()].concat();
        let content = [
            wrap(SEQUENCE, &[0; 300]),
            wrap(SEQUENCE, &algorithm),
            b"\x03\x02\x00\x00".to_vec(),
        ];
        wrap(SEQUENCE, &content.concat())
    }

    fn hash_len(certificate: &[u8]) -> Option<usize> {
        let binding = ChannelBinding::tls_server_end_point(certificate)?;
        Some(binding.application_data().strip_prefix(PREFIX)?.len())
    }

    #[test]
    fn the_hash_follows_the_signature_algorithm() {
        for (oid, hash) in SIGNATURES {
            let expected = match hash {
                Hash::Sha224 => 28,
                Hash::Sha256 => 32,
                Hash::Sha384 => 48,
                Hash::Sha512 => 64,
            };
            assert_eq!(hash_len(&certificate(oid, b"\x05\x00")), Some(expected));
        }
        let pss = |oid: &[u8]| {
            let algorithm = wrap(SEQUENCE, &wrap(OBJECT_IDENTIFIER, oid));
            let parameters = wrap(SEQUENCE, &wrap(CONTEXT_0, &algorithm));
            hash_len(&certificate(RSASSA_PSS, &parameters))
        };
        assert_eq!(pss(b"\x60\x86\x48\x01\x65\x03\x04\x02\x02"), Some(48));
        assert_eq!(pss(b"\x2B\x0E\x03\x02\x1A"), Some(32));
        assert_eq!(hash_len(&certificate(RSASSA_PSS, b"\x30\x00")), Some(32));
        let ed25519 = b"\x2B\x65\x70";
        assert_eq!(hash_len(&certificate(ed25519, b"")), None);
    }

    #[test]
    fn a_certificate_made_by_others_is_hashed_whole() {
        let made = rcgen::generate_simple_self_signed(["mail.example.test".to_owned()]).unwrap();
        // rcgen signs with ECDSA and SHA-256.
        let der = made.cert.der();
        let binding = ChannelBinding::tls_server_end_point(der).unwrap();
        let expected = [PREFIX, Sha256::digest(der).as_slice()].concat();
        assert_eq!(binding.application_data(), expected);
    }

    #[test]
    fn broken_certificates_have_no_binding() {
        let whole = certificate(b"\x2A\x86\x48\xCE\x3D\x04\x03\x02", b"");
        for len in 0..whole.len() - 4 {
            assert_eq!(ChannelBinding::tls_server_end_point(&whole[..len]), None);
        }
        let huge = b"\x30\x84\xFF\xFF\xFF\xFF\x30";
        assert_eq!(ChannelBinding::tls_server_end_point(huge), None);
    }

    proptest! {
        #[test]
        fn no_certificate_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60), at in 0..340_usize) {
            ChannelBinding::tls_server_end_point(&bytes);
            let mut whole = certificate(RSASSA_PSS, b"\x30\x00");
            whole.splice(at.min(whole.len()).., bytes);
            ChannelBinding::tls_server_end_point(&whole);
        }
    }
}
