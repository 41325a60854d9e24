//! `prototype-pollution`: keys from outside that lead to the prototype of all objects.

use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::code::expressions;
use crate::audit::rules::security::remedy::Remedy;
use crate::effects::{Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Assignment, FileFacts, LoopForm, RegionKind, Span, Symbol};
use crate::repo_map::{CallId, FileId, FileRole, RepoMap, SymbolId};

/// A merge or a setter that follows any key.
pub struct PrototypePollution;

static DOC: RuleDoc = RuleDoc {
    id: "prototype-pollution",
    category: Category::Security,
    what: "a function that merges objects, or sets a value by a path of keys, and follows `__proto__` like any key",
    why: "what is written below `__proto__` is written for every object of the process: a client that names it can switch off checks that \
          read a missing field, or stop the service",
    quiet_when: "the function looks at the name of the key, asks whether the object has it as its own, builds objects without a prototype or \
                 uses a `Map`, the keys are its own, or it is test code",
    example: "function merge(into, from) {\n  for (const key in from) {\n    if (typeof from[key] === 'object') merge(into[key], from[key]);\n    \
              else into[key] = from[key];\n  }\n}",
};

impl Rule for PrototypePollution {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let mut found = Vec::new();
        for (id, symbol) in map.symbols() {
            let source = map.file(id.file);
            let fits =
                source.language.is_ecmascript() && source.role == FileRole::Production && symbol.kind.is_callable();
            if !fits || map.is_test(id.file, Some(id.index)) {
                continue;
            }
            if let Some((assignment, how)) = pollutes(map, id, symbol) {
                found.push(finding(map, effects, id, assignment, how));
            }
        }
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let remedy = Remedy {
            title: "Refuse keys that lead to the prototype",
            instruction: "leave out the keys `__proto__`, `constructor` and `prototype` before anything is read or written below them (skip \
                          them in a merge, throw in a setter), at every level; follow a key only where the object has it as its own \
                          (`Object.hasOwn`)."
                .to_owned(),
            edits: Vec::new(),
            test: "after a call with `JSON.parse('{\"__proto__\": {\"polluted\": true}}')`, or with the path `__proto__.polluted`, \
                   `({}).polluted` is `undefined`",
            edge_case: "`constructor.prototype.x` leads to the same place as `__proto__.x`",
            stop: "the keys are fixed in the code of all callers: then say so in a comment and leave it",
        };
        Some(remedy.plan(finding, context))
    }
}

/// How a function follows keys.
#[derive(Clone, Copy)]
enum How {
    /// By calling itself for what lies below a key.
    Merges,
    /// By going down a path.
    Sets,
}

/// The assignment by which a function can write to the prototype.
fn pollutes<'a>(map: &'a RepoMap, id: SymbolId, symbol: &Symbol) -> Option<(&'a Assignment, How)> {
    let facts = &map.file(id.file).facts;
    let own = |span: Span| symbol.span.contains(span);
    let assignments = || facts.assignments.iter().filter(|one| own(one.span) && one.operator == "=");
    // `into[key] = …` with a key that is no literal.
    let by_key = assignments().find(|one| key_of(&one.target).is_some())?;
    let (object, key) = key_of(&by_key.target)?;
    if is_guarded(facts, symbol.span) {
        return None;
    }
    let parameters: Vec<&str> = symbol
        .parameters
        .iter()
        .flat_map(|parameter| {
            std::iter::once(parameter.name.as_str())
                .chain(parameter.destructured.iter().map(|(_, local)| local.as_str()))
        })
        .collect();
    // For a merge: the key runs over another parameter, and the function calls itself with what lies below the key in both. Keys of
    // the object that is written to are its own already.
    let merged = parameters.iter().copied().filter(|name| *name != object).find(|name| {
        let uses = |expr: &Expr| chain::expr_uses(facts, expr, &|used| used == *name);
        facts.regions.iter().filter(|region| own(region.span)).any(|region| match &region.kind {
            RegionKind::Loop(statement) if statement.bindings.first().is_some_and(|bound| bound == key) => {
                matches!(statement.form, LoopForm::Keys | LoopForm::Each) && statement.over.as_ref().is_some_and(uses)
            }
            RegionKind::Callback { call: Some(host), parameters: bound, .. } => {
                let site = facts.call(*host);
                bound.first().is_some_and(|bound| bound == key) && site.name == "forEach" && uses(&site.callee)
            }
            _ => false,
        })
    });
    if let Some(merged) = merged
        && parameters.contains(&object)
    {
        let below = |expr: &Expr, of: &str| match expr.peeled() {
            Expr::Index(inner, at) => inner.root_name() == Some(of) && at.last_name() == Some(key),
            _ => false,
        };
        let goes_down = map.calls_in(id).any(|call| {
            let given = &map.call(call).arguments;
            map.resolved(call).any(|resolved| resolved.symbol == id)
                && given.iter().any(|argument| below(argument, object))
                && given.iter().any(|argument| below(argument, merged))
        });
        if goes_down {
            return Some((by_key, How::Merges));
        }
    }
    // For a setter: `current = current[key]` in a loop over the parts of a parameter, then `current[key] = value`.
    let walks = assignments().any(|one| {
        let Expr::Name(name) = one.target.peeled() else { return false };
        let within = facts.enclosing_regions(one.region).any(|(_, region)| {
            matches!(region.kind, RegionKind::Loop(_)) || matches!(region.kind, RegionKind::Callback { .. })
        });
        *name == object
            && within
            && matches!(one.value.peeled(), Expr::Index(inner, _) if inner.root_name() == Some(object))
    });
    let by_path = map.calls_in(id).any(|call| {
        let site = map.call(call);
        site.name == "split"
            && parameters.iter().any(|name| chain::expr_uses(facts, &site.callee, &|used| used == *name))
    });
    (walks && by_path).then_some((by_key, How::Sets))
}

