//! Onboarding: (RepoMap, Effects, history, texts) → [`Guide`]: what somebody new to a repository should read first.
//!
//! Pure, and nothing in it is made up: each line quotes a file or counts what the map knows. Each section knows the files it is made
//! from, so that one can be written again without the others. Nothing depends on the clock: ages are months of commits.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::effects::Effects;
use crate::repo_map::history::Log;
use crate::repo_map::{FileId, FileRole, ImportTarget, RepoMap};
use crate::tree::Tree;

pub mod about;
pub mod conventions;
mod doc_comment;
mod folders;
pub mod glossary;
pub mod heat;
pub mod limits;
pub mod people;
pub mod reading;
mod readme;
pub mod role;
pub mod setup;
pub mod surprises;
pub mod walk;

use about::About;
use conventions::Conventions;
use glossary::Term;
use heat::Heat;
use limits::Limits;
use people::People;
use reading::Module;
use role::{Areas, Role};
use setup::Setup;
use surprises::Surprise;
use walk::Walk;

/// Version of the JSON contract of a guide.
pub const SCHEMA_VERSION: u32 = 1;

/// What somebody new should read first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Guide {
    /// Version of this contract.
    pub schema_version: u32,
    /// The project's name.
    pub name: String,
    /// Whom it is for; null for everybody.
    pub role: Option<Role>,
    /// What this is.
    pub about: About,
    /// How to get it running.
    pub setup: Setup,
    /// Files to read first, in reading order.
    pub reading: Vec<Module>,
    /// One request, command or call through the code; null when no way is known that shows anything.
    pub walk: Option<Walk>,
    /// How code is written here.
    pub conventions: Conventions,
    /// Who knows what; null when names were not wanted or there is no history.
    pub people: Option<People>,
    /// What changes all the time, and what nobody has touched for long.
    pub heat: Heat,
    /// Files that change together although neither uses the other.
    pub surprises: Vec<Surprise>,
    /// Words of the domain.
    pub glossary: Vec<Term>,
    /// What this guide does not know.
    pub limits: Limits,
    /// The files each section is made from, sorted.
    pub made_from: BTreeMap<SectionId, Vec<String>>,
}

/// A section of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SectionId {
    /// What this is.
    About,
    /// How to get it running.
    Setup,
    /// What to read first.
    Reading,
    /// One request through the code.
    Walk,
    /// How code is written here.
    Conventions,
    /// Who knows what.
    People,
    /// Hot and cold.
    Heat,
    /// What changes together.
    Surprises,
    /// Words of the domain.
    Glossary,
    /// What the guide does not know.
    Limits,
}

impl SectionId {
    /// Every section, in the order in which they are read.
    pub const ALL: [SectionId; 10] = [
        SectionId::About,
        SectionId::Setup,
        SectionId::Reading,
        SectionId::Walk,
        SectionId::Conventions,
        SectionId::People,
        SectionId::Heat,
        SectionId::Surprises,
        SectionId::Glossary,
        SectionId::Limits,
    ];

    /// The word in marks and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            SectionId::About => "about",
            SectionId::Setup => "setup",
            SectionId::Reading => "reading",
            SectionId::Walk => "walk",
            SectionId::Conventions => "conventions",
            SectionId::People => "people",
            SectionId::Heat => "heat",
            SectionId::Surprises => "surprises",
            SectionId::Glossary => "glossary",
            SectionId::Limits => "limits",
        }
    }

    /// The section with this word.
    pub fn of_word(word: &str) -> Option<SectionId> {
        SectionId::ALL.into_iter().find(|section| section.word() == word)
    }
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Its path.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
}

/// What a guide is made from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The repository.
    pub map: &'a RepoMap,
    /// What its functions do.
    pub effects: &'a Effects,
    /// Its files.
    pub tree: &'a dyn Tree,
    /// Who changed which file when; empty without history.
    pub log: &'a Log,
    /// Whether people are named.
    pub authors: bool,
    /// The name of the repository's folder, for projects that have none.
    pub folder: &'a str,
}

impl Sources<'_> {
    /// The text of a file with credentials masked: a guide is written to be committed.
    fn text(&self, path: &str) -> Option<String> {
        crate::secrets::of_files::read(self.tree, path).ok()
    }
}

