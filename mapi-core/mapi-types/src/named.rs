//! Named properties with local ids that are the same in every mailbox, and the property sets they are in.
//!
//! [`KNOWN`] says which name each of these ids stands for; a store translates them. Ids are never given to another name.
//! Source: MS-OXPROPS 1.3.2 (property sets), MS-OXCPRPT 2.2.12.

/// PS_MAPI: its numbers are the ids of unnamed properties.
pub const PS_MAPI: [u8; 16] = com(0x0002_0328);
/// PS_PUBLIC_STRINGS.
pub const PS_PUBLIC_STRINGS: [u8; 16] = com(0x0002_0329);
/// PS_INTERNET_HEADERS.
pub const PS_INTERNET_HEADERS: [u8; 16] = com(0x0002_0386);
/// PSETID_Appointment.
pub const PSETID_APPOINTMENT: [u8; 16] = com(0x0006_2002);
/// PSETID_Task.
pub const PSETID_TASK: [u8; 16] = com(0x0006_2003);
/// PSETID_Address.
pub const PSETID_ADDRESS: [u8; 16] = com(0x0006_2004);
/// PSETID_Common.
pub const PSETID_COMMON: [u8; 16] = com(0x0006_2008);
/// PSETID_Note.
pub const PSETID_NOTE: [u8; 16] = com(0x0006_200e);
/// PSETID_Meeting.
pub const PSETID_MEETING: [u8; 16] = [
    0x90, 0xda, 0xd8, 0x6e, 0x0b, 0x45, 0x1b, 0x10, 0x98, 0xda, 0x00, 0xaa, 0x00, 0x3f, 0x13, 0x05,
];

/// A name with the local id it has in every mailbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KnownName {
    /// The property set, in wire order.
    pub set: [u8; 16],
    /// The name within the set.
    pub name: NameInSet,
    /// The local id.
    pub id: u16,
}

/// A name within a property set. Source: MS-OXCDATA 2.6.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NameInSet {
    /// A number (MNID_ID).
    Lid(u32),
    /// A string (MNID_STRING).
    Text(&'static str),
}

macro_rules! known {
    ($($set:ident { $($name:ident: $kind:ident = $within:tt => $id:literal, $doc:literal;)* })*) => {
        /// Their tags.
        pub mod tags {
            use crate::tag::{Tag, kind::*};

            $($(
                #[doc = $doc]
                pub const $name: Tag<$kind> = Tag::new($id);
            )*)*
        }

        /// Every name with a fixed local id.
        pub const KNOWN: &[KnownName] = &[$($(KnownName {
            set: $set,
            name: known!(@ $within),
            id: $id,
        },)*)*];
    };
    (@ [$text:literal]) => { NameInSet::Text($text) };
    (@ ($lid:literal)) => { NameInSet::Lid($lid) };
}

