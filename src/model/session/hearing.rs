//! An answer as it comes in, in pieces or in one.

use serde_json::Value;

use crate::model::error::ReplyFault;
use crate::model::protocol::Assembler;

/// A stream as it comes in.
pub(super) struct Hearing {
    assembler: Box<dyn Assembler>,
    fault: Option<ReplyFault>,
    /// Characters so far.
    pub(super) characters: usize,
}

impl Hearing {
    /// A stream of which nothing came yet.
    pub(super) fn new(assembler: Box<dyn Assembler>) -> Hearing {
        Hearing { assembler, fault: None, characters: 0 }
    }

    /// Takes an event.
    pub(super) fn hear(&mut self, name: &str, data: &str) {
        self.characters += data.len();
        // What comes after the first fault cannot mend it.
        if self.fault.is_none()
            && let Err(fault) = self.assembler.event(name, data)
        {
            self.fault = Some(fault);
        }
    }

    /// The body that came, if it came whole.
    pub(super) fn body(self) -> Result<Value, ReplyFault> {
        match self.fault {
            Some(fault) => Err(fault),
            None if !self.assembler.is_complete() => Err(ReplyFault::Cut),
            None => self.assembler.body(),
        }
    }
}

/// The body of an answer in one piece.
pub(super) fn read_body(bytes: &[u8]) -> Result<Value, ReplyFault> {
    serde_json::from_slice(bytes).map_err(|error| ReplyFault::Malformed(format!("no JSON: {error}")))
}
