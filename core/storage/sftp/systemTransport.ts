// A line to a server's SFTP subsystem through the system's ssh program, with everything it knows: ~/.ssh/config, agents,
// ProxyJump, certificates, hardware keys. It never asks questions and accepts no unknown host key.

import { type ChildProcess, spawn } from "node:child_process";
import type { RepriseError } from "../../errors.js";
import { requireTool } from "../../platform/tool.js";
import { type ByteLine, lineOverStreams } from "./byteLine.js";
import { hostKeyChanged, hostKeyUnknown } from "./hostKeyCheck.js";
import { authenticationFailed, type SftpEnvironment } from "./sftpIdentity.js";
import type { SftpPlace } from "./sftpLocation.js";
import { printable } from "./sftpPacket.js";

/** Kept of what ssh says: its messages come last. */
const MAX_ERROR_TEXT = 64 * 1024;
const EXIT_GRACE_MS = 2000;

/** Throws `TOOL_MISSING`. Other faults end the line, with the error of the host key or of the login where it is one. */
export async function openSystemLine(place: SftpPlace, environment: SftpEnvironment): Promise<ByteLine> {
  const program = await requireTool("ssh");
  const child = spawn(program, sshArguments(place), {
    stdio: ["pipe", "pipe", "pipe"],
    env: childEnvironment(environment),
  });
  let said = "";
  child.stderr.on("data", (chunk: Uint8Array) => {
    said = (said + Buffer.from(chunk).toString("latin1")).slice(-MAX_ERROR_TEXT);
  });
  const exited = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  return lineOverStreams({
    readable: child.stdout,
    writable: child.stdin,
    destroy: () => stop(child),
    explain: async (cause) => {
      await Promise.race([exited, pause(EXIT_GRACE_MS)]);
      return faultOf(place, said) ?? cause;
    },
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function stop(child: ChildProcess): void {
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.kill("SIGTERM");
}

/** What ssh, its agent and a ProxyCommand need to find their way. */
const PASSED_ON = /^(HOME|PATH|USER|LOGNAME|SHELL|TERM|TMPDIR|DISPLAY|XAUTHORITY|LANG|LC_\w+|SSH_\w+|XDG_\w+|KRB5\w+)$/;

/** No secret of ours, nor of another storage, reaches a ProxyCommand. Messages in English, so that they can be recognised. */
function childEnvironment(environment: SftpEnvironment): NodeJS.ProcessEnv {
  const passed = Object.entries({ ...process.env, ...environment }).filter(([name]) => PASSED_ON.test(name));
  return { ...Object.fromEntries(passed), LC_ALL: "C", SSH_ASKPASS_REQUIRE: "never" };
}

function sshArguments(place: SftpPlace): string[] {
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `ConnectTimeout=${place.connectTimeoutMs / 1000}`,
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
    "ClearAllForwardings=yes",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RequestTTY=no",
    "EscapeChar=none",
    ...pinOptions(place),
  ];
  if (place.identity !== undefined) options.push(`IdentityFile=${quoted(place.identity)}`, "IdentitiesOnly=yes");
  return [
    "-v", // the fingerprint of the host key is in no other message
    "-s",
    ...options.flatMap((option) => ["-o", option]),
    ...(place.port === undefined ? [] : ["-p", String(place.port)]),
    ...(place.user === undefined ? [] : ["-l", place.user]),
    "--",
    place.host,
    "sftp",
  ];
}

/** ssh cannot pin a fingerprint by itself, but it asks a command for the known keys and tells it the server's (%f). */
function pinOptions({ hostKey, knownHosts }: SftpPlace): string[] {
  if (hostKey !== undefined) {
    const none = ["UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null", "UpdateHostKeys=no"];
    return [`KnownHostsCommand=/bin/sh -c "test %f = ${hostKey} && echo '%H' %t %K; true"`, ...none];
  }
  return knownHosts === undefined ? [] : [`UserKnownHostsFile=${quoted(knownHosts)}`, "GlobalKnownHostsFile=/dev/null"];
}

/** For a configuration line: in quotes, with ssh's own % sequences switched off. */
function quoted(path: string): string {
  return `"${path.replace(/(["\\])/g, "\\$1").replace(/%/g, "%%")}"`;
}

/** What ssh's messages mean; undefined when it said nothing. */
function faultOf(place: SftpPlace, said: string): RepriseError | Error | undefined {
  const [, type = "unknown", print = "unknown"] = /Server host key: (\S+) (SHA256:\S+)/.exec(said) ?? [];
  const lines = said
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "" && !/^(debug\d|OpenSSH_|Authenticated to |Transferred|Bytes per)/.test(line));
  const text = lines.join("\n");
  if (/Host key verification failed|host key .* (?:is known|has changed)/i.test(text)) {
    const changed = place.hostKey !== undefined || /IDENTIFICATION HAS CHANGED|REVOKED/.test(text);
    return changed ? hostKeyChanged(place, type, print) : hostKeyUnknown(place, type, print);
  }
  const denied = /Permission denied \(([^)]*)\)/.exec(text);
  if (denied !== null) return authenticationFailed(place, ["what the system's ssh offers"]);
  const last = lines.at(-1);
  if (last === undefined) return undefined;
  const unreachable = /refused|resolve hostname|unreachable|No route|timed out/i.test(last);
  return Object.assign(new Error(`ssh: ${printable(last)}`), unreachable ? { code: "ECONNREFUSED" } : {});
}
