/** The screens of the window, in the order of the sidebar. */
export type Screen = "queue" | "folders" | "library" | "activity" | "settings";
