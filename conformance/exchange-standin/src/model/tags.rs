//! Property tags as the server writes them. Names: MS-OXPROPS.

use mapi_types::PropTag;

macro_rules! tags {
    ($($name:ident = $tag:literal, $doc:literal;)*) => {$(
        #[doc = $doc]
        pub const $name: PropTag = PropTag($tag);
    )*};
}

tags! {
    IMPORTANCE = 0x0017_0003, "PidTagImportance.";
    MESSAGE_CLASS = 0x001a_001f, "PidTagMessageClass.";
    READ_RECEIPT_REQUESTED = 0x0029_000b, "PidTagReadReceiptRequested.";
    NON_RECEIPT_NOTIFICATION_REQUESTED = 0x0c06_000b, "PidTagNonReceiptNotificationRequested.";
    PRIORITY = 0x0026_0003, "PidTagPriority.";
    SENSITIVITY = 0x0036_0003, "PidTagSensitivity.";
    SUBJECT = 0x0037_001f, "PidTagSubject.";
    CLIENT_SUBMIT_TIME = 0x0039_0040, "PidTagClientSubmitTime.";
    SENT_REPRESENTING_SEARCH_KEY = 0x003b_0102, "PidTagSentRepresentingSearchKey.";
    SUBJECT_PREFIX = 0x003d_001f, "PidTagSubjectPrefix.";
    RECEIVED_BY_ENTRY_ID = 0x003f_0102, "PidTagReceivedByEntryId.";
    RECEIVED_BY_NAME = 0x0040_001f, "PidTagReceivedByName.";
    SENT_REPRESENTING_ENTRY_ID = 0x0041_0102, "PidTagSentRepresentingEntryId.";
    SENT_REPRESENTING_NAME = 0x0042_001f, "PidTagSentRepresentingName.";
    MESSAGE_TO_ME = 0x0057_000b, "PidTagMessageToMe.";
    MESSAGE_CC_ME = 0x0058_000b, "PidTagMessageCcMe.";
    MESSAGE_RECIPIENT_ME = 0x0059_000b, "PidTagMessageRecipientMe.";
    SENT_REPRESENTING_ADDRESS_TYPE = 0x0064_001f, "PidTagSentRepresentingAddressType.";
    SENT_REPRESENTING_EMAIL_ADDRESS = 0x0065_001f, "PidTagSentRepresentingEmailAddress.";
    CONVERSATION_TOPIC = 0x0070_001f, "PidTagConversationTopic.";
    CONVERSATION_INDEX = 0x0071_0102, "PidTagConversationIndex.";
    RECEIVED_BY_ADDRESS_TYPE = 0x0075_001f, "PidTagReceivedByAddressType.";
    RECEIVED_BY_EMAIL_ADDRESS = 0x0076_001f, "PidTagReceivedByEmailAddress.";
    TRANSPORT_MESSAGE_HEADERS = 0x007d_001f, "PidTagTransportMessageHeaders.";
    RECIPIENT_TYPE = 0x0c15_0003, "PidTagRecipientType.";
    SENDER_ENTRY_ID = 0x0c19_0102, "PidTagSenderEntryId.";
    SENDER_NAME = 0x0c1a_001f, "PidTagSenderName.";
    SENDER_SEARCH_KEY = 0x0c1d_0102, "PidTagSenderSearchKey.";
    SENDER_ADDRESS_TYPE = 0x0c1e_001f, "PidTagSenderAddressType.";
    SENDER_EMAIL_ADDRESS = 0x0c1f_001f, "PidTagSenderEmailAddress.";
    DELETE_AFTER_SUBMIT = 0x0e01_000b, "PidTagDeleteAfterSubmit.";
    DISPLAY_BCC = 0x0e02_001f, "PidTagDisplayBcc.";
    DISPLAY_CC = 0x0e03_001f, "PidTagDisplayCc.";
    DISPLAY_TO = 0x0e04_001f, "PidTagDisplayTo.";
    MESSAGE_DELIVERY_TIME = 0x0e06_0040, "PidTagMessageDeliveryTime.";
    MESSAGE_FLAGS = 0x0e07_0003, "PidTagMessageFlags.";
    MESSAGE_SIZE = 0x0e08_0003, "PidTagMessageSize.";
    MESSAGE_SIZE_EXTENDED = 0x0e08_0014, "PidTagMessageSizeExtended.";
    PARENT_ENTRY_ID = 0x0e09_0102, "PidTagParentEntryId.";
    SENT_MAIL_ENTRY_ID = 0x0e0a_0102, "PidTagSentMailEntryId.";
    MESSAGE_RECIPIENTS = 0x0e12_000d, "PidTagMessageRecipients.";
    MESSAGE_ATTACHMENTS = 0x0e13_000d, "PidTagMessageAttachments.";
    SUBMIT_FLAGS = 0x0e14_0003, "PidTagSubmitFlags.";
    MESSAGE_STATUS = 0x0e17_0003, "PidTagMessageStatus.";
    HAS_ATTACHMENTS = 0x0e1b_000b, "PidTagHasAttachments.";
    NORMALIZED_SUBJECT = 0x0e1d_001f, "PidTagNormalizedSubject.";
    RTF_IN_SYNC = 0x0e1f_000b, "PidTagRtfInSync.";
    ATTACH_SIZE = 0x0e20_0003, "PidTagAttachSize.";
    ATTACH_NUMBER = 0x0e21_0003, "PidTagAttachNumber.";
    INTERNET_ARTICLE_NUMBER = 0x0e23_0003, "PidTagInternetArticleNumber.";
    READ = 0x0e69_000b, "PidTagRead.";
    ACCESS = 0x0ff4_0003, "PidTagAccess.";
    ACCESS_LEVEL = 0x0ff7_0003, "PidTagAccessLevel.";
    INSTANCE_KEY = 0x0ff6_0102, "PidTagInstanceKey.";
    MAPPING_SIGNATURE = 0x0ff8_0102, "PidTagMappingSignature.";
    RECORD_KEY = 0x0ff9_0102, "PidTagRecordKey.";
    STORE_RECORD_KEY = 0x0ffa_0102, "PidTagStoreRecordKey.";
    STORE_ENTRY_ID = 0x0ffb_0102, "PidTagStoreEntryId.";
    OBJECT_TYPE = 0x0ffe_0003, "PidTagObjectType.";
    ENTRY_ID = 0x0fff_0102, "PidTagEntryId.";
    BODY = 0x1000_001f, "PidTagBody.";
    RTF_COMPRESSED = 0x1009_0102, "PidTagRtfCompressed.";
    HTML = 0x1013_0102, "PidTagHtml.";
    NATIVE_BODY = 0x1016_0003, "PidTagNativeBody.";
    INTERNET_MESSAGE_ID = 0x1035_001f, "PidTagInternetMessageId.";
    ICON_INDEX = 0x1080_0003, "PidTagIconIndex.";
    LAST_VERB_EXECUTED = 0x1081_0003, "PidTagLastVerbExecuted.";
    FLAG_STATUS = 0x1090_0003, "PidTagFlagStatus.";
    ATTRIBUTE_HIDDEN = 0x10f4_000b, "PidTagAttributeHidden.";
    ROW_ID = 0x3000_0003, "PidTagRowid.";
    DISPLAY_NAME = 0x3001_001f, "PidTagDisplayName.";
    ADDRESS_TYPE = 0x3002_001f, "PidTagAddressType.";
    EMAIL_ADDRESS = 0x3003_001f, "PidTagEmailAddress.";
    COMMENT = 0x3004_001f, "PidTagComment.";
    CREATION_TIME = 0x3007_0040, "PidTagCreationTime.";
    LAST_MODIFICATION_TIME = 0x3008_0040, "PidTagLastModificationTime.";
    DEPTH = 0x3005_0003, "PidTagDepth.";
    SEARCH_KEY = 0x300b_0102, "PidTagSearchKey.";
    TARGET_ENTRY_ID = 0x3010_0102, "PidTagTargetEntryId.";
    STORE_SUPPORT_MASK = 0x340d_0003, "PidTagStoreSupportMask.";
    STORE_STATE = 0x340e_0003, "PidTagStoreState.";
    IPM_SUBTREE_ENTRY_ID = 0x35e0_0102, "PidTagIpmSubtreeEntryId.";
    IPM_OUTBOX_ENTRY_ID = 0x35e2_0102, "PidTagIpmOutboxEntryId.";
    IPM_WASTEBASKET_ENTRY_ID = 0x35e3_0102, "PidTagIpmWastebasketEntryId.";
    IPM_SENT_MAIL_ENTRY_ID = 0x35e4_0102, "PidTagIpmSentMailEntryId.";
    VIEWS_ENTRY_ID = 0x35e5_0102, "PidTagViewsEntryId.";
    COMMON_VIEWS_ENTRY_ID = 0x35e6_0102, "PidTagCommonViewsEntryId.";
    FINDER_ENTRY_ID = 0x35e7_0102, "PidTagFinderEntryId.";
    FOLDER_TYPE = 0x3601_0003, "PidTagFolderType.";
    CONTENT_COUNT = 0x3602_0003, "PidTagContentCount.";
    CONTENT_UNREAD_COUNT = 0x3603_0003, "PidTagContentUnreadCount.";
    SUBFOLDERS = 0x360a_000b, "PidTagSubfolders.";
    CONTAINER_HIERARCHY = 0x360e_000d, "PidTagContainerHierarchy.";
    CONTAINER_CONTENTS = 0x360f_000d, "PidTagContainerContents.";
    FOLDER_ASSOCIATED_CONTENTS = 0x3610_000d, "PidTagFolderAssociatedContents.";
    CONTAINER_CLASS = 0x3613_001f, "PidTagContainerClass.";
    ASSOCIATED_CONTENT_COUNT = 0x3617_0003, "PidTagAssociatedContentCount.";
    IPM_APPOINTMENT_ENTRY_ID = 0x36d0_0102, "PidTagIpmAppointmentEntryId.";
    IPM_CONTACT_ENTRY_ID = 0x36d1_0102, "PidTagIpmContactEntryId.";
    IPM_JOURNAL_ENTRY_ID = 0x36d2_0102, "PidTagIpmJournalEntryId.";
    IPM_NOTE_ENTRY_ID = 0x36d3_0102, "PidTagIpmNoteEntryId.";
    IPM_TASK_ENTRY_ID = 0x36d4_0102, "PidTagIpmTaskEntryId.";
    REMINDERS_ENTRY_ID = 0x36d5_0102, "PidTagRemindersOnlineEntryId.";
    IPM_DRAFTS_ENTRY_ID = 0x36d7_0102, "PidTagIpmDraftsEntryId.";
    ADDITIONAL_REN_ENTRY_IDS = 0x36d8_1102, "PidTagAdditionalRenEntryIds.";
    FREE_BUSY_ENTRY_IDS = 0x36e4_1102, "PidTagFreeBusyEntryIds.";
    ATTACH_DATA = 0x3701_0102, "PidTagAttachDataBinary.";
    ATTACH_DATA_OBJECT = 0x3701_000d, "PidTagAttachDataObject.";
    ATTACH_FILENAME = 0x3704_001f, "PidTagAttachFilename.";
    ATTACH_METHOD = 0x3705_0003, "PidTagAttachMethod.";
    ATTACH_LONG_FILENAME = 0x3707_001f, "PidTagAttachLongFilename.";
    RENDERING_POSITION = 0x370b_0003, "PidTagRenderingPosition.";
    ATTACH_MIME_TAG = 0x370e_001f, "PidTagAttachMimeTag.";
    DISPLAY_TYPE = 0x3900_0003, "PidTagDisplayType.";
    DISPLAY_TYPE_EX = 0x3905_0003, "PidTagDisplayTypeEx.";
    SMTP_ADDRESS = 0x39fe_001f, "PidTagSmtpAddress.";
    ACCOUNT = 0x3a00_001f, "PidTagAccount.";
    GIVEN_NAME = 0x3a06_001f, "PidTagGivenName.";
    SURNAME = 0x3a11_001f, "PidTagSurname.";
    TRANSMITTABLE_DISPLAY_NAME = 0x3a20_001f, "PidTagTransmittableDisplayName.";
    SEND_RICH_INFO = 0x3a40_000b, "PidTagSendRichInfo.";
    ANR = 0x360c_001f, "PidTagAnr.";
    STORAGE_QUOTA_LIMIT = 0x3ff5_0003, "PidTagStorageQuotaLimit, in KiB.";
    INTERNET_CODEPAGE = 0x3fde_0003, "PidTagInternetCodepage.";
    CREATOR_NAME = 0x3ff8_001f, "PidTagCreatorName.";
    LAST_MODIFIER_NAME = 0x3ffa_001f, "PidTagLastModifierName.";
    MESSAGE_CODEPAGE = 0x3ffd_0003, "PidTagMessageCodepage.";
    SENDER_SMTP_ADDRESS = 0x5d01_001f, "PidTagSenderSmtpAddress.";
    SENT_REPRESENTING_SMTP_ADDRESS = 0x5d02_001f, "PidTagSentRepresentingSmtpAddress.";
    RECIPIENT_DISPLAY_NAME = 0x5ff6_001f, "PidTagRecipientDisplayName.";
    RECIPIENT_FLAGS = 0x5ffd_0003, "PidTagRecipientFlags.";
    SOURCE_KEY = 0x65e0_0102, "PidTagSourceKey.";
    PARENT_SOURCE_KEY = 0x65e1_0102, "PidTagParentSourceKey.";
    CHANGE_KEY = 0x65e2_0102, "PidTagChangeKey.";
    PREDECESSOR_CHANGE_LIST = 0x65e3_0102, "PidTagPredecessorChangeList.";
    FOLDER_CHILD_COUNT = 0x6638_0003, "PidTagFolderChildCount.";
    SERIALIZED_REPLID_GUID_MAP = 0x6638_0102, "PidTagSerializedReplidGuidMap, on a store.";
    RIGHTS = 0x6639_0003, "PidTagRights.";
    ADDRESS_BOOK_ENTRY_ID = 0x663b_0102, "PidTagAddressBookEntryId.";
    HIERARCHY_CHANGE_NUMBER = 0x663e_0003, "PidTagHierarchyChangeNumber.";
    MAILBOX_OWNER_ENTRY_ID = 0x661b_0102, "PidTagMailboxOwnerEntryId.";
    MAILBOX_OWNER_NAME = 0x661c_001f, "PidTagMailboxOwnerName.";
    OUT_OF_OFFICE_STATE = 0x661d_000b, "PidTagOutOfOfficeState.";
    USER_ENTRY_ID = 0x6619_0102, "PidTagUserEntryId.";
    PROHIBIT_RECEIVE_QUOTA = 0x666a_0003, "PidTagProhibitReceiveQuota, in KiB.";
    MAX_SUBMIT_MESSAGE_SIZE = 0x666d_0003, "PidTagMaximumSubmitMessageSize, in KiB.";
    PROHIBIT_SEND_QUOTA = 0x666e_0003, "PidTagProhibitSendQuota, in KiB.";
    DELETED_MESSAGE_COUNT = 0x6640_0003, "PidTagDeletedMsgCount: soft-deleted ones.";
    LOCAL_COMMIT_TIME = 0x6709_0040, "PidTagLocalCommitTime.";
    LOCAL_COMMIT_TIME_MAX = 0x670a_0040, "PidTagLocalCommitTimeMax.";
    DELETED_COUNT_TOTAL = 0x670b_0003, "PidTagDeletedCountTotal.";
    SENT_MAIL_SERVER_ID = 0x6740_00fb, "PidTagSentMailSvrEID.";
    FOLDER_ID = 0x6748_0014, "PidTagFolderId.";
    PARENT_FOLDER_ID = 0x6749_0014, "PidTagParentFolderId.";
    MID = 0x674a_0014, "PidTagMid.";
    INST_ID = 0x674d_0014, "PidTagInstID.";
    INSTANCE_NUM = 0x674e_0003, "PidTagInstanceNum.";
    INTERNET_ARTICLE_NUMBER_NEXT = 0x6751_0003, "PidTagInternetArticleNumberNext.";
    CHANGE_NUMBER = 0x67a4_0014, "PidTagChangeNumber.";
    ASSOCIATED = 0x67aa_000b, "PidTagAssociated.";
    MEMBER_ID = 0x6671_0014, "PidTagMemberId.";
    MEMBER_NAME = 0x6672_001f, "PidTagMemberName.";
    MEMBER_RIGHTS = 0x6673_0003, "PidTagMemberRights.";
    RULE_ID = 0x6674_0014, "PidTagRuleId.";
    EMS_AB_PROXY_ADDRESSES = 0x800f_101f, "PidTagAddressBookProxyAddresses.";
    EMS_AB_HOME_MDB = 0x8006_001f, "PidTagAddressBookHomeMessageDatabase.";
    EMS_AB_OBJECT_GUID = 0x8c6d_0102, "PidTagAddressBookObjectGuid.";
    LOCALE_ID = 0x66a1_0003, "PidTagLocaleId.";
    SORT_LOCALE_ID = 0x6705_0003, "PidTagSortLocaleId.";
    CODE_PAGE_ID = 0x66c3_0003, "PidTagCodePageId.";
    IN_CONFLICT = 0x666c_000b, "PidTagInConflict.";
}

