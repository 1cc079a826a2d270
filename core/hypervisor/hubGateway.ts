// The member of a group's network that gives out addresses and lets checks in: a QEMU without a machine, whose restricted
// user-mode network joins the hub. The guests cannot reach this host through it.

import { acceptOnce } from "./acceptOnce.js";
import { type GuardedProcess, startGuarded } from "./guardedProcess.js";
import { hypervisorError, shown } from "./hypervisorErrors.js";
import { commaSafe, hubNetwork, NETWORK_ID, userNetwork } from "./networkArguments.js";
import { GROUP_VERSION, isOlder, probeQemu } from "./qemuProgram.js";
import { QmpClient } from "./qmpClient.js";
import type { RunFolder } from "./runFolder.js";
import { withinLimit } from "./timeLimit.js";
import { parseUsernet, type UsernetRow } from "./usernet.js";

export interface GatewayOptions {
  runFolder: RunFolder;
  /** Of the hub. */
  socketPath: string;
  subnet: string;
  gateway: string;
  signal?: AbortSignal;
}

const START_MS = 60_000;
const QUIT_MS = 2_000;

export class HubGateway {
  readonly #process: GuardedProcess;
  readonly #qmp: QmpClient;
  /** Where a guest's address and port are reached from here. */
  readonly #forwards = new Map<string, Promise<number>>();

  private constructor(process: GuardedProcess, qmp: QmpClient) {
    this.#process = process;
    this.#qmp = qmp;
  }

  static async start({ runFolder, socketPath, subnet, gateway, signal }: GatewayOptions): Promise<HubGateway> {
    const program = await probeQemu(signal);
    if (isOlder(program, GROUP_VERSION)) {
      throw hypervisorError("HYPERVISOR_TOO_OLD", `QEMU ${program.version} cannot connect the machines of a group`, {
        hint: `install QEMU ${GROUP_VERSION.join(".")} or newer`,
      });
    }
    const caller = await acceptOnce(runFolder.child(`gateway${runFolder.nextNumber()}.sock`));
    const args = [
      ...["-machine", "none", "-nodefaults", "-no-user-config", "-display", "none"],
      ...(program.hasSandbox
        ? ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"]
        : []),
      ...["-chardev", `socket,id=qmp,server=off,path=${commaSafe(caller.path)}`, "-mon", "chardev=qmp,mode=control"],
      ...["-netdev", userNetwork({ subnet, gateway, forwards: [] })],
      ...["-netdev", hubNetwork(socketPath, "hub")],
      ...["-netdev", `hubport,id=inner,hubid=0,netdev=${NETWORK_ID}`, "-netdev", "hubport,id=outer,hubid=0,netdev=hub"],
    ];
    const process = await startGuarded("qemu-system-x86_64", args, runFolder.path);
    try {
      const tooLate = () => hypervisorError("HYPERVISOR_FAILED", "the gateway of the group did not start in time");
      const limit = { timeoutMs: START_MS, signal };
      const qmp = await withinLimit<QmpClient>(limit, tooLate, (resolve, reject) => {
        caller.connected.then((socket) => QmpClient.overSocket(socket, limit)).then(resolve, reject);
        process.ended.then(({ lastWords }) => {
          const words = `the gateway of the group did not start: ${shown(lastWords)}`;
          reject(hypervisorError("HYPERVISOR_FAILED", words));
        });
        return undefined;
      });
      return new HubGateway(process, qmp);
    } catch (error) {
      caller.close();
      await process.end(0);
      throw error;
    }
  }

  /** A port on 127.0.0.1; the same for every call. `guestAddress` is an IPv4 address that was checked. */
  async portTo(guestAddress: string, guestPort: number): Promise<number> {
    const key = `${guestAddress}:${guestPort}`;
    const known = this.#forwards.get(key) ?? this.#addForward(guestAddress, guestPort);
    this.#forwards.set(key, known);
    try {
      return await known;
    } catch (error) {
      this.#forwards.delete(key);
      throw error;
    }
  }

  async table(): Promise<UsernetRow[]> {
    return parseUsernet(await this.#qmp.monitorCommand("info usernet"));
  }

  async stop(): Promise<void> {
    if (!this.#process.isGone) await this.#qmp.execute("quit", {}, { timeoutMs: QUIT_MS }).catch(() => undefined);
    await this.#process.end(QUIT_MS);
    this.#qmp.close();
  }

  async #addForward(guestAddress: string, guestPort: number): Promise<number> {
    const words = await this.#qmp.monitorCommand(
      `hostfwd_add ${NETWORK_ID} tcp:127.0.0.1:0-${guestAddress}:${guestPort}`,
    );
    const rows = await this.table();
    const row = rows.find(
      (candidate) =>
        candidate.kind === "forward" && candidate.guestAddress === guestAddress && candidate.guestPort === guestPort,
    );
    if (row !== undefined) return row.hostPort;
    throw hypervisorError("HYPERVISOR_FAILED", `the gateway of the group forwards no port: ${shown(words)}`);
  }
}
