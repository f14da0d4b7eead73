//! Giving a handle back. Source: MS-OXCROPS 2.2.15.3.

use super::layout::ask;

ask! {
    /// Gives a handle back, with all that hangs on it. It has no response.
    ///
    /// Give back what was opened within an object before the object itself. Source: MS-OXCROPS 2.2.15.3, 3.1.5.3.
    0x01 Release (input) {}
}