/// The object and the key of `object[key]`.
fn key_of(target: &Expr) -> Option<(&str, &str)> {
    let Expr::Index(object, key) = target.peeled() else { return None };
    let (Expr::Name(object), key) = (object.peeled(), key.peeled()) else { return None };
    match key {
        Expr::Name(key) => Some((object, key)),
        // `current[keys[keys.length - 1]]`.
        Expr::Index(keys, _) => Some((object, keys.root_name()?)),
        _ => None,
    }
}

/// Whether the function looks at what a key is, or builds objects that have no prototype.
fn is_guarded(facts: &FileFacts, span: Span) -> bool {
    let speaks = expressions(facts, span).any(|expr| {
        let mut found = false;
        chain::walk_deep(facts, expr, &mut |inner| {
            found |= match inner {
                Expr::Text(text) => matches!(text.as_str(), "__proto__" | "constructor" | "prototype"),
                Expr::Name(name) | Expr::Member(_, name) => {
                    let name = name.to_ascii_lowercase();
                    ["proto", "unsafe", "forbidden", "dangerous", "blocked", "hasown", "allowed"]
                        .iter()
                        .any(|word| name.contains(word))
                }
                _ => false,
            };
        });
        found
    });
    let calls = facts.calls.iter().filter(|site| span.contains(site.span)).any(|site| {
        let name = site.name.to_ascii_lowercase();
        matches!(site.name.as_str(), "hasOwn" | "hasOwnProperty" | "Map" | "freeze")
            || site.callee.dotted().as_deref() == Some("Object.create")
            || ["proto", "unsafe", "safekey", "issafe", "forbidden", "validkey", "isvalid"]
                .iter()
                .any(|word| name.contains(word))
    });
    speaks || calls
}

fn finding(map: &RepoMap, effects: &Effects, id: SymbolId, assignment: &Assignment, how: How) -> Finding {
    let symbol = map.symbol(id);
    let fed = fed_by_request(map, id);
    let reach = effects.entries.of_symbol(id).filter(|reach| reach.entry.kind.is_request());
    let does = match how {
        How::Merges => "merges objects into one another and follows every key, `__proto__` included",
        How::Sets => "goes down a path of keys and writes at its end, `__proto__` included",
    };
    let given = match (fed, reach) {
        (Some(_), _) => " It gets what a client sent.".to_owned(),
        (None, Some(reach)) => format!(" It is called from `{}`.", reach.entry.label),
        (None, None) => String::new(),
    };
    let draft = FindingDraft::at_line(&DOC, map, id.file, assignment.line, Some(id.index), "write")
        .title(format!("`{}` writes to the prototype of all objects when told to", symbol.name))
        .message(format!("`{}` {does}: what lies there is then a property of every object.{given}", symbol.name))
        .impact(if fed.is_some() { 4 } else { 3 })
        .effort(Effort::S)
        .risk(Risk::Low)
        // That a request gets there says nothing of the keys.
        .confidence(if fed.is_some() { Confidence::High } else { Confidence::Low });
    match fed {
        Some(call) => draft.and_call(map, call, "what a client sent").build(),
        None => draft.and_symbol(map, id, "function").build(),
    }
}

/// A call of the function that gives it a body, or text that was just parsed.
fn fed_by_request(map: &RepoMap, id: SymbolId) -> Option<CallId> {
    map.callers(id).iter().copied().filter(|call| !place::in_test(map, *call)).find(|call| {
        let file: FileId = call.file;
        let facts = &map.file(file).facts;
        let site = facts.call(call.index);
        site.arguments.iter().any(|argument| {
            let mut found = false;
            chain::walk_deep(facts, place::resolve(facts, site.caller, argument), &mut |inner| {
                found |= match inner {
                    Expr::Member(object, name) => {
                        matches!(name.as_str(), "body" | "query" | "params")
                            && matches!(object.last_name(), Some("req" | "request" | "ctx"))
                    }
                    _ => false,
                };
            });
            found
        })
    })
}
