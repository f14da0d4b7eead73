//! The same over RPC over HTTP: a server that offers nothing else.

use exchange_standin::{Config, Rpc, What, model::draft::Draft as Sent};
use mapi_types::MailboxId;
use store_exchange::discover::Transport;

use crate::{
    faults::{arm, bytes, original, save, saved_once},
    subject::{ALICE, Standin, listing, numbers},
};

/// A server without MAPI over HTTP.
fn only_rpc() -> Config {
    Config {
        rpc: Rpc {
            offered: true,
            beside_mapi_http: false,
            ..Rpc::default()
        },
        ..Config::default()
    }
}

/// What clients did over RPC that no client may: nothing.
fn blameless(standin: &Standin) {
    let violations = standin.server.violations();
    let of_rpc = violations.iter().filter(|what| what.contains(": RPC: "));
    assert_eq!(of_rpc.collect::<Vec<_>>(), Vec::<&String>::new());
}

mod contract {
    use exchange_standin::{model::organisation::NewUser, model::user::UserKind};
    use mapi_store::contract::Fixture;

    use super::only_rpc;
    use crate::subject::Standin;

    async fn make() -> Fixture {
        let mut config = only_rpc();
        // Of whom the suite talks only.
        config.people.push(NewUser {
            name: "eve".to_owned(),
            display_name: "Eve Evans".to_owned(),
            password: "secret-eve".to_owned(),
            kind: UserKind::Person,
        });
        Standin::with(config).into_fixture()
    }

    // Those that say most about a transport; the whole suite passes over MAPI/HTTP.
    mapi_store::__contract_expand! { test make
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
    }
}

/// Over RPC cutting costs two connections each time: not every octet is tried, but all of the first packet's head.
fn places(end: u64) -> impl Iterator<Item = u64> {
    (0..30).chain((30..end).step_by(23))
}

const UPLOADS: &str = "SynchronizationImportMessageChange";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_saved_once_wherever_the_call_is_cut() {
    let standin = Standin::with(only_rpc());
    let (store, inbox) = standin.alice().await;
    save(&*store, &inbox, "first").await;
    standin.server.reset_counters();
    save(&*store, &inbox, "second").await;
    let len = standin.server.counters().bytes_in;
    for after in places(len) {
        let name = format!("cut at {after}");
        arm(&standin, UPLOADS, What::CutRequest { after });
        saved_once(&standin, &*store, &inbox, &name).await;
    }
    assert!(numbers(&listing(&*store, &inbox).await).is_sorted());
    blameless(&standin);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_saved_once_wherever_the_answer_is_cut() {
    let standin = Standin::with(only_rpc());
    let (store, inbox) = standin.alice().await;
    for after in places(700) {
        let name = format!("cut at {after}");
        arm(&standin, UPLOADS, What::CutResponse { after });
        saved_once(&standin, &*store, &inbox, &name).await;
    }
    let count = listing(&*store, &inbox).await.len();
    let mailbox = standin.server.mailbox(ALICE);
    let there = mailbox.messages(mailbox.inbox().unwrap()).unwrap();
    assert_eq!(there.len(), count);
    blameless(&standin);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_every_kind_leaves_nothing_half_done() {
    let standin = Standin::with(only_rpc());
    let (store, inbox) = standin.alice().await;
    let faults = [
        // RPC_S_SERVER_TOO_BUSY.
        What::ResponseCode(18),
        // The session is gone.
        What::ResponseCode(10),
        What::ErrorCode(0x480),
        What::ErrorCode(0x4b6),
        What::Backoff { duration_ms: 1 },
        What::Delay { ms: 1 },
        What::LOSE_ANSWER,
    ];
    for (at, what) in faults.into_iter().enumerate() {
        let name = format!("fault {at}");
        arm(&standin, UPLOADS, what);
        saved_once(&standin, &*store, &inbox, &name).await;
    }
    blameless(&standin);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_sessions_and_a_server_started_again_are_noticed_by_nobody() {
    let standin = Standin::with(only_rpc());
    let (store, inbox) = standin.alice().await;
    let before = save(&*store, &inbox, "before").await;
    standin.server.faults().expire_contexts();
    let after = save(&*store, &inbox, "after").await;
    standin.server.faults().restart();
    let last = save(&*store, &inbox, "last").await;
    assert_eq!(
        numbers(&listing(&*store, &inbox).await),
        [before, after, last]
    );
    blameless(&standin);
}

/// Downloads more than a small channel from the server carries; how many sessions that took.
async fn downloaded(rpc: Rpc) -> u64 {
    let standin = Standin::with(Config { rpc, ..only_rpc() });
    let alice = MailboxId(ALICE.to_owned());
    let (store, inbox) = standin.alice().await;
    let text = "All work and no play. ".repeat(4000);
    let mailbox = standin.server.mailbox(ALICE);
    for number in 0..20 {
        let draft = Sent::about(&format!("long {number}"));
        mailbox.deliver(draft.text(&text)).unwrap();
    }
    let synchronized = standin.exchange.synchronize(&alice, inbox.id).await;
    synchronized.unwrap();
    let items = numbers(&listing(&*store, &inbox).await);
    assert_eq!(items.len(), 20);
    for item in items {
        let octets = bytes(&*store, &inbox, item).await;
        assert!(octets.len() > text.len(), "{item:?}");
    }
    // And it goes on.
    let item = save(&*store, &inbox, "after").await;
    assert_eq!(bytes(&*store, &inbox, item).await, original("after"));
    blameless(&standin);
    standin.server.counters().sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_lost_with_the_channels_that_are_replaced() {
    // One that somebody waits for, two for the mirror, and one to sign in.
    const SESSIONS: u64 = 4;
    let large = only_rpc().rpc;
    for other_proxy in [false, true] {
        let small = Rpc {
            out_bytes: 256 << 10,
            other_proxy,
            ..large
        };
        let sessions = downloaded(small).await;
        assert!(sessions <= SESSIONS, "{sessions} of {small:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_is_heard() {
    let standin = Standin::with(only_rpc());
    let alice = MailboxId(ALICE.to_owned());
    let (store, inbox) = standin.alice().await;
    let mut notices = store.notices();
    standin
        .exchange
        .synchronize(&alice, inbox.id)
        .await
        .unwrap();
    let mailbox = standin.server.mailbox(ALICE);
    mailbox.deliver(Sent::about("news").text("text")).unwrap();
    loop {
        notices.recv().await.unwrap();
        if listing(&*store, &inbox).await.len() == 1 {
            break;
        }
    }
    blameless(&standin);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newer_transport_is_taken_where_there_are_both() {
    let mut config = only_rpc();
    config.rpc.beside_mapi_http = true;
    for (config, expected) in [
        (config, Transport::MapiHttp),
        (only_rpc(), Transport::RpcHttp),
    ] {
        let standin = Standin::with(config);
        standin.alice().await;
        let url = standin.exchange.server_url().await.unwrap();
        let is_rpc = url.path() == "/rpc/rpcproxy.dll";
        assert_eq!(is_rpc, expected == Transport::RpcHttp, "{url}");
    }
}
