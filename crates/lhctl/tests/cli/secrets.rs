//! The generated password: in the parameter store, and nowhere else.

use std::{fs, path::Path};

use base64::{Engine, prelude::*};
use sha2::{Digest, Sha256};

use crate::place::{Ended, Place, STATE, WORLD};

/// The password, and the forms in which it could leak without being noticed at a glance.
struct Forms(Vec<(&'static str, String)>);

impl Forms {
    fn of(password: &str) -> Self {
        let digest = Sha256::digest(password.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = BASE64_STANDARD.encode(password);
        Self(vec![
            ("the password", password.to_owned()),
            ("half of the password", password[..password.len() / 2].to_owned()),
            ("the password backwards", password.chars().rev().collect()),
            ("its base64", base64.trim_end_matches('=').to_owned()),
            ("its hexadecimal digits", password.bytes().map(|byte| format!("{byte:02x}")).collect()),
            ("its SHA-256", hex),
            ("its SHA-256 in base64", BASE64_STANDARD_NO_PAD.encode(digest)),
        ])
    }

    #[track_caller]
    fn assert_absent(&self, place: &str, text: &str) {
        for (form, needle) in &self.0 {
            assert!(!text.to_lowercase().contains(&needle.to_lowercase()), "{form} is in {place}");
        }
    }

    /// In every file of the folder but the simulated AWS, which is the vault itself.
    #[track_caller]
    fn assert_absent_in_files(&self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.assert_absent_in_files(&path);
            } else if !path.ends_with(WORLD) {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                self.assert_absent(&path.display().to_string(), &text);
            }
        }
    }

    #[track_caller]
    fn assert_not_told(&self, command: &str, ended: &Ended) {
        self.assert_absent(&format!("the output of `{command}`"), &format!("{}\n{}", ended.out, ended.err));
    }
}

fn password(place: &Place) -> String {
    place.holds("parameters")[0]["value"].as_str().unwrap().to_owned()
}

const TRACE: [(&str, &str); 2] = [("LHCTL_LOG", "trace"), ("RUST_BACKTRACE", "full")];

#[test]
fn guide_defect_06_no_command_tells_the_password_at_any_level() {
    let place = Place::new();
    let apply = "apply --local stacks/dev.yaml --auto-approve";
    let ended = place.with(&TRACE, apply).expect(0);
    assert!(ended.err.contains("TRACE") || ended.err.contains("DEBUG"), "nothing was logged:\n{}", ended.err);
    let forms = Forms::of(&password(&place));
    forms.assert_not_told(apply, &ended);
    for command in [
        "plan --local stacks/dev.yaml",
        "plan --local stacks/dev.yaml --json",
        "plan --local stacks/dev.yaml --out dev.plan --set volume.size=30",
        "apply --local dev.plan --auto-approve",
        "state list --local stacks/dev.yaml --json",
        "state show --local stacks/dev.yaml --json",
        "state show --local stacks/dev.yaml parameter.password",
        "output --local stacks/dev.yaml",
        "output --local stacks/dev.yaml --json",
        "cost --local stacks/dev.yaml --json",
        "validate stacks/dev.yaml --json",
        "local show",
    ] {
        forms.assert_not_told(command, &place.with(&TRACE, command).expect(0));
        forms.assert_absent_in_files(&place.path(""));
    }
    // Those that look at the host and the database. None runs here, and they say so.
    place.write("one.sql", "SELECT 1;\n");
    for command in [
        "status --local stacks/dev.yaml",
        "status --local stacks/dev.yaml --json",
        "doctor --local stacks/dev.yaml",
        "doctor --local stacks/dev.yaml --json",
        "history --local stacks/dev.yaml",
        "history --local stacks/dev.yaml --json",
        "verify --local stacks/dev.yaml",
        "verify --local stacks/dev.yaml --json --bench",
        "migrate --local stacks/dev.yaml",
        "migrate --local stacks/dev.yaml status",
        "migrate --local stacks/dev.yaml status --json",
        "db backup --local stacks/dev.yaml",
        "db backups --local stacks/dev.yaml --json",
        "db restore --local stacks/dev.yaml x.sql.gz --auto-approve",
        "db drill --local stacks/dev.yaml",
        "db upgrade --local stacks/dev.yaml --auto-approve",
        "db logs --local stacks/dev.yaml",
        "db psql --local stacks/dev.yaml --file one.sql",
        "db slow-queries --local stacks/dev.yaml",
        "db compress --local stacks/dev.yaml",
        "db retention --local stacks/dev.yaml",
        "db disk --local stacks/dev.yaml",
        "ssh --local stacks/dev.yaml -- env",
        "ssh --local stacks/dev.yaml",
    ] {
        let ended = place.with(&TRACE, command);
        assert!(ended.signal.is_none() && !(ended.out.is_empty() && ended.err.is_empty()), "{command}");
        forms.assert_not_told(command, &ended);
        forms.assert_absent_in_files(&place.path(""));
    }
    let destroy = "destroy --local stacks/dev.yaml --auto-approve --retain-data";
    forms.assert_not_told(destroy, &place.with(&TRACE, destroy).expect(0));
    forms.assert_absent_in_files(&place.path(""));
}

#[test]
fn a_password_in_secrets_manager_is_told_nowhere_either() {
    let place = Place::new();
    let stack = "stacks/dev.yaml --set database.password.ssm=null --set database.password.generate=null \
                 --set database.password.secret=lighthouse/dev/db";
    let apply = format!("apply --local {stack} --auto-approve");
    let ended = place.with(&TRACE, &apply).expect(0);
    let secret = place.holds("secrets")[0]["lighthouse/dev/db"].clone();
    let forms = Forms::of(secret["value"].as_str().unwrap());
    forms.assert_not_told(&apply, &ended);
    for command in ["plan --local --json", "state show --local --json", "local show", "output --local --json"]
    {
        let command = if command == "local show" { command.to_owned() } else { format!("{command} {stack}") };
        forms.assert_not_told(&command, &place.with(&TRACE, &command).expect(0));
        forms.assert_absent_in_files(&place.path(""));
    }
    let name = format!("output --local --raw {stack} database_connection_string");
    let raw = place.run(&name).expect(0).out;
    assert!(raw.contains(secret["value"].as_str().unwrap()));
    let destroy = format!("destroy --local {stack} --auto-approve");
    forms.assert_not_told(&destroy, &place.with(&TRACE, &destroy).expect(0));
    forms.assert_absent_in_files(&place.path(""));
}

#[test]
fn the_password_is_told_when_it_is_asked_for_by_name() {
    let place = Place::applied();
    let password = password(&place);
    let name = "stacks/dev.yaml database_connection_string";
    let raw = place.run(&format!("output --local --raw {name}")).expect(0).out;
    assert!(raw.starts_with("postgresql://postgres:") && raw.contains(&password), "{raw}");
    let json = place.run(&format!("output --local --json {name}")).expect(0).json();
    assert_eq!(json.as_str(), Some(raw.trim_end()));
    let logged = place.with(&TRACE, &format!("output --local --raw {name}")).expect(0);
    Forms::of(&password).assert_absent("the log", &logged.err);
    assert!(password.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)));
    assert!(password.len() >= 32);
}

