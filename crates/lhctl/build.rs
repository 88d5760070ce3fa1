//! Has the linker make a release binary small: functions that came out as the same machine code
//! are folded (the generated clients of AWS's services have tens of thousands of those), tables
//! for unwinding, which a program that aborts never does, are left out, and relocations are
//! packed. For release builds with the linker that Rust's own distribution carries; any other
//! linker, host or target links as usual, and the binary is only larger.
//! docs/decisions/0023-small-and-quick-to-build.md has the numbers.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Where `rustc` comes with LLD and links with it: <https://blog.rust-lang.org/2025/09/01/rust-lld-on-1.90.0-stable/>.
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=without-unwinding.ld");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|given| given == value);
    let is_ours = is("PROFILE", "release") && is("HOST", TARGET) && is("TARGET", TARGET);
    if !is_ours || env::var_os("RUSTC_LINKER").is_some() {
        return;
    }
    let unwinding = Path::new(env!("CARGO_MANIFEST_DIR")).join("without-unwinding.ld");
    if let Some(folder) = lld() {
        // Named here, so that it is the linker whatever the flags before these say.
        println!("cargo::rustc-link-arg-bins=-B{}", folder.display());
        println!("cargo::rustc-link-arg-bins=-fuse-ld=lld");
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", unwinding.display());
        if loads_packed_relocations() {
            println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        }
    }
}

/// Whether the C library here loads packed relocations, as glibc does from 2.36 on: a binary wants
/// a C library at least as new as that of the machine which linked it.
/// <https://sourceware.org/pipermail/libc-announce/2022/000033.html>
fn loads_packed_relocations() -> bool {
    let Ok(output) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let told = String::from_utf8_lossy(&output.stdout);
    let version = told.trim().strip_prefix("glibc ").and_then(|version| version.split_once('.'));
    version.is_some_and(|(major, minor)| (major.parse().ok(), minor.parse().ok()) >= (Some(2), Some(36)))
}

/// The folder in which a C compiler finds LLD under the name it looks for.
fn lld() -> Option<PathBuf> {
    let output = Command::new(env::var_os("RUSTC")?).args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("bin/gcc-ld");
    folder.join("ld.lld").exists().then_some(folder)
}
