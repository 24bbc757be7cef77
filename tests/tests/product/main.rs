//! The whole product, by its real programs: one file for each of its promises. One program, because
//! each would have all of the product in it.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod backup;
mod bad_storage;
mod changed_source;
mod cli;
mod conformance;
mod counterparts;
mod crashed_server;
mod damaged_queue;
mod direct_upload;
mod documented;
mod downloads;
mod duplicates;
mod fair;
#[cfg(unix)]
mod faults;
#[cfg(target_os = "linux")]
mod file_names;
mod forms_and_chunks;
#[cfg(target_os = "linux")]
mod full_disk;
#[cfg(unix)]
mod growing;
#[cfg(unix)]
mod growing_direct;
mod identity;
mod killed;
mod ledger;
mod library;
mod lost_answers;
mod mux;
mod mux_direct;
#[cfg(target_os = "linux")]
mod offline;
mod pages;
mod peers;
mod probing;
mod processing;
mod rules;
mod s3_conformance;
mod server_storm;
mod sign_in;
#[cfg(target_os = "linux")]
mod surroundings;
mod teams;
mod versions;
mod waiting;
mod watched;
#[cfg(target_os = "linux")]
mod watched_drives;
#[cfg(target_os = "linux")]
mod watched_extremes;
#[cfg(unix)]
mod watched_rules;
mod web_proxy;
mod whole_path;
