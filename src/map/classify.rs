//! What a file is, judged by its path and its first lines: whether to skip it, and what kind of code it holds.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::repo_map::name::file_name;
use crate::repo_map::{FileRole, SkipReason};

mod generated;

pub use generated::head_says_generated;

pub use generated::is_generated;

/// The extension without its dot, or nothing: `ts` for `a/b.d.ts`.
pub fn extension(path: &str) -> &str {
    let name = file_name(path);
    name.rsplit_once('.').map_or("", |(stem, extension)| if stem.is_empty() { "" } else { extension })
}

fn folders(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    parent.split('/').filter(|name| !name.is_empty())
}

/// What the folders around a file say of it.
#[derive(Debug, Clone, Copy, Default)]
struct Folder {
    vendored: bool,
    /// Below a folder that builds and test runs write.
    output: bool,
    /// Below a folder of sources that a tool writes.
    generated: bool,
    /// Below `dist`.
    dist: bool,
    /// Below a folder that declarations are built into.
    built: bool,
    test: bool,
    example: bool,
    migration: bool,
    script: bool,
}

/// Names of folders, and what they say.
type Marked = (&'static [&'static str], fn(&mut Folder));

impl Folder {
    fn judge(path: &str) -> Self {
        let mut found = Self::default();
        let (mut before, mut below_src) = ("", false);
        for (depth, name) in folders(path).enumerate() {
            found.add(Self::named(name));
            let is_top = depth == 0;
            // `vendor` is also a word of commerce: only at the top or among assets is it certainly other people's code.
            found.vendored |= matches!(name, "vendor" | "vendors")
                && (is_top || matches!(before, "assets" | "static" | "public" | "lib" | "libs" | "js" | "javascripts"));
            // `recipe/thirdparty` signs people in with an account elsewhere.
            found.vendored |= depth <= 1 && name == "thirdparty";
            found.vendored |= before == ".yarn" && matches!(name, "releases" | "plugins" | "sdks" | "cache");
            // Deeper down, or in `src`, a folder of this name is the program's own code about documents.
            below_src |= name == "src";
            found.example |= depth < 2 && !below_src && matches!(name, "doc" | "docs");
            // What a starter copies into the projects of others.
            found.example |= name == "templates" && before.starts_with("create-");
            found.script |= is_top && matches!(name, "build" | "tools");
            before = name;
        }
        found
    }

    /// What the name of a folder says wherever it stands.
    fn named(name: &str) -> Self {
        static NAMES: LazyLock<FxHashMap<&'static str, Folder>> = LazyLock::new(|| {
            let mut names: FxHashMap<&str, Folder> = FxHashMap::default();
            let lists: [Marked; 9] = [
                (VENDORED, |folder| folder.vendored = true),
                (OUTPUT_FOLDERS, |folder| folder.output = true),
                (&["__generated__"], |folder| folder.generated = true),
                (&["dist"], |folder| folder.dist = true),
                (&["build", "out", "esm", "cjs"], |folder| folder.built = true),
                (TEST_FOLDERS, |folder| folder.test = true),
                (EXAMPLE_FOLDERS, |folder| folder.example = true),
                (MIGRATION_FOLDERS, |folder| folder.migration = true),
                (SCRIPT_FOLDERS, |folder| folder.script = true),
            ];
            for (list, mark) in lists {
                list.iter().for_each(|name| mark(names.entry(name).or_default()));
            }
            names
        });
        let mut found = NAMES.get(name).copied().unwrap_or_default();
        if name.contains(['-', '_']) {
            let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
            found.test |= ends(&["-tests", "-test", "_tests", "_test", "-e2e", "_e2e", "-fixtures"])
                || ["tests-", "test-", "e2e-"].iter().any(|start| name.starts_with(start));
            found.example |= ends(&["-example", "-examples", "-demo", "-playground", "-benchmarks"])
                || ["example-", "examples-"].iter().any(|start| name.starts_with(start));
        }
        // `storybook.forms`: a route that shows components.
        found.example |= name.starts_with("storybook");
        // Folders with a leading dot configure tools: `.github`, `.storybook`, `.husky`.
        found.script |= name.starts_with('.');
        found
    }

    fn add(&mut self, other: Self) {
        self.vendored |= other.vendored;
        self.output |= other.output;
        self.generated |= other.generated;
        self.dist |= other.dist;
        self.built |= other.built;
        self.test |= other.test;
        self.example |= other.example;
        self.migration |= other.migration;
        self.script |= other.script;
    }

    /// Of the file at `path`. Files are asked about folder by folder, so the last answer is kept.
    fn of(path: &str) -> Self {
        thread_local! {
            static LAST: RefCell<(String, Folder)> = RefCell::default();
        }
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        LAST.with_borrow_mut(|(last, folder)| {
            if last != parent {
                *folder = Folder::judge(path);
                parent.clone_into(last);
            }
            *folder
        })
    }
}

