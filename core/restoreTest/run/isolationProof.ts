// That a tested machine cannot reach its surroundings: shown by how it was started, and tried from inside where its agent
// lets us. A listener on this host's loopback waits for the whole test; nobody but the machine has a reason to connect.

import { createServer, type Server } from "node:net";
import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";
import type { AgentConnection } from "../checks/check.js";
import { isTimeout } from "../checks/problems.js";
import { visibleLine } from "../checks/visibleText.js";

export type IsolationProof = RestoreTestRecord["isolation"]["proofs"][number];

/** Reserved for documentation (RFC 5737): no such host exists, a machine that is let out gets no refusal but silence. */
const OUTSIDE = "198.51.100.1";
const TRY_SECONDS = 4;
const TRY_LIMIT_MS = 60_000;

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

/** Asks the guest to connect to this host's loopback and to the outside. `gateway`: where the guest sees this host. */
export async function proveFromInside(
  agent: AgentConnection | null,
  gateway: string,
  listener: HostListener,
  signal: AbortSignal,
): Promise<IsolationProof[]> {
  const before = listener.connections;
  const host = await tryToReach(agent, gateway, listener.port, signal);
  const hostProof: IsolationProof = {
    what: "the machine tried to reach a listener on this host's loopback",
    ...host,
    ...(listener.connections > before ? { outcome: "broken" as const } : {}),
  };
  const outside = await tryToReach(agent, OUTSIDE, 80, signal);
  return [hostProof, { what: "the machine tried to reach an address outside", ...outside }];
}

type Attempt = Pick<IsolationProof, "outcome" | "observed">;

/** One word comes back: what the guest's own tools say. Its word alone never proves a hold against the listener's. */
async function tryToReach(
  agent: AgentConnection | null,
  address: string,
  port: number,
  signal: AbortSignal,
): Promise<Attempt> {
  if (agent === null) return { outcome: "not-probed", observed: "the machine has no agent to try with" };
  try {
    const { stdout, exitCode } = await agent.exec(["/bin/sh", "-c", connectScript(address, port)], {
      signal,
      timeoutMs: TRY_LIMIT_MS,
    });
    return judgeWord(stdout.trim(), address, port, exitCode);
  } catch (error) {
    if (signal.aborted && !isTimeout(signal.reason)) signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    return { outcome: "not-probed", observed: visibleLine(`the agent could not try: ${reason}`) };
  }
}

function judgeWord(word: string, address: string, port: number, exitCode: number | null): Attempt {
  const where = `${address}:${port}`;
  if (word === "REFUSED") return { outcome: "held", observed: `${where}: no connection` };
  if (word === "REACHED") return { outcome: "broken", observed: `${where}: connected` };
  if (word === "NO-TOOL") return { outcome: "not-probed", observed: "the machine has neither nc nor bash to try with" };
  return { outcome: "not-probed", observed: visibleLine(`no answer that can be used (exit code ${exitCode})`) };
}

/** Works with busybox, BSD and GNU netcat, else with bash. `address` and `port` are ours, not the machine's. */
function connectScript(address: string, port: number): string {
  return [
    `if command -v nc >/dev/null 2>&1; then`,
    `  if nc -w ${TRY_SECONDS} ${address} ${port} </dev/null >/dev/null 2>&1; then echo REACHED; else echo REFUSED; fi`,
    `elif command -v bash >/dev/null 2>&1; then`,
    `  if timeout ${TRY_SECONDS} bash -c 'exec 3<>/dev/tcp/${address}/${port}' >/dev/null 2>&1; then echo REACHED; else echo REFUSED; fi`,
    `else echo NO-TOOL; fi`,
  ].join("\n");
}
