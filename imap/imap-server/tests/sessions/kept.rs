//! A store that keeps some of what is to be deleted, as Exchange may.
use account::ItemNumber;
use imap_server::Config;

use crate::support::World;

const ANN: &str = "ann@example.test";

#[tokio::test]
async fn messages_that_the_store_kept_are_not_said_to_be_expunged() {
    for (command, then) in [
        ("EXPUNGE", "* 1 EXPUNGE"),
        ("UID EXPUNGE 1:2", "* 1 EXPUNGE"),
        ("CLOSE", ""),
    ] {
        let world = World::new(Config::default(), None).await;
        for text in ["one", "two", "three"] {
            let message = format!("Subject: {text}\r\n\r\n");
            world.deliver(ANN, message.as_bytes()).await;
        }
        let mut ann = world.ann().await;
        ann.command("a", "SELECT INBOX").await;
        ann.command("b", "STORE 1:2 +FLAGS.SILENT (\\Deleted)")
            .await;
        world.backend.faults().keep(&[ItemNumber(2)]);
        let answer = ann.lines("c", command).await;
        let expected = "c NO [CANNOT] some messages could not be removed";
        assert_eq!(answer.last().unwrap(), expected, "{command}");
        if !then.is_empty() {
            assert_eq!(answer[0], then, "{command}");
        }
        // It is still selected, with what was kept.
        let answer = ann.lines("d", "UID SEARCH DELETED").await;
        assert!(
            answer.contains(&"* SEARCH 2".to_owned()),
            "{command}: {answer:?}"
        );
        world.backend.faults().heal();
        let answer = ann.lines("e", command).await;
        assert!(answer.last().unwrap().starts_with("e OK"), "{command}");
    }
}
