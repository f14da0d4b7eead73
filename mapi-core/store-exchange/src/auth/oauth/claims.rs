//! What a token says of itself, where it is a JSON Web Token (RFC 7519). Its signature is for the server to check:
//! nothing here is believed before the server has taken the token.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::auth::Secret;

/// Claims that name a person by something like an address: Microsoft's and OpenID Connect's. What it is called by comes
/// before what mail goes to.
const NAMES: [&str; 5] = ["upn", "preferred_username", "unique_name", "email", "smtp"];

/// The longest name that is taken, in octets: an address is shorter (RFC 5321 4.5.3.1).
const NAME_BYTES_MAX: usize = 320;

/// What a token says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Claims {
    /// Whom it names, each once, the most telling first. Empty: nobody, or it says nothing that can be read.
    pub names: Vec<String>,
    /// Whether it is a program's own, without a person: Microsoft says so of each that has a right to all mailboxes.
    pub is_programs: bool,
    /// When it ends.
    pub expires_at: Option<SystemTime>,
}

impl Claims {
    /// Reads a token; one that is no JSON Web Token says nothing.
    pub fn of(token: &Secret) -> Self {
        Self::read(token.expose()).unwrap_or_default()
    }

    fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let payload = BASE64_URL_SAFE_NO_PAD
            .decode(payload.trim_end_matches('='))
            .ok()?;
        let payload: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
        let mut names: Vec<String> = Vec::new();
        for name in NAMES {
            let Some(Value::String(name)) = payload.get(name) else {
                continue;
            };
            let name = name.to_lowercase();
            if name.contains('@') && name.len() <= NAME_BYTES_MAX && !names.contains(&name) {
                names.push(name);
            }
        }
        let expires_at = payload
            .get("exp")
            .and_then(Value::as_f64)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .and_then(|since| UNIX_EPOCH.checked_add(since));
        Some(Self {
            is_programs: names.is_empty() && is_programs(&payload),
            names,
            expires_at,
        })
    }

    /// How long it lasts from now on; nothing when it has ended.
    pub fn lifetime(&self) -> Option<Duration> {
        let left = self.expires_at?.duration_since(SystemTime::now());
        Some(left.unwrap_or_default())
    }
}

/// Whether claims are those of a program alone: it says so; or it has roles and no scopes, which are what a person lets
/// it do; or it is itself the object that its subject is.
fn is_programs(payload: &Map<String, Value>) -> bool {
    let text = |name| payload.get(name).and_then(Value::as_str);
    match text("idtyp") {
        Some(kind) => kind == "app",
        None if payload.contains_key("scp") => false,
        None => {
            payload.contains_key("roles") || text("oid").is_some() && text("oid") == text("sub")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(payload: &str) -> Secret {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        Secret::new(format!(
            "{}.{}.c2ln",
            part(r#"{"alg":"RS256"}"#),
            part(payload)
        ))
    }

    #[test]
    fn a_program_is_told_from_a_person_without_a_name() {
        let check = |payload: &str, expected: bool| {
            assert_eq!(
                Claims::of(&token(payload)).is_programs,
                expected,
                "{payload}"
            );
        };
        check(r#"{"idtyp":"app","sub":"1"}"#, true);
        check(r#"{"roles":["full_access_as_app"],"sub":"1"}"#, true);
        check(r#"{"oid":"1","sub":"1"}"#, true);
        check(r#"{"idtyp":"user","oid":"1","sub":"1"}"#, false);
        check(
            r#"{"oid":"1","sub":"1","scp":"EWS.AccessAsUser.All"}"#,
            false,
        );
        check(r#"{"oid":"1","sub":"2"}"#, false);
        check(r#"{"idtyp":"app","upn":"bob@example.test"}"#, false);
        check("{}", false);
    }

    fn check(token: &Secret, names: &[&str], expires_s: Option<u64>) {
        let claims = Claims::of(token);
        assert_eq!(claims.names, names);
        let expected = expires_s.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(claims.expires_at, expected);
    }

    #[test]
    fn a_token_names_a_person_and_its_end() {
        check(
            &token(
                r#"{"exp":1700000000,"upn":"Bob@corp.test","email":"robert@example.test","unique_name":"bob@corp.test"}"#,
            ),
            &["bob@corp.test", "robert@example.test"],
            Some(1_700_000_000),
        );
        check(
            &token(r#"{"preferred_username":"bob@example.test","aud":["x"]}"#),
            &["bob@example.test"],
            None,
        );
    }

    #[test]
    fn a_token_of_a_program_names_nobody() {
        check(
            &token(r#"{"idtyp":"app","appid":"1","exp":5}"#),
            &[],
            Some(5),
        );
        check(&token(r#"{"upn":"bob","email":7,"exp":-1}"#), &[], None);
        check(
            &token(r#"{"upn":"b@x.test","exp":"soon"}"#),
            &["b@x.test"],
            None,
        );
    }

    #[test]
    fn what_is_no_json_web_token_says_nothing() {
        for text in [
            "",
            "opaque",
            "a.b",
            "a.b.c.d",
            "!.!.!",
            "e30.W10.",
            "..",
            "a.bnVsbA.c",
        ] {
            check(&Secret::new(text), &[], None);
        }
    }

    proptest! {
        #[test]
        fn no_token_panics(payload in "[ -~]{0,60}", exp in any::<f64>()) {
            Claims::of(&Secret::new(payload.clone()));
            Claims::of(&token(&payload));
            Claims::of(&token(&format!("{{\"exp\":{exp}}}")));
        }
    }
}
