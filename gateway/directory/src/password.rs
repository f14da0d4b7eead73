//! Passwords: hashed, checked, generated.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};

use crate::Error;

/// The longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// The salt's length, in bytes.
const SALT_BYTES: usize = 16;
/// The symbols of generated passwords: none is taken for another when read or dictated.
const SYMBOLS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Groups of a generated password.
const GROUPS: usize = 4;
/// Symbols of a group; 20 symbols of 31 carry 99 bits.
const GROUP_SYMBOLS: usize = 5;

/// Invents a password that can be read out and typed, such as `k7mqp-x3vhn-2tzra-9wcdf` (99 random bits).
///
/// Errors: `System`.
pub fn generate_password() -> Result<String, Error> {
    let mut password = String::with_capacity(GROUPS * (GROUP_SYMBOLS + 1));
    let mut symbols = 0;
    while symbols < GROUPS * GROUP_SYMBOLS {
        let mut bytes = [0; 32];
        random(&mut bytes)?;
        // A byte's five low bits choose a symbol; the value beyond the last symbol is thrown away, so all are equally
        // likely.
        for symbol in bytes
            .into_iter()
            .filter_map(|byte| SYMBOLS.get(usize::from(byte & 31)))
        {
            if symbols == GROUPS * GROUP_SYMBOLS {
                break;
            }
            if symbols > 0 && symbols % GROUP_SYMBOLS == 0 {
                password.push('-');
            }
            password.push(char::from(*symbol));
            symbols += 1;
        }
    }
    Ok(password)
}

/// Fills a buffer with bytes nobody can guess.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|error| Error::System(format!("no random bytes: {error}")))
}

/// Refuses what cannot be a password: nothing, too much, or characters that login prompts cannot carry.
pub(crate) fn check(password: &str) -> Result<(), Error> {
    if password.is_empty() {
        return Err(Error::Password("it is empty"));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::Password("it is longer than 1024 bytes"));
    }
    if password.chars().any(char::is_control) {
        return Err(Error::Password("it contains a control character"));
    }
    Ok(())
}

/// Hashes a password with argon2id (RFC 9106) and a fresh salt: about 24 ms and 19 MiB.
pub(crate) fn hash(password: &str) -> Result<String, Error> {
    let mut salt = [0; SALT_BYTES];
    random(&mut salt)?;
    hasher()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| Error::System(format!("cannot hash a password: {error}")))
}

/// Whether a password belongs to a hash, as slow as [`hash`]. The comparison takes constant time.
pub(crate) fn fits(password: &[u8], hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    password.len() <= PASSWORD_BYTES_MAX && hasher().verify_password(password, &hash).is_ok()
}

/// Whether a text from the file is a hash that [`fits`] can use.
pub(crate) fn is_hash(text: &str) -> bool {
    PasswordHash::new(text).is_ok_and(|hash| {
        hash.algorithm.as_str() == Algorithm::Argon2id.as_str()
            && hash.hash.is_some()
            && hash.salt.is_some()
            && Params::try_from(&hash).is_ok()
    })
}

/// A hash that no password is known to fit, to spend the same time on users who do not exist.
pub(crate) fn nobodys_hash() -> String {
    let params = Params::default();
    format!(
        "${}$v={}$m={},t={},p={}${}${}",
        Algorithm::Argon2id.as_str(),
        u32::from(Version::default()),
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        BASE64.encode([0; SALT_BYTES]),
        BASE64.encode([0; Params::DEFAULT_OUTPUT_LEN])
    )
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::default(), Params::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let stored = hash("open sesame").expect("hashed");
        assert!(stored.starts_with("$argon2id$v=19$"), "{stored}");
        assert!(fits(b"open sesame", &stored));
        assert!(!fits(b"open barley", &stored));
        assert!(!fits(b"", &stored));
        assert_ne!(stored, hash("open sesame").expect("hashed"));
    }

    #[test]
    fn a_hash_of_another_kind_or_a_damaged_one_is_not_taken() {
        assert!(is_hash(&hash("pw").expect("hashed")));
        for bad in [
            "",
            "open sesame",
            "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
            "$argon2id$v=19$m=8",
        ] {
            assert!(!is_hash(bad), "{bad}");
        }
    }

    #[test]
    fn nobodys_hash_is_checked_as_dearly_as_a_real_one() {
        let (nobodys, real) = (nobodys_hash(), hash("pw").expect("hashed"));
        assert!(is_hash(&nobodys));
        let shape = |text: &str| {
            text.split('$')
                .take(4)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(shape(&nobodys), shape(&real));
        assert!(!fits(b"pw", &nobodys));
    }

    #[test]
    fn generated_passwords_are_four_groups_of_five_and_never_twice_the_same() {
        let password = generate_password().expect("random");
        assert_eq!(
            password.split('-').map(str::len).collect::<Vec<_>>(),
            [5; 4]
        );
        assert!(
            password
                .bytes()
                .all(|byte| byte == b'-' || SYMBOLS.contains(&byte))
        );
        assert_ne!(password, generate_password().expect("random"));
        assert!(check(&password).is_ok());
    }

    #[test]
    fn unusable_passwords_are_refused() {
        for bad in ["", "two\nlines", "nul\0"] {
            assert!(check(bad).is_err());
        }
        assert!(check(&"x".repeat(PASSWORD_BYTES_MAX + 1)).is_err());
        assert!(check("größer als").is_ok());
    }
}
