//! Who sends a request: Basic and Bearer. Source: RFC 7617, RFC 6750.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{request::Head, response::Response};
use crate::model::organisation::Organisation;

/// The key of the user whose credentials a request has.
pub(crate) fn user_of(head: &Head, organisation: &Organisation) -> Option<String> {
    let (scheme, credentials) = head.field("authorization")?.split_once(' ')?;
    let user = match scheme.to_ascii_lowercase().as_str() {
        "basic" => {
            let octets = STANDARD.decode(credentials.trim()).ok()?;
            let text = String::from_utf8(octets).ok()?;
            let (name, password) = text.split_once(':')?;
            organisation.log_in(name, password)
        }
        "bearer" => organisation.of_token(credentials.trim()),
        _ => None,
    };
    user.map(|user| user.key.clone())
}

/// The answer to who has no good credentials.
pub(crate) fn unauthorized() -> Response {
    Response::empty(401)
        .field(
            "WWW-Authenticate",
            r#"Basic realm="standin", charset="UTF-8""#,
        )
        .field("WWW-Authenticate", r#"Bearer realm="standin""#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn people_log_in_by_password_or_token() {
        let mut organisation = Config::default().organisation();
        if let Some(alice) = organisation.users.get_mut("alice") {
            alice.tokens.insert("token".into());
        }
        let who = |value: &str| user_of(&Head::with_field("Authorization", value), &organisation);
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let alice = Some("alice".to_owned());
        assert_eq!(who(&basic("alice@example.test:secret-alice")), alice);
        assert_eq!(who(&basic("ALICE:secret-alice")), alice);
        assert_eq!(who("Bearer token"), alice);
        assert_eq!(who(&basic("alice:wrong")), None);
        assert_eq!(
            who(&basic("team:")),
            None,
            "nobody logs in as a shared mailbox"
        );
        assert_eq!(who("Bearer other"), None);
    }
}
