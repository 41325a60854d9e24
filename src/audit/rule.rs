//! What a rule is: its documentation, its check and its recipe.

use crate::audit::draft::PlanDraft;
use crate::effects::Effects;
use crate::finding::{Category, Finding};
use crate::repo_map::RepoMap;
use crate::tree::Tree;

/// What a rule says about itself: data, because `improve rules` prints it.
#[derive(Debug)]
pub struct RuleDoc {
    /// Kebab-case and stable: users write it to suppress the rule, and it names the fixture folder.
    pub id: &'static str,
    /// The lens it belongs to.
    pub category: Category,
    /// What it finds, in one clause.
    pub what: &'static str,
    /// What that costs.
    pub why: &'static str,
    /// Look-alikes it leaves alone.
    pub quiet_when: &'static str,
    /// A few lines that fire, in one language.
    pub example: &'static str,
}

/// One detector.
pub trait Rule: Sync {
    /// What it says about itself.
    fn doc(&self) -> &'static RuleDoc;

    /// Findings in the whole repository, from facts, shapes and effects; never from source text.
    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding>;

    /// What to do about one finding: the draft of a plan, with exact edits where the change is certain.
    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft>;
}

/// What a recipe may look at. Source text is read through the tree, so that a recipe can carry exact edits.
pub struct RecipeContext<'a> {
    /// The repo map.
    pub map: &'a RepoMap,
    /// What functions do.
    pub effects: &'a Effects,
    /// The tree the map was made from.
    pub tree: &'a dyn Tree,
}
