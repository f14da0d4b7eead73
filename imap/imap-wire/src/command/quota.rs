//! GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208 4.1).

use crate::cursor::{Cursor, DecodeError};
use crate::limits::QUOTA_RESOURCES_MAX;

/// `GETQUOTA root`: octets of the root's name.
pub(super) fn get_quota(cursor: &mut Cursor<'_>) -> Result<Box<[u8]>, DecodeError> {
    Ok(cursor.astring()?.into_owned().into())
}

/// `SETQUOTA root (resource limit …)`: only the root is kept.
pub(super) fn set_quota(cursor: &mut Cursor<'_>) -> Result<Box<[u8]>, DecodeError> {
    let root = cursor.astring()?.into_owned().into();
    cursor.space()?;
    cursor.expect(b'(', "a list of resources and limits")?;
    let mut resources = 0;
    while cursor.next_item(resources)? {
        if resources == QUOTA_RESOURCES_MAX {
            return Err(cursor.error("fewer resources"));
        }
        cursor.atom("a resource")?;
        cursor.space()?;
        cursor.number64()?;
        resources += 1;
    }
    Ok(root)
}
