//! What a watch tells, and how it ends.

use std::future::ready;

use account::NewFolder;
use clap::Parser;
use serde_json::Value;
use tokio::net::UnixListener;

use super::{Frame, Gateway, Octets, asked, channel, deliver, perform, verb};
use crate::{
    cli::Cli,
    data_dir::DataDir,
    exchange::tests::world::{ALICE, LOCAL},
    failure::Failure,
};

#[tokio::test]
async fn a_watch_tells_what_happens_from_then_on() {
    let gateway = Gateway::new().await;
    for mailbox in [LOCAL, ALICE] {
        deliver(&gateway, mailbox, "before").await;
        let (frames, mut said) = channel();
        let words = ["watch", mailbox, "Inbox", "--json"];
        let watching = perform(
            gateway.administration(),
            asked(&words, 0),
            Octets::new(),
            frames,
        );
        let reading = async {
            let mut next = async || match said.recv().await.unwrap() {
                Frame::Line(line) => serde_json::from_str::<Value>(&line).unwrap(),
                Frame::Octets(_) => panic!("octets"),
            };
            assert_eq!(next().await["watching"], 1);
            deliver(&gateway, mailbox, "after").await;
            let told = next().await;
            assert_eq!(
                (&told["change"], &told["folder"]),
                (&"new".into(), &"Inbox".into())
            );
            assert_eq!(told["item"]["subject"], "after");
            let number = told["item"]["number"].to_string();
            let words = ["note", mailbox, "remove", "--folder", "Inbox", &number];
            gateway.ask(&words).await;
            let told = next().await;
            assert_eq!(told["change"], "gone");
            assert_eq!(told["item"]["number"].to_string(), number);
        };
        tokio::select! {
            done = watching => panic!("the watch ended: {done:?}"),
            () = reading => {}
        }
    }
}

#[tokio::test]
async fn a_watch_of_a_folder_ends_well_when_the_folder_goes() {
    let gateway = Gateway::new().await;
    for mailbox in [LOCAL, ALICE] {
        let session = gateway.session(mailbox).await;
        let project = NewFolder {
            parent: None,
            name: "Project".to_owned(),
            class: "IPF.Note".to_owned(),
        };
        let made = session.store.create_folder(&project).await.unwrap();
        let (frames, mut said) = channel();
        let asked = asked(&["watch", mailbox, "Project", "--json"], 0);
        let watching = perform(gateway.administration(), asked, Octets::new(), frames);
        let reading = async {
            let mut told = Vec::new();
            while let Some(Frame::Line(line)) = said.recv().await {
                told.push(serde_json::from_str::<Value>(&line).unwrap());
                if told.len() == 1 {
                    session.store.delete_folder(made.id).await.unwrap();
                }
            }
            told
        };
        let (done, told) = tokio::join!(watching, reading);
        done.unwrap();
        let [_, last] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(
            (&last["change"], &last["folder"]),
            (&"removed".into(), &"Project".into())
        );
    }
}

#[tokio::test]
async fn an_interrupt_is_the_end_of_a_watch_and_a_failure_of_everything_else() {
    let gateway = Gateway::new().await;
    let file = gateway
        .0
        .config
        .data
        .parent()
        .unwrap()
        .join("dragoman.toml");
    // A server that takes the question and never answers.
    let data = DataDir::existing(&gateway.0.config.data).unwrap();
    let _lock = data.lock().unwrap().unwrap();
    let _silent = UnixListener::bind(data.admin_socket()).unwrap();
    for (words, expected) in [
        (&["watch", LOCAL][..], Ok(())),
        (&["watch", LOCAL, "Inbox"], Ok(())),
        (&["folders", LOCAL], Err(130)),
    ] {
        let config = ["--config", file.to_str().unwrap()];
        let words = ["dragoman", "mapi"].iter().chain(words).chain(&config);
        let verb = verb(Cli::try_parse_from(words).unwrap());
        let config = crate::config::Config::load(&verb.asker().place).unwrap();
        let ended = super::super::run_until(ready(Ok(())), config, verb).await;
        assert_eq!(
            ended.map_err(|failure: Failure| failure.exit_code()),
            expected
        );
    }
}
