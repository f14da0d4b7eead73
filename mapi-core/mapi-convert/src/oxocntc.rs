//! Contacts as properties. Source: MS-OXOCNTC 2.2.1.

use mapi_types::{PropBag, Tag, kind, tags};

use crate::{
    item::{Common, Item},
    oxcmail::one_off_entry_id,
};

/// PidTagMessageClass of contacts.
pub const CLASS: &str = "IPM.Contact";

/// The most electronic addresses of a contact. Source: MS-OXOCNTC 2.2.1.2.
pub const EMAILS_MAX: usize = 3;

/// A contact. Empty texts are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// Text and marks. The subject is the full name, whatever it says.
    pub common: Common,
    /// The name as it is shown; empty: made of its parts.
    pub full_name: String,
    /// Given name.
    pub given_name: String,
    /// Middle name.
    pub middle_name: String,
    /// Family name.
    pub surname: String,
    /// Nickname.
    pub nickname: String,
    /// Company.
    pub company: String,
    /// Department.
    pub department: String,
    /// What the person does there.
    pub job_title: String,
    /// Electronic addresses; those after the third are left out.
    pub emails: Vec<String>,
    /// Telephone at work.
    pub business_phone: String,
    /// Telephone at home.
    pub home_phone: String,
    /// Mobile telephone.
    pub mobile_phone: String,
    /// Fax at work.
    pub business_fax: String,
    /// Web page.
    pub web_page: String,
    /// Address at work.
    pub work_address: PostalAddress,
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostalAddress {
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// Postal code.
    pub postal_code: String,
    /// Country.
    pub country: String,
}

/// One electronic address. Source: MS-OXOCNTC 2.2.1.2.
struct EmailTags {
    display_name: Tag<kind::Str>,
    address_type: Tag<kind::Str>,
    address: Tag<kind::Str>,
    original_display_name: Tag<kind::Str>,
    original_entry_id: Tag<kind::Bin>,
}

const EMAILS: [EmailTags; EMAILS_MAX] = [
    EmailTags {
        display_name: tags::EMAIL1_DISPLAY_NAME,
        address_type: tags::EMAIL1_ADDRESS_TYPE,
        address: tags::EMAIL1_EMAIL_ADDRESS,
        original_display_name: tags::EMAIL1_ORIGINAL_DISPLAY_NAME,
        original_entry_id: tags::EMAIL1_ORIGINAL_ENTRY_ID,
    },
    EmailTags {
        display_name: tags::EMAIL2_DISPLAY_NAME,
        address_type: tags::EMAIL2_ADDRESS_TYPE,
        address: tags::EMAIL2_EMAIL_ADDRESS,
        original_display_name: tags::EMAIL2_ORIGINAL_DISPLAY_NAME,
        original_entry_id: tags::EMAIL2_ORIGINAL_ENTRY_ID,
    },
    EmailTags {
        display_name: tags::EMAIL3_DISPLAY_NAME,
        address_type: tags::EMAIL3_ADDRESS_TYPE,
        address: tags::EMAIL3_EMAIL_ADDRESS,
        original_display_name: tags::EMAIL3_ORIGINAL_DISPLAY_NAME,
        original_entry_id: tags::EMAIL3_ORIGINAL_ENTRY_ID,
    },
];

/// PidTagIconIndex of a contact.
const ICON: i32 = 0x200;

/// PidLidFileUnderId: surname, given name and middle name. Source: MS-OXOCNTC 2.2.1.1.12.
const FILED_BY_SURNAME: i32 = 0x8017;

/// PidLidFileUnderId: the display name.
const FILED_BY_DISPLAY_NAME: i32 = 0x3001;

/// PidLidPostalAddressId: the address at work is the one for letters. Source: MS-OXOCNTC 2.2.1.3.9.
const LETTERS_TO_WORK: i32 = 2;

impl Contact {
    /// The contact's properties.
    pub fn to_props(&self) -> PropBag {
        let name = self.name();
        let common = Common {
            subject: name.clone(),
            ..self.common.clone()
        };
        let mut item = Item::new(CLASS, ICON, &common);
        for (tag, text) in [
            (&tags::DISPLAY_NAME, &name),
            (&tags::GIVEN_NAME, &self.given_name),
            (&tags::MIDDLE_NAME, &self.middle_name),
            (&tags::SURNAME, &self.surname),
            (&tags::NICKNAME, &self.nickname),
            (&tags::COMPANY_NAME, &self.company),
            (&tags::DEPARTMENT_NAME, &self.department),
            (&tags::TITLE, &self.job_title),
            (&tags::BUSINESS_TELEPHONE_NUMBER, &self.business_phone),
            (&tags::HOME_TELEPHONE_NUMBER, &self.home_phone),
            (&tags::MOBILE_TELEPHONE_NUMBER, &self.mobile_phone),
            (&tags::BUSINESS_FAX_NUMBER, &self.business_fax),
            (&tags::BUSINESS_HOME_PAGE, &self.web_page),
        ] {
            item.text(tag, text);
        }
        let (file_under, by) = self.file_under(&name);
        item.text(&tags::FILE_UNDER, &file_under);
        item.long(&tags::FILE_UNDER_ID, by);
        for (tags, address) in EMAILS.iter().zip(&self.emails) {
            put_email(&mut item, tags, &name, address);
        }
        self.work_address.put(&mut item);
        item.finish()
    }

