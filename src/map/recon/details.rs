//! Details of recon that single rules ask about: workflows, tasks, claims of documents.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::{prose, tasks, workflows};
use crate::repo_map::recon::{Document, Package, Recon};

/// Fills in what the first pass over manifests and documents leaves open.
///
/// `paths` are the files of the repository; `text` reads one.
pub(super) fn fill(recon: &mut Recon, paths: &BTreeSet<&str>, text: &(dyn Fn(&str) -> Option<String> + Sync)) {
    recon.workflows = paths
        .par_iter()
        .filter(|path| is_workflow(path))
        .filter_map(|path| workflows::read(path, &text(path)?))
        .collect();
    recon.task_files = paths
        .par_iter()
        .filter_map(|path| Some((path, tasks::runner_of(path)?)))
        .filter_map(|(path, runner)| Some(tasks::read(path, runner, &text(path)?)))
        .collect();
    recon.documents.par_iter_mut().for_each(|document| fill_document(document, text));
    recon.packages.par_iter_mut().for_each(|package| fill_package(package, text));
}

fn is_workflow(path: &str) -> bool {
    path.strip_prefix(".github/workflows/")
        .is_some_and(|name| !name.contains('/') && (name.ends_with(".yml") || name.ends_with(".yaml")))
}

fn fill_document(document: &mut Document, text: &(dyn Fn(&str) -> Option<String> + Sync)) {
    if !document.path.ends_with(".md") && !document.path.ends_with(".markdown") {
        return;
    }
    if let Some(text) = text(&document.path) {
        let prose = prose::read(&text);
        document.links = prose.links;
        document.commands = prose.commands;
    }
}

fn fill_package(package: &mut Package, text: &(dyn Fn(&str) -> Option<String> + Sync)) {
    let Some(text) = text(&package.manifest) else { return };
    if package.manifest.ends_with("package.json") {
        package.scripts = tasks::scripts(&text);
        package.publishable = serde_json::from_str::<serde_json::Value>(&text)
            .is_ok_and(|manifest| manifest.get("private") != Some(&true.into()) && manifest.get("version").is_some());
    } else if let Ok(manifest) = text.parse::<toml::Table>() {
        let own = manifest.get("package").and_then(toml::Value::as_table);
        package.publishable = own.is_some_and(|own| own.get("publish") != Some(&toml::Value::Boolean(false)));
    }
}
