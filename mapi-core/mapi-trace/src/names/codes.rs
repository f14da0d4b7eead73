//! Numbers that stand for something, and sets of bits, by the names of the documents.

/// Numbers and their names, or bits and theirs.
pub(crate) type Codes = &'static [(u64, &'static str)];

/// MS-OXCROPS, MS-OXCFOLD: folders.
pub(crate) mod folder {
    use super::Codes;

    pub(crate) const OPEN_MODE: Codes = &[(0x04, "OpenSoftDeleted")];
    pub(crate) const TYPE: Codes = &[(1, "Generic"), (2, "Search")];
    pub(crate) const DELETE: Codes = &[
        (0x01, "DEL_MESSAGES"),
        (0x04, "DEL_FOLDERS"),
        (0x10, "DELETE_HARD_DELETE"),
    ];
    pub(crate) const SEARCH_REQUEST: Codes = &[
        (0x01, "STOP_SEARCH"),
        (0x02, "RESTART_SEARCH"),
        (0x04, "RECURSIVE_SEARCH"),
        (0x08, "SHALLOW_SEARCH"),
        (0x1_0000, "CONTENT_INDEXED_SEARCH"),
        (0x2_0000, "NON_CONTENT_INDEXED_SEARCH"),
        (0x4_0000, "STATIC_SEARCH"),
    ];
    pub(crate) const SEARCH_RESPONSE: Codes = &[
        (0x01, "SEARCH_RUNNING"),
        (0x02, "SEARCH_REBUILD"),
        (0x04, "SEARCH_RECURSIVE"),
        (0x1000, "SEARCH_COMPLETE"),
        (0x2000, "SEARCH_PARTIAL"),
        (0x1_0000, "SEARCH_STATIC"),
        (0x2_0000, "SEARCH_MAYBE_STATIC"),
        (0x0100_0000, "CI_TOTALLY"),
        (0x0200_0000, "CI_WITH_TWIR_RESIDUAL"),
        (0x0400_0000, "TWIR_MOSTLY"),
        (0x0800_0000, "TWIR_TOTALLY"),
    ];
    pub(crate) const HIERARCHY_TABLE: Codes = &[
        (0x04, "Depth"),
        (0x08, "DeferredErrors"),
        (0x10, "NoNotifications"),
        (0x20, "SoftDeletes"),
        (0x40, "UseUnicode"),
        (0x80, "SuppressesNotifications"),
    ];
    pub(crate) const CONTENTS_TABLE: Codes = &[
        (0x02, "Associated"),
        (0x08, "DeferredErrors"),
        (0x10, "NoNotifications"),
        (0x20, "SoftDeletes"),
        (0x40, "UseUnicode"),
        (0x80, "ConversationMembers"),
    ];
}

/// MS-OXCSTOR: logons.
pub(crate) mod logon {
    use super::Codes;

    pub(crate) const FLAGS: Codes = &[(0x01, "Private"), (0x02, "Undercover"), (0x04, "Ghosted")];
    pub(crate) const OPEN: Codes = &[
        (0x0000_0001, "USE_ADMIN_PRIVILEGE"),
        (0x0000_0002, "PUBLIC"),
        (0x0000_0004, "HOME_LOGON"),
        (0x0000_0008, "TAKE_OWNERSHIP"),
        (0x0000_0100, "ALTERNATE_SERVER"),
        (0x0000_0200, "IGNORE_HOME_MDB"),
        (0x0000_0400, "NO_MAIL"),
        (0x0100_0000, "USE_PER_MDB_REPLID_MAPPING"),
        (0x2000_0000, "SUPPORT_PROGRESS"),
    ];
    pub(crate) const RESPONSE: Codes = &[
        (0x01, "Reserved"),
        (0x02, "OwnerRight"),
        (0x04, "SendAsRight"),
        (0x10, "OOF"),
    ];
    pub(crate) const STORE_STATE: Codes = &[(0x0100_0000, "STORE_HAS_SEARCHES")];
}

