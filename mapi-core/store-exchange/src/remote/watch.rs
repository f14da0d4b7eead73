//! Asking the server to tell of changes. Source: MS-OXCNOTIF 2.2.1.2.

use mapi_wire::rop::{self, Scope};

use super::Remote;
use crate::{
    fault::Result,
    session::{Batch, Repeat, WANTED},
};

impl Remote {
    /// Asks to be told of every change in the mailbox; what is told comes as events of the background session.
    ///
    /// A registration lives as long as its context, so it is renewed with every poll: one that is there twice tells
    /// twice, which does no harm, and is avoided by remembering the context it was made in. Returns that context.
    pub(crate) async fn watch(&self, known: Option<u64>) -> Result<u64> {
        let session = &self.sessions.back;
        let answers = session.run(&self.store, Repeat::Safe, Batch::new).await?;
        if known == Some(answers.generation) {
            return Ok(answers.generation);
        }
        let mut answers = session
            .run(&self.store, Repeat::Safe, |logon| {
                let mut batch = Batch::new(logon);
                let output = batch.slot();
                batch.push(rop::RegisterNotification {
                    logon_id: logon.logon_id,
                    input: Batch::LOGON,
                    output,
                    notification_types: WANTED,
                    reserved: None,
                    scope: Scope::WholeStore,
                });
                batch
            })
            .await?;
        answers.succeed()?;
        Ok(answers.generation)
    }
}
