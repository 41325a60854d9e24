//! `quadratic-loop`: a list searched, copied or moved as a whole for every item of a loop.

pub mod growth;
pub mod lists;
pub mod search;
pub mod set_edit;

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::perf::per_item::wording::loop_text;
use crate::audit::rules::perf::quadratic_loop::growth::{Copying, Growth, growths, growths_in};
use crate::audit::rules::perf::quadratic_loop::lists::extent::Extent;
use crate::audit::rules::perf::quadratic_loop::search::{SearchPerItem, Way, at_call, per_item};
use crate::effects::{Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Hop, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, LanguageName};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, RepoMap};

/// Work that grows with the square of the data.
pub struct QuadraticLoop;

static DOC: RuleDoc = RuleDoc {
    id: "quadratic-loop",
    category: Category::Perf,
    what: "a list that is searched from its start, or copied as a whole, for every item of another list, directly or through a \
           function",
    why: "ten times the data take a hundred times as long: what is instant in development holds the process for seconds in \
          production",
    quiet_when: "the list is a set, a map or text, is written out in the code, is known to be short, was asked for by the other list, or belongs to the item; \
                 components that render lists are left alone; told with low confidence where no request is known to reach it",
    example: "const allowed = (await prisma.grant.findMany()).map((grant) => grant.itemId);\n\
              return (await prisma.item.findMany()).filter((item) => allowed.includes(item.id));",
};

impl Rule for QuadraticLoop {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let searches: Vec<(SearchPerItem<'_>, Judged)> = per_item(map, effects)
            .into_iter()
            .filter_map(|search| {
                let judged = judge(map, &search)?;
                Some((search, judged))
            })
            .collect();
        // One finding a function: one change gives all its lists an index.
        let mut found: Vec<Finding> = searches
            .chunk_by(|(a, _), (b, _)| a.call.file == b.call.file && map.caller_of(a.call) == map.caller_of(b.call))
            .map(|group| of_searches(map, group))
            .collect();
        let growths: Vec<(Growth, Confidence)> = growths(map, effects)
            .into_iter()
            .filter_map(|growth| {
                let confidence = confidence_of(map, &growth)?;
                Some((growth, confidence))
            })
            .collect();
        found.extend(
            growths
                .chunk_by(|(a, _), (b, _)| a.file == b.file && a.symbol == b.symbol)
                .map(|group| of_growths(map, group)),
        );
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let (file, _) = context.map.file_by_path(&place.file)?;
        // For its own lines alone: a look at the whole repository for each finding would be what this rule is about.
        let growths = growths_in(context.map, context.effects, file);
        let is_told = |line: u32| finding.evidence.iter().any(|own| own.role == COPY && own.start_line == line);
        let own: Vec<&Growth> = growths.iter().filter(|growth| is_told(growth.line)).collect();
        if let Some(first) = own.iter().find(|growth| growth.line == place.start_line) {
            return Some(growth_plan(finding, first, &own, context));
        }
        let lines: Vec<u32> = finding.evidence.iter().filter(|e| e.role == SEARCH).map(|e| e.start_line).collect();
        let calls = (0..).zip(&context.map.file(file).facts.calls).filter(|(_, site)| lines.contains(&site.line));
        let own: Vec<SearchPerItem<'_>> =
            calls.filter_map(|(index, _)| at_call(context.map, context.effects, CallId { file, index })).collect();
        let own: Vec<&SearchPerItem<'_>> = own.iter().collect();
        (!own.is_empty()).then(|| search_plan(finding, &own, context))
    }
}

/// The role of a place that searches.
const SEARCH: &str = "search";

/// The role of a place that copies.
const COPY: &str = "copy";

/// What a finding is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Judged {
    confidence: Confidence,
    impact: u8,
}

fn judge(map: &RepoMap, search: &SearchPerItem<'_>) -> Option<Judged> {
    let path = map.file(search.call.file).path.as_str();
    let confidence = match (search.items.min(search.length), search.items.max(search.length)) {
        (Extent::Few, _) => return None,
        (Extent::Rows, _) => Confidence::High,
        // Of those whose code was read, one of nine was worth a change: the other list is the parts of one thing.
        _ => Confidence::Low,
    };
    let sounds_short = search.list.last_name().is_some_and(sounds_short);
    let confidence = match confidence {
        Confidence::High if search.leaves_early || sounds_short => Confidence::Med,
        Confidence::Med if search.leaves_early || sounds_short => Confidence::Low,
        _ if renders(path) || is_chosen_by_the_other(map, search) => Confidence::Low,
        kept => kept,
    };
    // How long the lists get is the one thing the code does not say: most rows belong to one user or one project.
    Some(Judged { confidence: confidence.min(Confidence::Med), impact: 1 })
}

