//! The example does what its first lines say.

use std::process::Command;

#[test]
fn it_plans_applies_and_prints_the_outputs() {
    let stack = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/dev.yaml");
    let output = Command::new(env!("CARGO_BIN_EXE_embed")).arg(stack).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}\n{errors}");
    for line in [
        "lighthouse-dev in us-east-1",
        "14 to add, 0 to change, 0 to destroy",
        "  done: create volume.data",
        "database_connection_string = (sensitive)",
        "a second plan has 0 steps",
    ] {
        assert!(text.lines().any(|it| it == line), "no `{line}` in:\n{text}");
    }
    assert_eq!(errors, "");
}

#[test]
fn it_tells_what_is_wrong_with_a_file() {
    let output = Command::new(env!("CARGO_BIN_EXE_embed")).arg("no-such-stack.yaml").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no-such-stack.yaml"));
}
