//! The same binary against an AWS that somebody else wrote: moto, over HTTP.
//!
//! Runs where `LHCTL_TEST_MOTO` names a `moto_server` executable (5.2.1), else tells that it was
//! skipped. moto forgets spot options and lacks the Ubuntu image parameter, so the stack is
//! on-demand with an image of moto's own; nothing else is special.

mod cut;
mod prod;
mod server;

use std::{ffi::OsStr, fs, io::Write};

use cut::{Cut, Way};
use server::Moto;

use crate::place::{DEV, Ended, Place};

const DEV_STACK: &str = "lighthouse-dev";

const APPLY: &str = "apply stacks/dev.yaml --auto-approve";
const DESTROY: &str = "destroy stacks/dev.yaml --auto-approve";
const PLAN: &str = "plan stacks/dev.yaml --detailed-exitcode";

/// An image of moto's own that Graviton instances can start from.
pub fn arm64_image(program: &OsStr) -> String {
    Moto::start(program).arm64_image()
}

/// A stack in moto.
struct Stage {
    moto: Moto,
    place: Place,
}

impl Stage {
    /// A moto and the two stack files as they stand. None where there is no moto to test with.
    fn bare(test: &str) -> Option<Self> {
        let Some(program) = std::env::var_os("LHCTL_TEST_MOTO") else {
            // Past the test harness, which would keep a passing test's words to itself.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: needs LHCTL_TEST_MOTO=path/to/moto_server");
            return None;
        };
        Some(Self { moto: Moto::start(&program), place: Place::new() })
    }

    /// What the dev stack finds there, and the dev stack as moto can run it.
    fn new(test: &str) -> Option<Self> {
        let stage = Self::bare(test)?;
        let Self { moto, place } = &stage;
        moto.import_key_pair("lighthouse-dev");
        place.edit("purchase: spot ", &format!("image: {}\n  purchase: on-demand ", moto.arm64_image()));
        place.edit("  spot: { interruption: stop }   # stop | terminate\n", "");
        Some(stage)
    }

    fn env(&self) -> [(&str, &str); 4] {
        let url = self.moto.url.as_str();
        let (id, secret) = (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"));
        [("AWS_ENDPOINT_URL", url), id, secret, ("AWS_EC2_METADATA_DISABLED", "true")]
    }

    fn run(&self, args: &str) -> Ended {
        self.place.with(&self.env(), args)
    }

    /// Starts an apply, which is killed at a call.
    fn apply_killed_at(&self, cut: Cut) {
        let (way, url) = Way::to(&self.moto, cut);
        let mut env = self.env();
        env[0].1 = &url;
        let child = self.place.command(&env, APPLY).spawn().unwrap();
        way.is_of(child.id());
        let ended = Ended::of(child.wait_with_output().unwrap());
        assert_eq!(ended.signal, Some(9), "{cut:?}:\n{}\n{}", ended.out, ended.err);
    }

    /// Exactly one of everything that a stack has.
    #[track_caller]
    fn assert_whole(&self, when: &str) {
        let whole = Living {
            instances: 1,
            volumes: 1,
            addresses: 1,
            groups: 1,
            roles: 1,
            parameters: 1,
            ..Living::default()
        };
        assert_eq!(self.moto.living(DEV_STACK), whole, "{when}");
    }

    #[track_caller]
    fn assert_gone(&self, when: &str) {
        assert_eq!(self.moto.living(DEV_STACK), Living::default(), "{when}");
    }
}

/// How much of the stack lives.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Living {
    pub instances: usize,
    pub volumes: usize,
    pub addresses: usize,
    pub groups: usize,
    pub roles: usize,
    pub parameters: usize,
    pub alarms: usize,
    pub topics: usize,
    pub secrets: usize,
    pub log_groups: usize,
}

#[test]
fn the_dev_stack_lives_a_whole_life() {
    let Some(stage) = Stage::new("the_dev_stack_lives_a_whole_life") else { return };
    stage.run(PLAN).expect(2).says("Plan: 14 to add, 0 to change, 0 to destroy.");
    stage.run(APPLY).expect(0).says("Apply complete! Resources: 14 added, 0 changed, 0 destroyed.");
    stage.assert_whole("after the apply");
    stage.run(PLAN).expect(0).says("No changes.");
    assert_eq!(stage.run("state list stacks/dev.yaml").expect(0).out.lines().count(), 14);
    let outputs = stage.run("output stacks/dev.yaml --json").expect(0).json();
    assert!(outputs["volume_id"]["value"].as_str().unwrap().starts_with("vol-"), "{outputs:#}");
    let url = stage.run("output stacks/dev.yaml --raw database_connection_string").expect(0).out;
    assert!(url.starts_with("postgresql://postgres:") && url.contains("/lighthouse_dev"), "{url}");
    stage.place.edit("  size: 20 ", "  size: 25 ");
    stage.place.write(DEV, &(stage.place.text(DEV) + "\ntags: { Team: lighthouse }\n"));
    stage.run(APPLY).expect(0).says("0 added, ").says("0 destroyed.");
    stage.run(PLAN).expect(0);
    stage.run(DESTROY).expect(0).says("Destroy complete! Resources: 1 added, 0 changed, 14 destroyed.");
    stage.assert_gone("after the destroy");
    assert_eq!(stage.moto.snapshots(DEV_STACK), 1, "the final snapshot");
    stage.run(DESTROY).expect(0).says("0 destroyed.");
    stage.run(APPLY).expect(0).says("14 added");
    stage.assert_whole("after the second apply");
}

#[test]
fn an_apply_killed_in_the_middle_goes_on() {
    let Some(stage) = Stage::new("an_apply_killed_in_the_middle_goes_on") else { return };
    // In the order of an apply: what would be made twice, or left half made.
    let cuts = [
        Cut::After("CreateRole"),
        Cut::After("PutParameter"),
        Cut::After("AllocateAddress"),
        Cut::After("CreateSecurityGroup"),
        Cut::After("CreateVolume"),
        Cut::Before("AuthorizeSecurityGroupIngress"),
        Cut::After("AddRoleToInstanceProfile"),
        Cut::After("RunInstances"),
        Cut::Before("AssociateAddress"),
        Cut::After("AttachVolume"),
    ];
    for cut in cuts {
        stage.apply_killed_at(cut);
        let when = format!("killed {cut:?}");
        let ended = stage.run(APPLY);
        assert_eq!(ended.code, Some(0), "{when}:\n{}\n{}", ended.out, ended.err);
        stage.assert_whole(&when);
        stage.run(PLAN).expect(0);
        stage.run(DESTROY).expect(0);
        stage.assert_gone(&when);
    }
}

#[test]
fn a_lost_state_is_noticed_and_recovered() {
    let Some(stage) = Stage::new("a_lost_state_is_noticed_and_recovered") else { return };
    stage.run(APPLY).expect(0);
    fs::remove_file(stage.place.path("stacks/.lhctl/dev.json")).unwrap();
    stage.run(APPLY).expect(5).says("error[E0602]");
    stage.assert_whole("beside a lost state");
    stage.run("recover stacks/dev.yaml --auto-approve").expect(0).says("14 taken over");
    stage.run(PLAN).expect(0);
}

#[test]
fn what_is_missing_is_refused_with_its_line() {
    let Some(stage) = Stage::new("what_is_missing_is_refused_with_its_line") else { return };
    for set in ["ssh.key_name=nobody", "network.vpc=vpc-0123456789abcdef0"] {
        stage.run(&format!("plan stacks/dev.yaml --set {set}")).expect(1).says("--set:1:").says("fix: ");
    }
}
