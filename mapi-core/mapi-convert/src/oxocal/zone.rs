//! Time zones as Outlook keeps them beside an appointment. Source: MS-OXOCAL 2.2.1.39, 2.2.1.41.
//!
//! What is read is written back to the last octet. Biases are minutes that UTC is ahead of local time.

use super::octets::{BadPattern, Reader, put_short, put_wide};

/// The value of PidLidTimeZoneStruct: one rule, without a name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TimeZoneStruct {
    /// lBias, lStandardBias, lDaylightBias.
    pub bias: ZoneBias,
    /// wStandardYear, as a rule 0.
    pub standard_year: u16,
    /// stStandardDate: when standard time begins.
    pub standard: SystemTime,
    /// wDaylightYear, as a rule 0.
    pub daylight_year: u16,
    /// stDaylightDate: when daylight saving time begins; month 0: never.
    pub daylight: SystemTime,
}

/// How far local time is from UTC, in minutes: UTC is local time plus `all` plus one of the others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ZoneBias {
    /// lBias.
    pub all: i32,
    /// lStandardBias.
    pub standard: i32,
    /// lDaylightBias.
    pub daylight: i32,
}

/// SYSTEMTIME. Of a year 0, `day` is which of the weekdays in the month is meant, and 5 the last.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SystemTime {
    /// 0: every year.
    pub year: u16,
    /// From 1 to 12; 0: no time.
    pub month: u16,
    /// 0 Sunday to 6 Saturday.
    pub weekday: u16,
    /// Of the month, or which weekday.
    pub day: u16,
    /// From 0 to 23.
    pub hour: u16,
    /// From 0 to 59.
    pub minute: u16,
    /// From 0 to 59.
    pub second: u16,
    /// From 0 to 999.
    pub millisecond: u16,
}

/// The value of PidLidAppointmentTimeZoneDefinitionRecur and its like: a named zone with its rules.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TimeZoneDefinition {
    /// Major and minor version: 2 and 1.
    pub version: [u8; 2],
    /// Reserved, 2.
    pub reserved: u16,
    /// KeyName: the zone's name in Windows, in UTF-16.
    pub key_name: Box<[u16]>,
    /// TZRules, by ascending year.
    pub rules: Vec<TimeZoneRule>,
}

/// TZRule: the rule from a year on. Source: MS-OXOCAL 2.2.1.41.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimeZoneRule {
    /// Major and minor version: 2 and 1.
    pub version: [u8; 2],
    /// Reserved, 0x3e.
    pub reserved: u16,
    /// TZRule flags: 1 of the series, 2 in effect.
    pub flags: u16,
    /// wYear.
    pub year: u16,
    /// X, zeros.
    pub unused: [u8; 14],
    /// lBias, lStandardBias, lDaylightBias.
    pub bias: ZoneBias,
    /// stStandardDate.
    pub standard: SystemTime,
    /// stDaylightDate.
    pub daylight: SystemTime,
}

/// Octets of the header before the name that its length counts: reserved, length of the name, number of rules.
const HEADER_BYTES: usize = 6;

impl TimeZoneStruct {
    /// Reads the property's value: 48 octets.
    pub fn parse(octets: &[u8]) -> Result<Self, BadPattern> {
        let mut reader = Reader(octets);
        let zone = Self {
            bias: ZoneBias::read(&mut reader)?,
            standard_year: reader.short()?,
            standard: SystemTime::read(&mut reader)?,
            daylight_year: reader.short()?,
            daylight: SystemTime::read(&mut reader)?,
        };
        end(&reader, zone)
    }

    /// The property's value.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.bias.write(&mut out);
        put_short(&mut out, self.standard_year);
        self.standard.write(&mut out);
        put_short(&mut out, self.daylight_year);
        self.daylight.write(&mut out);
        out
    }
}

impl TimeZoneDefinition {
    /// Reads the property's value. Memory is bounded by the octets.
    pub fn parse(octets: &[u8]) -> Result<Self, BadPattern> {
        let mut reader = Reader(octets);
        let version = take(&mut reader)?;
        let header = usize::from(reader.short()?);
        let reserved = reader.short()?;
        let key_name = reader.wide()?;
        if header != HEADER_BYTES + key_name.len() * 2 {
            return Err(BadPattern);
        }
        let count = reader.short()?;
        let mut rules = Vec::new();
        for _ in 0..count {
            rules.push(TimeZoneRule::read(&mut reader)?);
        }
        let zone = Self {
            version,
            reserved,
            key_name,
            rules,
        };
        end(&reader, zone)
    }

    /// The property's value; `None` for a name or rules beyond what the format can count.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let header = u16::try_from(HEADER_BYTES + self.key_name.len() * 2).ok()?;
        let mut out = self.version.to_vec();
        put_short(&mut out, header);
        put_short(&mut out, self.reserved);
        put_wide(&mut out, &self.key_name);
        put_short(&mut out, u16::try_from(self.rules.len()).ok()?);
        self.rules.iter().for_each(|rule| rule.write(&mut out));
        Some(out)
    }

    /// The zone's name in Windows.
    pub fn name(&self) -> String {
        String::from_utf16_lossy(&self.key_name)
    }
}

