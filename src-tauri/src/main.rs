//! The app's executable. Everything is in the library, so that tests reach it.

// A release build opens no console beside the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    dailies_desktop::run()
}
