//! Epochs: each given once in the life of a data folder, ascending.
//!
//! The clock is only a seed: a data folder restored from an old copy goes on above what it gave out meanwhile.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use mapi_types::Epoch;

use crate::{fail::Result, files};

/// Epochs reserved by one write of the file.
const RESERVED: u32 = 64;

pub(crate) struct Epochs {
    path: PathBuf,
    /// The last one given out, and the last one the file covers.
    state: Mutex<(u32, u32)>,
}

impl Epochs {
    /// Reads `path`; without it the clock alone decides.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let covered = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            path,
            state: Mutex::new((covered, covered)),
        })
    }

    /// The next epoch, above every earlier one and above `floor`; durable before it is returned.
    pub(crate) fn next(&self, floor: u32) -> Result<Epoch> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let now = u32::try_from(now).unwrap_or(0);
        let epoch = state.0.max(floor).saturating_add(1).max(now);
        if epoch > state.1 {
            let covered = epoch.saturating_add(RESERVED);
            files::replace(&self.path, format!("{covered}\n").as_bytes())?;
            state.1 = covered;
        }
        state.0 = epoch;
        Ok(Epoch(epoch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_ascend_across_openings_and_a_lost_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("epoch");
        let open = || Epochs::open(path.clone()).unwrap();
        let epochs = open();
        let (a, b) = (epochs.next(0).unwrap().0, epochs.next(0).unwrap().0);
        let c = open().next(0).unwrap().0;
        fs::remove_file(&path).unwrap();
        let d = open().next(c).unwrap().0;
        assert!(a < b && b < c && c < d);
    }
}
