//! `regex-in-hot-path`: a constant pattern compiled again at every call.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::uncalled::{builds_program, is_uncalled};
use crate::effects::{Effect, Effects, chain};
use crate::finding::{Category, Confidence, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{LanguageName, LoopForm, RegionKind, Span, Usage};
use crate::repo_map::recon::{CommandPurpose, PackageManager};
use crate::repo_map::{CallId, CallTarget, FileRole, RepoMap, SymbolId};

/// A constant pattern that is compiled inside a function.
pub struct RegexInHotPath;

static DOC: RuleDoc = RuleDoc {
    id: "regex-in-hot-path",
    category: Category::Perf,
    what: "`Regex::new` with a literal in a loop, in code that answers requests, or in a function that is called again and again",
    why: "compiling a pattern takes tens to hundreds of microseconds, often far more than the match; a static compiles it once",
    quiet_when: "it stands in a static, LazyLock, OnceLock, lazy_static or once_cell, in `main`, in a constructor that stores \
                 it, in a build script or in test code, the function itself waits for a database, the network or a program, only \
                 tests, `main` or constructors lead to it without a loop, or nothing shows that it runs more than once; told with low confidence outside of loops of the function itself where \
                 no request is known to reach it, or only on a condition",
    example: "fn slug(title: &str) -> String {\n    let spaces = Regex::new(r\"\\s+\").unwrap();\n    spaces.replace_all(title, \"-\").into()\n}",
};

/// How often the code around a pattern runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Heat {
    /// Not known to run more than once a process.
    Unknown,
    /// In a function about text, or one that is called from several places.
    Called,
    /// In code that answers requests.
    Requested,
    /// In a loop, or in a function a loop calls.
    Looped,
}

impl Rule for RegexInHotPath {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        groups(map).iter().filter_map(|group| finding(map, effects, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let call = place::calls_at(map, finding.location()).find(|call| is_site(map, *call))?;
        let group = groups(map).into_iter().find(|group| group.contains(&call))?;
        let path = map.file(call.file).path.clone();
        let function = place::function_name(map, call);
        let names = static_names(map, &group);
        let static_name = names[0].clone();
        // All patterns of the function or none: a plan that mends half of them by hand is no exact plan.
        let all: Option<Vec<Vec<EditDraft>>> =
            group.iter().zip(&names).map(|(call, name)| edits(context, *call, name)).collect();
        let edits = all.unwrap_or_default().concat();
        let lines: Vec<String> = group.iter().map(|call| map.call(*call).line.to_string()).collect();
        let line = place::unique_line(context.tree, &path, map.call(call).line, map.call(call).line, &|_| true);
        let mut gates = vec![GateDraft::Project(CommandPurpose::Build)];
        if edits.is_empty() {
            gates.extend(line.clone().map(|text| GateDraft::TextGone { text, file: path.clone() }));
        } else {
            gates.push(GateDraft::TextPresent { text: format!("static {static_name}:"), file: path.clone() });
        }
        let stop_on_version = "the build fails because `std::sync::LazyLock` is unknown (it needs Rust 1.80): use the lazy cell the \
                               crate already depends on, or stop";
        Some(PlanDraft {
            title: match group.len() {
                1 => format!("Compile the pattern in `{function}` once"),
                more => format!("Compile the {more} patterns in `{function}` once"),
            },
            why: format!(
                "{} A `LazyLock` compiles it at the first use and every later call only matches.",
                finding.message
            ),
            context: vec!["The pattern is a literal, so the result of compiling it never changes.".to_owned()],
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: format!("Move the pattern into a static `{static_name}`"),
                instruction: match lines.as_slice() {
                    [line] => format!(
                        "In `{path}`, `{function}`: declare `static {static_name}: std::sync::LazyLock<Regex>` with the pattern of line \
                         {line} right where it is used, and use the static instead of compiling. The pattern text stays as it is."
                    ),
                    lines => format!(
                        "In `{path}`, `{function}`: for each pattern (lines {}), declare a `static …: std::sync::LazyLock<Regex>` with it \
                         right where it is used ({}), and use the static instead of compiling. The texts of the patterns stay as they are.",
                        lines.join(", "),
                        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                    ),
                },
                edits,
                gates: gates.clone(),
            }],
            in_scope: Vec::new(),
            out_of_scope: vec![("the pattern itself".to_owned(), "what matches must not change".to_owned())],
            tests: Vec::new(),
            edge_cases: vec![
                "a pattern with holes (`format!`) is no constant and stays where it is".to_owned(),
                "an invalid pattern would now panic at the first use instead of at this line".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: vec![GateDraft::TextPresent { text: format!("static {static_name}:"), file: path }],
            stop_conditions: vec![
                stop_on_version.to_owned(),
                "the compiled pattern is moved out of the function (returned or stored by value)".to_owned(),
            ],
            maintenance: vec![
                "Patterns that are constants belong in statics; new ones can follow this one.".to_owned(),
            ],
            risk: Some(Risk::Low),
        })
    }
}

