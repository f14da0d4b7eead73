//! Preconditions and postconditions: the elements that an `error` body names a refusal with (RFC 4918 16).

use http::StatusCode;

use crate::name::names;

names! {
    /// A precondition or postcondition of the protocols.
    Condition {
        // WebDAV.
        LockTokenMatchesRequestUri = Dav "lock-token-matches-request-uri", "RFC 4918 16.";
        LockTokenSubmitted = Dav "lock-token-submitted", "RFC 4918 16: names the locked resources.";
        NoConflictingLock = Dav "no-conflicting-lock", "RFC 4918 16: names the locked resources.";
        NoExternalEntities = Dav "no-external-entities", "RFC 4918 16.";
        PreservedLiveProperties = Dav "preserved-live-properties", "RFC 4918 16.";
        PropfindFiniteDepth = Dav "propfind-finite-depth", "RFC 4918 16.";
        CannotModifyProtectedProperty = Dav "cannot-modify-protected-property", "RFC 4918 16.";
        SupportedReport = Dav "supported-report", "RFC 3253 3.6.";
        ResourceMustBeNull = Dav "resource-must-be-null", "RFC 4791 5.3.1.1.";
        QuotaNotExceeded = Dav "quota-not-exceeded", "RFC 4331 6.";
        SufficientDiskSpace = Dav "sufficient-disk-space", "RFC 4331 6.";
        ValidResourceType = Dav "valid-resourcetype", "RFC 5689 3.3.";
        ValidSyncToken = Dav "valid-sync-token", "RFC 6578 3.2.";
        SyncTraversalSupported = Dav "sync-traversal-supported", "RFC 6578 3.3.";
        NumberOfMatchesWithinLimits = Dav "number-of-matches-within-limits", "RFC 3744 9.2.";
        // Access control.
        NeedPrivileges = Dav "need-privileges", "RFC 3744 7.1.1: names resources and privileges.";
        NoAceConflict = Dav "no-ace-conflict", "RFC 3744 8.1.1.";
        NoProtectedAceConflict = Dav "no-protected-ace-conflict", "RFC 3744 8.1.1.";
        NoInheritedAceConflict = Dav "no-inherited-ace-conflict", "RFC 3744 8.1.1.";
        LimitedNumberOfAces = Dav "limited-number-of-aces", "RFC 3744 8.1.1.";
        DenyBeforeGrant = Dav "deny-before-grant", "RFC 3744 8.1.1.";
        GrantOnly = Dav "grant-only", "RFC 3744 8.1.1.";
        NoInvert = Dav "no-invert", "RFC 3744 8.1.1.";
        NoAbstract = Dav "no-abstract", "RFC 3744 8.1.1.";
        NotSupportedPrivilege = Dav "not-supported-privilege", "RFC 3744 8.1.1.";
        MissingRequiredPrincipal = Dav "missing-required-principal", "RFC 3744 8.1.1.";
        RecognizedPrincipal = Dav "recognized-principal", "RFC 3744 8.1.1.";
        AllowedPrincipal = Dav "allowed-principal", "RFC 3744 8.1.1.";
        // CalDAV.
        CalendarCollectionLocationOk = CalDav "calendar-collection-location-ok", "RFC 4791 5.3.1.1.";
        InitializeCalendarCollection = CalDav "initialize-calendar-collection", "RFC 4791 5.3.1.1.";
        SupportedCalendarData = CalDav "supported-calendar-data", "RFC 4791 5.3.2.1.";
        ValidCalendarData = CalDav "valid-calendar-data", "RFC 4791 5.3.2.1.";
        ValidCalendarObjectResource = CalDav "valid-calendar-object-resource", "RFC 4791 5.3.2.1.";
        SupportedCalendarComponent = CalDav "supported-calendar-component", "RFC 4791 5.3.2.1.";
        CalendarNoUidConflict = CalDav "no-uid-conflict", "RFC 4791 5.3.2.1: names the other object.";
        CalendarMaxResourceSize = CalDav "max-resource-size", "RFC 4791 5.3.2.1.";
        MinDateTime = CalDav "min-date-time", "RFC 4791 5.3.2.1.";
        MaxDateTime = CalDav "max-date-time", "RFC 4791 5.3.2.1.";
        MaxInstances = CalDav "max-instances", "RFC 4791 5.3.2.1.";
        MaxAttendeesPerInstance = CalDav "max-attendees-per-instance", "RFC 4791 5.3.2.1.";
        ValidFilter = CalDav "valid-filter", "RFC 4791 7.8.";
        CalendarSupportedFilter = CalDav "supported-filter", "RFC 4791 7.8.";
        CalendarSupportedCollation = CalDav "supported-collation", "RFC 4791 7.8.";
        ValidTimezone = CalDav "valid-timezone", "RFC 7809 5.2.";
        // Scheduling.
        UniqueSchedulingObjectResource = CalDav "unique-scheduling-object-resource", "RFC 6638 3.2.4.1.";
        SameOrganizerInAllComponents = CalDav "same-organizer-in-all-components", "RFC 6638 3.2.4.2.";
        AllowedOrganizerChange = CalDav "allowed-organizer-scheduling-object-change", "RFC 6638 3.2.4.3.";
        AllowedAttendeeChange = CalDav "allowed-attendee-scheduling-object-change", "RFC 6638 3.2.4.4.";
        DefaultCalendarNeeded = CalDav "default-calendar-needed", "RFC 6638 4.3.1.1.";
        ValidScheduleDefaultCalendarUrl = CalDav "valid-schedule-default-calendar-URL", "RFC 6638 4.3.1.2.";
        ValidSchedulingMessage = CalDav "valid-scheduling-message", "RFC 6638 5.2.1.";
        ValidOrganizer = CalDav "valid-organizer", "RFC 6638 5.2.2.";
        // Managed attachments.
        MaxAttachmentSize = CalDav "max-attachment-size", "RFC 8607 3.11.";
        MaxAttachmentsPerResource = CalDav "max-attachments-per-resource", "RFC 8607 3.11.";
        ValidActionParameter = CalDav "valid-action-parameter", "RFC 8607 3.11.";
        ValidManagedIdParameter = CalDav "valid-managed-id-parameter", "RFC 8607 3.11.";
        ValidRidParameter = CalDav "valid-rid-parameter", "RFC 8607 3.11.";
        ValidManagedId = CalDav "valid-managed-id", "RFC 8607 3.11.";
        // CardDAV.
        AddressbookCollectionLocationOk = CardDav "addressbook-collection-location-ok", "RFC 6352 6.3.1.1.";
        SupportedAddressData = CardDav "supported-address-data", "RFC 6352 6.3.2.1.";
        SupportedAddressDataConversion = CardDav "supported-address-data-conversion", "RFC 6352 8.6.";
        ValidAddressData = CardDav "valid-address-data", "RFC 6352 6.3.2.1.";
        AddressbookNoUidConflict = CardDav "no-uid-conflict", "RFC 6352 6.3.2.1: names the other object.";
        AddressbookMaxResourceSize = CardDav "max-resource-size", "RFC 6352 6.3.2.1.";
        AddressbookSupportedFilter = CardDav "supported-filter", "RFC 6352 8.6.";
        AddressbookSupportedCollation = CardDav "supported-collation", "RFC 6352 8.6.";
    }
}

impl Condition {
    /// The status that goes with it; 403 where a specification leaves the choice.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::LockTokenMatchesRequestUri
            | Self::PreservedLiveProperties
            | Self::NoAceConflict => StatusCode::CONFLICT,
            Self::LockTokenSubmitted | Self::NoConflictingLock => StatusCode::LOCKED,
            Self::QuotaNotExceeded | Self::SufficientDiskSpace => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::FORBIDDEN,
        }
    }
}
