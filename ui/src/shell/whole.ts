/** Classes of what may be cut: at the end of its line, or of its last line. */
const MAY_BE_CUT = ".cut, .clamped";

/** What is cut short says itself whole while it is pointed at, where nothing else is said of it then. */
export function tellWhole(house: HTMLElement): () => void {
  const told = new WeakSet<Element>();

  function onpointerover({ target }: Event): void {
    const one = target instanceof Element ? target.closest<HTMLElement>(MAY_BE_CUT) : null;
    if (!one || (one.title !== "" && !told.has(one))) return;
    const short = one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight;
    if (short) {
      one.title = one.textContent.trim().replace(/\s+/g, " ");
      told.add(one);
    } else {
      one.removeAttribute("title");
    }
  }

  house.addEventListener("pointerover", onpointerover);
  return () => {
    house.removeEventListener("pointerover", onpointerover);
  };
}
