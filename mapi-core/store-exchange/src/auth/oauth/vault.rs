//! Refresh tokens on disk, encrypted: one file for each account.
//!
//! A file is the mark `DGT1`, a salt of 32 bytes, and the token sealed by AES-256-GCM. Each write has a key of its own,
//! derived from the key file's by HKDF (RFC 5869) with the salt, so a nonce is never used twice under one key. The
//! account's name is bound to the file: one account's file in another's place does not open.

use std::{
    fmt, fs,
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    Error, TokenStore,
    key_file::{self, Key},
};
use crate::auth::Secret;

const MARK: &[u8] = b"DGT1";
const SALT_LEN: usize = 32;
/// What the derived keys are for.
const PURPOSE: &[u8] = b"dragoman refresh token 1";
/// The bound of a file in bytes.
const FILE_BYTES_MAX: u64 = 128 << 10;

/// A folder of encrypted refresh tokens.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    /// The first seals, all of them open.
    keys: Vec<Key>,
    writing: Mutex<()>,
}

impl Vault {
    /// Opens a folder, which is made if need be, with the keys of a file: one key of 32 bytes a line, in base64.
    ///
    /// To change the key, put the new one before the old one; what is read is then sealed anew. Errors: `Config` when
    /// others can read the key file, or it holds no keys.
    pub fn open(folder: &Path, key_file: &Path) -> Result<Self, Error> {
        let keys = key_file::read(key_file).map_err(Error::Config)?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|cause| Error::Config(format!("{}: {cause}", folder.display())))?;
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            keys,
            writing: Mutex::new(()),
        })))
    }

    /// Makes a key file with one new key, readable by its owner alone. Errors: `Config` when it exists.
    pub fn create_key_file(path: &Path) -> Result<(), Error> {
        key_file::create(path).map_err(Error::Config)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .unwrap_or_else(|_| Err(Error::Store("the runtime ends".to_owned())))
    }
}

impl TokenStore for Vault {
    fn load<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Option<Secret>, Error>> {
        let account = account.to_owned();
        Box::pin(self.blocking(move |inner| inner.load(&account)))
    }

    fn save<'a>(
        &'a self,
        account: &'a str,
        token: Option<&'a Secret>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let (account, token) = (account.to_owned(), token.cloned());
        Box::pin(self.blocking(move |inner| inner.save(&account, token.as_ref())))
    }
}

impl Inner {
    fn load(&self, account: &str) -> Result<Option<Secret>, Error> {
        let path = self.path(account);
        let mut sealed = Vec::new();
        let read = fs::File::open(&path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut sealed));
        match read {
            Ok(_) => {}
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed(&path, &cause)),
        }
        let opened = self
            .keys
            .iter()
            .enumerate()
            .find_map(|(place, key)| Some((place, open(key, account, &sealed)?)));
        let Some((place, token)) = opened else {
            return Err(failed(&path, &"none of the keys opens it"));
        };
        if place > 0 {
            // It was sealed with a key that is on its way out.
            self.save(account, Some(&token))?;
        }
        Ok(Some(token))
    }

    fn save(&self, account: &str, token: Option<&Secret>) -> Result<(), Error> {
        let path = self.path(account);
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let done = match token {
            Some(token) => self
                .keys
                .first()
                .and_then(|key| seal(key, account, token))
                .ok_or_else(|| io::Error::other("it cannot be sealed"))
                .and_then(|sealed| replace(&path, &sealed)),
            None => match fs::remove_file(&path) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
                done => done,
            },
        };
        done.and_then(|()| fs::File::open(&self.folder)?.sync_all())
            .map_err(|cause| failed(&path, &cause))
    }

    /// An account's file. Its name tells nothing, and holds no character that a file name must not.
    fn path(&self, account: &str) -> PathBuf {
        let hash = Sha256::digest(account.as_bytes());
        let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(name)
    }
}

fn derived(key: &Key, salt: &[u8]) -> Option<LessSafeKey> {
    let extracted = Salt::new(HKDF_SHA256, salt).extract(&key[..]);
    let expanded = extracted.expand(&[PURPOSE], &AES_256_GCM).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(expanded)))
}

fn nonce() -> Nonce {
    // Every key is used for one message alone.
    Nonce::assume_unique_for_key([0; 12])
}

fn seal(key: &Key, account: &str, token: &Secret) -> Option<Vec<u8>> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt).ok()?;
    let mut text = Zeroizing::new(token.expose().as_bytes().to_vec());
    let tag = derived(key, &salt)?
        .seal_in_place_separate_tag(nonce(), Aad::from(account), &mut text)
        .ok()?;
    Some([MARK, &salt, &text, tag.as_ref()].concat())
}

