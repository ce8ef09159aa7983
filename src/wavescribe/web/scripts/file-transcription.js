// A file over `POST /v1/audio/transcriptions`: how far it is uploaded, then its text as it settles.

import { refusal } from "./access.js";
import { EventStream } from "./event-stream.js";
import { timedWords } from "./transcript.js";
import { Trouble } from "./trouble.js";

/** The refusal of a file, from its status and the error in its body. */
function fileRefusal(status, error = {}) {
  const said = error.message ?? "";
  if (status === 413) return new Trouble("file-large", said);
  if (status === 429) return new Trouble("files-full", said);
  if (status !== 400) return refusal(status, error);
  if (error.code === "audio_too_short") return new Trouble("file-short", said);
  return new Trouble(/is longer than/.test(said) ? "file-long" : "file-unreadable", said);
}

export class FileTranscription {
  /**
   * @param {File} file
   * @param {{headers: object, language: string}} options
   * @param {{onUpload: (part: number) => void, onWords: (words: object[]) => void}} listener
   */
  constructor(file, { headers, language }, listener) {
    this.listener = listener;
    this.events = new EventStream();
    this.request = new XMLHttpRequest();
    this.request.open("POST", "/v1/audio/transcriptions");
    Object.entries(headers).forEach(([name, value]) => this.request.setRequestHeader(name, value));
    this.form = form(file, language);
  }

  /** Returns the language that was found; rejects with a Trouble. */
  run() {
    return new Promise((resolve, reject) => {
      const { request } = this;
      request.upload.onprogress = ({ loaded, total }) => this.listener.onUpload(total ? loaded / total : 0);
      request.upload.onload = () => this.listener.onUpload(1);
      request.onprogress = () => this._guard(reject, () => this._read());
      request.onload = () => this._guard(reject, () => resolve(this._end()));
      request.onerror = () => reject(new Trouble(this.events.read ? "file-interrupted" : "server-unreachable"));
      request.onabort = () => reject(new Trouble("cancelled"));
      request.send(this.form);
    });
  }

  cancel() {
    this.request.abort();
  }

  _guard(reject, action) {
    try {
      action();
    } catch (error) {
      reject(error);
      this.request.abort();
    }
  }

  _read() {
    if (this.request.status !== 200) return;
    this.events.objects(this.request.responseText).forEach((event) => this._take(event));
  }

  _take(event) {
    if (event.error) throw fileRefusal(event.error.type === "server_error" ? 500 : 400, event.error);
    if (event.type === "transcript.text.delta") this.listener.onWords(timedWords(event.delta, event.words));
    if (event.type === "transcript.text.done") this.language = event.languages?.[0]?.code ?? "";
  }

  _end() {
    if (this.request.status !== 200) throw fileRefusal(this.request.status, errorOf(this.request.responseText));
    this._read();
    if (this.language === undefined) throw new Trouble("file-interrupted");
    return this.language;
  }
}

function form(file, language) {
  const fields = new FormData();
  fields.set("file", file);
  fields.set("model", "");
  fields.set("stream", "true");
  fields.set("stream_format", "events");
  fields.set("timestamp_granularities[]", "word");
  if (language) fields.set("language", language);
  return fields;
}

function errorOf(body) {
  try {
    return JSON.parse(body).error;
  } catch {
    return {};
  }
}
