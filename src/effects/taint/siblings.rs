//! Siblings: of two values from one place that go the same way, one is checked for `..` and the other is not.
//!
//! Where the way ends need not be known: who checks the one knows that both become parts of a path.

use crate::effects::taint::guards::Check;
use crate::effects::taint::names::{Meaning, Spot};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::{Context, Danger, Flow, Trust};
use crate::finding::Hop;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, CallSite, FileFacts, Usage};
use crate::repo_map::name::words;
use crate::repo_map::{CallId, FileId, FileRole};

/// Siblings of one checked value that are reported. Our choice.
const MAX_SIBLINGS: usize = 4;

impl Taint<'_> {
    /// Values that their siblings' checks left out.
    pub fn unchecked_siblings(&self) -> Vec<Flow> {
        let mut found = Vec::new();
        for (file, source) in self.map.files_with_ids() {
            if source.role != FileRole::Production {
                continue;
            }
            let facts = &source.facts;
            for site in
                facts.calls.iter().filter(|site| is_traversal_check(site) && !self.map.is_test(file, site.caller))
            {
                if let Some(Expr::Name(name)) = site.arguments.first().map(Expr::peeled)
                    && let Meaning::Variable(checked) = self.index(file).meaning(facts, name, site.span.start)
                    && let Some(container) = container(checked)
                {
                    self.siblings_of(file, site, checked, container, &mut found);
                }
            }
        }
        found
    }

    fn siblings_of(&self, file: FileId, check: &CallSite, checked: &Binding, container: &Expr, found: &mut Vec<Flow>) {
        let facts = &self.map.file(file).facts;
        let siblings = facts.bindings.iter().filter(|other| {
            other.owner == checked.owner
                && other.region == checked.region
                && other.name != checked.name
                && self::container(other) == Some(container)
        });
        for sibling in siblings.take(MAX_SIBLINGS) {
            let Some((call, site)) = together(facts, check, checked, sibling) else { continue };
            let spot = Spot::of_call(file, site);
            let expr = Expr::Name(sibling.name);
            let own = Spot::of_binding(file, sibling);
            let value = sibling.value.as_ref();
            let Some(read) = value.and_then(|value| self.read(own, value.peeled(), &[], Danger::Path)) else {
                continue;
            };
            let is_checked = self.check(spot, &expr, Danger::Path, &Context::default()) >= Check::Named;
            if read.trust != Trust::Client || is_checked {
                continue;
            }
            let path = self.map.file(file).path.clone();
            found.push(Flow {
                danger: Danger::Path,
                sink: CallId { file, index: call },
                reaches: Vec::new(),
                api: site.name.to_string(),
                library: "",
                place: (path.clone(), site.line),
                context: Context::default(),
                trust: Trust::Client,
                source: read.source.clone(),
                value: Some(sibling.name.to_string()),
                steps: vec![Hop { file: path, line: sibling.line, symbol: read.source }],
                leak: None,
                sibling: Some(checked.name.to_string()),
                doubtful: true,
                text: String::new(),
            });
        }
    }
}

/// `if (isPathTraversal(name)) throw …`
fn is_traversal_check(site: &CallSite) -> bool {
    matches!(site.usage, Usage::Tested | Usage::Discarded | Usage::Bound(_))
        && site.name.contains("ravers")
        && words(&site.name).iter().any(|word| word.starts_with("travers"))
}

/// What a variable is read from: `req.params` for `const id = req.params.id`.
fn container(binding: &Binding) -> Option<&Expr> {
    match binding.value.as_ref()?.peeled() {
        Expr::Member(object, _) if binding.taken.is_none() => Some(object.peeled()),
        _ => None,
    }
}

/// The first call after the check that gets both values.
fn together<'a>(
    facts: &'a FileFacts,
    check: &CallSite,
    checked: &Binding,
    sibling: &Binding,
) -> Option<(u32, &'a CallSite)> {
    (0..).zip(&facts.calls).find(|(_, site)| {
        let gets = |name: &str| site.arguments.iter().any(|argument| argument.mentions(name));
        site.caller == check.caller
            && site.span.start > check.span.end
            && site.span.start > sibling.span.end
            && gets(&checked.name)
            && gets(&sibling.name)
    })
}
