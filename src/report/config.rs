//! What is set and where it came from: `improve config show`.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::layout::{Page, columns, paint, style};
use super::sanitize;
use crate::settings::Origin;
use crate::settings::listing::Row;

/// Version of the JSON contract.
pub const SCHEMA_VERSION: u32 = 1;

/// What is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// Files that settings may stand in, the weakest first.
    pub files: Vec<FileRow>,
    /// Every setting.
    pub settings: Vec<SettingRow>,
}

/// A file that settings may stand in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileRow {
    /// Whose it is.
    pub whose: String,
    /// Where it is, or would be.
    pub path: String,
    /// It is there.
    pub there: bool,
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SettingRow {
    /// The key with its tables before it.
    pub key: String,
    /// The value as TOML writes it; null where nothing is set.
    pub value: Option<String>,
    /// `default`, a file with its line, a variable or a flag.
    pub origin: String,
    /// Nobody set it.
    pub is_default: bool,
}

impl From<Row> for SettingRow {
    fn from(row: Row) -> SettingRow {
        let Row { key, value, origin } = row;
        SettingRow { key, value, is_default: origin == Origin::Default, origin: origin.to_string() }
    }
}

/// The page for people: what somebody set first, since that is what surprises.
pub fn config(document: &ConfigDocument, page: &Page) -> String {
    let (defaults, set): (Vec<&SettingRow>, Vec<&SettingRow>) =
        document.settings.iter().partition(|setting| setting.is_default);
    let mut text = String::new();
    if !set.is_empty() {
        let _ = write!(text, "{}\n{}", paint(style::STRONG, "Set"), rows(&set, page));
    }
    if !defaults.is_empty() {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{gap}{}\n{}", paint(style::STRONG, "At their defaults"), rows(&defaults, page));
    }
    if !document.files.is_empty() {
        let files = document.files.iter().map(|file| {
            let there = if file.there { "" } else { "not there" };
            vec![file.whose.clone(), sanitize::line(&file.path).into_owned(), there.to_owned()]
        });
        let files: Vec<Vec<String>> = files.collect();
        let title = paint(style::STRONG, "Files, the weakest first; variables and then flags win over them");
        let _ = write!(text, "\n{title}\n{}", columns(&files, page.width, 2));
    }
    text
}

fn rows(settings: &[&SettingRow], page: &Page) -> String {
    let rows = settings.iter().map(|setting| {
        let value = setting.value.as_deref().unwrap_or("—");
        let origin = if setting.is_default { "" } else { setting.origin.as_str() };
        [setting.key.as_str(), value, origin].map(|cell| sanitize::line(cell).into_owned()).to_vec()
    });
    columns(&rows.collect::<Vec<_>>(), page.width, 2)
}
