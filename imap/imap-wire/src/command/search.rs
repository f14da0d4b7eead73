//! SEARCH (RFC 3501 6.4.4) with ESEARCH (RFC 4731), SEARCHRES (RFC 5182), WITHIN (RFC 5032), MODSEQ (RFC 7162),
//! OBJECTID (RFC 8474), SAVEDATE (RFC 8514), FUZZY (RFC 6203) and PARTIAL (RFC 9394).

use std::num::NonZeroU32;

use super::fetch::{PartialRange, partial_range};
use crate::cursor::{Cursor, DecodeError};
use crate::date::Date;
use crate::flag::Keyword;
use crate::limits::{SEARCH_DEPTH_MAX, SEARCH_KEYS_MAX};
use crate::sequence::MessageSet;

/// `SEARCH [RETURN (…)] [CHARSET …] keys`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Whether UIDs are wanted instead of sequence numbers.
    pub uid: bool,
    /// The form of the answer; `None` wants the SEARCH response, otherwise ESEARCH.
    pub returns: Option<SearchReturn>,
    /// The charset of the strings as the client named it. The strings are not converted.
    pub charset: Option<Box<str>>,
    /// The keys, at least one; all must match.
    pub keys: Vec<SearchKey>,
}

/// The result options of `RETURN (…)`. An empty list means ALL, and is stored so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchReturn {
    /// `MIN`: the smallest number.
    pub min: bool,
    /// `MAX`: the largest number.
    pub max: bool,
    /// `ALL`: all numbers.
    pub all: bool,
    /// `COUNT`: how many.
    pub count: bool,
    /// `SAVE`: keep the result as `$`.
    pub save: bool,
    /// `RELEVANCY` (RFC 6203).
    pub relevancy: bool,
    /// `PARTIAL`: a page of the numbers.
    pub partial: Option<PartialRange>,
}

/// A search key. Strings are the client's octets, in the charset of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchKey {
    /// `ALL`
    All,
    /// All of these, as written in parentheses.
    And(Vec<Self>),
    /// `OR`
    Or(Box<(Self, Self)>),
    /// `NOT`
    Not(Box<Self>),
    /// `FUZZY` (RFC 6203)
    Fuzzy(Box<Self>),
    /// Sequence numbers.
    Sequence(MessageSet),
    /// `UID`
    Uid(MessageSet),
    /// `ANSWERED`, `UNANSWERED` when false.
    Answered(bool),
    /// `DELETED`, `UNDELETED` when false.
    Deleted(bool),
    /// `DRAFT`, `UNDRAFT` when false.
    Draft(bool),
    /// `FLAGGED`, `UNFLAGGED` when false.
    Flagged(bool),
    /// `SEEN`, `UNSEEN` when false.
    Seen(bool),
    /// `RECENT`, `OLD` when false.
    Recent(bool),
    /// `NEW`: recent and not seen.
    New,
    /// `KEYWORD`
    Keyword(Keyword),
    /// `UNKEYWORD`
    Unkeyword(Keyword),
    /// `BCC`
    Bcc(Vec<u8>),
    /// `BODY`
    Body(Vec<u8>),
    /// `CC`
    Cc(Vec<u8>),
    /// `FROM`
    From(Vec<u8>),
    /// `SUBJECT`
    Subject(Vec<u8>),
    /// `TEXT`
    Text(Vec<u8>),
    /// `TO`
    To(Vec<u8>),
    /// `HEADER`: the field's name, and a string that is empty when the field must just be there.
    Header(Vec<u8>, Vec<u8>),
    /// `BEFORE`: internal date.
    Before(Date),
    /// `ON`
    On(Date),
    /// `SINCE`
    Since(Date),
    /// `SENTBEFORE`: Date field.
    SentBefore(Date),
    /// `SENTON`
    SentOn(Date),
    /// `SENTSINCE`
    SentSince(Date),
    /// `SAVEDBEFORE` (RFC 8514)
    SavedBefore(Date),
    /// `SAVEDON`
    SavedOn(Date),
    /// `SAVEDSINCE`
    SavedSince(Date),
    /// `SAVEDATESUPPORTED`
    SaveDateSupported,
    /// `LARGER`: octets.
    Larger(u64),
    /// `SMALLER`: octets.
    Smaller(u64),
    /// `OLDER`: seconds before now (RFC 5032).
    Older(NonZeroU32),
    /// `YOUNGER`: seconds before now.
    Younger(NonZeroU32),
    /// `MODSEQ`: at least this. The entry name and type that may precede the number are dropped.
    ModSeq(u64),
    /// `EMAILID`
    EmailId(Box<str>),
    /// `THREADID`
    ThreadId(Box<str>),
}

