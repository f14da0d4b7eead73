//! What tests tell the server while it runs, over HTTP on loopback: the library's calls for those in another process.
//!
//! Below `/standin/`, with JSON in the bodies:
//!
//! | Call | Body or answer |
//! |---|---|
//! | `POST faults` | a [`Fault`] |
//! | `GET faults` | how many wait, how many happened |
//! | `DELETE faults` | |
//! | `POST notifications` | a [`NotificationFault`] |
//! | `POST expire`, `POST restart`, `POST reset` | |
//! | `POST move` | `{"user", "site"}` |
//! | `POST deliver` | `{"user", "from", "subject", "text", "html", "message_id", "count"}` |
//! | `POST fill` | `{"user", "count"}` |
//! | `GET counters`, `GET violations`, `GET receipts` | what has happened |

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    faults::{Fault, NotificationFault},
    http::{request::Request, response::Response},
    model::draft::Draft,
    server::key_of,
    state::Shared,
};

/// What paths of this service begin with.
pub(crate) const PATH: &str = "/standin/";

/// Mail that arrives from outside.
#[derive(Deserialize)]
struct Delivery {
    user: String,
    from: String,
    subject: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    html: Option<String>,
    #[serde(default)]
    message_id: Option<String>,
    /// How many of them arrive at once.
    #[serde(default = "one")]
    count: u32,
}

const fn one() -> u32 {
    1
}

/// Many messages for the Inbox of somebody.
#[derive(Deserialize)]
struct Filling {
    user: String,
    count: u32,
}

/// A mailbox that moves to another of the servers.
#[derive(Deserialize)]
struct Move {
    user: String,
    site: u32,
}

/// Answers one request.
pub(crate) fn answer(shared: &Arc<Shared>, request: &Request) -> Response {
    let path = request.head.path();
    let path = path.strip_prefix(PATH).unwrap_or_default();
    let answered = match (request.head.method.as_str(), path) {
        ("POST", path) => post(shared, path, &request.body),
        ("DELETE", "faults") => {
            shared.lock().faults.clear();
            shared.set_notification_fault(NotificationFault::None);
            Ok(Value::Null)
        }
        ("GET", path) => get(shared, path),
        _ => return Response::empty(405),
    };
    match answered {
        Ok(value) => Response::empty(200).body("application/json", value.to_string()),
        Err(Some(why)) => Response::empty(400).body("text/plain", why),
        Err(None) => Response::empty(404),
    }
}

/// What comes of a request: an answer, or why it is not understood; nothing when there is no such path.
type Answered = Result<Value, Option<String>>;

fn post(shared: &Arc<Shared>, path: &str, body: &[u8]) -> Answered {
    let wrong = |error: serde_json::Error| Some(error.to_string());
    let missing = |_| Some("there is no such mailbox or folder".to_owned());
    match path {
        "faults" => {
            let fault: Fault = serde_json::from_slice(body).map_err(wrong)?;
            shared.lock().faults.add(fault);
        }
        "notifications" => {
            let fault: NotificationFault = serde_json::from_slice(body).map_err(wrong)?;
            shared.set_notification_fault(fault);
        }
        "expire" => shared.expire_contexts(),
        "restart" => shared.restart(),
        "reset" => shared.lock().counters = Default::default(),
        "move" => {
            let ask: Move = serde_json::from_slice(body).map_err(wrong)?;
            shared
                .move_mailbox(&key_of(&ask.user), ask.site)
                .map_err(missing)?;
        }
        "deliver" => {
            let ask: Delivery = serde_json::from_slice(body).map_err(wrong)?;
            let draft = Draft {
                html: ask.html,
                message_id: ask.message_id,
                ..Draft::about(&ask.subject)
                    .from(&ask.from)
                    .text(&ask.text)
                    .to(&ask.user)
            };
            let drafts = vec![draft; ask.count as usize];
            shared
                .deliver(&key_of(&ask.user), drafts)
                .map_err(missing)?;
        }
        "fill" => {
            let ask: Filling = serde_json::from_slice(body).map_err(wrong)?;
            let mut state = shared.lock();
            let mailbox = state
                .organisation
                .mailbox_mut(&key_of(&ask.user))
                .map_err(missing)?;
            let inbox = mailbox.special.inbox();
            mailbox.fill(inbox, ask.count).map_err(missing)?;
            shared.publish(&mut state);
        }
        _ => return Err(None),
    }
    Ok(Value::Null)
}

fn get(shared: &Arc<Shared>, path: &str) -> Answered {
    let state = shared.lock();
    Ok(match path {
        "counters" => json!(state.counters),
        "violations" => json!(state.violations),
        "receipts" => {
            let receipts = state.receipts.iter();
            let receipt = |receipt: &crate::model::receipt::Receipt| {
                json!({
                    "mailbox": receipt.mailbox,
                    "kind": format!("{:?}", receipt.kind),
                    "subject": receipt.subject,
                    "to": receipt.to,
                })
            };
            receipts.map(receipt).collect()
        }
        "faults" => json!({
            "waiting": state.faults.waiting(),
            "happened": state.faults.happened(),
        }),
        _ => return Err(None),
    })
}
