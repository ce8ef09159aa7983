// The captions on the page: settled words are added and never changed, the draft is replaced.

import { byId, element } from "./element.js";
import { clockTime } from "./format-time.js";
import { languageName } from "./languages.js";

const NEAR_PIXELS = 140; // this close to the end of the page, it follows new text

export class CaptionsView {
  /** @param {{onWord: (word: object, turn: object, span: HTMLElement) => void, onTurn: (turn: object) => void}} actions */
  constructor(actions) {
    this.actions = actions;
    this.root = byId("captions");
    this.parts = new Map(); // by turn
    this.changed = new Set();
    this.following = true;
    addEventListener("scroll", () => this._noticeScroll(), { passive: true });
    byId("latest").addEventListener("click", () => this.follow());
    this.root.addEventListener("click", (event) => this._click(event));
    this.root.addEventListener("keydown", (event) => this._press(event));
  }

  /** Show a turn as it is now, with the next picture. */
  update(turn) {
    if (!this.parts.has(turn) && !turn.removed) this.parts.set(turn, this._make(turn));
    if (!this.changed.size) requestAnimationFrame(() => this._render());
    this.changed.add(turn);
  }

  clear() {
    this.parts.clear();
    this.changed.clear();
    this.root.replaceChildren();
    this.following = true;
    document.body.dataset.empty = "";
  }

  /** Go to the newest text and stay there. */
  follow() {
    this.following = true;
    byId("latest").hidden = true;
    scrollTo({ top: document.documentElement.scrollHeight });
  }

  _render() {
    const changed = [...this.changed];
    this.changed.clear();
    changed.forEach((turn) => (turn.removed ? this._drop(turn) : this._fill(turn)));
    if (this.following) this.follow();
    else byId("latest").hidden = false;
  }

  _make(turn) {
    const time = element("button", "turn-time", { type: "button" });
    const settled = element("span", "settled");
    // A region of its own for each turn, there before its text: readers are told of settled words, and of nothing else.
    settled.setAttribute("aria-live", "polite");
    const draft = element("span", "draft");
    draft.setAttribute("aria-hidden", "true");
    const text = element("p", "turn-text", { dir: "auto" }, [settled, draft]);
    const side = element("div", "turn-side", {}, [time]);
    const root = element("div", "turn", { hidden: true }, [side, text]);
    time.addEventListener("click", () => this.actions.onTurn(turn));
    this._quieten();
    this.root.append(root);
    return { root, side, time, settled, draft, text, language: null, words: 0 };
  }

  /** Only the newest regions are live: an hour has hundreds. */
  _quieten() {
    [...this.root.querySelectorAll("[aria-live]")].slice(0, -2).forEach((old) => old.removeAttribute("aria-live"));
  }

  _fill(turn) {
    const parts = this.parts.get(turn);
    if (!parts) return;
    const hasText = Boolean(turn.words.length || turn.draft || turn.state === "failed");
    if (parts.root.hidden && hasText) {
      // Shown empty first: readers are told of what comes into a region, not of one that comes with its text.
      parts.root.hidden = false;
      delete document.body.dataset.empty;
      this.update(turn);
      return;
    }
    turn.words.slice(parts.words).forEach((word) => parts.settled.append(this._word(word, turn, !parts.words++)));
    if (parts.draft.textContent !== turn.draft) parts.draft.textContent = turn.draft;
    this._label(turn, parts);
    if (turn.state === "failed" && !parts.failed) parts.failed = this._markFailed(parts);
    parts.root.hidden = !hasText;
  }

  _word(word, turn, first) {
    const text = first ? word.text.trimStart() : word.text;
    const [space] = text.match(/^\s*/);
    const span = element("span", "word", {}, [text.slice(space.length)]);
    span.tabIndex = this.root.querySelector(".word[tabindex='0']") ? -1 : 0;
    span.source = { word, turn };
    return space ? element("span", "", {}, [space, span]) : span;
  }

  _label(turn, parts) {
    const clock = clockTime(turn.start ?? 0);
    if (parts.time.textContent !== clock) {
      parts.time.textContent = clock;
      parts.time.setAttribute("aria-label", `Play from ${clock}`);
    }
    if (turn.language) parts.text.lang = turn.language; // for the voice that reads it, and for hyphens
    if (turn.language && turn.state !== "open" && this._isNews(turn)) {
      parts.language ??= parts.side.appendChild(element("span", "turn-language"));
      parts.language.textContent = languageName(turn.language);
    }
  }

  /** A language is worth showing where it is not that of the turn before. */
  _isNews(turn) {
    const turns = [...this.parts.keys()].filter((other) => other.language && !other.removed);
    return turns[turns.indexOf(turn) - 1]?.language !== turn.language;
  }

  _markFailed(parts) {
    const text = " This part could not be transcribed.";
    return parts.text.appendChild(element("span", "lost", {}, [text]));
  }

  _drop(turn) {
    this.parts.get(turn)?.root.remove();
    this.parts.delete(turn);
  }

  _noticeScroll() {
    const page = document.documentElement;
    this.following = page.scrollHeight - scrollY - innerHeight < NEAR_PIXELS;
    if (this.following) byId("latest").hidden = true;
  }

  _click({ target }) {
    if (target.source) this._choose(target);
  }

  _choose(span) {
    this._moveTo(span);
    this.actions.onWord(span.source.word, span.source.turn, span);
  }

  /** Arrow keys go from word to word, Enter plays. */
  _press(event) {
    if (!event.target.source) return;
    const words = [...this.root.querySelectorAll(".word")];
    const at = words.indexOf(event.target);
    const wanted = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: words.length - 1 }[event.key];
    if (wanted !== undefined) this._moveTo(words[wanted] ?? event.target);
    else if (event.key === "Enter" || event.key === " ") this._choose(event.target);
    else return;
    event.preventDefault();
  }

  _moveTo(span) {
    this.root.querySelectorAll(".word[tabindex='0']").forEach((other) => {
      other.tabIndex = -1;
    });
    span.tabIndex = 0;
    span.focus();
  }
}
