//! redis-rs and fred.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "redis (Rust)",
    ecosystem: Ecosystem::Cargo,
    origins: &[origin("redis", "0.32", "https://docs.rs/redis"), origin("fred", "10", "https://docs.rs/fred")],
    packages: &["redis", "fred", "deadpool-redis", "deadpool_redis", "bb8-redis"],
    apis: &[
        does(
            Effect::Redis,
            "**.get|set|hget|hset|hgetall|del|exists|expire|incr|lpush|rpush|lrange|sadd|smembers|zadd|\
             zrange|set_ex|hdel|publish|query_async",
        ),
        does(Effect::Redis, "**.mget|mset").batch(),
    ],
    shapes: &[does(Effect::Redis, "**.cmd.**.query_async")],
};
