//! UIDVALIDITY of UIDs that a write has just given out (RFC 4315 3).

use account::FolderInfo;

use crate::state::Authenticated;

/// What the UIDs are valid for that a write gave out in a folder; `before` is the folder as it was known before.
///
/// `None` when it cannot be said for sure, because the folder was restored meanwhile or cannot be looked at: a client
/// can do without the response code, but not with a UID beside the UIDVALIDITY of another one. One call to the store.
pub(crate) async fn after_write(user: &Authenticated, before: &FolderInfo) -> Option<u32> {
    match user.account.folder(before.id).await {
        // No epoch comes twice: the same one before and after was there in between.
        Ok(now) if now.epoch == before.epoch => Some(now.epoch.0),
        Ok(_) => None,
        Err(error) => {
            tracing::debug!(%error, "cannot say what new UIDs are valid for");
            None
        }
    }
}
