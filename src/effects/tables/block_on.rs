//! Waiting for a future from synchronous code.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "block-on",
    ecosystem: Ecosystem::Cargo,
    origins: &[
        origin("futures", "0.3", "https://docs.rs/futures/0.3/futures/executor/fn.block_on.html"),
        origin("pollster", "0.4", "https://docs.rs/pollster"),
        origin("futures-lite", "2", "https://docs.rs/futures-lite/2"),
        origin("smol", "2", "https://docs.rs/smol/2"),
    ],
    packages: &["futures", "futures-executor", "futures_executor", "pollster", "futures_lite", "futures-lite", "smol"],
    apis: &[does(Effect::Blocking, "**.block_on").blocking()],
    shapes: &[],
};
