//! Showing values to people and programs; the same values in each form.

pub(crate) mod database;
pub(crate) mod diagnostic;
pub(crate) mod dumps;
pub(crate) mod graph;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod markdown;
pub(crate) mod migrations;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod readiness;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod summary;
pub(crate) mod verification;
