//! The property tags the project uses, by their names in MS-OXPROPS.
//!
//! Named properties have fixed local ids here (from 0x8000 on); a store translates them into the ids of its mailbox.
//! Ids from 0x6f00 to 0x6fff are facts that stores keep for the layers above; they never leave the process.

pub use crate::named::tags::*;
use crate::tag::{Tag, kind::*};

macro_rules! tags {
    ($($name:ident: $kind:ident = $id:literal, $doc:literal;)*) => {$(
        #[doc = $doc]
        pub const $name: Tag<$kind> = Tag::new($id);
    )*};
}

tags! {
    // Envelope and content of a message.
    IMPORTANCE: Long = 0x0017, "PidTagImportance: 0 low, 1 normal, 2 high.";
    MESSAGE_CLASS: Str = 0x001a, "PidTagMessageClass, such as IPM.Note.";
    ORIGINATOR_DELIVERY_REPORT_REQUESTED: Boolean = 0x0023, "PidTagOriginatorDeliveryReportRequested.";
    PRIORITY: Long = 0x0026, "PidTagPriority: -1, 0 or 1.";
    READ_RECEIPT_REQUESTED: Boolean = 0x0029, "PidTagReadReceiptRequested.";
    REPLY_TIME: Time = 0x0030, "PidTagReplyTime (Reply-By).";
    SENSITIVITY: Long = 0x0036, "PidTagSensitivity: 0 normal, 1 personal, 2 private, 3 confidential.";
    REPORT_TIME: Time = 0x0032, "PidTagReportTime: when a report's event happened.";
    SUBJECT: Str = 0x0037, "PidTagSubject.";
    CLIENT_SUBMIT_TIME: Time = 0x0039, "PidTagClientSubmitTime (the Date field).";
    SENT_REPRESENTING_SEARCH_KEY: Bin = 0x003b, "PidTagSentRepresentingSearchKey.";
    SENT_REPRESENTING_ENTRY_ID: Bin = 0x0041, "PidTagSentRepresentingEntryId.";
    SUBJECT_PREFIX: Str = 0x003d, "PidTagSubjectPrefix, such as `Re: `.";
    SENT_REPRESENTING_NAME: Str = 0x0042, "PidTagSentRepresentingName (From).";
    ORIGINAL_SUBJECT: Str = 0x0049, "PidTagOriginalSubject: of what a report is about.";
    ORIGINAL_MESSAGE_ID: Str = 0x1046, "PidTagOriginalMessageId: Message-ID of what a report is about.";
    REPLY_RECIPIENT_ENTRIES: Bin = 0x004f, "PidTagReplyRecipientEntries.";
    REPLY_RECIPIENT_NAMES: Str = 0x0050, "PidTagReplyRecipientNames (Reply-To).";
    MESSAGE_TO_ME: Boolean = 0x0057, "PidTagMessageToMe.";
    MESSAGE_CC_ME: Boolean = 0x0058, "PidTagMessageCcMe.";
    MESSAGE_RECIPIENT_ME: Boolean = 0x0059, "PidTagMessageRecipientMe.";
    START_DATE: Time = 0x0060, "PidTagStartDate: of an appointment.";
    END_DATE: Time = 0x0061, "PidTagEndDate: of an appointment.";
    SENT_REPRESENTING_ADDRESS_TYPE: Str = 0x0064, "PidTagSentRepresentingAddressType.";
    SENT_REPRESENTING_EMAIL_ADDRESS: Str = 0x0065, "PidTagSentRepresentingEmailAddress.";
    CONVERSATION_TOPIC: Str = 0x0070, "PidTagConversationTopic.";
    CONVERSATION_INDEX: Bin = 0x0071, "PidTagConversationIndex (Thread-Index).";
    TRANSPORT_MESSAGE_HEADERS: Str = 0x007d, "PidTagTransportMessageHeaders.";
    EXPIRY_TIME: Time = 0x0015, "PidTagExpiryTime (Expires, Expiry-Date).";
    RECIPIENT_TYPE: Long = 0x0c15, "PidTagRecipientType: 1 To, 2 Cc, 3 Bcc.";
    SENDER_ENTRY_ID: Bin = 0x0c19, "PidTagSenderEntryId.";
    SENDER_NAME: Str = 0x0c1a, "PidTagSenderName.";
    SENDER_SEARCH_KEY: Bin = 0x0c1d, "PidTagSenderSearchKey.";
    SENDER_ADDRESS_TYPE: Str = 0x0c1e, "PidTagSenderAddressType.";
    SENDER_EMAIL_ADDRESS: Str = 0x0c1f, "PidTagSenderEmailAddress.";
    SUPPLEMENTARY_INFO: Str = 0x0c1b, "PidTagSupplementaryInfo: a report's text about one recipient.";
    NON_DELIVERY_REPORT_STATUS_CODE: Long = 0x0c20, "PidTagNonDeliveryReportStatusCode: the status `5.1.1` as 511.";
    REMOTE_MESSAGE_TRANSFER_AGENT: Str = 0x0c21, "PidTagRemoteMessageTransferAgent.";
    DISPLAY_BCC: Str = 0x0e02, "PidTagDisplayBcc.";
    DISPLAY_CC: Str = 0x0e03, "PidTagDisplayCc.";
    DISPLAY_TO: Str = 0x0e04, "PidTagDisplayTo.";
    MESSAGE_DELIVERY_TIME: Time = 0x0e06, "PidTagMessageDeliveryTime (IMAP INTERNALDATE).";
    MESSAGE_FLAGS: Long = 0x0e07, "PidTagMessageFlags, see `message_flags`.";
    MESSAGE_SIZE: LongLong = 0x0e08, "PidTagMessageSizeExtended: octets in the store.";
    MESSAGE_STATUS: Long = 0x0e17, "PidTagMessageStatus, see `message_status`.";
    HAS_ATTACHMENTS: Boolean = 0x0e1b, "PidTagHasAttachments.";
    NORMALIZED_SUBJECT: Str = 0x0e1d, "PidTagNormalizedSubject.";
    RTF_IN_SYNC: Boolean = 0x0e1f, "PidTagRtfInSync.";
    ATTACH_SIZE: Long = 0x0e20, "PidTagAttachSize.";
    ATTACH_NUMBER: Long = 0x0e21, "PidTagAttachNumber.";
    INTERNET_ARTICLE_NUMBER: Long = 0x0e23, "PidTagInternetArticleNumber: the item number (its 32 bits).";
    TODO_ITEM_FLAGS: Long = 0x0e2b, "PidTagToDoItemFlags.";
    RECORD_KEY: Bin = 0x0ff9, "PidTagRecordKey.";
    ENTRY_ID: Bin = 0x0fff, "PidTagEntryId.";
    BODY: Str = 0x1000, "PidTagBody: plain text.";
    RTF_COMPRESSED: Bin = 0x1009, "PidTagRtfCompressed.";
    BODY_HTML: Bin = 0x1013, "PidTagHtml: HTML in the code page of PidTagInternetCodepage.";
    NATIVE_BODY: Long = 0x1016, "PidTagNativeBody: 1 plain, 2 RTF, 3 HTML.";
    INTERNET_MESSAGE_ID: Str = 0x1035, "PidTagInternetMessageId.";
    INTERNET_REFERENCES: Str = 0x1039, "PidTagInternetReferences.";
    IN_REPLY_TO_ID: Str = 0x1042, "PidTagInReplyToId.";
    LIST_HELP: Str = 0x1043, "PidTagListHelp.";
    LIST_SUBSCRIBE: Str = 0x1044, "PidTagListSubscribe.";
    LIST_UNSUBSCRIBE: Str = 0x1045, "PidTagListUnsubscribe.";
    ICON_INDEX: Long = 0x1080, "PidTagIconIndex.";
    LAST_VERB_EXECUTED: Long = 0x1081, "PidTagLastVerbExecuted: 102 reply, 103 reply to all, 104 forward.";
    LAST_VERB_EXECUTION_TIME: Time = 0x1082, "PidTagLastVerbExecutionTime.";
    FLAG_STATUS: Long = 0x1090, "PidTagFlagStatus: 1 complete, 2 flagged.";
    FOLLOWUP_ICON: Long = 0x1095, "PidTagFollowupIcon.";
    CREATION_TIME: Time = 0x3007, "PidTagCreationTime.";
    LAST_MODIFICATION_TIME: Time = 0x3008, "PidTagLastModificationTime.";
    CONVERSATION_ID: Bin = 0x3013, "PidTagConversationId.";
    INTERNET_CODEPAGE: Long = 0x3fde, "PidTagInternetCodepage.";
    AUTO_RESPONSE_SUPPRESS: Long = 0x3fdf, "PidTagAutoResponseSuppress.";
    MESSAGE_LOCALE_ID: Long = 0x3ff1, "PidTagMessageLocaleId.";
    CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL: Long = 0x4076, "PidTagContentFilterSpamConfidenceLevel.";
    SENDER_SMTP_ADDRESS: Str = 0x5d01, "PidTagSenderSmtpAddress.";
    SENT_REPRESENTING_SMTP_ADDRESS: Str = 0x5d02, "PidTagSentRepresentingSmtpAddress.";
    DELETED_ON: Time = 0x668f, "PidTagDeletedOn: when an item was softly deleted; only such items have it.";
    REPORTING_MESSAGE_TRANSFER_AGENT: Str = 0x6820, "PidTagReportingMessageTransferAgent.";

    // Recipients and folders.
    ROWID: Long = 0x3000, "PidTagRowid.";
    DISPLAY_NAME: Str = 0x3001, "PidTagDisplayName.";
    ADDRESS_TYPE: Str = 0x3002, "PidTagAddressType.";
    EMAIL_ADDRESS: Str = 0x3003, "PidTagEmailAddress.";
    COMMENT: Str = 0x3004, "PidTagComment.";
    SEARCH_KEY: Bin = 0x300b, "PidTagSearchKey.";
    SMTP_ADDRESS: Str = 0x39fe, "PidTagSmtpAddress.";
    SEND_RICH_INFO: Boolean = 0x3a40, "PidTagSendRichInfo.";
    RECIPIENT_DISPLAY_NAME: Str = 0x5ff6, "PidTagRecipientDisplayName.";
    CONTAINER_CLASS: Str = 0x3613, "PidTagContainerClass, such as IPF.Note.";
    CONTENT_COUNT: Long = 0x3602, "PidTagContentCount.";
    CONTENT_UNREAD_COUNT: Long = 0x3603, "PidTagContentUnreadCount.";
    ATTRIBUTE_HIDDEN: Boolean = 0x10f4, "PidTagAttributeHidden.";

    // Contacts.
    GENERATION: Str = 0x3a05, "PidTagGeneration: what follows a name, such as `Jr.`.";
    GIVEN_NAME: Str = 0x3a06, "PidTagGivenName.";
    BUSINESS_TELEPHONE_NUMBER: Str = 0x3a08, "PidTagBusinessTelephoneNumber.";
    HOME_TELEPHONE_NUMBER: Str = 0x3a09, "PidTagHomeTelephoneNumber.";
    SURNAME: Str = 0x3a11, "PidTagSurname.";
    COMPANY_NAME: Str = 0x3a16, "PidTagCompanyName.";
    TITLE: Str = 0x3a17, "PidTagTitle: of a job.";
    DEPARTMENT_NAME: Str = 0x3a18, "PidTagDepartmentName.";
    MOBILE_TELEPHONE_NUMBER: Str = 0x3a1c, "PidTagMobileTelephoneNumber.";
    BUSINESS_FAX_NUMBER: Str = 0x3a24, "PidTagBusinessFaxNumber.";
    BIRTHDAY: Time = 0x3a42, "PidTagBirthday.";
    MIDDLE_NAME: Str = 0x3a44, "PidTagMiddleName.";
    DISPLAY_NAME_PREFIX: Str = 0x3a45, "PidTagDisplayNamePrefix: what precedes a name, such as `Dr.`.";
    NICKNAME: Str = 0x3a4f, "PidTagNickname.";
    BUSINESS_HOME_PAGE: Str = 0x3a51, "PidTagBusinessHomePage.";

    // Attachments.
    ATTACH_ENCODING: Bin = 0x3702, "PidTagAttachEncoding.";
    ATTACH_EXTENSION: Str = 0x3703, "PidTagAttachExtension.";
    ATTACH_FILENAME: Str = 0x3704, "PidTagAttachFilename.";
    ATTACH_METHOD: Long = 0x3705, "PidTagAttachMethod: 1 by value, 5 embedded message.";
    ATTACH_LONG_FILENAME: Str = 0x3707, "PidTagAttachLongFilename.";
    RENDERING_POSITION: Long = 0x370b, "PidTagRenderingPosition.";
    ATTACH_MIME_TAG: Str = 0x370e, "PidTagAttachMimeTag.";
    ATTACH_CONTENT_ID: Str = 0x3712, "PidTagAttachContentId.";
    ATTACH_CONTENT_LOCATION: Str = 0x3713, "PidTagAttachContentLocation.";
    ATTACH_FLAGS: Long = 0x3714, "PidTagAttachFlags.";
    ATTACHMENT_HIDDEN: Boolean = 0x7ffe, "PidTagAttachmentHidden.";

    // Identity.
    SOURCE_KEY: Bin = 0x65e0, "PidTagSourceKey: the item key.";

    // Facts kept by stores for the layers above (see the module).
    ITEM_VERSION: LongLong = 0x6f01, "The item's version.";
    ITEM_SIZE: LongLong = 0x6f02, "Octets of the message as a client fetches it: prefix and original. Missing as long as the item is not rendered.";
    ORIGINAL: Bin = 0x6f03, "The original bytes after the prefix; only by `Store::read_bytes`, which renders the item.";
    ORIGINAL_SIZE: LongLong = 0x6f04, "Octets of the original; missing when there is none yet.";
    ORIGINAL_PREFIX: Bin = 0x6f05, "Header fields of this copy alone, before the original.";
    DERIVED_RENDERER: Long = 0x6f06, "`Derived::renderer`. Who asks for it has the items rendered: every other fact of them is then there.";
    DERIVED_ENVELOPE: Bin = 0x6f07, "`Derived::envelope`.";
    DERIVED_STRUCTURE: Bin = 0x6f08, "`Derived::structure`.";
    DERIVED_HEADER: Bin = 0x6f09, "`Derived::header`.";
    SUBSCRIPTIONS: Strs = 0x6f0a, "On the mailbox: the folder names its user subscribed to.";
    UNRENDERED_SIZE_MAX: LongLong = 0x6f0b, "On a folder: octets that its items without `ITEM_SIZE` take at most once they are rendered, all together; a bound, never an estimate below. Missing when every item is rendered.";
}

