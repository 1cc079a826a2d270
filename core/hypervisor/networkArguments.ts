// The network cards of a machine as arguments of QEMU. Whatever the shape says, a card leads to nothing, to QEMU's own
// restricted user-mode network, or to the hub of its group: never to a network of the host. Pure.

import { planSubnet } from "./ipv4Subnet.js";
import type { NicModel, NicShape } from "./machineShape.js";

export interface PortForward {
  guestPort: number;
  /** Default: the first address that DHCP gives out. */
  guestAddress?: string;
}

export type NetworkPlan =
  | { kind: "none" }
  | { kind: "user"; subnet: string; gateway: string; forwards: readonly PortForward[] }
  /** The socket of a group's hub. */
  | { kind: "hub"; socketPath: string };

const DEVICES: Record<NicModel, string> = {
  virtio: "virtio-net-pci",
  e1000: "e1000",
  e1000e: "e1000e",
  rtl8139: "rtl8139",
  vmxnet3: "vmxnet3",
};

/** Id of the network of the first card. */
export const NETWORK_ID = "net0";

/** `macs`: one for each card. */
export function networkArguments(
  nics: readonly NicShape[],
  macs: readonly string[],
  plan: NetworkPlan,
): { arguments: string[]; notes: string[] } {
  if (plan.kind === "none" || nics.length === 0) {
    const notes = nics.length > 0 ? ["no network card"] : [];
    return { arguments: ["-nic", "none"], notes };
  }
  const first = plan.kind === "user" ? userNetwork(plan) : hubNetwork(plan.socketPath);
  const args = nics.flatMap(({ model }, index) => {
    const id = `net${index}`;
    // No boot program of the card: a disk that does not boot is to be seen as that.
    const device = { driver: DEVICES[model], netdev: id, id: `nic${index}`, mac: macs[index], romfile: "" };
    return ["-netdev", index === 0 ? first : `hubport,id=${id},hubid=${index}`, "-device", JSON.stringify(device)];
  });
  const notes = nics.length > 1 ? [`network cards 2 to ${nics.length} are connected to nothing`] : [];
  return { arguments: args, notes };
}

/** Restricted: the guest reaches neither this host nor anything behind it; only forwarded ports lead to the guest. */
export function userNetwork(plan: { subnet: string; gateway: string; forwards: readonly PortForward[] }): string {
  const { network, gateway, nameServer, firstLease } = planSubnet(plan.subnet, plan.gateway);
  const forwards = plan.forwards.map(
    // Port 0: QEMU chooses one that is free.
    ({ guestPort, guestAddress = "" }) => `hostfwd=tcp:127.0.0.1:0-${guestAddress}:${guestPort}`,
  );
  return [
    `user,id=${NETWORK_ID},restrict=on,ipv6=off`,
    `net=${network},host=${gateway},dns=${nameServer},dhcpstart=${firstLease}`,
    ...forwards,
  ].join(",");
}

export function hubNetwork(socketPath: string, id = NETWORK_ID): string {
  return `stream,id=${id},server=off,addr.type=unix,addr.path=${commaSafe(socketPath)}`;
}

/** In QEMU's key=value arguments a comma is written twice. */
export function commaSafe(path: string): string {
  return path.replaceAll(",", ",,");
}
