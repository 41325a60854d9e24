//! Route handlers: what they call, wherever the framework wants them, and registered by name or in place.

use crate::map::resolve::testing::linked;

const SERVICE: (&str, &str) = (
    "service.ts",
    "export function list() {}\nexport const create = async () => {};\nexport class Users { constructor(private db = 1) {} find() {} handle = (req: unknown) => { this.find(); }; }\nexport const users = new Users();",
);

#[test]
fn express_and_fastify() {
    let repo = linked(&[
        SERVICE,
        (
            "controller.ts",
            "import type { Request, Response } from 'express';\nimport * as service from './service';\nexport const index = (req: Request, res: Response) => { service.list(); res.json({}); };\nexport default { show(req, res) { service.create(); }, index };",
        ),
        (
            "app.ts",
            "import express, { Router } from 'express';\nimport Fastify from 'fastify';\nimport controller, { index } from './controller';\nimport { list, users } from './service';\n\
             const app = express();\nconst router = Router();\nconst guard = (req, res, next) => { list(); next(); };\n\
             router.get('/', index); router.get('/:id', controller.show); router.use(guard); router.route('/x').post(async (req, res) => { users.find(); });\n\
             app.use('/users', router);\n\
             const fastify = Fastify();\nfastify.get('/', { preHandler: guard }, async (request, reply) => { list(); reply.send(1); });\nfastify.register(async (instance) => { instance.post('/', () => list()); });\n\
             export async function plugin(instance: FastifyInstance) { instance.route({ method: 'GET', url: '/', handler: async () => list() }); }",
        ),
    ]);
    assert_eq!(
        repo.calls("controller.ts"),
        ["list -> import service.ts list", "json -> express Response.json", "create -> import service.ts create"]
    );
    assert_eq!(
        repo.calls("app.ts"),
        [
            "express -> express default",
            "Router -> express Router",
            "list -> import service.ts list",
            "next -> ?",
            "get -> express Router.get",
            "get -> express Router.get",
            "use -> express Router.use",
            "route -> express Router.route",
            "post -> express Router.route.post",
            "find -> typed service.ts Users.find",
            "use -> express default.use",
            "Fastify -> fastify default",
            "get -> fastify default.get",
            "list -> import service.ts list",
            "send -> ?",
            "register -> fastify default.register",
            "post -> ?",
            "list -> import service.ts list",
            "route -> ?",
            "list -> import service.ts list",
        ]
    );
    assert_eq!(
        repo.handed("app.ts"),
        [
            "get <- controller.ts index",
            "get <- controller.ts default.show",
            "use <- app.ts guard",
            "use <- app.ts router",
            "get <- app.ts guard",
        ]
    );
}

#[test]
fn hono_and_trpc() {
    let repo = linked(&[
        SERVICE,
        (
            "hono.ts",
            "import { Hono } from 'hono';\nimport type { Context } from 'hono';\nimport { list, users } from './service';\n\
             const app = new Hono();\nconst handler = (c: Context) => { list(); return c.json({}); };\n\
             app.get('/', handler).post('/', async (c) => { users.find(); return c.text(''); });\napp.route('/api', new Hono().get('/', (c) => c.text(list())));\nexport default app;\nexport type App = typeof app;",
        ),
        (
            "trpc.ts",
            "import { initTRPC } from '@trpc/server';\nimport { PrismaClient } from '@prisma/client';\n\
             export const createContext = async () => ({ prisma: new PrismaClient(), users: 1 });\nexport type Context = Awaited<ReturnType<typeof createContext>>;\n\
             const t = initTRPC.context<Context>().create();\nexport const router = t.router;\nexport const procedure = t.procedure;",
        ),
        (
            "root.ts",
            "import { router, procedure } from './trpc';\nimport { list, create } from './service';\nimport { userRouter } from './users';\n\
             export const appRouter = router({ users: userRouter, list: procedure.query(() => list()), create: procedure.input(schema).mutation(async ({ ctx, input }) => { await create(); }) });",
        ),
        (
            "users.ts",
            "import { router, procedure } from './trpc';\nimport { handle } from './handler';\nexport const userRouter = router({ byId: procedure.query(handle) });",
        ),
        (
            "handler.ts",
            "import type { Context } from './trpc';\nexport const handle = async ({ ctx }: { ctx: Context }) => { await ctx.prisma.user.findMany(); };",
        ),
    ]);
    assert_eq!(
        repo.calls("hono.ts"),
        [
            "Hono -> hono Hono",
            "list -> import service.ts list",
            "json -> hono Context.json",
            "get -> hono Hono.get",
            "post -> hono Hono.get.post",
            "find -> typed service.ts Users.find",
            "text -> ?",
            "route -> hono Hono.route",
            "Hono -> hono Hono",
            "get -> hono Hono.get",
            "text -> ?",
            "list -> import service.ts list"
        ]
    );
    assert_eq!(
        repo.calls("root.ts"),
        [
            "router -> import trpc.ts router",
            "query -> @trpc/server initTRPC.context.create.procedure.query",
            "list -> import service.ts list",
            "input -> @trpc/server initTRPC.context.create.procedure.input",
            "mutation -> @trpc/server initTRPC.context.create.procedure.input.mutation",
            "create -> import service.ts create"
        ]
    );
    assert_eq!(repo.calls("handler.ts"), ["findMany -> @prisma/client PrismaClient.user.findMany"]);
    assert_eq!(repo.handed("hono.ts"), ["get <- hono.ts handler"]);
    assert_eq!(repo.handed("users.ts"), ["query <- handler.ts handle"]);
}

