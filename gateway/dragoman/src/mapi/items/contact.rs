//! Contacts. Source: MS-OXOCNTC.

use account::Role;
use mapi_convert::oxocntc::{self, EMAILS_MAX, PostalAddress};
use mapi_types::{PropBag, PropTag, Row, tags};
use serde_json::{Value, json};

use super::{Class, common};
use crate::{
    cli::mapi::Contact,
    failure::Result,
    mapi::{
        output::plain,
        session::{Session, invalid},
    },
};

impl Class for Contact {
    const ROLE: Role = Role::Contacts;
    const CLASS: &'static str = oxocntc::CLASS;
    const COLUMNS: &'static [PropTag] = &[
        tags::DISPLAY_NAME.tag(),
        tags::FILE_UNDER.tag(),
        tags::COMPANY_NAME.tag(),
        tags::EMAIL1_EMAIL_ADDRESS.tag(),
        tags::EMAIL2_EMAIL_ADDRESS.tag(),
        tags::EMAIL3_EMAIL_ADDRESS.tag(),
        tags::BUSINESS_TELEPHONE_NUMBER.tag(),
        tags::HOME_TELEPHONE_NUMBER.tag(),
        tags::MOBILE_TELEPHONE_NUMBER.tag(),
    ];

    fn props(&self, _: &Session) -> Result<PropBag> {
        if self.emails.len() > EMAILS_MAX {
            return Err(invalid("a contact has three electronic addresses at most"));
        }
        let contact = oxocntc::Contact {
            common: common("", &self.about),
            full_name: self.full_name.clone(),
            given_name: self.given_name.clone(),
            middle_name: self.middle_name.clone(),
            surname: self.surname.clone(),
            nickname: self.nickname.clone(),
            company: self.company.clone(),
            department: self.department.clone(),
            job_title: self.job_title.clone(),
            emails: self.emails.clone(),
            business_phone: self.phone.clone(),
            home_phone: self.home_phone.clone(),
            mobile_phone: self.mobile.clone(),
            business_fax: self.fax.clone(),
            web_page: self.web.clone(),
            work_address: PostalAddress {
                street: self.street.clone(),
                city: self.city.clone(),
                state: self.state.clone(),
                postal_code: self.postal_code.clone(),
                country: self.country.clone(),
            },
        };
        let props = contact.to_props();
        match props.get(&tags::DISPLAY_NAME) {
            Some(_) => Ok(props),
            None => Err(invalid("a contact has a name, a company or an address")),
        }
    }

    fn cells(row: Row<'_>) -> Vec<String> {
        let name = row.get(&tags::DISPLAY_NAME);
        vec![
            plain(name.or_else(|| row.get(&tags::SUBJECT)).unwrap_or("-")),
            plain(row.get(&tags::COMPANY_NAME).unwrap_or("")),
            plain(&emails(row).join(", ")),
            plain(&phones(row).join(", ")),
        ]
    }

    fn json(row: Row<'_>) -> Value {
        json!({
            "name": row.get(&tags::DISPLAY_NAME),
            "file_under": row.get(&tags::FILE_UNDER),
            "company": row.get(&tags::COMPANY_NAME),
            "emails": emails(row),
            "phone": row.get(&tags::BUSINESS_TELEPHONE_NUMBER),
            "home_phone": row.get(&tags::HOME_TELEPHONE_NUMBER),
            "mobile": row.get(&tags::MOBILE_TELEPHONE_NUMBER),
        })
    }
}

fn emails(row: Row<'_>) -> Vec<&str> {
    let tags = [
        &tags::EMAIL1_EMAIL_ADDRESS,
        &tags::EMAIL2_EMAIL_ADDRESS,
        &tags::EMAIL3_EMAIL_ADDRESS,
    ];
    tags.into_iter().filter_map(|tag| row.get(tag)).collect()
}

fn phones(row: Row<'_>) -> Vec<&str> {
    let tags = [
        &tags::BUSINESS_TELEPHONE_NUMBER,
        &tags::MOBILE_TELEPHONE_NUMBER,
        &tags::HOME_TELEPHONE_NUMBER,
    ];
    tags.into_iter().filter_map(|tag| row.get(tag)).collect()
}
