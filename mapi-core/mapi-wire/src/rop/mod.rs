//! Remote operations (ROPs): requests, responses, and the buffers they travel in. Source: MS-OXCROPS 2.2.
//!
//! A [`RequestBuffer`] is one batch: requests in order and a table of handles. A request names slots of that table: what
//! it acts on, and where the handle of what it opens goes; a later request of the same batch may act on that. An empty
//! slot holds [`NO_HANDLE`].
//!
//! A [`ResponseBuffer`] cannot be decoded alone: rows come without their tags, and a failed ROP has other fields than
//! one that succeeded. So decoding takes the batch it answers and a [`Session`], which remembers the columns of every
//! table across batches.
//!
//! Names are those of the documents without "Rop" in front. Numbers that are a set of bits or a choice stay numbers, as
//! a peer may send others; the values are constants of the request or of a module beside it. A boolean is any octet but
//! 0, and is written as 1.

mod attachment;
mod batch;
mod event;
mod failure;
mod fast_transfer;
mod field;
mod folder;
mod layout;
mod logon;
mod message;
mod notification;
mod permission;
mod property;
mod release;
mod rule;
mod session;
mod special;
mod store;
mod stream;
mod synchronization;
mod table;
mod table_event;
mod transport;

pub use self::{
    attachment::*,
    batch::{NO_HANDLE, RequestBuffer, ResponseBuffer},
    event::*,
    failure::{Details, Failed, GetBufferRest},
    fast_transfer::*,
    folder::*,
    logon::*,
    message::*,
    notification::*,
    permission::*,
    property::*,
    release::*,
    rule::*,
    session::{Kind, Object, Session},
    special::{Backoff, BackoffRop, BufferTooSmall, Pending},
    store::*,
    stream::*,
    synchronization::*,
    table::*,
    table_event::*,
    transport::*,
};
use self::{
    field::Context,
    layout::{Answer, Ask, Slots},
};
use crate::cursor::{Reader, Result, Writer};