impl TimeZoneRule {
    fn read(reader: &mut Reader<'_>) -> Result<Self, BadPattern> {
        Ok(Self {
            version: take(reader)?,
            reserved: reader.short()?,
            flags: reader.short()?,
            year: reader.short()?,
            unused: take(reader)?,
            bias: ZoneBias::read(reader)?,
            standard: SystemTime::read(reader)?,
            daylight: SystemTime::read(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.version);
        put_short(out, self.reserved);
        put_short(out, self.flags);
        put_short(out, self.year);
        out.extend_from_slice(&self.unused);
        self.bias.write(out);
        self.standard.write(out);
        self.daylight.write(out);
    }
}

impl ZoneBias {
    fn read(reader: &mut Reader<'_>) -> Result<Self, BadPattern> {
        let mut minutes = || reader.long().map(u32::cast_signed);
        Ok(Self {
            all: minutes()?,
            standard: minutes()?,
            daylight: minutes()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        for minutes in [self.all, self.standard, self.daylight] {
            out.extend_from_slice(&minutes.to_le_bytes());
        }
    }
}

impl SystemTime {
    fn read(reader: &mut Reader<'_>) -> Result<Self, BadPattern> {
        Ok(Self {
            year: reader.short()?,
            month: reader.short()?,
            weekday: reader.short()?,
            day: reader.short()?,
            hour: reader.short()?,
            minute: reader.short()?,
            second: reader.short()?,
            millisecond: reader.short()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let date = [self.year, self.month, self.weekday, self.day];
        let time = [self.hour, self.minute, self.second, self.millisecond];
        for number in date.into_iter().chain(time) {
            put_short(out, number);
        }
    }
}

fn take<const LEN: usize>(reader: &mut Reader<'_>) -> Result<[u8; LEN], BadPattern> {
    reader.take(LEN)?.try_into().map_err(|_| BadPattern)
}

fn end<T>(reader: &Reader<'_>, value: T) -> Result<T, BadPattern> {
    match reader.0 {
        [] => Ok(value),
        _ => Err(BadPattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule of Pacific time since 2007.
    const PACIFIC: TimeZoneRule = TimeZoneRule {
        version: [2, 1],
        reserved: 0x3e,
        flags: 2,
        year: 2007,
        unused: [0; 14],
        bias: ZoneBias {
            all: 480,
            standard: 0,
            daylight: -60,
        },
        standard: change(11, 1),
        daylight: change(3, 2),
    };

    const fn change(month: u16, day: u16) -> SystemTime {
        SystemTime {
            year: 0,
            month,
            weekday: 0,
            day,
            hour: 2,
            minute: 0,
            second: 0,
            millisecond: 0,
        }
    }

    #[test]
    fn a_zone_without_a_name_is_48_octets() {
        let zone = TimeZoneStruct {
            bias: PACIFIC.bias,
            standard: PACIFIC.standard,
            daylight: PACIFIC.daylight,
            ..TimeZoneStruct::default()
        };
        let octets = zone.to_bytes();
        let bias = [0xe0, 1, 0, 0, 0, 0, 0, 0, 0xc4, 0xff, 0xff, 0xff];
        let standard = [0, 0, 0, 0, 11, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        let daylight = [0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(octets, [&bias[..], &standard, &daylight].concat());
        assert_eq!(TimeZoneStruct::parse(&octets), Ok(zone));
        assert_eq!(octets.len(), 48);
        for len in 0..48 {
            assert_eq!(TimeZoneStruct::parse(&octets[..len]), Err(BadPattern));
        }
    }

    #[test]
    fn a_named_zone_has_its_rules_by_year() {
        let zone = TimeZoneDefinition {
            version: [2, 1],
            reserved: 2,
            key_name: "Pacific Standard Time".encode_utf16().collect(),
            rules: vec![PACIFIC, PACIFIC],
        };
        let octets = zone.to_bytes().unwrap();
        // The header counts 6 octets and the name; a rule is 66.
        assert_eq!(octets[..8], [2, 1, 0x30, 0, 2, 0, 21, 0]);
        assert_eq!(octets.len(), 8 + 42 + 2 + 2 * 66);
        assert_eq!(octets[52..60], [2, 1, 0x3e, 0, 2, 0, 0xd7, 7]);
        assert_eq!(TimeZoneDefinition::parse(&octets), Ok(zone.clone()));
        assert_eq!(zone.name(), "Pacific Standard Time");
        for len in 0..octets.len() {
            assert_eq!(TimeZoneDefinition::parse(&octets[..len]), Err(BadPattern));
        }
    }
}
