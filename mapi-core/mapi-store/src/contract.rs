//! The suite that every store passes: what the documentation of [`Store`] promises, as runnable cases.
//!
//! A store's own crate writes `mapi_store::contract_tests!(make_backend);` in a test, where `make_backend` is an
//! `async fn() -> Fixture`; every case then is a test of its own, on a fresh backend. A store that keeps everything
//! itself writes `mapi_store::own_contract_tests!(make_backend);` too: see [`own`].
//!
//! Where the traits leave a choice, the suite settles it:
//!
//! * Numbers, keys and versions of a folder are shared by its normal and its associated items. [`Store::changes`] and
//!   the counts of [`FolderInfo`](crate::FolderInfo) are about normal items only. The `ASSOCIATED` bit of a draft
//!   decides; no later change moves an item between the tables.
//! * Keys are unique among the items of a folder. A key whose item was deleted is free again. A move to a folder that
//!   has the key already is `Exists`, and moves nothing. A key has 1 to 255 bytes, else `Invalid`.
//! * A save of several drafts, and a transfer, may use one version or several; an update uses one.
//! * [`Expected::version`](crate::Expected) is met as long as the item's version is at most that.
//! * A change of content drops what was true of the bytes only: `ORIGINAL_SIZE`, `ORIGINAL_PREFIX` and `DERIVED_*` are
//!   missing then, or are those of the new bytes in a store that renders items. `ORIGINAL` can still be read, because
//!   attachments may be ranges of it.
//! * Where a server of others keeps the items, it adds properties of its own to what it was given (dates, ids, a
//!   search key), and computes some itself (PidTagRecordKey, PidTagRtfInSync). Of a message all other values come back,
//!   of recipients and attachments too; text without U+0000. A message that had no original is rendered there.
//! * A mailbox that was made by somebody else has its folders' names in that language, and may have no folder of
//!   [`Role::Archive`](crate::Role), which servers make when somebody first archives.
//! * Softly deleted items are listed by [`Table::SoftDeleted`](crate::Table), under the numbers they had; every
//!   other method but [`Store::recover`] and [`Store::purge`] finds nothing under those numbers.
//! * A folder that the principal does not see is `NotFound`; a visible one without the right is `Denied`.
//! * Who did not log in has an empty address: the rights of [`Member::Anonymous`](crate::Member), else none.
//! * A new folder takes over the permissions of its parent.
//! * [`Store::hierarchy`] after the end of the log is `Invalid`. [`Store::props`] of a missing item is `NotFound`.
//! * Folder names are compared without case over all of Unicode.
//! * Sorting puts rows without the value first (last when descending), and equals by number.
//! * A piece that begins at or after the end of a value is empty; a request for more than
//!   [`READ_BYTES_MAX`](crate::READ_BYTES_MAX) is `Invalid`.
//! * Items may be rendered or not when they were saved: the cases ask as every reader must, see [`Store`].
//! * Of an empty value of [`Derived`](mapi_types::Derived), the column may be missing.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "assertions of tests, for the crates of stores"
)]

pub mod changes;
pub mod concurrency;
pub mod deletions;
pub mod folders;
pub mod items;
mod mailbox;
pub mod mailboxes;
pub mod notices;
pub mod originals;
pub mod own;
pub mod permissions;
pub mod properties;
pub mod queries;
pub mod recovery;
pub mod rendering;
pub mod renumbering;
pub mod transfers;
pub mod unknown_folders;
pub mod updates;
pub mod values;

use std::{any::Any, future::Future, sync::Arc};

use crate::Backend;
#[cfg(doc)]
use crate::Store;

/// A backend without mailboxes, and what it needs to live (a directory to be removed at the end).
pub struct Fixture {
    /// The backend under test.
    pub backend: Arc<dyn Backend>,
    /// Dropped after it.
    pub guard: Box<dyn Any + Send>,
}

impl Fixture {
    /// A backend that needs nothing.
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        Self::with_guard(backend, ())
    }

    /// A backend and what it needs.
    pub fn with_guard(backend: Arc<dyn Backend>, guard: impl Any + Send) -> Self {
        Self {
            backend,
            guard: Box::new(guard),
        }
    }
}

