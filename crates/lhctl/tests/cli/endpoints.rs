//! AWS that cannot be reached, or accepts nobody: a clear error in a stated time, and no silence.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use crate::place::{Ended, Place};

/// A call is given up after a minute; a busy machine may take some seconds more to say so.
const LIMIT: Duration = Duration::from_secs(90);

/// No metadata service, so that credentials come from the environment or not at all.
const ISOLATED: [(&str, &str); 1] = [("AWS_EC2_METADATA_DISABLED", "true")];
const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

fn timed(env: &[(&str, &str)], args: &str) -> Ended {
    let began = Instant::now();
    let ended = Place::new().with(&[ISOLATED.as_slice(), env].concat(), args);
    assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());
    ended
}

#[test]
fn without_credentials() {
    for command in ["plan stacks/dev.yaml", "apply stacks/dev.yaml --auto-approve"] {
        let ended = timed(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")], command).expect(1);
        ended.says("There are no credentials that AWS accepts").says("fix: Sign in (`aws sso login`");
    }
}

#[test]
fn an_endpoint_that_refuses_connections() {
    let env = [KEYS.as_slice(), &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]].concat();
    let ended = timed(&env, "plan stacks/dev.yaml").expect(1);
    ended.says("Reading AWS (").says("error: AWS gave no answer that can be used.").says("AWS_ENDPOINT_URL");
}

#[test]
fn an_endpoint_that_never_answers() {
    // The system accepts the connection; nobody ever reads from it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let env = [KEYS.as_slice(), &[("AWS_ENDPOINT_URL", url.as_str())]].concat();
    let ended = timed(&env, "plan stacks/dev.yaml").expect(1);
    ended.says("Still waiting for AWS to answer [").says("error: AWS gave no answer that can be used.");
}

#[test]
fn endless_throttling() {
    let place = Place::new();
    for command in ["plan --local stacks/dev.yaml", "apply --local stacks/dev.yaml --auto-approve"] {
        place
            .faulty("throttle=always", command)
            .expect(1)
            .says("Reading AWS (")
            .says("error: AWS goes on throttling these calls.")
            .says("fix: AWS limits the rate of calls");
    }
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0);
}

#[test]
fn a_slow_aws_is_waited_for_with_words() {
    let place = Place::new();
    place
        .faulty("throttle=always,latency=2500ms", "plan --local stacks/dev.yaml")
        .expect(1)
        .says("Still waiting for AWS to answer [");
}

#[test]
fn a_state_that_is_long_on_its_way_is_waited_for_with_words() {
    let place = Place::new();
    place.run("bootstrap --local stacks/prod.yaml").expect(0);
    let ended = place.faulty("latency=11000ms", "state list --local stacks/prod.yaml").expect(0);
    ended.says("Still waiting for AWS to answer [10s].");
}

#[test]
fn commands_that_need_no_aws_ask_for_none() {
    let env = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    for command in ["validate stacks/dev.yaml", "init lantern", "completions bash", "man", "local show"] {
        let began = Instant::now();
        timed(&env, command).expect(0);
        assert!(began.elapsed() < Duration::from_secs(5), "{command}");
    }
    timed(&env, "state list stacks/dev.yaml").expect(0).says("Nothing is recorded of lighthouse-dev.");
}

#[test]
fn a_log_filter_that_cannot_be_understood_is_told() {
    let ended = Place::new().with(&[("LHCTL_LOG", "lh_aws=loud")], "validate stacks/dev.yaml").expect(1);
    ended.says("LHCTL_LOG is `lh_aws=loud`");
}