/// Patterns in the order of the code, those of one function together: one plan moves them all.
fn groups(map: &RepoMap) -> Vec<Vec<CallId>> {
    let mut groups: Vec<Vec<CallId>> = Vec::new();
    for call in map.calls().map(|(call, _)| call).filter(|call| is_site(map, *call)) {
        let looped = |call: CallId| !place::iterations(map, call).is_empty();
        let same =
            |group: &Vec<CallId>| map.caller_of(group[0]) == map.caller_of(call) && looped(group[0]) == looped(call);
        match groups.iter_mut().rev().take(2).find(|group| same(group)) {
            Some(group) => group.push(call),
            None => groups.push(vec![call]),
        }
    }
    groups
}

/// `Regex::new("literal")` of the regex crates, inside a function that is not there to build things.
fn is_site(map: &RepoMap, call: CallId) -> bool {
    let source = map.file(call.file);
    let site = map.call(call);
    if source.language != LanguageName::Rust
        || site.name != "new"
        || !matches!(source.role, FileRole::Production)
        || !matches!(site.arguments.first().map(Expr::peeled), Some(Expr::Text(_)))
        || place::in_test(map, call)
    {
        return false;
    }
    let named = match site.callee.peeled() {
        Expr::Path(segments) => segments.iter().rev().nth(1).is_some_and(|name| name == "Regex"),
        _ => false,
    };
    let known = match map.target(call) {
        CallTarget::External(external) => {
            external.package == "regex" || external.package.starts_with("regex_") || external.package == "fancy_regex"
        }
        CallTarget::Unresolved => true,
        CallTarget::Symbols(_) => false,
    };
    let Some(function) = map.caller_of(call) else { return false };
    let function = map.symbol(function);
    let builds = function.name == "main"
        || function.name == "new"
        || function.name == "default"
        || function.return_type.as_deref().is_some_and(|declared| declared.contains("Regex"));
    named && known && !builds && !is_lazy(map, call) && !is_stored(map, call)
}

/// Inside `LazyLock::new(|| …)`, `get_or_init(|| …)`, `lazy_static! { … }`.
fn is_lazy(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    facts.enclosing_regions(map.call(call).region).any(|(_, region)| match &region.kind {
        RegionKind::Callback { call: Some(host), .. } => {
            let host = facts.call(*host);
            let of_cell = matches!(host.callee.peeled(), Expr::Path(segments) if segments.iter().any(|name| {
                matches!(name.as_str(), "LazyLock" | "Lazy" | "LazyCell" | "OnceCell" | "OnceLock")
            }));
            of_cell || host.name.starts_with("get_or_") || host.name == "call_once"
        }
        _ => false,
    }) || facts.calls.iter().any(|site| {
        matches!(site.name.as_str(), "lazy_static" | "thread_local" | "regex" | "lazy_regex")
            && site.span.contains(map.call(call).span)
    })
}

/// Returned, or put into a struct or a list: whoever made it decides how long it lives.
fn is_stored(map: &RepoMap, call: CallId) -> bool {
    let end = chain::end(map, call);
    match &map.call(end).usage {
        Usage::Returned | Usage::Element | Usage::Assigned | Usage::Passed => true,
        Usage::Argument(outer) => {
            let name = &map.file(call.file).facts.call(*outer).name;
            matches!(name.as_str(), "push" | "insert" | "Some" | "Ok" | "new" | "set" | "extend")
        }
        Usage::Discarded | Usage::Ignored | Usage::Bound(_) | Usage::Receiver(_) | Usage::Tested | Usage::Operand => {
            false
        }
    }
}

