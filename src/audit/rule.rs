//! What a rule is: its documentation, its check and its recipe.

use std::sync::OnceLock;

use crate::advisories::Advisories;
use crate::audit::draft::PlanDraft;
use crate::audit::pages::{self, Page};
use crate::audit::programs::{Program, programs};
use crate::audit::reach::Reach;
use crate::audit::texts::Texts;
use crate::audit::variables::{self, Variables};
use crate::effects::tables::Origin;
use crate::effects::taint::Danger;
use crate::effects::{self, Effect, Effects};
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

/// A part of the tables about libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Calls that have an effect.
    Effect(Effect),
    /// Calls that must not get what somebody outside chose, and where such values come in.
    Danger(Danger),
}

impl Table {
    /// The libraries it speaks of, the versions its names were taken from, and where those are documented; by name.
    pub fn origins(self) -> Vec<&'static Origin> {
        match self {
            Table::Effect(effect) => effects::tables::origins(effect),
            Table::Danger(danger) => effects::taint::tables::origins(danger),
        }
    }
}

/// One detector.
pub trait Rule: Sync {
    /// What it says about itself.
    fn doc(&self) -> &'static RuleDoc;

    /// What it has to know of libraries: `improve rules` shows which, and where that is documented.
    fn rests_on(&self) -> &'static [Table] {
        &[]
    }

    /// Findings in the whole repository, from facts, shapes and effects; never from source text.
    fn check(&self, _map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        Vec::new()
    }

    /// Findings that need what stands outside the source code: lock files, and texts that may name a file or a package. Source
    /// text is read here only to be sure that nothing speaks against a finding.
    fn check_tree(&self, _ground: &Ground<'_>) -> Vec<Finding> {
        Vec::new()
    }

    /// What to do about one finding: the draft of a plan, with exact edits where the change is certain.
    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft>;
}

/// What rules about the whole repository may look at, and what they share.
pub struct Ground<'a> {
    /// The repo map.
    pub map: &'a RepoMap,
    /// The tree the map was made from.
    pub tree: &'a dyn Tree,
    /// What is known to be wrong with released versions of packages, where there is a database.
    pub advisories: Option<&'a Advisories>,
    texts: OnceLock<Texts>,
    pages: OnceLock<Vec<Page>>,
    programs: OnceLock<Vec<Program>>,
    variables: OnceLock<Variables>,
    reach: OnceLock<Option<Reach<'a>>>,
}

impl<'a> Ground<'a> {
    /// Reads nothing yet.
    pub fn new(map: &'a RepoMap, tree: &'a dyn Tree, advisories: Option<&'a Advisories>) -> Ground<'a> {
        Ground {
            map,
            tree,
            advisories,
            texts: OnceLock::new(),
            pages: OnceLock::new(),
            programs: OnceLock::new(),
            variables: OnceLock::new(),
            reach: OnceLock::new(),
        }
    }

    /// Texts that are no source code, read by the first rule that asks.
    pub fn texts(&self) -> &Texts {
        self.texts.get_or_init(|| Texts::read(self.map, self.tree))
    }

    /// Pages of documentation, read by the first rule that asks.
    pub fn pages(&self) -> &[Page] {
        self.pages.get_or_init(|| pages::read(self.map, self.tree))
    }

    /// Command-line programs of the repository, read by the first rule that asks.
    pub fn programs(&self) -> &[Program] {
        self.programs.get_or_init(|| programs(self.map, self.tree))
    }

    /// What the code reads of its environment, read by the first rule that asks.
    pub fn variables(&self) -> &Variables {
        self.variables.get_or_init(|| variables::read(self.map, self.tree))
    }

    /// Which TypeScript and JavaScript files the program can get to; `None` when that cannot be told.
    pub fn reach(&self) -> Option<&Reach<'a>> {
        self.reach.get_or_init(|| Reach::new(self.map, self.tree, self.texts())).as_ref()
    }
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
