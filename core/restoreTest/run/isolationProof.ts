// That a tested machine cannot reach its surroundings: shown by how it was started, and tried from inside where its agent
// lets us. A listener on this host's loopback waits for the whole test; nobody but the machine has a reason to connect.

import { createServer, type Server } from "node:net";
import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { visibleLine } from "../../report/visibleText.js";
import { silenceOf } from "../checks/agent.js";
import type { AgentConnection } from "../checks/check.js";
import { isTimeout } from "../checks/problems.js";

export type IsolationProof = RestoreTestRecord["isolation"]["proofs"][number];

/** Reserved for documentation (RFC 5737): no such host exists, a machine that is let out gets no refusal but silence. */
const OUTSIDE = "198.51.100.1";
const TRY_SECONDS = 4;
const TRY_LIMIT_MS = 60_000;
/** For a sign of life, before anything is tried. */
const PING_LIMIT_MS = 10_000;
const PING_TRIES = 3;
/** Ports of its own that the guest tries first; each may cost TRY_SECONDS. */
const MAX_CONTROLS = 4;

/** Ports of a listener that must stay silent. */
export class HostListener {
  readonly #server: Server;
  #connections = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#connections++;
      socket.destroy();
    });
  }

  static async open(): Promise<HostListener> {
    const server = createServer();
    const listener = new HostListener(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: "127.0.0.1", port: 0 }, resolve);
    });
    return listener;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  }

  get connections(): number {
    return this.#connections;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** What QEMU was told: every network of the machine is restricted user-mode networking, or a socket of this run. */
export function proveByArguments(args: readonly string[]): IsolationProof {
  const what = "the hypervisor was started without any way to a network of this host";
  const networks = args.filter((_, index) => args[index - 1] === "-netdev");
  const shortcuts = args.filter((arg) => /^-(net|nic)$/.test(arg));
  const open = networks.filter((network) => !isClosed(network));
  if (open.length > 0) return { what, outcome: "broken", observed: visibleLine(open.join("; ")) };
  const unknown = shortcuts.length > 0 && !(shortcuts.length === 1 && args.includes("none"));
  if (unknown) return { what, outcome: "not-probed", observed: "its arguments cannot be read" };
  const observed = networks.length === 0 ? "no network device" : networks.map(withoutForwards).join("; ");
  return { what, outcome: "held", observed: visibleLine(observed) };
}

function isClosed(network: string): boolean {
  const [type] = network.split(",", 1);
  if (type === "user") return /(?:^|,)restrict=on(?:,|$)/.test(network);
  return type === "hubport" || (type === "stream" && /(?:^|,)addr\.type=unix(?:,|$)/.test(network));
}

function withoutForwards(network: string): string {
  return network.replaceAll(/,hostfwd=[^,]*/g, ",hostfwd=…");
}

/** The listener's own testimony, at the end of the test. */
export function proveByListener({ port, connections }: HostListener): IsolationProof {
  const what = "nobody connected to a listener on this host's loopback during the test";
  const observed = `127.0.0.1:${port}, ${connections} connections`;
  return { what, outcome: connections === 0 ? "held" : "broken", observed };
}

export interface InsideTry {
  agent: AgentConnection | null;
  /** Where the guest sees this host. */
  gateway: string;
  listener: HostListener;
  /** Ports that the guest serves: that its tool connects to one of them shows that it can connect at all. */
  ownPorts: readonly number[];
  signal: AbortSignal;
}

/** Asks the guest to connect to this host's loopback and to the outside. */
export async function proveFromInside({ listener, gateway, ...given }: InsideTry): Promise<IsolationProof[]> {
  const guest = { ...given, obstacle: await obstacleOf(given) };
  const before = listener.connections;
  const host = await tryToReach(guest, gateway, listener.port);
  const hostProof: IsolationProof = {
    what: "the machine tried to reach a listener on this host's loopback",
    ...host,
    ...(listener.connections > before ? { outcome: "broken" as const } : {}),
  };
  const outside = await tryToReach(guest, OUTSIDE, 80);
  return [hostProof, { what: "the machine tried to reach an address outside", ...outside }];
}

type Attempt = Pick<IsolationProof, "outcome" | "observed">;

/** Why nothing can be tried; null: it can. */
async function obstacleOf({ agent, signal }: Pick<InsideTry, "agent" | "signal">): Promise<string | null> {
  if (agent === null) return "the machine has no agent to try with";
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PING_LIMIT_MS)]);
  const silence = await silenceOf(agent, PING_TRIES, limit);
  return silence === null ? null : `the machine's agent does not answer: ${silence}`;
}

