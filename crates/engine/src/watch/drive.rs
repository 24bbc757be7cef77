//! On what kind of drive a folder is: not every file system tells of its changes.

use std::path::Path;

/// A kind of drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drive {
    /// It tells of every change.
    Fixed,
    /// Others change it without this computer's knowing, or it may be pulled out.
    Elsewhere,
}

/// File systems of networks, of other systems and of cards and sticks, by the numbers that Linux
/// gives them: `linux/magic.h` and, for those that are not in it, the file system's own source.
#[cfg(target_os = "linux")]
const ELSEWHERE: [u64; 14] = [
    0x6969,      // NFS
    0x517b,      // SMB
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB 2
    0x0102_1997, // 9P, and the drives of Windows in WSL
    0x6573_5546, // FUSE: sshfs, rclone, drives of virtual machines
    0x00c3_6400, // Ceph
    0x5346_414f, // AFS
    0x7375_7245, // Coda
    0x786f_4256, // VirtualBox
    0x0bd0_0bd0, // Lustre
    0x4d44,      // FAT
    0x2011_bab0, // exFAT
    0x7366_746e, // NTFS
];

/// On what a folder is; on a fixed one where nothing is known. Blocks.
#[cfg(target_os = "linux")]
pub(super) fn of(folder: &Path) -> Drive {
    // Its width differs from computer to computer.
    let kind = rustix::fs::statfs(folder).map(|told| told.f_type.cast_unsigned() & 0xffff_ffff);
    match kind {
        Ok(kind) if ELSEWHERE.contains(&kind) => Drive::Elsewhere,
        _ => Drive::Fixed,
    }
}

/// On what a folder is. Only shares that are named as such are known here.
#[cfg(not(target_os = "linux"))]
pub(super) fn of(folder: &Path) -> Drive {
    use std::path::{Component, Prefix};
    match folder.components().next() {
        Some(Component::Prefix(prefix))
            if matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..)) =>
        {
            Drive::Elsewhere
        }
        _ => Drive::Fixed,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_nobodys_is_fixed() {
        assert_eq!(of(Path::new("/proc")), Drive::Fixed);
        assert_eq!(of(Path::new("/no/such/folder")), Drive::Fixed);
    }
}
