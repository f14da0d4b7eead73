//! Where messages come from and how they are brought here, by the ordinary clients: apt for Debian, cargo for
//! crates, git for mirrors that are already on this machine.

use std::fs::write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::failure::{Failure, Outcome, failure};
use crate::process::{require, run};

/// How long one download may take.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(300);

/// A place that holds messages.
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) licence: &'static str,
    place: Place,
    /// Only files whose path contains one of these.
    within: &'static [&'static str],
}

enum Place {
    /// The files of a Debian package.
    Package(&'static str),
    /// The upstream archive of a Debian source package.
    SourcePackage(&'static str),
    /// A crate at a version.
    Crate(&'static str, &'static str),
    /// A mirror `OWNER+NAME`.
    Mirror(&'static str),
}

/// A file's path within its source, and its contents.
pub(super) type File = (String, Vec<u8>);

const GPL2: &str = "GPL-2.0-or-later";
const GPL3: &str = "GPL-3.0-or-later";
const PERL: &str = "Artistic-1.0-Perl OR GPL-1.0-or-later";
const MIT: &str = "MIT";
const APACHE: &str = "Apache-2.0";

const fn source(
    name: &'static str,
    licence: &'static str,
    place: Place,
    within: &'static [&'static str],
) -> Source {
    Source {
        name,
        licence,
        place,
        within,
    }
}

/// Every source, packages first: they alone must give enough.
pub(super) const SOURCES: &[Source] = &[
    source(
        "cpython",
        "PSF-2.0",
        Place::Package("libpython3.11-testsuite"),
        &["test_email/data"],
    ),
    source(
        "mail-parser",
        "Apache-2.0 OR MIT",
        Place::Crate("mail-parser", "0.11.9"),
        &["resources/"],
    ),
    source(
        "notmuch",
        GPL3,
        Place::SourcePackage("notmuch"),
        &["test/corpora"],
    ),
    source(
        "bounceparser",
        PERL,
        Place::SourcePackage("libmail-deliverystatus-bounceparser-perl"),
        &["t/corpus"],
    ),
    source(
        "kmime",
        "LGPL-2.0-or-later",
        Place::SourcePackage("kmime"),
        &["autotests/data"],
    ),
    source(
        "gmime",
        "LGPL-2.1-or-later",
        Place::SourcePackage("gmime"),
        &["tests/"],
    ),
    source(
        "mime-tools",
        PERL,
        Place::SourcePackage("libmime-tools-perl"),
        &["testmsgs"],
    ),
    source(
        "email-mime",
        PERL,
        Place::SourcePackage("libemail-mime-perl"),
        &["t/"],
    ),
    source(
        "ruby-mail",
        MIT,
        Place::SourcePackage("ruby-mail"),
        &["spec/fixtures"],
    ),
    source(
        "maildir-utils",
        GPL3,
        Place::SourcePackage("maildir-utils"),
        &["testdata"],
    ),
    source(
        "mime4j",
        APACHE,
        Place::SourcePackage("apache-mime4j"),
        &["testmsgs", "resources"],
    ),
    source(
        "sisimai",
        "BSD-2-Clause",
        Place::SourcePackage("libsisimai-perl"),
        &["set-of-emails"],
    ),
    source(
        "mimekit",
        MIT,
        Place::Mirror("jstedfast+MimeKit"),
        &["UnitTests/TestData/"],
    ),
    source(
        "mirror mail-parser",
        "Apache-2.0 OR MIT",
        Place::Mirror("stalwartlabs+mail-parser"),
        &["resources/"],
    ),
    source(
        "mirror mime4j",
        APACHE,
        Place::Mirror("apache+james-mime4j"),
        &["testmsgs", "src/test/resources"],
    ),
    source("mirror mu", GPL3, Place::Mirror("djcb+mu"), &["testdata"]),
    source(
        "mirror notmuch",
        GPL3,
        Place::Mirror("notmuch+notmuch"),
        &["test/corpora/"],
    ),
    source(
        "mirror Email-MIME",
        PERL,
        Place::Mirror("rjbs+Email-MIME"),
        &["t/"],
    ),
    source(
        "mirror ruby-mail",
        MIT,
        Place::Mirror("mikel+mail"),
        &["spec/fixtures/emails/"],
    ),
    source(
        "cassandane",
        "BSD-3-Clause-CMU",
        Place::Mirror("cyrusimap+cyrus-imapd"),
        &["cassandane/data/"],
    ),
    source(
        "dovecot",
        "MIT OR LGPL-2.1",
        Place::Mirror("dovecot+core"),
        &["mbox", ".eml", ".msg"],
    ),
    source(
        "imaptest",
        MIT,
        Place::Mirror("dovecot+imaptest"),
        &[".mbox"],
    ),
    source("mox", MIT, Place::Mirror("mjl-+mox"), &["testdata/"]),
    source(
        "vmime",
        GPL2,
        Place::Mirror("grommunio+wmime"),
        &[".eml", ".msg", ".mbox"],
    ),
    source("go-imap", MIT, Place::Mirror("emersion+go-imap"), &[".eml"]),
    source(
        "stalwart",
        "AGPL-3.0-only",
        Place::Mirror("stalwartlabs+stalwart"),
        &["tests/resources/"],
    ),
];

/// Brings a source here, or says why not.
pub(super) fn fetch(source: &Source, cache: &Path, mirrors: Option<&Path>) -> Outcome<Vec<File>> {
    let folder = cache.join(source.name);
    match source.place {
        Place::Mirror(repository) => return mirror(repository, mirrors, source.within),
        _ if folder.join(".complete").exists() => {}
        Place::Package(package) => unpack_into(&folder, |folder| debian_package(package, folder))?,
        Place::SourcePackage(package) => {
            unpack_into(&folder, |folder| source_package(package, cache, folder))?;
        }
        Place::Crate(name, version) => {
            unpack_into(&folder, |folder| crate_source(name, version, folder))?;
        }
    }
    let mut files = super::files_below(&folder)?;
    files.retain(|(path, _)| source.within.iter().any(|part| path.contains(part)));
    Ok(files)
}

/// Fills a folder once; `.complete` marks that it is whole.
fn unpack_into(folder: &Path, fill: impl FnOnce(&Path) -> Outcome) -> Outcome {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    fill(folder)?;
    write(folder.join(".complete"), b"")?;
    Ok(())
}

fn debian_package(package: &str, folder: &Path) -> Outcome {
    let mut download = Command::new(require("apt-get")?);
    download
        .args(["download", "-q", package])
        .current_dir(folder);
    run(&mut download, b"", DOWNLOAD_LIMIT)?.success()?;
    let file = file_with_suffix(folder, &[".deb"])?;
    let mut unpack = Command::new(require("dpkg-deb")?);
    unpack.arg("-x").arg(&file).arg(folder);
    run(&mut unpack, b"", DOWNLOAD_LIMIT)?.success()?;
    std::fs::remove_file(file)?;
    Ok(())
}

/// A list of its own, so that the machine's apt configuration stays as it is.
fn source_package(package: &str, cache: &Path, folder: &Path) -> Outcome {
    let lists = cache.join("apt-lists");
    let list = cache.join("sources.list");
    let option = |name: &str, value: &Path| format!("{name}={}", value.display());
    let options = [
        "-o".to_owned(),
        option("Dir::Etc::SourceList", &list),
        "-o".to_owned(),
        "Dir::Etc::SourceParts=/dev/null".to_owned(),
        "-o".to_owned(),
        option("Dir::State::Lists", &lists),
    ];
    if !list.exists() {
        std::fs::create_dir_all(lists.join("partial"))?;
        let release = std::fs::read_to_string("/etc/os-release")?;
        let name = release
            .lines()
            .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
        let name = name.ok_or_else(|| Failure("no VERSION_CODENAME in /etc/os-release".into()))?;
        write(
            &list,
            format!("deb-src http://deb.debian.org/debian {name} main\n"),
        )?;
        let mut update = Command::new(require("apt-get")?);
        let updated = run(
            update.args(&options).args(["update", "-q"]),
            b"",
            DOWNLOAD_LIMIT,
        )
        .and_then(|done| done.success());
        if updated.is_err() {
            std::fs::remove_file(&list)?;
        }
        updated?;
    }
    let mut download = Command::new(require("apt-get")?);
    download
        .args(&options)
        .args(["source", "--download-only", "--tar-only", "-q", package])
        .current_dir(folder);
    run(&mut download, b"", DOWNLOAD_LIMIT)?.success()?;
    let archive = file_with_suffix(
        folder,
        &[
            ".orig.tar.xz",
            ".orig.tar.gz",
            ".orig.tar.bz2",
            ".tar.xz",
            ".tar.gz",
        ],
    )?;
    let mut unpack = Command::new(require("tar")?);
    unpack.arg("-xf").arg(&archive).arg("-C").arg(folder);
    run(&mut unpack, b"", DOWNLOAD_LIMIT)?.success()?;
    std::fs::remove_file(archive)?;
    Ok(())
}

/// `cargo fetch` of a manifest that names nothing but the crate, into a home of its own.
fn crate_source(name: &str, version: &str, folder: &Path) -> Outcome {
    let manifest = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n{name} = \"={version}\"\n"
    );
    let project = folder.join("fetch");
    std::fs::create_dir_all(project.join("src"))?;
    write(project.join("Cargo.toml"), manifest)?;
    write(project.join("src/lib.rs"), b"")?;
    let home = folder.join("home");
    let mut fetch = Command::new(require("cargo")?);
    fetch
        .arg("fetch")
        .current_dir(&project)
        .env("CARGO_HOME", &home);
    run(&mut fetch, b"", DOWNLOAD_LIMIT)?.success()?;
    let registry = home.join("registry/src");
    for index in std::fs::read_dir(&registry)? {
        let unpacked = index?.path().join(format!("{name}-{version}"));
        if unpacked.is_dir() {
            std::fs::rename(unpacked, folder.join(name))?;
            std::fs::remove_dir_all(home)?;
            return Ok(());
        }
    }
    failure(format!("cargo fetch did not unpack {name} {version}"))
}

fn file_with_suffix(folder: &Path, suffixes: &[&str]) -> Outcome<PathBuf> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if suffixes.iter().any(|suffix| name.ends_with(suffix)) {
            return Ok(path);
        }
    }
    failure(format!("nothing ending in {suffixes:?} was downloaded"))
}

