//! Properties: one table of those that have a meaning here, and names for all others.

use crate::name::{ElementName, Namespace, QualifiedName, names};

names! {
    /// A property with a meaning: live ones, and data that reports ask for as if it were a property.
    Property {
        // WebDAV.
        CreationDate = Dav "creationdate", "RFC 4918 15.1.";
        DisplayName = Dav "displayname", "RFC 4918 15.2.";
        GetContentLanguage = Dav "getcontentlanguage", "RFC 4918 15.3.";
        GetContentLength = Dav "getcontentlength", "RFC 4918 15.4.";
        GetContentType = Dav "getcontenttype", "RFC 4918 15.5.";
        GetEtag = Dav "getetag", "RFC 4918 15.6.";
        GetLastModified = Dav "getlastmodified", "RFC 4918 15.7.";
        LockDiscovery = Dav "lockdiscovery", "RFC 4918 15.8.";
        ResourceType = Dav "resourcetype", "RFC 4918 15.9.";
        SupportedLock = Dav "supportedlock", "RFC 4918 15.10.";
        SupportedReportSet = Dav "supported-report-set", "RFC 3253 3.1.5.";
        SupportedMethodSet = Dav "supported-method-set", "RFC 3253 3.1.3.";
        SupportedLivePropertySet = Dav "supported-live-property-set", "RFC 3253 3.1.4.";
        QuotaAvailableBytes = Dav "quota-available-bytes", "RFC 4331 3.";
        QuotaUsedBytes = Dav "quota-used-bytes", "RFC 4331 4.";
        SyncToken = Dav "sync-token", "RFC 6578 4.";
        ResourceId = Dav "resource-id", "RFC 5842 3.1.";
        AddMember = Dav "add-member", "RFC 5995 3.2.1.";
        // Access control.
        Owner = Dav "owner", "RFC 3744 5.1.";
        Group = Dav "group", "RFC 3744 5.2.";
        SupportedPrivilegeSet = Dav "supported-privilege-set", "RFC 3744 5.3.";
        CurrentUserPrivilegeSet = Dav "current-user-privilege-set", "RFC 3744 5.4.";
        Acl = Dav "acl", "RFC 3744 5.5.";
        AclRestrictions = Dav "acl-restrictions", "RFC 3744 5.6.";
        InheritedAclSet = Dav "inherited-acl-set", "RFC 3744 5.7.";
        PrincipalCollectionSet = Dav "principal-collection-set", "RFC 3744 5.8.";
        AlternateUriSet = Dav "alternate-URI-set", "RFC 3744 4.1.";
        PrincipalUrl = Dav "principal-URL", "RFC 3744 4.2.";
        GroupMemberSet = Dav "group-member-set", "RFC 3744 4.3.";
        GroupMembership = Dav "group-membership", "RFC 3744 4.4.";
        CurrentUserPrincipal = Dav "current-user-principal", "RFC 5397 3.";
        // CalDAV.
        CalendarData = CalDav "calendar-data", "RFC 4791 9.6: asked for in reports only.";
        CalendarDescription = CalDav "calendar-description", "RFC 4791 5.2.1.";
        CalendarTimezone = CalDav "calendar-timezone", "RFC 4791 5.2.2.";
        SupportedCalendarComponentSet = CalDav "supported-calendar-component-set", "RFC 4791 5.2.3.";
        SupportedCalendarComponentSets = CalDav "supported-calendar-component-sets",
            "calendarserver.org: which sets MKCALENDAR may choose.";
        SupportedCalendarData = CalDav "supported-calendar-data", "RFC 4791 5.2.4.";
        CalendarMaxResourceSize = CalDav "max-resource-size", "RFC 4791 5.2.5.";
        MinDateTime = CalDav "min-date-time", "RFC 4791 5.2.6.";
        MaxDateTime = CalDav "max-date-time", "RFC 4791 5.2.7.";
        MaxInstances = CalDav "max-instances", "RFC 4791 5.2.8.";
        MaxAttendeesPerInstance = CalDav "max-attendees-per-instance", "RFC 4791 5.2.9.";
        CalendarHomeSet = CalDav "calendar-home-set", "RFC 4791 6.2.1.";
        SupportedCollationSet = CalDav "supported-collation-set", "RFC 4791 7.5.1.";
        CalendarUserAddressSet = CalDav "calendar-user-address-set", "RFC 6638 2.4.1.";
        CalendarUserType = CalDav "calendar-user-type", "RFC 6638 2.4.2.";
        ScheduleInboxUrl = CalDav "schedule-inbox-URL", "RFC 6638 2.2.1.";
        ScheduleOutboxUrl = CalDav "schedule-outbox-URL", "RFC 6638 2.1.1.";
        ScheduleCalendarTransp = CalDav "schedule-calendar-transp", "RFC 6638 9.1.";
        ScheduleDefaultCalendarUrl = CalDav "schedule-default-calendar-URL", "RFC 6638 9.2.";
        ScheduleTag = CalDav "schedule-tag", "RFC 6638 9.3.";
        CalendarFreeBusySet = CalDav "calendar-free-busy-set", "the drafts before RFC 6638; iOS asks for it.";
        TimezoneServiceSet = CalDav "timezone-service-set", "RFC 7809 5.1.";
        CalendarTimezoneId = CalDav "calendar-timezone-id", "RFC 7809 5.2.";
        CalendarAvailability = CalDav "calendar-availability", "RFC 7953 7.2.4.";
        ManagedAttachmentsServerUrl = CalDav "managed-attachments-server-URL", "RFC 8607 6.1.";
        MaxAttachmentSize = CalDav "max-attachment-size", "RFC 8607 6.2.";
        MaxAttachmentsPerResource = CalDav "max-attachments-per-resource", "RFC 8607 6.3.";
        DefaultAlarmEventDateTime = CalDav "default-alarm-vevent-datetime", "draft-daboo-valarm-extensions 10.";
        DefaultAlarmEventDate = CalDav "default-alarm-vevent-date", "draft-daboo-valarm-extensions 10.";
        DefaultAlarmTodoDateTime = CalDav "default-alarm-vtodo-datetime", "draft-daboo-valarm-extensions 10.";
        DefaultAlarmTodoDate = CalDav "default-alarm-vtodo-date", "draft-daboo-valarm-extensions 10.";
        // CardDAV.
        AddressData = CardDav "address-data", "RFC 6352 10.4: asked for in reports only.";
        AddressbookDescription = CardDav "addressbook-description", "RFC 6352 6.2.1.";
        SupportedAddressData = CardDav "supported-address-data", "RFC 6352 6.2.2.";
        AddressbookMaxResourceSize = CardDav "max-resource-size", "RFC 6352 6.2.3.";
        MaxImageSize = CardDav "max-image-size", "calendarserver.org: asked for by macOS.";
        AddressbookHomeSet = CardDav "addressbook-home-set", "RFC 6352 7.1.1.";
        PrincipalAddress = CardDav "principal-address", "RFC 6352 7.1.2.";
        AddressbookSupportedCollationSet = CardDav "supported-collation-set", "RFC 6352 8.3.1.";
        DirectoryGateway = CardDav "directory-gateway", "draft-daboo-carddav-directory-gateway 3.";
        DefaultAddressbookUrl = CardDav "default-addressbook-URL", "calendarserver.org.";
        // calendarserver.org.
        GetCtag = CalendarServer "getctag", "caldav-ctag 4.1.";
        CalendarProxyReadFor = CalendarServer "calendar-proxy-read-for", "caldav-proxy 5.3.1.";
        CalendarProxyWriteFor = CalendarServer "calendar-proxy-write-for", "caldav-proxy 5.3.2.";
        Invite = CalendarServer "invite", "caldav-sharing 5.2.2.";
        AllowedSharingModes = CalendarServer "allowed-sharing-modes", "caldav-sharing 5.2.3.";
        SharedUrl = CalendarServer "shared-url", "caldav-sharing 5.2.4.";
        NotificationUrl = CalendarServer "notification-URL", "caldav-sharing 4.1.1.";
        NotificationType = CalendarServer "notificationtype", "caldav-sharing 4.2.1.";
        PublishUrl = CalendarServer "publish-url", "where a published calendar is read.";
        PrePublishUrl = CalendarServer "pre-publish-url", "where a calendar would be read, were it published.";
        Source = CalendarServer "source", "where a subscribed calendar comes from.";
        SubscribedStripAlarms = CalendarServer "subscribed-strip-alarms", "a choice of Apple's programs.";
        SubscribedStripAttachments = CalendarServer "subscribed-strip-attachments", "a choice of Apple's programs.";
        SubscribedStripTodos = CalendarServer "subscribed-strip-todos", "a choice of Apple's programs.";
        PushTransports = CalendarServer "push-transports", "caldav-pubsubdiscovery.";
        PushKey = CalendarServer "pushkey", "caldav-pubsubdiscovery.";
        XmppServer = CalendarServer "xmpp-server", "caldav-pubsubdiscovery.";
        XmppUri = CalendarServer "xmpp-uri", "caldav-pubsubdiscovery.";
        DropboxHomeUrl = CalendarServer "dropbox-home-URL", "caldav-dropbox.";
        EmailAddressSet = CalendarServer "email-address-set", "addresses of a principal.";
        FirstName = CalendarServer "first-name", "of a principal.";
        LastName = CalendarServer "last-name", "of a principal.";
        RecordType = CalendarServer "record-type", "of a principal: users, groups, locations, resources.";
        ExpandedGroupMemberSet = CalendarServer "expanded-group-member-set", "members of members, too.";
        ExpandedGroupMembership = CalendarServer "expanded-group-membership", "groups of groups, too.";
        MeCard = CalendarServer "me-card", "the card of an address book's owner.";
        ScheduleChanges = CalendarServer "schedule-changes", "caldav-schedulingchanges 4.1.";
        ScheduleDefaultTasksUrl = CalendarServer "schedule-default-tasks-URL", "where invitations to tasks go.";
        CreatedBy = CalendarServer "created-by", "who made an object in a shared calendar.";
        UpdatedBy = CalendarServer "updated-by", "who changed an object in a shared calendar.";
        Uid = CalendarServer "uid", "calendarserver-bulk-change 3: of an object.";
        // Before RFC 7953 the property of an inbox was calendarserver.org's; iOS and macOS write it.
        InboxAvailability = CalendarServer "calendar-availability", "as RFC 7953, on the inbox.";
        // Apple's calendar programs.
        CalendarColor = Apple "calendar-color", "a colour, as #RRGGBBAA.";
        CalendarOrder = Apple "calendar-order", "a place in the list.";
        RefreshRate = Apple "refreshrate", "how often a subscription is read.";
        Autoprovisioned = Apple "autoprovisioned", "whether the server made the calendar.";
        LanguageCode = Apple "language-code", "of a holiday calendar.";
        LocationCode = Apple "location-code", "of a holiday calendar.";
    }
}

