//! The JSON Schema (2020-12) of the stack file, for editors and other programs.
//!
//! It says which keys there are, what each is for, and its choices and limits, from the same
//! tables as the checks where they have them. A test holds it against the reader: every key that
//! one knows, the other knows. What takes more than one look (CIDR and cron syntax, how sizes and
//! IOPS go together) is `lhctl validate`'s: the schema refuses nothing that is valid.

mod sections;
mod words;

use serde_json::{Value, json};

use crate::{checks::region, sections::LONGEST_ID};
use words::{exclusive, flag, section, suggested, text, whole};

/// The address under which the schema calls itself.
const ID: &str = "https://lhctl.dev/schema/stack-1.json";

/// Keys that a stack needs, in its file or in one that it extends.
const REQUIRED: [&str; 7] = ["version", "name", "environment", "region", "instance", "volume", "database"];

/// The schema.
pub fn schema() -> Value {
    let word = format!(
        "Lower-case letters, digits and single hyphens, starting with a letter. `<name>-<environment>` has at most {LONGEST_ID} characters and begins every AWS name."
    );
    let keys = json!({
        "version": whole("How the file is to be read.", 1, 1),
        "name": text(&word, Some((1, LONGEST_ID - 2))),
        "environment": text(&word, Some((1, LONGEST_ID - 2))),
        "region": suggested("The AWS region of all of the stack.", region::KNOWN),
        "account": {
            "description": "The AWS account, 12 digits in quotes. Any other is refused before anything is changed.",
            "type": ["string", "null"],
            "minLength": 4,
            "examples": ["123456789012"],
        },
        "extends": text("The file that this one is laid over: maps merge, scalars and lists replace.", None),
        "protect": flag("Refuses `destroy`, and to release what holds data; the default of `instance.disable_api_termination`.", false),
        "state": sections::state(),
        "network": sections::network(),
        "instance": sections::instance(),
        "volume": sections::volume(),
        "database": sections::database(),
        "backup": sections::backup(),
        "monitoring": sections::monitoring(),
        "dns": sections::dns(),
        "ssh": sections::ssh(),
        "tags": sections::tags(),
    });
    let mut schema =
        section("The stack file of lhctl: one TimescaleDB server on AWS in one environment.", keys);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(ID);
    schema["title"] = json!("lhctl stack file");
    schema["type"] = json!("object");
    schema["$defs"] = json!({
        "variable": {
            "description": "A value from the environment: ${VAR} or ${VAR:-default}.",
            "type": "string",
            "pattern": words::VARIABLE,
        },
    });
    // What a file leaves out may stand in the one that it extends.
    schema["if"] = json!({ "required": ["extends"] });
    schema["else"] = json!({
        "required": REQUIRED,
        "properties": {
            "instance": { "required": ["type"] },
            "volume": { "required": ["size"] },
            "database": {
                "required": ["name", "image", "password"],
                "properties": { "password": { "anyOf": [{ "required": ["ssm"] }, { "required": ["secret"] }] } },
            },
            "dns": { "if": { "type": "object" }, "then": { "required": ["zone", "record"] } },
        },
    });
    schema["allOf"] = json!([
        { "properties": { "state": exclusive("path", "bucket") } },
        { "properties": { "instance": exclusive("image", "ubuntu") } },
        { "properties": { "database": { "properties": { "password": exclusive("ssm", "secret") } } } },
    ]);
    schema
}
