//! What is counted and logged of requests and work, and `GET /metrics` that shows it.
//!
//! Labels come from sets that this program knows: routes by their template, functions by their
//! name in the registry, never an id. Must not know: what a number means for anybody.

mod expose;
mod gauges;
mod request;

pub(crate) use self::expose::{Shown, router};
pub(crate) use self::gauges::Sources;
pub(crate) use self::request::{Metrics, Observed, Request};
