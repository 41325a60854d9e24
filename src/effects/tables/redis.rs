//! ioredis, node-redis and Upstash.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "redis",
    ecosystem: Ecosystem::Npm,
    origins: &[
        origin("ioredis", "5", "https://www.npmjs.com/package/ioredis"),
        origin("redis", "5", "https://www.npmjs.com/package/redis"),
    ],
    packages: &["ioredis", "redis", "@redis/client", "@upstash/redis"],
    apis: &[
        does(
            Effect::Redis,
            "**.get|hget|hgetall|hmget|lrange|lindex|llen|smembers|sismember|scard|zrange|zscore|zrank|\
             exists|ttl|type|getBuffer|hGet|hGetAll|sMembers|zRange|lRange|sIsMember",
        ),
        does(
            Effect::Redis,
            "**.set|setex|psetex|setnx|hset|hmset|hdel|del|unlink|expire|incr|incrby|decr|lpush|rpush|\
             sadd|srem|zadd|zrem|publish|setEx|hSet|hDel|lPush|rPush|sAdd|zAdd|incrBy|expireAt",
        ),
        does(Effect::Redis, "**.mget|mset|mGet|mSet|exec").batch(),
    ],
    shapes: &[
        does(
            Effect::Redis,
            "**.redis|*Redis|redis*.get|hget|hgetall|hmget|lrange|lindex|llen|smembers|sismember|scard|\
             zrange|zscore|zrank|exists|ttl|type|getBuffer|hGet|hGetAll|sMembers|zRange|lRange|\
             sIsMember",
        ),
        does(
            Effect::Redis,
            "**.redis|*Redis|redis*.set|setex|psetex|setnx|hset|hmset|hdel|del|unlink|expire|incr|\
             incrby|decr|lpush|rpush|sadd|srem|zadd|zrem|publish|setEx|hSet|hDel|lPush|rPush|sAdd|zAdd|\
             incrBy|expireAt",
        ),
        does(Effect::Redis, "**.redis|*Redis|redis*.mget|mset|mGet|mSet").batch(),
    ],
};
