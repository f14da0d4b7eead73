//! The algorithms by which tokens may be signed. Source: RFC 7518 3.1, RFC 8037 3.1.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

use crate::keys::Material;

/// An algorithm with a public key. Those with a secret (`HS256`), and `none`, have no name here.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// The same with SHA-384.
    Rs384,
    /// The same with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// The same with SHA-384.
    Ps384,
    /// The same with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// The name as registered with IANA.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of a name. Names are compared octet by octet (RFC 7515 4.1.1).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Whether a message is signed so with this key. `false` too where the key is of another kind.
    pub(crate) fn verifies(self, key: &Material, message: &[u8], signature: &[u8]) -> bool {
        match (self, key) {
            (Self::Rs256, key) => rsa(&RSA_PKCS1_2048_8192_SHA256, key, message, signature),
            (Self::Rs384, key) => rsa(&RSA_PKCS1_2048_8192_SHA384, key, message, signature),
            (Self::Rs512, key) => rsa(&RSA_PKCS1_2048_8192_SHA512, key, message, signature),
            (Self::Ps256, key) => rsa(&RSA_PSS_2048_8192_SHA256, key, message, signature),
            (Self::Ps384, key) => rsa(&RSA_PSS_2048_8192_SHA384, key, message, signature),
            (Self::Ps512, key) => rsa(&RSA_PSS_2048_8192_SHA512, key, message, signature),
            (Self::Es256, Material::P256(point)) => {
                plain(&ECDSA_P256_SHA256_FIXED, point, message, signature)
            }
            (Self::Es384, Material::P384(point)) => {
                plain(&ECDSA_P384_SHA384_FIXED, point, message, signature)
            }
            (Self::EdDsa, Material::Ed25519(point)) => plain(&ED25519, point, message, signature),
            (Self::Es256 | Self::Es384 | Self::EdDsa, _) => false,
        }
    }
}

fn rsa(parameters: &'static RsaParameters, key: &Material, message: &[u8], signed: &[u8]) -> bool {
    let Material::Rsa { n, e } = key else {
        return false;
    };
    let key = RsaPublicKeyComponents { n, e };
    key.verify(parameters, message, signed).is_ok()
}

fn plain(
    algorithm: &'static dyn VerificationAlgorithm,
    point: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let key = UnparsedPublicKey::new(algorithm, point);
    key.verify(message, signature).is_ok()
}