/// Folders that hold other people's code, wherever they stand.
const VENDORED: &[&str] = &[
    "vendored",
    "node_modules",
    "third_party",
    "third-party",
    "bower_components",
    "site-packages",
    ".venv",
    "Pods",
    "jspm_packages",
];

/// Folders that builds and test runs write, wherever they stand.
const OUTPUT_FOLDERS: &[&str] = &[".next", ".nuxt", ".svelte-kit", ".turbo", ".output", "coverage"];

/// Lock files of package managers.
pub const LOCKFILES: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "bun.lockb",
    "Cargo.lock",
    "deno.lock",
    "composer.lock",
    "poetry.lock",
    "uv.lock",
    "Gemfile.lock",
    "go.sum",
    "flake.lock",
];

/// Folders of a corpus called after releases that make everything beside them copies, too. Our choice.
const RELEASES: usize = 3;

/// Folders of copied libraries: below `lib` or `libs`, with a licence of their own and no manifest that would make them a package of
/// this repository; and packages called after a release of somebody else's (`ripgrep-14.1.1`), with the packages around several.
pub fn copied_folders<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut licensed = BTreeSet::new();
    let mut packages: BTreeSet<&str> = BTreeSet::new();
    for (folder, name) in paths.filter_map(|path| path.rsplit_once('/')) {
        let name = name.split('.').next().unwrap_or(name);
        match name {
            "LICENSE" | "LICENCE" | "License" | "license" | "COPYING" => {
                let above = folder.rsplit('/').nth(1);
                if matches!(above, Some("lib" | "libs" | "external" | "deps")) {
                    licensed.insert(folder);
                }
            }
            "package" | "Cargo" => drop(packages.insert(folder)),
            _ => {}
        }
    }
    let parts = |folder: &&'a str| folder.rsplit_once('/').unwrap_or(("", folder));
    let mut releases: BTreeMap<&str, usize> = BTreeMap::new();
    for (above, _) in packages.iter().map(parts).filter(|(_, name)| is_release(name)) {
        *releases.entry(above).or_default() += 1;
    }
    let is_copy = |folder: &&&'a str| {
        let (above, name) = parts(folder);
        is_release(name) || (!above.is_empty() && releases.get(above).is_some_and(|count| *count >= RELEASES))
    };
    licensed.difference(&packages).chain(packages.iter().filter(is_copy)).copied().collect()
}

