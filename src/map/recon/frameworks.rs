//! Libraries that decide how code is written here, known by the dependency that brings them.

use std::collections::BTreeSet;

use crate::repo_map::recon::{Package, PackageManager};

/// Dependency in the npm registry → name of what it brings.
const NODE: &[(&str, &str)] = &[
    ("next", "next"),
    ("react", "react"),
    ("preact", "preact"),
    ("vue", "vue"),
    ("nuxt", "nuxt"),
    ("svelte", "svelte"),
    ("@sveltejs/kit", "sveltekit"),
    ("@angular/core", "angular"),
    ("solid-js", "solid"),
    ("astro", "astro"),
    ("react-router", "react-router"),
    ("@remix-run/react", "remix"),
    ("@remix-run/node", "remix"),
    ("gatsby", "gatsby"),
    ("express", "express"),
    ("fastify", "fastify"),
    ("hono", "hono"),
    ("koa", "koa"),
    ("@nestjs/core", "nestjs"),
    ("@hapi/hapi", "hapi"),
    ("@prisma/client", "prisma"),
    ("prisma", "prisma"),
    ("drizzle-orm", "drizzle"),
    ("typeorm", "typeorm"),
    ("sequelize", "sequelize"),
    ("mongoose", "mongoose"),
    ("knex", "knex"),
    ("kysely", "kysely"),
    ("@mikro-orm/core", "mikro-orm"),
    ("pg", "pg"),
    ("@trpc/server", "trpc"),
    ("@trpc/client", "trpc"),
    ("graphql", "graphql"),
    ("@apollo/server", "apollo"),
    ("zod", "zod"),
    ("tailwindcss", "tailwind"),
    ("vite", "vite"),
    ("webpack", "webpack"),
    ("esbuild", "esbuild"),
    ("rollup", "rollup"),
    ("tsup", "tsup"),
    ("vitest", "vitest"),
    ("jest", "jest"),
    ("mocha", "mocha"),
    ("ava", "ava"),
    ("@playwright/test", "playwright"),
    ("cypress", "cypress"),
    ("storybook", "storybook"),
    ("turbo", "turborepo"),
    ("nx", "nx"),
    ("lerna", "lerna"),
    ("electron", "electron"),
    ("react-native", "react-native"),
    ("expo", "expo"),
    ("redux", "redux"),
    ("@reduxjs/toolkit", "redux"),
    ("zustand", "zustand"),
    ("@tanstack/react-query", "tanstack-query"),
    ("bullmq", "bullmq"),
    ("socket.io", "socket.io"),
    ("typescript", "typescript"),
    ("eslint", "eslint"),
    ("@biomejs/biome", "biome"),
    ("prettier", "prettier"),
    ("inngest", "inngest"),
    ("next-auth", "next-auth"),
];

/// Crate → name of what it brings.
const CRATES: &[(&str, &str)] = &[
    ("axum", "axum"),
    ("actix-web", "actix-web"),
    ("rocket", "rocket"),
    ("warp", "warp"),
    ("poem", "poem"),
    ("hyper", "hyper"),
    ("tonic", "tonic"),
    ("tower", "tower"),
    ("tokio", "tokio"),
    ("async-std", "async-std"),
    ("smol", "smol"),
    ("rayon", "rayon"),
    ("sqlx", "sqlx"),
    ("diesel", "diesel"),
    ("sea-orm", "sea-orm"),
    ("rusqlite", "rusqlite"),
    ("tokio-postgres", "tokio-postgres"),
    ("mongodb", "mongodb"),
    ("redis", "redis"),
    ("reqwest", "reqwest"),
    ("serde", "serde"),
    ("clap", "clap"),
    ("tauri", "tauri"),
    ("bevy", "bevy"),
    ("leptos", "leptos"),
    ("yew", "yew"),
    ("dioxus", "dioxus"),
    ("ratatui", "ratatui"),
    ("iced", "iced"),
    ("egui", "egui"),
    ("tracing", "tracing"),
    ("anyhow", "anyhow"),
    ("thiserror", "thiserror"),
    ("eyre", "eyre"),
    ("color-eyre", "eyre"),
    ("async-graphql", "async-graphql"),
    ("juniper", "juniper"),
    ("proptest", "proptest"),
    ("criterion", "criterion"),
    ("insta", "insta"),
    ("wasm-bindgen", "wasm-bindgen"),
    ("pyo3", "pyo3"),
    ("napi", "napi"),
];

/// What the dependencies of `packages` bring, sorted.
pub(super) fn of(packages: &[Package]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for package in packages {
        let table = if package.manager == PackageManager::Cargo { CRATES } else { NODE };
        let names = package.dependencies.iter().map(|dependency| dependency.name.as_str());
        // A framework's own repository is written in its own manner.
        for name in names.chain([package.name.as_str()]) {
            found.extend(
                table
                    .iter()
                    .filter(|(dependency, _)| *dependency == name)
                    .map(|(_, framework)| (*framework).to_owned()),
            );
        }
    }
    found.into_iter().collect()
}
