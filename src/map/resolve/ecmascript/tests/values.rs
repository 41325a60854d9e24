//! Functions as values: callbacks, tables of functions, wrappers, components and hooks.

use crate::map::resolve::testing::linked;

#[test]
fn callbacks_are_called_by_name_or_in_place_and_what_they_take_is_known() {
    let repo = linked(&[
        (
            "lib.ts",
            "export class Row { save() {} }\nexport type Visit = (row: Row, index: number) => void;\n\
             export function each(rows: Row[], visit: Visit) { for (const row of rows) visit(row, 0); }\n\
             export function later(done: (error: Error | null, row: Row) => void) {}\nexport function options(given: { visit: Visit; done?: (row: Row) => void }) {}\n\
             export const on = (event: string, ...handlers: Visit[]) => {};\nexport function wrap<F extends (...args: any[]) => any>(f: F): F { return f; }",
        ),
        (
            "use.ts",
            "import { each, later, options, on, wrap, Row } from './lib';\n\
             const visit = (row: Row) => row.save();\nfunction own(row: Row) { row.save(); }\nconst wrapped = wrap(own);\nconst bound = own.bind(null);\n\
             each([], visit); each([], (row) => row.save()); each([], function (row) { row.save(); }); later((error, row) => row.save());\n\
             options({ visit: (row) => row.save(), done(row) { row.save(); } }); on('a', visit, (row) => row.save());\n\
             wrapped(row); bound(row); [visit, own].forEach((f) => f(row)); (cond ? visit : own)(row); (() => own(row))();",
        ),
    ]);
    assert_eq!(repo.calls("lib.ts"), ["visit -> ?"]);
    assert_eq!(
        repo.calls("use.ts"),
        [
            "save -> typed lib.ts Row.save",
            "save -> typed lib.ts Row.save",
            "wrap -> import lib.ts wrap",
            "bind -> global Function.bind",
            "each -> import lib.ts each",
            "each -> import lib.ts each",
            "save -> typed lib.ts Row.save",
            "each -> import lib.ts each",
            "save -> typed lib.ts Row.save",
            "later -> import lib.ts later",
            "save -> typed lib.ts Row.save",
            "options -> import lib.ts options",
            "save -> typed lib.ts Row.save",
            "save -> typed lib.ts Row.save",
            "on -> import lib.ts on",
            "save -> typed lib.ts Row.save",
            "wrapped -> scope use.ts wrapped + dispatch use.ts own",
            "bound -> scope use.ts bound + dispatch use.ts own",
            "forEach -> global Array.forEach",
            "f -> typed use.ts visit",
            " -> scope use.ts visit",
            "own -> scope use.ts own",
            " -> ?",
        ]
    );
    assert_eq!(repo.handed("use.ts"), ["wrap <- use.ts own", "each <- use.ts visit", "on <- use.ts visit"]);
}

#[test]
fn tables_of_functions_are_looked_up_by_their_keys() {
    let repo = linked(&[(
        "a.ts",
        "function list() {}\nconst create = () => {};\n\
         const handlers = { list, create, remove() {}, 'by-id': () => {}, [dynamic]: () => {} } as const;\nconst satisfied = { list } satisfies Record<string, () => void>;\n\
         const nested = { users: { list, all: handlers } };\nclass Registry { static all = { list }; table = { create }; go() { this.table.create(); Registry.all.list(); } }\n\
         handlers.list(); handlers.create(); handlers.remove(); handlers['by-id'](); satisfied.list(); nested.users.list(); nested.users.all.create();\n\
         const { list: renamed, ...rest } = handlers; renamed(); rest.create(); handlers[key]();",
    )]);
    assert_eq!(
        repo.calls("a.ts"),
        [
            "create -> scope a.ts create",
            "list -> scope a.ts list",
            "list -> scope a.ts list",
            "create -> scope a.ts create",
            "remove -> scope a.ts handlers.remove",
            " -> scope a.ts handlers.by-id",
            "list -> scope a.ts list",
            "list -> scope a.ts list",
            "create -> scope a.ts create",
            "renamed -> scope a.ts list",
            "create -> scope a.ts create",
            " -> ?"
        ]
    );
}

