//! Sessions of requests: who is logged in, as the libraries for Next.js and other servers say it.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "sessions",
    ecosystem: Ecosystem::Npm,
    origins: &[
        origin("next-auth", "4, 5", "https://next-auth.js.org/configuration/nextjs"),
        origin(
            "@clerk/nextjs, @clerk/express, @clerk/backend",
            "5, 6",
            "https://clerk.com/docs/nextjs/guides/users/reading",
        ),
        origin("better-auth", "1", "https://better-auth.com/docs/concepts/api"),
        origin("lucia", "3", "https://www.npmjs.com/package/lucia"),
        origin("iron-session", "8", "https://www.npmjs.com/package/iron-session"),
        origin("@auth0/nextjs-auth0", "3, 4", "https://www.npmjs.com/package/@auth0/nextjs-auth0"),
        origin("passport", "0.6, 0.7", "https://www.passportjs.org/docs/"),
        origin("@supabase/supabase-js", "2", "https://supabase.com/docs/reference/javascript/auth-getuser"),
    ],
    packages: &[
        "next-auth",
        "@clerk/*",
        "better-auth",
        "lucia",
        "iron-session",
        "@auth0/nextjs-auth0",
        "passport",
        "@supabase/*",
    ],
    apis: &[
        does(
            Effect::AuthCheck,
            "**.getServerSession|unstable_getServerSession|getSession|getToken|getAuth|currentUser|requireAuth|getIronSession|validateSession",
        ),
        does(Effect::AuthCheck, "auth|auth.protect|NextAuth.auth|default.auth"),
        does(
            Effect::AuthCheck,
            "**.withApiAuthRequired|withPageAuthRequired|withAuth|authenticate|authenticateRequest",
        ),
        does(Effect::AuthCheck, "**.auth.getUser|getClaims"),
    ],
    shapes: &[
        does(Effect::AuthCheck, "**.auth.api.getSession"),
        does(Effect::AuthCheck, "**.supabase|supabaseClient|*Supabase.auth.getUser|getClaims|getSession"),
        does(Effect::AuthCheck, "**.passport.authenticate").sync(),
        does(Effect::AuthCheck, "**.lucia.validateSession"),
    ],
};
