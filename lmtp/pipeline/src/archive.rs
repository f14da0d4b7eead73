//! A copy of every message for an archive.

use crate::{Changes, Failure, Judging, Passing, Step, Verdict, change::check_address};

/// Adds a recipient to every message.
#[derive(Clone, Debug)]
pub struct Archive(String);

impl Archive {
    /// An archive with this address. Errors: it is none.
    pub fn new(address: &str) -> Result<Self, Failure> {
        check_address(address)?;
        let is_one = address
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        match is_one {
            true => Ok(Self(address.to_owned())),
            false => Err(Failure(format!("{address:?} is no address"))),
        }
    }
}

impl Step for Archive {
    fn judge<'a>(&'a self, _: &'a Passing) -> Judging<'a> {
        Box::pin(async {
            Ok(Verdict::Change(Changes {
                add: vec![self.0.clone()],
                may_miss: true,
                ..Changes::default()
            }))
        })
    }
}
