//! The Supabase client: PostgREST, storage and auth over HTTP.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin, reads, writes};

pub static LIBRARY: Library = Library {
    name: "supabase",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("@supabase/supabase-js", "2", "https://supabase.com/docs/reference/javascript/introduction")],
    packages: &["@supabase/*"],
    apis: &[
        reads("**.from.select"),
        writes("**.from.insert|update|upsert|delete"),
        reads("**.rpc"),
        does(Effect::Http, "**.storage.from.upload|download|remove|list|createSignedUrl"),
        does(Effect::Http, "**.auth.getUser|getSession|signInWithPassword|signUp"),
    ],
    shapes: &[
        reads("**.supabase|*Supabase|supabase*.from.select"),
        writes("**.supabase|*Supabase|supabase*.from.insert|update|upsert|delete"),
        reads("**.supabase|*Supabase|supabase*.rpc"),
    ],
};