/// Bits of [`MESSAGE_FLAGS`]. Source: MS-OXCMSG 2.2.1.6.
pub mod message_flags {
    /// mfRead.
    pub const READ: i32 = 0x1;
    /// mfUnmodified.
    pub const UNMODIFIED: i32 = 0x2;
    /// mfUnsent: a draft.
    pub const UNSENT: i32 = 0x8;
    /// mfHasAttach.
    pub const HAS_ATTACH: i32 = 0x10;
    /// mfFAI: folder-associated information, not a message for people.
    pub const ASSOCIATED: i32 = 0x40;
    /// mfResend: a report of a message that was not delivered, to be sent again.
    pub const RESEND: i32 = 0x80;
    /// mfInternet: came from the Internet.
    pub const INTERNET: i32 = 0x2000;
}

/// Values of [`FLAG_STATUS`]. Source: MS-OXOFLAG 2.2.1.1.
pub mod flag_status {
    /// followupFlagged: flagged for following up.
    pub const FLAGGED: i32 = 2;
}

/// Values of [`LAST_VERB_EXECUTED`]. Source: MS-OXOMSG 2.2.1 (PidTagLastVerbExecuted).
pub mod last_verb {
    /// NOTEIVERB_REPLYTOSENDER.
    pub const REPLY: i32 = 102;
    /// NOTEIVERB_REPLYTOALL.
    pub const REPLY_ALL: i32 = 103;
    /// NOTEIVERB_FORWARD.
    pub const FORWARD: i32 = 104;
}

/// Bits of [`MESSAGE_STATUS`]. Source: MS-OXCMSG 2.2.1.8.
pub mod message_status {
    /// msDelMarked: marked for deletion, as IMAP's \Deleted.
    pub const DELETE_MARKED: i32 = 0x8;
    /// msAnswered.
    pub const ANSWERED: i32 = 0x200;
    /// msDraft.
    pub const DRAFT: i32 = 0x100;
    /// Forwarded; our own bit, for PidTagLastVerbExecuted holds only one of answered and forwarded.
    pub const FORWARDED: i32 = 0x10000;
    /// msMDNSent.
    pub const MDN_SENT: i32 = 0x4000;
}
