export type PlayerKey =
  | { kind: "toggle" }
  | { kind: "skip"; seconds: number }
  | { kind: "start" }
  | { kind: "end" }
  | { kind: "mute" }
  | { kind: "fullscreen" };

type Key = Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

/** What a key means in the player. Escape is the dialog's own. */
export function playerKey({ key, shiftKey, ctrlKey, metaKey, altKey }: Key): PlayerKey | null {
  if (ctrlKey || metaKey || altKey) return null;
  switch (key.toLowerCase()) {
    case " ":
    case "k":
      return { kind: "toggle" };
    case "arrowleft":
      return { kind: "skip", seconds: shiftKey ? -1 : -5 };
    case "arrowright":
      return { kind: "skip", seconds: shiftKey ? 1 : 5 };
    case "j":
      return { kind: "skip", seconds: -10 };
    case "l":
      return { kind: "skip", seconds: 10 };
    case "home":
      return { kind: "start" };
    case "end":
      return { kind: "end" };
    case "m":
      return { kind: "mute" };
    case "f":
      return { kind: "fullscreen" };
    default:
      return null;
  }
}