/// MS-OXCMSG: messages and attachments.
pub(crate) mod message {
    use super::Codes;

    pub(crate) const OPEN_MODE: Codes = &[
        (0, "ReadOnly"),
        (1, "ReadWrite"),
        (2, "Create"),
        (3, "BestAccess"),
        (4, "OpenSoftDeleted"),
    ];
    pub(crate) const SAVE: Codes = &[
        (0x01, "KeepOpenReadOnly"),
        (0x02, "KeepOpenReadWrite"),
        (0x04, "ForceSave"),
        (0x08, "DelayedCall"),
    ];
    pub(crate) const READ: Codes = &[
        (0x01, "rfSuppressReceipt"),
        (0x04, "rfClearReadFlag"),
        (0x0a, "rfReserved"),
        (0x10, "rfGenerateReceiptOnly"),
        (0x20, "rfClearNotifyRead"),
        (0x40, "rfClearNotifyUnread"),
    ];
    pub(crate) const STATUS: Codes = &[
        (0x0001, "msHighlighted"),
        (0x0002, "msTagged"),
        (0x0004, "msHidden"),
        (0x0008, "msDelMarked"),
        (0x0100, "msDraft"),
        (0x0200, "msAnswered"),
        (0x0800, "msInConflict"),
        (0x1000, "msRemoteDownload"),
        (0x2000, "msRemoteDelete"),
        (0x4000, "msMDNSent"),
    ];
    pub(crate) const FLAGS: Codes = &[
        (0x0001, "mfRead"),
        (0x0002, "mfUnmodified"),
        (0x0004, "mfSubmitted"),
        (0x0008, "mfUnsent"),
        (0x0010, "mfHasAttach"),
        (0x0020, "mfFromMe"),
        (0x0040, "mfFAI"),
        (0x0080, "mfResend"),
        (0x0100, "mfNotifyRead"),
        (0x0200, "mfNotifyUnread"),
        (0x0400, "mfEverRead"),
        (0x2000, "mfInternet"),
        (0x8000, "mfUntrusted"),
    ];
    pub(crate) const RECIPIENT_TYPE: Codes = &[
        (0x00, "Originator"),
        (0x01, "To"),
        (0x02, "Cc"),
        (0x03, "Bcc"),
        (0x10, "ResendTo"),
        (0x11, "To, resent"),
        (0x12, "Cc, resent"),
        (0x13, "Bcc, resent"),
        (0x80, "MaySkip"),
        (0x81, "To, done"),
        (0x82, "Cc, done"),
        (0x83, "Bcc, done"),
    ];
    pub(crate) const RECIPIENT: Codes = &[
        (0x0040, "S (transmittable name is display name)"),
        (0x0080, "R (a gateway delivers)"),
        (0x0100, "N (no rich text)"),
    ];
    pub(crate) const SUBMIT: Codes = &[(0x01, "PreProcess"), (0x02, "NeedsSpooler")];
    pub(crate) const LOCK_STATE: Codes = &[(0, "lstLock"), (1, "lstUnlock"), (2, "lstFinished")];
}

/// MS-OXCTABL: tables.
pub(crate) mod table {
    use super::Codes;

    pub(crate) const ASYNC: Codes = &[(0x01, "TBL_ASYNC")];
    pub(crate) const STATUS: Codes = &[
        (0x00, "TBLSTAT_COMPLETE"),
        (0x07, "TBLSTAT_QCHANGED"),
        (0x09, "TBLSTAT_SORTING"),
        (0x0a, "TBLSTAT_SORT_ERROR"),
        (0x0b, "TBLSTAT_SETTING_COLS"),
        (0x0d, "TBLSTAT_SETCOL_ERROR"),
        (0x0e, "TBLSTAT_RESTRICTING"),
        (0x0f, "TBLSTAT_RESTRICT_ERROR"),
    ];
    pub(crate) const QUERY_ROWS: Codes = &[(0x01, "NoAdvance"), (0x02, "EnablePackedBuffers")];
    pub(crate) const BOOKMARK: Codes = &[
        (0, "BOOKMARK_BEGINNING"),
        (1, "BOOKMARK_CURRENT"),
        (2, "BOOKMARK_END"),
        (3, "BOOKMARK_CUSTOM"),
    ];
    pub(crate) const FIND_ROW: Codes = &[(0x01, "DIR_BACKWARD")];
    pub(crate) const SORT: Codes = &[(0, "Ascending"), (1, "Descending"), (4, "MaximumCategory")];
}

