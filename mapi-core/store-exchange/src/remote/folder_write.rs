//! Making, renaming, moving and deleting folders. Source: MS-OXCFOLD 2.2.1.

use mapi_types::{OwnedValue, tags};
use mapi_wire::{
    Id,
    rop::{self, CreateFolder, DeleteFolder, Response},
};

use super::Remote;
use crate::{
    fault::{Fault, Result, code},
    session::{Repeat, expect_rop, unexpected},
    values::tagged,
};

/// How a folder is deleted. Source: MS-OXCFOLD 2.2.1.3.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deleting {
    /// As a user would: the server keeps it for a while.
    Softly,
    /// For good, with folders that were deleted from it.
    ForGood,
}

impl Remote {
    /// Makes a folder. Errors: `DUPLICATE_NAME`.
    pub(crate) async fn create_folder(&self, parent: Id, name: &str, class: &str) -> Result<Id> {
        let (name, class) = (name.to_owned(), class.to_owned());
        let mut answers = self
            .in_folder(parent, Repeat::Never, move |batch, input| {
                let logon_id = batch.logon_id;
                let output = batch.slot();
                batch.push(CreateFolder {
                    logon_id,
                    input,
                    output,
                    folder_type: CreateFolder::GENERIC,
                    use_unicode_strings: true,
                    open_existing: false,
                    reserved: 0,
                    display_name: name.as_str().into(),
                    comment: "".into(),
                });
                let class = OwnedValue::Str(class.as_str().into());
                batch.push(rop::SetProperties {
                    logon_id,
                    input: output,
                    property_values: vec![tagged(
                        tags::CONTAINER_CLASS.tag().id(),
                        class.as_value(),
                    )],
                });
                batch.release(output);
            })
            .await?;
        Ok(expect_rop!(answers, CreateFolder)?.folder_id)
    }

    /// Gives a folder another name where it is.
    pub(crate) async fn rename_folder(&self, folder: Id, name: &str) -> Result<()> {
        let name = OwnedValue::Str(name.into());
        let mut answers = self
            .in_folder(folder, Repeat::Safe, move |batch, input| {
                batch.push(rop::SetProperties {
                    logon_id: batch.logon_id,
                    input,
                    property_values: vec![tagged(tags::DISPLAY_NAME.tag().id(), name.as_value())],
                });
            })
            .await?;
        let problems = expect_rop!(answers, SetProperties)?.property_problems;
        match problems.first() {
            Some(problem) => Err(Fault::operation(rop::SetProperties::ROP_ID, problem.code)),
            None => Ok(()),
        }
    }

    /// Moves a folder to another one.
    pub(crate) async fn move_folder(
        &self,
        (from, to): (Id, Id),
        folder_id: Id,
        name: &str,
    ) -> Result<()> {
        let name = name.to_owned();
        let mut answers = self
            .in_folder(from, Repeat::Never, move |batch, source| {
                let destination = batch.open_folder(to);
                batch.push(rop::MoveFolder {
                    logon_id: batch.logon_id,
                    source,
                    destination,
                    want_asynchronous: false,
                    use_unicode: true,
                    folder_id,
                    new_folder_name: name.as_str().into(),
                });
                batch.release(destination);
            })
            .await?;
        expect_rop!(answers, OpenFolder)?;
        match answers.take()? {
            Response::MoveFolder(done) if !done.partial_completion => Ok(()),
            Response::MoveFolder(_) => Err(partial(rop::MoveFolder::ROP_ID)),
            _ => Err(unexpected()),
        }
    }

    /// Deletes a folder with its messages; whether all of it went.
    pub(crate) async fn delete_folder(
        &self,
        parent: Id,
        folder_id: Id,
        how: Deleting,
    ) -> Result<bool> {
        let flags = match how {
            Deleting::Softly => DeleteFolder::DELETE_MESSAGES,
            Deleting::ForGood => {
                DeleteFolder::DELETE_MESSAGES
                    | DeleteFolder::DELETE_FOLDERS
                    | DeleteFolder::DELETE_HARD_DELETE
            }
        };
        let mut answers = self
            .in_folder(parent, Repeat::Safe, move |batch, input| {
                batch.push(DeleteFolder {
                    logon_id: batch.logon_id,
                    input,
                    delete_folder_flags: flags,
                    folder_id,
                });
            })
            .await?;
        match answers.take() {
            Ok(Response::DeleteFolder(done)) => Ok(!done.partial_completion),
            Ok(_) => Err(unexpected()),
            // An earlier attempt whose answer was lost.
            Err(Fault::Operation { code, .. }) if code == code::NOT_FOUND => Ok(true),
            Err(fault) => Err(fault),
        }
    }
}

const fn partial(rop: u8) -> Fault {
    Fault::Operation {
        rop,
        code: code::PARTIAL_COMPLETION,
    }
}
