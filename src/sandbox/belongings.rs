//! What an agent CLI brings along, beside what every command has: its program, its login, what it remembers.

use std::fs;
use std::path::{Path, PathBuf};

/// What is an agent's own. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Belongings {
    /// The program: the folder it is installed in is read.
    pub program: PathBuf,
    /// Folders it reads and writes: its login, which is renewed now and then, and its sessions.
    pub homes: Vec<PathBuf>,
    /// Below any of those, what says what it runs: it is read only, since it would hold outside of the sandbox, next time. `name*` is
    /// whatever is there of such names.
    pub settings: Vec<PathBuf>,
    /// Files of the home folder of which it gets a copy: what it writes there is lost.
    pub copies: Vec<PathBuf>,
    /// Further files and folders it reads.
    pub reads: Vec<PathBuf>,
    /// It only reads the folder it is in.
    pub only_reads: bool,
    /// It confines what it runs by namespaces of its own.
    pub nests: bool,
}

impl Belongings {
    /// Where its settings are, or would be, in one of its homes.
    pub(super) fn settings_in(&self, home: &Path) -> Vec<PathBuf> {
        let beginning = |start: &str| {
            let entries = fs::read_dir(home).into_iter().flatten().flatten();
            entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(start)).map(|it| it.path()).collect()
        };
        let named = |settings: &PathBuf| match settings.to_str().and_then(|name| name.strip_suffix('*')) {
            Some(start) => beginning(start),
            None => vec![home.join(settings)],
        };
        self.settings.iter().flat_map(named).collect()
    }

    /// Where the program is installed: packages of npm lie in one folder with what they need.
    pub(super) fn program_folders(&self) -> Vec<PathBuf> {
        let resolved = self.program.canonicalize().unwrap_or_else(|_| self.program.clone());
        let of_packages = |path: &&Path| path.file_name().is_some_and(|name| name == "node_modules");
        let packages = resolved.ancestors().filter(of_packages).last();
        let folder = packages.or_else(|| {
            let folder = resolved.parent()?;
            let is_bin = folder.file_name().is_some_and(|name| name == "bin");
            if is_bin && !folder.ends_with(".local/bin") { folder.parent() } else { Some(folder) }
        });
        let beside_the_link = self.program.parent();
        folder.into_iter().chain(beside_the_link).filter(|folder| folder.is_absolute()).map(Path::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_meant_by_name_or_by_how_their_names_begin() {
        let home = tempfile::tempdir().expect("a temporary folder");
        fs::write(home.path().join("statusline-mine.sh"), "").expect("the folder is ours");
        let own = Belongings { settings: ["hooks", "statusline*"].map(PathBuf::from).into(), ..Belongings::default() };
        assert_eq!(own.settings_in(home.path()), ["hooks", "statusline-mine.sh"].map(|name| home.path().join(name)));
    }

    #[test]
    fn a_program_is_read_with_all_it_is_installed_with() {
        let folders = |program: &str| {
            let own = Belongings { program: program.into(), ..Belongings::default() };
            own.program_folders().iter().map(|folder| folder.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let package = "/x/lib/node_modules/@openai/codex/node_modules/deep/bin/codex.js";
        assert_eq!(folders(package)[0], "/x/lib/node_modules");
        assert_eq!(folders("/x/.opencode/bin/opencode")[0], "/x/.opencode");
        assert_eq!(folders("/x/.local/bin/claude"), ["/x/.local/bin", "/x/.local/bin"]);
        assert_eq!(folders("/x/.local/share/claude/versions/2.1.197")[0], "/x/.local/share/claude/versions");
    }
}
