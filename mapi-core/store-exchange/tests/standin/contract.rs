//! The suite that every store passes.

use exchange_standin::{Config, model::organisation::NewUser, model::user::UserKind};
use mapi_store::contract::Fixture;

use crate::subject::Standin;

async fn make() -> Fixture {
    let mut config = Config::default();
    // Of whom the suite talks only.
    config.people.push(NewUser {
        name: "eve".to_owned(),
        display_name: "Eve Evans".to_owned(),
        password: "secret-eve".to_owned(),
        kind: UserKind::Person,
    });
    Standin::with(config).into_fixture()
}

mapi_store::contract_tests!(make);
