//! The properties of an entry that are asked for.

use mapi_types::{PropTag, tags};
use mapi_wire::{PropValue, nspi::Tagged};

/// PidTagAnr: matches whoever a user may mean by a text. Source: MS-OXNSPI 3.1.4.7.
pub(super) const ANR: PropTag = PropTag(0x360c_001f);
/// PidTagDisplayType. Source: MS-OXNSPI 2.2.1.3.
pub(super) const DISPLAY_TYPE: PropTag = PropTag(0x3900_0003);
/// PidTagDisplayTypeEx. Source: MS-OXOABK 2.2.3.12.
pub(super) const DISPLAY_TYPE_EX: PropTag = PropTag(0x3905_0003);
/// PidTagAddressBookProxyAddresses.
pub(super) const PROXY_ADDRESSES: PropTag = PropTag(0x800f_101f);
/// PidTagAddressBookContainerId.
pub(super) const CONTAINER_ID: PropTag = PropTag(0xfffd_0003);
/// PidTagDepth: of an address list in the hierarchy.
pub(super) const DEPTH: PropTag = PropTag(0x3005_0003);
/// PidTagEntryId.
pub(super) const ENTRY_ID: PropTag = PropTag(0x0fff_0102);

/// PidTagDisplayName.
pub(super) const DISPLAY_NAME: PropTag = tags::DISPLAY_NAME.tag();
/// PidTagSmtpAddress.
pub(super) const SMTP_ADDRESS: PropTag = tags::SMTP_ADDRESS.tag();
/// PidTagEmailAddress: the distinguished name.
pub(super) const EMAIL_ADDRESS: PropTag = tags::EMAIL_ADDRESS.tag();

/// PidTagGivenName.
pub(super) const GIVEN_NAME: PropTag = PropTag(0x3a06_001f);
/// PidTagSurname.
pub(super) const SURNAME: PropTag = PropTag(0x3a11_001f);
/// PidTagTitle.
pub(super) const TITLE: PropTag = PropTag(0x3a17_001f);
/// PidTagCompanyName.
pub(super) const COMPANY: PropTag = PropTag(0x3a16_001f);
/// PidTagDepartmentName.
pub(super) const DEPARTMENT: PropTag = PropTag(0x3a18_001f);
/// PidTagOfficeLocation.
pub(super) const OFFICE: PropTag = PropTag(0x3a19_001f);
/// PidTagBusinessTelephoneNumber.
pub(super) const BUSINESS_TELEPHONE: PropTag = PropTag(0x3a08_001f);
/// PidTagMobileTelephoneNumber.
pub(super) const MOBILE_TELEPHONE: PropTag = PropTag(0x3a1c_001f);

/// What is asked for to know an entry.
pub(super) const ENTRY: [PropTag; 14] = [
    DISPLAY_NAME,
    SMTP_ADDRESS,
    EMAIL_ADDRESS,
    DISPLAY_TYPE,
    DISPLAY_TYPE_EX,
    PROXY_ADDRESSES,
    GIVEN_NAME,
    SURNAME,
    TITLE,
    COMPANY,
    DEPARTMENT,
    OFFICE,
    BUSINESS_TELEPHONE,
    MOBILE_TELEPHONE,
];

/// What is asked for to know where mail goes.
pub(super) const ADDRESS: [PropTag; 3] = [SMTP_ADDRESS, EMAIL_ADDRESS, PROXY_ADDRESSES];

/// Properties of one entry, whether they came as a row or as a list.
pub(super) trait Values {
    /// The value of a property.
    fn value(&self, tag: PropTag) -> Option<&PropValue>;

    /// A text that is not empty.
    fn text(&self, tag: PropTag) -> Option<String> {
        let text = match self.value(tag)? {
            PropValue::String(text) => text.to_text(),
            _ => return None,
        };
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A number.
    fn number(&self, tag: PropTag) -> Option<u32> {
        match self.value(tag)? {
            PropValue::I32(number) => Some(number.cast_unsigned()),
            _ => None,
        }
    }
}

impl Values for [Tagged] {
    fn value(&self, tag: PropTag) -> Option<&PropValue> {
        self.iter().find(|tagged| tagged.tag == tag)?.value.as_ref()
    }
}

/// A row among others.
pub(super) struct RowOf<'a>(pub(super) &'a mapi_wire::nspi::Rows, pub(super) usize);

impl Values for RowOf<'_> {
    fn value(&self, tag: PropTag) -> Option<&PropValue> {
        self.0.value(self.1, tag)
    }
}
