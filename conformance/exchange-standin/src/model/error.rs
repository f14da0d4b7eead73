//! What a call fails with: the codes of MS-OXCDATA 2.4.

/// An error or warning code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Code(pub u32);

/// The result of what a ROP does.
pub type Result<T, E = Code> = std::result::Result<T, E>;

impl Code {
    /// No error.
    pub const OK: Self = Self(0);
    /// ecError.
    pub const FAILED: Self = Self(0x8000_4005);
    /// ecRpcFormat.
    pub const RPC_FORMAT: Self = Self(0x0000_04b6);
    /// ecNullObject: the handle stands for nothing.
    pub const NULL_OBJECT: Self = Self(0x0000_04b9);
    /// ecNotSupported.
    pub const NOT_SUPPORTED: Self = Self(0x8004_0102);
    /// ecObjectModified: somebody else saved it in between.
    pub const OBJECT_MODIFIED: Self = Self(0x8004_0109);
    /// ecObjectDeleted.
    pub const OBJECT_DELETED: Self = Self(0x8004_010a);
    /// ecNotFound.
    pub const NOT_FOUND: Self = Self(0x8004_010f);
    /// ecInvalidParam.
    pub const INVALID_PARAMETER: Self = Self(0x8007_0057);
    /// ecAccessDenied.
    pub const ACCESS_DENIED: Self = Self(0x8007_0005);
    /// ecMemory: as the value of a property, it is too large for here and must be read as a stream.
    pub const NOT_ENOUGH_MEMORY: Self = Self(0x8007_000e);
    /// ecLoginFailure.
    pub const LOGIN_FAILURE: Self = Self(0x8004_0111);
    /// ecUnknownUser.
    pub const UNKNOWN_USER: Self = Self(0x0000_03eb);
    /// ecLoginPerm.
    pub const LOGIN_PERMISSION: Self = Self(0x0000_03f2);
    /// ecWrongServer.
    pub const WRONG_SERVER: Self = Self(0x0000_0478);
    /// ecBufferTooSmall.
    pub const BUFFER_TOO_SMALL: Self = Self(0x0000_047d);
    /// ecServerBusy.
    pub const SERVER_BUSY: Self = Self(0x0000_0480);
    /// ecRpcFailed.
    pub const RPC_FAILED: Self = Self(0x8004_0115);
    /// ecMaxObjsExceeded.
    pub const MAX_OBJECTS_EXCEEDED: Self = Self(0x0000_04de);
    /// ecQuotaExceeded.
    pub const QUOTA_EXCEEDED: Self = Self(0x0000_04d9);
    /// ecMaxSubmissionExceeded.
    pub const MAX_SUBMISSION_EXCEEDED: Self = Self(0x0000_04da);
    /// ecDstNullObject.
    pub const DESTINATION_NULL_OBJECT: Self = Self(0x0000_0503);
    /// ecDuplicateName: a folder of that name is there.
    pub const DUPLICATE_NAME: Self = Self(0x8004_0604);
    /// ecNoRecipients.
    pub const NO_RECIPIENTS: Self = Self(0x8004_0607);
    /// ecSubmitted: the message has been submitted before.
    pub const SUBMITTED: Self = Self(0x8004_0608);
    /// ecFolderCycle.
    pub const FOLDER_CYCLE: Self = Self(0x8004_060b);
    /// ecUnexpectedType / ecTooBig: larger than the mailbox takes.
    pub const TOO_BIG: Self = Self(0x8004_0305);
    /// SYNC_E_OBJECT_DELETED.
    pub const SYNC_OBJECT_DELETED: Self = Self(0x8004_0800);
    /// SYNC_E_IGNORE: the server has this version or a newer one.
    pub const SYNC_IGNORE: Self = Self(0x8004_0801);
    /// SYNC_E_CONFLICT.
    pub const SYNC_CONFLICT: Self = Self(0x8004_0802);
    /// SYNC_E_NO_PARENT.
    pub const SYNC_NO_PARENT: Self = Self(0x8004_0803);
    /// SYNC_E_CYCLE.
    pub const SYNC_CYCLE: Self = Self(0x8004_0804);
    /// SYNC_E_UNSYNCHRONIZED.
    pub const SYNC_UNSYNCHRONIZED: Self = Self(0x8004_0805);
    /// SYNC_W_CLIENT_CHANGE_NEWER: the message moved, and what the client has is newer.
    pub const SYNC_CLIENT_CHANGE_NEWER: Self = Self(0x0004_0821);
    /// ecNPQuotaExceeded: no more named properties.
    pub const NAMED_PROPERTY_QUOTA: Self = Self(0x8004_0900);
    /// ecWarnWithErrors: some of what was asked failed.
    pub const WARN_WITH_ERRORS: Self = Self(0x0004_0380);
    /// ecNotInitialized: a search folder without criteria.
    pub const NOT_INITIALIZED: Self = Self(0x8004_0605);
    /// ecUnableToAbort.
    pub const UNABLE_TO_ABORT: Self = Self(0x8004_0114);
    /// ecPositionChanged.
    pub const POSITION_CHANGED: Self = Self(0x0004_0481);
    /// ecUnableToComplete.
    pub const UNABLE_TO_COMPLETE: Self = Self(0x8004_0400);
    /// ecFmtError: a stream that cannot be read.
    pub const FORMAT_ERROR: Self = Self(0x0000_04ed);
    /// ecTooComplex.
    pub const TOO_COMPLEX: Self = Self(0x8004_0117);
    /// ecComputed: the property cannot be set.
    pub const COMPUTED: Self = Self(0x8004_011a);
    /// ecInvalidBookmark.
    pub const INVALID_BOOKMARK: Self = Self(0x8004_0405);
    /// ecStreamSeekError / StreamInvalidParam.
    pub const STREAM_SEEK_ERROR: Self = Self(0x8003_0019);
    /// ecStreamAccessDenied.
    pub const STREAM_ACCESS_DENIED: Self = Self(0x8003_0005);
    /// RPC_S_SERVER_TOO_BUSY.
    pub const SERVER_TOO_BUSY: Self = Self(0x0000_06bb);
    /// ecNullObject of a table without columns.
    pub const NO_COLUMNS: Self = Self::NULL_OBJECT;
}
