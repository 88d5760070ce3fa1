//! The toy cloud: a few kinds that cover every way a creation is made repeatable, every way a
//! property may change, slow beginnings and slow ends, behind the real `Rules` and `Ops`.

mod cloud;
mod kinds;
mod ops;
mod world;

pub use cloud::ToyCloud;
pub use kinds::{Address as AddressKind, Copy, Disk, Group, Mount, Rule, Secret, Server};
pub use ops::Shown;
pub use world::{Census, Object};
