//! The words of a FastTransfer stream that structure it. Source: MS-OXCFXICS 2.2.4.1.4, 2.2.4.1.5.1, 2.2.4.2.

/// A syntactical element without a value.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u32)]
pub enum Marker {
    /// A copied folder begins.
    StartTopFolder = 0x4009_0003,
    /// A folder in a copied folder begins.
    StartSubFolder = 0x400a_0003,
    /// The innermost folder ends.
    EndFolder = 0x400b_0003,
    /// A message of a list begins.
    StartMessage = 0x400c_0003,
    /// A hidden (FAI) message of a list begins.
    StartAssociatedMessage = 0x4010_0003,
    /// A message of a list ends.
    EndMessage = 0x400d_0003,
    /// The message in an attachment begins.
    StartEmbedded = 0x4001_0003,
    /// The message in an attachment ends.
    EndEmbedded = 0x4002_0003,
    /// A recipient begins.
    StartRecipient = 0x4003_0003,
    /// A recipient ends.
    EndRecipient = 0x4004_0003,
    /// An attachment begins.
    StartAttachment = 0x4000_0003,
    /// An attachment ends.
    EndAttachment = 0x400e_0003,
    /// IncrSyncChg: the header of a changed message, or a changed folder.
    Change = 0x4012_0003,
    /// IncrSyncChgPartial: the header of a message of which some groups of properties changed.
    PartialChange = 0x407d_0003,
    /// IncrSyncDel: what is gone.
    Deletions = 0x4013_0003,
    /// IncrSyncEnd: the synchronization ends.
    SyncEnd = 0x4014_0003,
    /// IncrSyncRead: what was read or unread.
    ReadStates = 0x402f_0003,
    /// IncrSyncStateBegin: the new state of the client.
    StateBegin = 0x403a_0003,
    /// IncrSyncStateEnd.
    StateEnd = 0x403b_0003,
    /// IncrSyncMessage: the message of the header before it.
    Message = 0x4015_0003,
    /// IncrSyncProgressMode: how much there is to come.
    Progress = 0x4074_000b,
    /// IncrSyncProgressPerMsg: how large the next change is.
    MessageProgress = 0x4075_000b,
    /// IncrSyncGroupInfo: how properties are grouped.
    GroupInfo = 0x407b_0102,
    /// FXErrorInfo: why a part of the stream is missing.
    ErrorInfo = 0x4018_0003,
}

impl Marker {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::StartTopFolder,
        Self::StartSubFolder,
        Self::EndFolder,
        Self::StartMessage,
        Self::StartAssociatedMessage,
        Self::EndMessage,
        Self::StartEmbedded,
        Self::EndEmbedded,
        Self::StartRecipient,
        Self::EndRecipient,
        Self::StartAttachment,
        Self::EndAttachment,
        Self::Change,
        Self::PartialChange,
        Self::Deletions,
        Self::SyncEnd,
        Self::ReadStates,
        Self::StateBegin,
        Self::StateEnd,
        Self::Message,
        Self::Progress,
        Self::MessageProgress,
        Self::GroupInfo,
        Self::ErrorInfo,
    ];

    /// The marker with this number; `None` where the number is a property tag.
    pub fn from_tag(tag: u32) -> Option<Self> {
        // All are in one small range of ids, most properties are not.
        let in_range = (0x4000_0000..0x4080_0000).contains(&tag);
        let mut all = Self::ALL.into_iter();
        in_range.then(|| all.find(|marker| marker.tag() == tag))?
    }

    /// Its number on the wire.
    pub const fn tag(self) -> u32 {
        self as u32
    }
}

/// Properties that say something about the stream, not about an object.
pub mod meta {
    use mapi_types::PropTag;

    /// FXDelProp: which kind of sub-object to delete before what follows; one of `DELETES_…`.
    pub const DELETES: PropTag = PropTag(0x4016_0003);
    /// EcWarning: something is missing, which the error code says.
    pub const WARNING: PropTag = PropTag(0x400f_0003);
    /// NewFXFolder: the contents of a folder are on another server.
    pub const NEW_FOLDER: PropTag = PropTag(0x4011_0102);
    /// IncrSyncGroupId: which grouping of properties the next partial change uses.
    pub const GROUP_ID: PropTag = PropTag(0x407c_0003);
    /// IncrementalSyncMessagePartial: the group that the properties after it belong to.
    pub const GROUP: PropTag = PropTag(0x407a_0003);
    /// DnPrefix: of no use to anybody.
    pub const DN_PREFIX: PropTag = PropTag(0x4008_001e);

    /// A value of [`DELETES`]: the recipients of a message.
    pub const DELETES_RECIPIENTS: u32 = 0x0e12_000d;
    /// A value of [`DELETES`]: the attachments of a message.
    pub const DELETES_ATTACHMENTS: u32 = 0x0e13_000d;
    /// A value of [`DELETES`]: the messages of a folder.
    pub const DELETES_CONTENTS: u32 = 0x360f_000d;
    /// A value of [`DELETES`]: the hidden messages of a folder.
    pub const DELETES_ASSOCIATED: u32 = 0x3610_000d;
    /// A value of [`DELETES`]: the folders of a folder.
    pub const DELETES_SUBFOLDERS: u32 = 0x360e_000d;

    /// MetaTagIdsetGiven. Its type says a number, its value is binary (MS-OXCFXICS 3.1.5.2.1).
    pub const IDSET_GIVEN: PropTag = PropTag(0x4017_0003);
    /// MetaTagIdsetGiven with the type its value has, as some write it.
    pub const IDSET_GIVEN_BINARY: PropTag = PropTag(0x4017_0102);
    /// MetaTagCnsetSeen.
    pub const CNSET_SEEN: PropTag = PropTag(0x6796_0102);
    /// MetaTagCnsetSeenFAI.
    pub const CNSET_SEEN_ASSOCIATED: PropTag = PropTag(0x67da_0102);
    /// MetaTagCnsetRead.
    pub const CNSET_READ: PropTag = PropTag(0x67d2_0102);
    /// MetaTagIdsetDeleted.
    pub const IDSET_DELETED: PropTag = PropTag(0x67e5_0102);
    /// MetaTagIdsetNoLongerInScope.
    pub const IDSET_NO_LONGER_IN_SCOPE: PropTag = PropTag(0x4021_0102);
    /// MetaTagIdsetExpired.
    pub const IDSET_EXPIRED: PropTag = PropTag(0x6793_0102);
    /// MetaTagIdsetRead.
    pub const IDSET_READ: PropTag = PropTag(0x402d_0102);
    /// MetaTagIdsetUnread.
    pub const IDSET_UNREAD: PropTag = PropTag(0x402e_0102);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_is_found_by_its_number_and_no_property_is_taken_for_one() {
        for marker in Marker::ALL {
            assert_eq!(Marker::from_tag(marker.tag()), Some(marker));
        }
        for tag in [meta::IDSET_GIVEN, meta::DELETES, meta::WARNING, meta::GROUP] {
            assert_eq!(Marker::from_tag(tag.0), None);
        }
    }
}
