//! `dragoman mapi decode`: recorded bodies of MAPI over HTTP as text or JSON.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use mapi_trace::{Body, Detail, Recording, Session, is_named};

use crate::{
    cli::Decode,
    failure::{Doing, Failure, Result},
};

/// The largest file that is taken for a recorded body.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The largest index of a folder.
const INDEX_BYTES_MAX: u64 = 64 << 20;

/// Says of a folder, a line a file, in which order its bodies came: name, size, remark.
const INDEX: &str = "index.tsv";

/// A recorded body to read.
#[derive(Debug, Eq, PartialEq)]
struct Source {
    name: String,
    path: PathBuf,
    note: Option<String>,
}

/// Decodes and shows on standard output.
pub(crate) fn run(decode: &Decode) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let shown = show(decode, &mut out);
    // Whoever closes the pipe has seen enough.
    match out.flush() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(error).doing(|| "writing to standard output".to_owned()),
        Ok(()) => shown,
    }
}

fn show(decode: &Decode, out: &mut impl Write) -> Result<()> {
    let mut session = Session::new();
    let mut malformed = BTreeSet::new();
    let sources = sources(&decode.path)?;
    for source in &sources {
        let octets = read(&source.path, FILE_BYTES_MAX)?;
        let body = session.decode(&Recording {
            name: &source.name,
            octets: &octets,
            note: source.note.as_deref(),
        });
        if body.is_malformed() {
            malformed.insert(source.name.clone());
        }
        if !print(decode, &body, out)? {
            return Ok(());
        }
    }
    if let Some(body) = session.finish() {
        print(decode, &body, out)?;
    }
    let count = sources.len();
    write_line(
        out,
        &format!("{count} bodies, {} malformed", malformed.len()),
    )?;
    verdict(&decode.expect_malformed, &malformed)
}

/// Prints a body; false when nobody reads any more.
fn print(decode: &Decode, body: &Body, out: &mut impl Write) -> Result<bool> {
    let detail = match decode.octets {
        true => Detail::Octets,
        false => Detail::Short,
    };
    let text = match decode.json {
        true => body.to_json(detail),
        false => body.to_text(detail),
    };
    write_line(out, &text)
}

fn write_line(out: &mut impl Write, text: &str) -> Result<bool> {
    match writeln!(out, "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        result => result
            .map(|()| true)
            .doing(|| "writing to standard output".to_owned()),
    }
}

/// Whether what is malformed is what was expected to be.
fn verdict(expected: &[String], malformed: &BTreeSet<String>) -> Result<()> {
    let is_expected = |name: &&String| expected.iter().any(|given| is_named(name, given));
    let is_malformed = |given: &&String| malformed.iter().any(|name| is_named(name, given));
    let list = |names: Vec<&String>| {
        let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        names.join(", ")
    };
    let surprises: Vec<_> = malformed.iter().filter(|name| !is_expected(name)).collect();
    let missing: Vec<_> = expected
        .iter()
        .filter(|given| !is_malformed(given))
        .collect();
    let mut faults = Vec::new();
    if !surprises.is_empty() {
        faults.push(format!("malformed: {}", list(surprises)));
    }
    if !missing.is_empty() {
        faults.push(format!(
            "expected to be malformed, but not: {}",
            list(missing)
        ));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(faults.join("; "))),
    }
}

/// The bodies at a path, in the order of their session.
fn sources(path: &Path) -> Result<Vec<Source>> {
    let what = || path.display().to_string();
    if !fs::metadata(path).doing(what)?.is_dir() {
        return Ok(vec![Source {
            name: file_name(path),
            path: path.to_owned(),
            note: None,
        }]);
    }
    let mut found: BTreeSet<(u64, String)> = BTreeSet::new();
    for entry in fs::read_dir(path).doing(what)? {
        let path = entry.doing(what)?.path();
        let name = file_name(&path);
        if path.is_file() && name.ends_with(".bin") {
            found.insert((number(&name), name));
        }
    }
    if found.is_empty() {
        let what = format!(
            "{}: no recorded body (*.bin) in this folder",
            path.display()
        );
        return Err(Failure::new(what));
    }
    let index = path.join(INDEX);
    let index = match index.is_file() {
        true => String::from_utf8_lossy(&read(&index, INDEX_BYTES_MAX)?).into_owned(),
        false => String::new(),
    };
    Ok(ordered(path, &index, found))
}