fn heat(map: &RepoMap, effects: &Effects, call: CallId) -> Heat {
    if !place::iterations(map, call).is_empty() {
        return Heat::Looped;
    }
    let Some(function) = map.caller_of(call) else { return Heat::Unknown };
    let shipped = |call: &&CallId| !place::in_test(map, **call);
    let callers: Vec<CallId> = map.callers(function).iter().filter(shipped).copied().collect();
    // A function that waits for a disk, a database or the network: what compiling costs beside that is not felt.
    if waits(map, effects, function) {
        return Heat::Unknown;
    }
    if callers.iter().any(|caller| is_per_item(map, *caller)) {
        return Heat::Looped;
    }
    let above_in_loop = callers
        .iter()
        .filter_map(|caller| map.caller_of(*caller))
        .any(|above| map.callers(above).iter().filter(shipped).any(|caller| is_per_item(map, *caller)));
    if above_in_loop {
        Heat::Looped
    } else if effects.entries.of_call(map, call).is_some_and(|reach| reach.entry.kind.is_request()) {
        Heat::Requested
    } else if (callers.len() > 1 || takes_text(map, call)) && may_repeat(map, function, MAX_ABOVE) {
        Heat::Called
    } else {
        Heat::Unknown
    }
}

/// Calls upwards that are followed. Our choice.
const MAX_ABOVE: u32 = 6;

/// Whether a function may run more than once: somebody who ships calls it, and not only from `main` or a constructor outside every
/// loop.
fn may_repeat(map: &RepoMap, function: SymbolId, above: u32) -> bool {
    let symbol = map.symbol(function);
    if runs_once(&symbol.name) {
        return false;
    }
    let callers = map.callers(function);
    // Called through a trait, or by nobody in sight: not known.
    if above == 0 || callers.is_empty() || symbol.of_trait.is_some() || !symbol.attributes.is_empty() {
        return true;
    }
    callers.iter().filter(|call| !place::in_test(map, **call)).any(|&call| {
        let facts = &map.file(call.file).facts;
        let in_loop = facts
            .enclosing_regions(facts.call(call.index).region)
            .any(|(_, region)| matches!(region.kind, RegionKind::Loop(_) | RegionKind::Callback { .. }));
        in_loop || map.caller_of(call).is_none_or(|caller| caller == function || may_repeat(map, caller, above - 1))
    })
}

/// `main`, `try_new`, `connect_to`, `get_http_client`: run as the program starts, or once for what is kept.
fn runs_once(name: &str) -> bool {
    let words = place::words(name);
    let first = words.first().map(String::as_str).unwrap_or_default();
    matches!(name, "main" | "new" | "try_new" | "default" | "from_env")
        || first == "connect"
        || first == "get" && words.len() > 2 && words.last().is_some_and(|word| word == "client")
}

/// Whether a caller calls it once an item. A loop that goes on until something happens may wait between its turns.
fn is_per_item(map: &RepoMap, call: CallId) -> bool {
    place::iterations(map, call).iter().any(|iteration| {
        iteration.statement.is_none_or(|statement| !matches!(statement.form, LoopForm::While | LoopForm::Endless))
    })
}

/// Whether a function reaches, or waits for, something slower than compiling a pattern.
fn waits(map: &RepoMap, effects: &Effects, function: SymbolId) -> bool {
    let slow = [Effect::Http, Effect::DbRead, Effect::DbWrite, Effect::Redis, Effect::Process];
    // What is awaited comes from elsewhere, through whatever helper: `Self::list().await`.
    map.calls_in(function).any(|call| {
        map.call(call).awaited || slow.iter().any(|effect| effects.likely_cause(map, call, *effect).is_some())
    })
}

