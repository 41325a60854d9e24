//! A settings file as a flat list of keys and values, each with its line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Origin, Setting, SettingsError, SettingsFile};

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The key, table names included; `_` and `-` are the same in it.
    pub key: Vec<String>,
    /// Where it stands.
    pub origin: Origin,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    Number(String),
    Switch(bool),
    List(Vec<Value>),
    Other(&'static str),
}

/// Every entry of `file`, in order.
pub(super) fn entries(file: &SettingsFile) -> Result<Vec<Entry>, SettingsError> {
    let table = DeTable::parse(&file.text).map_err(|error| SettingsError::NotToml {
        path: file.path.clone(),
        line: line_of(&file.text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let mut entries = Vec::new();
    flatten(file, &[], table.get_ref(), &mut entries);
    entries.sort_by_key(|entry| match entry.origin {
        Origin::File { line, .. } => line,
        _ => 0,
    });
    Ok(entries)
}

fn flatten(file: &SettingsFile, prefix: &[String], table: &DeTable<'_>, entries: &mut Vec<Entry>) {
    for (name, value) in table {
        let mut key = prefix.to_vec();
        // Folders and rule ids are data; only our own words are written either way.
        let own = prefix.is_empty();
        key.push(if own { name.get_ref().replace('_', "-") } else { name.get_ref().to_string() });
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => flatten(file, &key, inner, entries),
            other => {
                let origin = Origin::File { path: file.path.clone(), line: line_of(&file.text, name_start(name)) };
                entries.push(Entry { key, origin, value: Value::read(other) });
            }
        }
    }
}

fn name_start<T>(name: &Spanned<T>) -> usize {
    name.span().start
}

fn line_of(text: &str, byte: usize) -> u32 {
    let before = text.as_bytes().get(..byte).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|&&byte| byte == b'\n').count() as u32
}

impl Value {
    fn read(value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => Value::Number(number.as_str().replace('_', "")),
            DeValue::Float(number) => Value::Number(number.as_str().to_owned()),
            DeValue::Boolean(on) => Value::Switch(*on),
            DeValue::Array(items) => Value::List(items.iter().map(|item| Value::read(item.get_ref())).collect()),
            DeValue::Table(_) => Value::Other("a table"),
            DeValue::Datetime(_) => Value::Other("a date"),
        }
    }

    fn shown(&self) -> String {
        match self {
            Value::Text(text) | Value::Number(text) => text.clone(),
            Value::Switch(on) => on.to_string(),
            Value::List(_) => "a list".to_owned(),
            Value::Other(what) => (*what).to_owned(),
        }
    }
}

impl Entry {
    pub(super) fn bad(&self, expected: &'static str) -> SettingsError {
        SettingsError::BadValue {
            origin: self.origin.clone(),
            key: self.key.join("."),
            expected,
            found: self.value.shown(),
        }
    }

    /// The value as a list of strings.
    pub(super) fn list(&self) -> Result<Setting<Vec<String>>, SettingsError> {
        let Value::List(items) = &self.value else { return Err(self.bad("a list of strings")) };
        let text = |item: &Value| match item {
            Value::Text(text) => Ok(text.clone()),
            Value::Number(_) | Value::Switch(_) | Value::List(_) | Value::Other(_) => {
                Err(self.bad("a list of strings"))
            }
        };
        let value = items.iter().map(text).collect::<Result<_, _>>()?;
        Ok(Setting { value, origin: self.origin.clone() })
    }

    /// The value as text; a number is text too.
    pub(super) fn text(&self) -> Result<Setting<String>, SettingsError> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Ok(Setting { value: text.clone(), origin: self.origin.clone() }),
            Value::Switch(_) | Value::List(_) | Value::Other(_) => Err(self.bad("text or a number")),
        }
    }

    /// The value as TOML, for a table that is read into a type of its own. Numbers of money are text there.
    pub(super) fn toml(&self) -> toml::Value {
        fn of(value: &Value) -> toml::Value {
            match value {
                Value::Text(text) => toml::Value::String(text.clone()),
                Value::Number(text) => match text.parse() {
                    Ok(number) => toml::Value::Integer(number),
                    Err(_) => toml::Value::String(text.clone()),
                },
                Value::Switch(on) => toml::Value::Boolean(*on),
                Value::List(items) => toml::Value::Array(items.iter().map(of).collect()),
                Value::Other(what) => toml::Value::String((*what).to_owned()),
            }
        }
        of(&self.value)
    }

    /// The value as a switch.
    pub(super) fn switch(&self) -> Result<Setting<bool>, SettingsError> {
        let value = match &self.value {
            Value::Switch(on) => *on,
            Value::Text(text) if text == "on" => true,
            Value::Text(text) if text == "off" => false,
            Value::Text(_) | Value::Number(_) | Value::List(_) | Value::Other(_) => {
                return Err(self.bad("`true`, `false`, \"on\" or \"off\""));
            }
        };
        Ok(Setting { value, origin: self.origin.clone() })
    }
}
