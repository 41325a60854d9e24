//! Models: the test to write new tests like, the file to write new code like, the documents that bind a place.

use serde::Serialize;

use crate::finding::Finding;
use crate::repo_map::recon::DocumentKind;
use crate::repo_map::{FileId, FileRole, ImportTarget, RepoMap, SourceFile, SymbolId};
use crate::tree::Tree;

/// Lines of documents that a plan quotes.
const MAX_INTENT: usize = 3;
/// Bytes of one quoted line.
const MAX_INTENT_LINE: usize = 300;

/// The test file to model new tests on, and why this one.
pub(super) fn test_to_model_on(file: &str, map: &RepoMap, tree: &dyn Tree) -> Option<(String, &'static str)> {
    let (id, source) = map.file_by_path(file)?;
    let tests =
        || map.files_with_ids().filter(|(other, test)| *other != id && test.role == FileRole::Test && has_tests(test));
    let imports = |test: FileId| {
        map.import_targets.get(test as usize).is_some_and(|targets| targets.contains(&ImportTarget::File(id)))
    };
    let calls = |test: FileId| {
        (0..source.facts.symbols.len() as u32)
            .any(|index| map.callers(SymbolId { file: id, index }).iter().any(|call| call.file == test))
    };
    let by_use = tests()
        .filter(|(test, _)| calls(*test) || imports(*test))
        .max_by_key(|(test, found)| (calls(*test), shared_folders(&found.path, file), std::cmp::Reverse(found.lines)));
    if let Some((_, found)) = by_use {
        return Some((found.path.clone(), "it exercises this file already"));
    }
    if source.facts.symbols.iter().any(|symbol| symbol.test) {
        return Some((file.to_owned(), "the tests of this file stand in it"));
    }
    let package = map.recon.package_of(file).map(|package| package.folder.as_str());
    let related = |test: &SourceFile| {
        let same_package = map.recon.package_of(&test.path).map(|package| package.folder.as_str()) == package;
        let same_family =
            test.language == source.language || (test.language.is_ecmascript() && source.language.is_ecmascript());
        same_package && same_family && tree.is_file(&test.path)
    };
    let nearest = tests().filter(|(_, test)| related(test)).max_by_key(|(_, test)| {
        let same_name = stem(&test.path).starts_with(stem(file));
        (same_name, shared_folders(&test.path, file), std::cmp::Reverse(test.lines), std::cmp::Reverse(&test.path))
    });
    nearest.map(|(_, test)| (test.path.clone(), "it is the nearest test of the same package"))
}

/// A helper file in a test folder is no model.
fn has_tests(file: &SourceFile) -> bool {
    let named = [".test.", ".spec.", "_test.", "test_"].iter().any(|mark| file.path.contains(mark));
    named
        || file.facts.symbols.iter().any(|symbol| symbol.test)
        || file.facts.calls.iter().any(|call| matches!(call.name.as_str(), "it" | "test" | "describe"))
}

pub(super) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

/// Folders from the root that two paths share.
fn shared_folders(left: &str, right: &str) -> usize {
    let folders = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let (left, right) = (folders(left), folders(right));
    left.split('/').zip(right.split('/')).take_while(|(left, right)| left == right).count()
}

/// The file of the same folder and language that was changed most, to write new code like.
pub(super) fn exemplar(file: &str, map: &RepoMap) -> Option<String> {
    let (_, source) = map.file_by_path(file)?;
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let siblings = map.files.iter().filter(|other| {
        other.path != file
            && folder(&other.path) == folder(file)
            && other.language == source.language
            && other.role == FileRole::Production
            && !other.facts.symbols.is_empty()
    });
    let best = siblings
        .max_by_key(|other| (other.history.churn_90d, other.history.last_change, std::cmp::Reverse(&other.path)));
    best.map(|other| other.path.clone())
}

/// A line of a document that speaks of the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct IntentLine {
    text: String,
    place: String,
}

/// Lines of intent documents that name the file or the symbol.
pub(super) fn intent(finding: &Finding, map: &RepoMap, tree: &dyn Tree) -> Vec<IntentLine> {
    let file = finding.location().file.as_str();
    let name = file.rsplit('/').next().unwrap_or(file);
    let symbol = finding.symbol.rsplit(['.', ':']).next().unwrap_or_default();
    // Short and plain words are found everywhere.
    let telling = symbol.len() >= 8 && symbol.chars().any(|c| c.is_uppercase() || c == '_');
    let usual_name = matches!(
        name,
        "index.ts" | "index.js" | "mod.rs" | "lib.rs" | "main.rs" | "index.tsx" | "page.tsx" | "route.ts"
    );
    let speaks = |line: &str| {
        line.contains(file)
            || (telling && has_word(line, symbol))
            || (!usual_name && name.len() >= 6 && has_word(line, name))
    };
    let binding = |kind| {
        matches!(
            kind,
            DocumentKind::Agents | DocumentKind::Contributing | DocumentKind::Decision | DocumentKind::Design
        )
    };
    let mut found = Vec::new();
    for document in map.recon.documents.iter().filter(|document| binding(document.kind)) {
        let Some(text) = tree.text(&document.path) else { continue };
        let mut in_fence = false;
        for (line, number) in text.lines().zip(1_u32..) {
            let trimmed = line.trim();
            in_fence ^= trimmed.starts_with("```");
            let quotable =
                !in_fence && !trimmed.starts_with(['#', '|', '`', '<', '!']) && trimmed.len() <= MAX_INTENT_LINE;
            if quotable && speaks(trimmed) {
                let text = trimmed.trim_start_matches(['-', '*', '+', '>', ' ']).to_owned();
                let place = crate::plan::markdown::code_span(&format!("{}:{number}", document.path));
                found.push(IntentLine { text: crate::secrets::mask(&text), place });
            }
            if found.len() == MAX_INTENT {
                return found;
            }
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word))
}
