//! Hooks of Sequelize models: code that runs for each row written by itself, and that `bulkCreate` and `Model.destroy` leave out.

use crate::audit::place;
use crate::audit::rules::perf::per_item::PerItem;
use crate::audit::rules::perf::per_item::writes::Verb;
use crate::effects::chain;
use crate::repo_map::RepoMap;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::FileFacts;

/// Whether one statement for all rows would skip what the model does after or before each of them.
pub fn would_be_skipped(map: &RepoMap, site: &PerItem<'_>, verb: Verb) -> bool {
    if site.api.library != "sequelize" || says_without(map, site) {
        return false;
    }
    let facts = &map.file(site.call.file).facts;
    let Some(model) = model(map, site) else { return false };
    let events: &[&str] = match verb {
        Verb::Insert => &["create", "save"],
        Verb::Update => &["update", "save"],
        Verb::Delete => &["destroy"],
    };
    let defines = |facts: &FileFacts| has_hook(facts, &model, events);
    defines(facts) || map.files.iter().filter(|file| file.language.is_ecmascript()).any(|file| defines(&file.facts))
}

/// `{ hooks: false }`
fn says_without(map: &RepoMap, site: &PerItem<'_>) -> bool {
    map.call(site.call).arguments.iter().any(|argument| {
        matches!(argument.peeled(), Expr::Object(entries)
            if entries.iter().any(|(key, value)| key == "hooks" && matches!(value, Expr::Bool(false))))
    })
}

/// The model a row is written of: `Order` for `models.Order.create`, `this.create` in its class, and `order.destroy`.
fn model(map: &RepoMap, site: &PerItem<'_>) -> Option<String> {
    let Expr::Member(object, _) = map.call(site.call).callee.peeled() else { return None };
    if matches!(object.peeled(), Expr::This) {
        let function = map.symbol(map.caller_of(site.call)?);
        return function.member_of.map(|owner| owner.to_string());
    }
    let name = object.last_name()?;
    let mut letters = name.chars();
    let first = letters.next()?;
    Some(format!("{}{}", first.to_ascii_uppercase(), letters.as_str()))
}

/// Whether a file gives the model a hook for one of `events`: by a decorator, in its options, or by a call.
fn has_hook(facts: &FileFacts, model: &str, events: &[&str]) -> bool {
    let is_hook = |name: &str| {
        let starts = |word: &str| name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        // Asked of every call of the repository.
        if !starts("after") && !starts("before") {
            return false;
        }
        let words = place::words(name);
        words.first().is_some_and(|word| matches!(word.as_str(), "after" | "before"))
            && words.get(1).is_some_and(|word| events.contains(&word.as_str()))
    };
    let decorated = facts.symbols.iter().any(|symbol| {
        symbol.member_of.as_deref() == Some(model)
            && symbol.attributes.iter().any(|attribute| is_hook(attribute.split('(').next().unwrap_or_default()))
    });
    decorated
        || facts.calls.iter().any(|call| {
            let of_model = || {
                call.arguments.first().is_some_and(|first| matches!(first, Expr::Text(name) if name.as_str() == model))
                    || chain::names(facts, &call.callee).is_some_and(|names| names.contains(&model))
            };
            match call.name.as_str() {
                "init" | "define" => of_model() && call.arguments.iter().any(|argument| has_option(argument, &is_hook)),
                "addHook" => of_model() && matches!(call.arguments.first(), Some(Expr::Text(name)) if is_hook(name)),
                name => is_hook(name) && of_model(),
            }
        })
}

/// `{ hooks: { afterCreate: … } }`
fn has_option(argument: &Expr, is_hook: &dyn Fn(&str) -> bool) -> bool {
    let Expr::Object(options) = argument.peeled() else { return false };
    options
        .iter()
        .filter(|(key, _)| key == "hooks")
        .any(|(_, value)| matches!(value.peeled(), Expr::Object(hooks) if hooks.iter().any(|(key, _)| is_hook(key))))
}
