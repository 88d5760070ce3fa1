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
mod flight;
mod look;
mod outcome;
mod pen;
mod release;
mod session;
mod settle;
mod stop;
pub mod store;
mod wait;

pub use error::EngineError;
pub use events::{Event, Events, Silent};
pub use lh_kind::Pace;
pub use look::{Reach, Sight, look};
pub use outcome::Outcome;
pub use session::{Ports, Session};
pub use stop::Stop;