#[test]
fn next_in_both_routers() {
    let repo = linked(&[
        SERVICE,
        ("tsconfig.json", "{ \"compilerOptions\": { \"paths\": { \"@/*\": [\"./*\"] } } }"),
        (
            "lib/auth.ts",
            "export const withAuth = (handler: (request: Request) => Promise<Response>) => handler;\nexport function handlers() { return { GET() {}, POST() {} }; }",
        ),
        (
            "app/api/users/route.ts",
            "import { NextRequest, NextResponse } from 'next/server';\nimport { list, create } from '@/service';\nimport { withAuth } from '@/lib/auth';\n\
             export async function GET(request: NextRequest) { await list(); return NextResponse.json({}); }\nexport const POST = withAuth(async (request) => { await create(); return new Response(); });\nconst handler = () => list();\nexport { handler as PUT, handler as DELETE };",
        ),
        ("app/api/auth/route.ts", "import { handlers } from '@/lib/auth';\nexport const { GET, POST } = handlers();"),
        (
            "pages/api/user.ts",
            "import type { NextApiRequest, NextApiResponse } from 'next';\nimport { users } from '../../service';\nexport default async function handler(req: NextApiRequest, res: NextApiResponse) { users.find(); res.status(200).json({}); }",
        ),
        (
            "app/page.tsx",
            "import { Form } from './form';\nimport { save } from './actions';\nexport default async function Page() { return <form action={save}><Form /></form>; }",
        ),
        ("app/form.tsx", "'use client';\nexport function Form() { return null; }"),
        (
            "app/actions.ts",
            "'use server';\nimport { create } from '@/service';\nexport async function save(data: FormData) { await create(); data.get('x'); }",
        ),
        (
            "middleware.ts",
            "import { NextResponse } from 'next/server';\nexport function middleware() { return NextResponse.next(); }",
        ),
    ]);
    assert_eq!(
        repo.calls("app/api/users/route.ts"),
        [
            "list -> import service.ts list",
            "json -> next NextResponse.json",
            "withAuth -> import lib/auth.ts withAuth",
            "create -> import service.ts create",
            "Response -> global Response",
            "list -> import service.ts list",
        ]
    );
    assert_eq!(repo.calls("app/api/auth/route.ts"), ["handlers -> import lib/auth.ts handlers"]);
    assert_eq!(
        repo.calls("pages/api/user.ts"),
        [
            "find -> typed service.ts Users.find",
            "status -> next NextApiResponse.status",
            "json -> next NextApiResponse.status.json"
        ]
    );
    assert_eq!(repo.calls("app/page.tsx"), ["Form -> import app/form.tsx Form"]);
    assert_eq!(repo.calls("app/actions.ts"), ["create -> import service.ts create", "get -> global FormData.get"]);
    assert_eq!(repo.calls("middleware.ts"), ["next -> next NextResponse.next"]);
}