/// Makes the enums over all ROPs; every ROP but RopRelease has a response.
macro_rules! all {
    ($($name:ident $answer:ident),+ $(,)?) => {
        /// One request of a batch.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request {
            /// [`Release`].
            Release(Release),
            $(
                #[doc = concat!("[`", stringify!($name), "`].")]
                $name($name),
            )+
        }

        /// One response of a batch.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Response {
            /// A ROP failed.
            Failed(Failed),
            /// [`Notify`]: answers no request.
            Notify(Notify),
            /// [`Pending`]: answers no request.
            Pending(Pending),
            /// [`Backoff`]: answers no request.
            Backoff(Backoff),
            /// [`BufferTooSmall`]: stands for all remaining responses.
            BufferTooSmall(BufferTooSmall),
            $(
                #[doc = concat!("[`", stringify!($name), "`] succeeded.")]
                $name($answer),
            )+
        }

        impl Request {
            /// RopId.
            pub const fn rop_id(&self) -> u8 {
                match self {
                    Self::Release(_) => Release::ROP_ID,
                    $(Self::$name(_) => $name::ROP_ID,)+
                }
            }

            /// The logon it is for.
            pub fn logon_id(&self) -> u8 {
                match self {
                    Self::Release(ask) => ask.logon_id(),
                    $(Self::$name(ask) => ask.logon_id(),)+
                }
            }

            fn slots(&self) -> Slots {
                match self {
                    Self::Release(ask) => ask.slots(),
                    $(Self::$name(ask) => ask.slots(),)+
                }
            }

            fn read(reader: &mut Reader<'_>, context: Context<'_>) -> Result<Self> {
                let unknown = reader.error("the RopId of a request");
                Ok(match reader.u8("the RopId of a request")? {
                    Release::ROP_ID => Self::Release(Ask::read(reader, context)?),
                    $($name::ROP_ID => Self::$name(Ask::read(reader, context)?),)+
                    _ => return Err(unknown),
                })
            }

            fn write(&self, writer: &mut Writer) {
                writer.u8(self.rop_id());
                match self {
                    Self::Release(ask) => ask.write(writer),
                    $(Self::$name(ask) => ask.write(writer),)+
                }
            }
        }

        impl Response {
            /// Reads the response of a ROP that succeeded, from behind ReturnValue.
            fn read(
                rop_id: u8,
                reader: &mut Reader<'_>,
                index: u8,
                context: Context<'_>,
            ) -> Result<Self> {
                Ok(match rop_id {
                    $($name::ROP_ID => Self::$name(Answer::read(reader, index, context)?),)+
                    _ => return Err(reader.error("fields of a known response")),
                })
            }

            /// RopId as it stands on the wire: RopGetMessageStatus is answered with that of RopSetMessageStatus.
            pub const fn rop_id(&self) -> u8 {
                match self {
                    Self::Failed(failed) => failed.rop_id,
                    Self::Notify(_) => special::id::NOTIFY,
                    Self::Pending(_) => special::id::PENDING,
                    Self::Backoff(_) => special::id::BACKOFF,
                    Self::BufferTooSmall(_) => special::id::BUFFER_TOO_SMALL,
                    $(Self::$name(_) => response_id($name::ROP_ID),)+
                }
            }

            fn write(&self, writer: &mut Writer) {
                match self {
                    Self::Failed(failed) => {
                        write_head(writer, failed.rop_id, failed.index, failed.code);
                        failed.write(writer);
                    }
                    Self::Notify(notify) => {
                        writer.u8(special::id::NOTIFY);
                        notify.write(writer);
                    }
                    Self::Pending(pending) => {
                        writer.u8(special::id::PENDING);
                        pending.write(writer);
                    }
                    Self::Backoff(backoff) => {
                        writer.u8(special::id::BACKOFF);
                        backoff.write(writer);
                    }
                    Self::BufferTooSmall(too_small) => {
                        writer.u8(special::id::BUFFER_TOO_SMALL);
                        too_small.write(writer);
                    }
                    $(Self::$name(answer) => {
                        write_head(writer, self.rop_id(), answer.index(), answer.code());
                        answer.write(writer);
                    })+
                }
            }
        }

        /// What the documents call a ROP, without "Rop" in front. RopIds of responses only are among them.
        pub const fn name(rop_id: u8) -> Option<&'static str> {
            Some(match rop_id {
                Release::ROP_ID => "Release",
                special::id::NOTIFY => "Notify",
                special::id::PENDING => "Pending",
                special::id::BACKOFF => "Backoff",
                special::id::BUFFER_TOO_SMALL => "BufferTooSmall",
                $($name::ROP_ID => stringify!($name),)+
                _ => return None,
            })
        }

        $(
            impl From<$name> for Request {
                fn from(ask: $name) -> Self {
                    Self::$name(ask)
                }
            }

            impl From<$answer> for Response {
                fn from(answer: $answer) -> Self {
                    Self::$name(answer)
                }
            }

            /// The successful response, or back what it is instead.
            impl TryFrom<Response> for $answer {
                type Error = Response;

                fn try_from(response: Response) -> Result<Self, Response> {
                    match response {
                        Response::$name(answer) => Ok(answer),
                        other => Err(other),
                    }
                }
            }
        )+
    };
}