/** One word comes back: what the guest's own tools say. Its word alone never proves a hold against the listener's. */
async function tryToReach(
  { agent, obstacle, ownPorts, signal }: Pick<InsideTry, "agent" | "ownPorts" | "signal"> & { obstacle: string | null },
  address: string,
  port: number,
): Promise<Attempt> {
  if (agent === null || obstacle !== null) return notProbed(obstacle ?? "");
  const controls = ownPorts.slice(0, MAX_CONTROLS);
  try {
    const { stdout, exitCode } = await agent.exec(["/bin/sh", "-c", connectScript(address, port, controls)], {
      signal,
      timeoutMs: TRY_LIMIT_MS,
    });
    return judgeAnswer(stdout.trim(), `${address}:${port}`, controls, exitCode);
  } catch (error) {
    if (signal.aborted && !isTimeout(signal.reason)) signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    return notProbed(`the agent could not try: ${reason}`);
  }
}

function notProbed(observed: string): Attempt {
  return { outcome: "not-probed", observed: visibleLine(observed) };
}

/** That nothing was reached says something only when the same tool reaches what is there. */
function judgeAnswer(answer: string, where: string, controls: readonly number[], exitCode: number | null): Attempt {
  const [word = "", control] = answer.split(" ");
  if (word === "REACHED") return { outcome: "broken", observed: `${where}: connected` };
  if (word === "NO-TOOL") return notProbed("the machine has neither nc nor bash to try with");
  if (word === "NO-CONTROL")
    return notProbed(`its tool does not even reach the machine's own port ${controls.join(" or ")}`);
  if (word !== "REFUSED") return notProbed(`no answer that can be used (exit code ${exitCode})`);
  if (controls.length === 0) {
    const doubt = "the machine serves no port that would show that its tool can connect at all";
    return { outcome: "held", observed: `${where}: no connection (${doubt})` };
  }
  const reached = controls.find((port) => `${port}` === control);
  if (reached === undefined) return notProbed(`no answer that can be used (exit code ${exitCode})`);
  return { outcome: "held", observed: `${where}: no connection; its own port ${reached}: connected` };
}

/** Works with busybox, BSD and GNU netcat, else with bash. Addresses and ports are ours, not the machine's. */
function connectScript(address: string, port: number, controls: readonly number[]): string {
  return [
    `if command -v nc >/dev/null 2>&1; then`,
    `  reach() { nc -w ${TRY_SECONDS} "$1" "$2" </dev/null >/dev/null 2>&1; }`,
    `elif command -v bash >/dev/null 2>&1; then`,
    `  reach() { timeout ${TRY_SECONDS} bash -c "exec 3<>/dev/tcp/$1/$2" >/dev/null 2>&1; }`,
    `else echo NO-TOOL; exit; fi`,
    `control=`,
    `for own in ${controls.join(" ")}; do`,
    `  if reach 127.0.0.1 "$own"; then control=$own; break; fi`,
    `done`,
    ...(controls.length === 0 ? [] : [`if [ -z "$control" ]; then echo NO-CONTROL; exit; fi`]),
    `if reach ${address} ${port}; then echo REACHED; else echo "REFUSED $control"; fi`,
  ].join("\n");
}