/// The name of a property, known or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PropertyName {
    /// One with a meaning.
    Known(Property),
    /// One that is kept for the client as it is: a dead property.
    Unknown(QualifiedName),
}

impl PropertyName {
    /// The property of this name; nothing, if it is no name. An empty `namespace` means none.
    ///
    /// For names that were stored: `namespace` and `local` lead back to the same value.
    #[must_use]
    pub fn new(namespace: &str, local: &str) -> Option<Self> {
        if let Some(known) = Namespace::find(namespace)
            && let Some(property) = Property::find(known, local)
        {
            return Some(Self::Known(property));
        }
        QualifiedName::new(namespace, local).map(Self::Unknown)
    }

    /// The namespace's name; empty, if it is in none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        match self {
            Self::Known(property) => property.namespace().uri(),
            Self::Unknown(name) => name.namespace(),
        }
    }

    /// The name in the namespace.
    #[must_use]
    pub fn local(&self) -> &str {
        match self {
            Self::Known(property) => property.local(),
            Self::Unknown(name) => name.local(),
        }
    }

    /// The property, if it is known.
    #[must_use]
    pub const fn known(&self) -> Option<Property> {
        match self {
            Self::Known(property) => Some(*property),
            Self::Unknown(_) => None,
        }
    }
}

impl From<Property> for PropertyName {
    fn from(property: Property) -> Self {
        Self::Known(property)
    }
}

