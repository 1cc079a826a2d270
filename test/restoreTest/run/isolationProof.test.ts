// The probe notices a way out. Here the "guest" is this host's own shell, to which everything is open.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, readlink, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { AgentConnection } from "../../../core/restoreTest/checks/check.js";
import {
  HostListener,
  type IsolationProof,
  proveByArguments,
  proveByListener,
  proveFromInside,
} from "../../../core/restoreTest/run/isolationProof.js";
import { isolationResult } from "../../../core/restoreTest/run/ownResults.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../../support/temporaryFolder.js";
import { fakeAgent } from "../checks/fakeContext.js";

const NOW = { startMs: 0, durationMs: 1 };
const LOOPBACK = "127.0.0.1";
/** A host of ours where nothing listens on the port below. */
const SILENT = "127.0.0.9";

describe("the proof of isolation", function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  let listener: HostListener;
  let service: Server;
  const servicePort = () => (service.address() as { port: number }).port;

  before(async () => {
    folder = await makeTemporaryFolder("isolation");
    service = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => service.listen({ host: LOOPBACK, port: 0 }, resolve));
  });
  after(async () => {
    service.close();
    await folder.remove();
  });
  beforeEach(async () => {
    listener = await HostListener.open();
  });
  afterEach(() => listener.close());

  /** Runs what the probe asks for on this host, with the programs of one folder. */
  function agentWith(programs: string): AgentConnection {
    return fakeAgent({
      exec: async ([program = "", ...args]) =>
        await new Promise((resolve) => {
          execFile(program, args, { env: { PATH: programs } }, (error, stdout, stderr) => {
            const code = error === null ? 0 : Number(error.code);
            resolve({ exitCode: code, stdout, stderr, truncated: false });
          });
        }),
    });
  }

  /** Bash and timeout alone, so that every host is like the other. */
  async function bashOnly(): Promise<string> {
    const programs = join(folder.path, "bash-only");
    await mkdir(programs, { recursive: true });
    for (const [name, path] of [
      ["bash", "/bin/bash"],
      ["timeout", "/usr/bin/timeout"],
    ] as const)
      if ((await readlink(join(programs, name)).catch(() => "")) === "") await symlink(path, join(programs, name));
    return programs;
  }

  /** A machine whose nc ends with this code, and does nothing else. */
  async function falseNc(exitCode: number): Promise<string> {
    const programs = join(folder.path, `nc${exitCode}`);
    await mkdir(programs, { recursive: true });
    await writeFile(join(programs, "nc"), `#!/bin/sh\nexit ${exitCode}\n`);
    await chmod(join(programs, "nc"), 0o755);
    return programs;
  }

  async function probe(agent: AgentConnection | null, gateway: string, ownPorts: number[]): Promise<IsolationProof[]> {
    const { signal } = new AbortController();
    return await proveFromInside({ agent, gateway, listener, ownPorts, signal });
  }

  it("is broken when the machine reaches the listener", async () => {
    const proofs = await probe(agentWith(await bashOnly()), LOOPBACK, [servicePort()]);
    assert.deepEqual(proofs[0], {
      what: "the machine tried to reach a listener on this host's loopback",
      outcome: "broken",
      observed: `127.0.0.1:${listener.port}: connected`,
    });
    assert.equal(proveByListener(listener).outcome, "broken");
    assert.match(proveByListener(listener).observed, /, 1 connections$/);
    const { outcome, reason } = isolationResult(proofs, NOW);
    assert.equal(outcome, "failed");
    assert.match(reason ?? "", /listener on this host's loopback: 127\.0\.0\.1:\d+: connected/);
  });

  it("is broken by the listener's word, whatever the machine says", async () => {
    const honest = agentWith(await bashOnly());
    const liar = fakeAgent({
      exec: async (argv, options) => ({
        ...(await honest.exec(argv, options)),
        stdout: `REFUSED ${servicePort()}\n`,
      }),
    });
    const [proof] = await probe(liar, LOOPBACK, [servicePort()]);
    assert.equal(proof?.outcome, "broken");
  });

  it("holds when the tool reaches the machine's own port and not the listener", async () => {
    const [proof] = await probe(agentWith(await bashOnly()), SILENT, [1, servicePort()]);
    assert.equal(proof?.outcome, "held");
    assert.match(
      proof?.observed ?? "",
      new RegExp(`^127\\.0\\.0\\.9:\\d+: no connection; its own port ${servicePort()}: connected$`),
    );
    assert.equal(listener.connections, 0);
  });

  it("is not proven by a tool that reaches nothing at all", async () => {
    const proofs = await probe(agentWith(await falseNc(1)), LOOPBACK, [servicePort()]);
    for (const { outcome, observed } of proofs) {
      assert.equal(outcome, "not-probed");
      assert.equal(observed, `its tool does not even reach the machine's own port ${servicePort()}`);
    }
    assert.equal(isolationResult(proofs, NOW).outcome, "inconclusive");
  });

  it("says when there is no port to try the tool with", async () => {
    const [proof] = await probe(agentWith(await falseNc(1)), LOOPBACK, []);
    assert.equal(proof?.outcome, "held");
    assert.match(proof?.observed ?? "", /no connection \(the machine serves no port that would show/);
  });

  it("takes no word for what it is not", async () => {
    const answers = ["", "REFUSED", "REFUSED 81", "refused 80", "REFUSED 80 \u001b[31m\n".repeat(1000), "held"];
    for (const stdout of answers) {
      const agent = fakeAgent({ exec: async () => ({ exitCode: 0, stdout, stderr: "", truncated: false }) });
      const [proof] = await probe(agent, LOOPBACK, [80]);
      if (!stdout.startsWith("REFUSED 80")) assert.equal(proof?.outcome, "not-probed", stdout);
      assert.doesNotMatch(proof?.observed ?? "", /\p{Cc}/u);
    }
  });

  it("is not probed without agent, without tools, and by an agent that fails", async () => {
    const failing = fakeAgent({ exec: () => Promise.reject(new Error("the guest \u001b[2Jrefuses")) });
    const silent = fakeAgent({
      ping: () => Promise.reject(new DOMException("too late", "TimeoutError")),
      exec: () => assert.fail("nobody asks an agent that does not answer"),
    });
    const empty = join(folder.path, "empty");
    await mkdir(empty, { recursive: true });
    for (const [agent, observed] of [
      [null, /^the machine has no agent to try with$/],
      [agentWith(empty), /^the machine has neither nc nor bash to try with$/],
      [silent, /^the machine's agent does not answer: too late$/],
      [failing, /^the agent could not try: the guest .*refuses$/],
    ] as const) {
      const proofs = await probe(agent, LOOPBACK, [servicePort()]);
      assert.deepEqual(
        proofs.map(({ outcome }) => outcome),
        ["not-probed", "not-probed"],
      );
      assert.match(proofs[0]?.observed ?? "", observed);
      assert.doesNotMatch(proofs[0]?.observed ?? "", /\p{Cc}/u);
    }
  });

  it("ends with an abort, and not with the end of the test's time", async () => {
    const abort = new AbortController();
    const agent = fakeAgent({ exec: () => Promise.reject(abort.signal.reason as Error) });
    const attempt = { agent, gateway: LOOPBACK, listener, ownPorts: [80], signal: abort.signal };
    abort.abort(new DOMException("interrupted", "AbortError"));
    await assert.rejects(proveFromInside(attempt), /interrupted/);
    const signal = AbortSignal.abort(new DOMException("the time was over", "TimeoutError"));
    const [proof] = await proveFromInside({ ...attempt, signal });
    assert.equal(proof?.outcome, "not-probed");
  });

  it("reads QEMU's arguments for what they allow", () => {
    const outcomeOf = (...args: string[]) => proveByArguments(args).outcome;
    assert.equal(outcomeOf("-nodefaults"), "held");
    assert.equal(outcomeOf("-netdev", "user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:0-:80"), "held");
    assert.equal(outcomeOf("-netdev", "stream,id=n0,addr.type=unix,addr.path=/x"), "held");
    assert.equal(outcomeOf("-netdev", "user,id=n0"), "broken");
    assert.equal(outcomeOf("-netdev", "user,id=n0,restrict=off"), "broken");
    assert.equal(outcomeOf("-netdev", "user,id=n0,xrestrict=on"), "broken");
    assert.equal(outcomeOf("-netdev", "bridge,id=n0,br=br0"), "broken");
    assert.equal(outcomeOf("-netdev", "tap,id=n0"), "broken");
    assert.equal(outcomeOf("-netdev", "stream,id=n0,addr.type=inet,addr.host=10.0.0.1"), "broken");
    assert.equal(outcomeOf("-netdev", "user,restrict=on", "-netdev", "tap"), "broken");
    assert.equal(outcomeOf("-nic", "user"), "not-probed");
    assert.equal(outcomeOf("-nic", "none"), "held");
  });
});
