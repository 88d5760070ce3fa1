//! `database`: what runs on the server, and where its password is kept.

use lh_model::{Diagnostic, SecretRef};

use super::{between, needs};
use crate::{
    checks::{image, names},
    codes,
    reader::Section,
    stack::{Database, Password, Placed},
};

pub(crate) fn read(top: &mut Section) -> Option<Database> {
    let example = "database: { name: lighthouse, image: …, password: { ssm: /lighthouse/dev/db/password, generate: true } }";
    top.require("database", "The stack is a database server", example);
    let mut section = top.section("database", example)?;
    let origin = section.origin();
    section.require("name", "The database is created under this name", "name: lighthouse");
    let name = section.text("name", names::database);
    let tag = "image: timescale/timescaledb:2.17.2-pg16";
    section.require("image", "The image decides the versions of TimescaleDB and PostgreSQL", tag);
    let image = container(&mut section);
    section.whole("port", "TCP ports", between("database.port", 5432, 5432, "The port is fixed"));
    let password = "password: { ssm: /lighthouse/dev/db/password, generate: true }";
    section.require(
        "password",
        "The password is kept in AWS, and read by the server when it starts",
        password,
    );
    let password = section.section("password", password).map(read_password);
    section.finish();
    Some(Database { origin, name: name?, image: image?, password: password?? })
}

fn container(section: &mut Section) -> Option<Placed<String>> {
    let placed = section.parsed("image", |text| Ok((text.to_owned(), image::container(text)?)))?;
    let (text, warning) = placed.value;
    if let Some(warning) = warning {
        section.report(warning.at(placed.origin.clone()));
    }
    Some(Placed { value: text, origin: placed.origin })
}

fn read_password(mut section: Section) -> Option<Password> {
    let parameter = section.text("ssm", names::parameter);
    let secret = section.text("secret", names::secret);
    section.exclude(
        "ssm",
        "secret",
        "The password is kept in one place: SSM Parameter Store or Secrets Manager",
    );
    if !section.has("ssm") && !section.has("secret") {
        section.report(
            Diagnostic::error(
                codes::MISSING_KEY,
                "`database.password` does not say where the password is kept",
            )
            .at(section.origin())
            .because(
                "A password never stands in a file; it is kept in SSM Parameter Store or Secrets Manager",
            )
            .fix("Add `ssm: /lighthouse/dev/db/password` or `secret: lighthouse/dev/db/password`."),
        );
    }
    let generate = section.flag("generate").is_some_and(|flag| flag.value);
    let manage = section.flag("manage").is_none_or(|flag| flag.value);
    if generate && !manage {
        let reason = "`manage: false` says that the password exists, so none can be generated";
        needs(&section, "generate", reason, "Remove one of `generate: true` and `manage: false`.");
    }
    let kms_key = section.text("kms_key", names::kms_key);
    section.finish();
    let store = match (parameter, secret) {
        (Some(parameter), _) => parameter.map(SecretRef::Parameter),
        (None, secret) => secret?.map(SecretRef::Secret),
    };
    Some(Password { store, generate, manage, kms_key })
}
