// A file's words as turns that read well: a new one after a pause, or after a sentence when it has grown long.

const PAUSE_SECONDS = 1;
const LONG_CHARACTERS = 280;

export class Paragraphs {
  constructor() {
    this.number = 0;
    this.characters = 0;
    this.last = null;
  }

  /** Words in groups by paragraph: `[id, words]`. */
  divide(words) {
    const groups = [];
    for (const word of words) {
      if (this._begins(word)) this._next();
      this.characters += word.text.length;
      this.last = word;
      const id = `paragraph-${this.number}`;
      if (groups.at(-1)?.[0] === id) groups.at(-1)[1].push(word);
      else groups.push([id, [word]]);
    }
    return groups;
  }

  _begins(word) {
    if (!this.last) return false;
    const sentenceEnded = /[.!?。！？]["”’)]*$/.test(this.last.text);
    if (word.start !== null && this.last.end !== null && word.start - this.last.end >= PAUSE_SECONDS) return sentenceEnded;
    return sentenceEnded && this.characters >= LONG_CHARACTERS;
  }

  _next() {
    this.number += 1;
    this.characters = 0;
  }
}
