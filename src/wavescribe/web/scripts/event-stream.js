// Server-sent events from a text that grows.

export class EventStream {
  constructor() {
    this.read = 0;
  }

  /** The JSON objects of the events that are complete since the last call. */
  objects(text) {
    const found = [];
    for (let end = text.indexOf("\n\n", this.read); end >= 0; end = text.indexOf("\n\n", this.read)) {
      const data = text.slice(this.read, end).split("\n").filter((line) => line.startsWith("data:"));
      if (data.length) found.push(JSON.parse(data.map((line) => line.slice(5)).join("\n")));
      this.read = end + 2;
    }
    return found;
  }
}
