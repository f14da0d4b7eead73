//! Names of property sets. Source: MS-OXPROPS 1.3.2.

use mapi_wire::Guid;

/// The end that most sets of Microsoft have.
const COM: [u8; 8] = [0xc0, 0, 0, 0, 0, 0, 0, 0x46];

const fn com(d1: u32) -> Guid {
    Guid::from_fields(d1, 0, 0, COM)
}

const SETS: &[(Guid, &str)] = &[
    (com(0x0002_0328), "PS_MAPI"),
    (com(0x0002_0329), "PS_PUBLIC_STRINGS"),
    (com(0x0002_0386), "PS_INTERNET_HEADERS"),
    (com(0x0006_2002), "PSETID_Appointment"),
    (com(0x0006_2003), "PSETID_Task"),
    (com(0x0006_2004), "PSETID_Address"),
    (com(0x0006_2008), "PSETID_Common"),
    (com(0x0006_200a), "PSETID_Log"),
    (com(0x0006_200e), "PSETID_Note"),
    (com(0x0006_2013), "PSETID_Report"),
    (com(0x0006_2014), "PSETID_Remote"),
    (com(0x0006_2040), "PSETID_Sharing"),
    (com(0x0006_2041), "PSETID_PostRss"),
    (
        Guid::from_fields(
            0x6ed8_da90,
            0x450b,
            0x101b,
            [0x98, 0xda, 0, 0xaa, 0, 0x3f, 0x13, 0x05],
        ),
        "PSETID_Meeting",
    ),
    (
        Guid::from_fields(
            0x41f2_8f13,
            0x83f4,
            0x4114,
            [0xa5, 0x84, 0xee, 0xdb, 0x5a, 0x6b, 0x0b, 0xff],
        ),
        "PSETID_Messaging",
    ),
    (
        Guid::from_fields(
            0x4442_858e,
            0xa9e3,
            0x4e80,
            [0xb9, 0x00, 0x31, 0x7a, 0x21, 0x0c, 0xc1, 0x5b],
        ),
        "PSETID_UnifiedMessaging",
    ),
    (
        Guid::from_fields(
            0x7103_5549,
            0x0739,
            0x4dcb,
            [0x91, 0x63, 0x00, 0xf0, 0x58, 0x0d, 0xbb, 0xdf],
        ),
        "PSETID_AirSync",
    ),
    (
        Guid::from_fields(
            0x2323_9608,
            0x685d,
            0x4732,
            [0x9c, 0x55, 0x4c, 0x95, 0xcb, 0x4e, 0x8e, 0x33],
        ),
        "PSETID_XmlExtractedEntities",
    ),
    (
        Guid::from_fields(
            0x9635_7f7f,
            0x59e1,
            0x47d0,
            [0x99, 0xa7, 0x46, 0x51, 0x5c, 0x18, 0x3b, 0x54],
        ),
        "PSETID_Attachment",
    ),
    (
        Guid::from_fields(
            0x1100_0e07,
            0xb51b,
            0x40d6,
            [0xaf, 0x21, 0xca, 0xa8, 0x5e, 0xda, 0xb1, 0xd0],
        ),
        "PSETID_CalendarAssistant",
    ),
];

/// The name of a property set.
pub(crate) fn set(guid: Guid) -> Option<&'static str> {
    let (_, name) = SETS.iter().find(|(set, _)| *set == guid)?;
    Some(name)
}
