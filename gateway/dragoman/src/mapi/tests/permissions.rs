//! Who may do what, and hear when somebody is busy.

use serde_json::Value;

use super::{Gateway, field};
use crate::{
    command::Request,
    exchange::tests::world::{ALICE, BOB, LOCAL},
};

#[tokio::test]
async fn permissions_are_shown_changed_and_hold() {
    let gateway = Gateway::new().await;
    gateway
        .0
        .gateway
        .ensure_user("eve@local.test", "local")
        .await
        .unwrap();
    for (mailbox, other) in [(LOCAL, "eve@local.test"), (ALICE, BOB)] {
        let look = ["list", mailbox, "Inbox", "--as", other];
        gateway.fails(&look, 4).await;
        let words = ["permissions", mailbox, "Inbox", "set", other, "reviewer"];
        let table = gateway.ask(&words).await;
        let row = table.iter().find(|row| row["member"] == other).unwrap();
        assert_eq!(field(row, "role"), "reviewer");
        assert_eq!(gateway.ask(&["permissions", mailbox, "Inbox"]).await, table);
        assert_eq!(gateway.ask(&look).await.len(), 0);
        let words = [
            "appointment",
            mailbox,
            "add",
            "--folder",
            "Inbox",
            "--as",
            other,
        ];
        let more = ["--subject", "x", "--start", "2027-03-01T10:00Z"];
        gateway.fails(&[&words[..], &more].concat(), 4).await;
        let words = ["permissions", mailbox, "Inbox", "remove", other];
        gateway.ask(&words).await;
        gateway.fails(&words, 3).await;
        let words = ["permissions", mailbox, "Inbox", "set", other, "everything"];
        gateway.fails(&words, 1).await;
    }
}

/// Who has which rights in a folder, as a change of them says.
async fn table(gateway: &Gateway, words: &[&str]) -> Vec<(String, u64)> {
    let words = [&["permissions"][..], words].concat();
    let rows = gateway.ask(&words).await.into_iter();
    let row = |row: Value| {
        let member = field(&row, "member").to_owned();
        (member, row["rights"].as_u64().unwrap())
    };
    rows.map(row).collect()
}

#[tokio::test]
async fn who_gets_no_rights_does_not_hear_of_busy_times_any_more() {
    let gateway = Gateway::new().await;
    for (mailbox, other) in [(LOCAL, "default"), (ALICE, "default"), (ALICE, BOB)] {
        for rights in ["freebusy", "freebusy-detailed", "reviewer+freebusy"] {
            let set = async |rights: &str| {
                let words = [mailbox, "Calendar", "set", other, rights];
                let rows = table(&gateway, &words).await;
                rows.into_iter().find(|(member, _)| member == other)
            };
            set(rights).await.unwrap();
            let row = set("none").await;
            assert!(
                row.is_none_or(|(_, rights)| rights == 0),
                "{mailbox} {other}"
            );
            set(rights).await.unwrap();
            let rows = table(&gateway, &[mailbox, "Calendar", "remove", other]).await;
            assert!(rows.iter().all(|(member, _)| member != other), "{rows:?}");
        }
    }
}

#[tokio::test]
async fn members_whom_nobody_knows_any_more_are_taken_out_by_the_name_that_is_shown() {
    let gateway = Gateway::new().await;
    let eve = "eve@local.test";
    let administration = &gateway.0.gateway;
    administration.ensure_user(eve, "local").await.unwrap();
    table(&gateway, &[LOCAL, "Inbox", "set", eve, "editor"]).await;
    table(&gateway, &[LOCAL, "Notes", "set", eve, "editor"]).await;
    table(&gateway, &[ALICE, "Inbox", "set", BOB, "editor"]).await;
    let remove = Request::UserRemove {
        address: eve.to_owned(),
        purge: false,
    };
    gateway.0.ask(remove).await.unwrap();
    gateway.0.server().change_user("bob", |user| {
        user.legacy_dn = "/o=Other/cn=Robert".to_owned();
        user.smtp = "robert@example.test".to_owned();
    });
    for mailbox in [LOCAL, ALICE] {
        let rows = table(&gateway, &[mailbox, "Inbox"]).await;
        let (gone, rights) = rows.first().unwrap();
        assert_eq!(*rights, 0x47b, "{rows:?}");
        let rows = table(&gateway, &[mailbox, "Inbox", "set", gone, "reviewer"]).await;
        assert_eq!(rows, [(gone.clone(), 0x401)]);
        let rows = table(&gateway, &[mailbox, "Inbox", "remove", gone]).await;
        assert_eq!(rows, []);
        let set = ["permissions", mailbox, "Inbox", "set", eve, "reviewer"];
        gateway.fails(&set, 3).await;
    }
    let revoke = |rights: &str| Request::GrantAdd {
        mailbox: LOCAL.to_owned(),
        member: eve.to_owned(),
        rights: rights.to_owned(),
        folder: "notes".to_owned(),
    };
    gateway.0.ask(revoke("none")).await.unwrap();
    assert_eq!(table(&gateway, &[LOCAL, "Notes"]).await, []);
    gateway.0.ask(revoke("reviewer")).await.unwrap_err();
}

#[tokio::test]
async fn busy_times_of_others_are_told_by_permission() {
    let gateway = Gateway::new().await;
    gateway
        .0
        .gateway
        .ensure_user("eve@local.test", "local")
        .await
        .unwrap();
    for (mailbox, other) in [(LOCAL, "eve@local.test"), (ALICE, BOB)] {
        let words = ["appointment", mailbox, "add", "--subject", "Meeting"];
        let more = ["--start", "2027-03-01T10:00Z"];
        gateway.ask(&[&words[..], &more].concat()).await;
        let ask = [
            "freebusy",
            other,
            "--of",
            mailbox,
            "2027-03-01",
            "2027-03-02",
        ];
        gateway.fails(&ask, 4).await;
        let words = ["permissions", mailbox, "Calendar", "set", other, "reviewer"];
        gateway.ask(&words).await;
        let busy = gateway.ask(&ask).await;
        assert_eq!(field(&busy[0], "start"), "2027-03-01T10:00:00Z");
        assert_eq!(field(&busy[0], "subject"), "Meeting");
    }
    let words = [
        "permissions",
        LOCAL,
        "Calendar",
        "set",
        "eve@local.test",
        "freebusy",
    ];
    gateway.ask(&words).await;
    let ask = [
        "freebusy",
        "eve@local.test",
        "--of",
        LOCAL,
        "2027-03-01",
        "2027-03-02",
    ];
    let busy = gateway.ask(&ask).await;
    assert_eq!(busy[0]["subject"], Value::Null);
    let elsewhere = ["freebusy", ALICE, "--of", LOCAL, "2027-03-01", "2027-03-02"];
    gateway.fails(&elsewhere, 4).await;
}