pub(super) fn search(cursor: &mut Cursor<'_>, uid: bool) -> Result<Search, DecodeError> {
    let mut returns = None;
    if cursor.take_word("RETURN") {
        cursor.space()?;
        returns = Some(return_options(cursor)?);
        cursor.space()?;
    }
    let mut charset = None;
    if cursor.take_word("CHARSET") {
        cursor.space()?;
        let at = cursor.at();
        let name = String::from_utf8(cursor.astring()?.into_owned());
        charset = Some(
            name.map_err(|_| DecodeError::new(at, "a charset"))?
                .into_boxed_str(),
        );
        cursor.space()?;
    }
    let mut keys_left = SEARCH_KEYS_MAX;
    let mut keys = vec![key(cursor, 0, &mut keys_left)?];
    while cursor.skip_spaces() > 0 && !cursor.at_end_of_line() {
        keys.push(key(cursor, 0, &mut keys_left)?);
    }
    Ok(Search {
        uid,
        returns,
        charset,
        keys,
    })
}

fn return_options(cursor: &mut Cursor<'_>) -> Result<SearchReturn, DecodeError> {
    cursor.expect(b'(', "a list of result options")?;
    let mut returns = SearchReturn::default();
    let mut options = 0;
    while cursor.next_item(options)? {
        options += 1;
        let at = cursor.at();
        match &*cursor.atom_upper("a result option")? {
            "MIN" => returns.min = true,
            "MAX" => returns.max = true,
            "ALL" => returns.all = true,
            "COUNT" => returns.count = true,
            "SAVE" => returns.save = true,
            "RELEVANCY" => returns.relevancy = true,
            "PARTIAL" => {
                cursor.space()?;
                returns.partial = Some(partial_range(cursor)?);
            }
            _ => return Err(DecodeError::new(at, "a result option")),
        }
    }
    // RFC 4731 3.1: an empty list stands for ALL.
    if returns == SearchReturn::default() {
        returns.all = true;
    }
    Ok(returns)
}

/// One key, `depth` levels down. `keys_left` counts down over the whole command.
fn key(
    cursor: &mut Cursor<'_>,
    depth: usize,
    keys_left: &mut usize,
) -> Result<SearchKey, DecodeError> {
    if depth > SEARCH_DEPTH_MAX {
        return Err(cursor.error("at most 64 levels of search keys"));
    }
    *keys_left = keys_left
        .checked_sub(1)
        .ok_or_else(|| cursor.error("at most 4096 search keys"))?;
    match cursor.peek() {
        Some(b'(') => return group(cursor, depth, keys_left),
        Some(b'0'..=b'9' | b'*' | b'$') => return Ok(SearchKey::Sequence(cursor.message_set()?)),
        _ => {}
    }
    let at = cursor.at();
    let name = cursor.atom_upper("a search key")?;
    if let Some(key) = bare_key(&name) {
        return Ok(key);
    }
    if !KEYS_WITH_ARGUMENT.contains(&&*name) {
        return Err(DecodeError::new(at, "a search key"));
    }
    cursor.space()?;
    match &*name {
        "NOT" => Ok(SearchKey::Not(Box::new(key(cursor, depth + 1, keys_left)?))),
        "FUZZY" => Ok(SearchKey::Fuzzy(Box::new(key(
            cursor,
            depth + 1,
            keys_left,
        )?))),
        "OR" => {
            let first = key(cursor, depth + 1, keys_left)?;
            cursor.space()?;
            Ok(SearchKey::Or(Box::new((
                first,
                key(cursor, depth + 1, keys_left)?,
            ))))
        }
        name => key_with_argument(cursor, name, at),
    }
}

/// Keys in parentheses. One key in parentheses is that key.
fn group(
    cursor: &mut Cursor<'_>,
    depth: usize,
    keys_left: &mut usize,
) -> Result<SearchKey, DecodeError> {
    cursor.expect(b'(', "\"(\"")?;
    cursor.skip_spaces();
    let first = key(cursor, depth + 1, keys_left)?;
    if !cursor.next_item(1)? {
        return Ok(first);
    }
    let mut keys = vec![first, key(cursor, depth + 1, keys_left)?];
    while cursor.next_item(keys.len())? {
        keys.push(key(cursor, depth + 1, keys_left)?);
    }
    Ok(SearchKey::And(keys))
}

