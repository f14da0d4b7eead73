//! `addressbook-query`: its filter and what it asks for of cards (RFC 6352 8.6, 10).

use super::calendar_data::{PropertySelection, Selection, is_type};
use super::calendar_query::Test;
use super::collation::{Collation, TextMatch};
use super::properties::RequestedData;
use crate::condition::Condition;
use crate::error::Result;
use crate::limits::{FILTERS_MAX, Limit};
use crate::name::Namespace;
use crate::xml::{Reader, Start};

/// The versions of vCard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VcardVersion {
    /// 3.0 (RFC 2426).
    V3,
    /// 4.0 (RFC 6350).
    V4,
}

impl VcardVersion {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V3 => "3.0",
            Self::V4 => "4.0",
        }
    }

    /// The version of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        [Self::V3, Self::V4]
            .into_iter()
            .find(|known| known.name() == name)
    }
}

/// Which parts of cards are asked for: `address-data` (RFC 6352 10.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressData {
    /// In which version; nothing, if the client does not say.
    pub version: Option<VcardVersion>,
    /// Which properties.
    pub properties: Selection<PropertySelection>,
}

impl AddressData {
    /// Reads an `address-data`. Another type than a version of vCard breaks `supported-address-data`.
    pub(crate) fn read(reader: &mut Reader<'_>, start: &Start<'_>) -> Result<Self> {
        let content_type = start.attribute("content-type");
        let is_vcard = content_type
            .is_none_or(|name| is_type(&name, "text/vcard") || is_type(&name, "text/x-vcard"));
        let written = start.attribute("version");
        let version = written.as_deref().and_then(VcardVersion::find);
        if !is_vcard || (written.is_some() && version.is_none()) {
            return Err(start.breaks(Condition::SupportedAddressData));
        }
        let (mut listed, mut is_all, mut count) = (Vec::new(), false, 0);
        while let Some(child) = reader.child(start)? {
            match child.name() {
                (Some(Namespace::CardDav), "allprop") => is_all = true,
                (Some(Namespace::CardDav), "prop") => {
                    listed.push(PropertySelection::read(&child, &mut count)?);
                }
                _ => {}
            }
        }
        let properties = if is_all || listed.is_empty() {
            Selection::All
        } else {
            Selection::Listed(listed)
        };
        Ok(Self {
            version,
            properties,
        })
    }
}

/// The report `addressbook-query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressQuery {
    /// What is asked for of each card that matches.
    pub data: RequestedData,
    /// Which cards match.
    pub filter: AddressFilter,
    /// How many at most (RFC 6352 10.6).
    pub limit: Option<u32>,
}

/// A filter for cards (RFC 6352 10.5). Without properties every card matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressFilter {
    /// Whether all properties must match, or one.
    pub test: Test,
    /// Filters for properties.
    pub properties: Vec<AddressPropFilter>,
}

/// A filter for a card's properties (RFC 6352 10.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPropFilter {
    /// The group, in capitals, if only properties of this group are meant.
    pub group: Option<String>,
    /// The property's name, in capitals.
    pub name: String,
    /// What must hold of it.
    pub test: AddressTest,
}

/// What must hold of a card's property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressTest {
    /// There is none.
    IsNotDefined,
    /// There is one of which this holds; with nothing in it, there is one.
    Matches {
        /// Whether all of these must hold, or one.
        test: Test,
        /// Its value matches.
        texts: Vec<TextMatch>,
        /// Its parameters match.
        parameters: Vec<AddressParamFilter>,
    },
}

/// A filter for a property's parameters: the same as in calendars.
pub type AddressParamFilter = super::calendar_query::ParamFilter;

const REFUSALS: (Condition, Condition) = (
    Condition::AddressbookSupportedCollation,
    Condition::AddressbookSupportedFilter,
);