/// Runs one case on a fresh backend, on a runtime of two threads.
///
/// Panics when the store breaks the contract.
pub fn check<Made, Ran>(case: impl FnOnce(Arc<dyn Backend>) -> Ran, make: impl FnOnce() -> Made)
where
    Made: Future<Output = Fixture>,
    Ran: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(Box::pin(async {
        let Fixture { backend, guard } = make().await;
        Box::pin(case(backend)).await;
        drop(guard);
    }));
}

/// Runs every case, one after the other.
///
/// Panics when the store breaks the contract.
pub fn run_all<Made>(make: impl Fn() -> Made)
where
    Made: Future<Output = Fixture>,
{
    crate::__contract_cases!(run make);
}

/// Every case of the contract as a test of its own: `contract_tests!(make_backend)`, where `make_backend` is an
/// `async fn() -> Fixture` in scope.
#[macro_export]
macro_rules! contract_tests {
    ($make:ident) => {
        $crate::__contract_cases!(test $make);
    };
}

/// The cases of [`own`] as tests, for a store that keeps everything itself: beside [`contract_tests`].
#[macro_export]
macro_rules! own_contract_tests {
    ($make:ident) => {
        $crate::__contract_expand! { test $make
            recovery {
                what_was_deleted_comes_back_as_it_was
                a_recovered_item_goes_anywhere
                recovering_again_changes_nothing
                a_key_that_was_given_again_stays_with_the_new_item
                associated_items_come_back_to_their_table
                purged_items_are_gone_for_good
                a_deleted_folder_keeps_its_items
                a_folder_without_items_leaves_nothing
                what_was_deleted_is_told_when
                guests_recover_what_they_may_delete
            }
            own {
                a_new_mailbox_has_a_folder_for_every_role
                a_message_comes_back_as_it_was_given
                no_original_is_made_of_properties
                a_content_change_leaves_no_facts
                parts_of_an_edited_message_stay_where_they_were
                free_busy_times_are_told_by_permission
            }
        }
    };
}

