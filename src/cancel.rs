//! Cancellation: one flag that everything long-running looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that, once raised, stays raised. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not raised.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// A flag that ctrl-C, SIGTERM and SIGHUP raise. Can be made once in a process.
    pub fn on_ctrl_c() -> Result<Cancel, ctrlc::Error> {
        let cancel = Cancel::new();
        let raised = cancel.clone();
        ctrlc::set_handler(move || raised.cancel())?;
        Ok(cancel)
    }

    /// Raises the flag.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was raised.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
