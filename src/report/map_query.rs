//! Answers of `improve map callers|callees|path|symbol|refs`: the documents programs read.

use schemars::JsonSchema;
use serde::Serialize;

use super::audit_document::SCHEMA_VERSION;
use super::map_lines::MODULE;
use crate::map::rank::Reach;
use crate::repo_map::facts::SymbolKind;
use crate::repo_map::name::Name;
use crate::repo_map::query::{self, Definition, Step};
use crate::repo_map::{CallId, CallTarget, How, RepoMap, SymbolId};

/// A definition that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DefinitionRef {
    /// File.
    pub file: String,
    /// Line of its name.
    pub line: u32,
    /// Last line of the definition.
    pub end_line: u32,
    /// Qualified name.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// First line of the definition, white space folded.
    pub signature: String,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallStep {
    /// Calls between the definition asked about and this one, from 1.
    pub depth: u32,
    /// File the call stands in.
    pub file: String,
    /// Line of the called name.
    pub line: u32,
    /// Qualified name of the function it stands in; `<module>` at top level.
    pub caller: String,
    /// Line of that function's name; 1 at top level.
    pub caller_line: u32,
    /// It stands in test code.
    pub test: bool,
    /// The called name as written.
    pub name: String,
    /// Qualified name of the definition called; null outside the repository and when it is not known.
    pub callee: Option<String>,
    /// Its file.
    pub callee_file: Option<String>,
    /// The line of its name.
    pub callee_line: Option<u32>,
    /// The package, runtime or library called, and the name there; null within the repository and when it is not known.
    pub external: Option<String>,
    /// How the definition was found; null outside the repository and when it is not known.
    pub how: Option<How>,
}

/// Who calls a definition, or what it calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallsAnswer {
    /// Version of this contract.
    pub schema_version: u32,
    /// What was asked: `callers` or `callees`.
    pub query: String,
    /// The definition.
    pub definition: DefinitionRef,
    /// The calls, nearest first.
    pub calls: Vec<CallStep>,
    /// Of `callers`: calls of this name anywhere whose target is not known. Of `callees`: calls in the answer that stayed
    /// open. Unless it is 0, the answer may lack some.
    pub open: usize,
    /// Of `callers`: calls that lead here by name alone, and are not in the answer.
    pub guessed: usize,
    /// Of `callers`: calls that are given it by name, to be called later, and are not in the answer; `refs` lists them.
    pub handed: usize,
}

/// How one definition gets to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PathAnswer {
    /// Version of this contract.
    pub schema_version: u32,
    /// Where it starts.
    pub from: DefinitionRef,
    /// Where it should end.
    pub to: DefinitionRef,
    /// Whether there is a way along known calls.
    pub found: bool,
    /// A shortest way, in order.
    pub steps: Vec<CallStep>,
}

/// One definition in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SymbolAnswer {
    /// The definition.
    pub definition: DefinitionRef,
    /// Other places of the same definition: overloads, the constructor of a class.
    pub parts: Vec<DefinitionRef>,
    /// Qualified name of what it stands in, or the type it is a member of.
    pub container: Option<String>,
    /// Visible outside its file.
    pub exported: bool,
    /// Test code.
    pub test: bool,
    /// Calls that lead here.
    pub callers: usize,
    /// Files they stand in.
    pub caller_files: usize,
    /// Different definitions of the repository that it calls.
    pub callees: usize,
    /// Calls of this name anywhere whose target is not known: unless it is 0, there may be more callers.
    pub open: usize,
    /// Calls that lead here by name alone.
    pub guessed: usize,
    /// Calls that are given it by name, to be called later.
    pub handed: usize,
    /// Tests from which it can be reached.
    pub tests: Vec<TestRef>,
}

/// A test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TestRef {
    /// File.
    pub file: String,
    /// Qualified name of the test function; `<module>` for a test written as a callback.
    pub name: String,
    /// Line of its name; 1 for a callback.
    pub line: u32,
}

