//! Small repositories in memory: which entry points are found, and what is reached from them.

use super::*;
use crate::map::{MapOptions, build};
use crate::plan::lint::tests::MemoryTree;
use crate::progress::NoProgress;
use crate::repo_map::history::History;

fn mapped(files: &[(&str, &str)]) -> RepoMap {
    let tree = MemoryTree::of(files);
    build(&tree, &MapOptions::default(), &History::default(), None, &NoProgress).expect("the files can be mapped")
}

/// `label -> handler` of every entry point; a function written in place is its line.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let map = mapped(files);
    let entries = entries(&map);
    let mut rows: Vec<String> = entries
        .list
        .iter()
        .map(|entry| {
            let handler = match entry.handler {
                Handler::Function(symbol) => map.symbol(symbol).qualified.to_string(),
                Handler::Callback(..) => format!("line {}", entry.handler.line(&map)),
            };
            format!("{} -> {handler}", entry.label)
        })
        .collect();
    rows.sort();
    rows
}

fn package(dependency: &str) -> (&'static str, String) {
    ("package.json", format!("{{\"dependencies\": {{\"{dependency}\": \"1\"}}}}"))
}

fn with(dependency: &str, files: &[(&str, &str)]) -> Vec<String> {
    let (path, manifest) = package(dependency);
    let mut all = vec![(path, manifest.as_str())];
    all.extend(files);
    found(&all)
}

#[test]
fn the_last_handler_of_an_express_route_answers() {
    let rows = with(
        "express",
        &[
            (
                "src/routes.ts",
                "import express from 'express';\nimport { list, remove } from './orders';\nimport * as users from './users';\n\
                 const app = express();\nconst router = express.Router();\n\
                 app.get('/orders', guard, list);\nrouter.delete('/orders/:id', wrap(remove));\n\
                 router.route('/users').get(users.all).post(async (req, res) => { res.json(await users.add(req.body)); });\n\
                 app.get('view engine');\napp.set('port', list);\n",
            ),
            (
                "src/orders.ts",
                "export async function list(req, res) {}\nexport const remove = async (req, res) => {};\n",
            ),
            ("src/users.ts", "export function all(req, res) {}\nexport function add(user) {}\n"),
        ],
    );
    assert_eq!(
        rows,
        ["DELETE /orders/:id -> remove", "GET /orders -> list", "GET /users -> all", "POST /users -> line 8"]
    );
}

#[test]
fn a_client_with_the_same_methods_is_no_router() {
    let rows = with(
        "express",
        &[("src/a.ts", "import axios from 'axios';\naxios.get('/orders', { transform: (x) => x });\n")],
    );
    assert_eq!(rows, Vec::<String>::new());
}

#[test]
fn fastify_and_hono_have_forms_of_their_own() {
    let fastify = "import Fastify from 'fastify';\nconst app = Fastify();\n\
                   app.route({ method: 'POST', url: '/pay', handler: async (request) => {} });\n";
    assert_eq!(with("fastify", &[("a.ts", fastify)]), ["POST /pay -> line 3"]);
    let hono = "import { Hono } from 'hono';\nconst app = new Hono();\napp.on('PURGE', '/cache', (c) => c.text(''));\n";
    assert_eq!(with("hono", &[("a.ts", hono)]), ["PURGE /cache -> line 3"]);
}

#[test]
fn where_a_file_stands_makes_routes_in_next() {
    let rows = with(
        "next",
        &[
            (
                "app/(shop)/orders/[id]/route.ts",
                "export async function GET() {}\nexport const POST = withAuth(async () => {});\nfunction helper() {}\n",
            ),
            ("app/orders/page.tsx", "export default async function Page() {}\n"),
            ("app/about/page.tsx", "export default function Page() {}\n"),
            ("pages/api/users/index.ts", "const handler = (req, res) => {};\nexport default handler;\n"),
        ],
    );
    assert_eq!(
        rows,
        ["/api/users -> handler", "GET /orders/[id] -> GET", "POST /orders/[id] -> POST", "page /orders -> Page"]
    );
}

#[test]
fn decorators_make_routes_resolvers_and_schedules_in_nest() {
    let text = "@Controller('orders')\nexport class Orders {\n  @Get(':id')\n  one() {}\n  @Cron('* * * * *')\n  sweep() {}\n}\n\
                @Resolver()\nexport class Names {\n  @Query(() => [String])\n  names() {}\n}\nexport class Plain {\n  @Get()\n  get() {}\n}\n";
    let rows = with("@nestjs/core", &[("orders.ts", text)]);
    assert_eq!(rows, ["GET /orders/:id -> Orders.one", "query names -> Names.names", "schedule sweep -> Orders.sweep"]);
}

#[test]
fn procedures_are_named_by_their_key() {
    let text = "export const orders = router({\n  create: protectedProcedure.input(shape).mutation(async ({ input }) => {}),\n\
                  list: publicProcedure.query(() => []),\n});\nconst other = client.query(async () => {});\n";
    assert_eq!(with("@trpc/server", &[("orders.ts", text)]), ["mutation create -> line 2", "query list -> line 3"]);
}

#[test]
fn workers_and_schedules_are_no_requests() {
    let text = "import { Worker } from 'bullmq';\nimport cron from 'node-cron';\n\
                new Worker('mail', async (job) => {});\ncron.schedule('0 * * * *', sweep);\nfunction sweep() {}\n";
    assert_eq!(with("bullmq", &[("work.ts", text)]), ["job mail -> line 3", "schedule 0 * * * * -> sweep"]);
}

