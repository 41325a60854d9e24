//! Which findings fit which kind of defect: the table in `fits.json`, so that a new rule or tool is one word more. `peers.py` reads it
//! too.

use std::sync::LazyLock;

use serde::Deserialize;

/// What fits one category.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fit {
    /// The category of a case.
    category: String,
    /// Rules of ours about this kind of fault; `*` at the end takes whatever starts so.
    rules: Vec<String>,
    /// Rules of ours that name the same place for another reason. They count as found, not as findings of the category.
    #[serde(default)]
    beside: Vec<String>,
    /// Parts of the rule names of other tools, compared without case and punctuation.
    peers: Vec<String>,
}

static FITS: LazyLock<Vec<Fit>> =
    LazyLock::new(|| serde_json::from_str(include_str!("fits.json")).expect("the table is ours and well formed"));

/// What fits a category. One that is not in the table is fitted by the rule of the same name.
#[derive(Clone, Copy)]
pub struct Fitting<'a> {
    category: &'a str,
    fit: Option<&'static Fit>,
    peer: bool,
}

impl<'a> Fitting<'a> {
    /// What fits `category`, in our findings or in those of another tool.
    pub fn of(category: &'a str, peer: bool) -> Self {
        Self { category, fit: FITS.iter().find(|fit| fit.category == category), peer }
    }

    /// Whether a finding of `rule` names a defect of the category.
    pub fn finds(&self, rule: &str) -> bool {
        self.counts(rule) || (!self.peer && self.fit.is_some_and(|fit| any_is(&fit.beside, rule)))
    }

    /// Whether a finding of `rule` counts among those of the category.
    pub fn counts(&self, rule: &str) -> bool {
        match self.fit {
            Some(fit) if self.peer => {
                let rule = folded(rule);
                fit.peers.iter().any(|part| rule.contains(&folded(part)))
            }
            Some(fit) => any_is(&fit.rules, rule),
            None => folded(rule).ends_with(&folded(self.category)),
        }
    }
}

fn any_is(patterns: &[String], rule: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => rule.starts_with(start),
        None => pattern == rule,
    })
}

/// `no-await-in-loop` and `noAwaitInLoops` differ by their tools' customs alone.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
