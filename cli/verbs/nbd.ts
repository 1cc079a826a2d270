import { isIP } from "node:net";
import {
  exportSnapshot,
  isAbort,
  type NbdAddress,
  type NbdServer,
  openChunkFetcher,
  readInputFile,
  resolveSnapshot,
  startNbdServer,
  tlsOptions,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { type Given, usageError } from "../given/given.js";
import { SNAPSHOT_OPERAND } from "../given/snapshotOperands.js";
import { styled } from "../output/text.js";
import { countText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

/** IANA's port for NBD. */
const STANDARD_PORT = 10809;
/** Certificates with their chains, and lists of keys. */
const MAX_TLS_BYTES = 1024 * 1024;

export const nbdVerb: Verb = {
  name: "nbd",
  summary: "serve the disks of a snapshot to hypervisors and tools",
  details: [
    "A read-only NBD server: nothing is restored, what is read is fetched. Each disk is an export of its name. It runs until Ctrl-C.",
    "A unix socket is open to its owner only. A TCP port is served on this machine only, unless --bind names another address; that needs TLS.",
  ],
  operands: [SNAPSHOT_OPERAND],
  options: [
    { flags: "--disk <name>", description: "only this disk", many: true },
    { flags: "--socket <path>", description: "listen on a unix socket", completes: "file" },
    { flags: "--port <number>", description: "listen on a TCP port; 0 chooses one", standard: String(STANDARD_PORT) },
    { flags: "--bind <address>", description: "the address to listen on", standard: "127.0.0.1" },
    {
      flags: "--tls-psk <file>",
      description: "ask for TLS with a pre-shared key: lines of USER:HEXKEY",
      completes: "file",
    },
    { flags: "--tls-cert <file>", description: "ask for TLS; the certificate in PEM form", completes: "file" },
    { flags: "--tls-key <file>", description: "the key of the certificate", completes: "file" },
  ],
  examples: [
    {
      command: "reprise nbd vm/web1@latest --socket /run/web1.sock",
      meaning: "then: nbdinfo nbd+unix:///root?socket=/run/web1.sock",
    },
    {
      command: "reprise nbd 3f2a9c01 --disk root --port 0 --json",
      meaning: "the first line of the output names the port",
    },
  ],
  run: runNbd,
};

async function runNbd(context: Context, given: Given): Promise<Answer> {
  const address = addressOf(given);
  const tls = await tlsOf(given, context.signal);
  refuseOpenPort(address, tls !== undefined);
  const { repository, catalog } = await context.openCatalog();
  const snapshot = resolveSnapshot(given.operand(0), catalog);
  const fetcher = context.closeLater(await openChunkFetcher(repository, context.options));
  const exports = await exportSnapshot(snapshot, fetcher, given.texts("disk"), context.options);
  let failures = 0;
  const onError = (error: unknown) => {
    if (context.signal.aborted) return;
    failures++;
    context.onWarning({ code: "NBD_READ_FAILED", message: error instanceof Error ? error.message : String(error) });
  };
  const server = context.closeLater(await startNbdServer({ address, exports, tls, onError }));
  const uris = exports.map(({ name }) => uriOf(server, name, tls !== undefined));
  await announce(context, given, snapshotReference(snapshot), uris);
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    else context.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await server.close();
  const { clientsServed } = server;
  return {
    document: { ...snapshotReference(snapshot), clientsServed, failures },
    lines: [],
    summary: [`served ${countText(clientsServed, "client")}`],
  };
}

/** At once, because the server runs until it is stopped. */
async function announce(context: Context, given: Given, reference: object, uris: readonly string[]): Promise<void> {
  if (context.settings.json) {
    await context.writeData(new TextEncoder().encode(`${JSON.stringify({ event: "serving", ...reference, uris })}\n`));
    return;
  }
  for (const uri of uris) context.note([styled("bold", uri)]);
  context.note(`serving ${given.operand(0)} read-only; Ctrl-C ends it`);
}

function addressOf(given: Given): NbdAddress {
  const socketPath = given.text("socket");
  const port = given.text("port");
  const host = given.text("bind");
  if (socketPath !== undefined) {
    if (port !== undefined || host !== undefined)
      throw usageError("--socket does not go together with --port and --bind");
    return { socketPath };
  }
  const number = port === undefined ? STANDARD_PORT : Number(port);
  if (!/^\d+$/.test(port ?? "0") || number > 65535) throw usageError(`--port ${port} is no port`, "give 0 to 65535");
  return { host: host ?? "127.0.0.1", port: number };
}

async function tlsOf(given: Given, signal: AbortSignal): Promise<ReturnType<typeof tlsOptions> | undefined> {
  const [psk, cert, key] = ["tlsPsk", "tlsCert", "tlsKey"].map((name) => given.text(name));
  if ((cert === undefined) !== (key === undefined)) throw usageError("--tls-cert and --tls-key belong together");
  if (psk !== undefined && cert !== undefined) throw usageError("--tls-psk and --tls-cert: choose one");
  if (psk !== undefined) return tlsOptions({ pskLines: await readTlsFile("--tls-psk", psk, signal) });
  if (cert === undefined || key === undefined) return undefined;
  const certificate = await readTlsFile("--tls-cert", cert, signal);
  return tlsOptions({ certificate, key: await readTlsFile("--tls-key", key, signal) });
}

async function readTlsFile(option: string, path: string, signal: AbortSignal): Promise<string> {
  try {
    return new TextDecoder().decode(await readInputFile(path, { maxBytes: MAX_TLS_BYTES, signal }));
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    const reason = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    throw usageError(`${option}: ${path} cannot be read (${reason})`, "check the path and its permissions");
  }
}

/** Whoever reaches the port reads the disks: on a network only with TLS. */
function refuseOpenPort(address: NbdAddress, hasTls: boolean): void {
  if ("socketPath" in address || hasTls) return;
  const { host } = address;
  const isLocal = host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
  if (isLocal) return;
  throw usageError(`--bind ${host} would show the disks to the network`, "add --tls-psk or --tls-cert and --tls-key");
}

function uriOf({ address }: NbdServer, name: string, hasTls: boolean): string {
  const scheme = hasTls ? "nbds" : "nbd";
  const path = encodeURIComponent(name);
  if ("socketPath" in address) return `${scheme}+unix:///${path}?socket=${encodeURIComponent(address.socketPath)}`;
  const host = isIP(address.host) === 6 ? `[${address.host}]` : address.host;
  return `${scheme}://${host}:${address.port}/${path}`;
}