fn bare_key(name: &str) -> Option<SearchKey> {
    Some(match name {
        "ALL" => SearchKey::All,
        "ANSWERED" => SearchKey::Answered(true),
        "UNANSWERED" => SearchKey::Answered(false),
        "DELETED" => SearchKey::Deleted(true),
        "UNDELETED" => SearchKey::Deleted(false),
        "DRAFT" => SearchKey::Draft(true),
        "UNDRAFT" => SearchKey::Draft(false),
        "FLAGGED" => SearchKey::Flagged(true),
        "UNFLAGGED" => SearchKey::Flagged(false),
        "SEEN" => SearchKey::Seen(true),
        "UNSEEN" => SearchKey::Seen(false),
        "RECENT" => SearchKey::Recent(true),
        "OLD" => SearchKey::Recent(false),
        "NEW" => SearchKey::New,
        "SAVEDATESUPPORTED" => SearchKey::SaveDateSupported,
        _ => return None,
    })
}

const KEYS_WITH_ARGUMENT: [&str; 30] = [
    "NOT",
    "OR",
    "FUZZY",
    "UID",
    "KEYWORD",
    "UNKEYWORD",
    "BCC",
    "BODY",
    "CC",
    "FROM",
    "SUBJECT",
    "TEXT",
    "TO",
    "HEADER",
    "BEFORE",
    "ON",
    "SINCE",
    "SENTBEFORE",
    "SENTON",
    "SENTSINCE",
    "SAVEDBEFORE",
    "SAVEDON",
    "SAVEDSINCE",
    "LARGER",
    "SMALLER",
    "OLDER",
    "YOUNGER",
    "MODSEQ",
    "EMAILID",
    "THREADID",
];

fn key_with_argument(
    cursor: &mut Cursor<'_>,
    name: &str,
    at: usize,
) -> Result<SearchKey, DecodeError> {
    Ok(match name {
        "UID" => SearchKey::Uid(cursor.message_set()?),
        "KEYWORD" => SearchKey::Keyword(cursor.keyword()?),
        "UNKEYWORD" => SearchKey::Unkeyword(cursor.keyword()?),
        "BCC" => SearchKey::Bcc(cursor.astring()?.into_owned()),
        "BODY" => SearchKey::Body(cursor.astring()?.into_owned()),
        "CC" => SearchKey::Cc(cursor.astring()?.into_owned()),
        "FROM" => SearchKey::From(cursor.astring()?.into_owned()),
        "SUBJECT" => SearchKey::Subject(cursor.astring()?.into_owned()),
        "TEXT" => SearchKey::Text(cursor.astring()?.into_owned()),
        "TO" => SearchKey::To(cursor.astring()?.into_owned()),
        "HEADER" => {
            let field = cursor.astring()?.into_owned();
            cursor.space()?;
            SearchKey::Header(field, cursor.astring()?.into_owned())
        }
        "BEFORE" => SearchKey::Before(cursor.date()?),
        "ON" => SearchKey::On(cursor.date()?),
        "SINCE" => SearchKey::Since(cursor.date()?),
        "SENTBEFORE" => SearchKey::SentBefore(cursor.date()?),
        "SENTON" => SearchKey::SentOn(cursor.date()?),
        "SENTSINCE" => SearchKey::SentSince(cursor.date()?),
        "SAVEDBEFORE" => SearchKey::SavedBefore(cursor.date()?),
        "SAVEDON" => SearchKey::SavedOn(cursor.date()?),
        "SAVEDSINCE" => SearchKey::SavedSince(cursor.date()?),
        "LARGER" => SearchKey::Larger(cursor.number64()?),
        "SMALLER" => SearchKey::Smaller(cursor.number64()?),
        "OLDER" => SearchKey::Older(cursor.nonzero_number()?),
        "YOUNGER" => SearchKey::Younger(cursor.nonzero_number()?),
        "MODSEQ" => SearchKey::ModSeq(mod_seq(cursor)?),
        "EMAILID" => SearchKey::EmailId(cursor.atom("an object id")?.into()),
        "THREADID" => SearchKey::ThreadId(cursor.atom("an object id")?.into()),
        _ => return Err(DecodeError::new(at, "a search key")),
    })
}

/// `MODSEQ ["/flags/\\Seen" all] n` (RFC 7162 3.1.5)
fn mod_seq(cursor: &mut Cursor<'_>) -> Result<u64, DecodeError> {
    if cursor.peek() == Some(b'"') {
        cursor.string()?;
        cursor.space()?;
        let at = cursor.at();
        let kind = cursor.atom_upper("priv, shared or all")?;
        if !["PRIV", "SHARED", "ALL"].contains(&&*kind) {
            return Err(DecodeError::new(at, "priv, shared or all"));
        }
        cursor.space()?;
    }
    cursor.mod_sequence()
}
