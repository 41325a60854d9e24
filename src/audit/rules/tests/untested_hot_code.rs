//! `untested-hot-code`: functions that are called from many places, changed often, and reached by no test.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::debt::hotspot::{
    TestReach, is_component, is_handed_over, is_of_component, production_functions, runs_the_program_in_tests,
};
use crate::audit::text::count_of;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, LanguageName, Symbol, SymbolIndex, SymbolKind};
use crate::repo_map::name::file_name;
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileId, FileRole, RepoMap, SourceFile, SymbolId};

/// Code that matters, changes, and is tested by nothing.
pub struct UntestedHotCode;

static DOC: RuleDoc = RuleDoc {
    id: "untested-hot-code",
    category: Category::Tests,
    what: "functions with branches and several callers, in a file that changes often, that no test calls directly or through \
           other functions",
    why: "the next change is likely to be here, and nothing would notice if it broke them",
    quiet_when: "the repository has hardly any tests or the package none, the function is only called in its own file or gives nothing back, too many of its calls cannot be resolved, a test names the function, it is handed over as a value, it is a \
                 method in a file that tests get to, it only chooses among constant texts, asks at the terminal or belongs to a component, or the tests start the whole program, in whatever language, so that \
                 calls do not show what they reach",
    example: "// billing.ts: 9 commits in 90 days, 14 callers, no test gets here\nexport function prorate(plan, from, to) { … }",
};

/// Changes of the file in 90 days.
const MIN_CHURN: u32 = 4;
/// Cyclomatic complexity: below it there is little to get wrong.
const MIN_COMPLEXITY: u32 = 6;
/// Functions that call it: three are not much use. Our choice.
const MIN_CALLERS: usize = 4;
/// Branches plus one, and lines, up to which a caller in the same file does no more than choose arguments. Our choice.
const WRAPPER_COMPLEXITY: u32 = 2;
const WRAPPER_LINES: u32 = 20;
/// Calls inside.
const MIN_CALLS: usize = 3;
/// Findings reported, a file each.
const MAX_FINDINGS: usize = 6;
/// Functions named in a finding.
const MAX_NAMED: usize = 4;

