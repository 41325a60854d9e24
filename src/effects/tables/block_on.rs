//! Waiting for a future from synchronous code.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does};

pub static LIBRARY: Library = Library {
    name: "block-on",
    ecosystem: Ecosystem::Cargo,
    source: "futures 0.3 executor::block_on, pollster 0.4, futures-lite 2, smol 2",
    packages: &["futures", "futures-executor", "futures_executor", "pollster", "futures_lite", "futures-lite", "smol"],
    apis: &[does(Effect::Blocking, "**.block_on").blocking()],
    shapes: &[],
};
