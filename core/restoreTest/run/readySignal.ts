// Waits until a started machine is ready: what the specification names, or else a login prompt or an agent that answers.
// A machine that ends, panics or gives up its start is noticed at once.

import { setTimeout as sleep } from "node:timers/promises";
import type { MachineEnd } from "../../hypervisor/machineEnd.js";
import type { LineTest } from "../../hypervisor/serialLog.js";
import { visibleLine } from "../../report/visibleText.js";
import type { AgentConnection, SerialConsole } from "../checks/check.js";
import { forbiddenOnConsole } from "../checks/serial.js";
import type { ReadySignal } from "../spec/restoreTestSpec.js";

const GIVEN_UP: LineTest = {
  test: (line) => forbiddenOnConsole(line) !== null,
  toString: () => "a sign that the start went wrong",
};

const LOGIN_PROMPT = /\blogin: ?$/;
const POLL_MS = 300;
const SHOWN_TAIL = 600;

export type Readiness =
  | { state: "ready"; observed: string }
  /** It was seen not to come up. */
  | { state: "gave-up"; observed: string; reason: string }
  /** The hypervisor failed, not the machine: nothing is known about the backup. */
  | { state: "broken"; observed: string; reason: string };

export interface ReadyRequest {
  signal: ReadySignal;
  bootMs: number;
  console: SerialConsole;
  agent: AgentConnection | null;
  end: Promise<MachineEnd>;
  /** Whether the guest serves on its port by now. */
  answers(guestPort: number, signal: AbortSignal): Promise<boolean>;
}

/** Rejects only when the test is aborted. */
export async function waitUntilReady(request: ReadyRequest, abort: AbortSignal): Promise<Readiness> {
  const finished = new AbortController();
  const limit = AbortSignal.timeout(request.bootMs);
  const signal = AbortSignal.any([abort, limit, finished.signal]);
  const seen: string[] = [];
  try {
    return await Promise.race([
      allSignals(request, signal, seen).then((): Readiness => ({ state: "ready", observed: seen.join("; ") })),
      request.end.then((end) => judgeEnd(end, request.console)),
      request.console.waitFor(GIVEN_UP, { signal }).then((): Readiness => gaveUp(request, "its console says so")),
    ]);
  } catch (error) {
    abort.throwIfAborted();
    if (!limit.aborted) throw error;
    const waited = `not ready after ${Math.round(request.bootMs / 1000)} s`;
    return gaveUp(request, seen.length === 0 ? waited : `${waited}: only ${seen.join("; ")}`);
  } finally {
    finished.abort();
  }
}

/** Resolves when all that is wanted was seen; nothing is named: the first of what most machines do. */
async function allSignals(request: ReadyRequest, signal: AbortSignal, seen: string[]): Promise<void> {
  const { serial, agent, port } = request.signal;
  const note = (text: string) => {
    seen.push(text);
  };
  const onAgent = () => pollAgent(request.agent, signal).then(() => note("the agent answers"));
  const onConsole = (pattern: LineTest) =>
    request.console.waitFor(pattern, { signal }).then(() => note(`the console shows ${pattern}`));
  if (serial === null && !agent && port === null) {
    await Promise.any([onConsole(LOGIN_PROMPT), onAgent()]);
    return;
  }
  const waits: Promise<void>[] = [];
  if (serial !== null) waits.push(onConsole(serial));
  if (agent) waits.push(onAgent());
  if (port !== null) waits.push(pollPort(request, port, signal).then(() => note(`port ${port} answers`)));
  await Promise.all(waits);
}

async function pollAgent(agent: AgentConnection | null, signal: AbortSignal): Promise<void> {
  while (agent === null || !(await isAnswering(agent, signal))) await sleep(POLL_MS, undefined, { signal });
}

/** An agent that is silent or talks nonsense is one that is not there yet. */
async function isAnswering(agent: AgentConnection, signal: AbortSignal): Promise<boolean> {
  return await agent.ping({ signal }).then(
    () => true,
    () => false,
  );
}

async function pollPort(request: ReadyRequest, port: number, signal: AbortSignal): Promise<void> {
  while (!(await request.answers(port, signal))) await sleep(POLL_MS, undefined, { signal });
}

/** The machine ended itself; else it was the hypervisor or the host, which says nothing of the backup. */
export function isOwnEnd({ kind }: Pick<MachineEnd, "kind">): boolean {
  return kind === "powered-off" || kind === "panicked" || kind === "rebooted";
}

function judgeEnd(end: MachineEnd, console: SerialConsole): Readiness {
  return { state: isOwnEnd(end) ? "gave-up" : "broken", observed: lastWords(console), reason: end.description };
}

function gaveUp({ console }: ReadyRequest, reason: string): Readiness {
  return { state: "gave-up", observed: lastWords(console), reason };
}

/** The end of the console's text on one line. */
function lastWords(console: SerialConsole): string {
  return visibleLine(console.text().slice(-SHOWN_TAIL).trim()) || "nothing on the serial console";
}
