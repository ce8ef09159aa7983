// The page: its parts, put together.

import { Access } from "./access.js";
import { openMicrophone, openTab } from "./capture.js";
import { CaptionsView } from "./captions-view.js";
import { askForKey, askToClear } from "./dialogs.js";
import { startDropZone } from "./drop-zone.js";
import { byId } from "./element.js";
import { download } from "./exports.js";
import { FileCaptions } from "./file-captions.js";
import { offerLanguages } from "./languages.js";
import { LiveCaptions } from "./live-captions.js";
import { Meters } from "./meters.js";
import { clearTrouble, hush, tell, tellTrouble } from "./notices.js";
import { show, state } from "./page-state.js";
import { Playback } from "./playback.js";
import { RecordingSound } from "./player.js";
import { Recording } from "./recording.js";
import { startRoomScreen } from "./room-screen.js";
import { loadServerFacts } from "./server-facts.js";
import { startTheme } from "./theme.js";
import { Transcript } from "./transcript.js";
import { Trouble } from "./trouble.js";

class Page {
  constructor() {
    this.playback = new Playback();
    this.view = new CaptionsView({
      onWord: (word, _, span) => this.playback.word(word, span),
      onTurn: (turn) => this.playback.turn(turn),
    });
    this.access = new Access(askForKey);
    this.meters = new Meters();
    this.facts = { model: "", languages: [], key_required: false, streams: true, max_upload_bytes: Infinity };
  }

  async open() {
    startTheme();
    startRoomScreen(() => this.view.follow());
    startDropZone((file) => this.transcribe(file));
    this._listen();
    this._renew("captions");
    show("idle");
    try {
      this._learn(await loadServerFacts());
    } catch (error) {
      tellTrouble(error);
    }
  }

  async listen(openSound) {
    if (state() !== "idle") return;
    if (!this.facts.streams) {
      tellTrouble(new Trouble("not-streaming"));
      return;
    }
    if (this.source !== "recording" && !(await this._startAnew("captions"))) return;
    if (this.source !== "recording") {
      this.source = "recording";
      this.playback.use(new RecordingSound(this.recording));
    }
    const { access, recording, transcript, view, meters } = this;
    this.saved = false;
    this.live = new LiveCaptions({ access, recording, transcript, view, meters });
    await this.live.start(openSound, byId("language").value);
    this._offerDownloads();
  }

  async transcribe(file) {
    if (state() !== "idle") {
      tell("Stop what is running before you give a file.");
      return;
    }
    if (!(await this._startAnew(file.name.replace(/\.[^.]+$/, "")))) return;
    this.source = "file";
    const { access, facts, transcript, view, playback } = this;
    this.file = new FileCaptions({ access, facts, transcript, view, playback });
    await this.file.start(file, byId("language").value);
    this._offerDownloads();
  }

  /** Throw the captions away, with the reader's consent where there are any; false when they are to stay. */
  async _startAnew(name) {
    if (!this.transcript.isEmpty && !(await askToClear())) return false;
    this._renew(name);
    return true;
  }

  _renew(name) {
    this.name = name;
    this.saved = false;
    this.source = null;
    this.transcript = new Transcript();
    this.recording = new Recording();
    this.playback.use(null);
    this.view.clear();
    this._offerDownloads();
    clearTrouble();
    hush();
  }

  _learn(facts) {
    this.facts = facts;
    byId("model").textContent = facts.model;
    byId("key-button").hidden = !facts.key_required;
    offerLanguages(byId("language"), facts.languages);
  }

  _listen() {
    const onClick = (id, action) => byId(id).addEventListener("click", action);
    onClick("microphone", () => this.listen(openMicrophone));
    onClick("tab", () => this.listen(openTab));
    onClick("pause", () => this.live.pause());
    onClick("stop", () => this.live.stop());
    onClick("cancel", () => this.file.cancel());
    onClick("clear", () => this._startAnew("captions"));
    onClick("key-button", () => this._changeKey());
    byId("file").addEventListener("change", ({ target }) => {
      const [file] = target.files;
      target.value = "";
      if (file) this.transcribe(file);
    });
    document.querySelectorAll("[data-format]").forEach((button) => {
      const { format } = button.dataset;
      button.addEventListener("click", () => this._download(format));
    });
    addEventListener("beforeunload", (event) => {
      if (state() !== "idle" || (!this.transcript.isEmpty && !this.saved)) event.preventDefault();
    });
    new MutationObserver(() => this._offerDownloads()).observe(document.body, { attributeFilter: ["data-empty"] });
  }

  _offerDownloads() {
    byId("keep").hidden = "empty" in document.body.dataset;
  }

  _download(format) {
    const { transcript, name, facts } = this;
    download(transcript.turns, format, { name, model: facts.model });
    this.saved = true;
    tell(`${name}.${format} is saved.`);
  }

  async _changeKey() {
    try {
      this.access.key = await askForKey(null);
      this.access.dropSecret();
      tell("The key is in use from the next start on.");
    } catch (error) {
      if (error.kind !== "key-missing") throw error;
    }
  }
}

new Page().open();
