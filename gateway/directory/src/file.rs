//! `directory.toml`: its format, and how it is read and replaced without ever being half written.
//!
//! ```toml
//! version = 1
//! salt_key = "…"              # 32 bytes in base64
//!
//! [[user]]
//! address = "alice@example.test"
//! created = 2026-11-24T16:43:00Z
//! disabled = false
//! password = "$argon2id$v=19$…"
//! scram = "SCRAM-SHA-256$10000:…$…:…"
//! app_passwords_only = false
//!
//! [[user.app_password]]
//! id = "k7mqpx"
//! name = "Telephone"
//! services = ["imap", "smtp"]
//! created = 2026-11-27T05:00:00Z
//! hash = "…"                  # 32 bytes in base64
//!
//! [[alias]]
//! address = "sales@example.test"
//! targets = ["alice@example.test"]
//!
//! [[shared]]
//! address = "info@example.test"
//!
//! [[sender]]
//! name = "info@example.test"
//! member = "alice@example.test"
//! grant = "as"                # or "on-behalf"
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use toml::{Spanned, value::Datetime};

use crate::{
    Address, AddressError, AppPassword, Error, MailboxName, ScramVerifier, SendGrant, Service,
    Shared, User,
    app_password::{self, AppPasswordEntry},
    contents::{Contents, UserEntry},
    password,
};

/// The format this program writes, and the newest it reads.
const FORMAT_VERSION: u32 = 1;
/// Only the owner may read the hashes.
const FILE_MODE: u32 = 0o600;
/// What an administrator who opens the file should know first.
const PREAMBLE: &str = "\
# Users, aliases and shared mailboxes. Better changed with `dragoman user` and `dragoman alias`:
# they keep all entries but no comments. A running server notices changes within a second.

";

/// The file and its neighbours: `directory.toml.lock`, held while it is changed, and `directory.toml.new`.
#[derive(Debug)]
pub(crate) struct DirectoryFile {
    path: PathBuf,
}

/// Tells whether the file was changed; by what it points to, as replacing it makes a new inode.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    inode: u64,
    size_bytes: u64,
    modified: (i64, i64),
}

impl DirectoryFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file's present stamp; `None` while there is no file (or none that can be looked at).
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        fs::metadata(&self.path)
            .ok()
            .map(|metadata| Stamp::of(&metadata))
    }

    /// Reads the file; `None` if there is none yet.
    pub(crate) fn read(&self) -> Result<Option<(Contents, Stamp)>, Error> {
        let mut text = String::new();
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(&self.path, error)),
        };
        // The stamp comes first: a change between the two calls is then noticed at the next look.
        let metadata = file
            .metadata()
            .map_err(|error| io_error(&self.path, error))?;
        file.read_to_string(&mut text)
            .map_err(|error| io_error(&self.path, error))?;
        Ok(Some((parse(&text, &self.path)?, Stamp::of(&metadata))))
    }

    /// Keeps other processes from changing the file until the answer is dropped. Blocks the thread.
    pub(crate) fn lock(&self) -> Result<File, Error> {
        let path = self.beside("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(FILE_MODE)
            .open(&path);
        let lock = lock.map_err(|error| io_error(&path, error))?;
        lock.lock().map_err(|error| io_error(&path, error))?;
        Ok(lock)
    }

    /// Replaces the file: when this returns, the new one is on the disk, and a crash at any moment leaves either the
    /// old or the new one. Call with the lock held.
    pub(crate) fn write(&self, contents: &Contents) -> Result<Stamp, Error> {
        let text = render(contents)?;
        let new = self.beside("new");
        // A left-over of a crash may have other permissions.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error(&new, error));
            }
            _ => {}
        }
        let write = || -> io::Result<Stamp> {
            let mut file = OpenOptions::new()
                .create_new(true)
                .write(true)
                .mode(FILE_MODE)
                .open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            Ok(Stamp::of(&file.metadata()?))
        };
        let stamp = write().map_err(|error| io_error(&new, error))?;
        fs::rename(&new, &self.path).map_err(|error| io_error(&self.path, error))?;
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| io_error(folder, error))?;
        Ok(stamp)
    }

    pub(crate) fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".");
        path.push(ending);
        path.into()
    }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size_bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}