/// One place that uses a definition, or may.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Reference {
    /// File.
    pub file: String,
    /// Line.
    pub line: u32,
    /// What kind of use.
    pub kind: ReferenceKind,
    /// Qualified name of the function it stands in; null for imports.
    pub caller: Option<String>,
    /// How the definition was found; null for values, imports and open calls.
    pub how: Option<How>,
    /// It stands in test code.
    pub test: bool,
}

/// A kind of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReferenceKind {
    /// It is called.
    Call,
    /// A call is given it by name: a handler, a callback.
    Value,
    /// It is imported.
    Import,
    /// A call that leads here by name alone.
    Guess,
    /// A call of this name whose target is not known.
    Open,
}

/// Every place that uses a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefsAnswer {
    /// Version of this contract.
    pub schema_version: u32,
    /// The definitions of the name asked about.
    pub definitions: Vec<DefinitionRef>,
    /// The places: certain ones, guesses, and calls that stayed open, in order of file and line.
    pub references: Vec<Reference>,
}

impl CallsAnswer {
    /// Who calls `definition`.
    pub fn callers(map: &RepoMap, definition: &Definition, depth: u32) -> CallsAnswer {
        let steps = query::callers(map, &definition.ids, depth);
        CallsAnswer {
            schema_version: SCHEMA_VERSION,
            query: "callers".to_owned(),
            definition: reference(map, definition.id),
            calls: steps.iter().map(|step| call_step(map, step)).collect(),
            open: query::open_calls(map, &map.symbol(definition.id).name).len(),
            guessed: query::guessed_calls(map, &definition.ids).len(),
            handed: query::handed_calls(map, &definition.ids).len(),
        }
    }

    /// What `definition` calls.
    pub fn callees(map: &RepoMap, definition: &Definition, depth: u32) -> CallsAnswer {
        let steps = query::callees(map, &definition.ids, depth);
        let calls: Vec<CallStep> = steps.iter().map(|step| call_step(map, step)).collect();
        CallsAnswer {
            schema_version: SCHEMA_VERSION,
            query: "callees".to_owned(),
            definition: reference(map, definition.id),
            open: calls.iter().filter(|call| call.callee.is_none() && call.external.is_none()).count(),
            guessed: 0,
            handed: 0,
            calls,
        }
    }
}

impl PathAnswer {
    /// How `from` gets to `to`.
    pub fn new(map: &RepoMap, from: &Definition, to: &Definition) -> PathAnswer {
        let steps = query::path(map, &from.ids, &to.ids);
        PathAnswer {
            schema_version: SCHEMA_VERSION,
            from: reference(map, from.id),
            to: reference(map, to.id),
            found: steps.is_some(),
            steps: steps.unwrap_or_default().iter().map(|step| call_step(map, step)).collect(),
        }
    }
}

impl SymbolAnswer {
    /// What is known of `definition`.
    pub fn new(map: &RepoMap, definition: &Definition, reach: &Reach) -> SymbolAnswer {
        let id = definition.id;
        let symbol = map.symbol(id);
        let mut callers: Vec<CallId> = definition.ids.iter().flat_map(|&id| map.callers(id)).copied().collect();
        callers.sort_unstable();
        callers.dedup();
        let mut files: Vec<u32> = callers.iter().map(|call| call.file).collect();
        files.dedup();
        let container = symbol.container.map(|index| map.symbol(SymbolId { file: id.file, index }).qualified);
        SymbolAnswer {
            definition: reference(map, id),
            parts: definition.ids.iter().filter(|&&part| part != id).map(|&part| reference(map, part)).collect(),
            container: container.or(symbol.member_of).map(String::from),
            exported: symbol.exported,
            test: map.is_test(id.file, Some(id.index)),
            callers: callers.len(),
            caller_files: files.len(),
            callees: definition.ids.iter().map(|&id| reach.of(id).callees as usize).sum(),
            open: query::open_calls(map, &symbol.name).len(),
            guessed: query::guessed_calls(map, &definition.ids).len(),
            handed: query::handed_calls(map, &definition.ids).len(),
            tests: query::tests_reaching(map, &definition.ids)
                .into_iter()
                .map(|(file, index)| {
                    let test = index.map(|index| map.symbol(SymbolId { file, index }));
                    TestRef {
                        file: map.file(file).path.clone(),
                        name: test.map_or_else(|| MODULE.to_owned(), |test| test.qualified.to_string()),
                        line: test.map_or(1, |test| test.name_line),
                    }
                })
                .collect(),
        }
    }
}

