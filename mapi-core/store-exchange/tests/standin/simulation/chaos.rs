//! What goes wrong in a simulation.

use exchange_standin::{Fault, NotificationFault, What, When};

use super::Simulation;
use crate::{random::Random, subject::ALICE};

/// Octets of requests and answers within which connections are cut.
const CUT_WITHIN: u64 = 1600;

impl Simulation {
    /// Something is going to go wrong, or has just done so.
    pub(super) async fn harm(&mut self) {
        let faults = self.standin.server.faults();
        match self.random.below(14) {
            0 => faults.expire_contexts(),
            1 => faults.restart(),
            2 => {
                self.site ^= 1;
                assert!(faults.move_mailbox(ALICE, self.site));
            }
            3 => {
                let all = [
                    NotificationFault::None,
                    NotificationFault::Drop,
                    NotificationFault::Double,
                    NotificationFault::Delay,
                ];
                if let Some(fault) = self.random.pick(&all) {
                    faults.notifications(*fault);
                }
            }
            _ => faults.add(Fault {
                when: When {
                    request: self.random.once_in(2).then(|| "Execute".to_owned()),
                    after: self.random.below(4) as u32,
                    ..When::default()
                },
                times: 1 + self.random.below(3) as u32,
                what: what(&mut self.random),
            }),
        }
    }
}

fn what(random: &mut Random) -> What {
    match random.below(16) {
        0..=3 => What::CutRequest {
            after: random.below(CUT_WITHIN),
        },
        4..=7 => What::CutResponse {
            after: random.below(CUT_WITHIN),
        },
        8 => What::LOSE_ANSWER,
        9 => What::Unauthorized,
        10 => What::Unavailable {
            retry_after_s: Some(0),
        },
        // Unknown failure, and all that says something of the session context.
        11 => What::ResponseCode(*random.pick(&[1, 6, 10, 13, 15, 18]).unwrap_or(&10)),
        12 => What::Backoff { duration_ms: 1 },
        13 => What::GetBufferBusy { backoff_ms: 1 },
        14 => What::ConnectBusy { retry_delay_ms: 1 },
        _ => What::Delay {
            ms: 1 + random.below(4),
        },
    }
}
