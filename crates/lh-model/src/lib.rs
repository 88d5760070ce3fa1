//! Addresses, values with origins, diagnostics, graph, ids and secret references:
//! the words every other crate speaks.
//!
//! Pure: no I/O, no clock, no randomness. Nothing here knows AWS or YAML.

pub mod address;
pub mod call;
pub mod desired;
pub mod diagnostic;
pub mod graph;
pub mod identity;
pub mod origin;
pub mod secret;
pub mod value;

pub use address::Address;
pub use call::CallMade;
pub use desired::{Desired, Existing, Lookup, Output, OutputPart, Resource};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use identity::{CloudId, Identity, StackId};
pub use origin::Origin;
pub use secret::{Plaintext, SecretRef};
pub use value::{Late, Map, Reference};
