//! Synthetic mail: a pure function of seed, index and profile. About a third has non-ASCII text, a fifth an
//! attachment, half an HTML alternative; headers look like those of real relays and clients.

use crate::random::Random;

/// How large messages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// 1.3 KB to 1.2 MB, half below 6 KB, mean 26 KB.
    Standard,
    /// 1 to 10 KB, mean 3.7 KB.
    Small,
    /// About so many bytes.
    Fixed(usize),
}

impl Profile {
    /// `std`, `small` or a number of bytes.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "std" => Some(Self::Standard),
            "small" => Some(Self::Small),
            number => number.parse().ok().map(Self::Fixed),
        }
    }

    fn size(self, random: &mut Random) -> usize {
        let base = match self {
            Self::Fixed(size) => return size,
            Self::Small => random
                .pick(&[1500, 2000, 2500, 3000, 4000, 6000])
                .copied()
                .unwrap_or(3000),
            Self::Standard => match random.below(1000) {
                0..=249 => 2_000,
                250..=499 => 4_000,
                500..=699 => 8_000,
                700..=819 => 16_000,
                820..=919 => 40_000,
                920..=969 => 100_000,
                970..=994 => 300_000,
                _ => 1_000_000,
            },
        };
        base * 3 / 4 + random.below(base as u64 / 2) as usize
    }
}

const WORDS: [&str; 40] = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "that",
    "for",
    "it",
    "with",
    "project",
    "report",
    "meeting",
    "budget",
    "server",
    "release",
    "customer",
    "invoice",
    "delivery",
    "please",
    "attached",
    "review",
    "deadline",
    "schedule",
    "contract",
    "account",
    "update",
    "version",
    "office",
    "travel",
    "order",
    "question",
    "answer",
    "proposal",
    "document",
    "payment",
    "status",
    "gateway",
    "storage",
    "performance",
];
const FOREIGN_WORDS: [&str; 12] = [
    "Übergabe",
    "Größe",
    "Straße",
    "café",
    "naïve",
    "señor",
    "smörgås",
    "łódź",
    "привет",
    "会議",
    "ευχαριστώ",
    "€",
];
const FIRST_NAMES: [&str; 8] = [
    "Anna",
    "Bernd",
    "Chloé",
    "David",
    "Eva",
    "François",
    "Hana",
    "Jürgen",
];
const LAST_NAMES: [&str; 8] = [
    "Schmidt", "Müller", "Dupont", "Novák", "Tanaka", "O'Brien", "Smith", "Weiß",
];
const DOMAINS: [&str; 4] = ["example.com", "example.org", "example.net", "mail.example"];
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// When message `index` came, in Unix seconds: one every 20 minutes from 2023 on.
fn arrival(index: u64) -> u64 {
    1_672_531_200 + index * 1200
}

/// IMAP flags of message `index`: four fifths are seen.
pub(super) fn flags(index: u64) -> &'static str {
    match index % 20 {
        0..=11 => "\\Seen",
        12..=14 => "\\Seen \\Answered",
        15 => "\\Seen \\Flagged",
        _ => "",
    }
}

/// IMAP date-time of message `index`.
pub(super) fn internal_date(index: u64) -> String {
    let (year, month, day, clock) = civil(arrival(index));
    format!("{day:>2}-{}-{year} {clock} +0000", name(&MONTHS, month - 1))
}

