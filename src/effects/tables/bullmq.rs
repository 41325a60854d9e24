//! BullMQ, Bull and other job queues.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "bullmq",
    ecosystem: Ecosystem::Npm,
    origins: &[
        origin("bullmq", "5", "https://docs.bullmq.io/"),
        origin("bull", "4", "https://www.npmjs.com/package/bull"),
    ],
    packages: &["bullmq", "bull", "bee-queue", "pg-boss", "@nestjs/bull", "@nestjs/bullmq"],
    apis: &[does(Effect::Queue, "**.add|send|publish|insert"), does(Effect::Queue, "**.addBulk|createBatch").batch()],
    shapes: &[
        does(Effect::Queue, "**.*Queue|queue|boss.add"),
        does(Effect::Queue, "**.*Queue|queue|boss.addBulk").batch(),
    ],
};
