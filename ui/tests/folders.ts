import type { FolderView } from "../src/bindings/FolderView";
import type { Rules } from "../src/bindings/Rules";
import type { Standing } from "../src/bindings/Standing";
import { folder } from "../src/host/browser/folders";
import { RUSHES, TEAM } from "./team";

type Given = Omit<Partial<FolderView>, "rules" | "standing"> & {
  rules?: Partial<Rules>;
  standing?: Partial<Standing>;
};

export function aFolder({ rules, standing, ...given }: Given = {}): FolderView {
  return {
    ...folder("/footage/card", TEAM, rules, standing),
    id: "f",
    destination: RUSHES,
    ...given,
  };
}