known! {
    PS_PUBLIC_STRINGS {
        KEYWORDS: Strs = ["Keywords"] => 0x8000, "PidNameKeywords: categories.";
    }

    PS_INTERNET_HEADERS {
        CONTENT_CLASS: Str = ["Content-Class"] => 0x8002, "PidNameContentClass.";
        ACCEPT_LANGUAGE: Str = ["Accept-Language"] => 0x8003, "PidNameAcceptLanguage.";
    }

    // Appointments. Source: MS-OXOCAL 2.2.1.
    PSETID_APPOINTMENT {
        APPOINTMENT_SEQUENCE: Long = (0x8201) => 0x8100, "PidLidAppointmentSequence.";
        BUSY_STATUS: Long = (0x8205) => 0x8101, "PidLidBusyStatus: 0 free, 1 tentative, 2 busy, 3 out of office, 4 working elsewhere.";
        LOCATION: Str = (0x8208) => 0x8102, "PidLidLocation.";
        APPOINTMENT_START_WHOLE: Time = (0x820d) => 0x8103, "PidLidAppointmentStartWhole.";
        APPOINTMENT_END_WHOLE: Time = (0x820e) => 0x8104, "PidLidAppointmentEndWhole.";
        APPOINTMENT_DURATION: Long = (0x8213) => 0x8105, "PidLidAppointmentDuration, in minutes.";
        APPOINTMENT_SUB_TYPE: Boolean = (0x8215) => 0x8106, "PidLidAppointmentSubType: all day.";
        APPOINTMENT_RECUR: Bin = (0x8216) => 0x8107, "PidLidAppointmentRecur.";
        APPOINTMENT_STATE_FLAGS: Long = (0x8217) => 0x8108, "PidLidAppointmentStateFlags: 1 meeting, 2 received, 4 canceled.";
        RESPONSE_STATUS: Long = (0x8218) => 0x8109, "PidLidResponseStatus.";
        RECURRING: Boolean = (0x8223) => 0x810a, "PidLidRecurring.";
        RECURRENCE_TYPE: Long = (0x8231) => 0x810b, "PidLidRecurrenceType.";
        RECURRENCE_PATTERN: Str = (0x8232) => 0x810c, "PidLidRecurrencePattern: in words.";
        TIME_ZONE_STRUCT: Bin = (0x8233) => 0x810d, "PidLidTimeZoneStruct.";
        CLIP_START: Time = (0x8235) => 0x810e, "PidLidClipStart.";
        CLIP_END: Time = (0x8236) => 0x810f, "PidLidClipEnd.";
    }

    // Meetings. Source: MS-OXOCAL 2.2.1.27, 2.2.1.28.
    PSETID_MEETING {
        GLOBAL_OBJECT_ID: Bin = (0x0003) => 0x8180, "PidLidGlobalObjectId.";
        CLEAN_GLOBAL_OBJECT_ID: Bin = (0x0023) => 0x8181, "PidLidCleanGlobalObjectId.";
    }

    // What several kinds of items have. Source: MS-OXCMSG 2.2.1, MS-OXORMDR 2.2.1.
    PSETID_COMMON {
        FLAG_REQUEST: Str = (0x8530) => 0x8001, "PidLidFlagRequest.";
        REMINDER_DELTA: Long = (0x8501) => 0x8200, "PidLidReminderDelta, in minutes.";
        REMINDER_TIME: Time = (0x8502) => 0x8201, "PidLidReminderTime.";
        REMINDER_SET: Boolean = (0x8503) => 0x8202, "PidLidReminderSet.";
        PRIVATE: Boolean = (0x8506) => 0x8203, "PidLidPrivate.";
        SIDE_EFFECTS: Long = (0x8510) => 0x8204, "PidLidSideEffects.";
        COMMON_START: Time = (0x8516) => 0x8205, "PidLidCommonStart.";
        COMMON_END: Time = (0x8517) => 0x8206, "PidLidCommonEnd.";
        TASK_MODE: Long = (0x8518) => 0x8207, "PidLidTaskMode.";
        REMINDER_SIGNAL_TIME: Time = (0x8560) => 0x8208, "PidLidReminderSignalTime.";
    }

    // Tasks. Source: MS-OXOTASK 2.2.2.2.
    PSETID_TASK {
        TASK_STATUS: Long = (0x8101) => 0x8300, "PidLidTaskStatus: 0 not started, 1 in progress, 2 complete, 3 waiting, 4 deferred.";
        PERCENT_COMPLETE: Double = (0x8102) => 0x8301, "PidLidPercentComplete, from 0 to 1.";
        TEAM_TASK: Boolean = (0x8103) => 0x8302, "PidLidTeamTask.";
        TASK_START_DATE: Time = (0x8104) => 0x8303, "PidLidTaskStartDate: midnight UTC of a local date.";
        TASK_DUE_DATE: Time = (0x8105) => 0x8304, "PidLidTaskDueDate: midnight UTC of a local date.";
        TASK_DATE_COMPLETED: Time = (0x810f) => 0x8305, "PidLidTaskDateCompleted: midnight UTC of a local date.";
        TASK_ACTUAL_EFFORT: Long = (0x8110) => 0x8306, "PidLidTaskActualEffort, in minutes.";
        TASK_ESTIMATED_EFFORT: Long = (0x8111) => 0x8307, "PidLidTaskEstimatedEffort, in minutes.";
        TASK_VERSION: Long = (0x8112) => 0x8308, "PidLidTaskVersion.";
        TASK_STATE: Long = (0x8113) => 0x8309, "PidLidTaskState.";
        TASK_COMPLETE: Boolean = (0x811c) => 0x830a, "PidLidTaskComplete.";
        TASK_OWNER: Str = (0x811f) => 0x830b, "PidLidTaskOwner.";
        TASK_ORDINAL: Long = (0x8123) => 0x830c, "PidLidTaskOrdinal.";
        TASK_F_RECURRING: Boolean = (0x8126) => 0x830d, "PidLidTaskFRecurring.";
        TASK_OWNERSHIP: Long = (0x8129) => 0x830e, "PidLidTaskOwnership.";
        TASK_ACCEPTANCE_STATE: Long = (0x812a) => 0x830f, "PidLidTaskAcceptanceState.";
    }

    // Contacts. Source: MS-OXOCNTC 2.2.1.
    PSETID_ADDRESS {
        FILE_UNDER: Str = (0x8005) => 0x8400, "PidLidFileUnder.";
        FILE_UNDER_ID: Long = (0x8006) => 0x8401, "PidLidFileUnderId.";
        WORK_ADDRESS: Str = (0x801b) => 0x8402, "PidLidWorkAddress: the whole of it.";
        POSTAL_ADDRESS_ID: Long = (0x8022) => 0x8403, "PidLidPostalAddressId: 1 home, 2 work, 3 other.";
        WORK_ADDRESS_STREET: Str = (0x8045) => 0x8405, "PidLidWorkAddressStreet.";
        WORK_ADDRESS_CITY: Str = (0x8046) => 0x8406, "PidLidWorkAddressCity.";
        WORK_ADDRESS_STATE: Str = (0x8047) => 0x8407, "PidLidWorkAddressState.";
        WORK_ADDRESS_POSTAL_CODE: Str = (0x8048) => 0x8408, "PidLidWorkAddressPostalCode.";
        WORK_ADDRESS_COUNTRY: Str = (0x8049) => 0x8409, "PidLidWorkAddressCountry.";
        EMAIL1_DISPLAY_NAME: Str = (0x8080) => 0x840a, "PidLidEmail1DisplayName.";
        EMAIL1_ADDRESS_TYPE: Str = (0x8082) => 0x840b, "PidLidEmail1AddressType.";
        EMAIL1_EMAIL_ADDRESS: Str = (0x8083) => 0x840c, "PidLidEmail1EmailAddress.";
        EMAIL1_ORIGINAL_DISPLAY_NAME: Str = (0x8084) => 0x840d, "PidLidEmail1OriginalDisplayName.";
        EMAIL1_ORIGINAL_ENTRY_ID: Bin = (0x8085) => 0x840e, "PidLidEmail1OriginalEntryId.";
        EMAIL2_DISPLAY_NAME: Str = (0x8090) => 0x840f, "PidLidEmail2DisplayName.";
        EMAIL2_ADDRESS_TYPE: Str = (0x8092) => 0x8410, "PidLidEmail2AddressType.";
        EMAIL2_EMAIL_ADDRESS: Str = (0x8093) => 0x8411, "PidLidEmail2EmailAddress.";
        EMAIL2_ORIGINAL_DISPLAY_NAME: Str = (0x8094) => 0x8412, "PidLidEmail2OriginalDisplayName.";
        EMAIL2_ORIGINAL_ENTRY_ID: Bin = (0x8095) => 0x8413, "PidLidEmail2OriginalEntryId.";
        EMAIL3_DISPLAY_NAME: Str = (0x80a0) => 0x8414, "PidLidEmail3DisplayName.";
        EMAIL3_ADDRESS_TYPE: Str = (0x80a2) => 0x8415, "PidLidEmail3AddressType.";
        EMAIL3_EMAIL_ADDRESS: Str = (0x80a3) => 0x8416, "PidLidEmail3EmailAddress.";
        EMAIL3_ORIGINAL_DISPLAY_NAME: Str = (0x80a4) => 0x8417, "PidLidEmail3OriginalDisplayName.";
        EMAIL3_ORIGINAL_ENTRY_ID: Bin = (0x80a5) => 0x8418, "PidLidEmail3OriginalEntryId.";
    }

    // Notes. Source: MS-OXONOTE 2.2.1.
    PSETID_NOTE {
        NOTE_COLOR: Long = (0x8b00) => 0x8500, "PidLidNoteColor: 0 blue, 1 green, 2 pink, 3 yellow, 4 white.";
        NOTE_WIDTH: Long = (0x8b02) => 0x8501, "PidLidNoteWidth, in pixels.";
        NOTE_HEIGHT: Long = (0x8b03) => 0x8502, "PidLidNoteHeight, in pixels.";
        NOTE_X: Long = (0x8b04) => 0x8503, "PidLidNoteX, in pixels.";
        NOTE_Y: Long = (0x8b05) => 0x8504, "PidLidNoteY, in pixels.";
    }
}

/// The name of a local id, if it is a fixed one.
pub fn known_name(id: u16) -> Option<&'static KnownName> {
    KNOWN.iter().find(|known| known.id == id)
}

/// A property set of the form {xxxxxxxx-0000-0000-C000-000000000046}, in wire order.
const fn com(first: u32) -> [u8; 16] {
    let [a, b, c, d] = first.to_le_bytes();
    [a, b, c, d, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_one_to_one() {
        for (place, known) in KNOWN.iter().enumerate() {
            assert_eq!(known_name(known.id), Some(known));
            let others = KNOWN.iter().take(place);
            let same = |other: &&KnownName| (other.set, other.name) == (known.set, known.name);
            assert_eq!(others.filter(|other| same(other)).count(), 0, "{known:x?}");
        }
    }
}
