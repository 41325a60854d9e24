//! From a specifier to the file: configuration, packages and their maps.

use crate::map::resolve::testing::linked;

#[test]
fn what_a_config_extends_may_be_a_package_a_list_or_one_that_extends_in_turn() {
    let repo = linked(&[
        ("package.json", "{ \"name\": \"root\", \"workspaces\": [\"packages/*\"] }"),
        ("packages/config/package.json", "{ \"name\": \"@acme/tsconfig\" }"),
        (
            "packages/config/base.json",
            "{ \"compilerOptions\": { \"paths\": { \"#base/*\": [\"../shared/*\"], \"~/*\": [\"../shared/*\"] } } }",
        ),
        ("packages/config/tsconfig.json", "{ \"compilerOptions\": { \"baseUrl\": \"../shared\" } }"),
        ("packages/shared/x.ts", ""),
        ("packages/named/tsconfig.json", "{ \"extends\": \"@acme/tsconfig/base.json\" }"),
        ("packages/named/a.ts", "import '#base/x'; import '~/x';"),
        ("packages/whole/tsconfig.json", "{ \"extends\": \"@acme/tsconfig\" }"),
        ("packages/whole/a.ts", "import 'x';"),
        (
            "packages/list/tsconfig.json",
            "{ \"extends\": [\"./one.json\", \"@gone/config\", \"./tsconfig.two\"], \"compilerOptions\": {} }",
        ),
        ("packages/list/one.json", "{ \"compilerOptions\": { \"paths\": { \"@/*\": [\"./nowhere/*\"] } } }"),
        ("packages/list/tsconfig.two.json", "{ \"extends\": \"./tsconfig.three.json\" }"),
        ("packages/list/tsconfig.three.json", "{ \"compilerOptions\": { \"paths\": { \"@/*\": [\"./src/*\"] } } }"),
        ("packages/list/src/b.ts", ""),
        ("packages/list/a.ts", "import '@/b';"),
    ]);
    assert_eq!(repo.imports("packages/named/a.ts"), ["#base/x -> packages/shared/x.ts", "~/x -> packages/shared/x.ts"]);
    assert_eq!(repo.imports("packages/whole/a.ts"), ["x -> packages/shared/x.ts"]);
    assert_eq!(repo.imports("packages/list/a.ts"), ["@/b -> packages/list/src/b.ts"]);
}

#[test]
fn the_directory_of_a_config_that_is_extended_is_that_of_the_config_itself() {
    let repo = linked(&[
        (
            "tsconfig.base.json",
            "{ \"compilerOptions\": { \"baseUrl\": \"${configDir}\", \"paths\": { \"@app/*\": [\"${configDir}/src/*\"] } } }",
        ),
        ("app/tsconfig.json", "{ \"extends\": \"../tsconfig.base.json\" }"),
        ("app/src/b.ts", ""),
        ("app/a.ts", "import '@app/b'; import 'src/b';"),
    ]);
    assert_eq!(repo.imports("app/a.ts"), ["@app/b -> app/src/b.ts", "src/b -> app/src/b.ts"]);
}

#[test]
fn a_config_that_only_refers_to_projects_has_their_rules() {
    let repo = linked(&[
        (
            "web/tsconfig.json",
            "{ \"files\": [], \"references\": [{ \"path\": \"./tsconfig.node.json\" }, { \"path\": \"./tsconfig.app.json\" }] }",
        ),
        ("web/tsconfig.node.json", "{ \"include\": [\"vite.config.ts\"] }"),
        ("web/tsconfig.app.json", "{ \"compilerOptions\": { \"paths\": { \"@/*\": [\"./src/*\"] } } }"),
        ("web/src/a.ts", "import '@/b';"),
        ("web/src/b.ts", ""),
        ("tsconfig.json", "{ \"files\": [], \"references\": [{ \"path\": \"./core\" }, { \"path\": \"./api\" }] }"),
        (
            "core/tsconfig.json",
            "{ \"compilerOptions\": { \"composite\": true, \"paths\": { \"@/*\": [\"./lib/*\"] } } }",
        ),
        ("core/lib/c.ts", "import '@/d';"),
        ("core/lib/d.ts", ""),
        ("api/tsconfig.json", "{ \"references\": [{ \"path\": \"../core\" }] }"),
        ("api/e.ts", "import '../core/lib/c'; import '@/d';"),
    ]);
    assert_eq!(repo.imports("web/src/a.ts"), ["@/b -> web/src/b.ts"]);
    assert_eq!(repo.imports("core/lib/c.ts"), ["@/d -> core/lib/d.ts"]);
    assert_eq!(repo.imports("api/e.ts"), ["../core/lib/c -> core/lib/c.ts", "@/d -> ?"]);
}