/// `ripgrep-14.1.1`, `serde-1.0.219-threads4`: a name and all three numbers of a version.
fn is_release(name: &str) -> bool {
    name.match_indices('-').any(|(at, _)| {
        let version = name[at + 1..].split('-').next().unwrap_or_default();
        let numbers: Vec<&str> = version.split('.').collect();
        at > 0
            && numbers.len() == 3
            && numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Whether a file stands in one of `folders`, or below one.
pub fn is_below(path: &str, folders: &BTreeSet<&str>) -> bool {
    !folders.is_empty() && path.match_indices('/').any(|(at, _)| folders.contains(&path[..at]))
}

/// Formats that are never text.
const BINARY_EXTENSIONS: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "webp", "avif", "ico", "icns", "bmp", "tiff", "psd", "woff", "woff2", "ttf", "otf",
    "eot", "mp3", "mp4", "m4a", "mov", "webm", "wav", "ogg", "pdf", "zip", "gz", "tgz", "bz2", "xz", "zst", "7z",
    "rar", "tar", "jar", "wasm", "exe", "dll", "so", "dylib", "a", "o", "node", "class", "pyc", "bin", "dat", "db",
    "sqlite", "sqlite3", "p12", "pfx", "jks", "docx", "xlsx", "pptx",
];

/// Formats that are text by definition and need not be opened to be listed.
const TEXT_EXTENSIONS: &[&str] = &[
    "md", "mdx", "txt", "rst", "adoc", "json", "jsonc", "json5", "yml", "yaml", "toml", "ini", "cfg", "conf", "xml",
    "html", "htm", "css", "scss", "sass", "less", "svg", "sql", "graphql", "gql", "prisma", "proto", "sh", "bash",
    "zsh", "fish", "ps1", "bat", "csv", "tsv", "env", "lock", "po", "vue", "svelte", "astro", "py", "go", "rb", "java",
    "kt", "c", "h", "cpp", "hpp", "cs", "php", "swift", "lua", "ejs", "hbs", "j2", "tmpl", "snap",
];

/// Whether the path alone says that the file is to be skipped.
pub fn skip_by_path(path: &str) -> Option<SkipReason> {
    let folder = Folder::of(path);
    if folder.vendored || matches!(file_name(path), ".pnp.cjs" | ".pnp.loader.mjs") {
        Some(SkipReason::Vendored)
    } else if is_output(path, folder) {
        Some(SkipReason::Generated)
    } else if is_one_of(BINARY_EXTENSIONS, extension(path)) {
        Some(SkipReason::Binary)
    } else {
        None
    }
}

/// Whether `word` is in `list`, in capitals or not.
fn is_one_of(list: &[&str], word: &str) -> bool {
    list.iter().any(|listed| listed.len() == word.len() && listed.eq_ignore_ascii_case(word))
}

/// Whether the file is what a build or a tool puts out for machines: lock files, bundles, copies of sources that stand elsewhere.
fn is_output(path: &str, folder: Folder) -> bool {
    let name = file_name(path);
    let extension = extension(path);
    let is_script = matches!(extension, "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "jsx" | "tsx");
    if LOCKFILES.contains(&name) || folder.output {
        return true;
    }
    if extension == "map"
        && [".js.map", ".css.map", ".ts.map", ".mjs.map", ".cjs.map"].iter().any(|end| name.ends_with(end))
    {
        return true;
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = stem.strip_suffix(".d").unwrap_or(stem);
    let bundled = [".min", ".bundle"].iter().any(|mark| stem.ends_with(mark));
    if bundled && (is_script || extension == "css") {
        return true;
    }
    is_script && (folder.dist || (folder.built && name.ends_with(".d.ts")))
}

/// Whether the format is text by definition.
pub fn is_known_text(path: &str) -> bool {
    is_one_of(TEXT_EXTENSIONS, extension(path))
}

/// A NUL among the first 8,000 bytes, which is how git tells.
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(8_000)].contains(&0)
}

/// Mean bytes of a line above which nobody wrote it by hand; below this size the mean says nothing.
const MINIFIED_MEAN: usize = 300;
const MINIFIED_FLOOR: usize = 2_000;

/// Whether nobody can have written these lines by hand.
pub fn is_minified(text: &str) -> bool {
    let lines = text.bytes().filter(|&byte| byte == b'\n').count() + 1;
    text.len() > MINIFIED_FLOOR && text.len() / lines > MINIFIED_MEAN
}

/// What kind of code the file holds, by path and name.
pub fn role(path: &str) -> FileRole {
    let (folder, name) = (Folder::of(path), file_name(path));
    if folder.test || is_test_name(name) {
        FileRole::Test
    } else if folder.example
        || middle(name).any(|word| matches!(word, "stories" | "story" | "bench" | "example"))
        || (matches!(stem(name), "bench" | "benchmark") && !folders(path).any(|folder| folder == "src"))
    {
        FileRole::Example
    } else if folder.migration || MIGRATION_STEMS.contains(&stem(name)) || upgrades_a_database(path) {
        FileRole::Migration
    } else if folder.script || is_script_name(name) {
        FileRole::Script
    } else {
        FileRole::Production
    }
}

/// `db/upgrade.js`, `database/migrate.ts`: run once for a version.
fn upgrades_a_database(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    matches!(folder, "db" | "database") && matches!(stem(name), "upgrade" | "migrate" | "downgrade")
}

const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "__test__",
    "__mocks__",
    "mocks",
    "__fixtures__",
    "fixtures",
    "testdata",
    "test-data",
    "test_utils",
    "testutils",
    "testkit",
    "testing",
    "spec",
    "specs",
    "e2e",
    "__e2e__",
    "cypress",
    "playwright",
    "__snapshots__",
    "fuzz",
    "fuzz_targets",
];
const EXAMPLE_FOLDERS: &[&str] = &[
    "example",
    "examples",
    "prototypes",
    "demo",
    "demos",
    "playground",
    "playgrounds",
    "sample",
    "samples",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "perf-measures",
    "stories",
    "storybook",
];
const MIGRATION_FOLDERS: &[&str] = &["migrations", "migration", "upgrades", "seeds", "seed", "seeders"];
const MIGRATION_STEMS: &[&str] =
    &["seed", "seeds", "seeder", "seed-database", "initial-seed", "upgrades", "migrations"];
const SCRIPT_FOLDERS: &[&str] = &[
    "scripts",
    "script",
    "xtask",
    "tasks",
    "ci",
    "hack",
    "codegen",
    "build-tools",
    "tooling",
    "tsconfig",
    "eslint-config",
    "tailwind-config",
    "prettier-config",
    "jest-config",
    "vitest-config",
    "typescript-config",
];

/// The name up to its first dot.
fn stem(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// The words between the first dot and the extension: `test` of `api.test.ts`.
fn middle(name: &str) -> impl Iterator<Item = &str> {
    let inner = name.rsplit_once('.').map_or("", |(inner, _)| inner);
    inner.split('.').skip(1)
}

fn is_test_name(name: &str) -> bool {
    let stem = stem(name);
    middle(name).any(|word| {
        matches!(word, "test" | "tests" | "spec" | "e2e" | "cy" | "test-d" | "mock" | "fixture" | "fixtures")
            || matches!(word, "clienttest" | "servertest" | "unittest" | "integrationtest" | "browsertest")
    }) || ["_test", "_tests"].iter().any(|end| stem.ends_with(end))
        // `jest.setup.ts`, `jest.integration.teardown.ts`.
        || matches!(stem, "jest" | "vitest" | "cypress" | "playwright")
            && middle(name).any(|word| matches!(word, "setup" | "teardown"))
        || matches!(stem, "mock" | "mocks" | "fake" | "fakes" | "stub" | "stubs")
        || matches!(
            stem,
            "test"
                | "tests"
                | "testutil"
                | "testutils"
                | "testkit"
                | "test-utils"
                | "test_utils"
                | "test_util"
                | "test-util"
                | "test-fixtures"
                | "test_fixtures"
                | "fixtures"
                | "test_helpers"
                | "test-helpers"
                | "conftest"
        )
}

fn is_script_name(name: &str) -> bool {
    let stem = stem(name);
    name.starts_with('.')
        || middle(name).any(|word| matches!(word, "config" | "conf" | "setup"))
        || matches!(
            name,
            "build.rs" | "gulpfile.js" | "Gruntfile.js" | "Jakefile.js" | "build.ts" | "build.js" | "build.mjs"
        )
        // What serves the code to whoever works on it.
        || matches!(stem, "dev-server" | "dev_server" | "devserver" | "devServer")
        || (["vitest", "jest"].iter().any(|tool| stem.starts_with(tool))
            && (stem.contains("setup") || stem.contains("config")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_library_is_known_by_its_licence() {
        let paths = [
            "LICENSE",
            "server/libs/reader/LICENSE.md",
            "server/libs/reader/src/index.js",
            "server/libs/own/LICENSE",
            "server/libs/own/package.json",
            "packages/core/LICENSE",
        ];
        let folders = copied_folders(paths.into_iter());
        assert!(is_below("server/libs/reader/src/index.js", &folders));
        for own in ["server/libs/own/index.js", "server/libs/readers.js", "packages/core/index.ts", "index.js"] {
            assert!(!is_below(own, &folders), "{own}");
        }
    }

    #[test]
    fn packages_called_after_releases_are_copies() {
        let paths = [
            "corpus/ripgrep-14.1.1/Cargo.toml",
            "corpus/serde-1.0.219-threads4/Cargo.toml",
            "corpus/hyper-1.6.0/Cargo.toml",
            "corpus/syn/Cargo.toml",
            "crates/one-2.0.1/Cargo.toml",
            "crates/own/Cargo.toml",
            "crates/api-2/Cargo.toml",
        ];
        let folders = copied_folders(paths.into_iter());
        let copied: Vec<&str> = folders.into_iter().collect();
        let expected = [
            "corpus/hyper-1.6.0",
            "corpus/ripgrep-14.1.1",
            "corpus/serde-1.0.219-threads4",
            "corpus/syn",
            "crates/one-2.0.1",
        ];
        assert_eq!(copied, expected);
    }

    #[test]
    fn paths_that_say_so_are_skipped() {
        use SkipReason::{Binary, Generated, Vendored};
        for (path, reason) in [
            ("node_modules/a/index.js", Some(Vendored)),
            ("vendor/lib.js", Some(Vendored)),
            ("crates/vendored/sqlite/lib.rs", Some(Vendored)),
            ("src/thirdparty/zlib.js", Some(Vendored)),
            ("lib/ts/recipe/thirdparty/custom.ts", None),
            ("apps/shop/src/vendor/list.ts", None),
            ("public/vendor/jquery.js", Some(Vendored)),
            (".yarn/releases/yarn-4.cjs", Some(Vendored)),
            ("pnpm-lock.yaml", Some(Generated)),
            ("static/app.min.js", Some(Generated)),
            ("dist/index.d.ts", Some(Generated)),
            ("build/types.d.ts", Some(Generated)),
            ("lib/types.d.ts", None),
            ("lib/index.ts", None),
            ("src/api_pb.ts", None),
            ("logo.PNG", Some(Binary)),
            ("src/distance/dist.ts", None),
        ] {
            assert_eq!(skip_by_path(path), reason, "{path}");
        }
    }

    #[test]
    fn long_lines_are_minified_only_where_they_are_the_rule() {
        assert!(is_minified(&"a=1;".repeat(1_000)));
        assert!(!is_minified(&format!("{}\n{}", "a=1;".repeat(1_000), "let x = 1;\n".repeat(400))));
        assert!(!is_minified(&"a=1;".repeat(100)));
    }

    #[test]
    fn roles_follow_path_and_name() {
        use FileRole::{Example, Migration, Production, Script, Test};
        for (path, expected) in [
            ("src/orders/api.ts", Production),
            ("src/orders/api.test.ts", Test),
            ("src/__tests__/api.ts", Test),
            ("packages/app-tests/e2e/login.spec.ts", Test),
            ("web/src/__e2e__/orders.ts", Test),
            ("crates/core/tests/it.rs", Test),
            ("src/parser/tests.rs", Test),
            ("server/jest.integration.teardown.ts", Test),
            ("src/hosting/mock.rs", Test),
            ("playwright/global-utils.ts", Test),
            ("src/contest.rs", Production),
            ("src/latest/api.ts", Production),
            ("examples/hello.rs", Example),
            ("benches/map.rs", Example),
            ("metrics/bench.js", Example),
            ("src/bench.rs", Production),
            ("src/button.stories.tsx", Example),
            ("packages/dev-server/example-plugins/gifts/gifts.plugin.ts", Example),
            ("apps/docs/app/page.tsx", Example),
            ("docs/src/page.tsx", Example),
            ("src/docs/page.ts", Production),
            ("crates/core/flags/doc/man.rs", Production),
            ("fuzz/fuzz_targets/glob.rs", Test),
            ("crates/tests-database/src/lib.rs", Test),
            ("crates/e2e_test/src/server.rs", Test),
            ("build/bundle.ts", Script),
            ("src/build/bundle.ts", Production),
            ("packages/tailwind-config/index.cjs", Script),
            ("prisma/migrations/1/up.ts", Migration),
            ("prisma/seed.ts", Migration),
            ("server/db/upgrade.js", Migration),
            ("build.rs", Script),
            ("src/gui/dev-server.js", Script),
            ("vite.config.ts", Script),
            (".eslintrc.js", Script),
            ("scripts/release.mjs", Script),
            (".github/actions/x.js", Script),
            ("src/config.ts", Production),
        ] {
            assert_eq!(role(path), expected, "{path}");
        }
    }
}
