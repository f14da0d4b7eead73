//! Names of elements: the namespaces of the protocols, names with a table, and names nobody knows.

use crate::limits::{NAME_BYTES_MAX, NAMESPACE_BYTES_MAX};
use crate::xml::syntax::is_local_name;

/// The namespaces whose names this crate knows, each with the prefix it is always written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespace {
    /// `DAV:` (RFC 4918), written `D`.
    Dav,
    /// CalDAV (RFC 4791), written `C`.
    CalDav,
    /// CardDAV (RFC 6352), written `CR`.
    CardDav,
    /// The extensions of calendarserver.org, written `CS`.
    CalendarServer,
    /// Apple's calendar programs (colours, order), written `A`.
    Apple,
}

impl Namespace {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Dav,
        Self::CalDav,
        Self::CardDav,
        Self::CalendarServer,
        Self::Apple,
    ];

    /// The namespace's name.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Dav => "DAV:",
            Self::CalDav => "urn:ietf:params:xml:ns:caldav",
            Self::CardDav => "urn:ietf:params:xml:ns:carddav",
            Self::CalendarServer => "http://calendarserver.org/ns/",
            Self::Apple => "http://apple.com/ns/ical/",
        }
    }

    /// The prefix it is written with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Dav => "D",
            Self::CalDav => "C",
            Self::CardDav => "CR",
            Self::CalendarServer => "CS",
            Self::Apple => "A",
        }
    }

    /// The namespace of a name.
    #[must_use]
    pub fn find(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.uri() == uri)
    }
}

/// The name of an element that may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementName {
    /// Its namespace.
    pub namespace: Namespace,
    /// Its name there.
    pub local: &'static str,
}

impl ElementName {
    /// A name of WebDAV.
    #[must_use]
    pub const fn dav(local: &'static str) -> Self {
        Self {
            namespace: Namespace::Dav,
            local,
        }
    }

    /// A name of CalDAV.
    #[must_use]
    pub const fn caldav(local: &'static str) -> Self {
        Self {
            namespace: Namespace::CalDav,
            local,
        }
    }

    /// A name of CardDAV.
    #[must_use]
    pub const fn carddav(local: &'static str) -> Self {
        Self {
            namespace: Namespace::CardDav,
            local,
        }
    }

    /// A name of calendarserver.org.
    #[must_use]
    pub const fn calendar_server(local: &'static str) -> Self {
        Self {
            namespace: Namespace::CalendarServer,
            local,
        }
    }
}

/// A name that is in no table: an XML name, in a namespace or in none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QualifiedName {
    namespace: Box<str>,
    local: Box<str>,
}

impl QualifiedName {
    /// A name; nothing, if `local` is not an XML name without a colon, or one of the two is too long.
    ///
    /// An empty `namespace` means none.
    #[must_use]
    pub fn new(namespace: &str, local: &str) -> Option<Self> {
        let fits = namespace.len() <= NAMESPACE_BYTES_MAX && local.len() <= NAME_BYTES_MAX;
        (fits && is_local_name(local)).then(|| Self {
            namespace: namespace.into(),
            local: local.into(),
        })
    }

    /// Its namespace; empty, if it is in none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its name there.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }
}

/// Makes an enum of element names from a table: variant, namespace, local name, and where it is defined.
macro_rules! names {
    ($(#[$meta:meta])* $type:ident { $($variant:ident = $space:ident $local:literal, $doc:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $(#[doc = concat!("`", $local, "`: ", $doc)] $variant,)*
        }

        impl $type {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The namespace of its name.
            #[must_use]
            pub const fn namespace(self) -> $crate::name::Namespace {
                match self {
                    $(Self::$variant => $crate::name::Namespace::$space,)*
                }
            }

            /// Its name in the namespace.
            #[must_use]
            pub const fn local(self) -> &'static str {
                match self {
                    $(Self::$variant => $local,)*
                }
            }

            /// What a name stands for.
            #[must_use]
            pub fn find(namespace: $crate::name::Namespace, local: &str) -> Option<Self> {
                match (namespace, local) {
                    $(($crate::name::Namespace::$space, $local) => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl From<$type> for $crate::name::ElementName {
            fn from(name: $type) -> Self {
                Self { namespace: name.namespace(), local: name.local() }
            }
        }
    };
}

pub(crate) use names;