#[test]
fn of_several_paths_the_longest_prefix_and_the_first_file_that_exists_win() {
    let repo = linked(&[
        (
            "tsconfig.json",
            "{ \"compilerOptions\": { \"paths\": { \"*\": [\"./types/*\"], \"@/*\": [\"./src/*\"], \"@/ui/*\": [\"./gone/*\", \"./ui/*\"],
               \"exact\": [\"./src/exact.ts\"], \"@/*.css\": [\"./styles/*\"] } } }",
        ),
        ("src/a.ts", "import '@/ui/button'; import '@/b'; import 'exact'; import 'ambient'; import 'react';"),
        ("src/b.ts", ""),
        ("src/exact.ts", ""),
        ("src/ui/button.ts", ""),
        ("ui/button.tsx", ""),
        ("types/ambient.d.ts", ""),
    ]);
    assert_eq!(
        repo.imports("src/a.ts"),
        [
            "@/ui/button -> ui/button.tsx",
            "@/b -> src/b.ts",
            "exact -> src/exact.ts",
            "ambient -> types/ambient.d.ts",
            "react -> package react"
        ]
    );
}

#[test]
fn npm_workspaces_are_lists_globs_or_an_object_and_leave_out_what_they_exclude() {
    let repo = linked(&[
        ("package.json", "{ \"workspaces\": { \"packages\": [\"packages/**\", \"!packages/old\", \"./tools/cli\"] } }"),
        ("packages/deep/down/package.json", "{ \"name\": \"down\", \"main\": \"./index.js\" }"),
        ("packages/deep/down/index.ts", ""),
        ("packages/old/package.json", "{ \"name\": \"old\" }"),
        ("packages/old/index.ts", ""),
        ("tools/cli/package.json", "{ \"name\": \"cli\", \"types\": \"./dist/main.d.ts\" }"),
        ("tools/cli/src/main.ts", ""),
        (
            "app/package.json",
            "{ \"name\": \"app\", \"dependencies\": { \"linked\": \"file:../linked\", \"aliased\": \"npm:down@1\" } }",
        ),
        ("linked/package.json", "{ \"name\": \"linked\" }"),
        ("linked/index.ts", ""),
        ("app/a.ts", "import 'down'; import 'old'; import 'cli'; import 'linked'; import 'app/b';"),
        ("app/b.ts", ""),
    ]);
    assert_eq!(
        repo.imports("app/a.ts"),
        [
            "down -> packages/deep/down/index.ts",
            "old -> package old",
            "cli -> tools/cli/src/main.ts",
            "linked -> linked/index.ts",
            "app/b -> app/b.ts"
        ]
    );
}

