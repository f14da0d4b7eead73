//! Notes. Source: MS-OXONOTE.

use account::Role;
use mapi_convert::oxonote::{self, NoteColour};
use mapi_types::{PropBag, PropTag, Row, tags};
use serde_json::{Value, json};

use super::{Class, common};
use crate::{
    cli::mapi::{Colour, Note},
    failure::Result,
    mapi::{
        output::plain,
        session::{Session, invalid},
    },
};

impl Class for Note {
    const ROLE: Role = Role::Notes;
    const CLASS: &'static str = oxonote::CLASS;
    const COLUMNS: &'static [PropTag] = &[tags::NOTE_COLOR.tag()];

    fn props(&self, _: &Session) -> Result<PropBag> {
        if self.about.body.trim().is_empty() {
            return Err(invalid("a note has a text: --body"));
        }
        let note = oxonote::Note {
            common: common("", &self.about),
            colour: match self.colour {
                Colour::Blue => NoteColour::Blue,
                Colour::Green => NoteColour::Green,
                Colour::Pink => NoteColour::Pink,
                Colour::Yellow => NoteColour::Yellow,
                Colour::White => NoteColour::White,
            },
        };
        Ok(note.to_props())
    }

    fn cells(row: Row<'_>) -> Vec<String> {
        vec![
            colour(row).unwrap_or("-").to_owned(),
            plain(row.get(&tags::SUBJECT).unwrap_or("")),
        ]
    }

    fn json(row: Row<'_>) -> Value {
        json!({
            "subject": row.get(&tags::SUBJECT),
            "colour": colour(row),
        })
    }
}

fn colour(row: Row<'_>) -> Option<&'static str> {
    Some(match NoteColour::of(row.get(&tags::NOTE_COLOR)?)? {
        NoteColour::Blue => "blue",
        NoteColour::Green => "green",
        NoteColour::Pink => "pink",
        NoteColour::Yellow => "yellow",
        NoteColour::White => "white",
    })
}
