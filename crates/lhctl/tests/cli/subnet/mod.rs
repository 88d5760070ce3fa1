//! A database in a private subnet: what `apply`, `migrate` and their like make of an instance that
//! nobody can reach directly. AWS is moto under AWS's own names, so that it counts as the real one;
//! the programs `ssh` and `sshd`, TLS and PostgreSQL are real, the host is this machine. All of it
//! is in namespaces of its own: see `network.sh`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    moto::arm64_image,
    place::{Ended, Place},
};

/// What the network is made of, or what of it is missing here.
fn parts() -> Result<[PathBuf; 3], &'static str> {
    let moto = std::env::var_os("LHCTL_TEST_MOTO").ok_or("LHCTL_TEST_MOTO is not set")?;
    let sshd = std::env::var_os("LHCTL_TEST_SSHD").unwrap_or_else(|| "/usr/sbin/sshd".into());
    let bin = lh_testkit::postgres::programs().ok_or("PostgreSQL is not installed")?;
    let is_there = |program: &str, args: &[&str]| {
        let command = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
        command.is_ok_and(|status| status.success())
    };
    if !Path::new(&sshd).exists() {
        return Err("there is no OpenSSH server");
    }
    if !is_there("unshare", &["--net", "--mount", "--pid", "--fork", "--mount-proc", "ip", "link"]) {
        return Err("it needs root, namespaces and iproute2");
    }
    for program in [["ssh", "-V"], ["openssl", "version"], ["psql", "--version"]] {
        if !is_there(program[0], &program[1..]) {
            return Err("it needs ssh, openssl and psql");
        }
    }
    Ok([moto.into(), sshd.into(), bin])
}

/// The dev stack without a public address, behind a bastion.
fn place(moto: &Path) -> Place {
    let place = Place::new();
    let image = arm64_image(moto.as_os_str());
    place.edit("purchase: spot ", &format!("image: {image}\n  purchase: on-demand "));
    place.edit("  spot: { interruption: stop }   # stop | terminate\n", "");
    place.edit("public_ip: true ", "public_ip: false\n  check_egress: false ");
    place.edit(
        "lighthouse-dev, allow",
        "lighthouse-dev, public_key: key.pub, bastion: ubuntu@192.0.2.2, allow",
    );
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(place.path("stacks/key"));
    assert!(keygen.status().unwrap().success());
    place
}

#[test]
fn a_database_in_a_private_subnet_is_reached_through_the_bastion() {
    let parts = match parts() {
        Ok(parts) => parts,
        Err(why) => {
            let test = "a_database_in_a_private_subnet_is_reached_through_the_bastion";
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
            return;
        }
    };
    let place = place(&parts[0]);
    let network = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/subnet/network.sh");
    let mut built = Command::new("unshare");
    // What it started ends with it.
    built.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash"]);
    built.arg(network).arg(env!("CARGO_BIN_EXE_lhctl")).args(parts).current_dir(place.path(""));
    let built = Ended::of(built.stdin(Stdio::null()).output().unwrap());
    assert_eq!(built.code, Some(0), "{}\n{}", built.out, built.err);
    let ran = |name: &str| Ended {
        code: place.text(&format!("{name}.code")).trim().parse().ok(),
        signal: None,
        out: place.text(&format!("{name}.out")),
        err: place.text(&format!("{name}.err")),
    };
    ran("made").expect(0);
    let way = "SSH to 172.31.";
    ran("ready")
        .expect(0)
        .says("TCP: nothing leads there directly: SSH and Session Manager are tried")
        .says("The database is ready: TimescaleDB 2.17.2 answers this machine over TCP with its password, by")
        .says(way)
        .says("through ubuntu@192.0.2.2.");
    ran("migrate").expect(0).says(way).says("pending");
    // A server that logs in and forwards nothing: the host is believed, and the reason told.
    ran("believed")
        .expect(0)
        .says("as its host sees it; from this machine: the host cannot be reached")
        .says("through ubuntu@192.0.2.2: the server closed the connection before the session began");
}
