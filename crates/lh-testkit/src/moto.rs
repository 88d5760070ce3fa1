//! A moto server of a test's own: an emulator of AWS over HTTP, on a port that the system chose.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// The checks of real AWS that moto does only when it is told to.
const CHECKS: [&str; 4] = [
    "MOTO_IAM_LOAD_MANAGED_POLICIES",
    "MOTO_ENABLE_AMI_VALIDATION",
    "MOTO_ENABLE_KEYPAIR_VALIDATION",
    "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION",
];

/// What its log says before the address, once it listens.
const LISTENS: &str = "Running on http://";

/// A server that ends with the test.
pub struct Moto {
    child: Child,
    /// Host and port, `127.0.0.1:…`.
    pub address: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Moto {
    /// Starts `program`, a `moto_server`; it listens when this returns.
    pub fn start(program: &OsStr) -> Self {
        let mut child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .envs(CHECKS.map(|check| (check, "true")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", Path::new(program).display()));
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let address = listening(&mut log);
        // It logs every request: a full pipe would stop it.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut log, &mut std::io::sink());
        });
        Self { child, address }
    }

    /// Its endpoint.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn listening(log: &mut impl BufRead) -> String {
    let mut told = String::new();
    loop {
        let mut line = String::new();
        let read = log.read_line(&mut line).unwrap();
        assert!(read > 0, "moto ended before it listened:\n{told}");
        if let Some((_, address)) = line.split_once(LISTENS) {
            return address.trim().to_owned();
        }
        told += &line;
    }
}