/// What several sections need.
struct Ground<'a> {
    sources: Sources<'a>,
    areas: Areas,
    role: Option<Role>,
    /// For each file, the other files that use it.
    users: Vec<BTreeSet<FileId>>,
    /// Definitions that matter most, best first, churn left out: the order must not move with every commit.
    ranking: crate::map::rank::Ranking,
}

impl Ground<'_> {
    /// Whether a file is of interest to the reader.
    fn keeps(&self, file: FileId) -> bool {
        self.role.is_none_or(|role| self.areas.holds(file, role))
    }

    fn fan_in(&self, file: FileId) -> u32 {
        self.users[file as usize].len() as u32
    }

    /// Code somebody wrote that ships.
    fn is_production(&self, file: FileId) -> bool {
        self.sources.map.file(file).role == FileRole::Production
    }
}

/// The guide for `role`, or for everybody. An error names the roles that this repository has.
pub fn guide(sources: Sources<'_>, role: Option<Role>) -> Result<Guide, Vec<Role>> {
    let areas = Areas::of(sources.map, sources.effects);
    if role.is_some_and(|role| !areas.has(role)) {
        return Err(areas.roles());
    }
    let ranking = crate::map::rank::weighed(sources.map, &crate::map::rank::Weights::timeless());
    let ground = Ground { sources, areas, role, users: users(sources.map), ranking };
    let about = about::about(&ground);
    let walk = walk::walk(&ground);
    let mut guide = Guide {
        schema_version: SCHEMA_VERSION,
        name: about.name.clone(),
        role,
        setup: setup::setup(&ground),
        reading: reading::reading(&ground, walk.as_ref()),
        walk,
        conventions: conventions::conventions(&ground),
        people: people::people(&ground),
        heat: heat::heat(&ground),
        surprises: surprises::surprises(&ground),
        glossary: glossary::glossary(&ground),
        limits: limits::limits(&ground),
        about,
        made_from: BTreeMap::new(),
    };
    guide.made_from = made_from(&guide);
    Ok(guide)
}

/// For each file, the other files that call into it, import it or pass it on, tests left out.
fn users(map: &RepoMap) -> Vec<BTreeSet<FileId>> {
    let mut users = vec![BTreeSet::new(); map.files.len()];
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.role != FileRole::Test) {
        let calls = (0..source.facts.calls.len() as u32).map(|index| crate::repo_map::CallId { file, index });
        let called = calls.flat_map(|call| map.resolved(call)).map(|found| found.symbol.file);
        let imported = map.import_targets.get(file as usize).into_iter().flatten().filter_map(|target| match target {
            ImportTarget::File(target) => Some(*target),
            ImportTarget::External(_) | ImportTarget::Unresolved => None,
        });
        let passed_on = map.reexport_targets.get(file as usize).into_iter().flatten().filter_map(|target| *target);
        for used in called.chain(imported).chain(passed_on).filter(|used| *used != file) {
            users[used as usize].insert(file);
        }
    }
    users
}

/// The files each section quotes or counts.
fn made_from(guide: &Guide) -> BTreeMap<SectionId, Vec<String>> {
    let files = |section: SectionId| -> Vec<&str> {
        match section {
            SectionId::About => guide.about.files(),
            SectionId::Setup => guide.setup.files(),
            SectionId::Reading => guide.reading.iter().map(|module| module.path.as_str()).collect(),
            SectionId::Walk => guide.walk.iter().flat_map(Walk::files).collect(),
            SectionId::Conventions => guide.conventions.files(),
            SectionId::People => Vec::new(),
            SectionId::Heat => guide.heat.files(),
            SectionId::Surprises => guide.surprises.iter().flat_map(Surprise::files).collect(),
            SectionId::Glossary => guide.glossary.iter().map(|term| term.place.path.as_str()).collect(),
            SectionId::Limits => Vec::new(),
        }
    };
    let sorted = |section| -> Vec<String> {
        files(section).into_iter().collect::<BTreeSet<&str>>().into_iter().map(str::to_owned).collect()
    };
    SectionId::ALL.into_iter().map(|section| (section, sorted(section))).collect()
}

/// The month of a commit, `2026-03`: it stays true as time goes by.
fn month(time: i64) -> String {
    jiff::Timestamp::from_second(time).map(|time| time.strftime("%Y-%m").to_string()).unwrap_or_default()
}

/// The folder a file stands in; empty for the root.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
