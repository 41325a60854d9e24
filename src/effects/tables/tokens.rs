//! Tokens, signatures and passwords: what proves who is asking, for Node.js.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "tokens",
    ecosystem: Ecosystem::Npm,
    origins: &[
        origin("jsonwebtoken", "8, 9", "https://www.npmjs.com/package/jsonwebtoken"),
        origin("jose", "4, 5, 6", "https://www.npmjs.com/package/jose"),
        origin("express-jwt", "7, 8", "https://www.npmjs.com/package/express-jwt"),
        origin("firebase-admin", "11, 12, 13", "https://firebase.google.com/docs/auth/admin/verify-id-tokens"),
        origin("google-auth-library", "9, 10", "https://www.npmjs.com/package/google-auth-library"),
        origin("stripe", "12, 13, 14, 15, 16, 17, 18", "https://docs.stripe.com/webhooks"),
        origin("svix", "1", "https://docs.svix.com/receiving/verifying-payloads/how"),
        origin("bcrypt", "5, 6", "https://www.npmjs.com/package/bcrypt"),
        origin("bcryptjs", "2, 3", "https://www.npmjs.com/package/bcryptjs"),
        origin("argon2", "0.40, 0.41, 0.43, 0.44", "https://www.npmjs.com/package/argon2"),
        origin("Node.js crypto", "18, 20, 22, 24", "https://nodejs.org/api/crypto.html"),
    ],
    packages: &[
        "jsonwebtoken",
        "jose",
        "express-jwt",
        "firebase-admin",
        "google-auth-library",
        "stripe",
        "svix",
        "bcrypt",
        "bcryptjs",
        "@node-rs/*",
        "argon2",
        "crypto",
    ],
    apis: &[
        does(
            Effect::AuthCheck,
            "**.verify|jwtVerify|jwtDecrypt|compactVerify|verifyIdToken|verifySessionCookie|constructEvent|constructEventAsync|expressjwt|compare",
        ),
        does(Effect::AuthCheck, "**.compareSync|timingSafeEqual").sync(),
    ],
    shapes: &[
        does(Effect::AuthCheck, "**.jwt.verify").sync(),
        does(Effect::AuthCheck, "**.stripe|stripeClient.webhooks.constructEvent|constructEventAsync"),
        does(Effect::AuthCheck, "**.verifyIdToken|verifySessionCookie"),
        does(Effect::AuthCheck, "**.timingSafeEqual").sync(),
    ],
};
