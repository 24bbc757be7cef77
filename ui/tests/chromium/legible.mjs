/** Whether everything can be read. */
import { check } from "./pages.mjs";

/** Whether all that a page says can be read. */
export async function read(page, label) {
  for (const fault of await page.evaluate(illegible)) check(false, `${label}: ${fault}`);
}

/**
 * Runs in the page: what of it cannot be read or reached, a line each. What is scrolled out of a box that
 * scrolls is not lost; what lies over the page on purpose (a menu, a dialog) is compared only with itself.
 */
function illegible() {
  const SLACK = 1.5;
  /** Of its font's size, what is left of a name that is cut with an ellipsis at the least. */
  const LEAST_EMS = 5;
  const faults = new Set();
  const short = (text) => `“${text.trim().replace(/\s+/g, " ").slice(0, 40)}”`;

  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    faults.add(`the window scrolls sideways: ${root.scrollWidth} of ${root.clientWidth} px`);
  }

  const cutBy = (element, style) => ({
    element,
    dots: style.textOverflow === "ellipsis",
    clamped: style.webkitLineClamp !== "none",
  });

  /** Whether somebody who points at what is cut is told it whole. */
  function told(element, text) {
    element.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
    const title = element.closest("[title]")?.title ?? "";
    return title.replace(/\s+/g, " ").includes(text.trim().replace(/\s+/g, " "));
  }

  /** The boxes that cut an element off, from the inside; `null` if nobody is to see it. */
  function clipsOf(element) {
    const clips = [];
    let contained = false;
    for (let one = element; one && one !== document.body; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.clipPath !== "none") return null;
      const holds = style.position !== "static" || style.transform !== "none" || style.contain !== "none";
      if (contained && !holds) continue;
      contained = false;
      const horizontal = style.overflowX;
      const vertical = style.overflowY;
      if (one !== element && (horizontal !== "visible" || vertical !== "visible")) {
        const box = one.getBoundingClientRect();
        const left = box.left + one.clientLeft;
        const top = box.top + one.clientTop;
        clips.push({
          left,
          top,
          right: left + one.clientWidth,
          bottom: top + one.clientHeight,
          scrolls: horizontal === "auto" || horizontal === "scroll" || vertical === "auto",
          ...cutBy(one, style),
        });
      }
      if (style.position === "fixed") break;
      if (style.position === "absolute") contained = true;
    }
    const whole = {
      left: 0,
      top: 0,
      right: innerWidth,
      bottom: innerHeight,
      scrolls: false,
      dots: false,
    };
    return [...clips, whole];
  }

  /** What is seen of a box with a text; `null` if it is scrolled away. Tells `lost` of what is cut off for good. */
  function seen(box, text, clips, em, lost) {
    let { left, top, right, bottom } = box;
    for (const clip of clips) {
      const sideways = Math.max(clip.left - left, right - clip.right);
      const down = Math.max(clip.top - top, bottom - clip.bottom);
      if (clip.scrolls) {
        if (right <= clip.left || left >= clip.right || bottom <= clip.top || top >= clip.bottom) return null;
      } else if (down > SLACK && !(clip.clamped && told(clip.element, text))) {
        lost(`${Math.round(down)} px of its height are cut off`);
      } else if (sideways > SLACK) {
        const room = clip.right - clip.left;
        if (!clip.dots) lost(`${Math.round(sideways)} px of its width are cut off`);
        else if (room < LEAST_EMS * em) lost(`only ${Math.round(room)} px of it are left`);
        else if (!told(clip.element, text)) lost("it is cut short, and nothing says it whole");
      }
      left = Math.max(left, clip.left);
      top = Math.max(top, clip.top);
      right = Math.min(right, clip.right);
      bottom = Math.min(bottom, clip.bottom);
      if (right <= left || bottom <= top) return null;
    }
    return { left, top, right, bottom };
  }

  function layerOf(element) {
    for (let one = element; one; one = one.parentElement) {
      const { position, zIndex } = getComputedStyle(one);
      if (one.tagName === "DIALOG" || (position !== "static" && zIndex !== "auto")) return one;
    }
    return document.body;
  }

  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const written = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === "" || element.closest("option, script, style") || !shown(element)) continue;
    const clips = clipsOf(element);
    if (clips === null) continue;
    // Its own box may be the one that cuts it.
    const style = getComputedStyle(element);
    if (style.overflowX === "hidden") {
      const { left, top, right, bottom } = element.getBoundingClientRect();
      clips.unshift({
        left,
        top,
        right,
        bottom,
        scrolls: false,
        ...cutBy(element, style),
      });
    }
    const range = document.createRange();
    range.selectNodeContents(node);
    const control = element.closest("button, a[href]");
    const edge = control?.getBoundingClientRect();
    for (const box of range.getClientRects()) {
      if (box.width === 0) continue;
      // Letters are not as high as their line.
      const air = box.height * 0.18;
      const letters = { left: box.left, right: box.right, top: box.top + air, bottom: box.bottom - air };
      const rest = seen(letters, node.data, clips, parseFloat(style.fontSize), (how) => {
        faults.add(`${short(node.data)}: ${how}`);
      });
      if (!rest) continue;
      if (edge && (rest.right > edge.right + SLACK || rest.bottom > edge.bottom + SLACK)) {
        faults.add(`${short(node.data)} sticks out of its button`);
      }
      written.push({ node, layer: layerOf(element), ...rest });
    }
  }
  written.forEach((one, index) => {
    for (const other of written.slice(index + 1)) {
      if (one.node === other.node || one.layer !== other.layer) continue;
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (wide > 2 && high > 2) faults.add(`${short(one.node.data)} and ${short(other.node.data)} overlap`);
    }
  });

  for (const element of document.querySelectorAll(
    "button, a[href], input, select, textarea, [tabindex='0']",
  )) {
    if (!shown(element)) continue;
    const clips = clipsOf(element);
    const name = element.getAttribute("aria-label") ?? (element.textContent || element.tagName);
    if (clips) {
      seen(element.getBoundingClientRect(), "", clips, 0, (how) =>
        faults.add(`control ${short(name)}: ${how}`),
      );
    }
    if (element.matches("input, select") && element.scrollHeight > element.clientHeight + SLACK) {
      faults.add(`control ${short(name)} is too low for its text`);
    }
  }
  for (const element of document.querySelectorAll("*")) {
    const { overflowX } = getComputedStyle(element);
    if ((overflowX === "auto" || overflowX === "scroll") && element.scrollWidth > element.clientWidth + 1) {
      faults.add(`${element.className || element.tagName} scrolls sideways`);
    }
  }
  return [...faults];
}