#[test]
fn rust_routers_and_attributes_are_read() {
    let axum = "use axum::{Router, routing::{get, post}};\nasync fn list() {}\nasync fn create() {}\n\
                fn app() -> Router { Router::new().route(\"/orders\", get(list).post(create)) }\nfn main() {}\n";
    let manifest = |name: &str| format!("[package]\nname = \"a\"\n[dependencies]\n{name} = \"1\"\n");
    let rows = found(&[("Cargo.toml", &manifest("axum")), ("src/main.rs", axum)]);
    assert_eq!(rows, ["GET /orders -> list", "POST /orders -> create", "main of src/main.rs -> main"]);
    let named = "use axum::{Router, routing::get};\nconst ITEMS: &str = \"/items\";\nasync fn list() {}\nasync fn consent() {}\n\
                 fn app() -> Router { Router::new().route(ITEMS, get(list)).route(paths::Consent::route(), get(consent)) }\n";
    let rows = found(&[("Cargo.toml", &manifest("axum")), ("src/lib.rs", named)]);
    assert_eq!(rows, ["GET /items -> list", "GET by consent -> consent"]);
    let tonic = "#[tonic::async_trait]\nimpl Greeter for Service {\n\
                 async fn say(&self, request: Request<Hello>) -> Result<Response<Reply>, Status> { todo!() }\n}\n";
    let rows = found(&[("Cargo.toml", &manifest("tonic")), ("src/lib.rs", tonic)]);
    assert_eq!(rows, ["rpc Greeter.say -> Service::say"]);
    let actix = "use actix_web::{get, web};\n#[get(\"/users\")]\nasync fn users() {}\nasync fn one() {}\n\
                 fn app(c: &mut Config) { c.route(\"/one\", web::post().to(one)); }\n";
    let rows = found(&[("Cargo.toml", &manifest("actix-web")), ("src/lib.rs", actix)]);
    assert_eq!(rows, ["GET /users -> users", "POST /one -> one"]);
}

#[test]
fn what_a_handler_calls_is_reached_and_what_it_only_registers_is_not() {
    let (path, manifest) = package("express");
    let map = mapped(&[
        (path, &manifest),
        (
            "src/app.ts",
            "import express from 'express';\nimport { load, sum } from './store';\nconst app = express();\n\
             export function start() { app.get('/orders', async (req, res) => { res.json((await load()).map(sum)); }); }\n\
             start();\n",
        ),
        (
            "src/store.ts",
            "export async function load() { return query(); }\nfunction query() { return []; }\nexport function sum(order) { return 1; }\nexport function unused() {}\n",
        ),
    ]);
    let entries = entries(&map);
    let reach = |name: &str| {
        let (id, _) = map.symbols().find(|(_, symbol)| symbol.name == name).expect("the test defines it");
        entries.of_symbol(id).map(|reach| (reach.entry.label.clone(), reach.distance))
    };
    assert_eq!(reach("load"), Some(("GET /orders".to_owned(), 1)));
    assert_eq!(reach("query"), Some(("GET /orders".to_owned(), 2)));
    assert_eq!(reach("sum"), Some(("GET /orders".to_owned(), 1)));
    assert_eq!(reach("start"), None);
    assert_eq!(reach("unused"), None);
    let (file, _) = map.file_by_path("src/app.ts").expect("the test has it");
    assert_eq!(entries.of_line(&map, file, 4).map(|reach| reach.distance), Some(0));
    assert!(entries.of_line(&map, file, 5).is_none());
}

/// Functions that run only while a server starts, by name.
fn at_start(files: &[(&str, &str)]) -> Vec<String> {
    let map = mapped(files);
    let mut names: Vec<String> =
        start::only_at_start(&map).into_iter().map(|symbol| map.symbol(symbol).qualified.to_string()).collect();
    names.sort();
    names
}

#[test]
fn what_a_node_server_calls_only_as_it_loads_runs_at_start() {
    let names = at_start(&[
        ("package.json", r#"{"dependencies": {"express": "5"}}"#),
        (
            "src/server.ts",
            "import express from 'express';\nconst app = express();\n\
             async function sources() { await source(1); await both(); }\nasync function source(id) {}\nasync function both() {}\n\
             async function poll() {}\nasync function later() {}\nasync function list(req, res) { await both(); }\n\
             async function main() { await sources(); while (true) { await poll(); } }\n\
             app.get('/items', list);\nsetInterval(() => later(), 1000);\nmain();\n",
        ),
    ]);
    assert_eq!(names, ["main", "source", "sources"]);
}

#[test]
fn what_a_rust_server_spawns_does_not_run_at_start() {
    let files = |dependency: &str| {
        let manifest = format!(
            "[package]\nname = \"a\"\nversion = \"1.0.0\"\n\n[dependencies]\n{dependency} = \"1\"\ntokio = \"1\"\n"
        );
        at_start(&[
            ("Cargo.toml", manifest.as_str()),
            (
                "src/main.rs",
                "async fn main() { discover().await; tokio::spawn(work()); tokio::spawn(async { clean().await }); }\n\
                 async fn discover() { table().await; }\nasync fn table() {}\nasync fn work() {}\nasync fn clean() {}\n",
            ),
        ])
    };
    assert_eq!(files("axum"), ["discover", "main", "table"]);
    // A command's own work is all there is.
    assert!(files("clap").is_empty());
}
