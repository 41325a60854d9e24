//! Whom a guide is for, and which files concern them: as far as the map can tell areas apart.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::effects::Effect;
use crate::effects::Effects;
use crate::effects::entry::EntryKind;
use crate::effects::entry::start::RUST_SERVERS;
use crate::repo_map::facts::CallKind;
use crate::repo_map::recon::Package;
use crate::repo_map::{FileId, FileRole, RepoMap, SourceFile};

/// An area that somebody works in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What answers requests and does jobs.
    Backend,
    /// What people see in a browser.
    Frontend,
    /// Builds, continuous integration, deployment.
    Infrastructure,
    /// Schemas, migrations, queries.
    Data,
    /// Tests and what they stand on.
    Tests,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 5] = [Role::Backend, Role::Frontend, Role::Infrastructure, Role::Data, Role::Tests];

    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Role::Backend => "backend",
            Role::Frontend => "frontend",
            Role::Infrastructure => "infrastructure",
            Role::Data => "data",
            Role::Tests => "tests",
        }
    }
}

/// Packages that draw what people see.
const FRONTEND: &[&str] = &[
    "react",
    "react-dom",
    "next",
    "vue",
    "nuxt",
    "svelte",
    "@sveltejs/kit",
    "solid-js",
    "preact",
    "@angular/core",
    "@builder.io/qwik",
    "lit",
    "astro",
    "@remix-run/react",
    "react-router-dom",
    "react-native",
    "yew",
    "leptos",
    "dioxus",
    "sycamore",
];
/// Packages that answer requests in Node.
const SERVERS: &[&str] = &[
    "express",
    "fastify",
    "koa",
    "hono",
    "@hapi/hapi",
    "@nestjs/core",
    "@trpc/server",
    "@apollo/server",
    "elysia",
    "restify",
    "graphql-yoga",
    "@hono/node-server",
];
/// Folders of code that runs in a browser.
const FRONTEND_FOLDERS: &[&str] = &["components", "hooks", "frontend", "client", "ui", "views", "styles", "web"];
/// Folders of code that runs on a server.
const BACKEND_FOLDERS: &[&str] = &[
    "api",
    "server",
    "backend",
    "services",
    "routes",
    "controllers",
    "queries",
    "models",
    "middleware",
    "middlewares",
    "jobs",
    "workers",
    "trpc",
];
/// Folders of configuration for running the software.
const INFRASTRUCTURE_FOLDERS: &[&str] = &[
    ".github",
    "infra",
    "infrastructure",
    "deploy",
    "deployment",
    "docker",
    "k8s",
    "kubernetes",
    "terraform",
    "helm",
    "ansible",
    "scripts",
    "ci",
    "xtask",
];

/// Which file belongs to which area.
#[derive(Debug, Clone, Default)]
pub struct Areas {
    files: Vec<BTreeSet<Role>>,
    present: BTreeSet<Role>,
}

impl Areas {
    /// The areas of the files of `map`.
    pub fn of(map: &RepoMap, effects: &Effects) -> Areas {
        let mut files: Vec<BTreeSet<Role>> = vec![BTreeSet::new(); map.files.len()];
        for (id, file) in map.files_with_ids() {
            files[id as usize].extend(kind_of(map, id, file));
        }
        for entry in &effects.entries.list {
            let own = &mut files[entry.handler.file() as usize];
            match entry.kind {
                EntryKind::Route
                | EntryKind::Procedure
                | EntryKind::Resolver
                | EntryKind::Job
                | EntryKind::Schedule => {
                    own.insert(Role::Backend);
                }
                EntryKind::Page | EntryKind::Command => {}
            }
        }
        for (call, direct) in &effects.direct {
            let is_data = |effect: Effect| matches!(effect, Effect::DbRead | Effect::DbWrite);
            if map.file(call.file).role == FileRole::Production && direct.iter().any(|direct| is_data(direct.effect)) {
                files[call.file as usize].insert(Role::Data);
            }
        }
        let mut present: BTreeSet<Role> = files.iter().flatten().copied().collect();
        if !serves(map, effects) {
            present.remove(&Role::Backend);
        }
        if !map.recon.deployment.is_empty() || !map.recon.ci_files.is_empty() {
            present.insert(Role::Infrastructure);
        }
        Areas { files, present }
    }

    /// Whether a file belongs to an area.
    pub fn holds(&self, file: FileId, role: Role) -> bool {
        self.files[file as usize].contains(&role)
    }

    /// Whether the repository has such an area.
    pub fn has(&self, role: Role) -> bool {
        self.present.contains(&role)
    }

    /// The areas that the repository has.
    pub fn roles(&self) -> Vec<Role> {
        self.present.iter().copied().collect()
    }
}

/// Whether anything answers requests or takes jobs.
fn serves(map: &RepoMap, effects: &Effects) -> bool {
    effects.entries.list.iter().any(|entry| match entry.kind {
        EntryKind::Route | EntryKind::Procedure | EntryKind::Resolver | EntryKind::Job | EntryKind::Schedule => true,
        EntryKind::Page | EntryKind::Command => false,
    }) || map.recon.packages.iter().any(|package| depends(package, SERVERS) || depends(package, RUST_SERVERS))
}

fn depends(package: &Package, names: &[&str]) -> bool {
    package.dependencies.iter().any(|dependency| names.contains(&dependency.name.as_str()))
}

fn kind_of(map: &RepoMap, id: FileId, file: &SourceFile) -> Vec<Role> {
    let folders: Vec<&str> = file.path.split('/').rev().skip(1).collect();
    let stands_in = |names: &[&str]| folders.iter().any(|folder| names.contains(folder));
    let infrastructure = file.role == FileRole::Script || stands_in(INFRASTRUCTURE_FOLDERS);
    match file.role {
        FileRole::Test => vec![Role::Tests],
        FileRole::Migration => vec![Role::Data],
        FileRole::Script => vec![Role::Infrastructure],
        FileRole::Example | FileRole::Generated => Vec::new(),
        FileRole::Production if infrastructure => vec![Role::Infrastructure],
        FileRole::Production => {
            let package = map.recon.package_of(&file.path);
            let draws = package.is_some_and(|package| depends(package, FRONTEND));
            let jsx = map.file(id).facts.calls.iter().any(|call| call.kind == CallKind::Jsx);
            let serves = package.is_some_and(|package| depends(package, SERVERS) || depends(package, RUST_SERVERS));
            match (draws, serves) {
                (true, _) if jsx || stands_in(FRONTEND_FOLDERS) && !stands_in(BACKEND_FOLDERS) => vec![Role::Frontend],
                (true, false) if !stands_in(BACKEND_FOLDERS) => vec![Role::Frontend],
                (true, _) => vec![Role::Backend],
                (false, true) => vec![Role::Backend],
                (false, false) if stands_in(BACKEND_FOLDERS) || !file.language.is_ecmascript() => vec![Role::Backend],
                (false, false) => Vec::new(),
            }
        }
    }
}
