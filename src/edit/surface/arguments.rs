//! The arguments of a call of `edit`, also under the names other tools give them: models write from habit.

use serde_json::Value;

use crate::edit::explain::EditFailure;

/// Names of the path.
pub(super) const FILE: &[&str] = &["file", "path", "file_path", "filename", "filePath"];
/// Names of the text that stands there now.
pub(super) const OLD: &[&str] = &["old", "old_string", "old_str", "oldString", "old_text", "search"];
/// Names of the text that stands there afterwards.
pub(super) const NEW: &[&str] = &["new", "new_string", "new_str", "newString", "new_text", "replace"];
/// Names of a text.
pub(super) const TEXT: &[&str] = &["text", "content", "contents", "input", "patch", "diff"];

/// The text of a call whose one argument is a text.
pub(super) fn text(arguments: &Value) -> Result<String, Vec<EditFailure>> {
    match arguments {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(object @ Value::Object(_)) => self::text(&object),
            _ => Ok(text.clone()),
        },
        _ => field(arguments, TEXT).map(str::to_owned).map_err(|missing| vec![missing.for_file("")]),
    }
}

/// What `read` makes of the object that `arguments` is, also when it comes as a JSON text.
pub(super) fn object<T>(
    arguments: &Value,
    read: impl Fn(&Value) -> Result<T, Vec<EditFailure>>,
) -> Result<T, Vec<EditFailure>> {
    match arguments {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(value @ Value::Object(_)) => read(&value),
            _ => {
                let advice = "send the arguments as one JSON object";
                Err(vec![EditFailure::malformed("", None, "the arguments are a text and no JSON object", advice)])
            }
        },
        _ => read(arguments),
    }
}

/// An argument that is not there, or is no text.
pub(super) struct Missing {
    name: &'static str,
    is_there: bool,
}

impl Missing {
    pub(super) fn for_file(&self, file: &str) -> EditFailure {
        let name = self.name;
        let what = if self.is_there { "is no text" } else { "is missing" };
        let advice = format!("send `{name}` as a string");
        EditFailure::malformed(file, None, format!("the argument `{name}` {what}"), advice)
    }
}

/// The argument of the first of `names` that is there.
pub(super) fn field<'a>(arguments: &'a Value, names: &'static [&'static str]) -> Result<&'a str, Missing> {
    match names.iter().find_map(|name| arguments.get(name)) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Missing { name: names[0], is_there: true }),
        None => Err(Missing { name: names[0], is_there: false }),
    }
}