#[test]
fn exports_are_read_by_condition_pattern_list_and_exclusion() {
    let repo = linked(&[
        ("package.json", "{ \"workspaces\": [\"lib\", \"app\", \"plain\"] }"),
        (
            "lib/package.json",
            "{ \"name\": \"lib\", \"exports\": {
                \".\": { \"node\": { \"import\": \"./dist/node.mjs\", \"require\": \"./dist/node.cjs\" }, \"default\": \"./dist/web.js\" },
                \"./list\": [\"./dist/gone.js\", \"./dist/list.js\"],
                \"./features/*.js\": { \"types\": \"./dist/features/*.d.ts\", \"default\": \"./dist/features/*.js\" },
                \"./deep/*\": \"./dist/deep/*/index.js\",
                \"./private/*\": null,
                \"./package.json\": \"./package.json\" } }",
        ),
        ("lib/src/node.ts", ""),
        ("lib/src/web.ts", ""),
        ("lib/src/list.ts", ""),
        ("lib/src/features/one.ts", ""),
        ("lib/src/deep/two/index.ts", ""),
        ("lib/src/private/secret.ts", ""),
        ("plain/package.json", "{ \"name\": \"plain\", \"exports\": { \"source\": \"./src/main.ts\", \"import\": \"./dist/main.js\" } }"),
        ("plain/src/main.ts", ""),
        ("app/package.json", "{ \"name\": \"app\" }"),
        (
            "app/a.ts",
            "import 'lib'; import 'lib/list'; import 'lib/features/one.js'; import 'lib/deep/two'; import 'plain'; import 'lib/private/secret';",
        ),
    ]);
    assert_eq!(
        repo.imports("app/a.ts"),
        [
            "lib -> lib/src/web.ts",
            "lib/list -> lib/src/list.ts",
            "lib/features/one.js -> lib/src/features/one.ts",
            "lib/deep/two -> lib/src/deep/two/index.ts",
            "plain -> plain/src/main.ts",
            "lib/private/secret -> package lib"
        ]
    );
}

#[test]
fn imports_of_the_package_itself_are_read_from_its_manifest() {
    let repo = linked(&[
        (
            "package.json",
            "{ \"name\": \"app\", \"imports\": { \"#utils\": \"./src/utils.ts\", \"#env\": { \"node\": \"./src/env.node.ts\", \"default\": \"./src/env.ts\" },
               \"#db/*\": \"./src/db/*.ts\", \"#dep\": \"chalk\", \"#internal/*.js\": \"./dist/internal/*.js\" } }",
        ),
        ("src/utils.ts", ""),
        ("src/env.ts", ""),
        ("src/env.node.ts", ""),
        ("src/db/pool.ts", ""),
        ("src/internal/x.ts", ""),
        ("src/a.ts", "import '#utils'; import '#env'; import '#db/pool'; import '#dep'; import '#internal/x.js'; import '#none';"),
    ]);
    assert_eq!(
        repo.imports("src/a.ts"),
        [
            "#utils -> src/utils.ts",
            "#env -> src/env.ts",
            "#db/pool -> src/db/pool.ts",
            "#dep -> package chalk",
            "#internal/x.js -> src/internal/x.ts",
            "#none -> ?"
        ]
    );
}

#[test]
fn pnpm_workspaces_are_read_and_excluded_folders_are_not() {
    let repo = linked(&[
        ("pnpm-workspace.yaml", "packages: ['apps/*', \"libs/**\", '!**/test/**']\n"),
        ("libs/a/package.json", "{ \"name\": \"@x/a\", \"main\": \"src/a.ts\" }"),
        ("libs/a/src/a.ts", ""),
        ("libs/a/test/fake/package.json", "{ \"name\": \"react\" }"),
        ("libs/a/test/fake/index.ts", ""),
        ("apps/web/package.json", "{ \"name\": \"web\" }"),
        ("apps/web/m.ts", "import '@x/a'; import 'react';"),
    ]);
    assert_eq!(repo.imports("apps/web/m.ts"), ["@x/a -> libs/a/src/a.ts", "react -> package react"]);
}

#[test]
fn index_files_and_folders_with_a_manifest_are_modules() {
    let repo = linked(&[
        (
            "a.ts",
            "import '.'; import './dir'; import './dir/'; import './dir/index.js'; import './pkg'; import './both'; import './x.mjs'; import './data.json';",
        ),
        ("index.ts", ""),
        ("dir/index.tsx", ""),
        ("pkg/package.json", "{ \"main\": \"./entry.js\" }"),
        ("pkg/entry.ts", ""),
        ("both.ts", ""),
        ("both/index.ts", ""),
        ("x.mts", ""),
    ]);
    assert_eq!(
        repo.imports("a.ts"),
        [
            ". -> index.ts",
            "./dir -> dir/index.tsx",
            "./dir/ -> dir/index.tsx",
            "./dir/index.js -> dir/index.tsx",
            "./pkg -> pkg/entry.ts",
            "./both -> both.ts",
            "./x.mjs -> x.mts",
            "./data.json -> ?"
        ]
    );
}
