import type { FolderView } from "../src/bindings/FolderView";
import type { Rules } from "../src/bindings/Rules";
import type { Standing } from "../src/bindings/Standing";
import { NEW_RULES } from "../src/folders/draft";

type Given = Omit<Partial<FolderView>, "rules" | "standing"> & {
  rules?: Partial<Rules>;
  standing?: Partial<Standing>;
};

export function aFolder({ rules, standing, ...given }: Given = {}): FolderView {
  return {
    id: "f",
    path: "/footage/card",
    server: "https://team.example/",
    destination: { projectId: "p", project: "Spring / Rushes", team: "North Studio" },
    rules: { ...NEW_RULES, ...rules },
    standing: {
      sight: { kind: "watching" },
      unreadable: 0,
      unreadableFirst: null,
      unsettled: 0,
      ignored: 0,
      queued: 0,
      sent: 0,
      ...standing,
    },
    ...given,
  };
}
