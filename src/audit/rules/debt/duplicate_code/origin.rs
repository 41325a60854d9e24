//! Code that is repeated for a reason: where it came from says that nobody keeps the copies by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::MIN_RUN;
use crate::audit::clones::{Clone2, Stretch};
use crate::audit::place;
use crate::audit::rules::debt::clone_family::Body;
use crate::audit::rules::debt::unused_file::is_of_kit;
use crate::audit::text::folder_of;
use crate::repo_map::facts::{CommentKind, LanguageName};
use crate::repo_map::{FileId, RepoMap};

/// Put out by a tool, as the folder says, or of a kit that is copied in whole.
pub fn is_from_elsewhere(map: &RepoMap, path: &str) -> bool {
    let by_tool = || folder_of(path).split('/').any(|part| matches!(part, "generated" | "gen" | "__generated__"));
    let of_kit = || map.recon.package_in(path, false).is_some_and(|package| is_of_kit(map, &package.folder, path));
    // `util.js` beside `util.ts`: what the compiler made of it.
    let compiled = || {
        let stem = [".js", ".mjs", ".cjs", ".jsx"].iter().find_map(|end| path.strip_suffix(end));
        stem.is_some_and(|stem| [".ts", ".mts", ".cts", ".tsx"].iter().any(|end| map.has_path(&format!("{stem}{end}"))))
    };
    by_tool() || of_kit() || compiled()
}

/// Whether a comment above a function, or above the type's functions it is one of, names the address it was adapted from: who follows
/// another's code keeps its shape.
pub fn follows_upstream(map: &RepoMap, body: &Body) -> bool {
    /// Lines of a head: what is said there is said of the whole file.
    const HEAD: u32 = 15;
    /// From the head of an `impl` or a class to its first function.
    const NEAR: u32 = 3;
    let facts = &map.file(body.file).facts;
    let Some(first) = body.lines.first() else { return false };
    let own = body.symbol.map(|index| &facts.symbols[index as usize]);
    facts.comments.iter().filter(|comment| comment.kind == CommentKind::Origin).any(|comment| {
        let said = comment.applies_to;
        let next = facts.symbols.iter().filter(|symbol| symbol.kind.is_callable() && symbol.lines.start >= said);
        let next = next.min_by_key(|symbol| symbol.lines.start).filter(|next| next.lines.start <= said + NEAR);
        let of_same_type = || {
            next.zip(own).is_some_and(|(next, own)| {
                next.lines.start > said && next.member_of.is_some() && next.member_of == own.member_of
            })
        };
        let is_above = said <= first.line && first.line <= said + NEAR;
        comment.line <= HEAD && comment.line < first.line && next.is_none()
            || is_above
            || of_same_type()
            || own.is_some_and(|own| own.lines.contains(said))
    })
}

/// `post.workflow.v1.0.8.ts` and `post.workflow.v1.0.9.ts`, `routes/v1/users.ts` and `routes/v2/users.ts`, `index.rs` and
/// `new_index.rs`: an old version is kept as it is for those who still use it, or until the new one has taken its place.
pub fn are_versions(left: &str, right: &str) -> bool {
    static VERSION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?:^|[/._-])(?:v|since_)\d+(?:[._]\d+)*(?:$|[/._-])|/(?:new|old|legacy)[_-]|/legacy/")
            .expect("the pattern is tested")
    });
    let bare = |path: &str| VERSION.replace(path, "/").into_owned();
    left != right && (VERSION.is_match(left) || VERSION.is_match(right)) && bare(left) == bare(right)
        || are_levels(left, right)
}

/// `migration_data/dl8/groups.rs` and `migration_data/dl9/groups.rs`: below a folder of migrations, folders told apart by a number.
fn are_levels(left: &str, right: &str) -> bool {
    let bare = |part: &str| part.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let mut of_migrations = false;
    let mut levels = 0;
    for (own, other) in left.split('/').zip(right.split('/')) {
        if own != other {
            levels += usize::from(of_migrations && bare(own) == bare(other) && !bare(own).is_empty());
            return levels == 1;
        }
        of_migrations |= place::words(own).iter().any(|word| matches!(word.as_str(), "migration" | "migrations"));
    }
    false
}

