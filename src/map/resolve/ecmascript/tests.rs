//! Linking tests: one per way a call or an import can be meant.

mod classes;
mod modules;
mod receivers;
mod routes;
mod specifiers;
mod values;

use std::collections::BTreeMap;

use crate::map::resolve::testing::{Linked, linked};
use crate::map::resolve::{LinkInput, link_again};
use crate::repo_map::CallTarget;

#[test]
fn names_resolve_by_scope_before_imports() {
    let repo = linked(&[
        ("a.ts", "export function load() {}\nexport const save = () => {};"),
        (
            "b.ts",
            "import { load, save as store } from './a';\n\
             function run(load: () => void) { load(); store(); }\n\
             function other() { const store = () => {}; store(); load(); }\n\
             missing();",
        ),
    ]);
    assert_eq!(
        repo.calls("b.ts"),
        [
            "load -> ?",
            "store -> import a.ts save",
            "store -> scope b.ts other.store",
            "load -> import a.ts load",
            "missing -> ?"
        ]
    );
}

#[test]
fn specifiers_are_probed_with_extensions_and_index_files() {
    let repo = linked(&[
        (
            "src/a.ts",
            "import './b'; import './c.js'; import './dir'; import '../src/d'; import './none'; import '../../x';",
        ),
        ("src/b.tsx", ""),
        ("src/c.ts", ""),
        ("src/dir/index.ts", ""),
        ("src/d.mjs", ""),
    ]);
    assert_eq!(
        repo.imports("src/a.ts"),
        [
            "./b -> src/b.tsx",
            "./c.js -> src/c.ts",
            "./dir -> src/dir/index.ts",
            "../src/d -> src/d.mjs",
            "./none -> ?",
            "../../x -> ?"
        ]
    );
}

#[test]
fn tsconfig_paths_of_the_nearest_config_apply_even_when_extends_is_unknown() {
    let repo = linked(&[
        ("tsconfig.base.json", "{ // base\n \"compilerOptions\": { \"paths\": { \"~lib/*\": [\"./lib/*\"] } } }"),
        (
            "app/tsconfig.json",
            "{ \"extends\": \"@nowhere/tsconfig\", \"compilerOptions\": { \"baseUrl\": \".\", \"paths\": { \"@/*\": [\"src/*\"], }, }, }",
        ),
        ("web/tsconfig.json", "{ \"extends\": [\"../tsconfig.base.json\"] }"),
        ("app/src/a.ts", "import '@/b'; import 'src/b'; import 'react'; import '@/gone';"),
        ("app/src/b.ts", ""),
        ("web/a.ts", "import '~lib/x';"),
        ("lib/x.ts", ""),
    ]);
    assert_eq!(
        repo.imports("app/src/a.ts"),
        ["@/b -> app/src/b.ts", "src/b -> app/src/b.ts", "react -> package react", "@/gone -> ?"]
    );
    assert_eq!(repo.imports("web/a.ts"), ["~lib/x -> lib/x.ts"]);
}

#[test]
fn workspace_packages_resolve_to_their_source() {
    let repo = linked(&[
        ("package.json", "{ \"name\": \"root\" }"),
        ("pnpm-workspace.yaml", "packages:\n  - 'packages/*'\n"),
        (
            "packages/core/package.json",
            "{ \"name\": \"@acme/core\", \"exports\": { \".\": { \"import\": \"./dist/index.js\" }, \"./sub/*\": \"./dist/sub/*.js\" } }",
        ),
        ("packages/core/src/index.ts", "export const core = () => {};"),
        ("packages/core/src/sub/x.ts", "export const x = () => {};"),
        ("packages/plain/package.json", "{ \"name\": \"plain\", \"main\": \"lib/main.js\" }"),
        ("packages/plain/src/main.ts", ""),
        ("fixtures/react/package.json", "{ \"name\": \"react\" }"),
        ("fixtures/react/index.ts", ""),
        ("packages/app/package.json", "{ \"name\": \"app\", \"imports\": { \"#db/*\": \"./src/db/*.ts\" } }"),
        ("packages/app/src/db/pool.ts", ""),
        (
            "packages/app/src/a.ts",
            "import { core } from '@acme/core'; import { x } from '@acme/core/sub/x'; import 'plain'; import '#db/pool';\n\
             import 'react'; import 'node:fs/promises'; import 'lodash/map'; import '@scope/pkg/deep';\n\
             core(); x();",
        ),
    ]);
    assert_eq!(
        repo.imports("packages/app/src/a.ts"),
        [
            "@acme/core -> packages/core/src/index.ts",
            "@acme/core/sub/x -> packages/core/src/sub/x.ts",
            "plain -> packages/plain/src/main.ts",
            "#db/pool -> packages/app/src/db/pool.ts",
            "react -> package react",
            "node:fs/promises -> package fs/promises",
            "lodash/map -> package lodash",
            "@scope/pkg/deep -> package @scope/pkg"
        ]
    );
    assert_eq!(
        repo.calls("packages/app/src/a.ts"),
        ["core -> import packages/core/src/index.ts core", "x -> import packages/core/src/sub/x.ts x"]
    );
}

