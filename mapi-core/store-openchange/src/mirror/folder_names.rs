//! Names for the folders of a remote that allows more than we do: siblings of one name, control characters, none.

use std::collections::HashSet;

use mapi_store::FOLDER_NAME_BYTES_MAX;

/// A folder among its siblings.
pub(super) struct Sibling<'s> {
    pub(super) id: i64,
    /// What the remote calls it; `None`: its name is its own.
    pub(super) wanted: Option<&'s str>,
    /// What it is called here, if it was here before.
    pub(super) name: Option<&'s str>,
}

/// A name for each of some siblings, in the order of their ids. Who has the name that is wanted keeps it; of the
/// others the older folder goes first.
pub(super) fn names(siblings: &[Sibling<'_>]) -> Vec<(i64, String)> {
    let mut order: Vec<(u8, &Sibling<'_>, String)> = siblings
        .iter()
        .map(|sibling| match (sibling.wanted, sibling.name) {
            (None, name) => (0, sibling, name.unwrap_or_default().to_owned()),
            (Some(wanted), name) => {
                let wanted = valid(wanted);
                (if name == Some(&*wanted) { 1 } else { 2 }, sibling, wanted)
            }
        })
        .collect();
    order.sort_by_key(|(rank, sibling, _)| (*rank, sibling.id));
    let mut taken: HashSet<String> = HashSet::with_capacity(order.len());
    let mut named: Vec<(i64, String)> = order
        .into_iter()
        .map(|(_, sibling, wanted)| {
            let mut name = wanted.clone();
            let mut count = 2u32;
            while !taken.insert(name.to_lowercase()) {
                name = with_suffix(&wanted, &format!(" ({count})"));
                count += 1;
            }
            (sibling.id, name)
        })
        .collect();
    named.sort_by_key(|(id, _)| *id);
    named
}

/// The name, if folders may have it, or one that comes close.
fn valid(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if name.is_empty() {
        return "Folder".to_owned();
    }
    with_suffix(&name, "")
}

fn with_suffix(name: &str, suffix: &str) -> String {
    let end = name.floor_char_boundary(FOLDER_NAME_BYTES_MAX - suffix.len());
    format!("{}{suffix}", name.get(..end).unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(siblings: &[(i64, &str, Option<&str>)], expected: &[&str]) {
        let siblings: Vec<Sibling<'_>> = siblings
            .iter()
            .map(|(id, wanted, name)| Sibling {
                id: *id,
                wanted: Some(wanted),
                name: *name,
            })
            .collect();
        let named: Vec<String> = names(&siblings).into_iter().map(|(_, name)| name).collect();
        assert_eq!(named, expected);
    }

    #[test]
    fn siblings_of_one_name_are_told_apart_without_case_and_stay_so() {
        check(
            &[(1, "Work", None), (2, "WORK", None), (3, "work", None)],
            &["Work", "WORK (2)", "work (3)"],
        );
        check(
            &[(1, "Work", None), (2, "WORK", Some("WORK"))],
            &["Work (2)", "WORK"],
        );
        let again = [(1, "Work", Some("Work (2)")), (2, "WORK", Some("WORK"))];
        check(&again, &["Work (2)", "WORK"]);
        check(&[(1, "Work", Some("Work (2)"))], &["Work"]);
        check(
            &[(1, "a", None), (2, "A (2)", None), (3, "A", None)],
            &["a", "A (2)", "A (3)"],
        );
    }

    #[test]
    fn names_that_no_folder_can_have_are_made_to_fit() {
        check(&[(1, "", None), (2, "", None)], &["Folder", "Folder (2)"]);
        check(&[(1, "a\tb\u{7f}", None)], &["a b "]);
        let long = "ü".repeat(200);
        check(
            &[(1, &long, None), (2, &long, None)],
            &[&"ü".repeat(127), &format!("{} (2)", "ü".repeat(125))],
        );
    }
}