names! {
    /// What a resource may be, in `resourcetype`.
    ResourceType {
        Collection = Dav "collection", "RFC 4918 14.3.";
        Principal = Dav "principal", "RFC 3744 4.";
        Calendar = CalDav "calendar", "RFC 4791 9.1.";
        ScheduleInbox = CalDav "schedule-inbox", "RFC 6638 2.2.";
        ScheduleOutbox = CalDav "schedule-outbox", "RFC 6638 2.1.";
        Addressbook = CardDav "addressbook", "RFC 6352 10.1.";
        Directory = CardDav "directory", "draft-daboo-carddav-directory-gateway 2.";
        CalendarProxyRead = CalendarServer "calendar-proxy-read", "caldav-proxy 5.1.";
        CalendarProxyWrite = CalendarServer "calendar-proxy-write", "caldav-proxy 5.1.";
        Notification = CalendarServer "notification", "caldav-sharing 6.24: a collection of notices.";
        Shared = CalendarServer "shared", "caldav-sharing 6.2: shared by somebody else.";
        SharedOwner = CalendarServer "shared-owner", "caldav-sharing 6.1: shared with others.";
        Subscribed = CalendarServer "subscribed", "a calendar that is read from elsewhere.";
        DropboxHome = CalendarServer "dropbox-home", "caldav-dropbox.";
        Dropbox = CalendarServer "dropbox", "caldav-dropbox.";
    }
}

