//! AWS SDK for JavaScript.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "aws-sdk",
    ecosystem: Ecosystem::Npm,
    origins: &[
        origin("@aws-sdk/client-*", "3", "https://docs.aws.amazon.com/AWSJavaScriptSDK/v3/latest/"),
        origin("aws-sdk", "2", "https://docs.aws.amazon.com/AWSJavaScriptSDK/latest/"),
    ],
    packages: &["@aws-sdk/*", "aws-sdk"],
    apis: &[does(Effect::Http, "**.send"), does(Effect::Http, "**.promise")],
    shapes: &[does(Effect::Http, "**.s3|s3Client|*S3Client|sqsClient|snsClient|sesClient|dynamoClient|docClient.send")],
};