/// MS-OXCPRPT: properties and streams.
pub(crate) mod property {
    use super::Codes;

    pub(crate) const STREAM_OPEN: Codes = &[(0, "ReadOnly"), (1, "ReadWrite"), (2, "Create")];
    pub(crate) const SEEK_ORIGIN: Codes = &[(0, "beginning"), (1, "current place"), (2, "end")];
    pub(crate) const LOCK: Codes = &[(0x01, "others may read")];
    pub(crate) const COPY: Codes = &[(0x01, "Move"), (0x02, "NoOverwrite")];
    pub(crate) const GET_IDS: Codes = &[(0x02, "Create")];
    pub(crate) const QUERY_NAMES: Codes = &[(0x01, "NoStrings"), (0x02, "NoIds")];
}

/// MS-OXCFXICS: FastTransfer and synchronization.
pub(crate) mod transfer {
    use super::Codes;

    pub(crate) const SOURCE_OPERATION: Codes = &[
        (1, "CopyTo"),
        (2, "CopyProperties"),
        (3, "CopyMessages"),
        (4, "CopyFolder"),
    ];
    pub(crate) const COPY_TO: Codes = &[
        (0x0000_0001, "Move"),
        (0x0000_0002, "Unused1"),
        (0x0000_0004, "Unused2"),
        (0x0000_0008, "Unused3"),
        (0x0000_2000, "BestBody"),
    ];
    pub(crate) const COPY_MESSAGES: Codes = &[
        (0x01, "Move"),
        (0x02, "Unused1"),
        (0x04, "Unused2"),
        (0x08, "Unused3"),
        (0x10, "BestBody"),
        (0x20, "SendEntryId"),
    ];
    pub(crate) const COPY_FOLDER: Codes = &[
        (0x01, "Move"),
        (0x10, "CopySubfolders"),
        (0x20, "NoGhostedContent"),
    ];
    pub(crate) const COPY_PROPERTIES: Codes = &[(0x01, "Move")];
    pub(crate) const SEND_OPTIONS: Codes = &[
        (0x01, "Unicode"),
        (0x02, "UseCpid"),
        (0x04, "RecoverMode"),
        (0x08, "ForceUnicode"),
        (0x10, "PartialItem"),
    ];
    pub(crate) const STATUS: Codes = &[(0, "Error"), (1, "Partial"), (2, "NoRoom"), (3, "Done")];
    pub(crate) const SYNC_TYPE: Codes = &[(1, "Contents"), (2, "Hierarchy")];
    pub(crate) const SYNC: Codes = &[
        (0x0001, "Unicode"),
        (0x0002, "NoDeletions"),
        (0x0004, "IgnoreNoLongerInScope"),
        (0x0008, "ReadState"),
        (0x0010, "FAI"),
        (0x0020, "Normal"),
        (0x0080, "OnlySpecifiedProperties"),
        (0x0100, "NoForeignIdentifiers"),
        (0x1000, "Reserved"),
        (0x2000, "BestBody"),
        (0x4000, "IgnoreSpecifiedOnFAI"),
        (0x8000, "Progress"),
    ];
    pub(crate) const SYNC_EXTRA: Codes = &[
        (0x01, "Eid"),
        (0x02, "MessageSize"),
        (0x04, "CN"),
        (0x08, "OrderByDeliveryTime"),
    ];
    pub(crate) const IMPORT: Codes = &[(0x10, "Associated"), (0x40, "FailOnConflict")];
    pub(crate) const IMPORT_DELETES: Codes = &[(0x01, "Hierarchy"), (0x02, "HardDelete")];
}

