//! Files that nobody imports and that run all the same: what frameworks and tools load by its name or place.

use std::collections::BTreeSet;

use crate::repo_map::recon::Package;

/// Where a framework looks for files: a dependency that says it is in use, and places below the package's folder.
///
/// A place that ends with `/` is a folder at any depth of which everything counts; one with `*` stands for any name of a file; any
/// other is a file without its extension. `src/` before a place is optional.
const PLACES: &[(&[&str], &[&str])] = &[
    (
        &["next"],
        &[
            "pages/",
            "middleware",
            "proxy",
            "instrumentation",
            "instrumentation-client",
            "mdx-components",
            "i18n/request",
        ],
    ),
    (
        &[
            "@remix-run/react",
            "@remix-run/node",
            "@remix-run/dev",
            "@react-router/dev",
            "@react-router/node",
            "react-router",
        ],
        &["app/routes/", "app/root", "app/entry.client", "app/entry.server", "app/entry.worker", "app/routes"],
    ),
    (&["@sveltejs/kit"], &["routes/", "params/", "hooks", "hooks.server", "hooks.client", "service-worker", "lib/"]),
    (
        &["nuxt", "nuxt3", "@nuxt/kit"],
        &[
            "pages/",
            "components/",
            "composables/",
            "layouts/",
            "middleware/",
            "plugins/",
            "server/",
            "utils/",
            "store/",
            "stores/",
            "modules/",
            "app/",
            "layers/",
            "shared/",
        ],
    ),
    (&["nitropack", "nitro", "h3", "@analogjs/platform"], &["server/", "routes/", "api/", "plugins/", "middleware/"]),
    (&["astro"], &["pages/", "content/", "actions/", "middleware", "content.config", "live.config"]),
    (
        &["@tanstack/react-router", "@tanstack/react-start", "@tanstack/solid-router", "@tanstack/start"],
        &["routes/", "router", "start", "client", "ssr", "server"],
    ),
    (&["expo-router", "expo"], &["app/"]),
    (&["gatsby"], &["pages/", "templates/", "api/", "gatsby-node", "gatsby-browser", "gatsby-ssr"]),
    (&["@docusaurus/core"], &["pages/", "theme/", "plugins/"]),
    (&["vitepress", "vuepress"], &["theme/", "components/"]),
    (
        &["@medusajs/medusa", "@medusajs/framework", "@medusajs/utils", "@medusajs/admin-sdk"],
        &[
            "api/",
            "jobs/",
            "subscribers/",
            "workflows/",
            "loaders/",
            "links/",
            "modules/",
            "admin/",
            "models/",
            "services/",
            "migrations/",
            "strategies/",
            "repositories/",
            "policies/",
        ],
    ),
    (
        &["@strapi/strapi", "strapi"],
        &[
            "api/",
            "extensions/",
            "plugins/",
            "middlewares/",
            "policies/",
            "config/",
            "database/",
            "components/",
            "admin/",
            "server/",
        ],
    ),
    (
        &["@directus/extensions-sdk", "directus", "@directus/api"],
        &[
            "extensions/",
            "interfaces/",
            "displays/",
            "layouts/",
            "modules/",
            "panels/",
            "operations/",
            "hooks/",
            "endpoints/",
        ],
    ),
    (&["@keystone-6/core", "payload"], &["collections/", "globals/"]),
    (&["@adonisjs/core"], &["app/", "start/", "providers/", "config/", "commands/", "database/", "contracts/"]),
    (
        &["@redwoodjs/core", "@redwoodjs/api", "@redwoodjs/web"],
        &["functions/", "graphql/", "services/", "directives/", "jobs/", "pages/", "layouts/"],
    ),
    (&["sails"], &["api/", "config/", "tasks/"]),
    (&["ember-source", "ember-cli"], &["app/", "addon/"]),
    (&["@angular/core"], &["environments/", "main", "polyfills", "test"]),
    (&["@feathersjs/feathers"], &["services/", "hooks/"]),
    (&["@trigger.dev/sdk"], &["trigger/", "jobs/"]),
    (&["moleculer"], &["services/", "mixins/"]),
    (&["fastify", "@fastify/autoload", "fastify-autoload"], &["routes/", "plugins/"]),
    (&["@oclif/core", "@oclif/command"], &["commands/", "hooks/"]),
    (
        &["sapphire", "@sapphire/framework", "discord.js"],
        &["commands/", "listeners/", "events/", "preconditions/", "interactions/"],
    ),
    (
        &["wxt", "plasmo"],
        &[
            "entrypoints/",
            "background/",
            "contents/",
            "content",
            "popup",
            "options",
            "background",
            "sidepanel",
            "tabs/",
        ],
    ),
    (
        &["electron", "electron-vite", "electron-builder"],
        &["main", "preload", "renderer", "main/index", "preload/index", "renderer/index"],
    ),
    (&["umi", "@umijs/max", "dumi"], &["pages/", "models/", "layouts/", "access", "app", "services/", "plugins/"]),
    (&["ice", "@ice/app"], &["pages/", "layouts/", "app", "store"]),
    (
        &[
            "rakkasjs",
            "vike",
            "vite-plugin-ssr",
            "vinxi",
            "@solidjs/start",
            "waku",
            "@builder.io/qwik-city",
            "@qwik.dev/router",
        ],
        &["pages/", "routes/", "renderer/", "entry-client", "entry-server", "app"],
    ),
    (&["blitz"], &["pages/", "app/", "queries/", "mutations/"]),
    (&["convex"], &["convex/"]),
    (&["@meteorjs/babel", "meteor-node-stubs"], &["client/", "server/", "imports/startup/", "lib/"]),
    (&["loopback", "@loopback/core"], &["controllers/", "repositories/", "models/", "observers/", "datasources/"]),
    (
        &["typeorm", "@mikro-orm/core", "sequelize", "sequelize-cli", "sequelize-typescript"],
        &["migrations/", "seeders/", "seeds/"],
    ),
];

