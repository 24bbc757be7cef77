import type { FolderView } from "../src/bindings/FolderView";
import type { Rules } from "../src/bindings/Rules";
import type { Standing } from "../src/bindings/Standing";
import { folder } from "../src/host/browser/folders";

type Given = Omit<Partial<FolderView>, "rules" | "standing"> & {
  rules?: Partial<Rules>;
  standing?: Partial<Standing>;
};

export function aFolder({ rules, standing, ...given }: Given = {}): FolderView {
  return {
    ...folder("/footage/card", "https://team.example/", rules, standing),
    id: "f",
    destination: { projectId: "p", project: "Spring / Rushes", team: "North Studio" },
    ...given,
  };
}
