//! Logging on to a mailbox or to the public folders. Source: MS-OXCSTOR 3.2.5.1.

use std::sync::Arc;

use mapi_types::FileTime;
use mapi_wire::{
    Guid, Id,
    rop::{Details, Logon, LogonResponse, LogonTime, Mailbox as Opened, Store},
};

use super::{
    call::{Call, Outcome, Refusal},
    objects::{Entry, Object},
};
use crate::model::{
    error::{Code, Result},
    ids::{Fid, OWN_REPLID},
    mailbox::{Mailbox, MailboxKind},
    organisation::PUBLIC,
    tags,
    user::UserKind,
};

/// Logs on.
pub(crate) fn logon(call: &mut Call<'_>, ask: &Logon) -> Outcome {
    let key = match ask.is_public() {
        true => PUBLIC.to_owned(),
        false => owner(call, ask)?,
    };
    let mailbox = call
        .organisation
        .mailbox(&key)
        .map_err(|_| Code::LOGIN_FAILURE)?;
    if mailbox.kind == MailboxKind::Private && mailbox.site != call.session.site {
        return Err(elsewhere(ask, mailbox.site));
    }
    if !mailbox.may_log_on(call.user()) {
        return Err(Code::ACCESS_DENIED.into());
    }
    if let Some(old) = call.session.logons.remove(&ask.logon_id) {
        call.session.objects.close(old);
    }
    let response = response(call, mailbox, ask);
    let entry = Entry {
        logon: ask.logon_id,
        mailbox: Arc::from(key),
        parent: None,
        object: Object::Logon,
    };
    let handle = call.put(ask.output, entry)?;
    call.session.logons.insert(ask.logon_id, handle);
    Ok(response.into())
}

fn owner(call: &Call<'_>, ask: &Logon) -> Result<String> {
    let dn = ask
        .essdn
        .split(|octet| *octet == 0)
        .next()
        .unwrap_or_default();
    let dn = String::from_utf8_lossy(dn);
    let user = call.organisation.by_dn(&dn).ok_or(Code::UNKNOWN_USER)?;
    match user.kind {
        UserKind::List(_) => Err(Code::UNKNOWN_USER),
        _ => Ok(user.key.clone()),
    }
}

/// The mailbox is on another server. Source: MS-OXCROPS 2.2.3.1.4.
fn elsewhere(ask: &Logon, site: u32) -> Refusal {
    Refusal {
        code: Code::WRONG_SERVER,
        details: Some(Details::Redirect {
            logon_flags: ask.logon_flags,
            server_name: format!("/o=Standin/cn=Servers/cn=site{site}\0")
                .into_bytes()
                .into(),
        }),
    }
}

fn response(call: &Call<'_>, mailbox: &Mailbox, ask: &Logon) -> LogonResponse {
    let folder_ids = mailbox.special.logon.map(|fid| match fid {
        Fid(0) => Id::default(),
        fid => fid.to_wire(),
    });
    let store = match mailbox.kind {
        MailboxKind::Public => Store::Public {
            replid: OWN_REPLID,
            replguid: mailbox.replica,
            per_user_guid: Guid::default(),
        },
        MailboxKind::Private => Store::Private(Box::new(Opened {
            response_flags: flags(call, mailbox),
            mailbox_guid: mailbox.guid,
            replid: OWN_REPLID,
            replguid: mailbox.replica,
            logon_time: time(mailbox.clock.now()),
            gwart_time: 0,
            store_state: 0,
        })),
    };
    LogonResponse {
        index: ask.output,
        logon_flags: ask.logon_flags,
        folder_ids,
        store,
    }
}

fn flags(call: &Call<'_>, mailbox: &Mailbox) -> u8 {
    let user = call.user();
    let may_send = call
        .organisation
        .user(&mailbox.key)
        .is_some_and(|owner| owner.key == user || owner.send_as.contains(user));
    let flags = [
        (true, Opened::RESERVED),
        (mailbox.is_owner(user), Opened::OWNER_RIGHT),
        (may_send, Opened::SEND_AS_RIGHT),
        (
            mailbox.props.is_true(tags::OUT_OF_OFFICE_STATE),
            Opened::OOF,
        ),
    ];
    flags
        .iter()
        .filter(|(yes, _)| *yes)
        .fold(0, |all, (_, flag)| all | flag)
}

/// A time in the fields that RopLogon has.
fn time(ticks: u64) -> LogonTime {
    let seconds = FileTime(ticks).unix();
    let days = seconds.div_euclid(86_400);
    let second = seconds.rem_euclid(86_400);
    // Days since the first of March of year 0, in eras of 400 years.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    LogonTime {
        seconds: (second % 60) as u8,
        minutes: (second / 60 % 60) as u8,
        hour: (second / 3600) as u8,
        day_of_week: (days + 4).rem_euclid(7) as u8,
        day: day as u8,
        month: month as u8,
        year: year as u16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_given_in_its_fields() {
        // 2024-02-29 12:34:56, a Thursday.
        let time = time(FileTime::from_unix(1_709_210_096).0);
        assert_eq!(
            (time.year, time.month, time.day, time.day_of_week),
            (2024, 2, 29, 4)
        );
        assert_eq!((time.hour, time.minutes, time.seconds), (12, 34, 56));
    }
}