impl AddressQuery {
    pub(crate) fn read(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Self> {
        let mut data = RequestedData::default();
        let (mut filter, mut limit) = (None, None);
        while let Some(child) = reader.child(root)? {
            match child.name() {
                (Some(Namespace::CardDav), "filter") if filter.is_none() => {
                    filter = Some(AddressFilter::read(reader, &child)?);
                }
                (Some(Namespace::CardDav), "filter") => return Err(child.expected("one filter")),
                (Some(Namespace::CardDav), "limit") => limit = read_limit(reader, &child)?,
                _ => {
                    data.read(reader, &child)?;
                }
            }
        }
        // A query without a filter is not valid; it is read as one for all, which is what its clients mean.
        let filter = filter.unwrap_or(AddressFilter {
            test: Test::AnyOf,
            properties: Vec::new(),
        });
        Ok(Self {
            data,
            filter,
            limit,
        })
    }
}

/// The number in a `limit` of whichever namespace: `nresults`.
pub(crate) fn read_limit(reader: &mut Reader<'_>, start: &Start<'_>) -> Result<Option<u32>> {
    let mut limit = None;
    while let Some(child) = reader.child(start)? {
        if child.local() == "nresults" {
            let text = reader.trimmed(&child)?;
            match text.parse() {
                Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                    limit = Some(number);
                }
                _ => return Err(child.expected("a number")),
            }
        }
    }
    Ok(limit)
}

impl AddressFilter {
    fn read(reader: &mut Reader<'_>, start: &Start<'_>) -> Result<Self> {
        let mut count = 0;
        let mut properties = Vec::new();
        while let Some(child) = reader.child(start)? {
            if child.is(Namespace::CardDav, "prop-filter") {
                properties.push(AddressPropFilter::read(reader, &child, &mut count)?);
            }
        }
        Ok(Self {
            test: filter_test(start)?,
            properties,
        })
    }
}

impl AddressPropFilter {
    fn read(reader: &mut Reader<'_>, start: &Start<'_>, count: &mut usize) -> Result<Self> {
        let full = filter_name(start, count)?;
        let (mut is_not_defined, mut texts, mut parameters) = (false, Vec::new(), Vec::new());
        while let Some(child) = reader.child(start)? {
            match child.name() {
                (Some(Namespace::CardDav), "is-not-defined") => is_not_defined = true,
                (Some(Namespace::CardDav), "text-match") => {
                    count_filter(&child, count)?;
                    texts.push(card_text(reader, &child)?);
                }
                (Some(Namespace::CardDav), "param-filter") => {
                    parameters.push(read_parameter(reader, &child, count)?);
                }
                _ => {}
            }
        }
        let test = match (is_not_defined, texts.is_empty() && parameters.is_empty()) {
            (true, true) => AddressTest::IsNotDefined,
            (true, false) => return Err(start.breaks(Condition::AddressbookSupportedFilter)),
            (false, _) => AddressTest::Matches {
                test: filter_test(start)?,
                texts,
                parameters,
            },
        };
        let (group, name) = match full.split_once('.') {
            Some((group, name)) => (Some(group.to_owned()), name.to_owned()),
            None => (None, full),
        };
        Ok(Self { group, name, test })
    }
}

fn read_parameter(
    reader: &mut Reader<'_>,
    start: &Start<'_>,
    count: &mut usize,
) -> Result<AddressParamFilter> {
    use super::calendar_query::ParamTest;
    let name = filter_name(start, count)?;
    let mut test = ParamTest::IsDefined;
    while let Some(child) = reader.child(start)? {
        let found = match child.name() {
            (Some(Namespace::CardDav), "is-not-defined") => ParamTest::IsNotDefined,
            (Some(Namespace::CardDav), "text-match") => ParamTest::Text(card_text(reader, &child)?),
            _ => continue,
        };
        if test != ParamTest::IsDefined {
            return Err(child.breaks(Condition::AddressbookSupportedFilter));
        }
        test = found;
    }
    Ok(AddressParamFilter { name, test })
}

fn card_text(reader: &mut Reader<'_>, start: &Start<'_>) -> Result<TextMatch> {
    TextMatch::read(reader, start, Collation::UnicodeCasemap, REFUSALS)
}

fn filter_name(start: &Start<'_>, count: &mut usize) -> Result<String> {
    count_filter(start, count)?;
    match start.attribute("name") {
        Some(name) if !name.is_empty() => Ok(name.to_ascii_uppercase()),
        _ => Err(start.breaks(Condition::AddressbookSupportedFilter)),
    }
}

fn count_filter(start: &Start<'_>, count: &mut usize) -> Result<()> {
    *count += 1;
    if *count > FILTERS_MAX {
        return Err(start.exceeds(Limit::Filters));
    }
    Ok(())
}

fn filter_test(start: &Start<'_>) -> Result<Test> {
    match start.attribute("test").as_deref() {
        None | Some("anyof") => Ok(Test::AnyOf),
        Some("allof") => Ok(Test::AllOf),
        Some(_) => Err(start.breaks(Condition::AddressbookSupportedFilter)),
    }
}
