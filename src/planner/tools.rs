//! The read tools of the planner: how a model looks at the repository, without a shell and without a disk of its own.
//!
//! Each tool is one file: a name, a description, the type of its input, and what it does with [`ReadTools`]. What a model asks
//! is data: it is checked against the map's list of files, and a bad question is answered with one line that helps to ask again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::model::conversation::Tool;
use crate::model::structured::{Toolbox, parsed};
use crate::repo_map::query::{Definition, Miss, candidates, find};
use crate::repo_map::{RepoMap, SymbolId};
use crate::report::sanitize;
use crate::secrets::of_files;
use crate::tree::Tree;

mod callees;
mod callers;
mod history;
mod list;
mod paths;
mod read;
mod search;
mod symbol;
#[cfg(test)]
mod tests;

/// Every tool, in the order a model is told of them.
static READ_TOOLS: [ReadTool; 7] =
    [read::TOOL, search::TOOL, symbol::TOOL, callers::TOOL, callees::TOOL, history::TOOL, list::TOOL];

/// One tool.
struct ReadTool {
    name: &'static str,
    /// For the model.
    description: &'static str,
    /// The schema of its input.
    input: fn() -> Value,
    /// What it gives, or why it gives nothing.
    run: fn(&mut ReadTools<'_>, &Value) -> Result<String, String>,
}

/// Characters that one call gives at most: some 8 000 tokens, so that one careless call does not fill a context.
const MAX_CHARACTERS: usize = 24_000;
/// Characters of a name that is looked up at all: the search for the nearest one costs its length times every name there is.
const MAX_NAME: usize = 300;
/// Definitions named when a name means several.
const MAX_CANDIDATES: usize = 12;
/// Characters of one line of code in a list of places.
const MAX_LINE: usize = 160;

/// The tools, as a conversation offers them.
pub fn tools() -> Vec<Tool> {
    let tool = |tool: &ReadTool| Tool {
        name: tool.name.to_owned(),
        description: tool.description.trim().to_owned(),
        input: (tool.input)(),
    };
    READ_TOOLS.iter().map(tool).collect()
}

/// Runs the tools over one repository, and reads no file twice.
pub struct ReadTools<'a> {
    map: &'a RepoMap,
    tree: &'a dyn Tree,
    /// Masked texts of files that were shown, so that each is masked once.
    texts: BTreeMap<String, Arc<str>>,
}

impl<'a> ReadTools<'a> {
    /// Tools over `map` and the tree it was made of.
    pub fn new(map: &'a RepoMap, tree: &'a dyn Tree) -> ReadTools<'a> {
        ReadTools { map, tree, texts: BTreeMap::new() }
    }

    /// The text of the listed file `path` as a model sees it: credentials masked, lines where they are in the file.
    pub fn text(&mut self, path: &str) -> Result<Arc<str>, String> {
        if let Some(text) = self.texts.get(path) {
            return Ok(Arc::clone(text));
        }
        let text = of_files::read(self.tree, path).map_err(|why| format!("{} {why}", said(path)))?;
        let text: Arc<str> = text.into();
        self.texts.insert(path.to_owned(), Arc::clone(&text));
        Ok(text)
    }

    /// Line `line` of `path` on one line, cut; empty when it cannot be read.
    fn line_of(&mut self, path: &str, line: u32) -> String {
        let Ok(text) = self.text(path) else { return String::new() };
        let Some(found) = text.lines().nth((line as usize).saturating_sub(1)) else { return String::new() };
        let found = found.trim();
        let short = cut(found, MAX_LINE);
        sanitize::line(&short).into_owned()
    }

    /// `path:line` of a definition's name, and its qualified name.
    fn place_of(&self, id: SymbolId) -> String {
        let symbol = self.map.symbol(id);
        let path = sanitize::line(&self.map.file(id.file).path);
        format!("{path}:{} {}", symbol.name_line, sanitize::line(&symbol.qualified))
    }

    /// The one definition that `name` means.
    fn definition(&self, name: &str) -> Result<Definition, String> {
        match find(self.map, checked_name(name)?) {
            Ok(found) => Ok(found),
            Err(Miss::Unknown(nearest)) => Err(unknown(name, nearest)),
            Err(Miss::Ambiguous(several)) => {
                let mut places: Vec<String> =
                    several.iter().take(MAX_CANDIDATES).map(|one| self.exactly(one)).collect();
                if several.len() > MAX_CANDIDATES {
                    places.push(format!("{} more", several.len() - MAX_CANDIDATES));
                }
                Err(format!("{} definitions are called {}; name one: {}", several.len(), said(name), places.join(", ")))
            }
        }
    }

    /// Every definition that `name` may mean, at least one.
    fn definitions(&self, name: &str) -> Result<Vec<Definition>, String> {
        let found = candidates(self.map, checked_name(name)?);
        if !found.is_empty() {
            return Ok(found);
        }
        match find(self.map, name.trim()) {
            Err(Miss::Unknown(nearest)) => Err(unknown(name, nearest)),
            Err(Miss::Ambiguous(several)) => Ok(several),
            Ok(one) => Ok(vec![one]),
        }
    }

    /// A name that means this definition and no other.
    fn exactly(&self, one: &Definition) -> String {
        said(&format!("{}:{}", self.map.file(one.id.file).path, self.map.symbol(one.id).name_line))
    }
}

impl Toolbox for ReadTools<'_> {
    fn call(&mut self, name: &str, input: &Value) -> Result<String, String> {
        let Some(tool) = READ_TOOLS.iter().find(|tool| tool.name == name) else {
            let names: Vec<&str> = READ_TOOLS.iter().map(|tool| tool.name).collect();
            return Err(format!("there is no tool {}; there are: {}", said(name), names.join(", ")));
        };
        match (tool.run)(self, input) {
            Ok(text) if text.chars().count() > MAX_CHARACTERS => {
                Ok(format!("{}\n(cut here)", cut(&text, MAX_CHARACTERS - 20)))
            }
            Ok(text) => Ok(text),
            Err(why) => Err(cut(&sanitize::line(&why), 2_000)),
        }
    }
}

fn checked_name(name: &str) -> Result<&str, String> {
    let name = name.trim();
    match name.chars().count() {
        0 => Err("the name is empty; give the name of a function, a method, a type or a constant".to_owned()),
        length if length > MAX_NAME => Err(format!("{} is longer than {MAX_NAME} characters", said(name))),
        _ => Ok(name),
    }
}

fn unknown(name: &str, nearest: Option<String>) -> String {
    match nearest {
        Some(nearest) => {
            format!("no definition of the repository is called {}; did you mean {}?", said(name), said(&nearest))
        }
        None => format!("no definition of the repository is called {}; `search` finds text", said(name)),
    }
}

/// What was asked, or the name of a file, as part of a sentence.
fn said(text: &str) -> String {
    crate::plan::markdown::code_span(&sanitize::line(&cut(text, 200)))
}

/// At most `characters` of `text`, with a mark where it is cut.
fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
