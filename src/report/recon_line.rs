//! What a repository is, in one line: said as soon as its files are listed, before they are read.

use super::layout::{Page, count, cut, paint, style, width};
use super::sanitize;
use crate::progress::Listed;
use crate::repo_map::recon::{CommandPurpose, PackageManager};

/// Frameworks named before the rest is left out.
const FRAMEWORKS: usize = 4;

/// `shop: 120 TypeScript files · pnpm workspace of 12 packages · next, prisma · tests by pnpm test`.
pub fn recon_line(listed: &Listed<'_>, name: &str, page: &Page) -> String {
    let Listed { languages, recon } = listed;
    let name = cut(&sanitize::line(name), page.width / 3);
    let languages: Vec<String> =
        languages.iter().map(|(language, files)| count(*files, &format!("{} file", language.title()))).collect();
    let mut parts = vec![if languages.is_empty() { "no source files".to_owned() } else { languages.join(", ") }];
    let members = recon.packages.iter().filter(|package| package.member_of.is_some()).count();
    let manager = recon.packages.first().map(|package| manager_word(package.manager));
    match (manager, members) {
        (Some(manager), 0) => parts.push(manager.to_owned()),
        (Some(manager), members) => parts.push(format!("{manager} workspace of {}", count(members, "package"))),
        (None, _) => {}
    }
    if !recon.frameworks.is_empty() {
        parts.push(recon.frameworks.iter().take(FRAMEWORKS).cloned().collect::<Vec<_>>().join(", "));
    }
    let commands = recon.packages.first().into_iter().flat_map(|package| &package.commands);
    let test = commands.into_iter().find(|command| command.purpose == CommandPurpose::Test);
    if let Some(test) = test {
        parts.push(format!("tests by {}", test.command));
    }
    let mut line = String::new();
    for part in parts.iter().map(|part| sanitize::line(part)) {
        // What does not fit is left out whole: half a command is none.
        let gap = if line.is_empty() { "" } else { " · " };
        if line.is_empty() || width(&name) + 2 + width(&line) + width(gap) + width(&part) <= page.width {
            line = format!("{line}{gap}{part}");
        }
    }
    format!("{}: {}", paint(style::STRONG, &name), cut(&line, page.width.saturating_sub(width(&name) + 2)))
}

fn manager_word(manager: PackageManager) -> &'static str {
    match manager {
        PackageManager::Cargo => "Cargo",
        PackageManager::Npm => "npm",
        PackageManager::Pnpm => "pnpm",
        PackageManager::Yarn => "Yarn",
        PackageManager::Bun => "Bun",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo_map::facts::LanguageName;
    use crate::repo_map::recon::{Package, Recon};

    fn package(folder: &str, member_of: Option<&str>) -> Package {
        Package {
            name: folder.to_owned(),
            folder: folder.to_owned(),
            manifest: "package.json".to_owned(),
            manager: PackageManager::Pnpm,
            workspace_root: member_of.is_none(),
            member_of: member_of.map(str::to_owned),
            dependencies: Vec::new(),
            commands: Vec::new(),
            entry_points: Vec::new(),
            scripts: Vec::new(),
            publishable: false,
        }
    }

    fn line(width: usize) -> String {
        let recon = Recon {
            packages: vec![package("", None), package("a", Some("")), package("b", Some(""))],
            frameworks: ["express", "next", "prisma", "react", "zod"].map(str::to_owned).to_vec(),
            ..Recon::default()
        };
        let listed =
            Listed { languages: vec![(LanguageName::TypeScript, 1200), (LanguageName::Rust, 1)], recon: &recon };
        anstream::adapter::strip_str(&recon_line(&listed, "shop", &Page::plain(width))).to_string()
    }

    #[test]
    fn a_line_says_what_the_repository_is() {
        assert_eq!(
            line(120),
            "shop: 1,200 TypeScript files, 1 Rust file · pnpm workspace of 2 packages · express, next, prisma, react"
        );
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        assert_eq!(line(80), "shop: 1,200 TypeScript files, 1 Rust file · pnpm workspace of 2 packages");
        assert_eq!(line(40), "shop: 1,200 TypeScript files, 1 Rust fi…");
    }
}
