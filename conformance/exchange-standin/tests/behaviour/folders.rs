//! Folders. Source: MS-OXCFOLD 3.2.5, MS-OXCSTOR 3.2.5.

use exchange_standin::{Config, Server, model::draft::Draft};
use mapi_wire::{
    Id, PropValue,
    rop::{
        CopyFolder, DeleteFolder, EmptyFolder, GetReceiveFolder, IdFromLongTermId,
        LongTermIdFromId, MoveFolder, NO_HANDLE, OpenFolder, Request, Response, SetReceiveFolder,
    },
    text::Text,
};

use super::{
    client::Client,
    folder_rops::{create, in_inbox},
};

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

#[test]
fn a_logon_names_the_folders_and_the_inbox_the_others() {
    let server = server();
    let (mut client, logon, store, inbox) = in_inbox(&server);
    assert!(logon.folder_ids.iter().all(|id| id.replid == 1));
    let tags = [0x36d0_0102, 0x36d7_0102, 0x36d8_1102];
    let props = client.props(inbox, &tags);
    let Some(PropValue::Binary(calendar)) = &props[0] else {
        panic!("{props:?}");
    };
    assert_eq!(calendar.len(), 46);
    let gid = mapi_wire::Gid::from_bytes(&calendar[22..44]).unwrap();
    let ask = IdFromLongTermId {
        logon_id: 0,
        input: 0,
        long_term_id: gid,
    };
    let Response::IdFromLongTermId(found) = client.good(ask, store).0 else {
        panic!("no id");
    };
    assert_eq!(
        found.object_id,
        server
            .mailbox("alice")
            .folder("Calendar")
            .unwrap()
            .to_wire()
    );
    let ask = LongTermIdFromId {
        logon_id: 0,
        input: 0,
        object_id: found.object_id,
    };
    assert!(matches!(client.good(ask, store).0,
        Response::LongTermIdFromId(found) if found.long_term_id == gid));
    assert!(matches!(&props[2], Some(PropValue::Binaries(all)) if all.len() == 5));
    assert!(
        client
            .props(store, &[0x661c_001f, 0x6638_0102])
            .iter()
            .all(Option::is_some)
    );
}

/// Deletes a folder of a folder.
fn delete(folder_id: Id, delete_folder_flags: u8) -> DeleteFolder {
    DeleteFolder {
        logon_id: 0,
        input: 0,
        delete_folder_flags,
        folder_id,
    }
}

fn move_folder(folder_id: Id, name: &str) -> MoveFolder {
    MoveFolder {
        logon_id: 0,
        source: 0,
        destination: 1,
        want_asynchronous: false,
        use_unicode: true,
        folder_id,
        new_folder_name: Text::from(name),
    }
}

/// Carries out a ROP from one folder to another.
fn between(client: &mut Client, ask: impl Into<Request>, from: u32, to: u32) -> Response {
    client.rops(vec![ask.into()], vec![from, to]).0.remove(0)
}

#[test]
fn a_name_is_there_once_whatever_its_letter_case() {
    let server = server();
    let (mut client, _, _, inbox) = in_inbox(&server);
    let (work, _) = client.made("Work", inbox);
    assert_eq!(client.bad(create("work", 1, false), inbox), 0x8004_0604);
    let (again, _) = client.good(create("WORK", 1, true), inbox);
    assert!(matches!(again, Response::CreateFolder(made)
        if made.folder_id == work && made.existing.is_some()));
}