/// `const grants = await load(users.map((user) => user.id))`: rows that were asked for by the other list are those of one page or one
/// thing, as that list is.
fn is_chosen_by_the_other(map: &RepoMap, search: &SearchPerItem<'_>) -> bool {
    let facts = &map.file(search.call.file).facts;
    let (Some(list), Some(items)) = (search.list.root_name(), search.iteration.over.and_then(Expr::root_name)) else {
        return false;
    };
    let caller = map.call(search.call).caller;
    let is_own = |binding: &Binding| binding.owner == caller;
    let waits = |binding: &Binding| {
        binding.value.as_ref().is_some_and(|value| {
            let mut found = false;
            chain::walk_deep(facts, value, &mut |inner| found |= matches!(inner, Expr::Await(_)));
            found
        })
    };
    // What is worked out of a list without asking anybody is as long as it.
    let chosen = |by: &str, name: &str| {
        let all = place::derived_names(facts, [by].into(), &is_own);
        let worked_out = place::derived_names(facts, [by].into(), &|binding| is_own(binding) && !waits(binding));
        all.contains(name) && !worked_out.contains(name)
    };
    list != items && (chosen(items, list) || chosen(list, items))
}

/// Components show what fits a screen.
fn renders(path: &str) -> bool {
    [".tsx", ".jsx", ".vue", ".svelte"].iter().any(|end| path.ends_with(end))
}

/// Lists that a program's authors keep, not its users.
fn sounds_short(name: &str) -> bool {
    const SHORT: &[&str] = &[
        "roles",
        "locales",
        "languages",
        "types",
        "kinds",
        "statuses",
        "status",
        "extensions",
        "columns",
        "fields",
        "options",
        "flags",
        "tools",
        "actions",
        "vars",
        "variables",
        "tabs",
        "plugins",
        "providers",
        "scopes",
        "methods",
        "headers",
        "args",
        "arguments",
        "params",
        "parameters",
        "features",
        "modes",
        "levels",
        "whitelist",
        "allowlist",
        "blacklist",
        "excludes",
        "includes",
        "ignored",
        "prefixes",
        "suffixes",
        "modifiers",
        "attributes",
        "props",
        "currencies",
        "timezones",
        "plans",
        "formats",
        "days",
        "weekdays",
    ];
    place::words(name).last().is_some_and(|word| SHORT.contains(&word.as_str()))
}

