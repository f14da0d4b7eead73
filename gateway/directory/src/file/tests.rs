use std::os::unix::fs::PermissionsExt as _;

use super::*;

const HEAD: &str = "version = 1\nsalt_key = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\n";

/// Reads `HEAD` and the rest, which must fail in `line` (counted from 1 after the head) with words in the message.
fn check_fault(rest: &str, line: usize, words: &str) {
    match parse(&format!("{HEAD}{rest}"), Path::new("directory.toml")) {
        Err(Error::Broken {
            line: found,
            message,
            ..
        }) => {
            assert_eq!(found, line + 2, "{message}");
            assert!(
                message.contains(words),
                "{message:?} does not say {words:?}"
            );
        }
        other => panic!("{rest}: {:?}", other.map(|_| ())),
    }
}

#[test]
fn a_broken_file_is_named_with_line_and_expectation() {
    check_fault("[[user]]\naddress = alice\n", 2, "");
    check_fault(
        "[[user]]\naddress = \"alice@example.test\"\n",
        1,
        "missing field `created`",
    );
    check_fault(
        "\n\n[[shared]]\naddress = \"alice\"\n",
        4,
        "@ and a domain expected",
    );
    check_fault(
        "[[shared]]\nadress = \"a@example.test\"\n",
        2,
        "unknown field `adress`",
    );
    check_fault(
        "[[shared]]\naddress = \"a/b@example.test\"\n",
        2,
        "'/' is not allowed",
    );
    check_fault(
        "[[shared]]\naddress = \"a@b.test\"\n[[alias]]\naddress = \"A@b.test\"\ntargets = []\n",
        4,
        "twice",
    );
    let user = "[[user]]\naddress = \"a@b.test\"\ncreated = 2026-11-24T16:43:00Z\n";
    check_fault(
        &format!("{user}password = \"open sesame\"\n"),
        4,
        "argon2id",
    );
    check_fault(&format!("{user}scram = \"x\"\n"), 4, "SCRAM-SHA-256$");
}

#[test]
fn a_file_without_or_with_a_newer_version_is_refused() {
    let path = Path::new("directory.toml");
    assert!(matches!(
        parse("", path),
        Err(Error::Broken { line: 1, .. })
    ));
    assert!(matches!(
        parse("version = 2\nnew = 1\n", path),
        Err(Error::TooNew { version: 2, .. })
    ));
}

#[test]
fn an_error_message_does_not_repeat_a_hash() {
    let text = format!(
        "{HEAD}[[user]]\naddress = \"a@b.test\"\ncreated = 2026-11-24\npassword = \"hunter2\"\n"
    );
    let error = parse(&text, Path::new("directory.toml"))
        .map(|_| ())
        .expect_err("no hash");
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn contents_read_back_as_written_in_a_file_for_its_owner_only() {
    let folder = tempfile::tempdir().expect("folder");
    let file = DirectoryFile::new(&folder.path().join("directory.toml"));
    assert!(file.read().expect("no file is no error").is_none());
    let text = format!(
        "{HEAD}[[user]]\naddress = '\"a b\"@example.test'\ncreated = 2026-11-24T16:43:00Z\ndisabled = true\n\
         [[alias]]\naddress = \"sales@example.test\"\ntargets = ['\"A B\"@example.test', \"x@example.test\"]\n\
         [[shared]]\naddress = \"Info@example.test\"\n"
    );
    // A user's address with quotes is no mailbox; everything else is.
    assert!(parse(&text, file.path()).is_err());
    let text = text.replace("'\"a b\"@", "'a.b@");
    let contents = parse(&text, file.path()).expect("valid");
    let stamp = {
        let _lock = file.lock().expect("lock");
        file.write(&contents).expect("written")
    };
    let (again, read) = file.read().expect("valid").expect("there");
    assert_eq!(read, stamp);
    assert_eq!(file.stamp(), Some(stamp));
    assert_eq!(
        render(&again).expect("text"),
        render(&contents).expect("text")
    );
    assert!(again.users.values().all(|entry| entry.user.disabled));
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(file.path()), 0o600);
    assert_eq!(mode(&file.beside("lock")), 0o600);
    assert!(!file.beside("new").exists());
}

#[test]
fn a_leftover_of_a_crash_does_not_hinder_the_next_change() {
    let folder = tempfile::tempdir().expect("folder");
    let file = DirectoryFile::new(&folder.path().join("directory.toml"));
    fs::write(file.beside("new"), "half of a fi").expect("written");
    file.write(&Contents::empty([0; 32])).expect("written");
    assert!(file.read().expect("valid").is_some());
}