/// Whether the loops that lead to a pattern wait for the network for each item: what compiling costs beside that is hardly felt.
fn waits_for_the_network(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let asks = |from: CallId| {
        let facts = &map.file(from.file).facts;
        place::iterations(map, from).iter().any(|iteration| {
            let body = facts.regions[iteration.region as usize].span;
            (0..).zip(&facts.calls).any(|(index, other)| {
                let other_call = CallId { index, ..from };
                body.contains(other.span)
                    && other.awaited
                    && effects.likely_cause(map, other_call, Effect::Http).is_some()
            })
        })
    };
    let callers = |call: CallId| {
        let function = map.caller_of(call);
        function.map(|function| map.callers(function)).into_iter().flatten().copied()
    };
    let near = || callers(call).chain(callers(call).flat_map(callers));
    let mut loops = std::iter::once(call)
        .chain(near())
        .filter(|from| !place::in_test(map, *from) && is_per_item(map, *from))
        .peekable();
    loops.peek().is_some() && loops.all(asks)
}

/// A function that is given text to look at is made to be called again.
fn takes_text(map: &RepoMap, call: CallId) -> bool {
    const ONCE: &[&str] =
        &["run", "init", "setup", "set", "start", "load", "main", "build", "configure", "exec", "execute", "args"];
    let Some(function) = map.caller_of(call).map(|id| map.symbol(id)) else { return false };
    !place::words(&function.name).iter().any(|word| ONCE.contains(&word.as_str()))
        && function.parameters.iter().any(|parameter| {
            let declared = parameter.declared_type.as_deref().unwrap_or_default().trim_start_matches(['&', ' ']);
            matches!(declared, "str" | "String" | "mut String" | "[u8]")
                || declared.starts_with("'a str")
                || declared.starts_with("Cow<")
        })
}

fn finding(map: &RepoMap, effects: &Effects, group: &[CallId]) -> Option<Finding> {
    let call = *group.first()?;
    if builds_program(map) && map.caller_of(call).is_some_and(|function| is_uncalled(map, function)) {
        return None;
    }
    let heat = heat(map, effects, call);
    let function = place::function_name(map, call);
    let how_often = match heat {
        Heat::Looped => "for every item of a loop",
        Heat::Requested => "for every request",
        Heat::Called => "at every call",
        // Once a process is what compiling is for.
        Heat::Unknown => return None,
    };
    let (title, what) = match group.len() {
        1 => {
            (format!("`{function}` compiles a constant pattern at every call"), "the same constant pattern".to_owned())
        }
        more => (
            format!("`{function}` compiles {more} constant patterns at every call"),
            format!("the same {more} constant patterns"),
        ),
    };
    let beside_network = heat == Heat::Looped && waits_for_the_network(map, effects, call);
    // How many requests take the branch is not known.
    let is_seldom = group.iter().all(|call| place::is_conditional(map, *call, None));
    let mut draft = FindingDraft::at_call(&DOC, map, call, "pattern")
        .title(title)
        .message(format!("`{function}` compiles {what} {how_often}; compiling costs more than matching."))
        .impact(match heat {
            Heat::Looped if beside_network => 1,
            Heat::Requested if is_seldom => 2,
            Heat::Looped | Heat::Requested => 3,
            Heat::Called | Heat::Unknown => 2,
        })
        .confidence(match heat {
            Heat::Looped if beside_network => Confidence::Med,
            // Beside what else a request costs, one pattern is little.
            Heat::Requested if is_seldom => Confidence::Low,
            Heat::Requested => Confidence::Med,
            // Of loops around callers, most were over a list that the code writes out.
            Heat::Looped if group.iter().any(|call| is_per_item(map, *call)) => Confidence::High,
            Heat::Looped => Confidence::Med,
            Heat::Called if takes_text(map, call) => Confidence::Med,
            Heat::Called | Heat::Unknown => Confidence::Low,
        });
    for other in &group[1..] {
        draft = draft.and_call(map, *other, "pattern");
    }
    Some(draft.build())
}

/// A name for the static of each pattern, no two the same.
fn static_names(map: &RepoMap, group: &[CallId]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for call in group {
        let name = static_name(map, *call);
        let mut own = name.clone();
        let mut number = 2;
        while names.contains(&own) {
            own = format!("{name}_{number}");
            number += 1;
        }
        names.push(own);
    }
    names
}