/// MS-OXCPERM and MS-OXORULE: permissions and rules.
pub(crate) mod rights {
    use super::Codes;

    pub(crate) const MODIFY: Codes = &[(0x01, "ReplaceRows"), (0x02, "IncludeFreeBusy")];
    pub(crate) const TABLE: Codes = &[(0x02, "IncludeFreeBusy")];
    pub(crate) const ROW: Codes = &[(0x01, "AddRow"), (0x02, "ModifyRow"), (0x04, "RemoveRow")];
    pub(crate) const RULES_MODIFY: Codes = &[(0x01, "R (replace all)")];
    pub(crate) const RULES_TABLE: Codes = &[(0x40, "U (Unicode)")];
    pub(crate) const MEMBER: Codes = &[
        (0x0001, "ReadAny"),
        (0x0002, "Create"),
        (0x0008, "EditOwned"),
        (0x0010, "DeleteOwned"),
        (0x0020, "EditAny"),
        (0x0040, "DeleteAny"),
        (0x0080, "CreateSubFolder"),
        (0x0100, "FolderOwner"),
        (0x0200, "FolderContact"),
        (0x0400, "FolderVisible"),
        (0x0800, "FreeBusySimple"),
        (0x1000, "FreeBusyDetailed"),
    ];
}

/// MS-OXCNOTIF: notifications.
pub(crate) mod notification {
    use super::Codes;

    pub(crate) const TYPES: Codes = &[
        (0x0002, "NewMail"),
        (0x0004, "ObjectCreated"),
        (0x0008, "ObjectDeleted"),
        (0x0010, "ObjectModified"),
        (0x0020, "ObjectMoved"),
        (0x0040, "ObjectCopied"),
        (0x0080, "SearchComplete"),
        (0x0100, "TableModified"),
        (0x0400, "Extended"),
    ];
}

/// MS-OXCRPC, MS-OXCMAPIHTTP: calls.
pub(crate) mod call {
    use super::Codes;

    pub(crate) const EXECUTE: Codes = &[
        (0x01, "NoCompression"),
        (0x02, "NoXorMagic"),
        (0x04, "Chain"),
    ];
    pub(crate) const CONNECT: Codes = &[
        (0x0000_0001, "admin privilege"),
        (0x0000_8000, "ignore missing public folders"),
    ];
    pub(crate) const AUX: Codes = &[
        (0x01, "AUX_PERF_REQUESTID"),
        (0x02, "AUX_PERF_CLIENTINFO"),
        (0x03, "AUX_PERF_SERVERINFO"),
        (0x04, "AUX_PERF_SESSIONINFO"),
        (0x05, "AUX_PERF_DEFMDB_SUCCESS"),
        (0x06, "AUX_PERF_DEFGC_SUCCESS"),
        (0x07, "AUX_PERF_MDB_SUCCESS"),
        (0x08, "AUX_PERF_GC_SUCCESS"),
        (0x09, "AUX_PERF_FAILURE"),
        (0x0a, "AUX_CLIENT_CONTROL"),
        (0x0b, "AUX_PERF_PROCESSINFO"),
        (0x0c, "AUX_PERF_BG_DEFMDB_SUCCESS"),
        (0x0d, "AUX_PERF_BG_DEFGC_SUCCESS"),
        (0x0e, "AUX_PERF_BG_MDB_SUCCESS"),
        (0x0f, "AUX_PERF_BG_GC_SUCCESS"),
        (0x10, "AUX_PERF_BG_FAILURE"),
        (0x11, "AUX_PERF_FG_DEFMDB_SUCCESS"),
        (0x12, "AUX_PERF_FG_DEFGC_SUCCESS"),
        (0x13, "AUX_PERF_FG_MDB_SUCCESS"),
        (0x14, "AUX_PERF_FG_GC_SUCCESS"),
        (0x15, "AUX_PERF_FG_FAILURE"),
        (0x16, "AUX_OSVERSIONINFO"),
        (0x17, "AUX_EXORGINFO"),
        (0x18, "AUX_PERF_ACCOUNTINFO"),
        (0x46, "AUX_SERVER_CAPABILITIES"),
        (0x48, "AUX_ENDPOINT_CAPABILITIES"),
        (0x4a, "AUX_CLIENT_CONNECTION_INFO"),
        (0x4b, "AUX_SERVER_SESSION_INFO"),
        (0x4e, "AUX_PROTOCOL_DEVICE_IDENTIFICATION"),
    ];
}

