//! What a machine does not offer.

use std::fmt::Display;

/// Says why something was not tried here. Where nothing may be left out, with `IMPROVE_TEST_NO_SKIP`, it fails.
#[allow(clippy::print_stdout, reason = "a test that proves nothing has to say so")]
pub fn skipped(why: impl Display) {
    assert!(std::env::var_os("IMPROVE_TEST_NO_SKIP").is_none(), "{why}");
    println!("skipped: {why}");
}
