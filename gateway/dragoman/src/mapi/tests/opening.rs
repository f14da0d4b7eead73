//! Which mailbox is opened, as whom, and where.

use std::{fs, path::Path, sync::Arc};

use clap::Parser;

use super::{ACCOUNTS, Ask, Gateway, MESSAGE, asked, field, verb};
use crate::{
    cli::Cli,
    command::Request,
    exchange::tests::world::{ALICE, BOB, LOCAL, World},
};

#[tokio::test]
async fn accounts_have_addresses_and_names() {
    let gateway = Gateway::new().await;
    let accounts = gateway.ask(&["accounts"]).await;
    let find = |address: &str| {
        let mut all = accounts.iter();
        all.find(|account| account["address"] == address).unwrap()
    };
    assert_eq!(field(find(LOCAL), "place"), "here");
    assert_eq!(field(find(ALICE), "name"), "work");
    assert_eq!(field(find(BOB), "place"), "exchange.main");
    assert_eq!(
        gateway.ask(&["folders", "work"]).await,
        gateway.ask(&["folders", ALICE]).await
    );
    gateway.fails(&["folders", "nobody@local.test"], 3).await;
    gateway.fails(&["folders", "carol@example.test"], 5).await;
}

/// A gateway whose users have aliases on Exchange.
async fn with_aliases() -> Gateway {
    let world = World::new().await;
    world.secret("alice", "secret-alice\n");
    world.secret("bob", "secret-bob\n");
    for (user, alias) in [
        ("alice", "al@example.test"),
        ("bob", "b@example.test"),
        ("carol", "ca@example.test"),
    ] {
        world.server().change_user(user, |user| {
            user.aliases.push(alias.to_owned());
            user.log_in_names.push(alias.to_owned());
        });
    }
    Gateway(world.restart(ACCOUNTS).await)
}

/// Whose mailboxes are mirrored.
async fn mirrors(gateway: &Gateway) -> Vec<String> {
    let status = Request::MirrorStatus { mailbox: None };
    let lines = gateway.0.ask(status).await.unwrap();
    let names = lines
        .iter()
        .filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn an_alias_opens_the_mailbox_of_its_owner_and_no_second_one() {
    let gateway = with_aliases().await;
    let folders = gateway.ask(&["folders", ALICE]).await;
    assert_eq!(gateway.ask(&["folders", "al@example.test"]).await, folders);
    assert_eq!(mirrors(&gateway).await, [ALICE]);
    // The owner by an alias of their own is no guest.
    let words = [
        "list",
        "al@example.test",
        "Inbox",
        "--as",
        "al@example.test",
    ];
    gateway.ask(&words).await;
    // Members are those who have the mailboxes, whatever they are called by.
    for member in ["b@example.test", BOB] {
        let words = [
            "permissions",
            "al@example.test",
            "Inbox",
            "set",
            member,
            "reviewer",
        ];
        let table = gateway.ask(&words).await;
        let members: Vec<_> = table.iter().map(|row| field(row, "member")).collect();
        assert_eq!(members, [BOB]);
    }
    let words = ["list", "al@example.test", "Inbox", "--as", "b@example.test"];
    gateway.ask(&words).await;
    assert_eq!(mirrors(&gateway).await, [ALICE]);
}

#[tokio::test]
async fn a_password_opens_the_mailbox_of_its_owner_by_an_alias_too() {
    let gateway = with_aliases().await;
    let mut asked = asked(&["folders", "ca@example.test"], 0);
    asked.password = Some("secret-carol".to_owned());
    gateway.perform(asked, "").await.unwrap();
    assert_eq!(mirrors(&gateway).await, ["carol@example.test"]);
}

#[tokio::test]
async fn a_password_is_refused_where_tokens_open_mailboxes() {
    let oauth =
        "[exchange.main.oauth]\nissuer = \"https://issuer.example.test\"\nclient_id = \"gateway\"
        flow = \"client_credentials\"\nclient_secret_file = \"DIR/secret\"";
    for (section, why) in [("", "mail programs"), (oauth, "tokens of its own")] {
        let world = World::new().await;
        world.secret("secret", "s3cret\n");
        let section = format!("authentication = \"oauth\"\n{section}");
        let gateway = Gateway(world.restart(&section).await);
        let mut asked = asked(&["folders", ALICE], 0);
        asked.password = Some("secret-alice".to_owned());
        let (code, text) = gateway.perform(asked, "").await.unwrap_err();
        assert!(code == 1 && text.contains(why), "{code} {text}");
        assert_eq!(gateway.0.connects(), 0);
    }
}

#[tokio::test]
async fn a_running_server_is_asked_through_its_socket() {
    let gateway = Gateway::new().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("admin.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let serving = (gateway.administration().clone(), Arc::default());
    let serving = tokio::spawn(crate::admin_socket::serve(listener, serving, stopping));
    let ask = async |words: &[&str], octets: &str| {
        let ask = Ask {
            mapi: asked(words, octets.len()),
        };
        let ended = crate::mapi::socket::ask(&path, &ask, octets.as_bytes()).await;
        ended.map_err(|failure| failure.exit_code())
    };
    assert_eq!(ask(&["folders", LOCAL], "").await, Ok(()));
    assert_eq!(ask(&["list", LOCAL, "Nowhere"], "").await, Err(3));
    assert_eq!(ask(&["send", "work", "-"], MESSAGE).await, Ok(()));
    assert_eq!(ask(&["send", LOCAL, "-"], MESSAGE).await, Err(6));
    let mut endless = asked(&["send", "work", "-"], 0);
    endless.octets = u64::MAX;
    let refused = crate::mapi::socket::ask(&path, &Ask { mapi: endless }, b"").await;
    assert!(refused.unwrap_err().to_string().contains("longer than"));
    stop.send_replace(true);
    serving.await.unwrap();
}

#[test]
fn without_a_server_the_command_opens_the_data_folder_itself() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let making = runtime();
    let World {
        server: _server,
        gateway,
        config,
        dir: _dir,
    } = making.block_on(Gateway::new()).0;
    drop(gateway);
    // As when a process ends: with it goes all that works in the background.
    drop(making);
    let file = config.data.parent().unwrap().join("dragoman.toml");
    let run = |words: &[&str]| {
        let config = ["--config", file.to_str().unwrap()];
        let words = ["dragoman", "mapi"].iter().chain(words).chain(&config);
        let verb = verb(Cli::try_parse_from(words).unwrap());
        let config = crate::config::Config::load(&verb.asker().place).unwrap();
        let done = runtime().block_on(crate::mapi::run(config, verb));
        done.map_err(|failure| failure.telling().exit_code())
    };
    assert_eq!(run(&["folders", LOCAL]), Ok(()));
    assert_eq!(run(&["folders", "work"]), Ok(()));
    assert_eq!(run(&["folders", "nobody@local.test"]), Err(3));
    let letter = write(&config.data, "letter", MESSAGE);
    assert_eq!(run(&["send", "work", &letter]), Ok(()));
    let password = ["folders", "carol@example.test", "--password-file"];
    let right = write(&config.data, "right", "secret-carol");
    assert_eq!(run(&[&password[..], &[&right]].concat()), Ok(()));
    let wrong = write(&config.data, "wrong", "wrong");
    assert_eq!(run(&[&password[..], &[&wrong]].concat()), Err(4));
}

/// A file that only its owner may read.
fn write(folder: &Path, name: &str, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}
