//! The link against a model browser, in virtual time.
mod model;
mod world;

mod basics;
mod dialogs;
mod gaps;
mod handovers;
mod heartbeats;
mod hostile;
mod losses;
mod overflow;
mod restores;
mod schedules;
mod shared;
mod tabs;
mod workers;
