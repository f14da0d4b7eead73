//! The binary, and what it is told over HTTP while it runs.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use super::http::Connection;

/// The binary, killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start() -> (Running, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_exchange-standin"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    (Running(child), address)
}

#[test]
fn the_binary_is_told_what_to_do_and_tells_what_it_did() {
    let (_running, address) = start();
    let call = |method: &str, path: &str, body: &str| {
        let mut connection = Connection::open(address);
        connection
            .send(method, &format!("/standin/{path}"), &[], body.as_bytes())
            .unwrap();
        let answer = connection.receive().unwrap();
        (answer.status, String::from_utf8(answer.body).unwrap())
    };
    let mail = r#"{"user": "alice", "from": "dana@elsewhere.test", "subject": "hello"}"#;
    assert_eq!(call("POST", "deliver", mail).0, 200);
    assert_eq!(
        call("POST", "fill", r#"{"user": "bob", "count": 5}"#).0,
        200
    );
    assert_eq!(
        call(
            "POST",
            "deliver",
            r#"{"user": "nobody", "from": "x", "subject": "y"}"#
        )
        .0,
        400
    );
    assert_eq!(call("POST", "faults", r#"{"what": "unauthorized"}"#).0, 200);
    assert_eq!(
        call(
            "POST",
            "faults",
            r#"{"what": {"cut_response": {"after": 3}}, "times": 2}"#
        )
        .0,
        200
    );
    assert_eq!(call("POST", "faults", r#"{"what": "nonsense"}"#).0, 400);
    assert!(call("GET", "faults", "").1.contains(r#""waiting":[{"#));
    assert_eq!(call("DELETE", "faults", "").0, 200);
    assert!(call("GET", "faults", "").1.contains(r#""waiting":[]"#));
    for (path, body) in [
        ("notifications", r#""double""#),
        ("move", r#"{"user": "bob", "site": 1}"#),
        ("expire", ""),
        ("restart", ""),
        ("reset", ""),
    ] {
        assert_eq!(call("POST", path, body).0, 200, "{path}");
    }
    assert!(call("GET", "counters", "").1.contains(r#""requests":0"#));
    assert_eq!(call("GET", "violations", "").1, "[]");
    assert_eq!(call("GET", "receipts", "").1, "[]");
    assert_eq!(call("GET", "other", "").0, 404);
}
