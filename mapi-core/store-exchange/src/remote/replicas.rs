//! Which replica a number stands for: logons number replicas, everything that lasts names them.
//!
//! Source: MS-OXCSTOR 2.2.1.8, 2.2.1.9.

use std::collections::BTreeMap;

use mapi_wire::{Gid, Globcnt, Guid, Id, ics::IdSet, rop};

use super::Remote;
use crate::{
    fault::{Fault, Result, code},
    session::{Batch, Repeat, expect_rop},
};

/// Replicas by their numbers. Numbers mean the same in every logon with USE_PER_MDB_REPLID_MAPPING.
#[derive(Debug, Default)]
pub(super) struct Replicas(BTreeMap<u16, Guid>);

impl Remote {
    /// The lasting name of an id.
    pub(crate) async fn gid(&self, id: Id) -> Result<Gid> {
        Ok(Gid {
            replguid: self.replica(id.replid).await?,
            globcnt: id.globcnt,
        })
    }

    /// The lasting names of those ids of a set that are among `given`: a few octets may name more ids than there could
    /// be, but never more than the client has. One request for each replica that was not known.
    pub(crate) async fn gids(&self, set: &IdSet<u16>, given: &IdSet) -> Result<Vec<Gid>> {
        let mut named = IdSet::new();
        for (replid, counters) in set.replicas() {
            let Some(replguid) = self.replica_if_any(replid).await? else {
                continue;
            };
            for range in counters.ranges() {
                named.insert_range(replguid, *range);
            }
        }
        named.intersect(given);
        Ok(named.iter().collect())
    }

    /// A replica the server does not know any more names nothing that a mirror could have.
    async fn replica_if_any(&self, replid: u16) -> Result<Option<Guid>> {
        match self.replica(replid).await {
            Ok(guid) => Ok(Some(guid)),
            Err(Fault::Operation { code, .. }) if code != code::ACCESS_DENIED => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn replica(&self, replid: u16) -> Result<Guid> {
        let mut replicas = self.known.replicas.lock().await;
        if let Some(guid) = replicas.0.get(&replid) {
            return Ok(*guid);
        }
        let mut answers = self
            .sessions
            .front
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                batch.push(rop::LongTermIdFromId {
                    logon_id: logon.logon_id,
                    input: Batch::LOGON,
                    object_id: Id {
                        replid,
                        globcnt: Globcnt::from_u64(1),
                    },
                });
                batch
            })
            .await?;
        let guid = expect_rop!(answers, LongTermIdFromId)?
            .long_term_id
            .replguid;
        replicas.0.insert(replid, guid);
        Ok(guid)
    }

    /// The id of a lasting name in this mailbox. One request unless its replica has been met before.
    pub(crate) async fn id(&self, gid: Gid) -> Result<Id> {
        let known = {
            let replicas = self.known.replicas.lock().await;
            let mut all = replicas.0.iter();
            all.find(|(_, guid)| **guid == gid.replguid)
                .map(|(replid, _)| *replid)
        };
        let replid = match known {
            Some(replid) => replid,
            None => self.replica_number(gid).await?,
        };
        Ok(Id {
            replid,
            globcnt: gid.globcnt,
        })
    }

    async fn replica_number(&self, gid: Gid) -> Result<u16> {
        let mut answers = self
            .sessions
            .front
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                batch.push(rop::IdFromLongTermId {
                    logon_id: logon.logon_id,
                    input: Batch::LOGON,
                    long_term_id: gid,
                });
                batch
            })
            .await?;
        let replid = expect_rop!(answers, IdFromLongTermId)?.object_id.replid;
        let mut replicas = self.known.replicas.lock().await;
        replicas.0.insert(replid, gid.replguid);
        Ok(replid)
    }

    /// Notes the mailbox's own replica, which a logon tells.
    pub(crate) async fn learn_replica(&self, replid: u16, guid: Guid) {
        self.known.replicas.lock().await.0.insert(replid, guid);
    }
}