all! {
    OpenFolder OpenFolderResponse,
    OpenMessage OpenMessageResponse,
    GetHierarchyTable GetHierarchyTableResponse,
    GetContentsTable GetContentsTableResponse,
    CreateMessage CreateMessageResponse,
    GetPropertiesSpecific GetPropertiesSpecificResponse,
    GetPropertiesAll GetPropertiesAllResponse,
    GetPropertiesList GetPropertiesListResponse,
    SetProperties SetPropertiesResponse,
    DeleteProperties DeletePropertiesResponse,
    SaveChangesMessage SaveChangesMessageResponse,
    RemoveAllRecipients RemoveAllRecipientsResponse,
    ModifyRecipients ModifyRecipientsResponse,
    ReadRecipients ReadRecipientsResponse,
    ReloadCachedInformation ReloadCachedInformationResponse,
    SetMessageReadFlag SetMessageReadFlagResponse,
    SetColumns SetColumnsResponse,
    SortTable SortTableResponse,
    Restrict RestrictResponse,
    QueryRows QueryRowsResponse,
    GetStatus GetStatusResponse,
    QueryPosition QueryPositionResponse,
    SeekRow SeekRowResponse,
    SeekRowBookmark SeekRowBookmarkResponse,
    SeekRowFractional SeekRowFractionalResponse,
    CreateBookmark CreateBookmarkResponse,
    CreateFolder CreateFolderResponse,
    DeleteFolder DeleteFolderResponse,
    DeleteMessages DeleteMessagesResponse,
    GetMessageStatus GetMessageStatusResponse,
    SetMessageStatus SetMessageStatusResponse,
    GetAttachmentTable GetAttachmentTableResponse,
    OpenAttachment OpenAttachmentResponse,
    CreateAttachment CreateAttachmentResponse,
    DeleteAttachment DeleteAttachmentResponse,
    SaveChangesAttachment SaveChangesAttachmentResponse,
    SetReceiveFolder SetReceiveFolderResponse,
    GetReceiveFolder GetReceiveFolderResponse,
    RegisterNotification RegisterNotificationResponse,
    OpenStream OpenStreamResponse,
    ReadStream ReadStreamResponse,
    WriteStream WriteStreamResponse,
    SeekStream SeekStreamResponse,
    SetStreamSize SetStreamSizeResponse,
    SetSearchCriteria SetSearchCriteriaResponse,
    GetSearchCriteria GetSearchCriteriaResponse,
    SubmitMessage SubmitMessageResponse,
    MoveCopyMessages MoveCopyMessagesResponse,
    AbortSubmit AbortSubmitResponse,
    MoveFolder MoveFolderResponse,
    CopyFolder CopyFolderResponse,
    QueryColumnsAll QueryColumnsAllResponse,
    Abort AbortResponse,
    CopyTo CopyToResponse,
    CopyToStream CopyToStreamResponse,
    CloneStream CloneStreamResponse,
    GetPermissionsTable GetPermissionsTableResponse,
    GetRulesTable GetRulesTableResponse,
    ModifyPermissions ModifyPermissionsResponse,
    ModifyRules ModifyRulesResponse,
    GetOwningServers GetOwningServersResponse,
    LongTermIdFromId LongTermIdFromIdResponse,
    IdFromLongTermId IdFromLongTermIdResponse,
    PublicFolderIsGhosted PublicFolderIsGhostedResponse,
    OpenEmbeddedMessage OpenEmbeddedMessageResponse,
    SetSpooler SetSpoolerResponse,
    SpoolerLockMessage SpoolerLockMessageResponse,
    GetAddressTypes GetAddressTypesResponse,
    TransportSend TransportSendResponse,
    FastTransferSourceCopyMessages FastTransferSourceCopyMessagesResponse,
    FastTransferSourceCopyFolder FastTransferSourceCopyFolderResponse,
    FastTransferSourceCopyTo FastTransferSourceCopyToResponse,
    FastTransferSourceGetBuffer FastTransferSourceGetBufferResponse,
    FindRow FindRowResponse,
    Progress ProgressResponse,
    TransportNewMail TransportNewMailResponse,
    GetValidAttachments GetValidAttachmentsResponse,
    FastTransferDestinationConfigure FastTransferDestinationConfigureResponse,
    FastTransferDestinationPutBuffer FastTransferDestinationPutBufferResponse,
    GetNamesFromPropertyIds GetNamesFromPropertyIdsResponse,
    GetPropertyIdsFromNames GetPropertyIdsFromNamesResponse,
    UpdateDeferredActionMessages UpdateDeferredActionMessagesResponse,
    EmptyFolder EmptyFolderResponse,
    ExpandRow ExpandRowResponse,
    CollapseRow CollapseRowResponse,
    LockRegionStream LockRegionStreamResponse,
    UnlockRegionStream UnlockRegionStreamResponse,
    CommitStream CommitStreamResponse,
    GetStreamSize GetStreamSizeResponse,
    QueryNamedProperties QueryNamedPropertiesResponse,
    GetPerUserLongTermIds GetPerUserLongTermIdsResponse,
    GetPerUserGuid GetPerUserGuidResponse,
    ReadPerUserInformation ReadPerUserInformationResponse,
    WritePerUserInformation WritePerUserInformationResponse,
    SetReadFlags SetReadFlagsResponse,
    CopyProperties CopyPropertiesResponse,
    GetReceiveFolderTable GetReceiveFolderTableResponse,
    FastTransferSourceCopyProperties FastTransferSourceCopyPropertiesResponse,
    GetCollapseState GetCollapseStateResponse,
    SetCollapseState SetCollapseStateResponse,
    GetTransportFolder GetTransportFolderResponse,
    OptionsData OptionsDataResponse,
    SynchronizationConfigure SynchronizationConfigureResponse,
    SynchronizationImportMessageChange SynchronizationImportMessageChangeResponse,
    SynchronizationImportHierarchyChange SynchronizationImportHierarchyChangeResponse,
    SynchronizationImportDeletes SynchronizationImportDeletesResponse,
    SynchronizationUploadStateStreamBegin SynchronizationUploadStateStreamBeginResponse,
    SynchronizationUploadStateStreamContinue SynchronizationUploadStateStreamContinueResponse,
    SynchronizationUploadStateStreamEnd SynchronizationUploadStateStreamEndResponse,
    SynchronizationImportMessageMove SynchronizationImportMessageMoveResponse,
    SetPropertiesNoReplicate SetPropertiesNoReplicateResponse,
    DeletePropertiesNoReplicate DeletePropertiesNoReplicateResponse,
    GetStoreState GetStoreStateResponse,
    SynchronizationOpenCollector SynchronizationOpenCollectorResponse,
    GetLocalReplicaIds GetLocalReplicaIdsResponse,
    SynchronizationImportReadStateChanges SynchronizationImportReadStateChangesResponse,
    ResetTable ResetTableResponse,
    SynchronizationGetTransferState SynchronizationGetTransferStateResponse,
    TellVersion TellVersionResponse,
    FreeBookmark FreeBookmarkResponse,
    WriteAndCommitStream WriteAndCommitStreamResponse,
    HardDeleteMessages HardDeleteMessagesResponse,
    HardDeleteMessagesAndSubfolders HardDeleteMessagesAndSubfoldersResponse,
    SetLocalReplicaMidsetDeleted SetLocalReplicaMidsetDeletedResponse,
    FastTransferDestinationPutBufferExtended FastTransferDestinationPutBufferExtendedResponse,
    WriteStreamExtended WriteStreamExtendedResponse,
    Logon LogonResponse,
}

impl From<Release> for Request {
    fn from(ask: Release) -> Self {
        Self::Release(ask)
    }
}

impl Request {
    /// How many octets it takes in a batch. Cost: it is written once.
    pub fn encoded_len(&self) -> usize {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.len()
    }
}

/// The RopId that the response of a ROP has: its own, but for RopGetMessageStatus. Source: MS-OXCROPS 2.2.6.9.2.
const fn response_id(rop_id: u8) -> u8 {
    match rop_id {
        GetMessageStatus::ROP_ID => SetMessageStatus::ROP_ID,
        rop_id => rop_id,
    }
}

fn write_head(writer: &mut Writer, rop_id: u8, index: u8, code: u32) {
    writer.u8(rop_id);
    writer.u8(index);
    writer.u32(code);
}