/// The files that an index names, in its order, then the others by their numbers and names.
fn ordered(folder: &Path, index: &str, mut found: BTreeSet<(u64, String)>) -> Vec<Source> {
    let mut sources = Vec::new();
    for line in index.lines() {
        let mut columns = line.split('\t');
        let name = columns.next().unwrap_or_default();
        if found.remove(&(number(name), name.to_owned())) {
            sources.push(Source {
                name: name.to_owned(),
                path: folder.join(name),
                note: columns.nth(1).map(str::to_owned),
            });
        }
    }
    sources.extend(found.into_iter().map(|(_, name)| Source {
        path: folder.join(&name),
        name,
        note: None,
    }));
    sources
}

/// The number that a name begins with; names without one come last.
fn number(name: &str) -> u64 {
    let end = name.find(|char: char| !char.is_ascii_digit());
    let digits = end.and_then(|end| name.get(..end)).unwrap_or(name);
    digits.parse().unwrap_or(u64::MAX)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let what = || path.display().to_string();
    let mut octets = Vec::new();
    let file = File::open(path).doing(what)?;
    file.take(bytes_max + 1)
        .read_to_end(&mut octets)
        .doing(what)?;
    match octets.len() as u64 > bytes_max {
        true => Err(Failure::new(format!(
            "{}: larger than {bytes_max} octets",
            path.display()
        ))),
        false => Ok(octets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(folder: &str) -> PathBuf {
        PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../conformance/corpus/mapihttp"
        ))
        .join(folder)
    }

    fn decode(path: PathBuf, expect_malformed: &[&str]) -> (String, Result<()>) {
        let mut out = Vec::new();
        let decode = Decode {
            path,
            json: false,
            octets: false,
            expect_malformed: expect_malformed.iter().map(|&name| name.into()).collect(),
        };
        let result = show(&decode, &mut out);
        (String::from_utf8(out).expect("text"), result)
    }

    fn last_line(text: &str) -> &str {
        text.lines().last().unwrap_or_default()
    }

    #[test]
    fn a_folder_is_one_session_and_its_last_line_counts() {
        let (text, result) = decode(corpus("compressed"), &[]);
        assert_eq!(last_line(&text), "16 bodies, 0 malformed");
        result.expect("nothing is malformed");
        assert!(text.contains("note: MAPI/HTTP emsmdb request body, X-RequestType Connect"));
    }

    #[test]
    fn what_is_malformed_has_to_be_expected() {
        let (text, result) = decode(corpus("extra"), &[]);
        assert_eq!(last_line(&text), "222 bodies, 1 malformed");
        let failure = result.expect_err("one is malformed").to_string();
        assert_eq!(
            failure,
            "malformed: 105-emsmdb-Execute-unknown_rop_88.req.bin"
        );
        let (_, result) = decode(
            corpus("extra"),
            &["105-emsmdb-Execute-unknown_rop_88.req.bin"],
        );
        result.expect("it was expected");
    }

    #[test]
    fn what_is_expected_to_be_malformed_has_to_be() {
        let name = "001-emsmdb-Connect.req.bin";
        let (_, result) = decode(corpus("compressed"), &[name]);
        let failure = result.expect_err("it is not").to_string();
        assert_eq!(
            failure,
            format!("expected to be malformed, but not: {name}")
        );
    }

    #[test]
    fn one_body_is_a_session_of_its_own() {
        let (text, result) = decode(corpus("main").join("001-autodiscover.rsp.bin"), &[]);
        assert!(text.contains("smtp_address: \"alice@example.test\""));
        assert_eq!(last_line(&text), "1 bodies, 0 malformed");
        result.expect("nothing is malformed");
    }

    #[test]
    fn bodies_come_as_the_index_says_and_the_others_by_number() {
        let names = ["10-b.bin", "9-a.bin", "x.bin", "11-c.bin"];
        let found = names.iter().map(|name| (number(name), (*name).to_owned()));
        let index = "11-c.bin\t5\tfirst\n12-gone.bin\t1\tgone\n";
        let sources = ordered(Path::new("folder"), index, found.collect());
        let order: Vec<_> = sources
            .iter()
            .map(|source| (source.name.as_str(), source.note.as_deref()))
            .collect();
        assert_eq!(
            order,
            [
                ("11-c.bin", Some("first")),
                ("9-a.bin", None),
                ("10-b.bin", None),
                ("x.bin", None)
            ]
        );
    }

    #[test]
    fn a_folder_without_bodies_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let (text, result) = decode(folder.path().to_owned(), &[]);
        assert!(text.is_empty());
        let failure = result.expect_err("nothing is there").to_string();
        assert!(
            failure.ends_with("no recorded body (*.bin) in this folder"),
            "{failure}"
        );
    }
}
