//! Checks of the workspace's own structure.
fn main() {}