fn of_searches(map: &RepoMap, group: &[(SearchPerItem<'_>, Judged)]) -> Finding {
    let (search, judged) = group
        .iter()
        .max_by_key(|(search, judged)| (judged.impact, judged.confidence, std::cmp::Reverse(search.call)))
        .expect("a group has a first");
    let function = place::function_name(map, search.call);
    let list = list_text(map, search);
    let over = loop_text(map, search.call, &search.iteration);
    let through = match search.through {
        Some((callee, _)) => format!(" through `{}`", map.symbol(callee).qualified),
        None => String::new(),
    };
    let does = match search.way {
        Way::Member | Way::First => "searches",
        Way::All => "filters",
    };
    let mut draft = FindingDraft::at_call(&DOC, map, search.call, SEARCH)
        .title(format!("`{function}` {does} `{list}` once for each of {over}"))
        .message(format!(
            "For each of {over}, `{function}` walks `{list}` from its start{through}: the time grows with the product of the two \
             lengths; {} made once before the loop answers at once.",
            index_text(map, search)
        ))
        .impact(judged.impact)
        .confidence(judged.confidence)
        .effort(Effort::S)
        .risk(Risk::Low)
        .and_region(map, search.call.file, search.iteration.region, "loop");
    if let Some((callee, inner)) = search.through {
        let hop = |call: CallId, symbol: String| Hop {
            file: map.file(call.file).path.clone(),
            line: map.call(call).line,
            symbol,
        };
        draft = draft.and_call(map, inner, "where the list is walked").path(vec![
            hop(search.call, map.symbol(callee).qualified.to_string()),
            hop(inner, place::callee_text(map, inner)),
        ]);
    }
    let as_sure = |other: &Judged| other.confidence >= judged.confidence.min(Confidence::Med);
    for (other, _) in group.iter().filter(|(other, own)| other.call != search.call && as_sure(own)) {
        draft = draft.and_call(map, other.call, SEARCH);
    }
    draft.build()
}

fn list_text(map: &RepoMap, search: &SearchPerItem<'_>) -> String {
    let text = search.list.dotted().unwrap_or_else(|| "the list".to_owned());
    match text.strip_prefix("this.") {
        Some(rest) if map.file(search.call.file).language == LanguageName::Rust => format!("self.{rest}"),
        _ => text,
    }
}

/// What answers in the list's place.
fn index_text(map: &RepoMap, search: &SearchPerItem<'_>) -> &'static str {
    let rust = map.file(search.call.file).language == LanguageName::Rust;
    match (search.way, rust) {
        (Way::Member, true) => "a `HashSet`",
        (Way::Member, false) => "a `Set`",
        (Way::First, true) => "a `HashMap` by that key",
        (Way::First, false) => "a `Map` by that key",
        (Way::All, true) => "a `HashMap` from key to elements",
        (Way::All, false) => "a `Map` from key to elements",
    }
}

/// How sure a copy is to matter: `None` where it is known not to.
fn confidence_of(map: &RepoMap, growth: &Growth) -> Option<Confidence> {
    let confidence = match growth.items {
        Extent::Few => return None,
        // How many groups of rows there are is the one thing the code does not say.
        Extent::Rows => Confidence::Med,
        // Most such loops build small objects, and read better so.
        Extent::Answer | Extent::Parameter | Extent::Unknown | Extent::Owned => Confidence::Low,
    };
    Some(if renders(&map.file(growth.file).path) { Confidence::Low } else { confidence })
}

/// The copies of one function.
fn of_growths(map: &RepoMap, group: &[(Growth, Confidence)]) -> Finding {
    let (growth, confidence) =
        group.iter().rev().max_by_key(|(_, confidence)| *confidence).expect("a group has a first");
    let source = map.file(growth.file);
    let function = match growth.symbol {
        Some(index) => source.facts.symbols[index as usize].qualified.to_string(),
        None => source.path.rsplit('/').next().unwrap_or(&source.path).to_owned(),
    };
    let name = growth.name;
    let (title, message) = match growth.copying {
        Copying::Array | Copying::Object => (
            format!("`{function}` copies `{name}` for every element it adds"),
            format!(
                "Every round of the loop makes `{name}` anew with all it holds so far: the time grows with the square of the items."
            ),
        ),
        Copying::Text => (
            format!("`{function}` copies the text `{name}` for every piece it adds"),
            format!(
                "`format!` with `{name}` in front copies all of it for every piece: the time grows with the square of the text; `write!` appends."
            ),
        ),
        Copying::Shifting => (
            format!("`{function}` moves all of `{name}` for every element"),
            "At the front of a vector, every other element moves: the time grows with the square of the items; a `VecDeque` has two ends."
                .to_owned(),
        ),
    };
    let others: Vec<&Growth> =
        group.iter().filter(|(own, sure)| own.line != growth.line && sure >= confidence).map(|(own, _)| own).collect();
    let also = match others.len() {
        0 => String::new(),
        1 => " It does so once more.".to_owned(),
        more => format!(" It does so {more} times more."),
    };
    let mut draft = FindingDraft::at_line(&DOC, map, growth.file, growth.line, growth.symbol, COPY)
        .title(title)
        .message(message + &also)
        // How long the list gets is what the code does not say, as for searches.
        .impact(1)
        .confidence(*confidence)
        .effort(Effort::S)
        .risk(Risk::Low)
        .and_region(map, growth.file, growth.region, "loop");
    for other in others {
        draft = draft.and_lines(&source.path, other.line, other.line, COPY);
    }
    draft.build()
}

fn search_plan(finding: &Finding, own: &[&SearchPerItem<'_>], context: &RecipeContext<'_>) -> PlanDraft {
    let map = context.map;
    let first = own[0];
    let source = map.file(first.call.file);
    let rust = source.language == LanguageName::Rust;
    let function = place::function_name(map, first.call);
    let edits = set_edit::edits(context, own).unwrap_or_default();
    let lists: Vec<String> = own
        .iter()
        .map(|search| {
            format!("line {}: `{}` → {}", map.call(search.call).line, list_text(map, search), index_text(map, search))
        })
        .collect();
    let example = match (first.way, rust) {
        (Way::Member, false) => "const known = new Set(list); // before the loop\nknown.has(item.id); // in the loop",
        (Way::First, false) => {
            "const byKey = new Map(list.map((element) => [element.key, element])); // before the loop\nbyKey.get(item.key); // in the loop"
        }
        (Way::All, false) => {
            "const byKey = new Map(); // before the loop\nfor (const element of list) {\n  const group = byKey.get(element.key);\n  if (group) group.push(element);\n  else byKey.set(element.key, [element]);\n}\nbyKey.get(item.key) ?? []; // in the loop"
        }
        (Way::Member, true) => {
            "let known: HashSet<_> = list.iter().collect(); // before the loop\nknown.contains(&item.id) // in the loop"
        }
        (Way::First, true) => {
            "let by_key: HashMap<_, _> = list.iter().map(|element| (&element.key, element)).collect(); // before the loop\nby_key.get(&item.key) // in the loop"
        }
        (Way::All, true) => {
            "let mut by_key: HashMap<_, Vec<_>> = HashMap::new(); // before the loop\nfor element in &list {\n    by_key.entry(&element.key).or_default().push(element);\n}\nby_key.get(&item.key) // in the loop"
        }
    };
    let goal =
        place::unique_line(context.tree, &source.path, map.call(first.call).line, map.call(first.call).line, &|_| true)
            .map(|text| GateDraft::TextGone { text, file: source.path.clone() });
    let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
    gates.extend(goal.clone());
    PlanDraft {
        title: format!("Look up instead of searching in `{function}`"),
        why: finding.message.clone(),
        context: Vec::new(),
        excerpts: Vec::new(),
        steps: vec![StepDraft {
            title: "Make the index before the loop".to_owned(),
            instruction: format!(
                "In `{}`, `{function}`: before the loop, make an index of each list, and ask it in the loop.\n\n- {}\n\n```{}\n{example}\n```",
                source.path,
                lists.join("\n- "),
                if rust { "rust" } else { "ts" },
            ),
            edits,
            gates,
        }],
        in_scope: vec![ScopeDraft { path: source.path.clone(), remark: format!("`{function}`") }],
        out_of_scope: vec![("the order of the results".to_owned(), "callers may rely on it".to_owned())],
        tests: vec![format!("`{function}` gives the same result for an empty list, a key that is absent, and a key that occurs twice")],
        edge_cases: vec![
            "`find` gives the first of several elements with one key, a map made from pairs keeps the last: fill it only where the key is absent, or from the end"
                .to_owned(),
            "the list must not change while the index is in use: where the loop adds to the list, add to the index too".to_owned(),
            "objects are one key only when they are the same object: use their id".to_owned(),
        ],
        prerequisites: Vec::new(),
        goals: goal.into_iter().collect(),
        stop_conditions: vec![
            "the list is known to hold a handful of elements: then the search is as fast as the index".to_owned(),
            "the comparison is not an equality of one key (ranges, prefixes, case folding)".to_owned(),
        ],
        maintenance: Vec::new(),
        risk: None,
    }
}

fn growth_plan(finding: &Finding, growth: &Growth, all: &[&Growth], context: &RecipeContext<'_>) -> PlanDraft {
    let source = context.map.file(growth.file);
    let name = growth.name;
    let place = finding.location();
    let targets: Vec<String> = all.iter().map(|own| format!("line {}: {}", own.line, in_place(own))).collect();
    let goal = place::unique_line(context.tree, &source.path, place.start_line, place.start_line, &|_| true)
        .map(|text| GateDraft::TextGone { text, file: source.path.clone() });
    let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
    gates.extend(goal.clone());
    PlanDraft {
        title: format!("Add to `{name}` without copying it"),
        why: finding.message.clone(),
        context: Vec::new(),
        excerpts: Vec::new(),
        steps: vec![StepDraft {
            title: format!("Change `{name}` in place"),
            instruction: format!("In `{}`: {}.", source.path, targets.join("; ")),
            edits: Vec::new(),
            gates,
        }],
        in_scope: Vec::new(),
        out_of_scope: Vec::new(),
        tests: vec!["the result is the same for no item, one item, and an item that occurs twice".to_owned()],
        edge_cases: vec![format!(
            "the first value of `{name}` must be made for this loop: one that others hold would change under them"
        )],
        prerequisites: Vec::new(),
        goals: goal.into_iter().collect(),
        stop_conditions: vec![
            format!("somebody keeps `{name}` of an earlier round (snapshots, undo, state compared by identity)"),
            "the loop runs over a handful of items by design".to_owned(),
        ],
        maintenance: Vec::new(),
        risk: None,
    }
}

/// What to do instead of the copy.
fn in_place(growth: &Growth) -> String {
    let name = growth.name;
    match growth.copying {
        Copying::Array if growth.reduce.is_some() => {
            format!("use `map`, `filter` or `flatMap`, or push into `{name}` and return it")
        }
        Copying::Object if growth.reduce.is_some() => {
            format!("use `Object.fromEntries(items.map(…))`, or set the key on `{name}` and return it")
        }
        Copying::Array => format!("`{name}.push(…)` instead of a new array"),
        Copying::Object => format!("set the key on `{name}` instead of a new object"),
        Copying::Text => format!("`write!({name}, …)` (with `use std::fmt::Write`) or `{name}.push_str(…)`"),
        Copying::Shifting => {
            format!("make `{name}` a `VecDeque` and use `pop_front` and `push_front`, or walk it from the end")
        }
    }
}
