//! A folder with a stack file in it, and the binary run there with a clean environment.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// The stack file that most tests work on.
pub const DEV: &str = "stacks/dev.yaml";

/// What lhctl says when it was about to call what its plan does not list.
const UNLISTED: &str = "since the plan does not list it";

/// How a run of the binary ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            signal: output.status.signal(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, after making sure that it ended with `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "signal {:?}\n{}\n{}", self.signal, self.out, self.err);
        self
    }

    /// The same, after making sure that either stream has `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.out.contains(text) || self.err.contains(text),
            "no `{text}` in:\n{}\n{}",
            self.out,
            self.err
        );
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}:\n{}", self.out))
    }
}

/// A folder that is gone when it is dropped.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// A folder with the two reference stack files and nothing else.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stacks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stacks");
        fs::create_dir(folder.path().join("stacks")).unwrap();
        for name in ["dev.yaml", "prod.yaml"] {
            fs::copy(stacks.join(name), folder.path().join("stacks").join(name)).unwrap();
        }
        Self { folder }
    }

    /// The same, with the dev stack applied.
    pub fn applied() -> Self {
        let place = Self::new();
        place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
        place
    }

    /// A second place with the same files.
    pub fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), folder.path());
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command, ready to be started.
    pub fn command(&self, env: &[(&str, &str)], args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lhctl"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .envs(env.iter().copied())
            .args(args.split_whitespace())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `lhctl args…` to its end.
    pub fn run(&self, args: &str) -> Ended {
        self.with(&[], args)
    }

    /// Runs `lhctl args…` with these environment variables too.
    ///
    /// Whatever the scenario: nothing is called that the plan does not list.
    #[track_caller]
    pub fn with(&self, env: &[(&str, &str)], args: &str) -> Ended {
        let ended = Ended::of(self.command(env, args).output().unwrap());
        assert!(!ended.err.contains(UNLISTED), "`lhctl {args}`:\n{}", ended.err);
        ended
    }

    /// Runs `lhctl args…` in a simulated AWS with these faults.
    pub fn faulty(&self, faults: &str, args: &str) -> Ended {
        self.with(&[("LHCTL_LOCAL_FAULTS", faults)], args)
    }

    /// Replaces `from`, which must be there, in the dev stack file.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) {
        let text = self.text(DEV);
        assert!(text.contains(from), "the stack file has no `{from}`");
        self.write(DEV, &text.replace(from, to));
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What the simulated AWS holds.
    pub fn world(&self) -> Value {
        serde_json::from_str(&self.text(WORLD)).unwrap()
    }

    /// Changes the simulated AWS behind the tool's back, in the region of the dev stack.
    pub fn meddle(&self, change: impl FnOnce(&mut Value)) {
        let mut world = self.world();
        change(&mut world["regions"]["us-east-1"]);
        self.write(WORLD, &serde_json::to_string_pretty(&world).unwrap());
    }

    /// One collection of the simulated region, as a list.
    pub fn holds(&self, collection: &str) -> Vec<Value> {
        let world = self.world();
        let found = &world["regions"]["us-east-1"][collection];
        found.as_object().unwrap_or_else(|| panic!("no {collection}")).values().cloned().collect()
    }

    /// The recorded id of the resource at `address`.
    #[track_caller]
    pub fn id(&self, address: &str) -> String {
        let state: Value = serde_json::from_str(&self.text(STATE)).unwrap();
        let id = &state["resources"][address]["id"];
        id.as_str().unwrap_or_else(|| panic!("{address} is not recorded")).to_owned()
    }

    /// The plan as JSON; it must not be refused.
    #[track_caller]
    pub fn plan(&self, args: &str) -> Value {
        self.run(&format!("plan --local stacks/dev.yaml --json {args}")).expect(0).json()
    }

    /// The steps of the plan, each as `act address`.
    #[track_caller]
    pub fn steps(&self, args: &str) -> Vec<String> {
        let plan = self.plan(args);
        let text = |step: &Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
        let steps = plan["steps"].as_array().unwrap().iter();
        steps.map(|step| format!("{} {}", text(step, "act"), text(step, "address"))).collect()
    }
}

/// The file of the simulated AWS.
pub const WORLD: &str = ".lhctl/local/world.json";

/// The dev stack's state in the simulated AWS.
pub const STATE: &str = ".lhctl/local/state/lighthouse-dev.json";

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
