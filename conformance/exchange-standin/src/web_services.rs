//! Exchange Web Services, as far as clients of MAPI need them: whose mailbox is whose. Source: MS-OXWSFOLD 3.1.4.6.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use mapi_wire::{
    own_folder::{OwnFolderRequest, OwnFolderResponse},
    web_service::{CONTENT_TYPE, NO_ERROR},
};

use crate::{
    http::{request::Request, response::Response},
    state::Shared,
};

/// The path of the services, in lower case as every path is compared.
pub(crate) const PATH: &str = "/ews/exchange.asmx";

/// Answers a client that has logged in as `user`.
pub(crate) fn answer(shared: &Arc<Shared>, request: &Request, user: &str) -> Response {
    if OwnFolderRequest::parse(&request.body).is_err() {
        // Nothing else is asked of the one in tests.
        return Response::empty(404);
    }
    let state = shared.lock();
    let answer = match state.organisation.mailbox(user) {
        Ok(mailbox) => {
            let top = mailbox.special.ipm_subtree();
            OwnFolderResponse {
                code: NO_ERROR.to_owned(),
                entry_id: Some(BASE64_STANDARD.encode(mailbox.folder_entry_id(top))),
            }
        }
        Err(_) => OwnFolderResponse {
            code: "ErrorMissingEmailAddress".to_owned(),
            entry_id: None,
        },
    };
    Response::empty(200).body(CONTENT_TYPE, answer.to_xml())
}
