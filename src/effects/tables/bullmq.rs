//! BullMQ, Bull and other job queues.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does};

pub static LIBRARY: Library = Library {
    name: "bullmq",
    ecosystem: Ecosystem::Npm,
    source: "bullmq 5, API of Queue; bull 4",
    packages: &["bullmq", "bull", "bee-queue", "pg-boss", "@nestjs/bull", "@nestjs/bullmq"],
    apis: &[does(Effect::Queue, "**.add|send|publish|insert"), does(Effect::Queue, "**.addBulk|createBatch").batch()],
    shapes: &[
        does(Effect::Queue, "**.*Queue|queue|boss.add"),
        does(Effect::Queue, "**.*Queue|queue|boss.addBulk").batch(),
    ],
};
