//! What is read from certificates: whose a client's is, and by what a server's is known.

use std::fmt::{self, Write as _};

use ring::digest::{self, SHA256, SHA384, SHA512};
use x509_parser::{
    oid_registry::{
        OID_HASH_SHA1, OID_PKCS1_MD5WITHRSAENC, OID_PKCS1_SHA1WITHRSA, OID_PKCS1_SHA256WITHRSA,
        OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA256,
        OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512,
    },
    parse_x509_certificate,
    prelude::{GeneralName, X509Certificate},
};

/// The most addresses that are read from one certificate.
const ADDRESSES_MAX: usize = 16;

/// A client's certificate, whose chain and dates the handshake has checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificate {
    /// The mail addresses it names (subjectAltName, rfc822Name). Source: RFC 5280 4.2.1.6.
    pub addresses: Vec<String>,
    /// Its SHA-256.
    pub fingerprint: Fingerprint,
}

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        let mut octets = [0; 32];
        octets.copy_from_slice(digest::digest(&SHA256, certificate).as_ref());
        Self(octets)
    }

    /// Reads 64 hexadecimal digits, with or without colons between pairs, as `openssl x509 -fingerprint` writes them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = text.bytes().filter(|&octet| octet != b':');
        let mut octets = [0; 32];
        for octet in &mut octets {
            let mut digit = || char::from(digits.next()?).to_digit(16);
            let value = digit()? << 4 | digit()?;
            *octet = u8::try_from(value).ok()?;
        }
        digits.next().is_none().then_some(Self(octets))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(64);
        for octet in self.0 {
            write!(text, "{octet:02x}")?;
        }
        f.write_str(&text)
    }
}

impl ClientCertificate {
    /// Reads a certificate in DER; `None` if it is none.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = parse_x509_certificate(der).ok()?;
        Some(Self {
            addresses: addresses(&certificate),
            fingerprint: Fingerprint::of(der),
        })
    }
}

fn addresses(certificate: &X509Certificate<'_>) -> Vec<String> {
    // A certificate with the extension twice is malformed, and names nobody.
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let address = |name: &GeneralName<'_>| match name {
        GeneralName::RFC822Name(address) => Some((*address).to_owned()),
        _ => None,
    };
    let addresses = names.value.general_names.iter().filter_map(address);
    addresses.take(ADDRESSES_MAX).collect()
}

/// What `tls-server-end-point` is for a server with this certificate: its hash, by the hash function of its signature,
/// but by SHA-256 where that is MD5 or SHA-1. `None` where the signature has no hash function of its own, or several.
/// Source: RFC 5929 4.1.
pub(crate) fn end_point(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    let signature = &certificate.signature_algorithm.algorithm;
    let by_sha256 = [
        OID_PKCS1_MD5WITHRSAENC,
        OID_PKCS1_SHA1WITHRSA,
        OID_HASH_SHA1,
        OID_PKCS1_SHA256WITHRSA,
        OID_SIG_ECDSA_WITH_SHA256,
    ];
    let by_sha384 = [OID_PKCS1_SHA384WITHRSA, OID_SIG_ECDSA_WITH_SHA384];
    let by_sha512 = [OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA512];
    let algorithm = match () {
        () if by_sha256.contains(signature) => &SHA256,
        () if by_sha384.contains(signature) => &SHA384,
        () if by_sha512.contains(signature) => &SHA512,
        () => return None,
    };
    Some(digest::digest(algorithm, der).as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SanType};

    use super::*;

    #[test]
    fn a_certificate_names_its_mail_addresses_alone() {
        let mut params = CertificateParams::new(["alice.example.test".to_owned()]).unwrap();
        for address in ["alice@example.test", "Alice.B@example.test"] {
            let address = address.try_into().unwrap();
            params.subject_alt_names.push(SanType::Rfc822Name(address));
        }
        let key = KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        let read = ClientCertificate::read(made.der()).unwrap();
        assert_eq!(
            read.addresses,
            ["alice@example.test", "Alice.B@example.test"]
        );
        let text = read.fingerprint.to_string();
        assert_eq!(Fingerprint::parse(&text), Some(read.fingerprint));
        assert_eq!(ClientCertificate::read(b"no certificate"), None);
    }

    #[test]
    fn fingerprints_are_read_as_openssl_writes_them() {
        let plain = "0123456789abcdef".repeat(4);
        let pairs: Vec<String> = plain
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
            .collect();
        let known = Fingerprint::parse(&plain).unwrap();
        assert_eq!(Fingerprint::parse(&pairs.join(":")), Some(known));
        for bad in [
            "",
            "00",
            &plain[1..],
            &format!("{plain}0"),
            &plain.replace('f', "g"),
        ] {
            assert_eq!(Fingerprint::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_server_is_known_by_the_hash_of_its_signature() {
        for (algorithm, expected) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, Some(32)),
            (&PKCS_ECDSA_P384_SHA384, Some(48)),
            (&PKCS_ED25519, None),
        ] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let params = CertificateParams::new(["mail.example.test".to_owned()]).unwrap();
            let made = params.self_signed(&key).unwrap();
            assert_eq!(end_point(made.der()).map(|hash| hash.len()), expected);
        }
    }
}