fn name(names: &[&'static str], index: u64) -> &'static str {
    names.get(index as usize).copied().unwrap_or_default()
}

/// Year, month, day and time of day of a Unix time.
fn civil(time: u64) -> (u64, u64, u64, String) {
    let days = time / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let seconds = time % 86_400;
    (
        year,
        month,
        day,
        format!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    )
}

fn header_date(time: u64) -> String {
    let (year, month, day, clock) = civil(time);
    format!(
        "{}, {day} {} {year} {clock} +0000",
        name(&DAYS, time / 86_400 % 7),
        name(&MONTHS, month - 1)
    )
}

/// Message `index` of a series.
pub fn message(seed: u64, index: u64, profile: Profile) -> Vec<u8> {
    let mut random = Random::new(seed, index);
    let target = profile.size(&mut random);
    let foreign = random.percent(35);
    let header = header(seed, index, foreign, &mut random);
    let kind = random.below(100);
    let with_attachment = kind >= 80 || target > 20_000;
    let with_html = with_attachment || kind >= 40;
    let budget = target.saturating_sub(header.len() + 300).max(200);
    let text_budget = if with_attachment {
        (budget / 2).min(3000 + budget / 20)
    } else {
        budget
    };
    let text = text(
        &mut random,
        if with_html {
            text_budget / 3
        } else {
            text_budget
        },
        foreign,
    );
    let boundary = format!("----=_Part_{index:x}_{:x}", seed & 0xffff);
    let mut out = header.into_bytes();
    let body = if with_html {
        alternative(&text, &boundary)
    } else {
        plain_part(&text)
    };
    if with_attachment {
        out.extend_from_slice(format!("Content-Type: multipart/mixed;\r\n\tboundary=\"{boundary}\"\r\n\r\nThis is a multi-part message in MIME format.\r\n--{boundary}\r\n{body}--{boundary}\r\n").as_bytes());
        attachment(&mut out, target, &mut random);
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    } else {
        out.extend_from_slice(body.as_bytes());
    }
    out
}

fn header(seed: u64, index: u64, foreign: bool, random: &mut Random) -> String {
    let domain = random.pick(&DOMAINS).copied().unwrap_or_default();
    let mut out = String::with_capacity(2048);
    for hop in 0..1 + random.below(3) {
        out.push_str(&format!(
            "Received: from mx{}.{domain} (mx{}.{domain} [192.0.2.{}])\r\n\tby relay{hop}.example.com (Postfix) with ESMTPS id {:010X}\r\n\tfor <rcpt@example.com>; {}\r\n",
            random.below(9), random.below(9), random.below(250), random.next() & 0xff_ffff_ffff, header_date(arrival(index) - hop * 2)
        ));
    }
    if random.percent(60) {
        let signature: Vec<u8> = (0..192).map(|_| random.next() as u8).collect();
        let folded = base64(&signature, 64).trim_end().replace("\r\n", "\r\n\t ");
        out.push_str(&format!("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=sel1;\r\n\th=from:to:subject:date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb={folded}\r\n"));
    }
    out.push_str(&format!(
        "From: {}\r\nTo: {}\r\n",
        person(random),
        person(random)
    ));
    if random.percent(30) {
        let copies: Vec<String> = (0..1 + random.below(5)).map(|_| person(random)).collect();
        out.push_str(&format!("Cc: {}\r\n", copies.join(",\r\n ")));
    }
    let count = 3 + random.below(6);
    let subject = words(random, count, if foreign { 30 } else { 0 });
    out.push_str(&format!(
        "Subject: {}\r\nDate: {}\r\n",
        encoded(&subject),
        header_date(arrival(index) - 5)
    ));
    out.push_str(&format!("Message-ID: <{index:08x}.{seed:x}@{domain}>\r\n"));
    if index > 0 && random.percent(40) {
        let parent = index - 1 - random.below(index.min(50));
        out.push_str(&format!("In-Reply-To: <{parent:08x}.{seed:x}@{domain}>\r\nReferences: <root.{seed:x}@{domain}>\r\n <{parent:08x}.{seed:x}@{domain}>\r\n"));
    }
    out.push_str("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Thunderbird/115.0\r\nMIME-Version: 1.0\r\n");
    out
}

fn person(random: &mut Random) -> String {
    let first = random.pick(&FIRST_NAMES).copied().unwrap_or_default();
    let last = random.pick(&LAST_NAMES).copied().unwrap_or_default();
    let domain = random.pick(&DOMAINS).copied().unwrap_or_default();
    let display = format!("{first} {last}");
    let display = if display.contains('\'') && display.is_ascii() {
        format!("\"{display}\"")
    } else {
        encoded(&display)
    };
    format!("{display} <user.{}@{domain}>", random.below(400))
}

fn words(random: &mut Random, count: u64, foreign_percent: u64) -> String {
    let mut out = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let foreign = random.percent(foreign_percent);
        let word = if foreign {
            random.pick(&FOREIGN_WORDS)
        } else {
            random.pick(&WORDS)
        };
        out.extend(word.copied());
    }
    out.join(" ")
}

/// RFC 2047 encoded words of at most 75 characters, where the text is not ASCII.
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut chunks = vec![String::new()];
    for character in text.chars() {
        if chunks
            .last()
            .is_some_and(|chunk| chunk.len() + character.len_utf8() > 42)
        {
            chunks.push(String::new());
        }
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(character);
        }
    }
    let words: Vec<String> = chunks
        .iter()
        .map(|chunk| format!("=?UTF-8?B?{}?=", base64(chunk.as_bytes(), 0)))
        .collect();
    words.join("\r\n ")
}

