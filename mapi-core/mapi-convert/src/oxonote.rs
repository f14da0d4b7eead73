//! Notes as properties. Source: MS-OXONOTE 2.2.

use mapi_types::{PropBag, tags};

use crate::item::{Common, Item};

/// PidTagMessageClass of notes.
pub const CLASS: &str = "IPM.StickyNote";

/// A note.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Text and marks. The subject is the first line of the text, whatever it says.
    pub common: Common,
    /// The colour of the paper.
    pub colour: NoteColour,
}

/// PidLidNoteColor. Source: MS-OXONOTE 2.2.1.1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum NoteColour {
    /// Blue.
    Blue,
    /// Green.
    Green,
    /// Pink.
    Pink,
    /// Yellow.
    #[default]
    Yellow,
    /// White.
    White,
}

impl NoteColour {
    /// Every colour, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Blue,
        Self::Green,
        Self::Pink,
        Self::Yellow,
        Self::White,
    ];

    /// The number.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The colour of a number, if it has one.
    pub fn of(number: i32) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// PidTagIconIndex of a note without the colour. Source: MS-OXONOTE 2.2.2.2.
const ICON: i32 = 0x300;

/// The size that a new note has, and where it is: pixels.
const SIZE: (i32, i32) = (200, 166);
const PLACE: (i32, i32) = (80, 80);

impl Note {
    /// The note's properties.
    pub fn to_props(&self) -> PropBag {
        let mut lines = self.common.body.lines().map(str::trim);
        let first = lines.find(|line| !line.is_empty());
        let common = Common {
            subject: first.unwrap_or_default().to_owned(),
            ..self.common.clone()
        };
        let mut item = Item::new(CLASS, ICON | self.colour.number(), &common);
        item.long(&tags::NOTE_COLOR, self.colour.number());
        item.long(&tags::NOTE_WIDTH, SIZE.0);
        item.long(&tags::NOTE_HEIGHT, SIZE.1);
        item.long(&tags::NOTE_X, PLACE.0);
        item.long(&tags::NOTE_Y, PLACE.1);
        item.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_called_by_its_first_line() {
        let note = Note {
            common: Common {
                body: "\n  Milk \r\nBread".to_owned(),
                ..Common::default()
            },
            colour: NoteColour::Pink,
        };
        let props = note.to_props();
        assert_eq!(props.get(&tags::SUBJECT), Some("Milk"));
        assert_eq!(props.get(&tags::NOTE_COLOR), Some(2));
        assert_eq!(props.get(&tags::ICON_INDEX), Some(0x302));
        for colour in NoteColour::ALL {
            assert_eq!(NoteColour::of(colour.number()), Some(colour));
        }
    }
}
