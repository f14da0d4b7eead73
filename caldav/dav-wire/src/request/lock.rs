//! The body of LOCK (RFC 4918 9.10, 14.11).

use super::document;
use crate::error::Result;
use crate::limits::Limits;
use crate::name::Namespace;
use crate::xml::Fragment;

/// How a lock excludes others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockScope {
    /// Nobody else has a lock.
    Exclusive,
    /// Others may have shared locks.
    Shared,
}

/// The lock that is asked for; always a write lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockInfo {
    /// How it excludes others.
    pub scope: LockScope,
    /// What the client says of itself: the `owner` element, given back in `lockdiscovery` as it is.
    pub owner: Option<Fragment>,
}

impl LockInfo {
    /// Reads a body. Nothing for an empty one, which refreshes the lock named in the If header (RFC 4918 9.10.2).
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Option<Self>> {
        if body.is_empty() {
            return Ok(None);
        }
        document(body, limits, |reader, root| {
            if !root.is(Namespace::Dav, "lockinfo") {
                return Err(root.expected("lockinfo"));
            }
            let (mut scope, mut is_write, mut owner) = (None, false, None);
            while let Some(child) = reader.child(root)? {
                match child.name() {
                    (Some(Namespace::Dav), "lockscope") => {
                        while let Some(inner) = reader.child(&child)? {
                            scope = match inner.name() {
                                (Some(Namespace::Dav), "exclusive") => Some(LockScope::Exclusive),
                                (Some(Namespace::Dav), "shared") => Some(LockScope::Shared),
                                _ => scope,
                            };
                        }
                    }
                    (Some(Namespace::Dav), "locktype") => {
                        while let Some(inner) = reader.child(&child)? {
                            is_write |= inner.is(Namespace::Dav, "write");
                        }
                    }
                    (Some(Namespace::Dav), "owner") => {
                        owner = Some(Fragment::read(reader, &child)?);
                    }
                    _ => {}
                }
            }
            match scope {
                Some(scope) if is_write => Ok(Some(Self { scope, owner })),
                Some(_) => Err(root.expected("a write lock")),
                None => Err(root.expected("a scope")),
            }
        })
    }
}
