// What went wrong, by a word that messages.js has a text for.

export class Trouble extends Error {
  /**
   * @param {string} kind a key of MESSAGES
   * @param {string} [detail] what the server said, shown below the text
   */
  constructor(kind, detail = "") {
    super(detail || kind);
    this.kind = kind;
    this.detail = detail;
  }
}
