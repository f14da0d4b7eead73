//! When app passwords were last used.
//!
//! Every login is noted in memory. The file is written by a login, when the last writing is a minute ago, and at the
//! end: so a crash forgets what was used in its last minute, and a login costs no write of its own. The file is not
//! synced, for nothing depends on it.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use toml::value::Datetime;

/// How often the file is written at most.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// Only the owner may read who uses what.
const FILE_MODE: u32 = 0o600;

/// When each was last used, by what it is called by.
pub(crate) struct LastUse {
    /// `None`: kept in memory alone.
    path: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    times: BTreeMap<String, Datetime>,
    /// When the file was last written here.
    written: Option<Instant>,
    is_changed: bool,
}

impl LastUse {
    /// What a file says; nothing when there is none, or it cannot be read.
    pub(crate) fn open(path: Option<PathBuf>) -> Self {
        let times = path.as_deref().map(read).unwrap_or_default();
        Self {
            path,
            state: Mutex::new(State {
                times,
                ..State::default()
            }),
        }
    }

    /// Takes note of a use. Those that are not `known` any more are forgotten when the file is written.
    pub(crate) fn note<'a>(
        &self,
        id: &str,
        now: (Datetime, Instant),
        known: impl FnOnce() -> HashSet<&'a str>,
    ) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.times.insert(id.to_owned(), now.0);
        state.is_changed = true;
        let is_due = |written: Instant| now.1.saturating_duration_since(written) >= WRITE_EVERY;
        if state.written.is_none_or(is_due) {
            let known = known();
            state.times.retain(|id, _| known.contains(id.as_str()));
            state.written = Some(now.1);
            self.write(&mut state);
        }
    }

    /// When one was last used.
    pub(crate) fn of(&self, id: &str) -> Option<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.times.get(id).map(Datetime::to_string)
    }

    fn write(&self, state: &mut State) {
        state.is_changed = false;
        let Some(path) = &self.path else {
            return;
        };
        let written = toml::to_string(&state.times)
            .map_err(io::Error::other)
            .and_then(|text| replace(path, &text));
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "last uses of app passwords not written");
        }
    }
}

impl Drop for LastUse {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = std::mem::take(&mut *state);
        if state.is_changed {
            self.write(&mut state);
        }
    }
}

fn read(path: &Path) -> BTreeMap<String, Datetime> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return BTreeMap::new(),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "last uses of app passwords not read");
            return BTreeMap::new();
        }
    };
    toml::from_str(&text).unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), %error, "last uses of app passwords not read");
        BTreeMap::new()
    })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("used.new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(FILE_MODE)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(second: u8) -> Datetime {
        format!("2026-11-27T05:00:{second:02}Z")
            .parse()
            .expect("time")
    }

    #[test]
    fn uses_are_written_once_a_minute_and_at_the_end() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("used");
        let used = LastUse::open(Some(path.clone()));
        let now = Instant::now();
        let stored = |id: &str| LastUse::open(Some(path.clone())).of(id);
        let all = || HashSet::from(["aaaaaa", "bbbbbb", "cccccc"]);
        used.note("aaaaaa", (time(1), now), all);
        used.note("bbbbbb", (time(2), now), all);
        assert_eq!(stored("aaaaaa"), Some(time(1).to_string()));
        assert_eq!(stored("bbbbbb"), None);
        assert_eq!(used.of("bbbbbb"), Some(time(2).to_string()));
        let rest = || HashSet::from(["bbbbbb", "cccccc"]);
        used.note("cccccc", (time(3), now + WRITE_EVERY), rest);
        assert_eq!(stored("aaaaaa"), None);
        assert_eq!(stored("bbbbbb"), Some(time(2).to_string()));
        used.note("cccccc", (time(4), now + WRITE_EVERY), all);
        drop(used);
        assert_eq!(stored("cccccc"), Some(time(4).to_string()));
    }

    #[test]
    fn a_damaged_file_is_as_none() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("used");
        fs::write(&path, "aaaaaa = \"yesterday\"\n=").expect("written");
        assert_eq!(LastUse::open(Some(path)).of("aaaaaa"), None);
    }
}