fn text(random: &mut Random, length: usize, foreign: bool) -> String {
    let mut out = String::with_capacity(length + 100);
    while out.len() < length {
        let count = 8 + random.below(6);
        out.push_str(&words(random, count, if foreign { 8 } else { 0 }));
        out.push_str(if random.percent(15) {
            "\r\n\r\n"
        } else {
            "\r\n"
        });
    }
    out.push_str("-- \r\nKind regards\r\n");
    out
}

fn plain_part(text: &str) -> String {
    let (charset, encoding, body) = if text.is_ascii() {
        ("us-ascii", "7bit", text.to_owned())
    } else {
        ("utf-8", "quoted-printable", quoted_printable(text))
    };
    format!(
        "Content-Type: text/plain; charset={charset}; format=flowed\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
    )
}

fn alternative(text: &str, outer: &str) -> String {
    let boundary = format!("{outer}_alt");
    let paragraphs: String = text.split("\r\n").map(|line| format!("<p class=\"MsoNormal\"><span style=\"mso-fareast-language:EN-US\">{line}</span></p>\r\n")).collect();
    let html = format!(
        "<html><head><style type=\"text/css\">p.MsoNormal {{margin:0cm}}</style></head>\r\n<body>\r\n{paragraphs}</body></html>\r\n"
    );
    format!(
        "Content-Type: multipart/alternative;\r\n\tboundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{}--{boundary}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n--{boundary}--\r\n",
        plain_part(text),
        quoted_printable(&html)
    )
}

fn attachment(out: &mut Vec<u8>, target: usize, random: &mut Random) {
    out.extend_from_slice(b"Content-Type: application/pdf; name=\"report.pdf\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"report.pdf\"\r\n\r\n");
    let raw = target.saturating_sub(out.len() + 60).max(150) * 57 / 78;
    let bytes: Vec<u8> = (0..raw / 8 + 1)
        .flat_map(|_| random.next().to_le_bytes())
        .take(raw)
        .collect();
    out.extend_from_slice(base64(&bytes, 76).as_bytes());
}

fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 5 / 4);
    let mut column = 0;
    for (index, byte) in text.bytes().enumerate() {
        let line_end = text
            .as_bytes()
            .get(index + 1)
            .is_none_or(|next| *next == b'\r');
        if byte == b'\r' || byte == b'\n' {
            out.push(char::from(byte));
            column = 0;
            continue;
        }
        if column > 72 {
            out.push_str("=\r\n");
            column = 0;
        }
        if (byte.is_ascii_graphic() && byte != b'=') || (byte == b' ' && !line_end) {
            out.push(char::from(byte));
            column += 1;
        } else {
            out.push_str(&format!("={byte:02X}"));
            column += 3;
        }
    }
    out
}

/// Base64 in lines of `wrap` characters with CRLF, or in one piece when `wrap` is 0.
pub(crate) fn base64(bytes: &[u8], wrap: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len() * 3 / 2 + 8);
    let mut column = 0;
    for chunk in bytes.chunks(3) {
        let octet = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = octet(0) << 16 | octet(1) << 8 | octet(2);
        for position in 0..4 {
            let digit = DIGITS
                .get((group >> (18 - 6 * position)) as usize & 63)
                .copied()
                .unwrap_or(b'=');
            out.push(if position > chunk.len() {
                '='
            } else {
                char::from(digit)
            });
        }
        column += 4;
        if wrap > 0 && column >= wrap {
            out.push_str("\r\n");
            column = 0;
        }
    }
    if wrap > 0 && column > 0 {
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Profile, base64, internal_date, message};

    #[test]
    fn messages_are_repeatable_and_near_their_size() {
        let one = message(1, 7, Profile::Fixed(51_200));
        assert_eq!(one, message(1, 7, Profile::Fixed(51_200)));
        assert_ne!(one, message(2, 7, Profile::Fixed(51_200)));
        assert!((48_000..55_000).contains(&one.len()), "{}", one.len());
    }

    #[test]
    fn base64_is_padded_and_wrapped() {
        assert_eq!(base64(b"f", 0), "Zg==");
        assert_eq!(base64(b"foob", 0), "Zm9vYg==");
        assert_eq!(base64(b"foobar", 4), "Zm9v\r\nYmFy\r\n");
    }

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(internal_date(0), " 1-Jan-2023 00:00:00 +0000");
        assert_eq!(internal_date(59 * 72), " 1-Mar-2023 00:00:00 +0000");
    }
}
