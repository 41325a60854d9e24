//! An outline as text: folders, files below them, definitions below those.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Folder, Form, Level, Levels, Outliner, folder, signature};
use crate::repo_map::{FileId, SymbolId};
use crate::report::layout::{count, grouped};
use crate::report::sanitize;

/// Text for a prompt.
pub(super) struct Text;

impl Form for Text {
    fn body(&self, outliner: &Outliner<'_>, levels: &Levels) -> String {
        let mut text = String::new();
        let mut last = None;
        for (file, definitions) in outliner.by_file(levels) {
            let folder = folder(&outliner.map.file(file).path);
            if last != Some(folder) {
                last = Some(folder);
                let _ = writeln!(text, "{}/", sanitize::line(if folder.is_empty() { "." } else { folder }));
            }
            self.file(outliner, &mut text, file, &definitions);
        }
        text
    }

    fn line(&self, outliner: &Outliner<'_>, id: SymbolId, level: Level) -> String {
        let symbol = outliner.map.symbol(id);
        let written = match level {
            Level::Full => signature::full(symbol),
            Level::Short | Level::Name => signature::short(symbol),
        };
        let reasons = if level == Level::Full { because(&outliner.reasons(id)) } else { String::new() };
        format!("  {} {}{reasons}\n", symbol.name_line, sanitize::line(&written))
    }

    fn folders(&self, folders: &[Folder<'_>]) -> String {
        if folders.is_empty() {
            return String::new();
        }
        let mut text = "not shown:\n".to_owned();
        for (folder, (files, definitions)) in folders {
            let folder = if folder.is_empty() { "." } else { folder };
            let _ = writeln!(
                text,
                " {}/ {}, {}",
                sanitize::line(folder),
                count(*files, "file"),
                count(*definitions, "definition")
            );
        }
        text
    }

    fn frame(&self, outliner: &Outliner<'_>, shown: &BTreeSet<SymbolId>) -> String {
        let files: BTreeSet<FileId> = shown.iter().map(|id| id.file).collect();
        let (all_files, all_definitions) = outliner.total();
        let mut text = format!(
            "shown: {} of {} in {} of {}",
            grouped(shown.len()),
            count(all_definitions, "definition"),
            grouped(files.len()),
            count(all_files, "file"),
        );
        if !outliner.map.skipped.is_empty() {
            let _ = write!(text, "; {} not read", count(outliner.map.skipped.len(), "file"));
        }
        let partly = outliner.read_in_part();
        if partly > 0 {
            let _ = write!(text, "; {} read in part", count(partly, "file"));
        }
        text.push('\n');
        text
    }

    fn page(&self, outliner: &Outliner<'_>, levels: &Levels, folders: &[Folder<'_>]) -> String {
        let shown: BTreeSet<SymbolId> = levels.keys().copied().collect();
        format!("{}{}{}", self.body(outliner, levels), self.folders(folders), self.frame(outliner, &shown))
    }
}

impl Text {
    /// A file with its definitions: signatures on lines of their own, names on one.
    fn file(&self, outliner: &Outliner<'_>, text: &mut String, file: FileId, definitions: &[(SymbolId, Level)]) {
        let names: Vec<String> = definitions
            .iter()
            .filter(|(_, level)| *level == Level::Name)
            .map(|(id, _)| {
                let symbol = outliner.map.symbol(*id);
                format!("{} {}", symbol.name_line, sanitize::line(&symbol.qualified))
            })
            .collect();
        let path = &outliner.map.file(file).path;
        let name = sanitize::line(path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name));
        let reasons = because(&outliner.file_reasons(file));
        if names.len() == definitions.len() {
            let reasons = if outliner.near.contains_key(&file) { reasons } else { String::new() };
            let _ = writeln!(text, " {name}: {}{reasons}", names.join(", "));
            return;
        }
        let _ = writeln!(text, " {name}{reasons}");
        for &(id, level) in definitions.iter().filter(|(_, level)| *level != Level::Name) {
            text.push_str(&self.line(outliner, id, level));
        }
        if !names.is_empty() {
            let _ = writeln!(text, "  also {}", names.join(", "));
        }
    }
}

fn because(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!("  <- {}", reasons.join(", ")) }
}
