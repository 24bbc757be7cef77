import type { Move } from "./actions";

/** What a key means in the list. */
export type ListKey =
  | { kind: "move"; by: number | "page-up" | "page-down" | "first" | "last"; extend: boolean; keep: boolean }
  | { kind: "order"; move: Move }
  | { kind: "all" }
  | { kind: "clear" }
  | { kind: "toggle" }
  | { kind: "main" }
  | { kind: "pause_or_resume" }
  | { kind: "drop" }
  | { kind: "details" }
  | { kind: "menu" };

const MOVES: Readonly<Record<string, number | "page-up" | "page-down" | "first" | "last">> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageUp: "page-up",
  PageDown: "page-down",
  Home: "first",
  End: "last",
};

const ORDERS: Readonly<Record<string, Move>> = {
  ArrowDown: "move_down",
  ArrowUp: "move_up",
  Home: "move_top",
  End: "move_end",
};

type Key = Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

export function listKey({ key, shiftKey, ctrlKey, metaKey, altKey }: Key): ListKey | null {
  if (altKey) {
    const move = shiftKey || ctrlKey || metaKey ? undefined : ORDERS[key];
    return move ? { kind: "order", move } : null;
  }
  const command = ctrlKey || metaKey;
  const by = MOVES[key];
  if (by !== undefined) return { kind: "move", by, extend: shiftKey, keep: command };
  if (command) {
    if (key.toLowerCase() === "a") return { kind: "all" };
    if (key.toLowerCase() === "i") return { kind: "details" };
    return key === " " ? { kind: "toggle" } : null;
  }
  switch (key) {
    case "Escape":
      return { kind: "clear" };
    case "Enter":
      return { kind: "main" };
    case " ":
      return { kind: "pause_or_resume" };
    case "Delete":
    case "Backspace":
      return { kind: "drop" };
    case "ContextMenu":
      return { kind: "menu" };
    case "F10":
      return shiftKey ? { kind: "menu" } : null;
    default:
      return null;
  }
}
