// Entrances to one machine of a group: a port on 127.0.0.1 for each that is wanted. The address of the machine is known only
// when it has been seen on the hub, so each connection looks it up and goes on through the gateway; before that, it is closed.

import { connect, createServer, isIPv4, type Server, type Socket } from "node:net";
import type { HubGateway } from "./hubGateway.js";
import { hypervisorError } from "./hypervisorErrors.js";
import type { PortForward } from "./networkArguments.js";

const MAX_CONNECTIONS = 64;

export class HubForwards {
  readonly #gateway: HubGateway;
  readonly #learnedAddress: () => string | null;
  readonly #entrances = new Map<number, { server: Server; hostPort: number; forward: PortForward }>();
  readonly #sockets = new Set<Socket>();

  constructor(gateway: HubGateway, learnedAddress: () => string | null) {
    this.#gateway = gateway;
    this.#learnedAddress = learnedAddress;
  }

  /** MACHINE_SHAPE_INVALID for a port or address that is none. */
  async open(forward: PortForward): Promise<void> {
    const { guestPort, guestAddress } = forward;
    const isPort = Number.isInteger(guestPort) && guestPort >= 1 && guestPort <= 65535;
    if (!isPort || (guestAddress !== undefined && !isIPv4(guestAddress)))
      throw hypervisorError("MACHINE_SHAPE_INVALID", `the machine cannot have the port ${guestAddress}:${guestPort}`);
    const server = createServer({ noDelay: true }, (socket) => void this.#lead(socket, forward));
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: "127.0.0.1", port: 0 }, resolve);
    });
    const bound = server.address();
    const hostPort = typeof bound === "object" && bound !== null ? bound.port : 0;
    this.#entrances.set(guestPort, { server, hostPort, forward });
  }

  hostPort(guestPort: number): number | undefined {
    return this.#entrances.get(guestPort)?.hostPort;
  }

  async establishedConnections(guestPort: number): Promise<number | null> {
    const entrance = this.#entrances.get(guestPort);
    if (entrance === undefined) return null;
    const address = this.#addressFor(entrance.forward);
    if (address === null) return 0;
    const rows = await this.#gateway.table().catch(() => null);
    if (rows === null) return null;
    const isOurs = (row: { guestAddress: string; guestPort: number }) =>
      row.guestAddress === address && row.guestPort === guestPort;
    return rows.filter((row) => row.kind === "established" && isOurs(row)).length;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const servers = [...this.#entrances.values()].map(({ server }) => server);
    this.#entrances.clear();
    await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }

  #addressFor(forward: PortForward): string | null {
    return forward.guestAddress ?? this.#learnedAddress();
  }

  async #lead(outer: Socket, forward: PortForward): Promise<void> {
    this.#track(outer);
    outer.pause();
    const address = this.#addressFor(forward);
    const port = address === null ? null : await this.#gateway.portTo(address, forward.guestPort).catch(() => null);
    if (port === null || outer.destroyed) {
      outer.destroy();
      return;
    }
    const inner = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#track(inner);
    outer.once("close", () => inner.destroy());
    inner.once("close", () => outer.destroy());
    outer.pipe(inner);
    inner.pipe(outer);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
  }
}
