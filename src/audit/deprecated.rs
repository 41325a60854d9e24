//! Functions whose comment says that they go soon: nobody plans work on them.

use crate::finding::{Category, Confidence, Finding};
use crate::repo_map::facts::{SymbolIndex, SymbolKind};
use crate::repo_map::{FileId, RepoMap};
use crate::tree::Tree;

/// What a deprecated function costs in time or clarity is over when it goes; a fault or a hole in it is one until then.
pub fn weigh(finding: &mut Finding, map: &RepoMap, tree: &dyn Tree) {
    if !matches!(finding.category, Category::Perf | Category::TechDebt) {
        return;
    }
    let place = finding.location();
    let Some((file, source)) = map.file_by_path(&place.file) else { return };
    let around = (0..).zip(&source.facts.symbols).filter(|(_, symbol)| {
        let holds = symbol.kind.is_callable() || symbol.kind == SymbolKind::Class;
        holds && symbol.lines.contains(place.start_line)
    });
    let is_going = around.map(|(index, _)| index).any(|index| is_deprecated(map, tree, file, index));
    if is_going {
        finding.confidence = Confidence::Low;
        finding.impact = 1;
    }
}

/// A comment right above a definition, or an attribute of it, says that it is deprecated.
pub fn is_deprecated(map: &RepoMap, tree: &dyn Tree, file: FileId, symbol: SymbolIndex) -> bool {
    let source = map.file(file);
    let symbol = &source.facts.symbols[symbol as usize];
    let Some(text) = tree.text(&source.path) else { return false };
    let above: Vec<&str> = text.lines().take(symbol.name_line.saturating_sub(1) as usize).collect();
    let says = |line: &&&str| {
        let line = line.trim_start();
        ["/", "*", "#[", "@"].iter().any(|start| line.starts_with(start))
    };
    let is_said = |line: &&str| {
        let line = line.to_ascii_lowercase();
        let said = line.trim_start_matches(|c: char| !c.is_alphanumeric());
        said.starts_with("deprecated") || line.contains("@deprecated")
    };
    above.iter().rev().take_while(says).any(is_said)
}