    /// The name as it is shown.
    fn name(&self) -> String {
        if !self.full_name.is_empty() {
            return self.full_name.clone();
        }
        let name = joined(&[&self.given_name, &self.middle_name, &self.surname], " ");
        let others = [&self.company, &self.nickname];
        let named = others.into_iter().chain(&self.emails);
        match name.is_empty() {
            true => named.into_iter().find(|text| !text.is_empty()).cloned(),
            false => Some(name),
        }
        .unwrap_or_default()
    }

    fn file_under(&self, name: &str) -> (String, i32) {
        if self.surname.is_empty() || self.given_name.is_empty() {
            return (name.to_owned(), FILED_BY_DISPLAY_NAME);
        }
        let given = joined(&[&self.given_name, &self.middle_name], " ");
        (format!("{}, {given}", self.surname), FILED_BY_SURNAME)
    }
}

impl PostalAddress {
    fn put(&self, item: &mut Item) {
        let city = joined(&[&self.city, &self.state, &self.postal_code], " ");
        let whole = joined(&[&self.street, &city, &self.country], "\r\n");
        if whole.is_empty() {
            return;
        }
        item.text(&tags::WORK_ADDRESS, &whole);
        item.text(&tags::WORK_ADDRESS_STREET, &self.street);
        item.text(&tags::WORK_ADDRESS_CITY, &self.city);
        item.text(&tags::WORK_ADDRESS_STATE, &self.state);
        item.text(&tags::WORK_ADDRESS_POSTAL_CODE, &self.postal_code);
        item.text(&tags::WORK_ADDRESS_COUNTRY, &self.country);
        item.long(&tags::POSTAL_ADDRESS_ID, LETTERS_TO_WORK);
    }
}

fn put_email(item: &mut Item, tags: &EmailTags, name: &str, address: &str) {
    let shown = match name.is_empty() || name == address {
        true => address.to_owned(),
        false => format!("{name} ({address})"),
    };
    item.text(&tags.display_name, &shown);
    item.text(&tags.address_type, "SMTP");
    item.text(&tags.address, address);
    item.text(&tags.original_display_name, address);
    item.octets(&tags.original_entry_id, &one_off_entry_id(name, address));
}

fn joined(parts: &[&String], between: &str) -> String {
    let parts = parts.iter().filter(|part| !part.is_empty());
    let parts: Vec<&str> = parts.map(|part| part.as_str()).collect();
    parts.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_named_filed_and_reached() {
        let contact = Contact {
            given_name: "Anna".to_owned(),
            surname: "Example".to_owned(),
            emails: ["a@example.test", "b@example.test"]
                .map(str::to_owned)
                .into(),
            mobile_phone: "+49 1".to_owned(),
            work_address: PostalAddress {
                street: "Street 1".to_owned(),
                city: "Town".to_owned(),
                postal_code: "12345".to_owned(),
                ..PostalAddress::default()
            },
            ..Contact::default()
        };
        let props = contact.to_props();
        for (tag, expected) in [
            (&tags::DISPLAY_NAME, "Anna Example"),
            (&tags::SUBJECT, "Anna Example"),
            (&tags::FILE_UNDER, "Example, Anna"),
            (&tags::EMAIL1_DISPLAY_NAME, "Anna Example (a@example.test)"),
            (&tags::EMAIL1_ADDRESS_TYPE, "SMTP"),
            (&tags::EMAIL1_EMAIL_ADDRESS, "a@example.test"),
            (&tags::EMAIL2_ORIGINAL_DISPLAY_NAME, "b@example.test"),
            (&tags::MOBILE_TELEPHONE_NUMBER, "+49 1"),
            (&tags::WORK_ADDRESS, "Street 1\r\nTown 12345"),
        ] {
            assert_eq!(props.get(tag), Some(expected));
        }
        assert_eq!(props.get(&tags::FILE_UNDER_ID), Some(0x8017));
        assert_eq!(props.get(&tags::EMAIL3_EMAIL_ADDRESS), None);
        assert!(props.get(&tags::EMAIL2_ORIGINAL_ENTRY_ID).is_some());
    }

    #[test]
    fn a_contact_without_a_name_is_called_by_what_there_is() {
        let check = |contact: Contact, expected: &str| {
            let props = contact.to_props();
            assert_eq!(props.get(&tags::DISPLAY_NAME), Some(expected));
            assert_eq!(props.get(&tags::FILE_UNDER), Some(expected));
        };
        let company = "Example Ltd".to_owned();
        let emails = vec!["a@example.test".to_owned()];
        check(
            Contact {
                emails: emails.clone(),
                ..Contact::default()
            },
            "a@example.test",
        );
        check(
            Contact {
                company,
                emails,
                ..Contact::default()
            },
            "Example Ltd",
        );
    }
}
