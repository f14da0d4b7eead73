//! The If header: lists of tokens and entity tags, of which one must hold (RFC 4918 10.4).

use super::entity_tag::EntityTag;
use crate::limits::{HEADER_BYTES_MAX, IF_CONDITIONS_MAX};

/// An If header: one of its lists must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfHeader {
    /// In the order of the header; at least one.
    pub lists: Vec<IfList>,
}

/// Conditions that must all hold of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfList {
    /// The address of the resource as it is written, to be read with [`Location::parse`](crate::Location::parse);
    /// nothing: that of the request.
    pub resource: Option<String>,
    /// At least one; negated with the flag (`Not`).
    pub conditions: Vec<(bool, IfCondition)>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfCondition {
    /// A lock token or a sync token (RFC 6578 5), a URI: the resource is in this state.
    StateToken(String),
    /// The resource has this entity tag.
    EntityTag(EntityTag),
}

impl IfHeader {
    /// Reads an If header; nothing, if it is not valid: the answer is then 400.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        if value.len() > HEADER_BYTES_MAX {
            return None;
        }
        let mut lists = Vec::new();
        let mut resource = None;
        let mut count = 0;
        let mut rest = value.trim();
        let is_tagged = rest.starts_with('<');
        while !rest.is_empty() {
            if let Some(tagged) = rest.strip_prefix('<') {
                let (uri, after) = tagged.split_once('>')?;
                let after = after.trim_start();
                // A tag without a list would have no meaning; tagged and untagged lists do not mix.
                if uri.is_empty() || !is_tagged || !after.starts_with('(') {
                    return None;
                }
                resource = Some(uri.to_owned());
                rest = after;
            }
            let (conditions, after) = conditions(rest.strip_prefix('(')?, &mut count)?;
            lists.push(IfList {
                resource: resource.clone(),
                conditions,
            });
            rest = after.trim_start();
        }
        (!lists.is_empty()).then_some(Self { lists })
    }

    /// Whether one list holds. `holds` says so of a condition, given the address that the list names.
    pub fn holds(&self, mut holds: impl FnMut(Option<&str>, &IfCondition) -> bool) -> bool {
        self.lists.iter().any(|list| {
            let mut conditions = list.conditions.iter();
            conditions.all(|(is_negated, condition)| {
                holds(list.resource.as_deref(), condition) != *is_negated
            })
        })
    }

    /// All state tokens that are submitted, negated ones as well (RFC 4918 10.4.1).
    pub fn state_tokens(&self) -> impl Iterator<Item = &str> {
        let conditions = self.lists.iter().flat_map(|list| &list.conditions);
        conditions.filter_map(|(_, condition)| match condition {
            IfCondition::StateToken(token) => Some(token.as_str()),
            IfCondition::EntityTag(_) => None,
        })
    }
}

/// Reads conditions up to the closing parenthesis; gives what follows it, too.
fn conditions<'a>(
    mut rest: &'a str,
    count: &mut usize,
) -> Option<(Vec<(bool, IfCondition)>, &'a str)> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(')') {
            return (!found.is_empty()).then_some((found, after));
        }
        let is_negated = rest
            .get(..3)
            .is_some_and(|word| word.eq_ignore_ascii_case("not"));
        if is_negated {
            rest = rest.get(3..)?.trim_start();
        }
        let (condition, after) = match rest.as_bytes().first()? {
            b'<' => {
                let (token, after) = rest.get(1..)?.split_once('>')?;
                if token.is_empty() {
                    return None;
                }
                (IfCondition::StateToken(token.to_owned()), after)
            }
            b'[' => {
                let (tag, after) = EntityTag::first(rest.get(1..)?)?;
                let after = after.strip_prefix(']')?;
                (IfCondition::EntityTag(tag), after)
            }
            _ => return None,
        };
        *count += 1;
        if *count > IF_CONDITIONS_MAX {
            return None;
        }
        found.push((is_negated, condition));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(uri: &str) -> IfCondition {
        IfCondition::StateToken(uri.to_owned())
    }

    fn etag(value: &str) -> IfCondition {
        IfCondition::EntityTag(EntityTag::parse(value).unwrap())
    }

    #[test]
    fn the_examples_of_rfc_4918() {
        let header = IfHeader::parse(
            "(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> [\"I am an ETag\"]) ([\"I am another ETag\"])",
        );
        // Its tags hold blanks, which RFC 9110 does not allow.
        assert_eq!(header, None);
        let header = IfHeader::parse("(<urn:uuid:1> [\"a\"]) ([W/\"b\"])").unwrap();
        assert_eq!(header.lists.len(), 2);
        assert_eq!(
            header.lists[0].conditions,
            [(false, token("urn:uuid:1")), (false, etag("\"a\""))]
        );
        let header = IfHeader::parse("(Not <urn:uuid:1> <urn:uuid:2>)").unwrap();
        assert_eq!(
            header.lists[0].conditions,
            [(true, token("urn:uuid:1")), (false, token("urn:uuid:2"))]
        );
        assert_eq!(
            header.state_tokens().collect::<Vec<_>>(),
            ["urn:uuid:1", "urn:uuid:2"]
        );
        let header = IfHeader::parse("(<urn:uuid:1>)(Not <DAV:no-lock>)").unwrap();
        assert!(header.holds(|_, condition| *condition == token("urn:uuid:1")));
        assert!(header.holds(|_, _| false));
        let header = IfHeader::parse(
            "</resource1> (<urn:uuid:1> [W/\"A\"]) ([\"B\"]) <http://example.test/b> ([\"C\"])",
        )
        .unwrap();
        let resources: Vec<_> = header
            .lists
            .iter()
            .map(|list| list.resource.as_deref())
            .collect();
        assert_eq!(
            resources,
            [
                Some("/resource1"),
                Some("/resource1"),
                Some("http://example.test/b")
            ]
        );
    }

    #[test]
    fn one_list_must_hold_in_all_its_conditions() {
        let header = IfHeader::parse("</a> (<t:1> Not <t:2>) </b> ([\"x\"])").unwrap();
        let holds = |facts: &[(&str, IfCondition)]| {
            header.holds(|resource, condition| {
                facts.contains(&(resource.unwrap_or_default(), condition.clone()))
            })
        };
        assert!(holds(&[("/a", token("t:1"))]));
        assert!(!holds(&[("/a", token("t:1")), ("/a", token("t:2"))]));
        assert!(!holds(&[("/b", token("t:1"))]));
        assert!(holds(&[("/b", etag("\"x\""))]));
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for value in [
            "",
            "()",
            "(",
            "(<a:b>",
            "(<a:b>) x",
            "</a>",
            "</a> </b> (<t:1>)",
            "(<t:1>) </a> (<t:2>)",
            "(Not)",
            "(Not Not <t:1>)",
            "([\"a\")",
            "(<>)",
            "(\"a\")",
        ] {
            assert_eq!(IfHeader::parse(value), None, "{value}");
        }
        assert_eq!(IfHeader::parse(&"(<a:b>)".repeat(257)), None);
    }
}
