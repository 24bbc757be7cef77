//! Who puts a newer version in the place of this one.

use tauri::utils::config::BundleType;

/// Whoever brought this version here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Installer {
    /// The app, which is one file or folder, or has an installer of its own.
    Itself,
    /// The system's package manager, which would neither know of another version nor undo it.
    Packages,
    /// Nobody who is known here: a build, an unpacked archive.
    Somebody,
}

impl Installer {
    /// Of what the bundler wrote into the program. An AppImage is one file only where it `runs_as_one`:
    /// unpacked, nothing is known of the file that it came from.
    #[must_use]
    pub(crate) fn of(bundle: Option<&BundleType>, runs_as_one: bool) -> Self {
        match bundle {
            Some(BundleType::AppImage) if runs_as_one => Self::Itself,
            Some(BundleType::App | BundleType::Msi | BundleType::Nsis) => Self::Itself,
            Some(BundleType::Deb | BundleType::Rpm) => Self::Packages,
            Some(BundleType::AppImage | BundleType::Dmg) | None => Self::Somebody,
        }
    }

    /// Of the running program.
    #[must_use]
    pub(crate) fn of_this(env: &tauri::Env) -> Self {
        #[cfg(target_os = "linux")]
        let runs_as_one = env.appimage.is_some();
        #[cfg(not(target_os = "linux"))]
        let (runs_as_one, _) = (false, env);
        Self::of(tauri::utils::platform::bundle_type().as_ref(), runs_as_one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_else_looks_after_replaces_itself() {
        use BundleType::{App, AppImage, Deb, Dmg, Msi, Nsis, Rpm};
        for (bundle, runs_as_one, expected) in [
            (Some(AppImage), true, Installer::Itself),
            (Some(App), false, Installer::Itself),
            (Some(Msi), false, Installer::Itself),
            (Some(Nsis), false, Installer::Itself),
            (Some(Deb), false, Installer::Packages),
            (Some(Rpm), false, Installer::Packages),
            // Started from within an AppImage: its variable is of another program.
            (Some(Deb), true, Installer::Packages),
            (Some(AppImage), false, Installer::Somebody),
            (Some(Dmg), false, Installer::Somebody),
            (None, true, Installer::Somebody),
            (None, false, Installer::Somebody),
        ] {
            let judged = Installer::of(bundle.as_ref(), runs_as_one);
            assert_eq!(judged, expected, "{bundle:?} {runs_as_one}");
        }
    }
}
