// The network of a spec: none, or an isolated one with the addresses that its guests were configured for.

import type { ProblemList } from "../../yaml/problems.js";
import type { RawSpec } from "./rawSpec.js";
import type { NetworkSpec } from "./restoreTestSpec.js";

const DEFAULT_SUBNET = "10.0.2.0/24";
/** Room for a router, a name server and a guest. */
const PREFIX_LIMITS = { min: 8, max: 29 };

export function buildNetwork(
  given: RawSpec["network"],
  path: string,
  byDefault: NetworkSpec["mode"],
  problems: ProblemList,
): NetworkSpec {
  const raw = typeof given === "object" ? given : { mode: given };
  const mode = raw.mode ?? (given === undefined ? byDefault : "isolated");
  if (mode === "none") {
    for (const field of ["subnet", "gateway"] as const) {
      if (raw[field] !== undefined) problems.add(`${path}/${field}`, `${field} contradicts mode: none`);
    }
    return { mode: "none" };
  }
  const subnet = raw.subnet ?? DEFAULT_SUBNET;
  const network = parseSubnet(subnet);
  if (network === null) {
    const { min, max } = PREFIX_LIMITS;
    problems.add(
      `${path}/subnet`,
      `subnet: "${subnet}" is no IPv4 network with a prefix of ${min} to ${max} and no host bits`,
    );
    return { mode: "isolated", subnet: DEFAULT_SUBNET, gateway: "10.0.2.2" };
  }
  return { mode: "isolated", subnet, gateway: gateway(raw.gateway, network, path, problems) };
}

interface Subnet {
  first: number;
  last: number;
}

function gateway(given: string | undefined, { first, last }: Subnet, path: string, problems: ProblemList): string {
  const standard = formatAddress(first + 2);
  if (given === undefined) return standard;
  const address = parseAddress(given);
  if (address !== null && address > first && address < last) return given;
  problems.add(`${path}/gateway`, `gateway: "${given}" is no address of a machine in the subnet`);
  return standard;
}

function parseSubnet(text: string): Subnet | null {
  const match = /^([0-9.]+)\/(\d{1,2})$/.exec(text);
  const first = match === null ? null : parseAddress(match[1]!);
  const prefix = Number(match?.[2]);
  if (first === null || prefix < PREFIX_LIMITS.min || prefix > PREFIX_LIMITS.max) return null;
  const size = 2 ** (32 - prefix);
  return first % size === 0 ? { first, last: first + size - 1 } : null;
}

function parseAddress(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255)) return null;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
