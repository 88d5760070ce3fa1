//! `ssh`: shell access. Without it, Session Manager is the only way in.

use super::{needs, sources};
use crate::{
    checks::names,
    path,
    reader::Section,
    stack::{PublicKey, Ssh},
};

pub(crate) fn read(top: &mut Section, file: &str) -> Option<Ssh> {
    let Some(mut section) = top.section("ssh", "ssh: { key_name: lighthouse-dev }") else {
        let origin = top.origin_of("ssh");
        return Some(Ssh { origin, key_name: None, public_key: None, allow_from: Vec::new(), bastion: None });
    };
    let origin = section.origin();
    let key_name = section.text("key_name", names::key_pair);
    let public_key = section.text("public_key", names::public_key);
    let allow_from = sources::read(&mut section, "allow_from", 22);
    let bastion = section.text("bastion", names::bastion);
    for key in ["public_key", "allow_from", "bastion"] {
        if section.has(key) && !section.has("key_name") {
            let reason = "Nobody can log in by SSH without a key pair";
            needs(
                &section,
                key,
                reason,
                &format!("Add `key_name: NAME`, or remove `{key}` and use Session Manager."),
            );
        }
    }
    section.finish();
    let public_key = public_key.map(|key| key.map(|text| place(text, file)));
    Some(Ssh { origin, key_name, public_key, allow_from, bastion })
}

fn place(text: String, file: &str) -> PublicKey {
    if text.starts_with("ssh-") {
        PublicKey::Text(text)
    } else if text.starts_with('~') {
        PublicKey::File(text)
    } else {
        PublicKey::File(path::join(path::directory(file), &text))
    }
}
