//! Commands that are a lot of work let others have their turn.
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use account::{MailboxId, NewFolder, Principal};
use imap_server::Config;

use crate::support::{Client, World};

const ANN: &str = "ann@example.test";

/// Mailboxes with names that match nearly everything for a long time.
const MAILBOXES: usize = 150;

/// Turns that others must have at least while one command is carried out.
const TURNS_MIN: u32 = 50;

async fn world_with_many_mailboxes() -> World {
    let world = World::new(Config::default(), None).await;
    let mailbox = MailboxId(ANN.to_owned());
    let ann = Principal {
        user: ANN.to_owned(),
    };
    let account = world.accounts.open(&ann, &mailbox).await.unwrap();
    for n in 0..MAILBOXES {
        let folder = NewFolder {
            parent: None,
            name: format!("{}{n}", "a".repeat(50)),
            class: "IPF.Note".to_owned(),
        };
        account.create_folder(&folder).await.unwrap();
    }
    world
}

/// The answer to a command, and how many turns somebody else had meanwhile on the only thread there is.
async fn turns(mut ann: Client, command: &str) -> (Vec<String>, u32) {
    let turns = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            counter.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let answer = ann.lines("a", command).await;
    other.abort();
    (answer, turns.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_list_with_many_patterns_lets_others_have_their_turn() {
    let world = world_with_many_mailboxes().await;
    let pattern = format!("\"{}b\"", "*a%a".repeat(12));
    let patterns = vec![pattern; 64].join(" ");
    let (answer, turns) = turns(world.ann().await, &format!("LIST \"\" ({patterns})")).await;
    assert_eq!(answer, ["a OK LIST completed"]);
    assert!(turns >= TURNS_MIN, "{turns}");
}

#[tokio::test]
async fn a_recursive_list_finds_what_is_below_in_one_pass() {
    let world = World::new(Config::default(), None).await;
    let mut ann = world.ann().await;
    for name in ["a/b/c", "a/d", "e/f", "e/f/g", "ab/h"] {
        ann.command("c", &format!("CREATE {name}")).await;
    }
    for name in ["a/b/c", "e/f", "e", "ab"] {
        ann.command("s", &format!("SUBSCRIBE {name}")).await;
    }
    let answer = ann
        .lines("l", "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (a% e%)")
        .await;
    let expected = [
        r#"* LIST (\HasChildren) "/" "a" (CHILDINFO ("SUBSCRIBED"))"#,
        r#"* LIST (\HasChildren \Subscribed) "/" "ab""#,
        r#"* LIST (\HasChildren \Subscribed) "/" "e" (CHILDINFO ("SUBSCRIBED"))"#,
        "l OK LIST completed",
    ];
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_search_with_thousands_of_keys_lets_others_have_their_turn() {
    let world = World::new(Config::default(), None).await;
    for _ in 0..1500 {
        world.deliver(ANN, b"Subject: x\r\n\r\n").await;
    }
    let keys = ["UNSEEN"; 4000].join(" ");
    let mut ann = world.ann().await;
    ann.command("s", "SELECT INBOX").await;
    let command = format!("SEARCH RETURN (COUNT) {keys}");
    let (answer, turns) = turns(ann, &command).await;
    assert_eq!(answer[0], "* ESEARCH (TAG \"a\") COUNT 1500");
    assert!(turns >= TURNS_MIN, "{turns}");
}
