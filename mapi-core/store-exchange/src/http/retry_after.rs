//! Retry-After: how long a busy server wants to be left alone (RFC 9110 10.2.3).

use std::time::{Duration, SystemTime};

use hyper::{HeaderMap, header::RETRY_AFTER};

/// The longest wait that is believed. A server that wants more is asked again after this.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// The wait that an answer's Retry-After asks for, at most an hour; `now` is what a date is compared with.
///
/// Nothing when there is no such header or it is neither seconds nor an HTTP date. A date that is past is no wait.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 holds are a very long wait, not a broken header.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let at = httpdate::parse_http_date(text).ok()?;
        at.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<u64>) {
        // Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 5.6.7.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        assert_eq!(
            retry_after(&headers, now),
            expected.map(Duration::from_secs),
            "{value}"
        );
    }

    #[test]
    fn seconds_and_the_three_date_forms_are_waits() {
        check("120", Some(120));
        check(" 0 ", Some(0));
        check("Sun, 06 Nov 1994 08:50:37 GMT", Some(60));
        check("Sunday, 06-Nov-94 08:50:37 GMT", Some(60));
        check("Sun Nov  6 08:50:37 1994", Some(60));
        check("Sun, 06 Nov 1994 08:00:00 GMT", Some(0));
    }

    #[test]
    fn a_wait_is_bounded_and_nonsense_is_none() {
        check("86400", Some(3600));
        check("99999999999999999999999", Some(3600));
        check("Fri, 31 Dec 9999 23:59:59 GMT", Some(3600));
        for nonsense in ["", "-1", "1.5", "soon", "Sun, 99 Nov 1994 08:50:37 GMT"] {
            check(nonsense, None);
        }
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::now()), None);
    }
}
