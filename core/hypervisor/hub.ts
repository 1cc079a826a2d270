// The private network of a group of machines: an Ethernet switch in this process. Each machine has a unix socket of its own;
// frames go to the card they are for, or to all. One more member is the gateway (hubGateway.ts): DHCP, and the way in for
// checks. It gets only what is for it, since it would answer in place of others (libslirp takes any address as its own).
// There is no way out: no bridge, no interface of the host, nothing that needs privileges.

import { createServer, type Server, type Socket } from "node:net";
import { HubForwards } from "./hubForwards.js";
import { FrameReader, type FrameSender, leaseIn, receiverOf, senderOf } from "./hubFrames.js";
import { HubGateway } from "./hubGateway.js";
import { hypervisorError } from "./hypervisorErrors.js";
import { parseIpv4, planSubnet, type SubnetPlan } from "./ipv4Subnet.js";
import type { PortForward } from "./networkArguments.js";
import type { RunFolder } from "./runFolder.js";

export interface HubPort {
  /** Where QEMU connects to. */
  readonly socketPath: string;
  /** Undefined: not forwarded. */
  hostPort(guestPort: number): number | undefined;
  establishedConnections(guestPort: number): Promise<number | null>;
  /** The address that the machine was last seen to use in the group's network; null: none yet. */
  readonly address: string | null;
  close(): Promise<void>;
}

export interface GroupHub {
  /** For one machine: its first network card, and its ports that are to be reached from here. */
  addMachine(mac: string, forwards: readonly PortForward[]): Promise<HubPort>;
  /** Machines that still run lose their network. May be called twice. */
  close(): Promise<void>;
}

export interface HubOptions {
  runFolder: RunFolder;
  subnet: string;
  gateway: string;
  signal?: AbortSignal;
}

/** A machine that does not read loses frames, as on any network. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** A machine that sends from ever new addresses only makes the others forget where they are. */
const MAX_CARDS = 1024;
/** In place of the address of a card. */
const GATEWAY = "gateway";

/** MACHINE_NETWORK_INVALID; HYPERVISOR_TOO_OLD, HYPERVISOR_FAILED, TOOL_MISSING for the gateway. */
export async function startHub({ runFolder, subnet, gateway, signal }: HubOptions): Promise<GroupHub> {
  const hub = new Hub(runFolder, planSubnet(subnet, gateway));
  try {
    const port = await hub.openPort(GATEWAY);
    hub.gateway = await HubGateway.start({ runFolder, socketPath: port.socketPath, subnet, gateway, signal });
    return hub;
  } catch (error) {
    await hub.close();
    throw error;
  }
}

class Hub implements GroupHub {
  readonly #runFolder: RunFolder;
  readonly #plan: SubnetPlan;
  readonly #ports = new Set<Port>();
  /** Which port a card was last seen at. */
  readonly #places = new Map<string, Port>();
  gateway: HubGateway | undefined;

  constructor(runFolder: RunFolder, plan: SubnetPlan) {
    this.#runFolder = runFolder;
    this.#plan = plan;
  }

  async openPort(mac: string): Promise<Port> {
    const path = this.#runFolder.child(`hub${this.#runFolder.nextNumber()}.sock`);
    const port = new Port(path, mac, (frame) => this.#spread(port, frame));
    await port.listen();
    this.#ports.add(port);
    return port;
  }

  async addMachine(mac: string, forwards: readonly PortForward[]): Promise<HubPort> {
    const { gateway } = this;
    if (gateway === undefined) throw hypervisorError("MACHINE_ENDED", "the network of the group is closed");
    const port = await this.openPort(mac);
    const entrances = new HubForwards(gateway, () => port.address);
    try {
      for (const forward of forwards) await entrances.open(forward);
    } catch (error) {
      await port.close();
      await entrances.close();
      throw error;
    }
    return {
      socketPath: port.socketPath,
      hostPort: (guestPort) => entrances.hostPort(guestPort),
      establishedConnections: (guestPort) => entrances.establishedConnections(guestPort),
      get address() {
        return port.address;
      },
      close: async () => {
        this.#ports.delete(port);
        await entrances.close();
        await port.close();
      },
    };
  }

  async close(): Promise<void> {
    const ports = [...this.#ports];
    this.#ports.clear();
    await this.gateway?.stop();
    this.gateway = undefined;
    for (const port of ports) await port.close();
  }

  #spread(from: Port, frame: Uint8Array): void {
    const sender = senderOf(frame);
    if (sender !== undefined) this.#learnPlace(sender.mac, from);
    if (from.mac === GATEWAY) this.#learnLease(frame);
    else from.learn(sender, (address) => this.#isHost(address));
    const receiver = receiverOf(frame);
    const known = receiver === null ? undefined : this.#places.get(receiver);
    for (const port of this.#ports) {
      const isFor = known === undefined ? receiver === null || port.mac !== GATEWAY : port === known;
      if (port !== from && isFor) port.send(frame);
    }
  }

  /** Nobody takes a card's place that is the gateway's. */
  #learnPlace(mac: string, port: Port): void {
    if (this.#places.get(mac)?.mac === GATEWAY) return;
    if (this.#places.size >= MAX_CARDS) {
      for (const [card, place] of this.#places) if (place.mac !== GATEWAY) this.#places.delete(card);
    }
    this.#places.set(mac, port);
  }

  /** Many a machine says nothing by itself with the address that it was given. */
  #learnLease(frame: Uint8Array): void {
    const lease = leaseIn(frame);
    for (const port of this.#ports) if (port.mac === lease?.mac) port.address = lease.address;
  }

  /** An address of the network that is the machine's to take. */
  #isHost(address: string): boolean {
    const { network, gateway, nameServer } = this.#plan;
    const [base = "", bits] = network.split("/");
    const size = 2 ** (32 - Number(bits));
    const offset = (parseIpv4(address) ?? 0) - (parseIpv4(base) ?? 0);
    return offset > 0 && offset < size - 1 && address !== gateway && address !== nameServer;
  }
}

/** One socket of the hub, for one member. */
class Port {
  readonly socketPath: string;
  readonly mac: string;
  address: string | null = null;
  readonly #server: Server;
  #socket: Socket | undefined;

  constructor(socketPath: string, mac: string, onFrame: (frame: Uint8Array) => void) {
    this.socketPath = socketPath;
    this.mac = mac.toLowerCase();
    this.#server = createServer((socket) => {
      this.#server.close();
      this.#socket = socket;
      const frames = new FrameReader(onFrame, () => socket.destroy());
      socket.on("data", (chunk: Uint8Array) => frames.feed(chunk));
      socket.on("error", () => {});
    });
  }

  learn(sender: FrameSender | undefined, isHost: (address: string) => boolean): void {
    if (sender?.mac === this.mac && sender.address !== null && isHost(sender.address)) this.address = sender.address;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.socketPath, resolve);
    });
  }

  send(frame: Uint8Array): void {
    const socket = this.#socket;
    if (socket === undefined || !socket.writable || socket.writableLength > MAX_WAITING_BYTES) return;
    // The bytes lie in the reader's memory, which it does not write to again.
    socket.write(frame);
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
