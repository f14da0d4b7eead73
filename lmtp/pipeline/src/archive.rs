//! A copy of every message for an archive.

use crate::{Changes, Judging, Passing, Step, Verdict};

/// Adds a recipient to every message.
#[derive(Clone, Debug)]
pub struct Archive {
    /// Its address.
    pub address: String,
}

impl Step for Archive {
    fn judge<'a>(&'a self, _: &'a Passing) -> Judging<'a> {
        Box::pin(async {
            Ok(Verdict::Change(Changes {
                add: vec![self.address.clone()],
                ..Changes::default()
            }))
        })
    }
}
