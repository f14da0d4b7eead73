//! The embedded store passes the suite of every store, with every way of keeping originals.

#![expect(clippy::unwrap_used, reason = "assertions of tests")]

use std::sync::Arc;

use mapi_store::contract::Fixture;
use store_openchange::{OpenChange, Options};

fn backend(options: Options) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let backend = OpenChange::open(dir.path(), options).unwrap();
    Fixture::with_guard(Arc::new(backend), dir)
}

mod originals_in_rows {
    async fn make() -> super::Fixture {
        super::backend(super::Options::default())
    }

    mapi_store::contract_tests!(make);
    mapi_store::own_contract_tests!(make);
}

mod originals_in_small_segments {
    async fn make() -> super::Fixture {
        let options = super::Options {
            inline_bytes_max: 0,
            segment_bytes_max: 4096,
            ..Default::default()
        };
        super::backend(options)
    }

    mapi_store::contract_tests!(make);
    mapi_store::own_contract_tests!(make);
}

mod one_thread_and_no_idle_handles {
    async fn make() -> super::Fixture {
        let options = super::Options {
            writer_threads: 1,
            reader_threads: 1,
            idle_handles_max: 0,
            batch_max: 2,
            ..Default::default()
        };
        super::backend(options)
    }

    mapi_store::contract_tests!(make);
    mapi_store::own_contract_tests!(make);
}