impl RefsAnswer {
    /// Where `definitions`, all of one name, are used.
    pub fn new(map: &RepoMap, definitions: &[Definition]) -> RefsAnswer {
        let ids: Vec<SymbolId> = definitions.iter().flat_map(|one| one.ids.iter().copied()).collect();
        let mut references: Vec<Reference> = Vec::new();
        for &id in &ids {
            for &call in map.callers(id) {
                let how = map.resolved(call).find(|found| found.symbol == id).map(|found| found.how);
                references.push(call_reference(map, call, ReferenceKind::Call, how));
            }
        }
        for call in query::handed_calls(map, &ids) {
            references.push(call_reference(map, call, ReferenceKind::Value, None));
        }
        for call in query::guessed_calls(map, &ids) {
            references.push(call_reference(map, call, ReferenceKind::Guess, Some(How::Guess)));
        }
        let names: std::collections::BTreeSet<&str> =
            definitions.iter().map(|one| map.symbol(one.id).name.as_str()).collect();
        for call in names.into_iter().flat_map(|name| query::open_calls(map, name)) {
            references.push(call_reference(map, call, ReferenceKind::Open, None));
        }
        references.extend(query::imports(map, &ids).into_iter().map(|site| Reference {
            file: map.file(site.file).path.clone(),
            line: site.line,
            kind: ReferenceKind::Import,
            caller: None,
            how: None,
            test: map.is_test(site.file, None),
        }));
        references.sort();
        references.dedup();
        RefsAnswer {
            schema_version: SCHEMA_VERSION,
            definitions: definitions.iter().map(|one| reference(map, one.id)).collect(),
            references,
        }
    }
}

/// A definition as answers name it.
pub fn reference(map: &RepoMap, id: SymbolId) -> DefinitionRef {
    let symbol = map.symbol(id);
    DefinitionRef {
        file: map.file(id.file).path.clone(),
        line: symbol.name_line,
        end_line: symbol.lines.end,
        name: symbol.qualified.to_string(),
        kind: symbol.kind,
        signature: symbol.signature.to_string(),
    }
}

fn call_step(map: &RepoMap, step: &Step) -> CallStep {
    let call = map.call(step.call);
    let caller = map.caller_of(step.call).map(|id| map.symbol(id));
    let external = match map.target(step.call) {
        CallTarget::External(external) if step.callee.is_none() => {
            let parts = std::iter::once(external.package.as_str()).chain(external.path.iter().map(Name::as_str));
            Some(parts.collect::<Vec<_>>().join("."))
        }
        CallTarget::External(_) | CallTarget::Symbols(_) | CallTarget::Unresolved => None,
    };
    CallStep {
        depth: step.depth,
        file: map.file(step.call.file).path.clone(),
        line: call.line,
        caller: caller.map_or_else(|| MODULE.to_owned(), |caller| caller.qualified.to_string()),
        caller_line: caller.map_or(1, |caller| caller.name_line),
        test: map.is_test(step.call.file, call.caller),
        name: call.name.to_string(),
        callee: step.callee.map(|id| map.symbol(id).qualified).map(String::from),
        callee_file: step.callee.map(|id| map.file(id.file).path.clone()),
        callee_line: step.callee.map(|id| map.symbol(id).name_line),
        external,
        how: step.how,
    }
}

fn call_reference(map: &RepoMap, call: CallId, kind: ReferenceKind, how: Option<How>) -> Reference {
    Reference {
        file: map.file(call.file).path.clone(),
        line: map.call(call).line,
        kind,
        caller: Some(map.caller_of(call).map_or_else(|| MODULE.to_owned(), |id| map.symbol(id).qualified.to_string())),
        how,
        test: map.is_test(call.file, map.call(call).caller),
    }
}
