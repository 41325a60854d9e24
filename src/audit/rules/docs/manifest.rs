//! What manifests say of versions: the package's own, and the oldest Node.js and Rust it is made for.

use crate::audit::text::{folder_of, join_path};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::{Package, PackageManager};
use crate::tree::Tree;

/// A version with the file that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// `1.85`, `20.10.0`.
    pub version: String,
    /// The file, with the key where it has keys: `` `Cargo.toml` `` or `` `engines` of `package.json` ``.
    pub place: String,
}

/// A package as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// Who installs it.
    pub manager: PackageManager,
    /// Its version, and where that is said.
    pub said: Said,
}

/// The versions of packages that may be published; those in the making and those that a release fills in are left out.
pub fn releases(map: &RepoMap, tree: &dyn Tree) -> Vec<Release> {
    let own = |package: &Package| -> Option<Release> {
        let version = version_of(package, tree)?;
        let parsed = semver::Version::parse(&version).ok()?;
        let is_real = parsed.pre.is_empty() && (parsed.major, parsed.minor, parsed.patch) != (0, 0, 0);
        let said = Said { version, place: format!("`{}`", package.manifest) };
        is_real.then(|| Release { name: package.name.clone(), manager: package.manager, said })
    };
    map.recon.packages.iter().filter(|package| package.publishable).filter_map(own).collect()
}

fn version_of(package: &Package, tree: &dyn Tree) -> Option<String> {
    let text = tree.text(&package.manifest)?;
    match package.manager {
        PackageManager::Cargo => from_cargo(package, tree, &text, "version"),
        PackageManager::Npm | PackageManager::Pnpm | PackageManager::Yarn | PackageManager::Bun => {
            json(&text)?.get("version")?.as_str().map(str::to_owned)
        }
    }
}

/// A key of `[package]`, inherited from the workspace where it says so.
fn from_cargo(package: &Package, tree: &dyn Tree, text: &str, key: &str) -> Option<String> {
    let manifest = text.parse::<toml::Table>().ok()?;
    let value = manifest.get("package")?.get(key)?;
    if let Some(own) = value.as_str() {
        return Some(own.to_owned());
    }
    let root = match &package.member_of {
        Some(root) => join_path(root, "Cargo.toml")?,
        None => package.manifest.clone(),
    };
    let root = tree.text(&root)?.parse::<toml::Table>().ok()?;
    root.get("workspace")?.get("package")?.get(key)?.as_str().map(str::to_owned)
}

fn json(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
}

/// The oldest Rust the package at `folder`, or the one around it, says it builds with.
pub fn oldest_rust(map: &RepoMap, tree: &dyn Tree, folder: &str) -> Option<Said> {
    around(map, folder, true).into_iter().find_map(|package| {
        let text = tree.text(&package.manifest)?;
        let version = from_cargo(package, tree, &text, "rust-version").or_else(|| {
            Some(
                text.parse::<toml::Table>()
                    .ok()?
                    .get("workspace")?
                    .get("package")?
                    .get("rust-version")?
                    .as_str()?
                    .to_owned(),
            )
        })?;
        Some(Said { version, place: format!("`rust-version` of `{}`", package.manifest) })
    })
}

/// The oldest Node.js the package at `folder`, or the one around it, says it runs on. A private root says what developing the
/// packages of its workspace takes: their users may do with less, so that the least of all counts.
pub fn oldest_node(map: &RepoMap, tree: &dyn Tree, folder: &str) -> Option<Said> {
    let said = |package: &Package| {
        let manifest = json(&tree.text(&package.manifest)?)?;
        let range = manifest.get("engines")?.get("node")?.as_str()?;
        Some(Said { version: floor(range)?, place: format!("`engines` of `{}`", package.manifest) })
    };
    let (package, own) = around(map, folder, false).into_iter().find_map(|package| Some((package, said(package)?)))?;
    if package.publishable || !package.workspace_root {
        return Some(own);
    }
    let members =
        map.recon.packages.iter().filter(|member| member.publishable && member.manager != PackageManager::Cargo);
    members.filter_map(said).chain([own]).min_by_key(|said| numbers(&said.version))
}

/// The Node.js that version managers give to whoever works in `folder`: users of the package may do with less.
pub fn pinned_node(tree: &dyn Tree, folder: &str) -> Option<Said> {
    pinned(tree, folder, &[".nvmrc", ".node-version"], |text| Some(text.to_owned()))
}

/// The Rust that rustup gives to whoever works in `folder`.
pub fn pinned_rust(tree: &dyn Tree, folder: &str) -> Option<Said> {
    pinned(tree, folder, &["rust-toolchain.toml", "rust-toolchain"], |text| match text.parse::<toml::Table>() {
        Ok(table) => Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned()),
        Err(_) => Some(text.to_owned()),
    })
}

/// The version that the nearest of these files names, from `folder` outwards; a name such as `lts/*` or `stable` is none.
fn pinned(tree: &dyn Tree, folder: &str, names: &[&str], read: impl Fn(&str) -> Option<String>) -> Option<Said> {
    let mut here = folder;
    loop {
        for name in names {
            let path = join_path(here, name)?;
            let Some(text) = tree.text(&path) else { continue };
            let version = read(text.trim())?.trim().trim_start_matches('v').to_owned();
            let is_plain = version.split('.').all(|part| part.parse::<u64>().is_ok());
            return is_plain.then(|| Said { version, place: format!("`{path}`") });
        }
        if here.is_empty() {
            return None;
        }
        here = folder_of(here);
    }
}

/// Packages of one ecosystem from `folder` outwards.
fn around<'m>(map: &'m RepoMap, folder: &str, cargo: bool) -> Vec<&'m Package> {
    let mut found = Vec::new();
    let mut here = folder;
    loop {
        let is_own = |package: &&Package| package.folder == here && (package.manager == PackageManager::Cargo) == cargo;
        found.extend(map.recon.packages.iter().filter(is_own));
        if here.is_empty() {
            return found;
        }
        here = folder_of(here);
    }
}

/// The lowest version of a range: `>=20.10 <23`, `^18 || >=20`.
fn floor(range: &str) -> Option<String> {
    range
        .split("||")
        .filter_map(|part| {
            let first = part.trim().split([' ', ',']).find(|word| word.chars().any(|c| c.is_ascii_digit()))?;
            // `<23` alone says nothing about the oldest.
            (!first.starts_with('<') && !part.trim_start().starts_with('<')).then_some(first)
        })
        .map(|word| word.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(".x").to_owned())
        .min_by_key(|version| numbers(version))
}

/// The numbers of a version, as many as it has.
pub fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_version_of_a_range_is_found() {
        assert_eq!(floor(">=20.10 <23").as_deref(), Some("20.10"));
        assert_eq!(floor("^20 || >= 18.12.0").as_deref(), Some("18.12.0"));
        assert_eq!(floor("18.x").as_deref(), Some("18"));
        assert_eq!(floor("<23"), None);
        assert_eq!(floor("*"), None);
    }
}
