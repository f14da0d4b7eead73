//! How far the work is, on a terminal.

use std::io::IsTerminal;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use mail_files::Progress;

/// What the bar looks like.
const TEMPLATE: &str = "{bar:30} {pos}/{len} messages, {msg}, {eta} left";

/// A progress bar, where standard error is a terminal. Remarks are printed in any case.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(TEMPLATE);
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self(bar)
    }

    pub(super) fn show(&mut self, progress: Progress) {
        if let Some(bar) = &self.0 {
            bar.set_length(progress.messages_total);
            bar.set_position(progress.messages);
            bar.set_message(HumanBytes(progress.bytes).to_string());
        }
    }

    /// Prints a line on standard error.
    pub(super) fn remark(&self, line: &str) {
        match &self.0 {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
