//! The queue and its runner against a mail server that does what a test says.

mod queue;
mod relay;
mod support;