/// Only the version: a newer format may have keys that this one does not know.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    salt_key: Spanned<String>,
    #[serde(default, rename = "user", skip_serializing_if = "Vec::is_empty")]
    users: Vec<UserTable>,
    #[serde(default, rename = "alias", skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<AliasTable>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shared: Vec<SharedTable>,
    #[serde(default, rename = "sender", skip_serializing_if = "Vec::is_empty")]
    senders: Vec<SenderTable>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct UserTable {
    address: Spanned<String>,
    created: Datetime,
    #[serde(default)]
    disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scram: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    app_passwords_only: bool,
    #[serde(
        default,
        rename = "app_password",
        skip_serializing_if = "Vec::is_empty"
    )]
    app_passwords: Vec<AppPasswordTable>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct AppPasswordTable {
    id: Spanned<String>,
    name: String,
    services: Vec<Spanned<String>>,
    created: Datetime,
    hash: Spanned<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct AliasTable {
    address: Spanned<String>,
    targets: Vec<Spanned<String>>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SharedTable {
    address: Spanned<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SenderTable {
    name: Spanned<String>,
    member: Spanned<String>,
    grant: SendGrant,
}

/// What is wrong, and at which byte of the text.
struct Fault {
    at: usize,
    message: String,
}

impl Fault {
    fn of<T>(value: &Spanned<T>, message: impl Into<String>) -> Self {
        Self {
            at: value.span().start,
            message: message.into(),
        }
    }
}

impl From<toml::de::Error> for Fault {
    fn from(error: toml::de::Error) -> Self {
        Self {
            at: error.span().map_or(0, |span| span.start),
            message: error.message().to_owned(),
        }
    }
}

fn parse(text: &str, path: &Path) -> Result<Contents, Error> {
    let broken = |fault: Fault| {
        let before = text.as_bytes().iter().take(fault.at);
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        Error::Broken {
            path: path.to_owned(),
            line,
            message: fault.message,
        }
    };
    let VersionOnly { version } = toml::from_str(text).map_err(|error| broken(error.into()))?;
    if version > FORMAT_VERSION {
        return Err(Error::TooNew {
            path: path.to_owned(),
            version,
        });
    }
    let document: Document = toml::from_str(text).map_err(|error| broken(error.into()))?;
    contents(document).map_err(broken)
}

fn contents(document: Document) -> Result<Contents, Fault> {
    let salt_key = BASE64
        .decode(document.salt_key.get_ref())
        .ok()
        .and_then(|key| key.try_into().ok());
    let salt_key =
        salt_key.ok_or_else(|| Fault::of(&document.salt_key, "expected 32 bytes in base64"))?;
    let mut contents = Contents::empty(salt_key);
    for table in document.users {
        let address = new_address(&contents, &table.address)?;
        let entry = user_entry(address.clone(), table)?;
        contents.users.insert(address, entry);
    }
    for table in document.shared {
        let address = new_address(&contents, &table.address)?;
        let mailbox = mailbox(&address, &table.address)?;
        contents
            .shared
            .insert(address.clone(), Shared { address, mailbox });
    }
    for table in document.aliases {
        let alias = new_address(&contents, &table.address)?;
        let targets = table
            .targets
            .iter()
            .map(address)
            .collect::<Result<_, _>>()?;
        contents.aliases.insert(alias, targets);
    }
    for table in document.senders {
        let key = (address(&table.name)?, address(&table.member)?);
        if contents.senders.insert(key, table.grant).is_some() {
            return Err(Fault::of(
                &table.name,
                "this name and member are there twice",
            ));
        }
    }
    Ok(contents)
}

fn user_entry(address: Address, table: UserTable) -> Result<UserEntry, Fault> {
    let mailbox = mailbox(&address, &table.address)?;
    if let Some(hash) = table
        .password
        .as_ref()
        .filter(|hash| !password::is_hash(hash.get_ref()))
    {
        return Err(Fault::of(
            hash,
            "expected an argon2id hash, as `dragoman user passwd` writes it",
        ));
    }
    let scram = match &table.scram {
        None => None,
        Some(text) => Some(ScramVerifier::parse(text.get_ref()).ok_or_else(|| {
            Fault::of(
                text,
                "expected SCRAM-SHA-256$iterations:salt$stored key:server key",
            )
        })?),
    };
    let user = User {
        address,
        mailbox,
        created: table.created.to_string(),
        disabled: table.disabled,
        app_passwords_only: table.app_passwords_only,
    };
    let app_passwords = table.app_passwords.into_iter().map(app_password_entry);
    Ok(UserEntry {
        user,
        password: table.password.map(Spanned::into_inner),
        scram,
        app_passwords: app_passwords.collect::<Result<_, _>>()?,
    })
}

fn app_password_entry(table: AppPasswordTable) -> Result<AppPasswordEntry, Fault> {
    if !app_password::is_id(table.id.get_ref()) {
        return Err(Fault::of(&table.id, "expected six letters and digits"));
    }
    let service = |text: &Spanned<String>| {
        Service::parse(text.get_ref())
            .ok_or_else(|| Fault::of(text, "expected imap, pop3, smtp or http"))
    };
    let services = table.services.iter().map(service);
    let services = services.collect::<Result<_, _>>()?;
    let hash = BASE64.decode(table.hash.get_ref()).ok();
    let hash = hash.and_then(|hash| hash.try_into().ok());
    Ok(AppPasswordEntry {
        hash: hash.ok_or_else(|| Fault::of(&table.hash, "expected 32 bytes in base64"))?,
        public: AppPassword {
            id: table.id.into_inner(),
            name: table.name,
            services,
            created: table.created.to_string(),
            last_used: None,
        },
    })
}

fn address(text: &Spanned<String>) -> Result<Address, Fault> {
    Address::parse(text.get_ref()).map_err(|reason| unusable(text, reason))
}

fn new_address(contents: &Contents, text: &Spanned<String>) -> Result<Address, Fault> {
    let address = address(text)?;
    if contents.knows(&address) {
        Err(Fault::of(text, format!("{address} is there twice")))
    } else {
        Ok(address)
    }
}

fn mailbox(address: &Address, text: &Spanned<String>) -> Result<MailboxName, Fault> {
    MailboxName::of(address).map_err(|reason| unusable(text, reason))
}

fn unusable(text: &Spanned<String>, reason: AddressError) -> Fault {
    Fault::of(
        text,
        format!("{:?} is not a usable address: {reason}", text.get_ref()),
    )
}

fn render(contents: &Contents) -> Result<String, Error> {
    let users = contents
        .users
        .values()
        .map(user_table)
        .collect::<Result<_, _>>()?;
    let aliases = contents.aliases.iter().map(|(alias, targets)| AliasTable {
        address: unplaced(alias.to_string()),
        targets: targets
            .iter()
            .map(|target| unplaced(target.to_string()))
            .collect(),
    });
    let shared = contents.shared.keys().map(|address| SharedTable {
        address: unplaced(address.to_string()),
    });
    let senders = contents.senders.iter();
    let senders = senders.map(|((name, member), grant)| SenderTable {
        name: unplaced(name.to_string()),
        member: unplaced(member.to_string()),
        grant: *grant,
    });
    let document = Document {
        version: FORMAT_VERSION,
        salt_key: unplaced(BASE64.encode(contents.salt_key)),
        users,
        aliases: aliases.collect(),
        shared: shared.collect(),
        senders: senders.collect(),
    };
    let text = toml::to_string(&document)
        .map_err(|error| Error::System(format!("cannot write TOML: {error}")))?;
    Ok(format!("{PREAMBLE}{text}"))
}

fn user_table(entry: &UserEntry) -> Result<UserTable, Error> {
    let app_passwords = entry.app_passwords.iter().map(|entry| {
        let services = entry.public.services.iter();
        Ok(AppPasswordTable {
            id: unplaced(entry.public.id.clone()),
            name: entry.public.name.clone(),
            services: services.map(|one| unplaced(one.to_string())).collect(),
            created: date(&entry.public.created)?,
            hash: unplaced(BASE64.encode(entry.hash)),
        })
    });
    Ok(UserTable {
        address: unplaced(entry.user.address.to_string()),
        created: date(&entry.user.created)?,
        disabled: entry.user.disabled,
        password: entry.password.clone().map(unplaced),
        scram: entry
            .scram
            .as_ref()
            .map(|verifier| unplaced(verifier.to_text())),
        app_passwords_only: entry.user.app_passwords_only,
        app_passwords: app_passwords.collect::<Result<_, _>>()?,
    })
}

fn date(text: &str) -> Result<Datetime, Error> {
    text.parse()
        .map_err(|error| Error::System(format!("cannot write a date: {error}")))
}

/// A value that has no place in a text yet.
fn unplaced(value: String) -> Spanned<String> {
    Spanned::new(0..0, value)
}

#[cfg(test)]
mod tests;
