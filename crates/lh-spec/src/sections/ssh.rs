//! `ssh`: shell access. Without it, Session Manager is the only way in.

use lh_model::Diagnostic;

use super::{needs, sources};
use crate::{
    Files, LoadOptions,
    checks::names,
    codes,
    findings::Findings,
    path,
    reader::Section,
    stack::{PublicKey, Ssh},
};

pub(crate) fn read(top: &mut Section, file: &str) -> Option<Ssh> {
    let Some(mut section) = top.section("ssh", "ssh: { key_name: lighthouse-dev }") else {
        let origin = top.origin_of("ssh");
        return Some(Ssh {
            origin,
            key_name: None,
            public_key: None,
            key_text: None,
            allow_from: Vec::new(),
            bastion: None,
        });
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
    Some(Ssh { origin, key_name, public_key, key_text: None, allow_from, bastion })
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

/// Takes the public key from the stack file, or from the file that the stack file names.
pub(crate) fn fetch_key(ssh: &mut Ssh, files: &dyn Files, options: &LoadOptions, findings: &Findings) {
    let Some(key) = &ssh.public_key else { return };
    let text = match &key.value {
        PublicKey::Text(text) => text.clone(),
        PublicKey::File(file) => {
            let home = (options.env)("HOME").filter(|_| file.starts_with("~/"));
            let place = home.map_or(file.clone(), |home| format!("{home}{}", &file[1..]));
            match files.read(&place) {
                Ok(text) => text,
                Err(reason) => {
                    let why = format!("The file `{file}` cannot be read: {reason}");
                    return findings.push(no_key(&why).at(key.origin.clone()));
                }
            }
        }
    };
    let text = text.trim();
    // What the file holds is not repeated: it may be the private key.
    if names::public_key(text).is_err() || !text.starts_with("ssh-") {
        let why = "The file that is named holds something else; EC2 imports `ssh-ed25519` and `ssh-rsa` keys";
        return findings.push(no_key(why).at(key.origin.clone()));
    }
    ssh.key_text = Some(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
}

fn no_key(why: &str) -> Diagnostic {
    Diagnostic::error(codes::PUBLIC_KEY, "`ssh.public_key` leads to no public key")
        .because(why)
        .fix("Name the `.pub` file of a key pair, or write the public key itself: `ssh-ed25519 AAAA…`.")
}