#[test]
fn the_journal_of_a_run_that_died_holds_no_password() {
    let place = Place::applied();
    // Runs that die at each call, so that a journal is left at each stage.
    for calls in 1.. {
        let place = Place::new();
        let faults = format!("fuse=after:{calls}");
        let env = [TRACE.as_slice(), &[("LHCTL_LOCAL_FAULTS", faults.as_str())]].concat();
        let ended = place.with(&env, "apply --local stacks/dev.yaml --auto-approve");
        if ended.signal.is_none() {
            assert!(calls > 5);
            break;
        }
        let Some(parameter) = place.holds("parameters").pop() else { continue };
        let forms = Forms::of(parameter["value"].as_str().unwrap());
        forms.assert_not_told("apply", &ended);
        forms.assert_absent_in_files(&place.path(""));
        assert!(place.path(&format!("{STATE}.journal")).exists());
    }
    let user_data = place.holds("instances")[0]["launch"]["user_data"].as_str().unwrap().to_owned();
    let bytes = BASE64_STANDARD.decode(user_data).unwrap();
    Forms::of(&password(&place)).assert_absent("the user data", &String::from_utf8_lossy(&bytes));
}

#[test]
fn a_failing_store_does_not_tell_the_password_it_refused() {
    let place = Place::new();
    // The answer is lost, so the value was sent and an error comes back.
    let env = [
        TRACE.as_slice(),
        &[("LHCTL_LOCAL_FAULTS", "deny=AddTagsToResource,deny=GetParameter,lose=3,lose=4")],
    ]
    .concat();
    let ended = place.with(&env, "apply --local stacks/dev.yaml --auto-approve");
    for parameter in place.holds("parameters") {
        Forms::of(parameter["value"].as_str().unwrap()).assert_not_told("apply", &ended);
    }
}
