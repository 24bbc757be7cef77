import type { DestinationView } from "../bindings/DestinationView";
import type { EndedView } from "../bindings/EndedView";
import type { Timestamp } from "../bindings/Timestamp";
import type { UploadId } from "../bindings/UploadId";
import type { UploadView } from "../bindings/UploadView";

/** Whose details are shown: an upload of the queue, or one that has ended and may be off it. */
export interface Subject {
  readonly id: UploadId;
  readonly title: string;
  readonly path: string;
  readonly server: string;
  readonly destination: DestinationView;
  readonly size: number;
  readonly addedAt: Timestamp;
  /** `null` once it is off the list. */
  readonly upload: UploadView | null;
}

export function ofUpload(upload: UploadView): Subject {
  const { id, title, path, server, destination, progress, addedAt } = upload;
  return { id, title, path, server, destination, size: progress.totalBytes, addedAt, upload };
}

export function ofEnded(ended: EndedView, upload: UploadView | null): Subject {
  const { uploadId, title, path, server, destination, size, addedAt } = ended;
  return { id: uploadId, title, path, server, destination, size, addedAt, upload };
}
