// Who may use the server. The key stays in this object, in memory; WebSockets are opened with short-lived secrets.

import { Trouble } from "./trouble.js";

const SECRET_SECONDS = 600;
const EARLY_SECONDS = 20; // a secret this close to its end is not begun with
const PATIENCE_MILLISECONDS = 10_000;

/** The refusal of a request, from its status and the error in its body. */
export function refusal(status, error = {}) {
  const said = error.message ?? "";
  if (status === 401) return new Trouble(error.code === "invalid_api_key" ? "key-refused" : "key-missing", said);
  if (status === 403) return new Trouble("origin-refused", said);
  if (status === 429) return new Trouble("server-full", said);
  if (status === 503) return new Trouble("server-stopping", said);
  return new Trouble("server-failed", said);
}

export class Access {
  /** @param {() => Promise<string>} askForKey shows the key dialog; rejects when it is dismissed */
  constructor(askForKey) {
    this.askForKey = askForKey;
    this.key = "";
    this.kept = null; // {session, value, expiresAt}: the last secret
  }

  get headers() {
    return this.key ? { authorization: `Bearer ${this.key}` } : {};
  }

  /** A secret for sessions of this configuration; asks for a key as long as the server does not take the one it has. */
  async secret(session) {
    const wanted = JSON.stringify(session);
    if (this.kept?.session === wanted && this.kept.expiresAt - EARLY_SECONDS > Date.now() / 1000) return this.kept.value;
    const { value, expires_at: expiresAt } = await this.withKey(() => this._mint(session));
    this.kept = { session: wanted, value, expiresAt };
    return value;
  }

  /** Forget the secret: a connection with it was refused. */
  dropSecret() {
    this.kept = null;
  }

  /** Do what may need a key; when it is refused, ask for another one and do it again. */
  async withKey(action) {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (!(error instanceof Trouble) || !error.kind.startsWith("key-")) throw error;
        this.dropSecret();
        this.key = await this.askForKey(this.key ? error : null);
      }
    }
  }

  async _mint(session) {
    const expiry = { anchor: "created_at", seconds: SECRET_SECONDS };
    const response = await fetch("/v1/realtime/client_secrets", {
      method: "POST",
      headers: { "content-type": "application/json", ...this.headers },
      body: JSON.stringify({ expires_after: expiry, session }),
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    }).catch((error) => {
      throw new Trouble("server-unreachable", error.message);
    });
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw refusal(response.status, body.error);
    return body;
  }
}
