//! Has the linker fold functions that came out as the same machine code: the generated clients of
//! AWS's services have tens of thousands of those. For release builds with the linker that Rust's
//! own distribution carries; any other linker, host or target links as usual, and the binary is
//! only larger. docs/decisions/0023-small-and-quick-to-build.md has the numbers.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Where `rustc` comes with LLD and links with it: <https://blog.rust-lang.org/2025/09/01/rust-lld-on-1.90.0-stable/>.
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|given| given == value);
    let is_ours = is("PROFILE", "release") && is("HOST", TARGET) && is("TARGET", TARGET);
    if !is_ours || env::var_os("RUSTC_LINKER").is_some() {
        return;
    }
    if let Some(folder) = lld() {
        // Named here, so that it is the linker whatever the flags before these say.
        println!("cargo::rustc-link-arg-bins=-B{}", folder.display());
        println!("cargo::rustc-link-arg-bins=-fuse-ld=lld");
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}

/// The folder in which a C compiler finds LLD under the name it looks for.
fn lld() -> Option<PathBuf> {
    let output = Command::new(env::var_os("RUSTC")?).args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("bin/gcc-ld");
    folder.join("ld.lld").exists().then_some(folder)
}
