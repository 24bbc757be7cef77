import type { Added } from "../bindings/Added";
import type { Code } from "../bindings/Code";
import { present } from "../errors/present";
import { asEngineError } from "../host/host";
import { t } from "../words/words";

export interface Notice {
  id: number;
  tone: "plain" | "attention";
  title: string;
  lines: readonly string[];
}

const STAYS = 6_000;
const STAYS_LONG = 12_000;
const LINES = 3;

/** Of these, whoever refused says what is wrong. */
const SAY_THEMSELVES: readonly Code[] = ["refused", "unexpected_answer", "desktop_refused"];

/** Short words in a corner: what a command that was just given came to. */
export class Notices {
  #next = 0;
  #list = $state.raw<readonly Notice[]>([]);

  get list(): readonly Notice[] {
    return this.#list;
  }

  say(title: string): void {
    this.#add("plain", title, []);
  }

  /** Words for a refused command. */
  refused(error: unknown, presented = present): void {
    const { code, message } = asEngineError(error);
    const words = presented(code);
    const own = SAY_THEMSELVES.includes(code) ? [message] : [];
    this.#add("attention", t(words.what), [...own, t(words.todo)]);
  }

  /** Words for files that were not taken, or long before; silence when all are new. */
  added({ already, refused, beside }: Added): void {
    if (already > 0) this.say(t("added.already", { count: already }));
    if (beside > 0) this.say(t("added.beside", { count: beside }));
    if (refused.length === 0) return;
    const lines = refused
      .slice(0, LINES)
      .map(({ path, code }) =>
        t("added.refused_one", { file: path.split(/[\\/]/).pop() ?? path, why: t(present(code).what) }),
      );
    if (refused.length > LINES) lines.push(t("added.more", { count: refused.length - LINES }));
    this.#add("attention", t("added.refused", { count: refused.length }), lines);
  }

  /** Waits for a command and says so if it was refused, in the words of whatever it is about. */
  async watch(command: Promise<unknown>, presented = present): Promise<boolean> {
    try {
      await command;
      return true;
    } catch (error) {
      this.refused(error, presented);
      return false;
    }
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((notice) => notice.id !== id);
  }

  #add(tone: Notice["tone"], title: string, lines: readonly string[]): void {
    const id = this.#next++;
    // What is said again is not said twice at once.
    const others = this.#list.filter(
      (other) => other.title !== title || other.lines.join("\n") !== lines.join("\n"),
    );
    this.#list = [...others.slice(-2), { id, tone, title, lines }];
    setTimeout(
      () => {
        this.dismiss(id);
      },
      tone === "plain" ? STAYS : STAYS_LONG,
    );
  }
}
