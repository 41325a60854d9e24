//! Rules about cost that grows with data or traffic.

pub mod batching;
pub mod blocking_in_async;
pub mod n_plus_one;
pub mod n_plus_one_client;
pub mod n_plus_one_resolver;
pub mod n_plus_one_write;
pub mod per_item;
pub mod quadratic_loop;
pub mod regex_in_hot_path;
pub mod sequential_await;
pub mod unbounded_concurrency;
