//! The checks of the fuzz targets, on their seeds and on pseudo-random mutations of them: always the same ones.

use crate::round_trip::{body, header};

/// A xorshift generator: no dependency, no entropy.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let files = std::fs::read_dir(folder).expect("a corpus");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    #[expect(clippy::disallowed_methods, reason = "a test reads its seeds")]
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a seed"))
        .collect()
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    const TOKENS: [&[u8]; 16] = [
        b"<",
        b">",
        b"/>",
        b"</D:prop>",
        b"&amp;",
        b"&#13;",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b" xmlns=\"\"",
        b" xmlns:D=\"urn:x\"",
        b"\"",
        b"%2F",
        b"\r\n",
        b"\0",
    ];
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        match random.below(5) {
            0 => {
                let end = at + random.below(input.len() - at + 1).min(8);
                input.drain(at..end);
            }
            1 => input.insert(at, random.below(256) as u8),
            2 => {
                let other = &seeds[random.below(seeds.len())];
                let start = random.below(other.len() + 1);
                let tail = other[start..].to_vec();
                input.truncate(at);
                input.extend(tail);
            }
            3 => input.truncate(at),
            _ => {
                let token = TOKENS[random.below(TOKENS.len())];
                input.splice(at..at, token.iter().copied());
            }
        }
    }
}

fn smoke(target: &str, check: fn(&[u8])) {
    let seeds = seeds(target);
    seeds.iter().for_each(|seed| check(seed));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..5_000 {
        let mut input = seeds[random.below(seeds.len())].clone();
        mutate(&mut input, &seeds, &mut random);
        check(&input);
    }
}

#[test]
fn bodies_hold_on_mutated_seeds() {
    smoke("dav_body", body::check);
}

#[test]
fn headers_hold_on_mutated_seeds() {
    smoke("dav_header", header::check);
}
