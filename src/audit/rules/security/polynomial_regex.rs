//! `polynomial-regex`: a pattern that takes very long for a text that a client chose.

use std::collections::BTreeSet;

use crate::audit::draft::PlanDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::security::remedy::Remedy;
use crate::audit::rules::security::tainted::{self, Group};
use crate::effects::Effects;
use crate::effects::taint::{Danger, Flow};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;

/// A search that a client can make last.
pub struct PolynomialRegex;

static DOC: RuleDoc = RuleDoc {
    id: "polynomial-regex",
    category: Category::Security,
    what: "a regular expression that backtracks over text from a request",
    why: "JavaScript tries every way to cut the text before it gives up, on the one thread that serves everybody: one request stops the \
          service for seconds or hours",
    quiet_when: "no repetition meets itself, what follows cannot fail, the text is cut to a length or checked before, it is short by nature \
                 (an address, a header) and the cost only grows with its square, or the pattern cannot be read (look-around); Rust's \
                 patterns never backtrack",
    example: "const clean = req.body.text.replace(/\\s+$/, '');",
};

impl Rule for PolynomialRegex {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Danger(Danger::Backtracking)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let groups = tainted::groups(map, effects, &[Danger::Backtracking]);
        let mut known = BTreeSet::new();
        let groups = groups.iter().filter(|group| is_long(group.worst));
        // A search that several handlers share is changed once.
        let groups = groups.filter(|group| match group.worst.reaches.last() {
            Some(search) => known.insert((search.file.as_str(), search.line)),
            None => true,
        });
        groups.map(|group| finding(map, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let remedy = Remedy {
            title: "Search without going back",
            instruction: "replace the pattern by one in which no repetition can match what its neighbour matches (`(a+)+` is `a+`; \
                          `\\s*,\\s*` needs a comma between; trailing characters are cut by `trimEnd()` or by a loop from the end), or limit \
                          the length of the text before the search where a longer one makes no sense."
                .to_owned(),
            edits: Vec::new(),
            test: "a text of 100 000 characters that almost matches (a run of the repeated character, then another one) is answered within \
                   100 ms",
            edge_case: "texts that matched before match still, with the same groups",
            stop: "the length of the text is limited before it gets here: say where",
        };
        Some(remedy.plan(finding, context))
    }
}

fn is_exponential(flow: &Flow) -> bool {
    flow.api.starts_with("exponential")
}

/// Whether a text can be long enough: addresses and headers end at 16 KB in Node.js, bodies at megabytes.
fn is_long(flow: &Flow) -> bool {
    is_exponential(flow)
        || flow.source.split('.').any(|part| matches!(part, "body" | "json" | "input" | "text" | "data"))
}

fn finding(map: &RepoMap, group: &Group<'_>) -> Finding {
    let flow = group.worst;
    let function = tainted::function(map, flow);
    let (grows, pattern) = flow.api.split_once(' ').unwrap_or(("", &flow.api));
    let pattern: String = pattern.chars().take(80).collect::<String>().replace('`', "\\`");
    let how = if grows == "exponential" {
        "doubles with every further character"
    } else {
        "grows with the square of the length"
    };
    let confidence = match (is_exponential(flow), tainted::confidence(flow)) {
        (true, confidence) => confidence,
        (false, Confidence::High) => Confidence::Med,
        (false, _) => Confidence::Low,
    };
    tainted::draft(&DOC, map, group, "search")
        .title(format!("`{function}` searches {} with a pattern that backtracks", tainted::whose(flow)))
        .message(format!(
            "`{function}` searches {} with `{pattern}`: when it does not match, the time {how}, and nothing else is served meanwhile.",
            tainted::value(flow)
        ))
        .impact(if is_exponential(flow) { 4 } else { 2 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(confidence)
        .build()
}
