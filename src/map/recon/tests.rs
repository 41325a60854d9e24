//! Project facts of small repositories.

use super::*;
use crate::repo_map::recon::{DependencyKind, DocumentKind};
use crate::tree::TreeError;

/// Files held in memory.
struct MemoryTree(BTreeMap<&'static str, &'static str>);

impl Tree for MemoryTree {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        let entry = |(path, text): (&&str, &&str)| TreeEntry {
            path: (*path).to_owned(),
            kind: EntryKind::File,
            bytes: text.len() as u64,
            identity: crate::tree::Identity::Unknown,
        };
        Ok(self.0.iter().map(entry).collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        self.0
            .get(path)
            .map(|text| text.as_bytes().to_vec())
            .ok_or_else(|| TreeError::Missing { path: path.to_owned() })
    }
}

fn recon(files: &[(&'static str, &'static str)]) -> Recon {
    let tree = MemoryTree(files.iter().copied().collect());
    let config =
        files.iter().filter(|(path, _)| is_config(path)).map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    read(&tree.entries().expect("in memory"), &tree, &config.collect())
}

/// `folder: command <- source`, a line a command.
fn commands(recon: &Recon) -> Vec<String> {
    let commands = recon.packages.iter().flat_map(|package| &package.commands);
    commands.map(|command| format!("{}: {} <- {}", command.folder, command.command, command.source)).collect()
}

/// Name, alias, requirement, kind and line of each dependency.
fn dependencies(package: &Package) -> Vec<(&str, Option<&str>, &str, DependencyKind, u32)> {
    let dependencies = package.dependencies.iter();
    dependencies.map(|d| (d.name.as_str(), d.alias.as_deref(), d.requirement.as_str(), d.kind, d.line)).collect()
}

fn names(recon: &Recon) -> Vec<(&str, bool, Option<&str>)> {
    let packages = recon.packages.iter();
    packages.map(|package| (package.name.as_str(), package.workspace_root, package.member_of.as_deref())).collect()
}

