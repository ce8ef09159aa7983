// What the page has to know of its server.

import { refusal } from "./access.js";
import { Trouble } from "./trouble.js";

/** The facts of `/web/server.json`; rejects with a Trouble where there is no server. */
export async function loadServerFacts() {
  const response = await fetch("/web/server.json").catch((error) => {
    throw new Trouble("server-unreachable", error.message);
  });
  if (!response.ok) throw refusal(response.status);
  return response.json();
}
