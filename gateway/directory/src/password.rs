//! Passwords: hashed, checked, generated.

use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash::phc::PasswordHash};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use subtle::ConstantTimeEq;

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
    symbols(GROUPS * GROUP_SYMBOLS, GROUP_SYMBOLS)
}

/// So many symbols by chance, in groups with hyphens between them.
pub(crate) fn symbols(count: usize, group: usize) -> Result<String, Error> {
    let mut password = String::with_capacity(2 * count);
    let mut symbols = 0;
    while symbols < count {
        let mut bytes = [0; 32];
        random(&mut bytes)?;
        // A byte's five low bits choose a symbol; the value beyond the last symbol is thrown away, so all are equally
        // likely.
        for symbol in bytes
            .into_iter()
            .filter_map(|byte| SYMBOLS.get(usize::from(byte & 31)))
        {
            if symbols == count {
                break;
            }
            if symbols > 0 && symbols % group == 0 {
                password.push('-');
            }
            password.push(char::from(*symbol));
            symbols += 1;
        }
    }
    Ok(password)
}

/// Whether an octet is a symbol of generated passwords.
pub(crate) fn is_symbol(octet: u8) -> bool {
    SYMBOLS.contains(&octet)
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
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let params = Params::default();
    derive(
        password.as_bytes(),
        &salt,
        Version::default(),
        params.clone(),
        &mut output,
    )
    .map_err(|error| Error::System(format!("cannot hash a password: {error}")))?;
    Ok(phc(&params, &salt, &output))
}

/// Whether a password belongs to a hash, as slow as [`hash`]. The comparison takes constant time.
pub(crate) fn fits(password: &[u8], hash: &str) -> bool {
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    let version = hash
        .version
        .map_or(Ok(Version::default()), Version::try_from);
    let (Some(salt), Some(expected), Ok(params), Ok(version)) =
        (&hash.salt, &hash.hash, Params::try_from(&hash), version)
    else {
        return false;
    };
    let mut output = vec![0; expected.as_ref().len()];
    derive(password, salt.as_ref(), version, params, &mut output).is_ok()
        && bool::from(output.ct_eq(expected.as_ref()))
}

/// Derives `output` with argon2id.
fn derive(
    password: &[u8],
    salt: &[u8],
    version: Version,
    params: Params,
    output: &mut [u8],
) -> argon2::Result<()> {
    // A block of memory above 32 MiB is mapped for itself and goes back to the system when it is freed; a smaller one
    // stays with the thread that allocated it, and each login thread would keep its 19 MiB. What is reserved and not
    // used costs nothing.
    const RESERVED_BYTES: usize = 34 << 20;
    let blocks = params.block_count();
    let mut memory = Vec::with_capacity(blocks.max(RESERVED_BYTES / Block::SIZE));
    memory.resize(blocks, Block::default());
    Argon2::new(Algorithm::Argon2id, version, params).hash_password_into_with_memory(
        password,
        salt,
        output,
        &mut memory,
    )
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
    phc(
        &Params::default(),
        &[0; SALT_BYTES],
        &[0; Params::DEFAULT_OUTPUT_LEN],
    )
}

/// A hash in the PHC string format.
fn phc(params: &Params, salt: &[u8], output: &[u8]) -> String {
    format!(
        "${}$v={}$m={},t={},p={}${}${}",
        Algorithm::Argon2id.as_str(),
        u32::from(Version::default()),
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        BASE64.encode(salt),
        BASE64.encode(output)
    )
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
    fn a_hash_made_elsewhere_fits() {
        // Computed by the reference implementation (argon2-cffi): password `password`, salt `saltsaltsaltsalt`.
        let hash = "$argon2id$v=19$m=8192,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$6v1e88LXg8I6SldGfgaqHbA+4IDzIsUnxjx8NcPmu9M";
        assert!(fits(b"password", hash));
        assert!(!fits(b"Password", hash));
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
