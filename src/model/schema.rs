//! Schemas of answers, made from our own types, in the one dialect that every strict mode takes: closed objects, every property
//! required, no limits on numbers, lengths or counts, no recursion, an object at the root.
//!
//! Servers that know no strict mode ignore a schema without a word, so an answer is always read back into the type.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Map, Value};

/// The form of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputSchema {
    /// Letters, digits, `_` and `-`; OpenAI wants one.
    pub name: String,
    /// The schema.
    pub schema: Value,
}

/// The schema of `T`'s answers. `name` is what OpenAI's wires call it.
pub fn output<T: JsonSchema>(name: &str) -> OutputSchema {
    OutputSchema { name: name.to_owned(), schema: strict::<T>() }
}

/// The schema of `T` in the strict dialect.
pub fn strict<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    let mut value = schema.to_value();
    tighten(&mut value);
    value
}

/// Keywords that at least one strict mode refuses, and those that say nothing to a model.
const DROPPED: [&str; 15] = [
    "$schema",
    "title",
    "default",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
];

fn tighten(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    for keyword in DROPPED {
        object.remove(keyword);
    }
    if let Some(choices) = object.remove("oneOf").or_else(|| object.remove("anyOf")) {
        let choices = merged_constants(choices, object);
        if let Some(choices) = choices {
            object.insert("anyOf".to_owned(), choices);
        }
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(tighten);
        let names = properties.keys().cloned().map(Value::String).collect();
        object.insert("required".to_owned(), Value::Array(names));
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    } else if object.get("type").is_some_and(|kind| kind == "object") {
        object.insert("properties".to_owned(), Value::Object(Map::new()));
        object.insert("required".to_owned(), Value::Array(Vec::new()));
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    for keyword in ["items", "anyOf"] {
        match object.get_mut(keyword) {
            Some(Value::Array(schemas)) => schemas.iter_mut().for_each(tighten),
            Some(schema) => tighten(schema),
            None => {}
        }
    }
}

/// An enum whose variants are documented is a choice of constants: one `enum` says the same in a form every dialect takes, and
/// what the variants' docs say goes to the description.
fn merged_constants(choices: Value, object: &mut Map<String, Value>) -> Option<Value> {
    let Value::Array(list) = &choices else { return Some(choices) };
    let mut values = Vec::new();
    let mut said = Vec::new();
    for choice in list {
        let description = choice.get("description").and_then(Value::as_str);
        let constants: Vec<Value> = match (choice.get("const"), choice.get("enum")) {
            (Some(constant), _) => vec![constant.clone()],
            (None, Some(Value::Array(several))) => several.clone(),
            _ => return Some(choices),
        };
        if let (Some(description), [Value::String(name)]) = (description, constants.as_slice()) {
            said.push(format!("{name}: {description}"));
        }
        values.extend(constants);
    }
    object.insert("type".to_owned(), Value::String("string".to_owned()));
    object.insert("enum".to_owned(), Value::Array(values));
    if !said.is_empty() {
        let before = object.get("description").and_then(Value::as_str).map(|text| format!("{text}\n"));
        let description = format!("{}{}", before.unwrap_or_default(), said.join("\n"));
        object.insert("description".to_owned(), Value::String(description));
    }
    None
}

/// Gives constants of an answer the case the schema writes them in: strict modes do not promise it.
pub fn recased(schema: &Value, answer: &mut Value) {
    match answer {
        Value::String(text) => {
            let constants = schema.get("enum").and_then(Value::as_array);
            let same =
                constants.into_iter().flatten().filter_map(Value::as_str).find(|it| it.eq_ignore_ascii_case(text));
            if let Some(constant) = same {
                constant.clone_into(text);
            }
        }
        Value::Array(items) => {
            if let Some(of) = schema.get("items") {
                items.iter_mut().for_each(|item| recased(of, item));
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(of) = schema.get("properties").and_then(|properties| properties.get(name)) {
                    recased(of, value);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    for choice in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        recased(choice, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// How it went.
    #[derive(Debug, JsonSchema, Deserialize, PartialEq)]
    #[serde(rename_all = "kebab-case")]
    enum Word {
        /// It is so.
        Confirmed,
        /// It is meant so.
        ByDesign,
    }

    #[derive(Debug, JsonSchema, Deserialize, PartialEq)]
    #[allow(dead_code)]
    struct Answer {
        /// What speaks for it.
        reasons: Vec<Reason>,
        word: Word,
        note: Option<String>,
    }

    #[derive(Debug, JsonSchema, Deserialize, PartialEq)]
    #[allow(dead_code)]
    struct Reason {
        #[schemars(range(min = 1))]
        line: u32,
        text: String,
    }

    /// Everything that a strict mode refuses, found anywhere in `schema`.
    fn refused(schema: &Value, path: &str, found: &mut Vec<String>) {
        let Value::Object(object) = schema else { return };
        for keyword in DROPPED.iter().chain(&["oneOf", "allOf", "not", "$ref", "$defs"]) {
            if object.contains_key(*keyword) {
                found.push(format!("{path}: {keyword}"));
            }
        }
        if object.get("type").is_some_and(|kind| kind == "object") {
            let properties = object["properties"].as_object().expect("objects list their properties");
            let names: Vec<&String> = properties.keys().collect();
            let required: Vec<&str> = object["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            if names != required || object["additionalProperties"] != Value::Bool(false) {
                found.push(format!("{path}: an open object"));
            }
            for (name, of) in properties {
                refused(of, &format!("{path}.{name}"), found);
            }
        }
        for keyword in ["items", "anyOf"] {
            match object.get(keyword) {
                Some(Value::Array(schemas)) => {
                    schemas.iter().for_each(|schema| refused(schema, &format!("{path}|"), found));
                }
                Some(of) => refused(of, &format!("{path}[]"), found),
                None => {}
            }
        }
    }

    #[test]
    fn a_type_becomes_a_schema_that_every_strict_mode_takes() {
        let schema = strict::<Answer>();
        let mut found = Vec::new();
        refused(&schema, "$", &mut found);
        assert_eq!(found, Vec::<String>::new(), "{schema:#}");
        assert_eq!(schema["properties"]["word"]["enum"], serde_json::json!(["confirmed", "by-design"]));
        let order: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(order, ["reasons", "word", "note"], "a model reasons in the order of the fields");
    }

    #[test]
    fn constants_are_read_in_any_case() {
        let schema = strict::<Answer>();
        let mut answer = serde_json::json!({"reasons": [], "word": "BY-Design", "note": null});
        recased(&schema, &mut answer);
        let read: Answer = serde_json::from_value(answer).unwrap();
        assert_eq!(read, Answer { reasons: vec![], word: Word::ByDesign, note: None });
    }
}