/// `WHITESPACE_RE` from the name the pattern is bound to, else from the function's.
fn static_name(map: &RepoMap, call: CallId) -> String {
    let end = chain::end(map, call);
    let own = match &map.call(end).usage {
        Usage::Bound(name) if name.len() > 2 => *name,
        _ => map.caller_of(call).map(|symbol| map.symbol(symbol).name).unwrap_or_default(),
    };
    let mut words = place::words(&own);
    if !words.iter().any(|word| word == "re" || word == "regex" || word == "pattern") {
        words.push("re".to_owned());
    }
    words.join("_").to_uppercase()
}

/// Declares the static above the `let` and takes it where the pattern was compiled.
///
/// Only for `let name = Regex::new("…").unwrap()` and the like, with a pattern that the regex crate accepts.
fn edits(context: &RecipeContext<'_>, call: CallId, static_name: &str) -> Option<Vec<EditDraft>> {
    let map = context.map;
    let source = map.file(call.file);
    let site = map.call(call);
    let end = chain::end(map, call);
    let last = map.call(end);
    let Usage::Bound(_) = &last.usage else { return None };
    if last.propagated
        || !lazy_lock_is_known(context, call)
        || source.facts.references.iter().any(|name| name == static_name)
    {
        return None;
    }
    let is_same = end == call;
    if is_same
        || !matches!(last.name.as_str(), "unwrap" | "expect")
        || chain::receivers(&source.facts, end.index).len() != 2
    {
        return None;
    }
    let text = context.tree.text(&source.path)?;
    let expression = text.get(site.span.start as usize..last.span.end as usize)?;
    let argument = expression.split_once('(')?.1.split_once(['"'])?;
    // The pattern as the compiler reads it is needed to know that it is valid; escapes are left to raw strings.
    let raw = argument.0.trim_end_matches('#').ends_with('r');
    let Some(Expr::Text(pattern)) = site.arguments.first().map(Expr::peeled) else { return None };
    if (!raw && pattern.contains('\\')) || pattern.len() >= Expr::MAX_TEXT || regex::Regex::new(pattern).is_err() {
        return None;
    }
    let line_start = text[..site.span.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let before = text.get(line_start..site.span.start as usize)?;
    let indent: String = before.chars().take_while(|c| c.is_whitespace()).collect();
    // The whole statement must be this one `let`, on lines of its own.
    let after = text.get(last.span.end as usize..)?;
    let head = before.trim_start().strip_prefix("let ")?;
    if head.contains(';') || head.starts_with("mut ") || head.contains(':') || !after.starts_with(';') {
        return None;
    }
    let regex_type = expression.split_once("::new")?.0.trim();
    let declaration = format!(
        "{indent}static {static_name}: std::sync::LazyLock<{regex_type}> = std::sync::LazyLock::new(|| {expression});\n"
    );
    Some(vec![
        EditDraft::Replace {
            file: source.path.clone(),
            span: Span { start: line_start as u32, end: line_start as u32 },
            text: declaration,
        },
        EditDraft::Replace {
            file: source.path.clone(),
            span: Span { start: site.span.start, end: last.span.end },
            text: format!("&*{static_name}"),
        },
    ])
}

/// `std::sync::LazyLock` came with Rust 1.80; a lower `rust-version` of the package forbids it.
fn lazy_lock_is_known(context: &RecipeContext<'_>, call: CallId) -> bool {
    let map = context.map;
    let Some(package) = map.recon.package_in(&map.file(call.file).path, true) else { return true };
    let root =
        map.recon.packages.iter().find(|package| package.folder.is_empty() && package.manager == PackageManager::Cargo);
    [Some(package), root].into_iter().flatten().all(|package| {
        let declared = context.tree.text(&package.manifest).and_then(|manifest| {
            let line = manifest.lines().find(|line| line.trim_start().starts_with("rust-version"))?.to_owned();
            let version = line.split('"').nth(1)?.to_owned();
            version.split('.').nth(1)?.parse::<u32>().ok()
        });
        declared.is_none_or(|minor| minor >= 80)
    })
}
