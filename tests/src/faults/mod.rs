//! The fault matrix: what can befall an upload, at every step of every protocol, by the real
//! programs through proxies that break things.
//!
//! A [`Cell`] is one trouble at one step of one protocol; a seed decides the rest: how often, at
//! which byte, how long after. `make faults` runs all of them and prints the table.

mod crash;
mod run;
mod trial;
mod trouble;
mod wire;

use std::fmt;

pub use crash::{Crash, Point};
pub use run::run;
pub use trouble::Trouble;
pub use wire::{Step, Wire};

/// One trouble at one step of one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The protocol.
    pub wire: Wire,
    /// The step.
    pub step: Step,
    /// The trouble.
    pub trouble: Trouble,
}

impl Cell {
    /// Every cell that there is, protocol by protocol.
    pub fn all() -> impl Iterator<Item = Self> {
        let steps = Wire::ALL.into_iter().flat_map(|wire| {
            let has = move |step: &Step| wire.mark(*step).is_some();
            Step::ALL.into_iter().filter(has).map(move |step| (wire, step))
        });
        steps.flat_map(|(wire, step)| {
            let happens = move |trouble: &Trouble| trouble.happens_at(wire, step);
            let troubles = Trouble::ALL.into_iter().filter(happens);
            troubles.map(move |trouble| Self { wire, step, trouble })
        })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wire, step, trouble } = self;
        write!(f, "{} {trouble:?} at {step:?} by {wire:?}", trouble.line())
    }
}