#[test]
fn a_folder_is_deleted_with_what_is_in_it_only_when_that_is_said() {
    let server = server();
    let (mut client, _, store, inbox) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let (work, folder) = client.made("Work", inbox);
    let (below, _) = client.made("Below", folder);
    let fid = alice.folder("Inbox/Work").unwrap();
    alice.create(fid, Draft::about("kept")).unwrap();
    for flags in [
        0,
        DeleteFolder::DELETE_MESSAGES,
        DeleteFolder::DELETE_FOLDERS,
    ] {
        let (response, _) = client.good(delete(work, flags), inbox);
        assert!(matches!(response, Response::DeleteFolder(done) if done.partial_completion));
    }
    let child = client.bad(delete(below, 5), inbox);
    assert_eq!(child, 0x8004_010f, "it is not a child of the Inbox");
    client.good(delete(work, 0x15), inbox);
    assert!(alice.folder("Inbox/Work").is_err());
    let open = OpenFolder {
        logon_id: 0,
        input: 0,
        output: 1,
        folder_id: work,
        open_mode_flags: 0,
    };
    assert_eq!(client.bad(open, store), 0x8004_010f);
    let gone = client.bad(create("x", 1, false), folder);
    assert_eq!(gone, 0x8004_010a, "the handle's folder is gone");
}

#[test]
fn folders_are_moved_and_copied_with_what_is_in_them() {
    let server = server();
    let (mut client, _, store, inbox) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let (work, folder) = client.made("Work", inbox);
    client.made("Below", folder);
    let fid = alice.folder("Inbox/Work").unwrap();
    alice.create(fid, Draft::about("kept")).unwrap();
    let outbox = client.open_folder(alice.folder("Outbox").unwrap().to_wire(), store);
    let into_itself = between(&mut client, move_folder(work, "Work"), inbox, folder);
    assert!(matches!(into_itself, Response::Failed(failed) if failed.code == 0x8004_060b));
    let nowhere = between(&mut client, move_folder(work, "Work"), inbox, NO_HANDLE);
    assert!(matches!(nowhere, Response::Failed(failed)
        if failed.code == 0x503 && failed.destination == Some(1)));
    between(&mut client, move_folder(work, "Done"), inbox, outbox);
    assert!(alice.folder("Outbox/Done/Below").is_ok());
    let copy = CopyFolder {
        logon_id: 0,
        source: 0,
        destination: 1,
        want_asynchronous: false,
        want_recursive: true,
        use_unicode: true,
        folder_id: work,
        new_folder_name: Text::from("Copy"),
    };
    between(&mut client, copy, outbox, inbox);
    let copied = alice.folder("Inbox/Copy").unwrap();
    assert_eq!(alice.subjects(copied).unwrap(), ["kept"]);
    assert!(alice.folder("Inbox/Copy/Below").is_ok());
    let empty = EmptyFolder {
        logon_id: 0,
        input: 0,
        want_asynchronous: false,
        want_delete_associated: false,
    };
    client.good(empty, inbox);
    assert!(alice.folder("Inbox/Copy").is_err());
}

#[test]
fn mail_of_a_class_goes_to_the_folder_set_for_it() {
    let server = server();
    let (mut client, _, store, inbox) = in_inbox(&server);
    let alice = server.mailbox("alice");
    let (reports, _) = client.made("Reports", inbox);
    let set = |folder_id, class: &str| SetReceiveFolder {
        logon_id: 0,
        input: 0,
        folder_id,
        message_class: class.as_bytes().into(),
    };
    client.good(set(reports, "IPM.Report"), store);
    let ask = GetReceiveFolder {
        logon_id: 0,
        input: 0,
        message_class: (*b"IPM.Report.Weekly").into(),
    };
    let Response::GetReceiveFolder(found) = client.good(ask, store).0 else {
        panic!("no folder");
    };
    assert_eq!(
        (found.folder_id, &*found.explicit_message_class),
        (reports, &b"IPM.Report"[..])
    );
    let weekly = Draft {
        class: "IPM.Report.Weekly".into(),
        ..Draft::about("weekly")
    };
    alice.deliver(weekly).unwrap();
    assert_eq!(
        alice
            .subjects(alice.folder("Inbox/Reports").unwrap())
            .unwrap(),
        ["weekly"]
    );
    assert_eq!(client.bad(set(reports, "IPM"), store), 0x8007_0005);
    client.good(set(Id::default(), "IPM.Report"), store);
}
