//! XML: bounded when read, escaped when written, and values that are kept as they came.

mod document;
pub(crate) mod escape;
mod fragment;
mod reader;
pub(crate) mod syntax;
mod writer;

pub(crate) use document::decode;
pub use fragment::Fragment;
pub(crate) use reader::{Reader, Start, Token};
pub use writer::XmlWriter;
