//! JSON and JSON lines, from the types the schemas are generated from.

use serde::Serialize;

use super::sanitize;

/// A document, indented, with a line break at the end.
pub fn document(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("our types have string keys and no failing serialisers");
    format!("{}\n", sanitize::json(text))
}

/// A value in one line, with a line break at the end.
pub fn line(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("our types have string keys and no failing serialisers");
    format!("{}\n", sanitize::json(text))
}

/// One line a value.
pub fn lines<T: Serialize>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| line(&value)).collect()
}
