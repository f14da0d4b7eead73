//! Questions to an address book in this process.

mod answers;
mod recovery;
mod server;

use std::sync::Arc;

use self::server::Book;
use super::AddressBook;
use crate::{
    auth::{Credentials, Password, Policy, Scheme},
    discover::{Locator, Options, User},
    http::{self, Client, TlsOptions},
};

/// The book's client.
async fn open(book: &Arc<Book>) -> AddressBook {
    let locator = locator(Some(book.serve().await));
    AddressBook::new(move || Arc::clone(&locator))
}

fn locator(url: Option<String>) -> Arc<Locator> {
    let client = Client::new(http::Options {
        // Without the system's authorities, whose files take a while to read.
        tls: TlsOptions {
            system_roots: false,
            pinned: Some([0; 32]),
            ..TlsOptions::default()
        },
        ..http::Options::default()
    });
    let user = User {
        address: "anna@example.test".to_owned(),
        credentials: Credentials::Password(Password {
            user: "anna@example.test".to_owned(),
            domain: None,
            secret: "open sesame".into(),
        }),
        policy: Policy {
            schemes: vec![Scheme::Basic],
        },
    };
    let options = Options {
        url: Some("http://127.0.0.1:1/mapi/emsmdb/".parse().unwrap()),
        address_book_url: url.map(|url| url.parse().unwrap()),
        user_dn: Some("/o=T/cn=anna".to_owned()),
        ..Options::default()
    };
    Arc::new(Locator::new(client.unwrap(), user, options))
}

fn book(names: &[&str]) -> Arc<Book> {
    Arc::new(Book::of(names.iter().map(|name| (*name).to_owned())))
}

/// `Entry 000`, `Entry 001` and so on.
fn numbered(count: usize) -> Book {
    Book::of((0..count).map(|number| format!("Entry {number:03}")))
}