fn open(key: &Key, account: &str, sealed: &[u8]) -> Option<Secret> {
    let (salt, text) = sealed.strip_prefix(MARK)?.split_at_checked(SALT_LEN)?;
    let mut text = Zeroizing::new(text.to_vec());
    let opened = derived(key, salt)?
        .open_in_place(nonce(), Aad::from(account), &mut text)
        .ok()?;
    std::str::from_utf8(opened).ok().map(Secret::new)
}

/// Replaces a file: after a crash it is the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn failed(path: &Path, cause: &dyn fmt::Display) -> Error {
    Error::Store(format!("{}: {cause}", path.display()))
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vault").field(&self.0.folder).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Place {
        folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Vault::create_key_file(&folder.path().join("key")).unwrap();
            Self { folder }
        }

        fn open(&self) -> Vault {
            self.try_open().unwrap()
        }

        fn try_open(&self) -> Result<Vault, Error> {
            let path = self.folder.path();
            Vault::open(&path.join("tokens"), &path.join("key"))
        }

        fn files(&self) -> Vec<PathBuf> {
            fs::read_dir(self.folder.path().join("tokens"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect()
        }
    }

    const TOKEN: &str = "0.AXoA-a-refresh-token";

    #[tokio::test]
    async fn a_token_outlives_the_process_and_is_not_on_the_disk() {
        let place = Place::new();
        let token = Secret::new(TOKEN);
        let vault = place.open();
        assert_eq!(vault.load("anna@example.test").await, Ok(None));
        vault.save("anna@example.test", Some(&token)).await.unwrap();
        drop(vault);

        let vault = place.open();
        assert_eq!(vault.load("anna@example.test").await, Ok(Some(token)));
        assert_eq!(vault.load("ben@example.test").await, Ok(None));
        let [file] = &place.files()[..] else {
            panic!("one file: {:?}", place.files());
        };
        assert!(!file.to_string_lossy().contains("anna"));
        let bytes = fs::read(file).unwrap();
        assert!(
            !bytes
                .windows(4)
                .any(|w| TOKEN.as_bytes().windows(4).any(|t| t == w))
        );
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

        vault.save("anna@example.test", None).await.unwrap();
        vault.save("anna@example.test", None).await.unwrap();
        assert_eq!(vault.load("anna@example.test").await, Ok(None));
    }

    #[tokio::test]
    async fn a_file_that_was_touched_or_moved_does_not_open() {
        let place = Place::new();
        let vault = place.open();
        vault.save("a", Some(&TOKEN.into())).await.unwrap();
        let file = place.files().remove(0);
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut touched = whole.clone();
            touched[at] ^= 1;
            fs::write(&file, touched).unwrap();
            assert!(
                matches!(vault.load("a").await, Err(Error::Store(_))),
                "{at}"
            );
            fs::write(&file, &whole[..at]).unwrap();
            assert!(
                matches!(vault.load("a").await, Err(Error::Store(_))),
                "{at}"
            );
        }
        fs::write(vault.0.path("b"), &whole).unwrap();
        assert!(matches!(vault.load("b").await, Err(Error::Store(_))));
    }

    #[tokio::test]
    async fn a_new_key_takes_over_what_the_old_one_sealed() {
        let place = Place::new();
        let key = place.folder.path().join("key");
        place.open().save("a", Some(&TOKEN.into())).await.unwrap();
        let old = fs::read_to_string(&key).unwrap();
        fs::remove_file(&key).unwrap();
        Vault::create_key_file(&key).unwrap();
        let new = fs::read_to_string(&key).unwrap();

        assert!(matches!(place.open().load("a").await, Err(Error::Store(_))));
        fs::write(&key, format!("{new}{old}")).unwrap();
        assert_eq!(place.open().load("a").await, Ok(Some(TOKEN.into())));
        fs::write(&key, new).unwrap();
        assert_eq!(place.open().load("a").await, Ok(Some(TOKEN.into())));
    }

    #[test]
    fn a_key_file_that_others_can_read_or_that_holds_no_key_is_refused() {
        let place = Place::new();
        let key = place.folder.path().join("key");
        assert!(Vault::create_key_file(&key).is_err());
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            let Err(Error::Config(why)) = place.try_open() else {
                panic!("{mode:o}");
            };
            assert!(why.contains("chmod 600"));
        }
        fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
        place.open();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let line = fs::read_to_string(&key).unwrap();
        for broken in ["", "AAAA", "not base64!", &line.repeat(17)] {
            fs::write(&key, broken).unwrap();
            let Err(Error::Config(why)) = place.try_open() else {
                panic!("{broken}");
            };
            assert!(why.contains("not a list of keys") && !why.contains(line.trim()));
        }
    }
}
