//! The suite that every store passes.

use mapi_store::contract::Fixture;

use crate::subject::Standin;

async fn make() -> Fixture {
    Standin::start().into_fixture()
}

mapi_store::contract_tests!(make);
