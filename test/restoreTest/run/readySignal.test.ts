// What counts as ready, and what as given up, with a console, an agent and an end that the test makes up.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { MachineEnd } from "../../../core/hypervisor/machineEnd.js";
import { SerialLog } from "../../../core/hypervisor/serialLog.js";
import { serialConsoleOf } from "../../../core/restoreTest/checks/serialConsole.js";
import { type Readiness, type ReadyRequest, waitUntilReady } from "../../../core/restoreTest/run/readySignal.js";
import type { ReadySignal } from "../../../core/restoreTest/spec/restoreTestSpec.js";
import { fakeAgent, pattern } from "../checks/fakeContext.js";

const ANY: ReadySignal = { serial: null, agent: false, port: null };
const NEVER = pattern(/never printed/);
const SHORT_MS = 600;
const never = new Promise<never>(() => {});

function ended(kind: MachineEnd["kind"], description: string): Promise<MachineEnd> {
  const rest = { exitCode: 0, signalName: null, lastWords: "", lastScreenshot: null, atMs: 0 };
  return Promise.resolve({ kind, description, ...rest });
}

function reasonOf(readiness: Readiness): string {
  return readiness.state === "ready" ? "" : readiness.reason;
}

describe("the ready signal", () => {
  let log: SerialLog;
  beforeEach(() => {
    log = new SerialLog();
  });

  function print(text: string): void {
    log.feed(new TextEncoder().encode(text));
  }

  async function wait(
    change: Partial<Omit<ReadyRequest, "signal">> & { signal?: Partial<ReadySignal> } = {},
  ): Promise<Readiness> {
    const base = { bootMs: 20_000, console: serialConsoleOf(log), agent: null, end: never, answers: async () => false };
    const signal = { ...ANY, ...change.signal };
    return await waitUntilReady({ ...base, ...change, signal }, new AbortController().signal);
  }

  it("is a login prompt, where nothing else is named", async () => {
    print("Debian GNU/Linux 12 web1 ttyS0\r\n\r\nweb1 login: ");
    assert.equal((await wait()).state, "ready");
  });

  it("or an agent that answers", async () => {
    let pings = 0;
    const ping = async () => {
      if (++pings < 3) throw new Error("not yet");
    };
    const readiness = await wait({ agent: fakeAgent({ ping }) });
    assert.deepEqual(readiness, { state: "ready", observed: "the agent answers" });
  });

  it("is all that is named, and says what of it was seen", async () => {
    const named = { serial: pattern(/UP/), agent: true, port: 80 };
    print("UP\n");
    const some = await wait({ signal: named, agent: fakeAgent(), bootMs: SHORT_MS });
    assert.match(reasonOf(some), /^not ready after 1 s: only .*agent answers/);
    let asked = 0;
    const all = await wait({ signal: named, agent: fakeAgent(), answers: async () => ++asked > 1 });
    assert.equal(all.state, "ready");
    for (const part of ["the console shows", "the agent answers", "port 80 answers"])
      assert.ok(all.observed.includes(part), part);
  });

  it("never comes from silence", async () => {
    const readiness = await wait({ bootMs: SHORT_MS });
    assert.deepEqual(readiness, {
      state: "gave-up",
      observed: "nothing on the serial console",
      reason: "not ready after 1 s",
    });
  });

  for (const line of [
    "[    1.234567] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
    'You are in emergency mode. After logging in, type "journalctl -xb"',
    "Give root password for maintenance",
    "(initramfs) ",
    "No bootable device.",
    "error: no such device: 1234-5678.",
    "grub rescue> ",
  ])
    it(`is not waited for behind "${line.trim()}"`, async () => {
      print(`${line}\n`);
      const readiness = await wait({ signal: { serial: NEVER } });
      assert.equal(readiness.state, "gave-up");
      assert.ok(readiness.observed.includes(line.trim()), readiness.observed);
    });

  it("tells a machine that ended from a hypervisor that failed", async () => {
    const states = { "powered-off": "gave-up", rebooted: "gave-up", panicked: "gave-up" } as const;
    for (const [kind, state] of Object.entries(states)) {
      const readiness = await wait({ end: ended(kind as MachineEnd["kind"], `it ${kind}`) });
      assert.equal(readiness.state, state);
      assert.equal(reasonOf(readiness), `it ${kind}`);
    }
    for (const kind of ["crashed", "internal-error", "disk-error", "killed"] as const)
      assert.equal((await wait({ end: ended(kind, "x") })).state, "broken", kind);
  });

  it("shows hostile last words as text, and few of them", async () => {
    print(`${"x".repeat(500_000)}\u001b]0;owned\u0007\u001b[2J<script>\u202e\n::error::owned\n`);
    const { observed } = await wait({ bootMs: SHORT_MS });
    assert.ok(observed.length < 1500);
    assert.doesNotMatch(observed, /[\p{Cc}\p{Cf}]/u);
    assert.match(observed, /::error::owned/);
  });

  it("rejects with the reason of an abort", async () => {
    const abort = new AbortController();
    const base = { bootMs: 20_000, console: serialConsoleOf(log), agent: null, end: never, answers: async () => false };
    const waiting = waitUntilReady({ ...base, signal: { ...ANY, port: 80 } }, abort.signal);
    await sleep(50);
    abort.abort(new DOMException("enough", "AbortError"));
    await assert.rejects(waiting, /enough/);
  });
});
