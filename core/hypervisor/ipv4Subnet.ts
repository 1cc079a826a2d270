// The IPv4 network that an isolated machine finds itself in, as its own configuration expects it.

import { hypervisorError } from "./hypervisorErrors.js";

export interface SubnetPlan {
  /** `192.168.7.0/24`. */
  network: string;
  gateway: string;
  /** Where a name server would be; it answers nothing. */
  nameServer: string;
  /** The first of the 16 addresses that DHCP gives out. */
  firstLease: string;
}

/** MACHINE_NETWORK_INVALID: no IPv4 network with 8 to 29 bits, or a gateway outside it. */
export function planSubnet(subnet: string, gateway: string): SubnetPlan {
  const [base = "", length = "", ...more] = subnet.split("/");
  const bits = /^\d{1,2}$/.test(length) ? Number(length) : -1;
  const network = parseIpv4(base);
  if (network === undefined || more.length > 0 || bits < 8 || bits > 29)
    throw invalid(`${subnet} is no IPv4 network`, "write it as 192.168.7.0/24, with 8 to 29 bits");
  const size = 2 ** (32 - bits);
  if (network % size !== 0)
    throw invalid(`${subnet} has bits behind its length`, `mean ${formatIpv4(network - (network % size))}/${bits}?`);
  const router = parseIpv4(gateway);
  if (router === undefined || router <= network || router >= network + size - 1)
    throw invalid(`the gateway ${gateway} is no host of ${subnet}`, "give an address inside the network");
  const free = (wanted: number, taken: readonly number[]) => {
    for (let at = wanted; ; at = at + 1 >= network + size - 1 ? network + 1 : at + 1)
      if (!taken.includes(at)) return at;
  };
  const nameServer = free(network + Math.min(3, size - 2), [router]);
  const firstLease = free(network + Math.min(15, size >> 1), [router, nameServer]);
  return {
    network: `${formatIpv4(network)}/${bits}`,
    gateway: formatIpv4(router),
    nameServer: formatIpv4(nameServer),
    firstLease: formatIpv4(firstLease),
  };
}

/** As a number; undefined for anything but four decimal numbers. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1).map(Number);
  return parts.some((part) => part > 255) ? undefined : parts.reduce((sum, part) => sum * 256 + part, 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

function invalid(message: string, hint: string): Error {
  return hypervisorError("MACHINE_NETWORK_INVALID", message, { hint });
}
