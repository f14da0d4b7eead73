//! The checks of the fuzz targets, over the committed corpora and every recorded body: a short run without a fuzzer.
#![expect(clippy::unwrap_used, clippy::panic, reason = "assertions of tests")]

use std::path::{Path, PathBuf};

#[path = "../../fuzz/checks/bodies.rs"]
mod bodies;
#[path = "../../fuzz/checks/discovery.rs"]
mod discovery;
#[path = "../../fuzz/checks/rops.rs"]
mod rops;
#[path = "../../fuzz/checks/sets.rs"]
mod sets;
#[path = "../../fuzz/checks/streams.rs"]
mod streams;

/// Every file of a folder and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

fn check(target: &str, check: fn(&[u8])) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = files(&here.join("fuzz/corpus").join(target));
    assert!(!committed.is_empty());
    let recorded = files(&here.join("../../conformance/corpus/mapihttp"));
    assert!(recorded.len() > 1000);
    let read = |path: &PathBuf| std::fs::read(path).unwrap();
    let seeds: Vec<_> = committed.iter().map(read).collect();
    seeds.iter().for_each(|seed| check(seed));
    recorded.iter().map(read).for_each(|body| check(&body));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..MUTATIONS {
        let mut input = seeds[random.below(seeds.len())].clone();
        mutate(&mut input, &seeds, &mut random);
        check(&input);
    }
}

/// Inputs made from seeds for each target; always the same ones.
const MUTATIONS: usize = 10_000;

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

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
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
                input.truncate(at);
                input.extend_from_slice(&other[random.below(other.len() + 1)..]);
            }
            3 => input.truncate(at),
            _ => {
                // Lengths and counts that are too large.
                let large = [0xff; 4];
                input.splice(at..at, large[..random.below(5)].iter().copied());
            }
        }
    }
}

#[test]
fn bodies_hold() {
    check("bodies", bodies::check);
}

#[test]
fn discovery_holds() {
    check("discovery", discovery::check);
}

#[test]
fn rops_hold() {
    check("rops", rops::check);
}

#[test]
fn sets_hold() {
    check("sets", sets::check);
}

#[test]
fn streams_hold() {
    check("streams", streams::check);
}
