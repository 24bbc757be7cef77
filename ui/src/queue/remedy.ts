import type { Code } from "../bindings/Code";
import type { UploadView } from "../bindings/UploadView";
import { present, type Remedy } from "../errors/present";
import { allows } from "./actions";

/** What the button beside an upload's error does, if that can be done with it now. */
export function remedyOf(code: Code, upload: UploadView): Remedy | null {
  const { remedy } = present(code);
  return remedy === null || remedy === "connect" || allows(upload, remedy) ? remedy : null;
}
