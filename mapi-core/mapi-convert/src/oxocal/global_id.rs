//! PidLidGlobalObjectId ⇄ UID: which appointment it is, in every mailbox. Source: MS-OXOCAL 2.2.1.27, MS-OXCICAL 2.1.3.1.1.20.26.

use mapi_types::FileTime;

use super::octets::{BadPattern, Reader, put_block};
use crate::ical::value::Date;

/// Who an appointment is. Octets that are read are written back alike.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GlobalObjectId {
    /// The original day of an instance of a series, where the series is: year, month, day; zeros of all of it.
    instance: [u8; 4],
    /// When the id was made; 0 of one made from a UID.
    pub created: FileTime,
    reserved: [u8; 8],
    data: Box<[u8]>,
}

const BYTE_ARRAY_ID: [u8; 16] = [
    0x04, 0x00, 0x00, 0x00, 0x82, 0x00, 0xe0, 0x00, 0x74, 0xc5, 0xb7, 0x10, 0x1a, 0x82, 0xe0, 0x08,
];

/// What stands before a UID in the data.
const UID_PREFIX: [u8; 12] = *b"vCal-Uid\x01\0\0\0";

impl GlobalObjectId {
    /// The id of an appointment made now, unlike every other.
    pub fn new(now: FileTime, random: &[u8; 16]) -> Self {
        Self {
            instance: [0; 4],
            created: now,
            reserved: [0; 8],
            data: random.as_slice().into(),
        }
    }

    /// The id of a UID. One that is the hexadecimal form of an id, as [`Self::uid`] writes it, is that id again.
    pub fn of_uid(uid: &str) -> Self {
        let decoded = decode_hex(uid).and_then(|octets| Self::parse(&octets));
        if let Some(id) = decoded.filter(|id| id.uid() == uid) {
            return id;
        }
        let mut data = UID_PREFIX.to_vec();
        data.extend(uid.bytes().filter(|octet| *octet != 0));
        data.push(0);
        Self {
            instance: [0; 4],
            created: FileTime(0),
            reserved: [0; 8],
            data: data.into(),
        }
    }

    /// Reads the property's value.
    pub fn parse(octets: &[u8]) -> Option<Self> {
        Self::read(&mut Reader(octets.strip_prefix(&BYTE_ARRAY_ID)?)).ok()
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, BadPattern> {
        let fail = |_| BadPattern;
        let instance = reader.take(4)?.try_into().map_err(fail)?;
        let created = reader.take(8)?.try_into().map_err(fail)?;
        let reserved = reader.take(8)?.try_into().map_err(fail)?;
        let data = reader.block()?;
        match reader.0 {
            [] => Ok(Self {
                instance,
                created: FileTime(u64::from_le_bytes(created)),
                reserved,
                data,
            }),
            _ => Err(BadPattern),
        }
    }

    /// The property's value.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut octets = BYTE_ARRAY_ID.to_vec();
        octets.extend(self.instance);
        octets.extend(self.created.0.to_le_bytes());
        octets.extend(self.reserved);
        put_block(&mut octets, &self.data);
        octets
    }

    /// The id of all of the series: the value of PidLidCleanGlobalObjectId. Source: MS-OXOCAL 2.2.1.28.
    #[must_use]
    pub fn clean(&self) -> Self {
        Self {
            instance: [0; 4],
            ..self.clone()
        }
    }

    /// The id of the instance that is on a day in its series.
    #[must_use]
    pub fn of_instance(&self, day: Date) -> Self {
        let (year, month, day) = day.ymd();
        // The year's high octet comes first.
        let [high, low] = (year as u16).to_be_bytes();
        Self {
            instance: [high, low, month as u8, day as u8],
            ..self.clone()
        }
    }

    /// The day of the instance; `None` of all of a series, and of days that there are not.
    pub fn instance(&self) -> Option<Date> {
        let [high, low, month, day] = self.instance;
        let year = i32::from(u16::from_be_bytes([high, low]));
        Date::from_ymd(year, i32::from(month), i32::from(day))
    }

    /// The UID: the one it was made from, or the whole in hexadecimal without the instance.
    pub fn uid(&self) -> String {
        let own = self.data.strip_prefix(&UID_PREFIX);
        let own = own.and_then(|uid| uid.split(|octet| *octet == 0).next());
        let own = own.and_then(|uid| std::str::from_utf8(uid).ok());
        match own {
            Some(uid) if !uid.is_empty() => uid.to_owned(),
            _ => encode_hex(&self.clean().to_bytes()),
        }
    }
}

fn encode_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let octet = |[high, low]: &[u8; 2]| Some((digit(*high)? * 16 + digit(*low)?) as u8);
    match rest {
        [] => pairs.iter().map(octet).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_the_form_that_outlook_gives_it() {
        let id = GlobalObjectId::new(FileTime(0x0102_0304_0506_0708), &[9; 16]).to_bytes();
        assert_eq!(id.len(), 56);
        assert_eq!(id[..4], [4, 0, 0, 0]);
        assert_eq!(id[20..28], [8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(id[36..41], [16, 0, 0, 0, 9]);
    }

    #[test]
    fn a_uid_is_wrapped_and_comes_back() {
        let expected = "040000008200E00074C5B7101A82E00800000000000000000000000000000000000000001200\
            00007643616C2D55696401000000616263407800";
        // `abc@x` is 5 octets: 12 before it and a NUL after it make 0x12.
        let id = GlobalObjectId::of_uid("abc@x");
        assert_eq!(encode_hex(&id.to_bytes()), expected);
        assert_eq!(id.uid(), "abc@x");
        for uid in [
            "ü@x",
            "04",
            "040000008200E00074C5B7101A82E008",
            &expected.to_lowercase(),
        ] {
            assert_eq!(GlobalObjectId::of_uid(uid).uid(), *uid);
        }
    }

    #[test]
    fn a_uid_that_outlook_wrote_is_its_id() {
        let id = GlobalObjectId::new(FileTime(1), &[7; 16]);
        assert_eq!(GlobalObjectId::of_uid(&id.uid()), id);
        let instance = id.of_instance(Date::from_ymd(2026, 11, 27).unwrap());
        assert_eq!(instance.to_bytes()[16..20], [0x07, 0xea, 11, 27]);
        assert_eq!(instance.uid(), id.uid());
        assert_eq!(instance.clean(), id);
        let read = GlobalObjectId::parse(&instance.to_bytes()).unwrap();
        assert_eq!(read.instance(), Date::from_ymd(2026, 11, 27));
        assert_eq!(id.instance(), None);
    }

    #[test]
    fn what_is_no_id_is_not_taken_for_one() {
        let octets = GlobalObjectId::of_uid("a").to_bytes();
        for len in 0..octets.len() {
            assert_eq!(GlobalObjectId::parse(&octets[..len]), None);
        }
        assert_eq!(GlobalObjectId::parse(&[&octets[..], &[0]].concat()), None);
    }
}