/// `LegacyExpander::expand` beside `Expander::expand`: the one is kept as it is for those who still use it.
pub fn is_one_kept_for_old_users(map: &RepoMap, bodies: &[Body], clone: &Clone2) -> bool {
    let says_so = |side: Stretch| {
        let body = &bodies[side.sequence];
        let symbol = body.symbol.map(|index| &map.file(body.file).facts.symbols[index as usize]);
        symbol.is_some_and(|symbol| {
            let words = place::words(&symbol.qualified);
            words.iter().any(|word| matches!(word.as_str(), "legacy" | "deprecated" | "old" | "compat"))
        })
    };
    says_so(clone.left) != says_so(clone.right)
}

/// `mig_5_to_6`, `migrate_v3`: what a database went through once stays as it was.
pub fn is_step(map: &RepoMap, body: &Body) -> bool {
    let Some(index) = body.symbol else { return false };
    let words = place::words(&map.file(body.file).facts.symbols[index as usize].name);
    let is_number = |word: &String| word.trim_start_matches('v').parse::<u32>().is_ok();
    matches!(words.first().map(String::as_str), Some("mig" | "migrate" | "migration" | "upgrade"))
        && words.iter().any(is_number)
}

/// Below a folder that is packed and shipped alone, as a Helm chart is: it can use nothing from outside.
pub fn is_packed(map: &RepoMap, path: &str) -> bool {
    let mut folder = folder_of(path);
    while !folder.is_empty() {
        if map.has_path(&format!("{folder}/Chart.yaml")) {
            return true;
        }
        folder = folder_of(folder);
    }
    false
}

/// Files that hold all there is in two or more others, and import none of them: a bundler put them together.
pub fn bundles(map: &RepoMap, bodies: &[Body], clones: &[Clone2]) -> BTreeSet<FileId> {
    let whole = |side: Stretch| side.len() * 10 >= bodies[side.sequence].lines.len() * 9;
    // Which functions of a file stand as a whole in another.
    let mut held: BTreeMap<(FileId, FileId), BTreeSet<usize>> = BTreeMap::new();
    for clone in clones.iter().filter(|clone| clone.exact * 10 >= clone.left.len().max(clone.right.len()) * 8) {
        let (left, right) = (bodies[clone.left.sequence].file, bodies[clone.right.sequence].file);
        for (own, side, other) in [(left, clone.left, right), (right, clone.right, left)] {
            if own != other && whole(side) {
                held.entry((other, own)).or_default().insert(side.sequence);
            }
        }
    }
    let long = |file: FileId| bodies.iter().filter(|body| body.file == file && body.lines.len() >= MIN_RUN).count();
    let mut modules: BTreeMap<FileId, usize> = BTreeMap::new();
    for ((holder, module), functions) in &held {
        if functions.len() >= long(*module) && long(*holder) > long(*module) {
            *modules.entry(*holder).or_default() += 1;
        }
    }
    let imports_ours = |file: FileId| map.file(file).facts.imports.iter().any(|import| import.source.starts_with('.'));
    let is_script = |file: FileId| map.file(file).language == LanguageName::JavaScript;
    modules
        .into_iter()
        .filter(|(file, count)| *count >= 2 && is_script(*file) && !imports_ours(*file))
        .map(|(file, _)| file)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::are_versions;

    #[test]
    fn versions_differ_in_their_number_alone() {
        assert!(are_versions("src/post.workflow.v1.0.8.ts", "src/post.workflow.v1.0.9.ts"));
        assert!(are_versions("routes/v1/users.ts", "routes/v2/users.ts"));
        assert!(are_versions("src/facet/incremental.rs", "src/facet/new_incremental.rs"));
        assert!(are_versions("src/legacy/users.ts", "src/users.ts"));
        assert!(are_versions("src/since_0_17_0/hooks.rs", "src/since_0_18_0/hooks.rs"));
        assert!(!are_versions("src/news/users.ts", "src/users.ts"));
        assert!(!are_versions("routes/v1/users.ts", "routes/v1/users.ts"), "one file is no two versions");
        assert!(!are_versions("routes/v1/users.ts", "routes/v2/orders.ts"));
        assert!(!are_versions("src/ipv4.rs", "src/ipv6.rs"), "a number alone is no version");
    }
}
