// A line to a server's SFTP subsystem through the ssh2 library. The only file that names the library, and it is loaded
// only when a line is opened.

import { connect, type Socket } from "node:net";
import type { AnyAuthMethod, Client, ClientChannel, ConnectConfig } from "ssh2";
import { isOurError, RepriseError } from "../../errors.js";
import { type ByteLine, lineOverStreams } from "./byteLine.js";
import { type HostKeyCheck, loadHostKeyCheck } from "./hostKeyCheck.js";
import { SftpLineError } from "./sftpClient.js";
import {
  authenticationFailed,
  identityInvalid,
  identityLocked,
  loadIdentity,
  type SftpEnvironment,
  type SftpIdentity,
} from "./sftpIdentity.js";
import type { SftpPlace } from "./sftpLocation.js";
import { printable } from "./sftpPacket.js";

const CLOSED = "the server closed the connection";
/** What the library's levels of errors mean, beyond a line that broke. */
const KINDS: ReadonlyMap<string | undefined, SftpLineError["kind"]> = new Map([
  ["handshake", "protocol"],
  ["client-timeout", "silent"],
]);
const KEEP_ALIVE_MS = 15_000;
const KEEP_ALIVE_MISSES = 4;
/** AES-GCM first: twice the rate of ChaCha20, which Node computes in its own way (measured). */
const CIPHERS = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "aes128-ctr",
  "aes256-ctr",
  "chacha20-poly1305@openssh.com",
] as const;
const HOST_KEY_TYPES = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
] as const;

/**
 * Throws the errors of hostKeyCheck.ts and sftpIdentity.ts, SftpLineError, and the system's errors of the connection.
 */
export async function openSsh2Line(
  place: SftpPlace,
  environment: SftpEnvironment,
  signal: AbortSignal,
): Promise<ByteLine> {
  const library = await import("ssh2");
  const check = await loadHostKeyCheck(place);
  const identity = await loadIdentity(place, environment);
  const methods = authMethods(place, identity, library.default.utils.parseKey);
  const socket = await openSocket(place, signal);
  const client = new library.default.Client();
  const stop = () => socket.destroy();
  // a server may also fall silent between the login, which the library times, and the start of the subsystem
  const timer = setTimeout(stop, 2 * place.connectTimeoutMs);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await logIn(client, place, check, {
      sock: socket,
      username: identity.user,
      authHandler: methods,
      readyTimeout: place.connectTimeoutMs,
      keepaliveInterval: KEEP_ALIVE_MS,
      keepaliveCountMax: KEEP_ALIVE_MISSES,
      algorithms: { cipher: [...CIPHERS], serverHostKey: hostKeyOrder(check) },
    });
    return await startSubsystem(client, place);
  } catch (error) {
    client.destroy();
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** Without Nagle's algorithm, which makes a small request wait for the reply to the one before (40 ms). */
function openSocket({ host, port = 22, connectTimeoutMs }: SftpPlace, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const stop = () => socket.destroy(new SftpLineError("closed", "the storage was closed"));
    signal.addEventListener("abort", stop, { once: true });
    socket.setTimeout(connectTimeoutMs, () => {
      socket.destroy(
        Object.assign(new Error(`no connection within ${connectTimeoutMs / 1000} s`), { code: "ETIMEDOUT" }),
      );
    });
    socket.once("error", reject);
    socket.once("close", () => signal.removeEventListener("abort", stop));
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

function logIn(client: Client, place: SftpPlace, check: HostKeyCheck, config: ConnectConfig): Promise<void> {
  let refused: RepriseError | undefined;
  return new Promise((resolve, reject) => {
    client.on("error", (error: Error & { level?: string }) => {
      if (error.level === "agent") return; // the library goes on with the next method
      if (refused !== undefined) reject(refused);
      else if (error.level === "client-authentication") reject(authenticationFailed(place, namesOf(config)));
      else reject(new SftpLineError(KINDS.get(error.level) ?? "lost", printable(error.message), error));
    });
    client.once("close", () => reject(refused ?? new SftpLineError("lost", CLOSED)));
    client.once("ready", resolve);
    const hostVerifier = (key: Buffer) => {
      refused = check.refuse(key);
      return refused === undefined;
    };
    client.connect({ ...config, hostVerifier });
    client.setNoDelay(true);
  });
}

function startSubsystem(client: Client, place: SftpPlace): Promise<ByteLine> {
  return new Promise((resolve, reject) => {
    let lastError: Error | undefined;
    client.on("error", (error) => {
      lastError = error;
    });
    client.once("close", () => reject(new SftpLineError("lost", CLOSED, lastError)));
    client.subsys("sftp", (error: Error | undefined, channel: ClientChannel) => {
      if (error) return reject(noSubsystem(place, error));
      channel.stderr.resume();
      client.once("close", () => channel.destroy());
      const explain = (cause: Error) => lastError ?? cause;
      const destroy = () => void client.destroy();
      resolve(lineOverStreams({ readable: channel, writable: channel, destroy, explain }));
    });
  });
}

/** The types of keys that are known come first: a server has several, and only those prove anything. */
function hostKeyOrder({ types }: HostKeyCheck): NonNullable<ConnectConfig["algorithms"]>["serverHostKey"] {
  const isKnown = (name: string) => types.includes(name) || (name.startsWith("rsa-") && types.includes("ssh-rsa"));
  return [...HOST_KEY_TYPES.filter(isKnown), ...HOST_KEY_TYPES.filter((name) => !isKnown(name))];
}

function authMethods(
  place: SftpPlace,
  { user: username, agent, keys, passphrase, password }: SftpIdentity,
  parseKey: typeof import("ssh2").utils.parseKey,
): AnyAuthMethod[] {
  const methods: AnyAuthMethod[] = [];
  if (agent !== undefined) methods.push({ type: "agent", username, agent });
  for (const { path, text } of keys) {
    const key = parseKey(Buffer.from(text), passphrase);
    const fault = key instanceof Error ? key.message : key.isPrivateKey() ? undefined : "a public key";
    if (!(key instanceof Error) && fault === undefined) {
      methods.push({ type: "publickey", username, key });
    } else if (place.identity !== undefined) {
      const encrypted = /encrypted|passphrase|decrypt/i.test(fault ?? "");
      throw encrypted ? identityLocked(path, passphrase) : identityInvalid(path, "is in no form that can be read");
    }
  }
  if (password !== undefined) {
    methods.push({ type: "password", username, password });
    const prompt = (
      _name: string,
      _text: string,
      _lang: string,
      prompts: unknown[],
      finish: (answers: string[]) => void,
    ) => finish(prompts.length === 1 ? [password] : []);
    methods.push({ type: "keyboard-interactive", username, prompt } as AnyAuthMethod);
  }
  return methods;
}

function namesOf(config: ConnectConfig): string[] {
  const names: Record<string, string> = { publickey: "private key", agent: "agent", password: "password" };
  const methods = (config.authHandler as { type: string }[]).map(({ type }) => names[type] ?? "password");
  return [...new Set(methods)];
}

function noSubsystem(place: SftpPlace, cause: Error): unknown {
  if (isOurError(cause)) return cause;
  const message = `${place.shown} offers no SFTP: ${printable(cause.message)}`;
  return new RepriseError("backend", "STORAGE_FAILED", message, {
    data: { location: place.shown },
    hint: "the server needs the line `Subsystem sftp internal-sftp` in sshd_config, and the user the right to use it",
    cause,
  });
}
