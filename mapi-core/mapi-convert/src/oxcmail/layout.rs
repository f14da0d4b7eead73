//! Which parts of a message are its body and which are attachments. Source: MS-OXCMAIL 2.2.3.6.

use crate::{Part, PartKind, Scanned, parameter};

/// Where a message's own text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyParts {
    /// Index of the text/plain part in [`Scanned::parts`].
    pub plain: Option<usize>,
    /// Index of the text/html part.
    pub html: Option<usize>,
}

/// Which parts are the body of a scanned message.
pub fn body_parts(scanned: &Scanned) -> BodyParts {
    let layout = Layout::of(scanned, 0);
    BodyParts {
        plain: layout.plain,
        html: layout.html,
    }
}

/// The parts of a message by what they are to a reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Index of the text/plain body.
    pub(super) plain: Option<usize>,
    /// Index of the text/html body.
    pub(super) html: Option<usize>,
    /// The others, in order.
    pub(super) attachments: Vec<Placed>,
}

/// An attachment and where it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    /// Index of the part.
    pub(super) part: usize,
    /// Where it stood.
    pub(super) position: Position,
}

/// What the place of a part says about its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// It may be the body.
    Body,
    /// It may be the body, and if not it says the same in another form: of no interest to a reader.
    Alternative,
    /// The body may show it (multipart/related).
    Inline,
    /// Beside the body.
    Beside,
}

impl Layout {
    /// Sorts the parts of the message whose root is part `root`; stops at embedded messages.
    pub(super) fn of(scanned: &Scanned, root: usize) -> Self {
        let mut layout = Self::default();
        layout.walk(scanned, root, Position::Body);
        layout
    }

    /// Recursion is bounded by the scanner's depth.
    fn walk(&mut self, scanned: &Scanned, index: usize, position: Position) {
        let Some(part) = scanned.part(index) else {
            return;
        };
        match part.kind {
            PartKind::Message => {
                self.attachments.push(Placed {
                    part: index,
                    position: Position::Beside,
                });
            }
            PartKind::Leaf => self.leaf(scanned, index, position),
            PartKind::Multipart if part.content_type.is("multipart", "related") => {
                let root = related_root(scanned, part);
                for (at, child) in part.children.iter().enumerate() {
                    let position = if at == root {
                        position
                    } else {
                        Position::Inline
                    };
                    self.walk(scanned, *child, position);
                }
            }
            PartKind::Multipart if part.content_type.is("multipart", "alternative") => {
                let position = match position {
                    Position::Body => Position::Alternative,
                    other => other,
                };
                for child in &part.children {
                    self.walk(scanned, *child, position);
                }
            }
            PartKind::Multipart => {
                for (at, child) in part.children.iter().enumerate() {
                    // A text that comes after attachments is the body if there has been none.
                    let may_be = at == 0 || (self.plain.is_none() && self.html.is_none());
                    let position = if may_be { position } else { Position::Beside };
                    self.walk(scanned, *child, position);
                }
            }
        }
    }

    fn leaf(&mut self, scanned: &Scanned, index: usize, position: Position) {
        let Some(part) = scanned.part(index) else {
            return;
        };
        let attached = scanned
            .disposition(part)
            .is_some_and(|disposition| disposition.kind.eq_ignore_ascii_case(b"attachment"));
        if attached {
            return self.attachments.push(Placed {
                part: index,
                position: Position::Beside,
            });
        }
        let slot = match position {
            Position::Inline | Position::Beside => None,
            _ if part.content_type.is("text", "html") => Some(&mut self.html),
            _ if part.content_type.is("text", "plain") => Some(&mut self.plain),
            _ => None,
        };
        match slot {
            Some(slot @ None) => *slot = Some(index),
            _ => self.attachments.push(Placed {
                part: index,
                position,
            }),
        }
    }
}

/// Which child of a multipart/related the others belong to: the first, unless `start` names another.
/// Source: RFC 2387 3.2.
fn related_root(scanned: &Scanned, part: &Part) -> usize {
    let Some(start) = parameter::joined_raw(&part.content_type.params, "start") else {
        return 0;
    };
    let named = |child: &usize| {
        let field = scanned
            .part(*child)
            .and_then(|child| scanned.field(child, "Content-ID"));
        field.is_some_and(|field| bare_id(field.value) == bare_id(&start))
    };
    part.children.iter().position(named).unwrap_or(0)
}

/// A Content-ID without its angle brackets.
fn bare_id(id: &[u8]) -> &[u8] {
    let id = id.trim_ascii();
    let id = id.strip_prefix(b"<").unwrap_or(id);
    id.strip_suffix(b">").unwrap_or(id)
}