/// The list of cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_cases {
    ($mode:ident $make:ident) => {
        $crate::__contract_expand! { $mode $make
            changes {
                an_empty_folder_has_no_changes
                changes_since_zero_tell_everything
                changes_since_a_version_tell_the_difference
                expunged_items_are_told_to_every_reader
                an_edit_is_a_removal_and_an_arrival
                a_future_version_is_expired
                pages_lead_to_the_whole_without_splitting_a_version
                a_follower_holds_what_is_there
            }
            concurrency {
                concurrent_saves_have_unique_ascending_numbers
                concurrent_retries_save_once
                concurrent_edits_have_one_winner
                a_follower_keeps_up_with_writers
                concurrent_folder_creation_has_one_winner
                a_dropped_request_does_no_harm
            }
            deletions {
                hard_deletion_leaves_nothing
                soft_deletion_can_be_looked_into
                a_softly_deleted_number_finds_nothing
                deleting_what_is_gone_changes_nothing
                an_item_whose_mark_was_taken_off_is_not_expunged
            }
            folders {
                a_new_mailbox_has_its_special_folders
                a_folder_is_made_below_another
                invalid_names_are_refused
                siblings_have_different_names
                a_renamed_folder_keeps_its_items
                a_folder_cannot_move_below_itself
                special_folders_cannot_be_moved_or_deleted
                a_folder_is_deleted_with_its_items
                a_folder_made_again_has_another_epoch
                hierarchy_changes_are_told
                nothing_changed_is_no_hierarchy_change
                counts_alone_are_no_hierarchy_change
                a_future_hierarchy_version_is_invalid
            }
            items {
                numbers_ascend_in_order_of_saving
                numbers_are_never_reused_after_deletion
                the_next_number_is_announced
                a_batch_gets_ascending_numbers
                a_batch_is_saved_whole_or_not_at_all
                generated_keys_are_unique_in_the_mailbox
                a_chosen_key_is_kept
                a_retried_save_saves_nothing_twice
                a_retried_batch_saves_what_is_missing
                a_retried_save_names_the_number_of_today
                the_key_of_a_deleted_item_is_free
                find_answers_every_key
                replacing_keeps_the_key_and_renumbers
                replacing_with_a_stale_expectation_is_a_conflict
                replacing_a_missing_item_is_not_found
                associated_items_have_a_table_of_their_own
                associated_items_change_apart
            }
            mailboxes {
                an_unknown_mailbox_is_not_found
                a_mailbox_is_made_once
                mailboxes_are_separate
                a_removed_mailbox_is_gone
                stores_on_one_mailbox_see_each_others_changes
                folders_have_ids_and_epochs
            }
            notices {
                changes_of_items_are_hinted_at
                a_move_is_hinted_at_in_the_source
                changes_of_the_tree_are_hinted_at
                truth_does_not_depend_on_notices
            }
            originals {
                an_original_is_kept_to_the_octet
                sizes_count_prefix_and_original
                a_message_without_an_original_has_a_size
                a_large_original_is_read_in_pieces
                pieces_end_with_the_value
                parts_of_an_edited_message_stay_readable
                a_replaced_original_is_the_new_one
                an_original_may_be_elsewhere_than_in_memory
                an_unreadable_original_saves_nothing
                items_sharing_an_original_are_separate
            }
            permissions {
                a_stranger_cannot_open_the_mailbox
                a_permission_table_is_kept
                a_reviewer_reads_and_cannot_write
                an_editor_changes_items_but_not_the_folder
                rights_on_own_items_end_at_others
                a_visible_folder_is_not_yet_readable
                an_invisible_folder_is_not_found
                a_named_row_wins_over_the_default
                who_did_not_log_in_has_the_anonymous_rights
                permissions_count_at_once
                a_new_folder_takes_over_permissions
                a_visible_folder_in_an_invisible_one_stands_at_the_top
                a_transfer_needs_rights_at_both_ends
            }
            properties {
                mailbox_properties_are_kept
                folder_properties_are_kept
                a_folders_class_and_hiding_show_in_the_tree
                item_properties_are_read_but_not_set
                named_properties_are_stable
                known_named_properties_have_fixed_ids
            }
            queries {
                a_range_selects_the_numbers_in_it
                numbers_select_those_that_are_there
                a_limit_cuts_after_the_order
                filters_select_rows
                rows_are_sorted
                rows_have_the_columns_asked_for
            }
            rendering {
                rows_asked_for_the_renderer_are_complete
                the_first_pieces_read_belong_together
                rendering_is_no_change
                a_folder_bounds_the_size_of_its_items
            }
            renumbering {
                a_content_change_renumbers
                categories_renumber_events_but_not_mail
                renumbered_items_keep_their_order
            }
            transfers {
                a_copy_tells_its_pairs
                a_copy_has_a_key_of_its_own
                a_copy_is_complete
                a_move_keeps_the_key
                a_move_within_one_folder_renumbers
                missing_items_are_not_transferred
                a_move_onto_a_taken_key_moves_nothing
                a_moved_number_finds_nothing
            }
            unknown_folders {
                the_tree_has_no_unknown_folder
                nothing_is_read_from_an_unknown_folder
                nothing_is_written_to_an_unknown_folder
            }
            updates {
                a_flag_change_keeps_the_number
                flags_of_every_kind_keep_the_number
                a_change_that_changes_nothing_gives_no_version
                bits_are_deltas_in_one_version
                strings_are_deltas
                stale_items_are_named_and_left_alone
                a_batch_of_stale_items_gives_no_version
                missing_items_are_left_out
                computed_properties_cannot_be_set
                copies_of_one_message_change_apart
                counts_follow_read_state_and_deletion_marks
            }
            values {
                large_values_do_not_come_inline
                large_values_change_like_others
                a_message_comes_back_whole
                own_properties_win_over_shared_ones
                derived_facts_are_served
                derived_facts_can_be_put_later
            }
        }
    };
}

/// What is done with the list of cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_expand {
    (test $make:ident $($module:ident { $($case:ident)* })*) => {
        $(
            mod $module {
                $(
                    #[test]
                    fn $case() {
                        $crate::contract::check($crate::contract::$module::$case, super::$make);
                    }
                )*
            }
        )*
    };
    (run $make:ident $($module:ident { $($case:ident)* })*) => {
        $($( $crate::contract::check($crate::contract::$module::$case, &$make); )*)*
    };
}
