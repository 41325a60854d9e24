//! Linking tests: which definition is meant where several stand for one, and types that are said elsewhere.

use crate::map::resolve::testing::linked;

#[test]
fn of_overloads_the_one_with_a_body_is_called() {
    let repo = linked(&[
        (
            "a.ts",
            "export function pick(a: string): string;\nexport function pick(a: number): number;\n\
             export function pick(a: any) { return a; }\nexport declare function outside(): void;\npick(1);",
        ),
        ("b.ts", "import * as all from './a';\nall.pick(1); all.outside();"),
    ]);
    assert_eq!(repo.calls("a.ts"), ["pick -> scope a.ts pick"]);
    let at = |symbol: u32| repo.files[0].facts.symbols[symbol as usize].name_line;
    let target = |file: usize, call: usize| match &repo.links.targets[file][call] {
        crate::repo_map::CallTarget::Symbols(found) => at(found[0].symbol.index),
        other => panic!("the call is one of this repository, not {other:?}"),
    };
    assert_eq!((target(0, 0), target(1, 0), target(1, 1)), (3, 3, 4));
}

#[test]
fn a_constant_that_holds_a_method_is_named_and_the_method_runs() {
    let repo = linked(&[
        ("a.ts", "export class Text { static make() {} }\nexport const text = Text.make;\nexport const same = text;"),
        (
            "b.ts",
            "import { text, same } from './a';\nimport { readFile } from 'node:fs';\nconst read = readFile;\ntext(); same(); read();",
        ),
    ]);
    assert_eq!(
        repo.calls("b.ts"),
        [
            "text -> import a.ts text + dispatch a.ts Text.make",
            "same -> import a.ts text + dispatch a.ts Text.make",
            "read -> scope b.ts read"
        ]
    );
}

#[test]
fn objects_put_together_have_the_members_of_their_parts() {
    let repo = linked(&[(
        "a.tsx",
        "const Root = () => null;\nconst Header = () => null;\nfunction plain() {}\nfunction own() {}\n\
         const Drawer = Object.assign(Root, { Header, close: plain }, { close: own });\n\
         const kept = Object.freeze({ plain });\n\
         const view = <Drawer><Drawer.Header /></Drawer>;\nDrawer.close(); kept.plain(); Drawer.missing();",
    )]);
    assert_eq!(
        repo.calls("a.tsx"),
        [
            "assign -> global Object.assign",
            "freeze -> global Object.freeze",
            "Drawer -> scope a.tsx Drawer",
            "Header -> scope a.tsx Header",
            "close -> scope a.tsx own",
            "plain -> scope a.tsx plain",
            "missing -> ?"
        ]
    );
}

#[test]
fn parameters_take_the_type_that_is_expected_of_their_function() {
    let repo = linked(&[
        (
            "types.ts",
            "export class Context { text() {} }\nexport type Handler = (c: Context) => void;\n\
             export type Next = (c: Context, next: () => void) => void;\nexport type Either = Handler | Next;",
        ),
        (
            "use.ts",
            "import type { Handler, Either, Context } from './types';\n\
             const bound: Handler = (c) => c.text();\n\
             const either: Either = (c) => c.text();\n\
             const cors = (): Handler => { return async function cors(c) { c.text(); }; };\n\
             const nested = (): Handler => (c) => c.text();\n\
             const unlike: Handler | ((c: Date) => void) = (c) => c.text();\n\
             const free = (c) => c.text();",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "text -> typed types.ts Context.text",
            "text -> typed types.ts Context.text",
            "text -> typed types.ts Context.text",
            "text -> typed types.ts Context.text",
            "text -> ?",
            "text -> ?"
        ]
    );
}

#[test]
fn call_signatures_of_an_interface_type_what_is_handed_to_it() {
    let repo = linked(&[
        (
            "types.ts",
            "export class Context { text() {} }\nexport type Handler = (c: Context) => void;\n\
             export interface Get {\n  (handler: Handler): App;\n  <P extends string>(path: P, ...handlers: Handler[]): App;\n}\n\
             export class App { get!: Get; run() {} }\n\
             export interface Mixed { (f: (c: Context) => void): void; (f: (d: App) => void): void }",
        ),
        (
            "use.ts",
            "import { App, Mixed } from './types';\nconst app = new App();\n\
             app.get('/', (c) => c.text()).run();\nfunction f(mixed: Mixed) { mixed((c) => c.text()); }",
        ),
    ]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "App -> import types.ts App",
            "get -> ?",
            "text -> typed types.ts Context.text",
            "run -> returned types.ts App.run",
            "mixed -> ?",
            "text -> ?"
        ]
    );
}
