//! libFuzzer around one row of `dailies_server::fuzz::TARGETS`, which `DAILIES_FUZZ` names:
//!
//!     DAILIES_FUZZ_SEEDS=$PWD/fuzz/corpus cargo test -p dailies-server fuzz::edits::seeds
//!     DAILIES_FUZZ=token cargo +nightly fuzz run target fuzz/corpus/token -- -max_len=65536
#![no_main]

use std::sync::LazyLock;

use dailies_server::fuzz::{Target, find};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("DAILIES_FUZZ").expect("DAILIES_FUZZ names a target");
    find(&name).expect("DAILIES_FUZZ names a row of the table")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET.run(bytes));