/// Names of Next's files in `app/`.
const NEXT_APP: &[&str] = &[
    "page",
    "layout",
    "template",
    "loading",
    "error",
    "global-error",
    "not-found",
    "global-not-found",
    "forbidden",
    "unauthorized",
    "default",
    "route",
    "icon",
    "apple-icon",
    "opengraph-image",
    "twitter-image",
    "sitemap",
    "robots",
    "manifest",
];

/// Folders that hosts and tools serve or run file by file, wherever they stand.
const SERVED: &[&str] = &[
    "public",
    "static",
    "assets",
    "functions",
    "edge-functions",
    "lambdas",
    "lambda",
    "netlify",
    "supabase",
    "pocketbase",
    "hooks.d",
    "templates",
    "template",
    "views",
    "generators",
    "blueprints",
    "snippets",
    "bin",
    "scripts",
    "tools",
    "infra",
    "cdk",
    "deploy",
    "docs",
    "doc",
    "website",
    "types",
    "typings",
    "@types",
    "polyfills",
    "workers",
    "locales",
    "lang",
    "langs",
    "i18n",
    "__generated__",
    "generated",
    "vendor",
    "patches",
    "ee-stub",
    "stubs",
    "registry",
    "codemods",
    "transforms",
];

/// Folders from which programs load all files by name; a file alone there may be one that is.
pub const LOADED: &[&str] = &[
    "migrations",
    "seeds",
    "seeders",
    "subscribers",
    "jobs",
    "cron",
    "crons",
    "plugins",
    "commands",
    "loaders",
    "routes",
    "controllers",
    "models",
    "entities",
    "entity",
    "resolvers",
    "handlers",
    "listeners",
    "events",
    "tasks",
    "api",
    "middleware",
    "middlewares",
    "policies",
    "strategies",
    "providers",
    "adapters",
    "drivers",
    "extensions",
    "modules",
    "rules",
    "presets",
    "themes",
    "nodes",
    "credentials",
    "checks",
    "rpc",
    "triggers",
    "actions",
    "integrations",
    "connectors",
    "processors",
    "queues",
    "services",
    "schemas",
    "schema",
    "collections",
    "pages",
    "layouts",
    "directives",
    "scalars",
];