/// The files of the newest commit of a mirror, read without a work tree.
fn mirror(repository: &str, mirrors: Option<&Path>, within: &[&str]) -> Outcome<Vec<File>> {
    let Some(mirrors) = mirrors else {
        return failure("CORPUS_MIRRORS is not set");
    };
    let folder = mirrors.join(repository);
    let candidates = [
        folder.join("repo"),
        folder.join("repo/.git"),
        folder.join(".git"),
        folder.clone(),
    ];
    let Some(git) = candidates.iter().find(|path| path.join("HEAD").exists()) else {
        return failure(format!("no mirror {}", folder.display()));
    };
    let mut list = Command::new(require("git")?);
    list.arg("--git-dir")
        .arg(git)
        .args(["ls-tree", "-r", "-z", "--full-tree", "HEAD"]);
    let listing = run(&mut list, b"", DOWNLOAD_LIMIT)?.success()?;
    let mut wanted = Vec::new();
    for entry in String::from_utf8_lossy(&listing).split('\0') {
        let Some((facts, path)) = entry.split_once('\t') else {
            continue;
        };
        let mut facts = facts.split(' ').skip(1);
        let (kind, object) = (facts.next(), facts.next());
        if kind == Some("blob") && within.iter().any(|part| path.contains(part)) {
            wanted.extend(object.map(|object| (path.to_owned(), object.to_owned())));
        }
    }
    let names: String = wanted
        .iter()
        .map(|(_, object)| format!("{object}\n"))
        .collect();
    let mut read = Command::new(require("git")?);
    read.arg("--git-dir").arg(git).args(["cat-file", "--batch"]);
    let objects = run(&mut read, names.as_bytes(), DOWNLOAD_LIMIT)?.success()?;
    Ok(batch(&objects, wanted))
}

/// Takes `git cat-file --batch` apart: `OBJECT blob SIZE` LF, contents, LF; or `OBJECT missing` LF.
fn batch(objects: &[u8], wanted: Vec<(String, String)>) -> Vec<File> {
    let mut rest = objects;
    let mut files = Vec::with_capacity(wanted.len());
    for (path, _) in wanted {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            break;
        };
        let head = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        rest = rest.get(end + 1..).unwrap_or_default();
        let Some(size) = head
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse::<usize>().ok())
        else {
            continue;
        };
        files.push((path, rest.get(..size).unwrap_or_default().to_vec()));
        rest = rest.get(size + 1..).unwrap_or_default();
    }
    files
}
