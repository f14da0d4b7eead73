//! What somebody else does in the mailbox, on the server.

use exchange_standin::model::{draft::Draft, message_changes::Deletion};
use mapi_types::{PropTag, tags};
use mapi_wire::PropValue;

use super::{
    Simulation,
    model::Copy,
    work::{message_id, subject, token},
};
use crate::subject::ALICE;

impl Simulation {
    /// Somebody else sends a message.
    fn deliver_anew(&mut self) {
        let mailbox = self.standin.server.mailbox(ALICE);
        let token = self.new_token();
        let draft = Draft {
            message_id: Some(message_id(token)),
            ..Draft::about(&subject(token)).text("what others say")
        };
        mailbox.deliver(draft).unwrap();
        self.model.copies.push(Copy {
            token,
            places: vec![Some(0)],
            number: None,
            touched: true,
            read: Some(false),
            flagged: Some(false),
        });
    }

    /// Somebody else does something.
    pub(super) fn others(&mut self) {
        let mailbox = self.standin.server.mailbox(ALICE);
        let act = self.random.below(8);
        if act < 3 {
            self.deliver_anew();
            return;
        }
        let place = self.place();
        let messages = mailbox.messages(self.there(place)).unwrap();
        let Some(message) = self.random.pick(&messages).cloned() else {
            return;
        };
        let name = message.content.props.text(tags::SUBJECT.tag());
        let token = token(&name.unwrap_or_default());
        let to = self.place();
        let can_move = to != place && !self.model.may_be_in(token, to);
        let target = self.there(to);
        self.model.tell(token, ("others", act, place, to));
        let Some(copy) = self.model.copy_in(token, place) else {
            panic!("{token} is in {place} on the server");
        };
        copy.touched = true;
        // Where a move of ours with a lost answer may have left it, it may still be shown, too.
        let may_be: Vec<_> = copy
            .places
            .iter()
            .flatten()
            .map(|at| (token, *at))
            .collect();
        match act {
            3 => {
                let read = !message.read;
                mailbox.set_read(message.mid, read).unwrap();
                copy.read = None;
            }
            4 => {
                mailbox.set_flagged(message.mid, true).unwrap();
                copy.flagged = None;
            }
            5 => {
                mailbox.delete(message.mid, Deletion::Hard).unwrap();
                copy.is_now(None);
                self.model.left.extend(may_be);
            }
            6 if can_move => {
                mailbox.move_message(message.mid, target).unwrap();
                copy.is_now(Some(to));
                // What it arrives with is made of what the server has.
                self.model.originals.remove(&token);
                self.model.left.extend(may_be);
            }
            7 => {
                let body: PropTag = tags::BODY.tag();
                let text = format!("edited as {}", self.next);
                let edited = PropValue::String(text.as_str().into());
                mailbox.set_props(message.mid, &[(body, edited)]).unwrap();
                copy.number = None;
                self.model.originals.remove(&token);
                self.model.edited.insert(token);
            }
            _ => {}
        }
    }
}
