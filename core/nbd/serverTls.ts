// TLS for the NBD server: a certificate, or pre-shared keys in the form that gnutls' psktool, nbdkit and libnbd use.

import type { TlsOptions } from "node:tls";
import { RepriseError } from "../errors.js";

export type TlsMaterial = { certificate: string; key: string } | { pskLines: string };

const MAX_KEYS = 10_000;

/** NBD_TLS_INVALID for lines that are no `USER:HEXKEY`; the keys themselves are never repeated. */
export function tlsOptions(material: TlsMaterial): TlsOptions {
  if ("certificate" in material) {
    return { cert: material.certificate, key: material.key, minVersion: "TLSv1.2" };
  }
  const keys = parsePsk(material.pskLines);
  return {
    ciphers: "PSK",
    minVersion: "TLSv1.2",
    pskCallback: (_socket, identity) => keys.get(identity) ?? null,
  };
}

function parsePsk(text: string): Map<string, Buffer> {
  const keys = new Map<string, Buffer>();
  text.split("\n").forEach((raw, index) => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return;
    const match = /^([^:]{1,255}):((?:[0-9a-fA-F]{2}){16,64})$/.exec(line);
    if (match === null || keys.size === MAX_KEYS)
      throw invalid(`line ${index + 1} is not USER:HEXKEY with 32 to 128 digits`);
    keys.set(match[1] as string, Buffer.from(match[2] as string, "hex"));
  });
  if (keys.size === 0) throw invalid("there is no key");
  return keys;
}

function invalid(problem: string): RepriseError {
  return new RepriseError("usage", "NBD_TLS_INVALID", `the pre-shared keys: ${problem}`, {
    hint: "make a file with psktool -u USER -p FILE, from the package gnutls-bin",
  });
}
