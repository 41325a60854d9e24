//! AWS SDK for JavaScript.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does};

pub static LIBRARY: Library = Library {
    name: "aws-sdk",
    ecosystem: Ecosystem::Npm,
    source: "@aws-sdk/client-* 3 and aws-sdk 2",
    packages: &["@aws-sdk/*", "aws-sdk"],
    apis: &[does(Effect::Http, "**.send"), does(Effect::Http, "**.promise")],
    shapes: &[does(Effect::Http, "**.s3|s3Client|*S3Client|sqsClient|snsClient|sesClient|dynamoClient|docClient.send")],
};
