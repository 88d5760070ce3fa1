//! Runs plans: sessions, settling, observing, executing, retrying and events, through ports.
//!
//! The engine knows neither AWS nor files: the cloud is [`lh_kind::Mutate`], state is kept
//! behind [`lh_state::Snapshots`], [`lh_state::Journal`] and [`lh_state::Lease`], and time
//! passes through [`Pace`].

mod amend;
mod call;
mod error;
mod events;
mod execute;
mod look;
mod pen;
mod release;
mod session;
mod settle;
mod stop;
pub mod store;
mod wait;

pub use error::EngineError;
pub use events::{Event, Events, Silent};
pub use execute::Outcome;
pub use lh_kind::Pace;
pub use look::{Reach, Sight, look};
pub use session::{Ports, Session};
pub use stop::Stop;