#[test]
fn components_of_every_form_are_called_by_their_tags() {
    let repo = linked(&[
        (
            "ui/index.ts",
            "export * from './parts';\nexport { default as Page } from './page';\nexport * as Icons from './icons';",
        ),
        (
            "ui/parts.tsx",
            "import React, { memo, forwardRef, lazy, Component } from 'react';\nimport styled from 'styled-components';\n\
             export function Plain() { return null; }\nexport const Arrow: React.FC = () => null;\nexport const Ref = forwardRef<HTMLDivElement>((props, ref) => <div ref={ref} />);\n\
             export const Memo = React.memo(function Inner() { return null; });\nexport class Old extends Component { render() { return <Plain />; } }\nexport const Styled = styled.div`color: red`;\n\
             export const Lazy = lazy(() => import('./page'));\nconst Root = () => null;\nRoot.Item = () => null;\nexport { Root as Menu };\nexport const Again = Plain;\nArrow.displayName = 'Arrow';",
        ),
        ("ui/page.tsx", "export default function Page() { return null; }"),
        ("ui/icons.tsx", "export const Cross = () => null;"),
        (
            "app.tsx",
            "import { Plain, Arrow, Ref, Memo, Old, Styled, Lazy, Menu, Again, Page, Icons } from './ui';\nimport Link from 'next/link';\n\
             function Local() { return null; }\nfunction App({ as: Tag, icon: Icon = Local }: Props) {\n  const Chosen = flag ? Plain : Arrow;\n\
               return <><Plain /><Arrow /><Ref /><Memo /><Old /><Styled /><Lazy /><Menu><Menu.Item /></Menu><Again /><Page /><Icons.Cross /><Link href=\"/\" /><Local /><Tag /><Icon /><Chosen /><div /></>;\n}",
        ),
    ]);
    assert_eq!(
        repo.calls("app.tsx"),
        [
            "Plain -> reexport ui/parts.tsx Plain",
            "Arrow -> reexport ui/parts.tsx Arrow",
            "Ref -> reexport ui/parts.tsx Ref",
            "Memo -> reexport ui/parts.tsx Memo",
            "Old -> reexport ui/parts.tsx Old",
            "Styled -> reexport ui/parts.tsx Styled",
            "Lazy -> reexport ui/parts.tsx Lazy + dispatch ui/page.tsx Page",
            "Menu -> reexport ui/parts.tsx Root",
            "Item -> reexport ui/parts.tsx Root.Item",
            "Again -> reexport ui/parts.tsx Plain",
            "Page -> reexport ui/page.tsx Page",
            "Cross -> reexport ui/icons.tsx Cross",
            "Link -> next link",
            "Local -> scope app.tsx Local",
            "Tag -> ?",
            "Icon -> ?",
            "Chosen -> reexport ui/parts.tsx Plain"
        ]
    );
}

#[test]
fn hooks_give_what_they_return_and_context_gives_what_it_was_made_for() {
    let repo = linked(&[
        (
            "hooks.ts",
            "import { useContext, createContext, useCallback, useMemo, useRef, useState } from 'react';\n\
             export class Api { load() {} }\nexport const ApiContext = createContext<Api | null>(null);\n\
             export function useApi() { const api = useContext(ApiContext); if (!api) throw new Error('none'); return api; }\n\
             export function useCart() { const [items, setItems] = useState<Api[]>([]); const add = useCallback(() => { setItems([]); }, []); const total = useMemo(() => new Api(), []); return { items, add, total, clear() {} }; }\n\
             export const usePair = () => [new Api(), () => {}] as const;",
        ),
        (
            "use.tsx",
            "import { useApi, useCart, usePair, Api } from './hooks';\nimport { useRef, useMemo } from 'react';\n\
             function Page() {\n  const api = useApi();\n  const { add, total, clear, items } = useCart();\n  const [first] = usePair();\n  const ref = useRef<Api>(null);\n  const memo = useMemo(() => new Api(), []);\n\
               api.load(); add(); total.load(); clear(); items[0].load(); first.load(); ref.current?.load(); memo.load();\n  const handle = () => { useCart().clear(); };\n  return <button onClick={handle} onFocus={() => add()} />;\n}",
        ),
    ]);
    assert_eq!(
        repo.calls("use.tsx"),
        [
            "useApi -> import hooks.ts useApi",
            "useCart -> import hooks.ts useCart",
            "usePair -> import hooks.ts usePair",
            "useRef -> react useRef",
            "useMemo -> react useMemo",
            "Api -> import hooks.ts Api",
            "load -> returned hooks.ts Api.load",
            "add -> returned hooks.ts useCart.add",
            "load -> returned hooks.ts Api.load",
            "clear -> returned hooks.ts useCart.clear",
            "load -> typed hooks.ts Api.load",
            "load -> returned hooks.ts Api.load",
            "load -> typed hooks.ts Api.load",
            "load -> returned hooks.ts Api.load",
            "useCart -> import hooks.ts useCart",
            "clear -> returned hooks.ts useCart.clear",
            "add -> returned hooks.ts useCart.add"
        ]
    );
}
