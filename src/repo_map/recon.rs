//! Project facts: what a newcomer would look up before the first change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod declared;
pub mod prose;
pub mod task;
pub mod workflow;

use declared::Declared;
use prose::{DocumentCommand, DocumentLink};
use task::{Script, TaskFile};
use workflow::Workflow;

/// Facts about the project that do not come from its source code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recon {
    /// Packages, the root first, then by folder.
    pub packages: Vec<Package>,
    /// Frameworks and libraries that decide how code is written here (`next`, `axum`, `prisma`, …), sorted.
    pub frameworks: Vec<String>,
    /// Documents that state intent (README, AGENTS.md, ADRs, …), sorted by path.
    pub documents: Vec<Document>,
    /// Continuous integration files, sorted.
    pub ci_files: Vec<String>,
    /// Deployment hints (Dockerfile, fly.toml, vercel.json, …), sorted.
    pub deployment: Vec<String>,
    /// GitHub Actions workflows, sorted by path; files that are no YAML are left out.
    pub workflows: Vec<Workflow>,
    /// Makefiles and the like, sorted by path.
    pub task_files: Vec<TaskFile>,
    /// What the project's settings say about its own functions.
    #[serde(skip)]
    pub declared: Declared,
}

/// A package: a folder with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Package {
    /// The name in the manifest; the folder's name when it has none.
    pub name: String,
    /// Folder, `""` for the root.
    pub folder: String,
    /// The manifest's path.
    pub manifest: String,
    /// Who installs and runs it.
    pub manager: PackageManager,
    /// It declares a workspace.
    pub workspace_root: bool,
    /// It belongs to a workspace whose root is this folder.
    pub member_of: Option<String>,
    /// Direct dependencies.
    pub dependencies: Vec<Dependency>,
    /// Commands, in the order of [`CommandPurpose`].
    pub commands: Vec<ProjectCommand>,
    /// Files that start something or that users import: bin and main targets, `exports`, `main`.
    pub entry_points: Vec<String>,
    /// Scripts of a `package.json`, in its order.
    pub scripts: Vec<Script>,
    /// It may be published: neither `"private": true` nor `publish = false`, and it states a version.
    pub publishable: bool,
}

/// Who installs and runs a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PackageManager {
    /// Cargo.
    Cargo,
    /// npm.
    Npm,
    /// pnpm.
    Pnpm,
    /// Yarn.
    Yarn,
    /// Bun.
    Bun,
}

impl PackageManager {
    /// The name of its program.
    pub fn program(self) -> &'static str {
        match self {
            PackageManager::Cargo => "cargo",
            PackageManager::Npm => "npm",
            PackageManager::Pnpm => "pnpm",
            PackageManager::Yarn => "yarn",
            PackageManager::Bun => "bun",
        }
    }
}

/// A direct dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dependency {
    /// Its name in the registry.
    pub name: String,
    /// The name the code uses, where the manifest renames it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The requirement as written; `workspace` where it is inherited from a manifest that is not there.
    pub requirement: String,
    /// Which section it stands in.
    pub kind: DependencyKind,
    /// The line of the manifest.
    pub line: u32,
    /// It comes from a git repository rather than a registry.
    pub git: Option<GitSource>,
}

impl Package {
    /// A path of the repository as seen from the package's folder; `None` when it is outside of it.
    pub fn inside<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.folder.is_empty() {
            return Some(path);
        }
        // A look at one byte refuses most paths before the folders are compared.
        let is_folder = path.as_bytes().get(self.folder.len()) == Some(&b'/');
        if is_folder { path.strip_prefix(self.folder.as_str())?.strip_prefix('/') } else { None }
    }
}

impl Dependency {
    /// The name it is listed under, which is the one the code uses.
    pub fn listed_name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

/// A dependency that is fetched from a git repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitSource {
    /// The repository's address, as written.
    pub url: String,
    /// What it is held at, as written; `None` follows the default branch.
    pub reference: Option<GitReference>,
    /// The manifest that says so: another one for a dependency inherited from the workspace.
    pub manifest: String,
    /// The line there.
    pub line: u32,
}

/// What a git dependency is held at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GitReference {
    /// A commit.
    Rev(String),
    /// A tag.
    Tag(String),
    /// A branch: it moves.
    Branch(String),
}