/// Stems that programs are started by, wherever they stand.
const STARTED: &[&str] =
    &["main", "server", "cli", "worker", "sw", "service-worker", "serviceworker", "preload", "bootstrap"];

/// Stems that start a program at the top of a package or of its `src`; further down they are names like any other.
const STARTED_AT_THE_TOP: &[&str] = &[
    "index",
    "entry",
    "client",
    "app",
    "polyfills",
    "polyfill",
    "setup",
    "gulpfile",
    "gruntfile",
    "jakefile",
    "index.d",
    "env",
    "global",
    "globals",
    "reset",
    "seed",
    "background",
    "content",
    "popup",
    "repl",
    "playground",
    "debug",
    "demo",
    "renderer",
    "bin",
    "run",
    "start",
    "watch",
    "release",
];

/// Whether the file at `path` is started or loaded by something other than an import. `uses` are the dependencies of its package and of
/// the workspace around it.
pub fn is_loaded(path: &str, package: &Package, uses: &BTreeSet<&str>) -> bool {
    let inside = package.inside(path).unwrap_or(path);
    let (folder, name) = inside.rsplit_once('/').unwrap_or(("", inside));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let lower = stem.to_lowercase();
    let folders = || folder.split('/').filter(|part| !part.is_empty());
    // At the top of a package or of its `src` stand what starts it and what configures its tools.
    let depth = folders().filter(|part| *part != "src").count();
    if folder.is_empty() || depth == 0 && STARTED_AT_THE_TOP.contains(&lower.as_str()) {
        return true;
    }
    if STARTED.contains(&lower.as_str())
        || lower.ends_with("worker")
        || lower.contains(".config")
        || lower.contains(".setup")
        || lower.contains("setup.")
        || lower.ends_with(".entry")
        || lower.starts_with("setup")
        || lower.ends_with("setup")
        || lower.ends_with("rc")
    {
        return true;
    }
    if folders()
        .any(|part| part.starts_with('.') || part.starts_with('_') || SERVED.contains(&part.to_lowercase().as_str()))
    {
        return true;
    }
    if uses.contains("next")
        && folders().any(|part| part == "app")
        && NEXT_APP.iter().any(|own| stem.trim_end_matches(|c: char| c.is_ascii_digit()) == *own)
    {
        return true;
    }
    PLACES.iter().filter(|(names, _)| names.iter().any(|name| uses.contains(name))).any(|(_, places)| {
        places.iter().any(|place| match place.strip_suffix('/') {
            Some(wanted) => format!("/{folder}/").contains(&format!("/{wanted}/")),
            None => {
                let own = inside.strip_prefix("src/").unwrap_or(inside);
                // `instrumentation.page.ts`: Next.js may be told that its own files end so.
                own.strip_prefix(place).is_some_and(|rest| rest.starts_with('.'))
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo_map::recon::PackageManager;

    #[test]
    fn files_of_a_framework_may_end_as_it_is_told() {
        let package = Package {
            name: "web".to_owned(),
            folder: "web".to_owned(),
            manifest: "web/package.json".to_owned(),
            manager: PackageManager::Npm,
            workspace_root: false,
            member_of: None,
            dependencies: Vec::new(),
            commands: Vec::new(),
            entry_points: Vec::new(),
            scripts: Vec::new(),
            publishable: false,
        };
        let uses = BTreeSet::from(["next"]);
        for path in ["web/src/instrumentation.page.ts", "web/middleware.page.ts"] {
            assert!(is_loaded(path, &package, &uses), "{path}");
        }
        for path in ["web/src/lib/orders.ts", "web/src/lib/instrumentations.ts"] {
            assert!(!is_loaded(path, &package, &uses), "{path}");
        }
    }
}