#[test]
fn barrels_renames_and_cycles_are_followed() {
    let repo = linked(&[
        (
            "impl.ts",
            "export function a() {}\nexport default function main() {}\nfunction hidden() {}\nexport { hidden as shown };",
        ),
        (
            "barrel.ts",
            "export * from './impl';\nexport * from './loop';\nexport { default as start, a as renamed } from './impl';\nexport * as ns from './impl';",
        ),
        ("loop.ts", "export * from './barrel';"),
        (
            "use.ts",
            "import { a, start, renamed, ns, shown, nothing } from './barrel';\nimport def, * as all from './impl';\n\
             a(); start(); renamed(); ns.a(); shown(); nothing(); def(); all.a(); all.default();",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "a -> reexport impl.ts a",
            "start -> reexport impl.ts main",
            "renamed -> reexport impl.ts a",
            "a -> reexport impl.ts a",
            "shown -> reexport impl.ts hidden",
            "nothing -> ?",
            "def -> import impl.ts main",
            "a -> import impl.ts a",
            "default -> import impl.ts main",
        ]
    );
}

#[test]
fn a_client_made_elsewhere_goes_by_its_package() {
    let repo = linked(&[
        (
            "db.ts",
            "import { PrismaClient } from '@prisma/client';\nimport { remember } from './remember';\n\
             export const prisma = new PrismaClient();\nexport const kept = remember('db', () => new PrismaClient());",
        ),
        ("remember.ts", "export function remember<T>(name: string, make: () => T): T { return cache.get(name); }"),
        (
            "use.ts",
            "import { prisma, kept } from './db';\nimport type { PrismaClient } from '@prisma/client';\nimport axios from 'axios';\n\
             import * as fs from 'node:fs';\nimport map from 'lodash/map';\n\
             async function run(db: PrismaClient, { tx }: { tx: PrismaClient }) {\n\
               prisma.user.findMany(); kept.user.count(); db.post.create(); tx.post.update(); axios.get('/'); fs.readFileSync('x'); map([]);\n\
               const users = await prisma.user.findMany(); users.map((user) => user);\n\
               await prisma.$transaction(async (inner) => { inner.post.delete(); });\n\
             }",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "findMany -> @prisma/client PrismaClient.user.findMany",
            "count -> @prisma/client PrismaClient.user.count",
            "create -> @prisma/client PrismaClient.post.create",
            "update -> @prisma/client PrismaClient.post.update",
            "get -> axios default.get",
            "readFileSync -> fs readFileSync",
            "map -> lodash map",
            "findMany -> @prisma/client PrismaClient.user.findMany",
            "map -> global Array.map",
            "$transaction -> @prisma/client PrismaClient.$transaction",
            "delete -> @prisma/client PrismaClient.post.delete"
        ]
    );
}

#[test]
fn external_chains_and_globals_keep_their_path() {
    let repo = linked(&[(
        "a.ts",
        "import { drizzle } from 'drizzle-orm';\nimport postgres from 'postgres';\nconst db = drizzle(url);\nconst sql = postgres();\n\
         db.select().from(users).where(x); fetch('/'); JSON.parse(s); console.log(1); Promise.all([]); setTimeout(f); process.exit(1);\n\
         'a'.trim(); sql`select 1`; unknown.method();",
    )]);
    assert_eq!(
        repo.calls("a.ts"),
        [
            "drizzle -> drizzle-orm drizzle",
            "postgres -> postgres default",
            "select -> drizzle-orm drizzle.select",
            "from -> drizzle-orm drizzle.select.from",
            "where -> drizzle-orm drizzle.select.from.where",
            "fetch -> global fetch",
            "parse -> global JSON.parse",
            "log -> global console.log",
            "all -> global Promise.all",
            "setTimeout -> global setTimeout",
            "exit -> global process.exit",
            "trim -> global String.trim",
            "sql -> postgres default",
            "method -> ?"
        ]
    );
}

#[test]
fn receivers_are_typed_by_what_is_written() {
    let repo = linked(&[
        (
            "store.ts",
            "export class Base { shared() {} static make() { return new Base(); } }\n\
             export class Store extends Base {\n\
               private cache = new Map<string, string>();\n\
               field: Base;\n\
               constructor(private readonly base: Base) { super(); }\n\
               find() { this.base.shared(); this.shared(); this.cache.get('x'); this.field.shared(); super.shared(); return this; }\n\
               arrow = () => { this.find(); };\n\
             }\n\
             export function open(): Promise<Store> { return null!; }\n\
             export async function made() { return new Store(new Base()); }\n\
             export const api = { list() {}, nested: { get: () => {} } };\n\
             export type Handler = (store: Store) => void;\n\
             export function on(handler: Handler) {}",
        ),
        (
            "use.ts",
            "import { Store, Base, open, made, api, on } from './store';\n\
             async function run(store: Store, stores: Store[], other: unknown) {\n\
               store.find().arrow();\n\
               const own = new Store(new Base()); own.shared();\n\
               (await open()).find(); (await made()).find(); Base.make().shared();\n\
               api.list(); api.nested.get(); const { list } = api; list();\n\
               (other as Store).find(); for (const one of stores) one.find(); stores.forEach((one) => one.find());\n\
               on((s) => s.find()); other.find();\n\
             }",
        ),
    ]);
    assert_eq!(
        repo.calls("store.ts"),
        [
            "Base -> scope store.ts Base",
            "Map -> global Map",
            "super -> member store.ts Base",
            "shared -> typed store.ts Base.shared",
            "shared -> member store.ts Base.shared",
            "get -> global Map.get",
            "shared -> typed store.ts Base.shared",
            "shared -> member store.ts Base.shared",
            "find -> member store.ts Store.find",
            "Store -> scope store.ts Store + scope store.ts Store.constructor",
            "Base -> scope store.ts Base",
        ]
    );
    assert_eq!(
        repo.calls("use.ts"),
        [
            "find -> typed store.ts Store.find",
            "arrow -> returned store.ts Store.arrow",
            "Store -> import store.ts Store + import store.ts Store.constructor",
            "Base -> import store.ts Base",
            "shared -> typed store.ts Base.shared",
            "open -> import store.ts open",
            "find -> returned store.ts Store.find",
            "made -> import store.ts made",
            "find -> returned store.ts Store.find",
            "make -> typed store.ts Base.make",
            "shared -> returned store.ts Base.shared",
            "list -> import store.ts api.list",
            "get -> import store.ts api.nested.get",
            "list -> import store.ts api.list",
            "find -> typed store.ts Store.find",
            "find -> typed store.ts Store.find",
            "forEach -> global Array.forEach",
            "find -> typed store.ts Store.find",
            "on -> import store.ts on",
            "find -> typed store.ts Store.find",
            "find -> ?"
        ]
    );
}

#[test]
fn interface_methods_dispatch_to_their_implementations() {
    let repo = linked(&[
        ("port.ts", "export interface Port { send(): void }\nexport abstract class Job { abstract run(): void }"),
        (
            "a.ts",
            "import { Port, Job } from './port';\nexport class A implements Port { send() {} }\nexport class C extends Job { run() {} }",
        ),
        ("b.ts", "import type { Port } from './port';\nexport class B implements Port { send() {} }"),
        (
            "use.ts",
            "import type { Port, Job } from './port';\nfunction go(port: Port, job: Job) { port.send(); job.run(); }",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "send -> trait port.ts Port.send + dispatch a.ts A.send + dispatch b.ts B.send",
            "run -> trait port.ts Job.run + dispatch a.ts C.run"
        ]
    );
}

#[test]
fn factories_that_return_objects_give_their_methods() {
    let repo = linked(&[
        (
            "f.ts",
            "export function client(url: string) { return { get: () => {}, post() {} }; }\nexport const shared = client('/');",
        ),
        (
            "use.ts",
            "import { client, shared } from './f';\nclient('/').get(); shared.post(); const { get } = client('/'); get();",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "client -> import f.ts client",
            "get -> returned f.ts client.get",
            "post -> returned f.ts client.post",
            "client -> import f.ts client",
            "get -> returned f.ts client.get"
        ]
    );
}

#[test]
fn commonjs_and_dynamic_imports_are_modules_too() {
    let repo = linked(&[
        ("lib.js", "exports.one = function () {};\nfunction two() {}\nmodule.exports.two = two;"),
        ("obj.js", "function three() {}\nmodule.exports = { three, four() {} };"),
        (
            "use.js",
            "const lib = require('./lib');\nconst { three, four } = require('./obj');\nconst fs = require('fs');\n\
             async function run() { lib.one(); lib.two(); three(); four(); fs.readFileSync(); const m = await import('./lib'); m.one(); }",
        ),
    ]);
    assert_eq!(
        repo.calls("use.js"),
        [
            "require -> global require",
            "require -> global require",
            "require -> global require",
            "one -> import lib.js one",
            "two -> import lib.js two",
            "three -> import obj.js three",
            "four -> import obj.js four",
            "readFileSync -> fs readFileSync",
            "import -> global import",
            "one -> import lib.js one"
        ]
    );
}

#[test]
fn components_and_wrappers_are_called_by_their_tags() {
    let repo = linked(&[
        (
            "ui.tsx",
            "import { memo, forwardRef } from 'react';\nexport const Button = memo(forwardRef(() => <b />));\nexport const Menu = { Item: () => null };",
        ),
        (
            "page.tsx",
            "import { Button, Menu } from './ui';\nexport default function Page() { return <div><Button onClick={() => go()} /><Menu.Item>x</Menu.Item></div>; }",
        ),
    ]);
    assert_eq!(
        repo.calls("page.tsx"),
        ["Button -> import ui.tsx Button", "go -> ?", "Item -> import ui.tsx Menu.Item"]
    );
}

#[test]
fn type_parameters_do_not_name_types_of_the_file() {
    let repo = linked(&[(
        "a.ts",
        "class T { run() {} }\nclass U { run() {} }\nfunction f<T>(x: T) { x.run(); }\nfunction g<V extends U>(x: V) { x.run(); }",
    )]);
    assert_eq!(repo.calls("a.ts"), ["run -> ?", "run -> typed a.ts U.run"]);
}

#[test]
fn what_goes_round_in_circles_comes_to_an_end() {
    let repo = linked(&[(
        "a.ts",
        "import { again } from './a';\nexport { again as other } from './a';\nexport { other as again } from './a';\n\
         class A extends B {} class B extends A {}\ntype T = U; type U = T;\nconst x = y; const y = x;\nfunction f() { return g(); } function g() { return f(); }\n\
         new A().run(); (null as T).run(); x.run(); y(); f().run(); again();",
    )]);
    assert_eq!(
        repo.calls("a.ts"),
        [
            "g -> scope a.ts g",
            "f -> scope a.ts f",
            "A -> scope a.ts A",
            "run -> ?",
            "run -> ?",
            "run -> ?",
            "y -> scope a.ts y",
            "f -> scope a.ts f",
            "run -> ?",
            "again -> ?"
        ]
    );
}

proptest::proptest! {
    #[test]
    fn no_heap_of_code_panics_the_linker(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "export ", "const x", "const { x } = ", " = ", "x", ".x", "()", "(x)", "{ x }", "[x]", "x => ", "await ", ";", "\n", "class x ",
                "extends x ", "{}", "import x from './b';", "import * as x from './b';", "export * from './b';", ": x", ": Promise<x>",
                "return ", "function x", "<x>", "new x()", "this.x()", "super.x()", "interface x ", "type x = ", "x.map(x => x.x())", "x['x']",
            ]),
            0..30,
        ),
    ) {
        let text = parts.concat();
        linked(&[("a.ts", &text), ("b.ts", &text)]);
    }
}

#[test]
fn after_an_edit_only_files_that_looked_at_something_else_are_linked_again() {
    let before = [
        ("index.ts", "export * from './other';\nexport * from './store';\n"),
        ("other.ts", "export function idle() {}\n"),
        ("store.ts", "export class Store { load() { return this.read() } read() {} }\n"),
        ("user.ts", "import { Store } from './index';\nnew Store().load();\n"),
        ("idler.ts", "import { idle } from './index';\nidle();\n"),
    ];
    let assert_linked_again = |edited: (&str, &str), expected: &[&str]| {
        let after = before.map(|(path, text)| if path == edited.0 { edited } else { (path, text) });
        let Linked { files, mut links } = linked(&before);
        // Edges that are wrong show who was linked again.
        let calls = |targets: &Vec<CallTarget>| vec![CallTarget::Unresolved; targets.len()];
        links.targets = links.targets.iter().map(calls).collect();
        let changed: Vec<bool> = files.iter().map(|file| file.path == edited.0).collect();
        let after = linked(&after);
        let input = LinkInput { files: &after.files, config: &BTreeMap::new() };
        let again = link_again(&input, links, &changed);
        let same = (0..files.len()).filter(|&file| again.targets[file] == after.links.targets[file]);
        let same: Vec<&str> =
            same.filter(|&file| !again.targets[file].is_empty()).map(|file| files[file].path.as_str()).collect();
        assert_eq!(same, expected, "{edited:?}");
    };
    // What `Store` is was asked through the file; that it is not there still holds.
    assert_linked_again(
        ("other.ts", "export function idle() {}\nexport function more() { idle() }\n"),
        &["idler.ts", "other.ts"],
    );
    assert_linked_again(
        ("other.ts", "export class Store { load() {} }\nexport function idle() {}\n"),
        &["idler.ts", "user.ts"],
    );
    assert_linked_again(("store.ts", "export class Store { load() {} }\n"), &["user.ts"]);
    assert_linked_again(("index.ts", "export * from './other';\nexport { Store } from './store';\n"), &[]);
}