/// Which section of the manifest a dependency stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DependencyKind {
    /// Needed at run time.
    Normal,
    /// Needed by tests and tools.
    Dev,
    /// Needed by build scripts.
    Build,
    /// `peerDependencies`.
    Peer,
    /// Optional.
    Optional,
}

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CommandPurpose {
    /// Fetch dependencies.
    Install,
    /// Build.
    Build,
    /// Check types without building.
    Typecheck,
    /// Run the tests.
    Test,
    /// Lint.
    Lint,
    /// Check formatting.
    Format,
}

impl CommandPurpose {
    /// The word in a plan's command table.
    pub fn label(self) -> &'static str {
        match self {
            CommandPurpose::Install => "Install",
            CommandPurpose::Build => "Build",
            CommandPurpose::Typecheck => "Typecheck",
            CommandPurpose::Test => "Tests",
            CommandPurpose::Lint => "Lint",
            CommandPurpose::Format => "Format",
        }
    }
}

/// A command that the project itself uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectCommand {
    /// What it is for.
    pub purpose: CommandPurpose,
    /// The command line, to be run in [`ProjectCommand::folder`].
    pub command: String,
    /// Folder it runs in, `""` for the root.
    pub folder: String,
    /// Where it was found: `package.json scripts.test`, `.github/workflows/ci.yml:31`, `Cargo.toml`.
    pub source: String,
}

impl ProjectCommand {
    /// The command line as it runs at the root of the repository.
    pub fn at_root(&self) -> String {
        match self.folder.as_str() {
            "" => self.command.clone(),
            folder => format!("cd {} && {}", shell_words::quote(folder), self.command),
        }
    }
}

/// A document that states intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// Its path.
    pub path: String,
    /// What kind of document.
    pub kind: DocumentKind,
    /// The first heading, if any.
    pub title: Option<String>,
    /// Links without a scheme, in order. For rules: left out of the JSON.
    #[serde(skip)]
    pub links: Vec<DocumentLink>,
    /// Commands it tells its reader to type, in order. For rules: left out of the JSON.
    #[serde(skip)]
    pub commands: Vec<DocumentCommand>,
}

/// What kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DocumentKind {
    /// README.
    Readme,
    /// AGENTS.md, CLAUDE.md, and the like.
    Agents,
    /// CONTRIBUTING.
    Contributing,
    /// An architecture decision record.
    Decision,
    /// CONTEXT, DESIGN, PRODUCT, ARCHITECTURE.
    Design,
    /// CHANGELOG.
    Changelog,
    /// Other documentation.
    Docs,
}

impl Recon {
    /// The package whose folder most closely encloses `path`.
    pub fn package_of(&self, path: &str) -> Option<&Package> {
        self.packages.iter().filter(|package| package.inside(path).is_some()).max_by_key(|package| package.folder.len())
    }

    /// The package of one ecosystem (Cargo or npm) whose folder most closely encloses `path`: a folder may hold a
    /// `Cargo.toml` and a `package.json`.
    pub fn package_in(&self, path: &str, cargo: bool) -> Option<&Package> {
        self.packages
            .iter()
            .filter(|package| (package.manager == PackageManager::Cargo) == cargo)
            .filter(|package| package.inside(path).is_some())
            .max_by_key(|package| package.folder.len())
    }

    /// The command for `purpose` nearest to `path`: its package's own, else that of the packages around it.
    pub fn command_for(&self, purpose: CommandPurpose, path: &str) -> Option<&ProjectCommand> {
        let mut enclosing: Vec<&Package> =
            self.packages.iter().filter(|package| package.inside(path).is_some()).collect();
        enclosing.sort_by_key(|package| std::cmp::Reverse(package.folder.len()));
        enclosing.into_iter().flat_map(|package| &package.commands).find(|command| command.purpose == purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_a_package_runs_at_the_root_in_its_folder() {
        let command = |folder: &str| ProjectCommand {
            purpose: CommandPurpose::Install,
            command: "npm ci".to_owned(),
            folder: folder.to_owned(),
            source: "package-lock.json".to_owned(),
        };
        assert_eq!(command("").at_root(), "npm ci");
        assert_eq!(command("apps/my api").at_root(), "cd 'apps/my api' && npm ci");
    }
}
