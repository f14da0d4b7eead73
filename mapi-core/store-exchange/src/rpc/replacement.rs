//! The replacement of channels that have carried their fill. Source: MS-RPCH 3.2.1.5.3.2, 3.2.1.5.3.3, 3.2.2.5.

use std::time::Duration;

use bytes::Bytes;
use mapi_wire::{
    Guid,
    rpc::recycling::{self, Cookies, Heard},
};

use super::{
    channels::{Out, packet},
    flow::{Receiving, Sending},
    link::{Inward, Link, RECEIVE_WINDOW, TIMEOUT_MIN},
    verdict::refusal,
};
use crate::{
    fault::{Fault, Result},
    http::Upload,
    identity::new_guid,
};

/// Channels that will take the place of others.
#[derive(Default)]
pub(super) struct Replacement {
    inward: Option<(Guid, Upload)>,
    out: Option<OutSuccessor>,
    /// The last channel to the server that was replaced: the proxy closes it.
    _left: Option<Upload>,
}

struct OutSuccessor {
    cookie: Guid,
    upload: Upload,
    is_elsewhere: bool,
}

impl Link {
    /// Opens a successor of the channel to the server, and goes over to it. Between calls.
    pub(super) async fn replace_inward(&mut self) -> Result<()> {
        let cookies = Cookies {
            connection: self.connection,
            predecessor: self.inward.cookie,
            successor: new_guid(),
        };
        let a1 = recycling::in_a1(cookies);
        let upload = self.route.open_in(&a1, self.lifetime).await?;
        self.replacement.inward = Some((cookies.successor, upload));
        while self.replacement.inward.is_some() {
            if self.step(None).await?.is_some() {
                return Err(broken("the server speaks unasked"));
            }
        }
        Ok(())
    }

    /// Goes on with a replacement. Source: MS-RPCH 3.2.2.5.5 to 3.2.2.5.10.
    pub(super) async fn replaced(&mut self, heard: Heard) -> Result<()> {
        match heard {
            Heard::ReplaceOut => self.open_out_successor().await,
            Heard::OutSuccessor | Heard::OutSuccessorElsewhere => {
                let Some(successor) = &mut self.replacement.out else {
                    return Err(broken("nobody replaces this channel"));
                };
                successor.is_elsewhere = heard == Heard::OutSuccessorElsewhere;
                let cookie = successor.cookie;
                if !successor.is_elsewhere {
                    let c1 = packet(&recycling::out_r2_c1());
                    push_all(&mut successor.upload, c1).await?;
                }
                self.say(packet(&recycling::out_a7(cookie)))
            }
            Heard::OutEnds => self.go_over_to_successor().await,
            Heard::InSuccessor => {
                let window = self.inward.sending.window();
                self.leave_inward(window).await
            }
            Heard::InSuccessorElsewhere { window, timeout_ms } => {
                self.timeout = Duration::from_millis(timeout_ms.into()).max(TIMEOUT_MIN);
                self.leave_inward(window).await
            }
        }
    }

    async fn open_out_successor(&mut self) -> Result<()> {
        let cookies = Cookies {
            connection: self.connection,
            predecessor: self.out_cookie,
            successor: new_guid(),
        };
        let a3 = recycling::out_a3(cookies, RECEIVE_WINDOW);
        let upload = self.route.open_out_successor(&a3).await?;
        self.replacement.out = Some(OutSuccessor {
            cookie: cookies.successor,
            upload,
            is_elsewhere: false,
        });
        Ok(())
    }

    async fn go_over_to_successor(&mut self) -> Result<()> {
        let Some(mut successor) = self.replacement.out.take() else {
            return Err(broken("the channel from the server ends"));
        };
        if successor.is_elsewhere {
            let a11 = packet(&recycling::out_r1_a11());
            push_all(&mut successor.upload, a11).await?;
        }
        let Some(response) = successor.upload.answer_or_room(false).await? else {
            return Err(broken("the channel from the server has no successor"));
        };
        self.out = Out::succeeding(response, successor.upload)?;
        self.out_cookie = successor.cookie;
        self.receiving = Receiving::new(RECEIVE_WINDOW);
        // One of the channel before is of no more use.
        self.acknowledgement = None;
        Ok(())
    }

    /// Says goodbye on the channel to the server, and takes its successor.
    async fn leave_inward(&mut self, window: u32) -> Result<()> {
        let Some((cookie, upload)) = self.replacement.inward.take() else {
            return Err(broken("nobody replaces this channel"));
        };
        let a5 = packet(&recycling::in_a5(cookie));
        push_all(&mut self.inward.upload, a5).await?;
        let inward = Inward {
            upload,
            cookie,
            sending: Sending::new(window),
        };
        let left = std::mem::replace(&mut self.inward, inward);
        self.replacement._left = Some(left.upload);
        self.end = 0;
        Ok(())
    }
}

/// Hands a packet over, when there is room.
async fn push_all(upload: &mut Upload, mut octets: Bytes) -> Result<()> {
    loop {
        match upload.push(octets)? {
            None => return Ok(()),
            Some(back) => octets = back,
        }
        if let Some(response) = upload.answer_or_room(true).await? {
            return Err(refusal(&response));
        }
    }
}

fn broken(why: &'static str) -> Fault {
    Fault::Lost(why.into())
}
