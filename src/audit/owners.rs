//! Who owns the repository, as far as its own files say: what comes from the same owner is nobody else's.

use std::collections::BTreeSet;

use crate::repo_map::RepoMap;
use crate::tree::Tree;

/// Owners that the repository names as its own, in lower case: in `repository` of its manifests, in the badges of its workflows, and in
/// links of the README to a repository that is called like a package of this one.
pub fn owners(map: &RepoMap, tree: &dyn Tree) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut note = |text: &str| {
        let Some((_, rest)) = text.split_once("github.com") else { return };
        let owner: String =
            rest.trim_start_matches([':', '/']).chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
        if !owner.is_empty() {
            found.insert(owner.to_lowercase());
        }
    };
    let manifests = map.recon.packages.iter().map(|package| package.manifest.as_str());
    for path in ["package.json", "Cargo.toml"].into_iter().chain(manifests) {
        let text = tree.text(path).unwrap_or_default();
        let mut after = 0;
        for line in text.lines() {
            let key = line.trim_start().trim_start_matches('"');
            if key.starts_with("repository") || key.starts_with("homepage") || key.starts_with("bugs") {
                // `"repository": {` says the address on one of the next lines.
                after = 4;
            }
            if after > 0 {
                after -= 1;
                note(line);
            }
        }
    }
    let readme = tree.text("README.md").unwrap_or_default();
    for (at, _) in readme.match_indices("/actions/workflow") {
        let start = readme[..at].rfind("github.com").unwrap_or(at);
        if at - start < 120 {
            note(&readme[start..at]);
        }
    }
    for (at, _) in readme.match_indices("github.com/") {
        let mut parts = readme[at..].split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'));
        let name = parts.nth(2).unwrap_or_default();
        if map.recon.packages.iter().any(|package| package.name == name) {
            note(&readme[at..]);
        }
    }
    found
}
