use std::collections::BTreeMap;

use super::*;

/// A small generator (xorshift64*), so that a seed names a run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}

fn head(version: u64) -> IndexHead {
    IndexHead {
        epoch: Epoch(1),
        next_number: ItemNumber(1),
        version: Version(version),
        keywords: Arc::default(),
    }
}

fn item(number: u32, version: u64, flags: Flags) -> ItemState {
    ItemState {
        number: ItemNumber(number),
        size: Size::new(10),
        keywords: KeywordSetId::NONE,
        flags,
        verb: Verb::None,
        received: 0,
        version: Version(version),
    }
}

fn some_flags(random: &mut Random) -> Flags {
    let all = [Flags::SEEN, Flags::DELETED, Flags::FLAGGED];
    let chosen = all.into_iter().filter(|_| random.below(2) == 0);
    chosen.fold(Flags::NONE, |flags, flag| flags | flag)
}

fn index_of(items: &BTreeMap<u32, ItemState>, version: u64) -> FolderIndex {
    FolderIndex::new(head(version), &items.values().copied().collect::<Vec<_>>())
}

fn check_same(index: &FolderIndex, model: &BTreeMap<u32, ItemState>) {
    assert!(index.iter().eq(model.values()));
    assert_eq!(index.len(), model.len());
    let unseen = |item: &&ItemState| !item.flags.contains(Flags::SEEN);
    let counts = IndexCounts {
        items: model.len() as u32,
        unseen: model.values().filter(unseen).count() as u32,
        deleted: model
            .values()
            .filter(|item| item.flags.contains(Flags::DELETED))
            .count() as u32,
        size: model.values().filter_map(|item| item.size.known()).sum(),
        size_unknown: model
            .values()
            .filter(|item| item.size == Size::UNKNOWN)
            .count() as u32,
    };
    assert_eq!(index.counts(), counts);
    assert_eq!(
        index.first_unseen(),
        model.values().position(|item| unseen(&item))
    );
    assert!(
        index
            .pages
            .iter()
            .all(|page| (1..=PAGE_ITEMS).contains(&page.items.len()))
    );
    for (position, item) in model.values().enumerate().step_by(97) {
        assert_eq!(index.get(position), Some(item));
        assert_eq!(index.position(item.number), Some(position));
        let from = item.number;
        let range = index.range(from..=ItemNumber(from.0 + 50));
        assert!(range.eq(model.range(from.0..=from.0 + 50).map(|(_, item)| item)));
    }
    assert_eq!(index.get(model.len()), None);
}

#[test]
fn a_state_takes_no_more_than_32_octets() {
    assert!(size_of::<ItemState>() <= 32, "{}", size_of::<ItemState>());
}

#[test]
fn merged_snapshots_equal_fresh_ones_and_diffs_lead_from_one_to_the_next() {
    for seed in 1..=12_u64 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let mut model: BTreeMap<u32, ItemState> = BTreeMap::new();
        let mut index = index_of(&model, 0);
        let mut next = 1;
        for version in 1..=25 {
            let old = model.clone();
            for _ in 0..random.below(3000) {
                model.insert(next, item(next, version, Flags::NONE));
                next += 1 + random.below(3) as u32;
            }
            let keep = random.below(10) > 0;
            let span = random.below(u64::from(next)) as u32;
            model.retain(|number, _| keep || *number < span);
            for _ in 0..random.below(20) {
                let number = random.below(u64::from(next)) as u32;
                if random.below(3) == 0 {
                    model.remove(&number);
                } else if let Some(state) = model.get_mut(&number) {
                    *state = item(number, version, some_flags(&mut random));
                }
            }
            let changed: Vec<_> = model
                .values()
                .filter(|item| item.version.0 == version)
                .copied()
                .collect();
            let removed: Vec<_> = old
                .keys()
                .filter(|number| !model.contains_key(number))
                .map(|number| ItemNumber(*number))
                .collect();
            let merged = index.merge(head(version), &changed, &removed);
            check_same(&merged, &model);
            let diff = merged.diff(&index);
            let is_old = |item: &&ItemState| old.contains_key(&item.number.0);
            assert_eq!(diff.removed, removed);
            assert!(diff.changed.iter().eq(changed.iter().filter(is_old)));
            assert!(
                diff.added
                    .iter()
                    .eq(changed.iter().filter(|item| !is_old(item)))
            );
            index = merged;
        }
    }
}

#[test]
fn a_change_of_one_item_copies_one_page() {
    let model: BTreeMap<u32, ItemState> = (1..=100_000)
        .map(|number| (number, item(number, 1, Flags::NONE)))
        .collect();
    let old = index_of(&model, 1);
    let new = old.merge(
        head(2),
        &[item(50_000, 2, Flags::SEEN)],
        &[ItemNumber(200_000)],
    );
    let shared = old
        .pages
        .iter()
        .zip(&new.pages)
        .filter(|(a, b)| Arc::ptr_eq(a, b))
        .count();
    assert_eq!(shared, old.pages.len() - 1);
    assert_eq!(new.diff(&old).changed.len(), 1);
    assert_eq!(new.counts().unseen, 99_999);
}

#[test]
fn sizes_become_known_without_a_difference() {
    let unknown = |number| ItemState {
        size: Size::UNKNOWN,
        ..item(number, 1, Flags::NONE)
    };
    let mut model: BTreeMap<u32, ItemState> = (1..=10_000).map(|n| (n, unknown(n))).collect();
    let old = index_of(&model, 1);
    assert_eq!(old.counts().size_unknown, 10_000);
    let known: Vec<_> = [1, 9_000].map(|n| item(n, 1, Flags::NONE)).to_vec();
    let new = old.with_sizes(&known);
    model.extend(known.iter().map(|item| (item.number.0, *item)));
    check_same(&new, &model);
    assert_eq!(new.diff(&old), IndexDiff::default());
    assert!(Arc::ptr_eq(&old.pages[1], &new.pages[1]));
}

#[test]
fn removed_numbers_that_are_not_there_copy_nothing() {
    let model: BTreeMap<u32, ItemState> = (1..=10)
        .map(|number| (number * 10, item(number * 10, 1, Flags::NONE)))
        .collect();
    let old = index_of(&model, 1);
    let new = old.merge(head(2), &[], &[ItemNumber(200)]);
    assert!(Arc::ptr_eq(&old.pages[0], &new.pages[0]));
}

#[test]
fn another_epoch_replaces_everything() {
    let model = BTreeMap::from([(1, item(1, 1, Flags::NONE))]);
    let old = index_of(&model, 1);
    let new = FolderIndex::new(
        IndexHead {
            epoch: Epoch(2),
            ..head(1)
        },
        &[item(1, 1, Flags::NONE)],
    );
    let diff = new.diff(&old);
    assert_eq!(
        (diff.removed.len(), diff.added.len(), diff.changed.len()),
        (1, 1, 0)
    );
}

#[test]
fn the_next_number_is_above_the_last_item() {
    let model = BTreeMap::from([(7, item(7, 1, Flags::NONE))]);
    let index = Arc::new(index_of(&model, 1));
    assert_eq!(index.next_number(), ItemNumber(8));
    assert_eq!(
        Arc::clone(&index)
            .with_next_number(ItemNumber(12))
            .next_number(),
        ItemNumber(12)
    );
    assert_eq!(
        index.with_next_number(ItemNumber(3)).next_number(),
        ItemNumber(8)
    );
}