names! {
    /// A privilege: what an access control entry grants (RFC 3744 3, RFC 4791 6.1, RFC 6638 6).
    Privilege {
        All = Dav "all", "RFC 3744 3.11.";
        Read = Dav "read", "RFC 3744 3.1.";
        Write = Dav "write", "RFC 3744 3.2.";
        WriteProperties = Dav "write-properties", "RFC 3744 3.3.";
        WriteContent = Dav "write-content", "RFC 3744 3.4.";
        Unlock = Dav "unlock", "RFC 3744 3.5.";
        ReadAcl = Dav "read-acl", "RFC 3744 3.6.";
        ReadCurrentUserPrivilegeSet = Dav "read-current-user-privilege-set", "RFC 3744 3.7.";
        WriteAcl = Dav "write-acl", "RFC 3744 3.8.";
        Bind = Dav "bind", "RFC 3744 3.9.";
        Unbind = Dav "unbind", "RFC 3744 3.10.";
        ReadFreeBusy = CalDav "read-free-busy", "RFC 4791 6.1.1.";
        ScheduleDeliver = CalDav "schedule-deliver", "RFC 6638 6.1.1.";
        ScheduleDeliverInvite = CalDav "schedule-deliver-invite", "RFC 6638 6.1.2.";
        ScheduleDeliverReply = CalDav "schedule-deliver-reply", "RFC 6638 6.1.3.";
        ScheduleQueryFreeBusy = CalDav "schedule-query-freebusy", "RFC 6638 6.1.4.";
        ScheduleSend = CalDav "schedule-send", "RFC 6638 6.2.1.";
        ScheduleSendInvite = CalDav "schedule-send-invite", "RFC 6638 6.2.2.";
        ScheduleSendReply = CalDav "schedule-send-reply", "RFC 6638 6.2.3.";
        ScheduleSendFreeBusy = CalDav "schedule-send-freebusy", "RFC 6638 6.2.4.";
    }
}

names! {
    /// The reports, as `supported-report-set` lists them.
    ReportName {
        AclPrincipalPropSet = Dav "acl-principal-prop-set", "RFC 3744 9.2.";
        ExpandProperty = Dav "expand-property", "RFC 3253 3.8.";
        PrincipalMatch = Dav "principal-match", "RFC 3744 9.3.";
        PrincipalPropertySearch = Dav "principal-property-search", "RFC 3744 9.4.";
        PrincipalSearchPropertySet = Dav "principal-search-property-set", "RFC 3744 9.5.";
        SyncCollection = Dav "sync-collection", "RFC 6578 3.2.";
        CalendarQuery = CalDav "calendar-query", "RFC 4791 7.8.";
        CalendarMultiget = CalDav "calendar-multiget", "RFC 4791 7.9.";
        FreeBusyQuery = CalDav "free-busy-query", "RFC 4791 7.10.";
        AddressbookQuery = CardDav "addressbook-query", "RFC 6352 8.6.";
        AddressbookMultiget = CardDav "addressbook-multiget", "RFC 6352 8.7.";
        CalendarServerPrincipalSearch = CalendarServer "calendarserver-principal-search",
            "calendarserver.org: principals by the words of a name.";
    }
}

impl ReportName {
    /// The name of the element it is asked for with.
    #[must_use]
    pub fn element(self) -> ElementName {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_of_the_table_leads_back_to_its_property() {
        let mut seen = BTreeSet::new();
        for &property in Property::ALL {
            let name = PropertyName::from(property);
            assert_eq!(
                PropertyName::new(name.namespace(), name.local()),
                Some(name.clone())
            );
            assert!(seen.insert((property.namespace(), property.local())));
        }
    }

    #[test]
    fn a_name_of_no_table_is_kept() {
        for (namespace, local) in [
            ("", "foo"),
            ("DAV:", "getfoo"),
            ("http://example.test/", "ü"),
        ] {
            let name = PropertyName::new(namespace, local).unwrap();
            assert_eq!((name.namespace(), name.local()), (namespace, local));
            assert_eq!(name.known(), None);
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        for local in ["", "a b", "1a", "a:b", "a>"] {
            assert_eq!(PropertyName::new("DAV:", local), None, "{local}");
        }
    }
}