impl Rule for UntestedHotCode {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let is_hot = |(id, symbol): &(SymbolId, &Symbol)| {
            symbol.complexity >= MIN_COMPLEXITY
                && map.file(id.file).history.churn_90d >= MIN_CHURN
                && symbol.kind != SymbolKind::Constructor
        };
        let hot: Vec<SymbolId> = production_functions(map).filter(is_hot).map(|(id, _)| id).collect();
        if hot.is_empty() {
            return Vec::new();
        }
        let reach = TestReach::new(map);
        let tested = tested_packages(map);
        let mut files: BTreeMap<FileId, Vec<(u64, SymbolId)>> = BTreeMap::new();
        for id in hot {
            let (file, symbol) = (map.file(id.file), map.symbol(id));
            let callers = callers(map, id);
            // A table of cases (`match self { A => "a", … }`) has branches and nothing to get wrong.
            let does_something = || {
                map.calls_in(id).filter(|call| map.call(*call).kind != CallKind::Jsx).count() >= MIN_CALLS
                    && !gives_literals(map, id)
                    && !writes_constants(map, id)
            };
            if callers >= MIN_CALLERS
                && is_used_elsewhere(map, id)
                && gives_something(map, id)
                && does_something()
                && reach.is_telling(file.language)
                && !reach.reaches(id)
                && !asks_at_the_terminal(map, id)
                && !may_be_reached(map, &reach, id)
                && !is_component(map, id)
                && !is_of_component(map, id)
                && !runs_the_program_in_tests(map, &file.path)
                && !is_handed_over(map, id)
                && tested.contains(&package_of(map, id.file))
            {
                // What users set off counts for more than what a script does.
                let in_use = if effects.entries.of_symbol(id).is_some() { 2 } else { 1 };
                let score = u64::from(file.history.churn_90d) * callers as u64 * u64::from(symbol.complexity) * in_use;
                files.entry(id.file).or_default().push((score, id));
            }
        }
        let mut ranked: Vec<(u64, FileId, Vec<SymbolId>)> = files
            .into_iter()
            .map(|(file, mut found)| {
                found.sort_by_key(|(score, id)| (std::cmp::Reverse(*score), *id));
                (found.iter().map(|(score, _)| score).sum(), file, found.into_iter().map(|(_, id)| id).collect())
            })
            .collect();
        ranked.sort_by_key(|(score, file, _)| (std::cmp::Reverse(*score), *file));
        ranked.into_iter().take(MAX_FINDINGS).map(|(_, file, found)| finding(map, effects, file, &found)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

/// Whether another file calls it, or one that calls it: what a module does for itself is tested by what it does for others.
fn is_used_elsewhere(map: &RepoMap, id: SymbolId) -> bool {
    let is_called = |function: SymbolId| {
        map.callers(function).iter().any(|call| call.file != id.file && !place::in_test(map, *call))
    };
    is_called(id) || map.callers(id).iter().filter_map(|call| map.caller_of(*call)).any(is_called)
}

/// Whether it gives a value that a test can hold against another.
fn gives_something(map: &RepoMap, id: SymbolId) -> bool {
    let facts = &map.file(id.file).facts;
    let returns = facts.returns.iter().any(|given| given.symbol == Some(id.index) && given.value != Expr::Nothing);
    returns
        || map.symbol(id).return_type.as_deref().is_some_and(|given| !matches!(given, "void" | "()" | "Promise<void>"))
}

fn finding(map: &RepoMap, effects: &Effects, file: FileId, found: &[SymbolId]) -> Finding {
    let source = map.file(file);
    let names: Vec<String> =
        found.iter().take(MAX_NAMED).map(|id| format!("`{}`", map.symbol(*id).qualified)).collect();
    let called: Vec<String> = found
        .iter()
        .take(MAX_NAMED)
        .zip(&names)
        .map(|(id, name)| format!("{name} ({})", count_of(callers(map, *id), "caller")))
        .collect();
    let more = found.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let first = found[0];
    let title = if found.len() == 1 {
        format!("no test reaches {}, which is called from {}", names[0], count_of(callers(map, first), "place"))
    } else {
        format!("no test reaches {} of `{}`", count_of(found.len(), "much-used function"), telling_name(&source.path))
    };
    let by_hand = found.iter().any(|id| talks_to_the_terminal(map, *id));
    let mut draft = FindingDraft::at_symbol(&DOC, map, first, 1, "function")
        .title(title)
        .message(format!(
            "No test calls {}{more} in `{}`, directly or through other functions, and the file was changed {} times in 90 days.{}{}",
            called.join(", "),
            source.path,
            source.history.churn_90d,
            effects.entries.of_symbol(first).map_or(String::new(), |reach| format!(" `{}` comes here.", reach.entry.label)),
            if by_hand { " Reading or writing the terminal, or leaving the process, has to be taken out first." } else { "" },
        ))
        .impact(if by_hand { 2 } else { 3 })
        .effort(if by_hand { Effort::L } else { Effort::M })
        .risk(Risk::Low)
        // A call that is not seen, through a task or a trait, is one a test may make.
        .confidence(Confidence::Med);
    for id in found.iter().skip(1).take(MAX_NAMED - 1) {
        draft = draft.and_symbol(map, *id, "function");
    }
    for call in map.callers(first).iter().take(2) {
        draft = draft.and_call(map, *call, "caller");
    }
    draft.build()
}

/// Functions and modules that call it, tests and the function itself left out. Where only thin wrappers beside it do, those that call them.
fn callers(map: &RepoMap, id: SymbolId) -> usize {
    let own = direct_callers(map, id);
    let wrappers: Vec<SymbolId> = own
        .iter()
        .filter(|(file, _)| *file == id.file)
        .filter_map(|(file, index)| Some(SymbolId { file: *file, index: (*index)? }))
        .filter(|caller| {
            let symbol = map.symbol(*caller);
            symbol.complexity <= WRAPPER_COMPLEXITY && symbol.lines.count() <= WRAPPER_LINES
        })
        .collect();
    if wrappers.len() < own.len() {
        return own.len();
    }
    wrappers.into_iter().flat_map(|wrapper| direct_callers(map, wrapper)).collect::<BTreeSet<_>>().len()
}

fn direct_callers(map: &RepoMap, id: SymbolId) -> BTreeSet<(FileId, Option<SymbolIndex>)> {
    let from_outside =
        |call: &&CallId| !map.is_test(call.file, map.call(**call).caller) && map.caller_of(**call) != Some(id);
    let callers = map.callers(id).iter().filter(from_outside);
    callers.map(|call| (call.file, map.call(*call).caller)).collect()
}

/// The package of a file, and whether it is Rust: the two are tested by programs of their own.
fn package_of(map: &RepoMap, file: FileId) -> (bool, Option<&str>) {
    let source = map.file(file);
    let is_rust = source.language == LanguageName::Rust;
    (is_rust, map.recon.package_in(&source.path, is_rust).map(|package| package.folder.as_str()))
}

/// Packages with a test: where there is none, the first one is another task than one more.
fn tested_packages(map: &RepoMap) -> BTreeSet<(bool, Option<&str>)> {
    // A folder `test` may hold pages about tests of something else.
    let is_tested = |(_, file): &(FileId, &SourceFile)| {
        let is_case = |call: &CallSite| matches!(call.callee.root_name(), Some("describe" | "it" | "test" | "Deno"));
        file.facts.symbols.iter().any(|symbol| symbol.test)
            || file.role == FileRole::Test
                && (file.language == LanguageName::Rust || file.facts.calls.iter().any(is_case))
    };
    map.files_with_ids().filter(is_tested).map(|(id, _)| package_of(map, id)).collect()
}

/// A method in a file that tests get to by other ways: a task or a trait in between hides the rest of the way.
fn may_be_reached(map: &RepoMap, reach: &TestReach<'_>, id: SymbolId) -> bool {
    let facts = &map.file(id.file).facts;
    map.symbol(id).member_of.is_some()
        && (0..).zip(&facts.symbols).any(|(index, symbol)| {
            symbol.kind.is_callable() && symbol.has_body && reach.calls(SymbolId { file: id.file, index })
        })
}

/// Whether every value a function gives is a literal: a table of cases.
fn gives_literals(map: &RepoMap, id: SymbolId) -> bool {
    fn is_literal(value: &Expr) -> bool {
        match value.peeled() {
            Expr::Text(_) | Expr::Number(_) | Expr::Bool(_) | Expr::Nothing | Expr::Path(_) => true,
            Expr::Either(values) | Expr::Array(values) => values.iter().all(is_literal),
            _ => false,
        }
    }
    let mut given = map.file(id.file).facts.returns.iter().filter(|own| own.symbol == Some(id.index)).peekable();
    given.peek().is_some() && given.all(|own| !matches!(own.value, Expr::Nothing) && is_literal(&own.value))
}

/// Whether a function asks a person at the terminal: a test would have to play that person.
fn asks_at_the_terminal(map: &RepoMap, id: SymbolId) -> bool {
    const PROMPTS: &[&str] = &[
        "prompts",
        "inquirer",
        "enquirer",
        "readline",
        "dialoguer",
        "inquire",
        "rpassword",
        "@inquirer/prompts",
        "@clack/prompts",
    ];
    let facts = &map.file(id.file).facts;
    map.calls_in(id).any(|call| {
        let site = map.call(call);
        let root = site.callee.root_name();
        let imported = root.is_some_and(|root| {
            facts.imports.iter().any(|import| import.local == root && PROMPTS.iter().any(|name| import.source.starts_with(name)))
        });
        imported
            || matches!(site.name.as_str(), "read_line" | "readline" | "read_password" | "prompt_password")
            || matches!(site.callee.peeled(), Expr::Path(path) if path.first().is_some_and(|first| PROMPTS.contains(&first.as_str())))
    })
}

/// Whether every text a function puts out by a macro is a constant chosen by its branches: `write!(out, "…")` in each arm.
fn writes_constants(map: &RepoMap, id: SymbolId) -> bool {
    let is_text = |call: CallId| {
        let site = map.call(call);
        let text_only = site
            .arguments
            .iter()
            .skip(usize::from(site.name.starts_with("write")))
            .all(|argument| matches!(argument.peeled(), Expr::Text(_)));
        let is_output = matches!(
            site.name.as_str(),
            "write" | "writeln" | "push_str" | "write_str" | "Ok" | "to_owned" | "to_string" | "into" | "from"
        );
        is_output && (text_only || site.name == "Ok")
    };
    map.calls_in(id).next().is_some() && map.calls_in(id).all(is_text)
}

/// Whether a function, or one it calls, reads or writes the terminal or ends the process.
fn talks_to_the_terminal(map: &RepoMap, id: SymbolId) -> bool {
    let talks = |id: SymbolId| {
        map.calls_in(id).any(|call| {
            let site = map.call(call);
            let name = site.callee.dotted().unwrap_or_default();
            matches!(site.name.as_str(), "stdin" | "stdout")
                || site.kind == CallKind::Macro
                    && matches!(site.name.as_str(), "print" | "println" | "eprint" | "eprintln")
                || ["process.exit", "process::exit"].iter().any(|end| name.ends_with(end))
                || name.contains("process.std")
        })
    };
    talks(id) || map.calls_in(id).any(|call| map.resolved(call).any(|resolved| talks(resolved.symbol)))
}

/// The file's name; of files that are named for their folder, that.
fn telling_name(path: &str) -> &str {
    let name = file_name(path);
    let stem = name.split('.').next().unwrap_or(name);
    if !matches!(stem, "mod" | "index" | "lib" | "main" | "page" | "route" | "layout") {
        return name;
    }
    let folder = path[..path.len() - name.len()].trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    path.len().checked_sub(folder.len() + 1 + name.len()).filter(|_| !folder.is_empty()).map_or(name, |at| &path[at..])
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let path = &finding.location().file;
    let (file, source) = map.file_by_path(path)?;
    let functions: Vec<SymbolId> = finding
        .evidence
        .iter()
        .filter(|evidence| evidence.role == "function")
        .filter_map(|evidence| {
            let index = source
                .facts
                .symbols
                .iter()
                .position(|symbol| symbol.name_line == evidence.start_line && symbol.kind.is_callable())?;
            Some(SymbolId { file, index: index as u32 })
        })
        .collect();
    let steps = functions
        .iter()
        .map(|id| {
            let symbol = map.symbol(*id);
            let outside: Vec<String> = context
                .effects
                .functions
                .get(id)
                .map(|effects| effects.keys().map(|effect| format!("{effect:?}")).collect())
                .unwrap_or_default();
            let outside = if outside.is_empty() {
                "It does nothing to the outside, so plain calls are enough.".to_owned()
            } else {
                format!("It has effects ({}): give it a stand-in the way existing tests of this package do.", outside.join(", "))
            };
            StepDraft {
                title: format!("Test `{}`", symbol.qualified),
                instruction: format!(
                    "`{}` (`{path}` lines {}–{}) has {} branches. Write one test for the result its callers rely on, one for \
                     each early exit, and one for the input it refuses. {outside} Assert whole results, not that a call happened.",
                    symbol.signature, symbol.lines.start, symbol.lines.end, symbol.complexity
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::NewTests(2)],
            }
        })
        .collect();
    let count = functions.len() as u32;
    let first = map.symbol(*functions.first()?);
    Some(PlanDraft {
        title: if count == 1 {
            format!("Cover `{}` with tests", first.qualified)
        } else {
            format!("Cover the much-used functions of `{}` with tests", telling_name(path))
        },
        why: format!("{} With tests in place a mistake in the next change shows before it ships.", finding.message),
        excerpts: functions
            .iter()
            .map(|id| {
                let lines = map.symbol(*id).lines;
                ExcerptDraft {
                    file: path.clone(),
                    start_line: lines.start,
                    end_line: lines.end.min(lines.start + 49),
                    role: format!("`{}`", map.symbol(*id).qualified),
                }
            })
            .collect(),
        steps,
        in_scope: vec![ScopeDraft {
            path: path.clone(),
            remark: "nothing but the visibility a test needs; the tests go where this package keeps its own".to_owned(),
        }],
        out_of_scope: vec![(
            "its behaviour".to_owned(),
            "a test that shows a fault is kept, marked, and reported".to_owned(),
        )],
        tests: functions
            .iter()
            .map(|id| format!("`{}`: result, early exits, refused input", map.symbol(*id).qualified))
            .collect(),
        goals: vec![GateDraft::NewTests(2 * count), GateDraft::Project(CommandPurpose::Test)],
        stop_conditions: vec![
            format!(
                "`{}` or its siblings cannot be called from a test without changing production code beyond visibility",
                first.qualified
            ),
            "a test for the present behaviour would have to assert something plainly wrong: report it instead"
                .to_owned(),
        ],
        maintenance: vec!["Change these functions together with their tests.".to_owned()],
        ..PlanDraft::default()
    })
}