/// Bits of PidTagMessageFlags. Source: MS-OXCMSG 2.2.1.6.
pub mod message_flags {
    /// mfRead.
    pub const READ: i32 = 0x1;
    /// mfUnmodified.
    pub const UNMODIFIED: i32 = 0x2;
    /// mfSubmitted.
    pub const SUBMITTED: i32 = 0x4;
    /// mfUnsent.
    pub const UNSENT: i32 = 0x8;
    /// mfHasAttach.
    pub const HAS_ATTACH: i32 = 0x10;
    /// mfFromMe.
    pub const FROM_ME: i32 = 0x20;
    /// mfFAI.
    pub const ASSOCIATED: i32 = 0x40;
    /// mfResend.
    pub const RESEND: i32 = 0x80;
    /// mfNotifyRead: a read receipt is still to be sent.
    pub const NOTIFY_READ: i32 = 0x100;
    /// mfNotifyUnread: a non-read receipt is still to be sent.
    pub const NOTIFY_UNREAD: i32 = 0x200;
    /// mfEverRead.
    pub const EVER_READ: i32 = 0x400;
    /// mfInternet.
    pub const INTERNET: i32 = 0x2000;
    /// What a client may set before the first save. Source: MS-OXCMSG 2.2.1.6.
    pub const SETTABLE: i32 = READ | UNMODIFIED | UNSENT | RESEND | INTERNET | FROM_ME;
}
