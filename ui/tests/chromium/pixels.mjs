/** What pictures show, measured in a blank page: Chromium reads its own PNGs. */

/** The least contrast of what has to be told apart: WCAG 2.2, 1.4.11 and 2.4.13. */
const CONTRAST = 3;

/** Runs in a page. */
async function measure({ pngs, least }) {
  const read = async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height);
  };
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = ({ data }, pixel) =>
    0.2126 * linear(data[4 * pixel] / 255) +
    0.7152 * linear(data[4 * pixel + 1] / 255) +
    0.0722 * linear(data[4 * pixel + 2] / 255);
  const apart = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) >= least;
  const [first, second] = await Promise.all(pngs.map(read));
  if (second) {
    let changed = 0;
    for (let pixel = 0; pixel < Math.min(first.data.length, second.data.length) / 4; pixel++) {
      if (apart(luminance(first, pixel), luminance(second, pixel))) changed++;
    }
    return changed;
  }
  // Along the middle: how far from the start the colour is another one than at the end.
  const row = Math.floor(first.height / 2) * first.width;
  const inset = Math.min(8, Math.floor(first.width / 10));
  const end = luminance(first, row + first.width - 1 - inset);
  let filled = inset;
  while (filled < first.width && apart(luminance(first, row + filled), end)) filled++;
  return filled / first.width;
}

/** How many pixels of a picture stand out from what they were before. */
export function changed(lens, before, after) {
  const pngs = [before, after].map((png) => png.toString("base64"));
  return lens.evaluate(measure, { pngs, least: CONTRAST });
}

/** Which share of a bar is filled, as it is to be seen along its middle. */
export function filled(lens, png) {
  return lens.evaluate(measure, { pngs: [png.toString("base64")], least: CONTRAST });
}
