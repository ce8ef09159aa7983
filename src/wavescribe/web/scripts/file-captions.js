// Captions of a file: uploaded, then transcribed, with how far it is.

import { byId } from "./element.js";
import { FileTranscription } from "./file-transcription.js";
import { clockTime } from "./format-time.js";
import { clearTrouble, tell, tellTrouble } from "./notices.js";
import { show } from "./page-state.js";
import { Paragraphs } from "./paragraphs.js";
import { FileSound } from "./player.js";
import { Trouble } from "./trouble.js";

export class FileCaptions {
  /** @param {{access, facts, transcript, view, playback}} parts of the page */
  constructor(parts) {
    Object.assign(this, parts);
  }

  async start(file, language) {
    clearTrouble();
    this.sound = new FileSound(file);
    this.playback.use(this.sound);
    this.sound.duration().then((seconds) => {
      this.seconds = seconds;
    });
    show("file");
    try {
      if (file.size > this.facts.max_upload_bytes) throw new Trouble("file-large");
      const found = await this.access.withKey(() => this._run(file, language));
      this._end(found);
      tell(`${file.name} is transcribed.`);
    } catch (error) {
      this._end("");
      if (!["cancelled", "key-missing"].includes(error.kind)) tellTrouble(error);
    }
    show("idle");
  }

  cancel() {
    this.transcription?.cancel();
  }

  _run(file, language) {
    this.paragraphs = new Paragraphs();
    this._progress(`Uploading ${file.name}`, 0);
    this.transcription = new FileTranscription(
      file,
      { headers: this.access.headers, language },
      { onUpload: (part) => this._upload(file, part), onWords: (words) => this._take(words) },
    );
    return this.transcription.run();
  }

  _upload(file, part) {
    if (part < 1) this._progress(`Uploading ${Math.floor(part * 100)} %`, part);
    else this._progress("Transcribing…", null);
  }

  _take(words) {
    this.paragraphs.divide(words).forEach(([id, some]) => this.view.update(this.transcript.extend(id, some)));
    const heard = words.findLast((word) => word.end !== null)?.end;
    if (heard === undefined) return;
    const whole = this.seconds ? ` of ${clockTime(this.seconds)}` : "";
    this._progress(`Transcribing ${clockTime(heard)}${whole}`, this.seconds ? Math.min(1, heard / this.seconds) : null);
  }

  _end(language) {
    for (const turn of this.transcript.turns) {
      turn.language = language;
      turn.state = "done";
      this.view.update(turn);
    }
  }

  /** Show how far it is, from 0 to 1; null where that is not known. */
  _progress(label, part) {
    byId("progress-label").textContent = label;
    if (part === null) byId("progress").removeAttribute("value");
    else byId("progress").value = part;
  }
}
