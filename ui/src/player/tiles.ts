/** Source: <https://www.mux.com/docs/guides/create-timeline-hover-previews>. */
interface Told {
  readonly url: string;
  readonly tile_width: number;
  readonly tile_height: number;
  readonly tiles: readonly { readonly start: number; readonly x: number; readonly y: number }[];
}

/** A part of an image, in pixels. */
export interface Tile {
  readonly image: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The tiles of a video, each with the second that it shows. */
export type Tiles = readonly (Tile & { readonly start: number })[];

function isTold(value: unknown): value is Told {
  const told = value as Partial<Told> | null;
  return (
    typeof told?.url === "string" &&
    typeof told.tile_width === "number" &&
    typeof told.tile_height === "number" &&
    Array.isArray(told.tiles)
  );
}

/** What a storyboard at an address says; nothing, for what is none. */
export function readTiles(value: unknown, address: string): Tiles {
  if (!isTold(value)) return [];
  const image = new URL(value.url, address);
  // Of the media engine's own pictures only: what it says leads to no other place.
  if (image.origin !== new URL(address).origin) return [];
  const { tile_width: width, tile_height: height } = value;
  return value.tiles.map(({ start, x, y }) => ({ start, x, y, width, height, image: image.href }));
}
