//! The list of cases is written by hand: this finds the case that was forgotten.

use std::{fs, path::Path};

#[test]
fn every_case_of_the_contract_is_in_its_list() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let list = fs::read_to_string(sources.join("contract.rs")).expect("the list");
    let listed: Vec<&str> = list.lines().map(str::trim).collect();
    let mut cases = 0;
    for file in fs::read_dir(sources.join("contract")).expect("the cases") {
        let source = fs::read_to_string(file.expect("a file").path()).expect("a source");
        for line in source.lines() {
            let case = line
                .strip_prefix("pub async fn ")
                .and_then(|rest| rest.split_once('('));
            if let Some((case, _)) = case {
                assert!(
                    listed.contains(&case),
                    "{case} is not listed in contract.rs"
                );
                cases += 1;
            }
        }
    }
    assert!(cases >= 100, "only {cases} cases found");
}