/// MS-OXNSPI: the address book.
pub(crate) mod book {
    use super::Codes;

    pub(crate) const SORT: Codes = &[
        (0, "SortTypeDisplayName"),
        (3, "SortTypePhoneticDisplayName"),
        (0x3e8, "SortTypeDisplayName_RO"),
        (0x3e9, "SortTypeDisplayName_W"),
    ];
    pub(crate) const BIND: Codes = &[(0x20, "fAnonymousLogin")];
    pub(crate) const PROPS: Codes = &[(0x01, "fSkipObjects"), (0x02, "fEphID")];
    pub(crate) const SPECIAL_TABLE: Codes = &[
        (0x02, "NspiAddressCreationTemplates"),
        (0x04, "NspiUnicodeStrings"),
    ];
    pub(crate) const TEMPLATE: Codes = &[
        (0x01, "TI_TEMPLATE"),
        (0x04, "TI_SCRIPT"),
        (0x10, "TI_EMT"),
        (0x20, "TI_HELPFILE_NAME"),
        (0x40, "TI_HELPFILE_CONTENTS"),
    ];
    pub(crate) const LINKS: Codes = &[(0x01, "fDelete")];
    pub(crate) const COLUMNS: Codes = &[(0x8000_0000, "NspiUnicodeProptypes")];
    pub(crate) const DISPLAY_TYPE: Codes = &[
        (0, "DT_MAILUSER"),
        (1, "DT_DISTLIST"),
        (2, "DT_FORUM"),
        (3, "DT_AGENT"),
        (4, "DT_ORGANIZATION"),
        (5, "DT_PRIVATE_DISTLIST"),
        (6, "DT_REMOTE_MAILUSER"),
        (0x100, "DT_CONTAINER"),
        (0x101, "DT_TEMPLATE"),
        (0x102, "DT_ADDRESS_TEMPLATE"),
        (0x200, "DT_SEARCH"),
    ];
}

/// MS-OXCDATA: restrictions and rule actions.
pub(crate) mod condition {
    use super::Codes;

    pub(crate) const RELATION: Codes = &[
        (0, "RELOP_LT"),
        (1, "RELOP_LE"),
        (2, "RELOP_GT"),
        (3, "RELOP_GE"),
        (4, "RELOP_EQ"),
        (5, "RELOP_NE"),
        (6, "RELOP_RE"),
        (0x64, "RELOP_MEMBER_OF_DL"),
    ];
    pub(crate) const BITS: Codes = &[(0, "BMR_EQZ"), (1, "BMR_NEZ")];
    pub(crate) const FUZZY_LOW: Codes =
        &[(0, "FL_FULLSTRING"), (1, "FL_SUBSTRING"), (2, "FL_PREFIX")];
    pub(crate) const FUZZY_HIGH: Codes = &[
        (1, "FL_IGNORECASE"),
        (2, "FL_IGNORENONSPACE"),
        (4, "FL_LOOSE"),
    ];
    pub(crate) const BOUNCE: Codes = &[
        (0x0d, "message too large"),
        (0x1f, "no form for it"),
        (0x26, "access denied"),
    ];
}
