//! Validators of values, for JavaScript.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "validators",
    ecosystem: Ecosystem::Npm,
    origins: &[
        origin("zod", "3, 4", "https://zod.dev/basics"),
        origin("yup", "0.32, 1", "https://www.npmjs.com/package/yup"),
        origin("joi", "17, 18", "https://joi.dev/api/"),
        origin("ajv", "6, 8", "https://ajv.js.org/api.html"),
        origin("valibot", "0.30, 1", "https://valibot.dev/api/"),
        origin("class-validator", "0.13, 0.14", "https://www.npmjs.com/package/class-validator"),
        origin("express-validator", "6, 7", "https://express-validator.github.io/docs/"),
        origin("superstruct", "1, 2", "https://docs.superstructjs.org/api-reference/core"),
        origin("@sinclair/typebox", "0.31, 0.32, 0.33, 0.34", "https://www.npmjs.com/package/@sinclair/typebox"),
        origin("io-ts", "2", "https://www.npmjs.com/package/io-ts"),
        origin("celebrate", "15", "https://www.npmjs.com/package/celebrate"),
        origin("h3", "1", "https://www.npmjs.com/package/h3"),
    ],
    packages: &["zod", "yup", "joi", "@hapi/joi", "ajv", "valibot", "class-validator", "express-validator", "superstruct", "@superstruct/*", "@sinclair/typebox", "io-ts", "celebrate", "h3"],
    apis: &[
        does(Effect::Validation, "**.safeParse|parse|parseAsync|safeParseAsync").sync(),
        does(Effect::Validation, "**.validate|validateSync|validateAsync|validateOrReject|isValid|isValidSync|isValidAsync|attempt|cast").sync(),
        does(Effect::Validation, "assert|create|is|mask|celebrate|matchedData|validationResult|checkSchema|readValidatedBody|getValidatedQuery").sync(),
        does(Effect::Validation, "**.Value.Check|Parse|Decode|Assert").sync(),
        does(Effect::Validation, "**.decode").sync(),
    ],
    shapes: &[
        does(Effect::Validation, "**.*Schema|schema|Schema|*_schema|*Validator|validator|*Dto|*DTO|*Input.safeParse|parse|parseAsync|safeParseAsync").sync(),
        does(Effect::Validation, "**.*Schema|schema|Schema|*Validator|validator.validate|validateSync|validateAsync|isValid|isValidSync").sync(),
        does(Effect::Validation, "**.safeParse|safeParseAsync").sync(),
    ],
};
