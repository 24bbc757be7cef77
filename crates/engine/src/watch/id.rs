//! The name of a watched folder.

crate::id::id! {
    /// A watched folder's name on this computer.
    FolderId
}
