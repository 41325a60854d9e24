//! The rules, for people and programs: `improve rules`.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::layout::{Page, indented, paint, style, wrap};
use crate::audit::rule::{Rule, RuleDoc};
use crate::effects::tables::Origin;
use crate::finding::Category;
use crate::plan::markdown::fence_for;

/// What a rule says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleRow {
    /// Its id.
    pub id: String,
    /// The lens it belongs to.
    pub category: Category,
    /// What it finds.
    pub what: String,
    /// What that costs.
    pub why: String,
    /// Look-alikes it leaves alone.
    pub quiet_when: String,
    /// A few lines that fire.
    pub example: String,
    /// Libraries whose calls it knows, and from where.
    pub libraries: Vec<LibraryRow>,
}

/// Where what a rule knows of a library comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LibraryRow {
    /// The package, crate or standard.
    pub library: String,
    /// Release lines whose documentation has the calls, or `living standard`.
    pub versions: String,
    /// Address of the documentation.
    pub documentation: String,
}

impl RuleRow {
    /// The row of `rule`.
    pub fn new(rule: &dyn Rule) -> RuleRow {
        let doc = rule.doc();
        RuleRow {
            id: doc.id.to_owned(),
            category: doc.category,
            what: doc.what.to_owned(),
            why: doc.why.to_owned(),
            quiet_when: doc.quiet_when.to_owned(),
            example: doc.example.to_owned(),
            libraries: origins(rule)
                .into_iter()
                .map(|origin| LibraryRow {
                    library: origin.library.to_owned(),
                    versions: origin.versions.to_owned(),
                    documentation: origin.documentation.to_owned(),
                })
                .collect(),
        }
    }
}

/// What a rule knows of libraries, each source once.
fn origins(rule: &dyn Rule) -> Vec<&'static Origin> {
    let mut found: Vec<&Origin> = rule.rests_on().iter().flat_map(|table| table.origins()).collect();
    found.sort_by_key(|origin| (origin.library, origin.documentation));
    found.dedup();
    found
}

/// Every rule in one line, under its category.
pub fn list(docs: &[&RuleDoc], page: &Page) -> String {
    let id_width = docs.iter().map(|doc| doc.id.len()).max().unwrap_or(0);
    let indent = id_width + 4;
    let mut text = String::new();
    for category in Category::ALL {
        let mut rules = docs.iter().filter(|doc| doc.category == category).peekable();
        if rules.peek().is_none() {
            continue;
        }
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}{}", paint(style::STRONG, category.label()));
        for doc in rules {
            let what =
                wrap(doc.what, page.width.saturating_sub(indent).max(20)).join(&format!("\n{}", " ".repeat(indent)));
            let _ = writeln!(text, "  {:id_width$}  {what}", doc.id);
        }
    }
    text
}

/// Rules in full as Markdown, under their categories: the documentation is what the rules say of themselves.
pub fn pages(rules: &[&dyn Rule]) -> String {
    let mut text = String::new();
    for category in Category::ALL {
        let mut rules = rules.iter().filter(|rule| rule.doc().category == category).peekable();
        if rules.peek().is_none() {
            continue;
        }
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}# {}", category.label());
        for rule in rules {
            let doc = rule.doc();
            let _ = writeln!(text, "\n## `{}`\n", doc.id);
            for (lead, body) in [("Finds", doc.what), ("Why it matters", doc.why), ("Stays quiet when", doc.quiet_when)]
            {
                let _ = writeln!(text, "- **{lead}**: {body}");
            }
            let example = doc.example.trim_matches('\n');
            let fence = fence_for(example);
            let _ = writeln!(text, "\n{fence}\n{example}\n{fence}");
            let names: Vec<String> = origins(*rule)
                .iter()
                .map(|origin| format!("[{} {}](<{}>)", origin.library, origin.versions, origin.documentation))
                .collect();
            if !names.is_empty() {
                let _ = writeln!(text, "\nLibraries it knows: {}", names.join(", "));
            }
        }
    }
    text
}

/// One rule in full.
pub fn rule(rule: &dyn Rule, page: &Page) -> String {
    let doc = rule.doc();
    let width = page.width.min(100);
    let mut text = format!("{} ({})\n", paint(style::STRONG, doc.id), doc.category.label());
    for (title, body) in [("Finds", doc.what), ("Why it matters", doc.why), ("Stays quiet when", doc.quiet_when)] {
        let _ = write!(text, "\n{}\n{}", paint(style::STRONG, title), indented(body, 2, width));
    }
    let _ = writeln!(text, "\n{}", paint(style::STRONG, "Example"));
    for line in doc.example.trim_matches('\n').lines() {
        let _ = writeln!(text, "  {line}");
    }
    let _ = write!(
        text,
        "\n{}\n  // improve-ignore: {} — the reason\n",
        paint(style::STRONG, "To suppress one finding, beside the line"),
        doc.id
    );
    let origins = origins(rule);
    if !origins.is_empty() {
        let _ = writeln!(text, "\n{}", paint(style::STRONG, "Libraries it knows, from their documentation"));
        let names: Vec<String> =
            origins.iter().map(|origin| format!("{} {}", origin.library, origin.versions)).collect();
        let wide = names.iter().map(String::len).max().unwrap_or_default();
        for (name, origin) in names.iter().zip(&origins) {
            let _ = writeln!(text, "  {name:wide$}  {}", origin.documentation);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::rules::RULES;

    #[test]
    fn the_documentation_has_every_rule_once_and_its_fences_close() {
        let text = pages(RULES);
        for rule in RULES {
            assert_eq!(text.matches(&format!("\n## `{}`\n", rule.doc().id)).count(), 1, "{}", rule.doc().id);
        }
        let headings = pulldown_cmark::Parser::new(&text).filter(|event| {
            matches!(
                event,
                pulldown_cmark::Event::Start(pulldown_cmark::Tag::Heading {
                    level: pulldown_cmark::HeadingLevel::H2,
                    ..
                })
            )
        });
        assert_eq!(headings.count(), RULES.len(), "a fence that does not close swallows the headings behind it");
    }
}