#[test]
fn a_pnpm_workspace_installs_at_its_root_and_tests_in_its_members() {
    let recon = recon(&[
        ("package.json", r#"{"name":"shop","packageManager":"pnpm@9.1.0","scripts":{"lint":"turbo run lint"}}"#),
        ("pnpm-lock.yaml", ""),
        ("package-lock.json", "{}"),
        (
            "pnpm-workspace.yaml",
            "packages:\n  - 'apps/*'  # the products\n  - \"packages/**\"\n  - '!**/skipped'\ncatalog:\n  - x\n",
        ),
        ("apps/web/package.json", r#"{"name":"web","scripts":{"test":"vitest"}}"#),
        ("packages/a/b/package.json", r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#),
        ("packages/skipped/package.json", "{}"),
        ("packages/a/test/fixtures/f/package.json", "{}"),
        ("broken/package.json", "{"),
    ]);
    let expected = [("shop", true, None), ("web", false, Some("")), ("b", false, Some("")), ("skipped", false, None)];
    assert_eq!(names(&recon), expected);
    let expected = [
        ": pnpm install --frozen-lockfile <- pnpm-lock.yaml",
        ": pnpm run lint <- package.json scripts.lint",
        "apps/web: pnpm exec vitest run <- apps/web/package.json scripts.test",
    ];
    assert_eq!(commands(&recon), expected);
    let test = recon.command_for(CommandPurpose::Test, "apps/web/src/a.ts").map(|command| command.command.as_str());
    assert_eq!(test, Some("pnpm exec vitest run"));
    assert_eq!(recon.command_for(CommandPurpose::Test, "packages/a/b/x.ts"), None);
}

#[test]
fn each_lock_file_names_its_install() {
    let install = |files: &[(&'static str, &'static str)]| commands(&recon(files)).join("\n");
    let plain = ("package.json", r#"{"dependencies":{"zod":"^3"}}"#);
    assert_eq!(install(&[plain]), ": npm install <- package.json");
    assert_eq!(install(&[plain, ("package-lock.json", "")]), ": npm ci <- package-lock.json");
    assert_eq!(install(&[plain, ("yarn.lock", "")]), ": yarn install --frozen-lockfile <- yarn.lock");
    assert_eq!(install(&[plain, ("yarn.lock", ""), (".yarnrc.yml", "")]), ": yarn install --immutable <- yarn.lock");
    let modern = ("package.json", r#"{"packageManager":"yarn@4.2.0"}"#);
    assert_eq!(install(&[modern, ("yarn.lock", "")]), ": yarn install --immutable <- yarn.lock");
    assert_eq!(install(&[plain, ("bun.lock", "")]), ": bun install --frozen-lockfile <- bun.lock");
    assert_eq!(install(&[("package.json", "{}")]), "");
}

#[test]
fn what_scripts_do_not_say_comes_from_workflows_and_makefiles() {
    let recon = recon(&[
        ("package.json", r#"{"scripts":{"test":"mocha"}}"#),
        (
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - run: npx tsc --noEmit\n      - run: npx eslint . --fix\n      - run: npx mocha $X\n",
        ),
        ("Makefile", "build: deps\n\tnpx tsc\ntest:\n\tmocha\n"),
    ]);
    let expected = [
        ": make build <- Makefile:1",
        ": npx tsc --noEmit <- .github/workflows/ci.yml:4",
        ": npm test <- package.json scripts.test",
    ];
    assert_eq!(commands(&recon), expected);
    assert_eq!(recon.ci_files, [".github/workflows/ci.yml"]);
}

#[test]
fn npm_dependencies_have_their_line_and_their_real_name() {
    let recon = recon(&[(
        "package.json",
        "{\n  \"dependencies\": {\n    \"next\": \"15.0.0\",\n    \"old\": \"npm:@scope/three@0.1\"\n  },\n  \"devDependencies\": {\n    \"zod\": \"^3\"\n  }\n}\n",
    )]);
    let expected = [
        ("next", None, "15.0.0", DependencyKind::Normal, 3),
        ("@scope/three", Some("old"), "npm:@scope/three@0.1", DependencyKind::Normal, 4),
        ("zod", None, "^3", DependencyKind::Dev, 7),
    ];
    assert_eq!(dependencies(&recon.packages[0]), expected);
    assert_eq!(recon.frameworks, ["next", "zod"]);
}

#[test]
fn built_entry_points_lead_to_their_source() {
    let recon = recon(&[
        (
            "package.json",
            r#"{"main":"./dist/cjs/index.js","bin":{"x":"bin/x.mjs"},"exports":{"./jwt":{"types":"./dist/types/jwt/index.d.ts"},"./*":"./dist/*.js"}}"#,
        ),
        ("src/index.ts", ""),
        ("src/jwt/index.ts", ""),
        ("bin/x.mjs", ""),
    ]);
    assert_eq!(recon.packages[0].entry_points, ["bin/x.mjs", "src/index.ts", "src/jwt/index.ts"]);
}

#[test]
fn a_cargo_workspace_checks_all_at_the_root_and_one_in_a_member() {
    let recon = recon(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"crates/old\"]\n[workspace.dependencies]\ntokio = \"1.40\"\n",
        ),
        ("Cargo.lock", ""),
        (
            "crates/api/Cargo.toml",
            "[package]\nname = \"api\"\n\n[dependencies]\ntokio = { workspace = true, features = [\"rt\"] }\nextra = { path = \"../../extra\" }\nold_serde = { package = \"serde\", version = \"0.9\", optional = true }\n\n[target.'cfg(unix)'.dev-dependencies.libc]\nversion = \"0.2\"\n",
        ),
        ("crates/api/src/lib.rs", ""),
        ("crates/api/src/bin/tool/main.rs", ""),
        ("crates/api/src/bin/tool/helper.rs", ""),
        ("crates/old/Cargo.toml", "[package]\nname = \"old\"\n"),
        ("extra/Cargo.toml", "[package]\nname = \"extra\"\n"),
        (
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - run: cargo clippy --workspace -- -D warnings\n      - run: cargo test --workspace --no-default-features\n      - run: cargo test\n",
        ),
    ]);
    let expected = [(".", true, None), ("api", false, Some("")), ("old", false, None), ("extra", false, Some(""))];
    assert_eq!(names(&recon), expected);
    let of = |index: usize| {
        let commands = recon.packages[index].commands.iter();
        commands.map(|command| format!("{}: {}", command.folder, command.command)).collect::<Vec<_>>()
    };
    let expected = [
        ": cargo fetch --locked",
        ": cargo build --workspace",
        ": cargo check --workspace --all-targets",
        ": cargo test --workspace",
        ": cargo clippy --workspace -- -D warnings",
        ": cargo fmt --all --check",
    ];
    assert_eq!(of(0), expected);
    let expected = [
        ": cargo build -p api",
        ": cargo check -p api --all-targets",
        ": cargo test -p api",
        ": cargo clippy -p api --all-targets -- -D warnings",
        ": cargo fmt -p api --check",
    ];
    assert_eq!(of(1), expected);
    assert_eq!(of(2)[3], "crates/old: cargo test");
    assert_eq!(recon.packages[0].commands[4].source, ".github/workflows/ci.yml:4");

    let api = &recon.packages[1];
    let expected = [
        ("tokio", None, "1.40", DependencyKind::Normal, 5),
        ("extra", None, "path ../../extra", DependencyKind::Normal, 6),
        ("serde", Some("old_serde"), "0.9", DependencyKind::Optional, 7),
        ("libc", None, "0.2", DependencyKind::Dev, 9),
    ];
    assert_eq!(dependencies(api), expected);
    assert_eq!(api.entry_points, ["crates/api/src/bin/tool/main.rs", "crates/api/src/lib.rs"]);
}

#[test]
fn documents_and_deployment_are_known_by_name_and_place() {
    let recon = recon(&[
        ("README.md", "---\ntitle: x\n---\n\n# Shop\n"),
        ("AGENTS.md", "```sh\n# not a title\n```\nRules\n=====\n"),
        ("docs/adr/0001-money.md", "# Money is integers #\n"),
        ("docs/architecture.md", "text\n"),
        ("docs/guide/deep/page.md", "# Page\n"),
        ("CHANGELOG.md", "## 1.0\n"),
        ("tests/fixtures/README.md", "# No\n"),
        ("src/context.ts", ""),
        ("Dockerfile", ""),
        ("tests/Dockerfile", ""),
        ("infra/main.tf", ""),
        (".gitlab-ci.yml", ""),
        (".github/buildomat/config.toml", ""),
    ]);
    let documents: Vec<_> = recon.documents.iter().map(|d| (d.path.as_str(), d.kind, d.title.as_deref())).collect();
    let expected = [
        ("AGENTS.md", DocumentKind::Agents, Some("Rules")),
        ("CHANGELOG.md", DocumentKind::Changelog, Some("1.0")),
        ("README.md", DocumentKind::Readme, Some("Shop")),
        ("docs/adr/0001-money.md", DocumentKind::Decision, Some("Money is integers")),
        ("docs/architecture.md", DocumentKind::Design, None),
    ];
    assert_eq!(documents, expected);
    assert_eq!(recon.deployment, ["Dockerfile", "infra/main.tf"]);
    assert_eq!(recon.ci_files, [".github/buildomat/config.toml", ".gitlab-ci.yml"]);
}

proptest::proptest! {
    #[test]
    fn manifests_that_are_garbage_are_read_without_panic(text in "(?s)[\\[\\]{}\"'=:, a-z0-9.\n/*!-]{0,120}") {
        let text: &'static str = Box::leak(text.into_boxed_str());
        recon(&[
            ("package.json", text),
            ("Cargo.toml", text),
            ("pnpm-workspace.yaml", text),
            ("Makefile", text),
            ("justfile", text),
            ("README.md", text),
            (".github/workflows/ci.yml", text),
        ]);
    }
}
