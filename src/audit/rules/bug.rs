//! Rules about wrong results.

pub mod panic_on_input;
pub mod rejection;
pub mod resource_leak;
pub mod swallowed_error;
pub mod unawaited_future;
pub mod unawaited_promise;
