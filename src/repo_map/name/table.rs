//! Values full of names, packed with a table of their names: each text once, and its number wherever it occurs.
//!
//! Reading such a value looks every name up once, not once for every place.

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Name;

/// The table that names are written to or read from on this thread.
#[derive(Default)]
struct Table {
    names: Vec<Name>,
    numbers: FxHashMap<Name, u32>,
}

#[derive(Clone, Copy, PartialEq)]
enum Use {
    Closed,
    Writing,
    Reading,
}

thread_local! {
    static USE: Cell<Use> = const { Cell::new(Use::Closed) };
    static TABLE: RefCell<Table> = RefCell::default();
    // Large buffers that come and go cost more than what is done in them.
    static BODY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Appends `value` and its names to `packed`.
pub fn pack<T: Serialize>(value: &T, packed: &mut Vec<u8>) -> Result<(), postcard::Error> {
    BODY.with_borrow_mut(|body| {
        body.clear();
        let written = during(Use::Writing, || postcard::to_io(value, &mut *body).map(|_| ()));
        written?;
        let names = TABLE.with_borrow_mut(|table| std::mem::take(&mut table.names));
        postcard::to_io(&names, &mut *packed)?;
        // The list is lent to the next value, so that it grows once.
        TABLE.with_borrow_mut(|table| table.names = names);
        packed.extend_from_slice(body);
        Ok(())
    })
}

/// The value in `packed`, which [`pack`] wrote.
pub fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T, postcard::Error> {
    let (names, body): (Vec<Name>, &[u8]) = postcard::take_from_bytes(packed)?;
    TABLE.with_borrow_mut(|table| table.names = names);
    during(Use::Reading, || postcard::from_bytes(body))
}

/// Runs `work` with the table in use.
fn during<T>(use_of: Use, work: impl FnOnce() -> T) -> T {
    if use_of == Use::Writing {
        TABLE.with_borrow_mut(|table| {
            table.names.clear();
            table.numbers.clear();
        });
    }
    USE.set(use_of);
    let _closed = Closing;
    work()
}

/// Closes the table however the work ends.
struct Closing;

impl Drop for Closing {
    fn drop(&mut self) {
        USE.set(Use::Closed);
    }
}

/// The number of `name`, when a value is being packed.
pub(super) fn number_of(name: Name) -> Option<u32> {
    if USE.get() != Use::Writing {
        return None;
    }
    TABLE.with_borrow_mut(|Table { names, numbers }| {
        Some(*numbers.entry(name).or_insert_with(|| {
            names.push(name);
            names.len() as u32 - 1
        }))
    })
}

/// Whether a value is being unpacked.
pub(super) fn is_open() -> bool {
    USE.get() == Use::Reading
}

/// The name with this number.
pub(super) fn numbered(number: u32) -> Option<Name> {
    TABLE.with_borrow(|table| table.names.get(number as usize).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(names: &[&str]) -> Vec<u8> {
        let names: Vec<Name> = names.iter().map(|&name| name.into()).collect();
        let mut packed = Vec::new();
        pack(&names, &mut packed).expect("names can be packed");
        packed
    }

    #[test]
    fn what_was_packed_comes_back_and_a_text_is_written_once() {
        let long = "a name of many letters";
        let bytes = packed(&[long, "b", long, long]);
        assert_eq!(unpack::<Vec<Name>>(&bytes).expect("it was packed"), [long, "b", long, long]);
        assert!(bytes.len() < 2 * long.len());
    }

    #[test]
    fn a_number_beyond_the_table_is_an_error() {
        let mut bytes = packed(&["a"]);
        let last = bytes.len() - 1;
        bytes[last] = 1;
        assert!(unpack::<Vec<Name>>(&bytes).is_err());
        assert!(unpack::<Vec<Name>>(&bytes[..1]).is_err());
    }

    #[test]
    fn outside_of_a_table_a_name_is_text() {
        let _ = unpack::<Vec<Name>>(&[]);
        assert_eq!(serde_json::to_string(&Name::new("a")).expect("text"), "\"a\"");
        assert_eq!(serde_json::from_str::<Name>("\"a\"").expect("text"), "a");
    }
}
