//! What a peer may make this crate hold: every bound of bodies and headers, by name.

use std::fmt;

/// Bounds on one request body. A body that exceeds one is refused with 413.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the whole body, as received.
    pub body_bytes_max: usize,
    /// How deep elements may nest; the root is at depth 1.
    pub depth_max: usize,
    /// Elements of the whole body.
    pub elements_max: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes_max: usize,
    /// Octets of one attribute's value, as received.
    pub attribute_bytes_max: usize,
    /// Octets of the text of one element.
    pub text_bytes_max: usize,
    /// Octets of all fragments kept of one body. A fragment repeats the namespaces it inherits, so that a
    /// small body could otherwise become a large one.
    pub fragment_bytes_max: usize,
}

impl Default for Limits {
    /// 4 MiB, 64 levels, 100,000 elements: a multiget of 20,000 addresses passes.
    fn default() -> Self {
        Self {
            body_bytes_max: 4 * 1024 * 1024,
            depth_max: 64,
            elements_max: 100_000,
            attributes_max: 64,
            attribute_bytes_max: 16 * 1024,
            text_bytes_max: 1024 * 1024,
            fragment_bytes_max: 8 * 1024 * 1024,
        }
    }
}

/// Octets of an element's or attribute's name, with its prefix.
pub const NAME_BYTES_MAX: usize = 256;
/// Octets of a namespace's name.
pub const NAMESPACE_BYTES_MAX: usize = 1024;
/// Namespace declarations in force at one place.
pub const NAMESPACES_MAX: usize = 64;
/// Properties that one request may name: by PROPFIND or a report, or to change.
pub const PROPERTIES_MAX: usize = 1024;
/// Addresses in one multiget report.
pub const HREFS_MAX: usize = 20_000;
/// Filters in one query, of all kinds together: each may be tried on each object.
pub const FILTERS_MAX: usize = 256;
/// Components and properties that one `calendar-data` or `address-data` may select.
pub const SELECTIONS_MAX: usize = 512;
/// Access control entries in one ACL.
pub const ACES_MAX: usize = 1024;
/// Lists and conditions in one If header.
pub const IF_CONDITIONS_MAX: usize = 256;
/// Entity tags in one If-Match or If-None-Match header.
pub const ENTITY_TAGS_MAX: usize = 256;
/// Octets of one header's value that is read.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Octets of an address as written, before decoding.
pub const HREF_BYTES_MAX: usize = 8 * 1024;
/// Segments of an address's path.
pub const SEGMENTS_MAX: usize = 64;

/// Which bound a body exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// [`Limits::body_bytes_max`]
    BodyBytes,
    /// [`Limits::depth_max`]
    Depth,
    /// [`Limits::elements_max`]
    Elements,
    /// [`Limits::attributes_max`]
    Attributes,
    /// [`Limits::attribute_bytes_max`]
    AttributeBytes,
    /// [`Limits::text_bytes_max`]
    TextBytes,
    /// [`Limits::fragment_bytes_max`]
    FragmentBytes,
    /// [`NAME_BYTES_MAX`]
    NameBytes,
    /// [`NAMESPACE_BYTES_MAX`]
    NamespaceBytes,
    /// [`NAMESPACES_MAX`]
    Namespaces,
    /// [`PROPERTIES_MAX`]
    Properties,
    /// [`HREFS_MAX`]
    Hrefs,
    /// [`FILTERS_MAX`]
    Filters,
    /// [`SELECTIONS_MAX`]
    Selections,
    /// [`ACES_MAX`]
    Aces,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BodyBytes => "octets of the body",
            Self::Depth => "levels of elements",
            Self::Elements => "elements",
            Self::Attributes => "attributes of an element",
            Self::AttributeBytes => "octets of an attribute",
            Self::TextBytes => "octets of text",
            Self::FragmentBytes => "octets of property values",
            Self::NameBytes => "octets of a name",
            Self::NamespaceBytes => "octets of a namespace",
            Self::Namespaces => "namespaces in force",
            Self::Properties => "properties",
            Self::Hrefs => "addresses",
            Self::Filters => "filters",
            Self::Selections => "selected components and properties",
            Self::Aces => "access control entries",
        })
    }
}
